"""Releases that a publisher signed too: by a key, by a certificate, and keyless."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from provenance_oracle.verifier.identity.key_method import parse_publisher_key
from provenance_oracle.verifier.identity.names import PublisherIdentity
from provenance_oracle.verifier.identity.sigstore_root import PinnedRoot, parse_trusted_root
from provenance_oracle.verifier.judgement.release import BUNDLE_PATH, PUBLISHER_KEY_PATH
from provenance_oracle.verifier.judgement.signed_release import SIGNED_BUNDLE_PATH
from provenance_oracle.verifier.manifest.dsse import MANIFEST_PATH
from tests.support.fake_sigstore import ISSUER, FakeSigstore
from tests.support.model_signatures import SIGNING_KEY, key_bundle, pem_of, statement_over, write_files
from tests.support.signing_chains import CA, LEAF, ROOT, certificate_bundle, certified, spki_hex
from tests.support.whole_releases import AT, FILES, lay_out, sign_again, statement_of

SIGNED_AT = AT - timedelta(days=1)


@dataclass(frozen=True)
class Publisher:
    """A publisher: the line of its identity, its bundle over a statement, its key, and the root that knows it."""

    line: str
    bundle: Callable[[object], dict[str, Any]]
    key: bytes | None = None
    root: PinnedRoot | None = None

    @property
    def identity(self) -> PublisherIdentity:
        """The identity."""
        return PublisherIdentity(self.line)


def _sigstore(version: int) -> Publisher:
    world = FakeSigstore(version=version, signed_at=SIGNED_AT)
    root = parse_trusted_root(json.dumps(world.root()).encode(), "root")
    return Publisher(f"sigstore {ISSUER} email:me@example.org", world.bundle, root=root)


_CHAIN = certified(LEAF, CA, ROOT)
BY_KEY = Publisher(
    parse_publisher_key(pem_of(SIGNING_KEY), "key").identity.line,
    lambda statement: key_bundle(statement=statement),
    pem_of(SIGNING_KEY),
)
BY_CERTIFICATE = Publisher(
    f"certificate {spki_hex(_CHAIN[-1])} email:me@example.org",
    lambda statement: certificate_bundle(_CHAIN, statement),
)
PUBLISHERS = {
    "key": BY_KEY,
    "certificate": BY_CERTIFICATE,
    "sigstore, log version 1": _sigstore(1),
    "sigstore, log version 2": _sigstore(2),
}


def files_in(folder: Path) -> dict[str, bytes]:
    """Return the files that a publisher signs: those of the model and the manifest."""
    files = {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    return {name: data for name, data in files.items() if name == MANIFEST_PATH or not name.startswith("provenance/")}


def name_publisher(folder: Path, line: str) -> None:
    """Sign the manifest again so that it names a publisher."""
    statement = statement_of(folder)
    statement["predicate"]["buildDefinition"]["internalParameters"]["publisher"] = {"identity": line}
    sign_again(folder, statement)


def put_signature(folder: Path, publisher: Publisher, statement: object = None) -> None:
    """Put the publisher's signature into a release, by default over all that it should cover."""
    bundle = publisher.bundle(statement or statement_over(files_in(folder)))
    (folder / BUNDLE_PATH).write_bytes(json.dumps(bundle).encode())
    if publisher.key is not None:
        (folder / PUBLISHER_KEY_PATH).write_bytes(publisher.key)


def lay_out_signed(folder: Path, publisher: Publisher = BY_KEY, *, named: bool = True) -> Path:
    """Make a release that the publisher signed, and whose manifest names the publisher unless told otherwise."""
    lay_out(folder)
    if named:
        name_publisher(folder, publisher.line)
    put_signature(folder, publisher)
    return folder


def lay_out_signed_only(folder: Path, publisher: Publisher = BY_CERTIFICATE, statement: object = None) -> Path:
    """Make a release that has only a signature, by default over all its files."""
    write_files(folder, FILES)
    bundle = publisher.bundle(statement or statement_over(FILES))
    (folder / SIGNED_BUNDLE_PATH).write_bytes(json.dumps(bundle).encode())
    return folder

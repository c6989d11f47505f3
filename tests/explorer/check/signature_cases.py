"""Bundles that sign a model, whole and changed at random, each in a release with a manifest."""

from __future__ import annotations

import base64
import json
import random
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from provenance_oracle.publisher.simulator import der
from provenance_oracle.verifier.identity.sigstore_root import PinnedRoot, parse_trusted_root
from provenance_oracle.verifier.judgement.release import (
    BUNDLE_PATH,
    CHAIN_PATH,
    KEY_PATH,
    PUBLISHER_KEY_PATH,
    REPORT_PATH,
    VEK_PEM_PATH,
    Release,
    release_of,
)
from provenance_oracle.verifier.judgement.sheet import CheckSheet
from provenance_oracle.verifier.judgement.signature import refuse_unsigned, verify_release_signature
from provenance_oracle.verifier.manifest.dsse import MANIFEST_PATH
from provenance_oracle.verifier.manifest.statement import Manifest, ManifestFile
from provenance_oracle.verifier.strict.release_files import files_of
from tests.explorer.check.judged import Judged
from tests.support.model_signatures import (
    FILES,
    SIGNING_KEY,
    bundle_of,
    key_bundle,
    pae_of,
    pem_of,
    resource,
    signed_by,
    statement_of,
    statement_over,
)
from tests.support.mutants import changed, changed_der
from tests.support.signing_chains import (
    CA,
    LEAF,
    ROOT,
    certificate_bundle,
    certified,
    spki_hex,
)
from tests.verifier.identity.test_mutations import change_text, change_value

AT = datetime(2026, 6, 1, tzinfo=UTC)
EVIDENCE = {MANIFEST_PATH: b"{manifest}", KEY_PATH: b"k", REPORT_PATH: b"r", VEK_PEM_PATH: b"v", CHAIN_PATH: b"c"}
SIZES = {path: len(data) for path, data in FILES.items()}
SIGNED = statement_over({**FILES, MANIFEST_PATH: EVIDENCE[MANIFEST_PATH]})
_CHAIN = certified(LEAF, CA, ROOT)
_ANCHOR = spki_hex(_CHAIN[-1])
_ECDSA_SHA256 = bytes.fromhex("300a06082a8648ce3d040302")
_CA_KEYS = (CA.key, ROOT.key, ROOT.key)  # of the issuers of leaf, CA and root


def release_case(
    bundle: bytes | None,
    key: bytes | None = None,
    publisher: str = "",
    sizes: Mapping[str, int] = SIZES,
    at: datetime = AT,
    root: str = "",
) -> Judged:
    """Return a release with a bundle whose manifest names files of these sizes, and a publisher or nobody.

    `root` is a trusted root of sigstore in JSON; empty for that of the public instance.
    """
    found = {**EVIDENCE, BUNDLE_PATH: bundle, PUBLISHER_KEY_PATH: key}
    files = {path: data for path, data in found.items() if data is not None}
    release = release_of(files_of("unused"), files)

    def in_python() -> str:
        trusted = parse_trusted_root(root.encode(), "root") if root else None
        return _judged(release, _manifest(publisher, sizes), at, trusted)

    return Judged("release", at, files, in_python, publisher, sizes, root)


def _manifest(publisher: str, sizes: Mapping[str, int]) -> Manifest:
    files = tuple(ManifestFile(path, size, None, None) for path, size in sizes.items())
    return Manifest("a/b", "1", files, (), None, publisher, "", "", None, None, b"")


def _judged(release: Release, manifest: Manifest, at: datetime, root: PinnedRoot | None) -> str:
    signature = verify_release_signature(release, manifest, at=at, root=root, sheet=CheckSheet())
    refuse_unsigned(manifest, signature)
    if signature is None:
        return "no signature"
    return f"{signature.identity.line} {len(signature.coverage.covered)} {signature.signed.root.hex()}"


def text_of(bundle: Mapping[str, Any]) -> bytes:
    """Return a bundle in JSON."""
    return json.dumps(bundle).encode()


# The material of both methods: a bundle, the publisher's key, and lines that may be in the manifest.
BY_KEY = (key_bundle(statement=SIGNED), pem_of(SIGNING_KEY), ("", f"key {spki_hex(_CHAIN[0])}"))
BY_CERTIFICATE = (
    certificate_bundle(_CHAIN, SIGNED),
    None,
    ("", f"certificate {_ANCHOR} email:me@example.org", f"authority {_ANCHOR}", f"key {_ANCHOR}"),
)


def good_cases() -> list[Judged]:
    """Return unchanged releases: accepted, or refused because the manifest names somebody else."""
    return [
        release_case(text_of(bundle), key, line) for bundle, key, lines in (BY_KEY, BY_CERTIFICATE) for line in lines
    ]


def changed_cases(rngs: Iterator[random.Random]) -> Iterator[Judged]:
    """Yield a changed release for each generator."""
    for rng in rngs:
        yield rng.choice((_changed_bundle, _changed_bundle, _changed_payload, _changed_certificate, _changed_key))(rng)


def _changed_bundle(rng: random.Random) -> Judged:
    bundle, key, lines = rng.choice((BY_KEY, BY_CERTIFICATE))
    change: Callable[[random.Random, dict[str, Any]], bytes] = rng.choice((change_text, change_value))
    return release_case(change(rng, bundle), key, rng.choice(lines))


def _changed_key(rng: random.Random) -> Judged:
    bundle, key, lines = BY_KEY
    assert key is not None
    changes = (changed(key, rng), key.replace(b"\n", b"\r\n"), b"text\n" + key, key + b"text", key + key, None)
    return release_case(text_of(bundle), rng.choice((changes[0], *changes)), rng.choice(lines))


_NAMES = (
    "model.safetensors",
    "config.json",
    "Config.json",
    "../x",
    "a//b",
    ".",
    "x/.",
    "\u202ex",
    "e\u0301",
    "a-b",
    "a/b",
)
_NAMES += (
    "model.safetensors:0:7",
    "model.safetensors:0:4",
    "model.safetensors:4:7",
    "model.safetensors:4:8",
    "a:b:0:1",
)
_NAMES += ("config.json:0:2", "config.json:00:2", "provenance/x", "Provenance/x", "c:x", ".git/x", "x.py", "provenance")
_SERIALIZATIONS: tuple[dict[str, Any], ...] = (
    *({}, {"method": "shards", "shard_size": 4}, {"method": "shards", "shard_size": 7}, {"method": "shards"}),
    *({"shard_size": 4}, {"hash_type": "blake2b"}, {"hash_type": "md5"}, {"allow_symlinks": True}, {"more": 1}),
    *({"ignore_paths": [path]} for path in ("a", "a/b", "", ".", "a/.", "/a", "a/\n", "a\n", "*", "a\\b", 1)),
)


def _changed_payload(rng: random.Random) -> Judged:
    """Other files, or another serialization, or other bytes; signed again."""
    resources = list(SIGNED["predicate"]["resources"])
    for _ in range(rng.choice((0, 1, 1, 2))):
        added = resource(rng.choice(_NAMES), FILES["model.safetensors"][: rng.randrange(8)])
        resources[rng.randrange(len(resources)) : rng.choice((0, len(resources)))] = [added]
    if rng.randrange(2):
        resources.sort(key=lambda one: str(one["name"]).split("/") if rng.randrange(2) else [str(one["name"])])
    payload = json.dumps(statement_of(resources, **rng.choice(_SERIALIZATIONS))).encode()
    if rng.randrange(3) == 0:
        payload = changed(payload, rng)
    if rng.randrange(8) == 0:
        payload = payload.replace(b'"shard_size": 4', rng.choice((b'"shard_size": 4.0', b'"shard_size": 4e0')))
    signature = SIGNING_KEY.sign(pae_of(payload), _SHA256)
    material = {"publicKey": {"hint": ""}, "tlogEntries": []}
    return release_case(text_of(bundle_of(payload, signature, material)), BY_KEY[1], rng.choice(BY_KEY[2]))


def _changed_certificate(rng: random.Random) -> Judged:
    """One certificate of the chain changed inside, and signed again by its issuer."""
    ders = [one.public_bytes(Encoding.DER) for one in _CHAIN]
    place = rng.randrange(len(ders))
    tbs = _CHAIN[place].tbs_certificate_bytes
    tbs = (
        changed(tbs, rng) if rng.randrange(2) else changed_der(tbs, _CHAIN[rng.randrange(3)].tbs_certificate_bytes, rng)
    )
    signer = _CA_KEYS[place]
    assert isinstance(signer, ec.EllipticCurvePrivateKey)
    ders[place] = der.sequence(tbs, _ECDSA_SHA256, der.bit_string(signer.sign(tbs, _SHA256)))
    payload, signature = signed_by(SIGNING_KEY, SIGNED)
    chain = [{"rawBytes": base64.b64encode(one).decode()} for one in ders]
    bundle = bundle_of(payload, signature, {"x509CertificateChain": {"certificates": chain}})
    return release_case(text_of(bundle), None, rng.choice(BY_CERTIFICATE[2]))


_SHA256 = ec.ECDSA(SHA256())

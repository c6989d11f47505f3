"""The JSON documents of the publisher's commands.

Every command imports the schema ids from here, so this module must stay light.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from provenance_oracle.publisher.pack import Packed
    from provenance_oracle.publisher.signing.sign_release import NewlySigned
    from provenance_oracle.verifier.identity.names import PublisherIdentity

ATTEST = "provenance-oracle/attest/v1"
IDENTITY = "provenance-oracle/identity/v1"
PACK = "provenance-oracle/pack/v1"
SIGN = "provenance-oracle/sign/v1"


def request_json(request: Path, report_data: bytes) -> dict[str, object]:
    """Return the body of `provenance-oracle/attest/v1` for a file with the 64 bytes of REPORT_DATA."""
    return {"request": str(request), "report_data": report_data.hex()}


def evidence_json(out: Path, report_data: bytes, *, simulated: bool) -> dict[str, object]:
    """Return the body of `provenance-oracle/attest/v1` for a folder with evidence."""
    return {"out": str(out), "report_data": report_data.hex(), "simulated": simulated}


def pack_json(packed: Packed) -> dict[str, object]:
    """Return the body of `provenance-oracle/pack/v1`: name, digests and publisher of a new release.

    `publisher` is null if the manifest names none, and `signed` tells whether the publisher's signature is there.
    """
    return {
        "name": packed.manifest.name,
        "version": packed.manifest.version,
        "model_digest": packed.files.model_digest.hex(),
        "manifest_digest": packed.manifest_digest.hex(),
        "publisher": _publisher_json(packed.manifest.publisher),
        "signed": packed.signature is not None,
    }


def sign_json(signed: NewlySigned) -> dict[str, object]:
    """Return the body of `provenance-oracle/sign/v1`: the name and digests of a release, and who signed it."""
    found = signed.signature.verified
    return {
        "name": signed.manifest.name,
        "version": signed.manifest.version,
        "model_digest": signed.files.model_digest.hex(),
        "manifest_digest": signed.manifest.digest.hex(),
        "publisher": _publisher_json(found.identity.line),
        "method": str(found.signer.method),
        "log_index": found.signer.log_index,
    }


def _publisher_json(line: str) -> dict[str, str] | None:
    from provenance_oracle.verifier.identity.names import PublisherIdentity

    return {"identity": line, "digest": PublisherIdentity(line).digest.hex()} if line else None


def identity_json(identities: Iterable[PublisherIdentity]) -> dict[str, object]:
    """Return the body of `provenance-oracle/identity/v1`: the lines and digests of identities, the narrowest first."""
    return {"identities": [{"identity": one.line, "digest": one.digest.hex()} for one in identities]}

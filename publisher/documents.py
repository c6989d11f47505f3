"""The JSON documents of the publisher's commands.

Every command imports the schema ids from here, so this module must stay light.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from provenance_oracle.publisher.pack import Packed

ATTEST = "provenance-oracle/attest/v1"
PACK = "provenance-oracle/pack/v1"


def request_json(request: Path, report_data: bytes) -> dict[str, object]:
    """Return the body of `provenance-oracle/attest/v1` for a file with the 64 bytes of REPORT_DATA."""
    return {"request": str(request), "report_data": report_data.hex()}


def evidence_json(out: Path, report_data: bytes, *, simulated: bool) -> dict[str, object]:
    """Return the body of `provenance-oracle/attest/v1` for a folder with evidence."""
    return {"out": str(out), "report_data": report_data.hex(), "simulated": simulated}


def pack_json(packed: Packed) -> dict[str, object]:
    """Return the body of `provenance-oracle/pack/v1`: the name and digests of a new release."""
    return {
        "name": packed.manifest.name,
        "version": packed.manifest.version,
        "model_digest": packed.files.model_digest.hex(),
        "manifest_digest": packed.manifest_digest.hex(),
    }

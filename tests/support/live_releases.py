"""Releases of small models for tests of live weights, made as a publisher makes them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec

from provenance_oracle.publisher.manifest import public_key_of
from provenance_oracle.publisher.pack import pack_release
from provenance_oracle.publisher.simulator import FakeAmd, FakeGuest
from provenance_oracle.verifier.judgement.binding import bound_report_data
from provenance_oracle.verifier.manifest.statement import Manifest
from provenance_oracle.verifier.snp.evidence import Evidence
from provenance_oracle.verifier.snp.products import ProductLine

AT = datetime(2026, 11, 20, tzinfo=UTC)
KEY = ec.derive_private_key(7, ec.SECP384R1())


@cache
def evidence(at: datetime) -> Evidence:
    """Return evidence of a simulated guest at the time `at`, bound to KEY."""
    guest = FakeGuest.on(FakeAmd.load(ProductLine.GENOA), at=at)
    return guest.evidence(bound_report_data(public_key_of(KEY)[1]))


def lay_out(
    folder: Path, files: Mapping[str, bytes], *, table: bool = True, at: datetime = AT, with_sha256: bool = False
) -> Manifest:
    """Make a release of these files in `folder`, by a guest at the time `at`, with a per-tensor table by default."""
    for path, data in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
    options = {"with_tensor_table": table, "with_sha256": with_sha256}
    packed = pack_release(folder, evidence(at), KEY, name="org/model", version="1.0", at=at, **options)
    return packed.manifest

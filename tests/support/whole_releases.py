"""Complete, good releases that tests change, and a policy that has a rule for each of their checks."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec

from provenance_oracle.publisher.manifest import public_key_of, sign_statement
from provenance_oracle.publisher.pack import pack_release
from provenance_oracle.publisher.simulator import FakeAmd, FakeGuest
from provenance_oracle.verifier.judgement.binding import bound_report_data
from provenance_oracle.verifier.judgement.release import REPORT_PATH
from provenance_oracle.verifier.manifest.dsse import MANIFEST_PATH, parse_envelope
from provenance_oracle.verifier.policy import MitigationRow, Policy, load_policy
from provenance_oracle.verifier.snp.evidence import Evidence
from provenance_oracle.verifier.snp.products import SIMULATOR_ROOTS, ProductLine, TrustedRoot

AT = datetime(2026, 11, 21, 12, tzinfo=UTC)
KEY = ec.derive_private_key(11, ec.SECP384R1())
REPORT_DATA = bound_report_data(public_key_of(KEY)[1])
FILES = {"config.json": b"{}\n", "model.safetensors": bytes(range(256)) * 40, "tokenizer/vocab.txt": b"a\nb\n"}


@cache
def guest() -> FakeGuest:
    """Return the simulated guest of all releases."""
    return FakeGuest.on(FakeAmd.load(ProductLine.GENOA), at=AT)


@cache
def good_evidence() -> Evidence:
    """Return the guest's evidence, bound to KEY."""
    return guest().evidence(REPORT_DATA)


@cache
def pinning_policy() -> Policy:
    """Return the policy `demo` with rules for everything that it leaves unchecked. The guest above satisfies it."""
    demo, report = load_policy("demo"), guest().fields(REPORT_DATA)
    pins = replace(
        demo.pins,
        measurement=(report.measurement,),
        host_data=(report.host_data,),
        report_data=(report.report_data,),
        id_key_digest=(report.id_key_digest,),
        chip_ids=(report.chip_id,),
    )
    mitigations = (MitigationRow(ProductLine.GENOA, launch=(0,), current=(0,), basis="test", date="2026-11"),)
    return replace(demo, name="pinning", pins=pins, mitigations=mitigations)


@dataclass(frozen=True)
class Deviation:
    """A fault of a release: other evidence files, damage to its folder, or other roots or time of the judgement."""

    evidence: Callable[[], dict[str, Any]] = dict
    damage: Callable[[Path], object] = lambda _folder: None
    roots: tuple[TrustedRoot, ...] = field(default=SIMULATOR_ROOTS)
    at: datetime = AT


def lay_out(folder: Path, deviation: Deviation = Deviation()) -> Path:
    """Make a release in `folder` as a publisher does, then apply the deviation."""
    for path, data in FILES.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
    evidence = good_evidence()
    pack_release(folder, evidence, KEY, name="org/model", version="1.0", at=AT, with_sha256=True)
    put_evidence(folder, deviation.evidence())
    name_report(folder)
    deviation.damage(folder)
    return folder


def put_evidence(folder: Path, files: dict[str, Any]) -> None:
    """Replace evidence files of a release, by their names: report, vek, chain, crl."""
    for name, data in files.items():
        (folder / "provenance" / "snp" / _FILE_OF[name]).write_bytes(data)


def name_report(folder: Path) -> None:
    """Sign the manifest again so that it names the report that is now in the folder."""
    statement, report = statement_of(folder), (folder / REPORT_PATH).read_bytes()
    named = {"snpReport": {"sha256": hashlib.sha256(report[:0x2A0]).hexdigest()}}
    statement["predicate"]["buildDefinition"]["internalParameters"] = named
    sign_again(folder, statement)


_FILE_OF = {"report": "report.bin", "vek": "vek.der", "chain": "chain.pem", "crl": "ark.crl"}


def statement_of(folder: Path) -> Any:
    """Return the statement of a release's manifest as JSON."""
    return json.loads(parse_envelope((folder / MANIFEST_PATH).read_bytes()).payload)


def sign_again(folder: Path, statement: object) -> None:
    """Replace the manifest of a release by another statement, signed by the right key."""
    (folder / MANIFEST_PATH).write_bytes(sign_statement(json.dumps(statement).encode(), KEY))

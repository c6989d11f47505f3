"""Releases for tests of the pipeline: read from a real disk, judged by a substitute that accepts everything."""

from __future__ import annotations

import base64
import hashlib
import json
from datetime import datetime
from pathlib import Path
from typing import Any

from provenance_oracle.verifier.checks import Check, passed
from provenance_oracle.verifier.judgement.judge import Judgement
from provenance_oracle.verifier.judgement.release import Release
from provenance_oracle.verifier.judgement.verdict import Verdict
from provenance_oracle.verifier.manifest.dsse import parse_envelope
from provenance_oracle.verifier.policy import Policy
from provenance_oracle.verifier.record.fields import Record
from tests.support.chain_fixtures import make_record

FINDINGS = (passed(Check.KEY_BINDING, "bound", "bound"), passed(Check.FILE_SET, "1 file", "1 file"))


def drop(folder: Path, payload: object, *, report: bytes = b"report") -> Path:
    """Write a release whose manifest has any JSON as payload. The manifest is written last, by rename."""
    snp = folder / "provenance" / "snp"
    snp.mkdir(parents=True)
    (folder / "model.bin").write_bytes(b"weights")
    (snp / "report.bin").write_bytes(report)
    for name in ("vek.pem", "chain.pem"):
        (snp / name).write_bytes(b"certificate")
    (folder / "provenance" / "cvm-key.pem").write_bytes(b"key")
    write_manifest(folder, payload)
    return folder


def write_manifest(folder: Path, payload: object) -> None:
    """Write or replace the manifest of a release, by rename. Its signature is not a real one."""
    envelope = {
        "payloadType": "application/vnd.in-toto+json",
        "payload": base64.b64encode(json.dumps(payload).encode()).decode(),
        "signatures": [{"sig": base64.b64encode(b"signature").decode()}],
    }
    new = folder / "provenance" / "manifest.tmp"
    new.write_text(json.dumps(envelope))
    new.rename(folder / "provenance" / "manifest.dsse.json")


def record_of_release(release: Release, at: datetime) -> Record:
    """Return the record that `believe` makes of a release."""
    payload = parse_envelope(release.envelope).payload
    digest = hashlib.sha256(payload).digest()
    report = hashlib.sha256(release.evidence.report).digest()
    return make_record(
        manifest_digest=digest,
        model_digest=hashlib.sha256(digest).digest(),
        snp_report_digest=report,
        verdict_digest=hashlib.sha256(statement_of(digest, at)).digest(),
        judged_at=at.replace(microsecond=0),
    )


def statement_of(digest: bytes, at: datetime) -> bytes:
    """Return the statement of the verdict that `believe` gives to the manifest with this digest."""
    return b"PASSED %b %b" % (digest.hex().encode(), at.isoformat().encode())


def believe(release: Release, policy: Policy, *, at: datetime) -> Judgement:
    """Accept any release. Other tests cover the real judgement."""
    record = record_of_release(release, at)
    verdict = Verdict(statement_of(record.manifest_digest, at))
    nothing: Any = None
    return Judgement(nothing, nothing, FINDINGS, verdict, record)

"""Releases for tests of the pipeline: read from a real disk, judged by a substitute that accepts everything."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from provenance_oracle.verifier.checks import Check, not_checked, passed, passed_bits
from provenance_oracle.verifier.judgement.judge import Judgement
from provenance_oracle.verifier.judgement.release import Release
from provenance_oracle.verifier.judgement.verdict import EXTENSION, Verdict
from provenance_oracle.verifier.manifest.dsse import parse_envelope
from provenance_oracle.verifier.manifest.statement import (
    BUILD_TYPE,
    BUILDER_ID,
    MODEL_DIGEST,
    PREDICATE_TYPE,
    SHA256,
    STATEMENT_TYPE,
    parse_statement,
)
from provenance_oracle.verifier.policy import Policy
from provenance_oracle.verifier.record.fields import (
    Record,
    named_parents,
    product_line_from_code,
    workload_identity,
)
from provenance_oracle.verifier.strict.timestamps import format_time
from tests.support.chain_fixtures import make_record

MEASUREMENT = bytes(48)
FINDINGS = (
    passed(Check.KEY_BINDING, "bound", "bound"),
    passed(Check.FILE_SET, "1 file", "1 file"),
    not_checked(Check.MEASUREMENT, f"measurement {MEASUREMENT.hex()}; the policy says any"),
)


def drop(folder: Path, payload: object, *, report: bytes = b"report") -> Path:
    """Write a release whose manifest holds any JSON, `payload`. The manifest is written last, by rename."""
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
        "payload": base64.b64encode(manifest_payload(payload)).decode(),
        "signatures": [{"sig": base64.b64encode(b"signature").decode()}],
    }
    new = folder / "provenance" / "manifest.tmp"
    new.write_text(json.dumps(envelope))
    new.rename(folder / "provenance" / "manifest.dsse.json")


def manifest_payload(content: object) -> bytes:
    """Return the payload of a manifest that holds any JSON, `content`, and parents if that is `{"parents": [HEX]}`."""
    parents = content.get("parents", []) if isinstance(content, dict) else []
    definition = {
        "buildType": BUILD_TYPE,
        "externalParameters": {"name": "example/model", "version": "1.0", "content": content},
        "resolvedDependencies": [
            {"name": "base", "digest": {MODEL_DIGEST: parent}, "annotations": {"role": "base-model"}}
            for parent in parents
        ],
    }
    subject = {"name": "model.bin", "digest": {SHA256: "00" * 32}, "annotations": {"size": 7}}
    predicate = {"buildDefinition": definition, "runDetails": {"builder": {"id": BUILDER_ID}}}
    statement = {
        "_type": STATEMENT_TYPE,
        "subject": [subject],
        "predicateType": PREDICATE_TYPE,
        "predicate": predicate,
    }
    return json.dumps(statement).encode()


def believe(release: Release, policy: Policy, *, at: datetime, **facts: Any) -> Judgement:
    """Accept any release; `facts` replace fields of its record. Other tests cover the real judgement."""
    manifest = parse_statement(parse_envelope(release.envelope).payload)
    judged_at = at.replace(microsecond=0)
    derived = {
        "manifest_digest": manifest.digest,
        "model_digest": hashlib.sha256(manifest.digest).digest(),
        "snp_report_digest": hashlib.sha256(release.evidence.report).digest(),
        "policy_digest": policy.digest,
        "grade": 1 if policy.graded else 0,
        "publisher_identity": workload_identity(MEASUREMENT),
        "checks": passed_bits(FINDINGS),
        "judged_at": judged_at,
        "named_parents": named_parents(manifest),
    }
    made = make_record(**derived | facts)
    statement = statement_of(made)
    nothing: Any = None
    record = replace(made, verdict_digest=hashlib.sha256(statement).digest())
    return Judgement(release, nothing, nothing, FINDINGS, Verdict(statement), record)


def statement_of(record: Record) -> bytes:
    """Return the PASSED verdict of a record, in the form of `verifier.judgement.verdict`."""
    details = {
        "grade": record.grade,
        "productLine": product_line_from_code(record.product_line),
        "reportedTcb": record.reported_tcb.hex(),
        "reportDigest": record.snp_report_digest.hex(),
        "manifestDigest": record.manifest_digest.hex(),
        "findings": [vars(finding) for finding in FINDINGS],
    }
    subject = {
        "name": record.name,
        "digest": {MODEL_DIGEST: record.model_digest.hex()},
        "annotations": {"version": record.version},
    }
    predicate = {
        "timeVerified": format_time(record.judged_at),
        "policy": {"digest": {"sha256": record.policy_digest.hex()}},
        "verificationResult": "PASSED",
        EXTENSION: details,
    }
    return json.dumps({"subject": [subject], "predicate": predicate}).encode()

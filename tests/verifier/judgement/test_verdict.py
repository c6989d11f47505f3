"""The verdict as a document: an SLSA verification summary with the content of the judgement and nothing else."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import rfc8785

from provenance_oracle.verifier.checks import OPTIONAL_CHECKS, Check, Outcome
from provenance_oracle.verifier.errors import AppraisalError, FormatError, ProvenanceError
from provenance_oracle.verifier.judgement.judge import Judgement, judge
from provenance_oracle.verifier.judgement.release import RELEASE_PATHS, Release, read_release
from provenance_oracle.verifier.judgement.verdict import EXTENSION, make_failed_verdict
from provenance_oracle.verifier.policy import load_policy
from tests.support.whole_releases import AT, REPORT_DATA, Deviation, guest, lay_out

POLICY = load_policy("demo")


@pytest.fixture
def release(tmp_path: Path) -> Release:
    return read_release(lay_out(tmp_path / "release"))


@pytest.fixture
def judgement(release: Release) -> Judgement:
    return judge(release, POLICY, at=AT)


def statement(data: bytes) -> Any:
    assert rfc8785.dumps(json.loads(data)) == data
    return json.loads(data)


def test_a_passed_verdict_names_model_policy_moment_and_evidence(release: Release, judgement: Judgement) -> None:
    verdict = statement(judgement.verdict.statement)
    assert verdict["_type"] == "https://in-toto.io/Statement/v1"
    assert verdict["predicateType"] == "https://slsa.dev/verification_summary/v1"
    assert verdict["subject"] == [
        {
            "name": "org/model",
            "digest": {"provenance_model_v1": judgement.files.model_digest.hex()},
            "annotations": {"version": "1.0"},
        }
    ]
    predicate = verdict["predicate"]
    assert predicate["verificationResult"] == "PASSED"
    assert predicate["timeVerified"] == "2026-11-21T12:00:00Z"
    assert predicate["resourceUri"] == "org/model@1.0"
    assert predicate["policy"]["digest"] == {"sha256": POLICY.digest.hex()}
    inputs = {item["uri"]: item["digest"]["sha256"] for item in predicate["inputAttestations"]}
    assert inputs == {
        path: hashlib.sha256((release.path / path).read_bytes()).hexdigest()
        for path in RELEASE_PATHS
        if (release.path / path).exists()
    }
    details = predicate[EXTENSION]
    assert details["manifestDigest"] == judgement.record.manifest_digest.hex()
    assert details["reportDigest"] == judgement.record.snp_report_digest.hex()
    assert (details["grade"], details["productLine"]) == (0, "simulated")


def test_levels_are_the_grade_and_exactly_what_passed(judgement: Judgement) -> None:
    levels = statement(judgement.verdict.statement)["predicate"]["verifiedLevels"]
    expected = {f.check.replace("-", "_").upper() for f in judgement.findings if f.outcome is Outcome.PASSED}
    assert levels[0] == "PROVENANCE_ORACLE_GRADE_0"
    assert {level.removeprefix("PROVENANCE_ORACLE_") for level in levels[1:]} == expected
    assert not [level for level in levels if level.startswith("SLSA_")]  # reserved by the specification


def test_the_digest_is_what_the_record_carries(judgement: Judgement) -> None:
    assert hashlib.sha256(judgement.verdict.statement).digest() == judgement.verdict.digest
    assert judgement.record.verdict_digest == judgement.verdict.digest


def test_a_failed_verdict_tells_every_finding(tmp_path: Path) -> None:
    bad = Deviation(lambda: {"report": replace(guest(), vmpl=1).report(REPORT_DATA)})
    release = read_release(lay_out(tmp_path / "bad", bad))
    with pytest.raises(AppraisalError) as refused:
        judge(release, POLICY, at=AT)
    verdict = statement(make_failed_verdict(release.envelope, release, POLICY, AT, refused.value).statement)
    predicate = verdict["predicate"]
    assert (predicate["verificationResult"], predicate["verifiedLevels"]) == ("FAILED", ["FAILED"])
    assert verdict["subject"][0]["digest"] == {"sha256": hashlib.sha256(release.envelope).hexdigest()}
    details = predicate[EXTENSION]
    assert (details["exitCode"], details["check"]) == (5, "vmpl")
    assert [f["check"] for f in details["findings"] if f["outcome"] == "failed"] == ["vmpl"]
    assert len(details["findings"]) == len(Check) - len(OPTIONAL_CHECKS)


def test_a_release_too_malformed_to_be_read_has_a_verdict_without_inputs() -> None:
    error = FormatError("too large", check=Check.MANIFEST_FORMAT, where="provenance/manifest.dsse.json")
    predicate = statement(make_failed_verdict(b"start", None, POLICY, AT, error).statement)["predicate"]
    assert "inputAttestations" not in predicate  # all of them, or none
    assert predicate[EXTENSION]["findings"] == []


@pytest.mark.parametrize("text", ["\x1b[2J", "\udcff", "\u202e", "x" * 100_000])
def test_hostile_words_neither_act_nor_break_it(text: str) -> None:
    error = ProvenanceError(text, where=text, got=text, wanted=text)
    data = make_failed_verdict(b"", None, POLICY, AT, error).statement
    assert len(data) < 10_000
    assert statement(data)["predicate"][EXTENSION]["message"].isprintable()

"""What a verdict cites stands in one place of it, and no text that a publisher chose can pass for that place.

The contract compares bytes and parses no JSON. It may, because JSON escapes every quotation mark within a text.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

from provenance_oracle.verifier.errors import VerificationError
from provenance_oracle.verifier.identity.names import PublisherIdentity
from provenance_oracle.verifier.judgement.judge import Judgement, judge
from provenance_oracle.verifier.judgement.release import REPORT_PATH, VEK_DER_PATH, VEK_PEM_PATH, Release, read_release
from provenance_oracle.verifier.judgement.verdict import make_verdict
from provenance_oracle.verifier.policy import load_policy
from provenance_oracle.verifier.proofs.cited import cite
from tests.support.signed_releases import PUBLISHERS, lay_out_signed
from tests.support.whole_releases import AT

NOWHERE = 2**256 - 1


def _judged(folder: Path, name: str, *, named: bool = True) -> tuple[Release, Judgement]:
    publisher = PUBLISHERS[name]
    release = read_release(lay_out_signed(folder, publisher, named=named))
    return release, judge(release, load_policy("demo"), at=AT, sigstore_root=publisher.root)


def _citation(data: bytes, name: str) -> bytes:
    return f'{{"digest":{{"sha256":"{hashlib.sha256(data).hexdigest()}"}},"uri":"{name}"}}'.encode()


def _no_publisher(report_digest: bytes) -> bytes:
    """Return the bytes by which the contract knows that a release has no publisher but its workload."""
    return f'"productLine":"simulated","reportDigest":"{report_digest.hex()}","reportedTcb":"'.encode()


@pytest.mark.parametrize("name", PUBLISHERS)
def test_the_verdict_of_a_release_with_a_publisher_does_not_show_that_it_has_none(tmp_path: Path, name: str) -> None:
    _, judgement = _judged(tmp_path, name)
    assert judgement.record.publisher_identity == PUBLISHERS[name].identity.digest
    assert _no_publisher(judgement.record.snp_report_digest) not in judgement.verdict.statement


def test_no_text_of_a_publisher_passes_for_a_citation(tmp_path: Path) -> None:
    release, judgement = _judged(tmp_path, next(iter(PUBLISHERS)))
    forged = _citation(b"another report", REPORT_PATH), _no_publisher(judgement.record.snp_report_digest)
    line = f"certificate {'ab' * 32} dn:x{b''.join(forged).decode()}"
    result, signature = judgement.result, judgement.result.signature
    assert signature is not None
    hostile = replace(result, signature=replace(signature, identity=PublisherIdentity(line)))
    statement = make_verdict(release, hostile, judgement.files, judgement.findings).statement
    assert line.replace('"', '\\"').encode() in statement
    assert [statement.count(one) for one in forged] == [0, 0]
    found = cite(statement, release.evidence.report, None, hashlib.sha256(statement).digest())
    assert statement[found.report_at :].startswith(_citation(release.evidence.report, REPORT_PATH))
    with pytest.raises(VerificationError, match="does not cite this file"):
        cite(statement, b"another report", None, hashlib.sha256(statement).digest())


def test_a_certificate_is_cited_as_der_or_left_out(tmp_path: Path) -> None:
    release, judgement = _judged(tmp_path, next(iter(PUBLISHERS)))
    assert release.evidence.vek_name == VEK_DER_PATH
    verdict, report, vek = judgement.verdict.statement, release.evidence.report, release.evidence.vek
    without = cite(verdict, report, None, judgement.verdict.digest)
    assert (without.vek, without.vek_at) == (b"", NOWHERE)
    found = cite(verdict, report, vek, judgement.verdict.digest)
    assert verdict[found.vek_at :].startswith(_citation(vek, VEK_DER_PATH))
    # an oracle that judged `vek.pem` cites no certificate that the contract can read
    in_pem = verdict.replace(VEK_DER_PATH.encode(), VEK_PEM_PATH.encode())
    with pytest.raises(VerificationError, match="does not cite this file"):
        cite(in_pem, report, vek, hashlib.sha256(in_pem).digest())

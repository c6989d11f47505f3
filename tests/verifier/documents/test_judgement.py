"""Tests of judgements as JSON: a release, and a report alone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from provenance_oracle.verifier.documents.evidence import report_json
from provenance_oracle.verifier.documents.judgement import check_json, judgement_json
from provenance_oracle.verifier.documents.record import entry_json
from provenance_oracle.verifier.judgement.confirm import Confirmation
from provenance_oracle.verifier.judgement.judge import Judgement, judge
from provenance_oracle.verifier.judgement.release import read_release
from provenance_oracle.verifier.policy import load_policy
from provenance_oracle.verifier.strict.timestamps import format_time
from tests.support.chain_fixtures import make_entry
from tests.support.whole_releases import AT, lay_out

POLICY = load_policy("demo")
_JUDGEMENT = """
    name version model_digest manifest_digest verdict_digest grade at policy claims has_code signed_by
    not_checked not_covered
"""
JUDGEMENT = _JUDGEMENT.split()
_CLAIMS = """
    product_line format_line root report_version report_digest vek cpuid chip_id csp_id policy platform_info
    vmpl guest_svn current_tcb reported_tcb committed_tcb launch_tcb measurement report_data host_data
    id_key_digest author_key_digest revocation
"""
CLAIMS = _CLAIMS.split()


@pytest.fixture(scope="module")
def judgement(tmp_path_factory: pytest.TempPathFactory) -> Judgement:
    folder: Path = lay_out(tmp_path_factory.mktemp("release") / "release")
    return judge(read_release(folder), POLICY, at=AT)


def test_a_judgement_has_these_members(judgement: Judgement) -> None:
    found = json.loads(json.dumps(judgement_json(judgement)))
    assert list(found) == JUDGEMENT
    assert list(found["claims"]) == CLAIMS
    assert found["policy"] == {
        "name": "demo",
        "version": POLICY.version,
        "date": POLICY.date.isoformat(),
        "digest": POLICY.digest.hex(),
    }
    assert (found["grade"], found["at"], found["claims"]["root"]) == (0, format_time(AT), "simulator")
    assert found["claims"]["product_line"] == "simulated"


def test_a_check_adds_the_record_and_the_findings(judgement: Judgement) -> None:
    alone = check_json(Confirmation(judgement, None, judgement.findings))
    assert list(alone) == [*JUDGEMENT, "publisher", "namespace", "record", "verdict_reproduced", "proven", "findings"]
    assert (alone["record"], alone["verdict_reproduced"]) == (None, False)
    entry = make_entry(judgement.record)
    both = check_json(Confirmation(judgement, entry, judgement.findings))
    assert (both["record"], both["verdict_reproduced"]) == (entry_json(entry), True)
    assert alone["publisher"] == judgement.record.publisher_identity.hex()
    assert alone["namespace"] == {"name": "org", "looked_up": False, "owner": None}
    owned = check_json(Confirmation(judgement, entry, judgement.findings, b"\x0a" * 20))
    assert owned["namespace"] == {"name": "org", "looked_up": True, "owner": "0x" + "0a" * 20}


def test_a_report_alone_has_these_members(judgement: Judgement) -> None:
    claims = judgement.result.claims
    found = report_json(claims, POLICY, at=AT, grade=0, findings=judgement.findings[:2])
    assert list(json.loads(json.dumps(found))) == ["grade", "at", "policy", "claims", "findings"]
    assert found["findings"] == [
        {"check": one.check, "outcome": one.outcome, "got": one.got, "wanted": one.wanted}
        for one in judgement.findings[:2]
    ]

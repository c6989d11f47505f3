"""Tests of the operator's JSON documents. Their members are contracts."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from provenance_oracle.oracle.chain.claim_namespace import Claim
from provenance_oracle.oracle.chain.deploy_terms import OracleTerms, Terms
from provenance_oracle.oracle.documents import claim_json, deploy_json, releases_json
from provenance_oracle.oracle.journal.journal import Journal
from provenance_oracle.oracle.journal.rows import ReleaseKey
from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.errors import FormatError
from provenance_oracle.verifier.registry.deployment import Deployment

NOW = datetime(2026, 11, 21, tzinfo=UTC)
KEY = "0x" + "aa" * 20


def written(document: dict[str, object]) -> Any:
    """Return a document as a reader of its JSON gets it."""
    return json.loads(json.dumps(document))


def test_a_release_that_was_refused_has_its_exit_code_check_and_verdict(tmp_path: Path) -> None:
    with Journal(tmp_path / "journal") as book:
        row = book.open(ReleaseKey("folder", "bad", bytes(32)), "as it looked", at=NOW)
        seen = written(releases_json([row]))["releases"]
        error = FormatError("size", check=Check.REPORT_FORMAT, where="report.bin", got="1", wanted="1184")
        refused = book.reject(row.id, error, b"{}", retry_at=NOW, at=NOW)
    members = {"release": "bad", "exit_code": None, "check": None, "problem": "", "verdict_digest": None}
    assert seen == [members | {"state": "seen"}]
    assert refused.verdict_digest is not None
    assert written(releases_json([refused]))["releases"] == [
        {
            "release": "bad",
            "state": "rejected",
            "exit_code": 3,
            "check": "report-format",
            "problem": str(error),
            "verdict_digest": refused.verdict_digest.hex(),
        }
    ]


def test_a_new_registry_is_written_with_all_rights_over_it() -> None:
    deployment = Deployment(
        registry=b"\x01" * 20,
        namespaces=b"\x02" * 20,
        lineage=b"\x03" * 20,
        code_hash=b"\x04" * 32,
        chain_id=31337,
        block=7,
        transaction=b"\x05" * 32,
    )
    app = b"\x06" * 21
    oracles = (OracleTerms(KEY, 2, bytes(21)), OracleTerms("0x" + "00" * 20, 1, app))
    terms = Terms("owner", "guardian", oracles, 2, 48, 24)
    digests = {"strict": b"\x07" * 32, "baseline": b"\x08" * 32}
    found = written(deploy_json(deployment, terms, policies={"strict": 1}, policy_digests=digests))
    assert found == {
        "registry": "0x" + "01" * 20,
        "namespaces": "0x" + "02" * 20,
        "lineage": "0x" + "03" * 20,
        "proofs": None,
        "chain_id": 31337,
        "block": 7,
        "transaction": "0x" + "05" * 32,
        "code_hash": "0x" + "04" * 32,
        "owner": "owner",
        "guardian": "guardian",
        "oracles": [
            {"key": KEY, "rofl_app": None, "weight": 2},
            {"key": None, "rofl_app": "0x" + "06" * 21, "weight": 1},
        ],
        "threshold": 2,
        "delay_hours": 48,
        "grace_hours": 24,
        "policies": {"strict": 1},
        "policy_digests": {"strict": "0x" + "07" * 32},
    }


def test_a_claimed_namespace_is_written_with_the_publishers_that_it_trusts() -> None:
    claim = Claim("acme", KEY, 7, b"\x05" * 32)
    assert written(claim_json(claim, identities=[b"\x09" * 32], identity_limit=2)) == {
        "namespace": "acme",
        "owner": KEY,
        "identities": ["09" * 32],
        "identity_limit": 2,
        "block": 7,
        "transaction": "0x" + "05" * 32,
    }

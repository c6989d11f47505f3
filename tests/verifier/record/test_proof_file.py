"""Tests of the proof of a record in a batch, as `provenance proof` prints it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from provenance_oracle.oracle import documents
from provenance_oracle.verifier.errors import FormatError, VerificationError
from provenance_oracle.verifier.record.codec import encode_record, record_id
from provenance_oracle.verifier.record.leaves import leaves_of
from provenance_oracle.verifier.record.proof_file import PROOF_SCHEMA, parse_proof, proof_json
from tests.support.chain_fixtures import make_record

RECORDS = [make_record(manifest_digest=bytes([number]) * 32, version=f"{number}.0") for number in range(1, 4)]
LEAVES = leaves_of([encode_record(record, policy_id=7, parents=()) for record in RECORDS])
BODY: dict[str, Any] = proof_json(LEAVES, LEAVES.leaves[1])


def parsed(**changes: Any) -> Any:
    return parse_proof(json.dumps(BODY | changes).encode(), "proof.json")


def test_a_proof_comes_back_with_and_without_the_members_of_json_output() -> None:
    assert PROOF_SCHEMA == documents.PROOF
    for found in (parsed(), parsed(schema=PROOF_SCHEMA, accepted=True)):
        assert (found.root, found.leaf) == (LEAVES.root, LEAVES.leaves[1])
        assert {"02" * 32, record_id(RECORDS[1]).hex(), "example/model", "example/model@2.0"} == found.names


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"schema": "provenance-oracle/batch/v1"}, "unknown value"),
        ({"root": "AB" * 32}, "not a digest"),
        ({"leaf": 128}, "out of range"),
        ({"count": 0}, "out of range"),
        ({"record": "zz"}, "the text is not hex"),
        ({"record": ""}, "the text is not hex"),
        ({"record": "ab cd"}, "the text is not hex"),
        ({"more": 1}, "unknown key"),
        ({"accepted": "x" * 9}, "too large"),
        ({"proof": BODY["proof"] | {"summary": 1}}, "not a word"),
        ({"proof": BODY["proof"] | {"contentDigest": "AB" * 32}}, "not a word"),
        ({"proof": BODY["proof"] | {"siblings": BODY["proof"]["siblings"][:6]}}, "not the way to a root"),
        ({"proof": BODY["proof"] | {"siblings": [None] * 7}}, "not a word"),
        ({"proof": BODY["proof"] | {"more": 1}}, "unknown key"),
    ],
)
def test_a_malformed_proof_is_refused(changes: dict[str, Any], problem: str) -> None:
    with pytest.raises(FormatError, match=problem):
        parsed(**changes)


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"root": "00" * 32}, "the record is not in this batch"),
        ({"record": LEAVES.leaves[0].data.hex()}, "the record is not in this batch"),
        ({"proof": proof_json(LEAVES, LEAVES.leaves[2])["proof"]}, "the record is not in this batch"),
        ({"leaf": 2}, "the document contradicts the record in it"),
        ({"model_digest": "00" * 32}, "the document contradicts the record in it"),
        ({"manifest_digest": "00" * 32}, "the document contradicts the record in it"),
    ],
)
def test_a_forged_proof_is_refused(changes: dict[str, Any], problem: str) -> None:
    with pytest.raises(VerificationError, match=problem):
        parsed(**changes)

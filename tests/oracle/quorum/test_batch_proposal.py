"""Tests of batch proposals: each thing that a lying proposer can do to one is refused, and only for that reason."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from provenance_oracle.oracle.quorum.batch_proposal import (
    BATCH_PROPOSAL_MAX_BYTES,
    BatchProposal,
    SignedBatch,
    encode_batch_proposal,
    parse_batch_proposal,
    verify_batch_proposal,
)
from provenance_oracle.oracle.quorum.turns import (
    CLOCKS_APART_MAX,
    GATHERING_MAX,
    PROPOSING,
    SIGNING_MAX,
    is_gathering,
    may_sign,
    proposer_at,
    submission_rank,
)
from provenance_oracle.oracle.signers.base import Signer
from provenance_oracle.oracle.signers.environment import EnvironmentSigner
from provenance_oracle.verifier.errors import FormatError, ProvenanceError, VerificationError
from provenance_oracle.verifier.record.batch import LEAVES_MAX, seal_batch
from provenance_oracle.verifier.record.codec import encode_record, record_id
from provenance_oracle.verifier.record.fields import Record
from provenance_oracle.verifier.registry.oracle_sets import Seat
from tests.support.chain_fixtures import make_record
from tests.support.fakes import START

CHAIN, REGISTRY, EPOCH = 31337, b"\xbb" * 20, 1
SIGNERS = [EnvironmentSigner("K", {"K": f"{number:02x}" * 32}) for number in range(1, 5)]
SEATS = {signer.address: Seat(EPOCH, index, 1, 2) for index, signer in enumerate(SIGNERS[:3])}
URI = "https://oracle.example/batches/1.json"


def turn_of(number: int) -> datetime:
    """Return a moment in the turn of an oracle."""
    return next(at for at in (START + count * PROPOSING for count in range(3)) if whose(at) == SIGNERS[number].address)


def whose(at: datetime) -> str:
    return proposer_at(at, SEATS)


def encoded(numbers: Sequence[int], **changes: Any) -> tuple[bytes, ...]:
    """Return the bytes of records in the order of their ids."""
    records = [make_record(manifest_digest=bytes([number]) * 32, **changes) for number in numbers]
    return tuple(_encode(one) for one in sorted(records, key=record_id))


def _encode(record: Record) -> bytes:
    return encode_record(record, policy_id=1, parents=())


def proposal(
    records: Sequence[bytes] = (), signers: Sequence[Signer] = SIGNERS[:2], *, sealed: bool = True, **changes: Any
) -> BatchProposal:
    """Return a proposal by oracle 0 in its turn. Signed last, so that only what was changed is wrong."""
    found = tuple(records) or encoded(range(3))
    root = seal_batch(found).root if sealed else bytes(32)
    sealed_at = int(turn_of(0).timestamp())
    made = replace(BatchProposal(CHAIN, REGISTRY, EPOCH, sealed_at, URI, root, found, ()), **changes)
    return replace(made, signatures=tuple(signer.sign_digest(made.digest) for signer in signers))


def verified(made: BatchProposal) -> SignedBatch:
    read = parse_batch_proposal(encode_batch_proposal(made), "test")
    assert read == made
    return verify_batch_proposal(read, (CHAIN, REGISTRY), seats=SEATS, where="test")


def test_a_proposal_proves_who_signed_its_root() -> None:
    found = verified(proposal())
    assert found.proposer == SIGNERS[0].address
    assert list(found.signatures) == [SIGNERS[0].address, SIGNERS[1].address]
    assert [one.manifest_digest for one in found.leaves.values()] == [
        record[32:64] for record in found.proposal.records
    ]


def test_the_largest_batch_fits() -> None:
    long = {"name": f"{'n' * 250}/{'m' * 127}", "version": "v" * 127}
    made = proposal(encoded(range(LEAVES_MAX), **long), SIGNERS[:3])
    assert len(verified(made).leaves) == LEAVES_MAX
    assert len(encode_batch_proposal(made)) + 32 * 132 < BATCH_PROPOSAL_MAX_BYTES


def test_129_leaves_are_not_even_read() -> None:
    data = encode_batch_proposal(proposal(encoded(range(LEAVES_MAX + 1)), sealed=False))
    with pytest.raises(FormatError, match="not such a list") as caught:
        parse_batch_proposal(data, "test")
    assert caught.value.got == "129 items"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"chain_id": 1}, "for another registry"),
        ({"registry": b"\xaa" * 20}, "for another registry"),
        ({"epoch": 2}, "for another registry or oracle set"),
        ({"root": b"r" * 32}, "do not lead to the root"),
        ({"sealed_at": int(turn_of(1).timestamp())}, "out of turn"),
    ],
)
def test_a_proposal_of_something_else_is_refused_though_it_is_signed(change: dict[str, Any], words: str) -> None:
    with pytest.raises(VerificationError, match=words):
        verified(proposal(**change))


@pytest.mark.parametrize(
    ("signers", "words"),
    [
        ((SIGNERS[3],), "nobody's"),
        ((SIGNERS[0], SIGNERS[3]), "nobody's"),
        ((SIGNERS[0], SIGNERS[0]), "counts twice"),
        ((SIGNERS[1], SIGNERS[0]), "out of turn"),
        ((SIGNERS[1],), "out of turn"),
    ],
)
def test_every_signature_counts_once_and_the_proposer_s_is_the_first(signers: Sequence[Signer], words: str) -> None:
    with pytest.raises(VerificationError, match=words):
        verified(proposal(signers=signers))


@pytest.mark.parametrize(
    "change", [{"uri": "https://evil.example/1.json"}, {"sealed_at": int(turn_of(0).timestamp()) + 1}]
)
def test_what_is_changed_after_the_signature_is_nobody_s(change: dict[str, Any]) -> None:
    with pytest.raises(VerificationError, match="nobody's"):
        verified(replace(proposal(), **change))


@pytest.mark.parametrize("order", [(1, 0, 2), (0, 0, 1)])
def test_leaves_in_another_order_or_twice_are_refused(order: Sequence[int]) -> None:
    records = encoded(range(3))
    with pytest.raises(VerificationError, match="another order"):
        verified(proposal([records[number] for number in order], sealed=False))


@pytest.mark.parametrize(
    "bad",
    [
        encode_record(make_record(), policy_id=1, parents=(b"p" * 32,)),
        encode_record(make_record(revision=1), policy_id=1, parents=()),
        encode_record(make_record(passed=False, grade=0), policy_id=1, parents=()),
    ],
)
def test_a_record_that_no_batch_holds_is_refused(bad: bytes) -> None:
    with pytest.raises(FormatError, match="does not hold such a record"):
        verified(proposal([bad], sealed=False))


@pytest.mark.parametrize(
    "change",
    [
        {"schema": "provenance-oracle/batch-proposal/v2"},
        {"records": []},
        {"records": "00"},
        {"records": ["00" * 300 + "0"]},
        {"records": ["AB" * 300]},
        {"records": ["00" * 10]},
        {"records": [1]},
        {"signatures": []},
        {"signatures": ["00" * 63]},
        {"signatures": ["00" * 64] * 33},
        {"uri": "u" * 257},
        {"sealedAt": 2**40},
        {"root": "00"},
        {"more": 1},
    ],
)
def test_a_malformed_proposal_is_refused(change: dict[str, object]) -> None:
    data = json.dumps(json.loads(encode_batch_proposal(proposal())) | change).encode()
    with pytest.raises(FormatError):
        parse_batch_proposal(data, "test")


def test_too_large_a_document_is_refused_unread() -> None:
    with pytest.raises(ProvenanceError, match="too large"):
        parse_batch_proposal(b" " * (BATCH_PROPOSAL_MAX_BYTES + 1), "test")


def test_turns_go_round_the_set_so_that_a_dead_oracle_costs_its_own_turn_only() -> None:
    moments = [datetime(2026, 1, 1, tzinfo=UTC) + count * PROPOSING for count in range(6)]
    found = [whose(at) for at in moments]
    assert found[:3] == found[3:]
    assert set(found) == set(SEATS)
    assert whose(moments[0] + PROPOSING - timedelta(seconds=1)) == found[0]


def test_an_old_proposal_or_one_from_the_future_is_not_signed() -> None:
    second = timedelta(seconds=1)
    moments = {START: True, START - SIGNING_MAX: True, START + CLOCKS_APART_MAX: True}
    moments |= {START - SIGNING_MAX - second: False, START + CLOCKS_APART_MAX + second: False}
    for sealed_at, wanted in moments.items():
        assert may_sign(sealed_at, START) is wanted


def test_a_signature_that_is_given_in_time_is_counted_whatever_the_clocks() -> None:
    """One clock is as far behind, and the other one as far ahead, as both may be."""
    signed_at = START + SIGNING_MAX
    assert may_sign(START, signed_at)
    assert is_gathering(START, signed_at + 2 * CLOCKS_APART_MAX)
    assert not is_gathering(START, START + GATHERING_MAX + timedelta(seconds=1))


def test_the_proposer_submits_first_and_the_others_follow_by_their_numbers() -> None:
    signers = frozenset({0, 2, 3, 5})
    assert [submission_rank(index, 3, signers) for index in (3, 5, 0, 2)] == [0, 1, 2, 3]

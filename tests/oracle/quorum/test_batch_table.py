"""Tests of the table of batches: what is passed on, what a liar can cost, and what is told of refusals."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from provenance_oracle.oracle.quorum.batch_proposal import encode_batch_proposal, parse_batch_proposal
from provenance_oracle.oracle.quorum.batch_table import BatchTable
from provenance_oracle.oracle.quorum.exchange import BATCHES_OFFERED_MAX
from provenance_oracle.oracle.quorum.refusals import Refusals
from provenance_oracle.oracle.quorum.turns import PROPOSING, SIGNING_MAX
from provenance_oracle.verifier.registry.oracle_sets import Seat
from tests.oracle.quorum.test_batch_proposal import (
    CHAIN,
    REGISTRY,
    SEATS,
    SIGNERS,
    encoded,
    proposal,
    turn_of,
    verified,
)
from tests.oracle.quorum.test_collector import Place
from tests.support.fakes import Clock

ALL = {signer.address for signer in SIGNERS[:3]}


def table(*places: Place, clock: Clock | None = None) -> BatchTable:
    return BatchTable(places, chain_id=CHAIN, registry=REGISTRY, clock=clock or Clock())


def test_signatures_from_several_places_come_together() -> None:
    made = proposal()
    first, second = (
        replace(made, signatures=(made.signatures[0], signer.sign_digest(made.digest))) for signer in SIGNERS[1:3]
    )
    one = table(Place("a", [encode_batch_proposal(first)]), Place("b", [encode_batch_proposal(second)]))
    one.exchange(SEATS)
    assert set(one.signatures(made.digest)) == ALL
    assert next(iter(one.signatures(made.digest))) == SIGNERS[0].address, "the proposer's first"
    assert [batch.digest for batch in one.batches()] == [made.digest]
    assert one.signatures(bytes(32)) == {}


def test_own_batches_are_offered_until_a_pass_has_none() -> None:
    place = Place()
    one = table(place)
    one.offer(proposal())
    one.exchange(SEATS)
    (data,) = place.offered.values()
    assert parse_batch_proposal(data, "test") == proposal()
    one.exchange(SEATS)
    assert place.offered == {}


def test_not_more_is_offered_than_others_read() -> None:
    place = Place()
    one = table(place)
    for number in range(BATCHES_OFFERED_MAX + 2):
        one.offer(proposal(signers=SIGNERS[:1], uri=str(number)))
    one.exchange(SEATS)
    assert len(place.offered) == BATCHES_OFFERED_MAX


def test_a_liar_costs_a_bounded_memory_and_one_line_a_turn(caplog: pytest.LogCaptureFixture) -> None:
    clock = Clock()
    lies = [encode_batch_proposal(proposal(signers=SIGNERS[3:4], uri=str(number))) for number in range(3)]
    valid = [encode_batch_proposal(proposal(signers=SIGNERS[:1], uri=str(number))) for number in range(40)]
    one = table(Place("liar", [b"junk", *lies, *valid]), clock=clock)
    for _ in range(2):
        one.exchange(SEATS)
    assert len(one.batches()) == BATCHES_OFFERED_MAX
    assert caplog.text.count("a batch proposal is refused") == 1
    assert "liar: a batch proposal is refused" in caplog.text
    clock.advance(PROPOSING.total_seconds())
    one._seen.clear()
    one.exchange(SEATS)
    assert caplog.text.count("a batch proposal is refused") == 2


def test_another_oracle_set_begins_with_an_empty_table() -> None:
    place = Place(has=[encode_batch_proposal(proposal())])
    one = table(place)
    one.exchange(SEATS)
    assert one.batches()
    one.exchange({address: Seat(2, seat.index, 1, 2) for address, seat in SEATS.items()})
    assert one.batches() == (), "what the earlier set signed counts no more"
    one.exchange({})
    assert one.batches() == ()


def test_a_refusal_is_told_once() -> None:
    told: list[str] = []
    refusals, batch = Refusals(told.append), verified(proposal())
    for _ in range(2):
        refusals.refuse(batch, "leaf 1: grade 2 not 1")
    root = batch.proposal.root.hex()
    assert told == [f"batch {root} of oracle {batch.proposer}: leaf 1: grade 2 not 1"]
    assert refusals.is_refused(batch)


def test_a_batch_that_could_not_be_signed_in_time_is_told_with_its_last_reason() -> None:
    told: list[str] = []
    refusals, batch = Refusals(told.append), verified(proposal())
    other = verified(proposal(encoded(range(5))))
    refusals.wait(batch, "leaf 0 is not judged")
    refusals.wait(batch, "leaf 2 is not judged")
    refusals.wait(other, "leaf 0 is not judged")
    refusals.forget(other)
    refusals.expire(turn_of(0) + SIGNING_MAX)
    assert told == []
    refusals.expire(turn_of(0) + SIGNING_MAX + timedelta(seconds=1))
    assert [words.partition(": ")[2] for words in told] == ["leaf 2 is not judged, until its time was up"]


def test_a_liar_that_is_refused_again_and_again_is_told_of_a_few_times_in_its_turn() -> None:
    told: list[str] = []
    refusals = Refusals(told.append)
    for number in range(12):
        refusals.refuse(verified(proposal(signers=SIGNERS[:1], uri=str(number))), "a lie")
    assert len(told) == 8
    later = int((turn_of(0) + 3 * PROPOSING).timestamp())
    refusals.refuse(verified(proposal(signers=SIGNERS[:1], sealed_at=later)), "a lie of a later turn")
    assert len(told) == 9

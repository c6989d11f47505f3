"""Tests of batches that several oracles sign, on a real chain: three oracles, of which two must agree.

Each release must end up in the registry once, whatever one oracle does.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from provenance_oracle.oracle.chain.agreed_batches import largest_group
from provenance_oracle.oracle.chain.anvil import EmbeddedChain
from provenance_oracle.oracle.chain.quorum_batches import QuorumBatches
from provenance_oracle.oracle.cli.main import main
from provenance_oracle.oracle.conditions import Trouble
from provenance_oracle.oracle.journal.kept_batches import find_leaves
from provenance_oracle.oracle.journal.publications import PublicationState
from provenance_oracle.oracle.journal.quorum_book import read_refusals
from provenance_oracle.oracle.journal.rows import State
from provenance_oracle.oracle.quorum.batch_proposal import BatchProposal
from provenance_oracle.oracle.quorum.turns import GATHERING_MAX, PROPOSING
from provenance_oracle.verifier.record.batch import seal_batch
from provenance_oracle.verifier.record.codec import decode_record, encode_record
from tests.support.chain_fixtures import deploy_registry
from tests.support.council import Council, Member, signed_by, with_records

pytestmark = pytest.mark.chain
TCB = bytes.fromhex("05000000000018db")


@pytest.fixture
def council(anvil: EmbeddedChain, tmp_path: Path) -> Iterator[Council]:
    made = Council(deploy_registry(anvil, oracles=3, threshold=2), tmp_path, 3)
    yield made
    made.close()


def final(members: Sequence[Member], count: int = 1) -> Callable[[], bool]:
    """Return whether these oracles have so many releases or more, and all of them are final."""
    return lambda: all(member.states() == {State.FINAL} and len(member.rows()) >= count for member in members)


def refusals(member: Member) -> list[str]:
    return [one.reason for one in read_refusals(member.journal._database.rows, most=99)]


def contents(council: Council) -> list[bytes]:
    return sorted({row.key.content for member in council.members for row in member.rows()})


def agreed(council: Council, members: Sequence[Member], count: int) -> None:
    """Have these oracles judge so many releases and sign each record, outside of anybody's turn to propose."""
    dead = next(member for member in council.members if member not in members)
    council.turn_of(dead.number)
    council.release(*range(count))
    council.steps(4, members)
    assert council.batches() == []


def test_releases_on_which_all_agree_share_one_transaction(council: Council) -> None:
    council.release(*range(5))
    council.until(final(council.members))
    assert (council.batches()[0][1], len(council.batches()), council.singles()) == (5, 1, [])
    assert council.recorded() == contents(council)
    sent = [len(one.journal.attempts(row.id)) for one in council.members for row in one.rows()]
    assert sum(sent) == 5, "one oracle sent one transaction for five rows"


def test_a_release_alone_is_recorded_by_itself_by_the_oracle_whose_turn_it_is(council: Council) -> None:
    council.turn_of(2)
    council.release(0)
    council.until(final(council.members))
    assert (council.batches(), council.singles()) == ([], contents(council))
    assert [len(one.journal.attempts(one.rows()[0].id)) for one in council.members] == [0, 0, 1]


def test_a_dead_oracle_costs_its_own_turn_only(council: Council) -> None:
    alive = council.members[1:]
    agreed(council, alive, 4)
    council.turn_of(1)
    council.until(final(alive))
    assert council.recorded() == contents(council)
    assert council.batches()[0][1] == 4


def test_an_oracle_that_judges_otherwise_is_left_out_and_keeps_why(council: Council) -> None:
    liar = council.members[2]
    liar.facts = {"reported_tcb": TCB}
    council.turn_of(0)
    council.release(*range(4))
    council.until(final(council.members[:2]))
    assert council.recorded() == contents(council)
    assert liar.states() != {State.FINAL}
    (reason, *_) = refusals(liar)
    assert f"of oracle {council.members[0].signer.address}: leaf " in reason
    assert f"reported_tcb 04000000000018db not {TCB.hex()}" in reason


def test_a_release_on_which_too_few_agree_stays_out_and_the_batch_goes_on(council: Council) -> None:
    for member, name in zip(council.members[1:], ("model0", "model1"), strict=True):
        member.rejects = {name, "model2"}
    council.release(*range(6))
    first = council.members[0]
    council.until(lambda: sum(row.state is State.FINAL for row in first.rows()) == 5)
    waiting = [row for row in first.rows() if row.state is not State.FINAL]
    assert [(row.key.release, row.state) for row in waiting] == [("model2", State.JUDGED)]
    assert "waits for other oracles: weight 1 of 2" in waiting[0].problem
    assert len(council.recorded()) == 5
    assert max(count for _, count in council.batches()) >= 3


def lies(council: Council, honest: BatchProposal) -> dict[str, BatchProposal]:
    """Return what a lying proposer may offer in its turn, by the words with which the others refuse it."""
    records = honest.records
    fields = decode_record(records[0], "test")
    other = replace(fields, manifest_digest=b"x" * 32, model_digest=b"y" * 32)
    newer = replace(fields, reported_tcb=TCB)
    later = replace(fields, judged_at=fields.judged_at + timedelta(seconds=1))
    changed = [encode_record(one, policy_id=fields.policy_id, parents=()) for one in (other, newer, later)]
    return {
        "is not among the releases that wait here": with_records(honest, [*records, changed[0]]),
        f"reported_tcb {TCB.hex()} not": with_records(honest, [changed[1], *records[1:]]),
        "until its time was up": with_records(honest, [changed[2], *records[1:]]),
        "its uri is https://evil.example/ not": replace(honest, uri="https://evil.example/"),
        "it has one record": with_records(honest, records[:1]),
    }


def test_whatever_a_proposer_invents_is_not_signed_and_delays_its_turn_only(council: Council) -> None:
    liar, *honest = council.members
    agreed(council, honest, 4)
    sealed_at = int(council.now.timestamp())
    records = [record for one in honest[:1] for record in _records(one)]
    template = BatchProposal(31337, council.registry.address_bytes, 1, sealed_at, "", bytes(32), (), ())
    found = lies(council, with_records(template, records))
    liar.offer(*(signed_by(one, liar.signer) for one in found.values()))
    council.steps(2, honest)
    assert council.batches() == []
    council.until(final(honest))
    assert council.recorded() == contents(council)
    assert [count for _, count in council.batches()] == [4]
    council.steps(2, honest, seconds=GATHERING_MAX.total_seconds())
    for words in found:
        assert any(words in reason for reason in refusals(honest[0])), (words, refusals(honest[0]))


def _records(member: Member) -> list[bytes]:
    """Return the bytes of the records that an oracle offers to the others singly."""
    place = member.council.shared / member.signer.address
    return [bytes.fromhex(json.loads(path.read_bytes())["record"]) for path in place.glob("*.json")]


def test_an_old_proposal_that_comes_again_is_not_signed(council: Council) -> None:
    dead, *alive = council.members
    agreed(council, alive, 3)
    template = BatchProposal(
        31337, council.registry.address_bytes, 1, int(council.now.timestamp()), "", bytes(32), (), ()
    )
    old = signed_by(with_records(template, _records(alive[0])), dead.signer)
    council.advance(GATHERING_MAX.total_seconds() + 1)
    council.turn_of(0)
    dead.offer(old)
    council.steps(3, alive)
    assert [one for member in alive for one in member.offered()] == []


def test_a_proposal_out_of_turn_is_not_signed(council: Council) -> None:
    dead, *alive = council.members
    agreed(council, alive, 3)
    at = int((council.now - PROPOSING).timestamp())
    template = BatchProposal(31337, council.registry.address_bytes, 1, at, "", bytes(32), (), ())
    dead.offer(signed_by(with_records(template, _records(alive[0])), dead.signer))
    council.steps(2, alive)
    assert [one for member in alive for one in member.offered()] == []


def test_two_oracles_that_propose_at_once_record_each_release_once(council: Council) -> None:
    """The clock of one oracle is a turn ahead, so two believe that it is their turn."""
    council.members[1].skew = PROPOSING
    agreed(council, council.members[:2], 4)
    council.turn_of(0)
    for member in council.members[:2]:
        member.step()
    assert [len(member.offered()) for member in council.members[:2]] == [0, 0], "offered at the next exchange"
    council.until(final(council.members))
    assert council.recorded() == contents(council)


def test_an_oracle_that_was_away_finds_its_releases_in_the_batch(council: Council) -> None:
    *present, late = council.members
    council.release(*range(4))
    council.until(final(present), present)
    council.steps(3, present)
    assert [member.offered() for member in present] == [[], []], "nobody asks for it"
    late.rejects = {"model1"}
    council.until(final([late]))
    assert council.recorded() == contents(council)
    (batch,) = council.batches()
    known = late.batch(batch[0])
    assert known is not None
    assert (known.state, known.count, len(late.journal.members(known.id))) == (PublicationState.FINAL, 4, 3)
    assert [late.journal.attempts(row.id) for row in late.rows()] == [()] * 3
    # it has not all leaves, so it makes no proof of them; the others do
    content, places = late.rows()[0].key.content, [member.folder / "journal.db" for member in (late, present[0])]
    assert [len(find_leaves(str(place), content=content)[0]) for place in places] == [0, 4]
    for member in (present[0], late):
        found = audit(member)
        assert (found["differences"], found["compared"]["batches"]) == ([], 1)


def audit(member: Member) -> Any:
    """Return what `provenance audit` says of an oracle's journal beside the chain."""
    ledger = ["--rpc", member.council.registry.chain.rpc_url, "--registry", member.council.registry.address]
    journal = ["--journal", str(member.folder / "journal.db"), "--oracle", member.account.address]
    return json.loads(CliRunner().invoke(main, ["audit", *journal, *ledger, "--json"]).stdout)


def test_whoever_has_enough_signatures_submits_if_the_proposer_dies_after_it_proposed(council: Council) -> None:
    proposer, other, _ = council.members
    agreed(council, (proposer, other), 3)
    council.turn_of(0)
    proposer.step()
    proposer.step()
    other.step()
    (proposer.council.shared / proposer.signer.address).rename(council.folder / "gone")
    other.restart()
    council.until(final([other]), [other])
    assert council.recorded() == contents(council)
    council.until(final([proposer]), [proposer])
    assert len(council.batches()) == 1


def test_an_oracle_without_money_signs_and_another_one_submits(council: Council) -> None:
    proposer, other, _ = council.members
    agreed(council, (proposer, other), 3)
    council.rpc("anvil_setBalance", proposer.account.address, "0x0")
    council.turn_of(0)
    council.until(final([proposer, other]), [proposer, other])
    assert proposer.conditions.stands(Trouble.FUNDS)
    council.rpc("anvil_setBalance", proposer.account.address, hex(10**20))
    assert council.recorded() == contents(council)
    assert len(council.batches()) == 1


def test_releases_whose_batches_fail_are_recorded_one_by_one(council: Council) -> None:
    """One oracle names another batch_uri, so it signs no batch of the other one."""
    first, other, _ = council.members
    other.uri = "https://elsewhere.example/"
    other.restart()
    council.release(*range(3))
    council.until(final([first, other]), [first, other], most=800)
    assert (council.batches(), sorted(council.singles())) == ([], contents(council))
    assert "all oracles of a quorum need the same batch_uri" in (refusals(first) + refusals(other))[0]


def test_a_reorg_takes_the_batch_away_and_it_comes_back_once(anvil: EmbeddedChain, tmp_path: Path) -> None:
    council = Council(deploy_registry(anvil, oracles=3, threshold=2), tmp_path, 3, confirmations=3)
    try:
        council.rpc("anvil_mine", "0x4")
        council.release(*range(3))
        council.until(lambda: any(member.states() == {State.MINED} for member in council.members))
        council.rpc("anvil_reorg", 2, [])
        council.until(final(council.members))
        assert council.recorded() == contents(council)
    finally:
        council.close()


def test_a_given_up_batch_that_a_liar_has_recorded_later_changes_nothing(council: Council) -> None:
    """Equal records have one root, whoever proposes them and when, so the registry takes both as the same batch."""
    first, other, liar = council.members
    agreed(council, (first, other), 3)
    council.turn_of(0)
    first.step()
    first.step()
    (given_up,) = first.offered()
    council.advance(GATHERING_MAX.total_seconds() + 1)
    council.until(final([first, other]), [first, other])
    assert record_batch(council, given_up, first, liar) is False
    assert council.recorded() == contents(council)


def test_a_release_in_two_batches_is_the_same_record_at_every_gate(council: Council) -> None:
    """The worst that a liar does: it completes a batch that others gave up, after they recorded its releases."""
    first, other, liar = council.members
    agreed(council, (first, other), 2)
    council.turn_of(0)
    first.step()
    first.step()
    (given_up,) = first.offered()
    council.advance(GATHERING_MAX.total_seconds() + 1)
    council.release(2)
    council.turn_of(2)
    council.steps(4, [first, other])
    council.until(final([first, other]), [first, other])
    assert council.recorded() == contents(council)
    before = [member.journal.rows() for member in (first, other)]
    assert record_batch(council, given_up, first, liar) is True
    council.steps(2, [first, other])
    assert [member.journal.rows() for member in (first, other)] == before
    gate = council.registry.contract.functions.requireModelFromProof
    for records in (given_up.records, first.journal.members(_final_batch(first))):
        data = tuple(one if isinstance(one, bytes) else one.record or b"" for one in records)
        for record, proof in zip(data, seal_batch(data).proofs, strict=True):
            fields = decode_record(record, "test")
            gate(fields.model_digest, fields.manifest_digest, proof.solidity(), 0).call()


def _final_batch(member: Member) -> int:
    return member.journal.final_batches([row.key.content for row in member.rows()], most=1)[0].id


def record_batch(council: Council, batch: BatchProposal, *signers: Member) -> bool:
    """Record a batch as a stranger, and return whether the registry had none with its root."""
    known = dict(council.batches())
    bitmap = sum(1 << member.number for member in signers)
    signatures = b"".join(member.signer.sign_digest(batch.digest) for member in signers)
    facts = (batch.root, len(batch.records), batch.sealed_at, batch.uri, (1, bitmap, signatures))
    council.registry.send(council.registry.contract.functions.recordBatch(*facts), council.registry.stranger)
    return dict(council.batches()) != known


def test_forty_releases_with_a_liar_and_a_dead_oracle_are_recorded_once_mostly_in_batches(council: Council) -> None:
    first, second, third = council.members
    # (1) one oracle lies about every release
    third.facts = {"reported_tcb": TCB}
    council.release(*range(14))
    council.until(final([first, second], 14))
    # (2) it is dead
    third.close()
    council.release(*range(14, 27))
    council.until(final([first, second], 27), [first, second])
    # (3) it is back and honest, and another one is dead
    third.facts = {}
    third.open()
    council.release(*range(27, 40))
    council.until(lambda: len(council.recorded()) == 40, [second, third])
    council.until(final([first, second], 40))
    assert council.recorded() == contents(council)
    assert len(council.recorded()) == 40
    sent = council.transactions()
    assert len(sent) <= 8, "at most a transaction for each five records"
    assert len(council.singles()) <= 2
    # The lies of the first phase stand in the third oracle's journal, and are recorded nowhere.
    stuck = {row.key.release for row in third.rows() if row.state is not State.FINAL}
    assert stuck <= {f"model{number}" for number in range(14)}
    print(f"{len(sent)} transactions, {sum(sent) / 40:.0f} gas a record")


def test_a_batch_that_others_completed_is_left_to_them(council: Council) -> None:
    """An oracle that could not sign in time sees that two others did, and puts the releases into no second batch."""
    proposer, other, late = council.members
    agreed(council, (proposer, other), 3)
    council.turn_of(0)
    for member in (proposer, other, proposer, other, other):
        member.step()
    (batch,) = other.offered()
    assert (len(batch.signatures), council.batches()) == (2, [])
    for member in (proposer, other):
        member.close()
    council.turn_of(2)
    council.steps(6, [late])
    assert (council.recorded(), late.offered()) == ([], [])
    assert {row.problem for row in late.rows()} == {
        f"is in batch {batch.root.hex()} of other oracles, which has its signatures"
    }
    for member in (proposer, other):
        member.open()
    council.until(final(council.members))
    assert council.recorded() == contents(council)
    assert len(council.batches()) == 1


def test_more_rows_than_a_pass_looks_at_take_turns() -> None:
    rows: list[object] = list(range(10))
    one = QuorumBatches.__new__(QuorumBatches)
    one._passes = 0
    assert one.some_of(rows[:4], 4) == rows[:4]  # type: ignore[arg-type]
    seen = [set(one.some_of(rows, 4)) for _ in range(5)]  # type: ignore[arg-type]
    assert set().union(*seen) == set(rows)
    assert {len(found) for found in seen} == {4}


@pytest.mark.parametrize(
    ("signers", "wanted"),
    [
        ("01 01 012", "abc"),
        ("01 02 02", "bc"),
        ("012 01 02 01", "abd"),
        ("0", "a"),
    ],
)
def test_the_most_records_that_the_same_oracles_signed_go_together(signers: str, wanted: str) -> None:
    found = dict(zip("abcdef", (frozenset(map(int, one)) for one in signers.split()), strict=False))
    keys = {name.encode(): one for name, one in found.items()}
    assert b"".join(largest_group(keys)).decode() == wanted

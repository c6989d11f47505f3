"""Tests that one answer of one node closes nothing for good: a row, a transaction, or a record's parents."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from provenance_oracle.oracle.chain.finality import Endpoint, Finality
from provenance_oracle.oracle.chain.ledger import LedgerOptions, open_writer
from provenance_oracle.oracle.chain.reports import Reporter
from provenance_oracle.oracle.chain.rpc import Call, NewestBlock, Receipt
from provenance_oracle.oracle.journal.journal import Journal
from provenance_oracle.oracle.journal.rows import AttemptState, ReleaseKey, State
from provenance_oracle.oracle.signers.environment import EnvironmentSigner
from provenance_oracle.verifier.errors import RecordError, TemporaryError, UsageError, VerificationError
from provenance_oracle.verifier.record.codec import release_id
from provenance_oracle.verifier.record.fields import Entry, NamedParent
from provenance_oracle.verifier.registry.oracle_sets import Seat
from tests.support.chain_fixtures import JUDGED_AT, DeployedRegistry, make_entry, make_record
from tests.support.desk import LIMITS, RECORD, Desk, reverting_with
from tests.support.fake_nodes import lying, selector
from tests.support.fakes import Clock, FakeChain, FakeRegistry

OTHER = "the nodes disagree"


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path / "journal.db", confirmations=2)
    yield made
    made.journal.close()


def second(desk: Desk, **changes: Any) -> Endpoint[Any]:
    """Return another node of the desk's chain. `changes` are fields of its chain in which it differs."""
    chain = replace(desk.chain, **changes)
    return Endpoint(chain, FakeRegistry(chain), "second")


def answering_once(desk: Desk, name: str, lie: object) -> None:
    """Let the first call of a method of the desk's chain return a lie, or raise it."""
    truth: Callable[..., Any] = getattr(desk.chain, name)

    def once(*arguments: Any) -> Any:
        setattr(desk.chain, name, truth)
        if isinstance(lie, Exception):
            raise lie
        return lie

    setattr(desk.chain, name, once)


def test_one_false_revert_rejects_nothing(desk: Desk) -> None:
    row_id, simulate = desk.row(RECORD), desk.chain.simulate

    def lie_about_the_newest_block(call: Call, block: int | None = None) -> None:
        desk.chain.reverting = reverting_with("NameTaken") if block is None else None
        simulate(call, block)

    desk.chain.simulate = lie_about_the_newest_block  # type: ignore[method-assign]
    with pytest.raises(TemporaryError, match="the registry refuses the call now: got NameTaken"):
        desk.writer.publish(row_id, RECORD)
    desk.chain.simulate, desk.chain.reverting = simulate, None  # type: ignore[method-assign]
    assert desk.writer.publish(row_id, RECORD).state is State.SENT


def test_a_node_that_lies_about_a_name_is_overruled_by_the_second(desk: Desk) -> None:
    desk.chain.reverting = reverting_with("NameTaken")
    row_id = desk.row(RECORD)
    with pytest.raises(TemporaryError, match=OTHER):
        desk.open(2, second(desk, reverting=None)).publish(row_id, RECORD)
    with pytest.raises(RecordError, match="the record's name leads to another release"):
        desk.open(2, second(desk)).publish(row_id, RECORD)


def test_a_record_is_final_if_both_nodes_have_it(desk: Desk) -> None:
    row_id = desk.row(RECORD)
    desk.registry.existing[RECORD.manifest_digest] = make_entry(RECORD)
    blind = second(desk)
    with pytest.raises(TemporaryError, match=OTHER):
        desk.open(2, blind).publish(row_id, RECORD)
    blind.registry.existing[RECORD.manifest_digest] = make_entry(RECORD)
    assert desk.open(2, blind).publish(row_id, RECORD).state is State.FINAL


def test_a_forged_record_of_one_node_rejects_nothing(desk: Desk) -> None:
    row_id, forged = desk.row(RECORD), make_entry(replace(RECORD, snp_report_digest=bytes(32)))
    desk.registry.existing[RECORD.manifest_digest] = forged
    other = second(desk)
    with pytest.raises(TemporaryError, match=OTHER):
        desk.open(2, other).publish(row_id, RECORD)
    other.registry.existing[RECORD.manifest_digest] = forged
    with pytest.raises(VerificationError):
        desk.open(2, other).publish(row_id, RECORD)


def test_a_second_node_may_lag_but_not_far(desk: Desk) -> None:
    row_id, other = desk.row(RECORD), second(desk)
    writer = desk.open(0, other)
    entry = make_entry(RECORD)
    desk.registry.existing[RECORD.manifest_digest] = other.registry.existing[RECORD.manifest_digest] = entry
    other.chain.blocks = other.chain.blocks[:1]
    assert writer.manifest_of_report(b"r", expected=b"m") is None
    assert writer.publish(row_id, RECORD).state is State.FINAL
    desk.mine(64)
    for ask in (lambda: writer.publish(row_id, RECORD), lambda: writer.manifest_of_report(b"r", expected=b"m")):
        with pytest.raises(TemporaryError, match="the second node lags behind"):
            ask()


def test_one_of_two_nodes_decides_nothing_and_the_error_says_why_the_other_is_set_aside(desk: Desk) -> None:
    other, answer = second(desk), [TemporaryError("connection refused")]

    def look() -> NewestBlock:
        if answer:
            raise answer[0]
        return desk.chain.look()

    other.chain.look = look  # type: ignore[method-assign]
    writer = desk.open(2, other)
    writer.check_chain()
    problem = "too few endpoints serve now.*1 of the endpoints in rpc_urls; second: connection refused, wanted 2"
    with pytest.raises(TemporaryError, match=problem):
        writer.manifest_of_report(b"r", expected=b"m")
    answer.clear()
    desk.clock.advance(15)
    writer.check_chain()
    assert writer.manifest_of_report(b"r", expected=b"m") is None


def test_a_policy_s_number_counts_if_both_nodes_give_it(desk: Desk) -> None:
    row_id, other = desk.row(RECORD), second(desk)
    other.registry.numbers[RECORD.policy_digest] = 5
    with pytest.raises(TemporaryError, match=OTHER):
        desk.open(2, other).publish(row_id, RECORD)
    assert desk.registry.signed == []


def test_a_report_s_other_manifest_counts_once_it_is_final(desk: Desk) -> None:
    desk.registry.reports[b"r"] = b"other"
    manifest_of_report = desk.registry.manifest_of_report

    def shallow(report_digest: bytes, *, block: int) -> bytes | None:
        return manifest_of_report(report_digest, block=block) if block == desk.chain.head() else None

    desk.registry.manifest_of_report = shallow  # type: ignore[method-assign]
    with pytest.raises(TemporaryError, match="that record is not final yet"):
        desk.writer.manifest_of_report(b"r", expected=b"m")
    assert desk.writer.manifest_of_report(b"r", expected=b"other") == b"other"
    desk.registry.manifest_of_report = manifest_of_report  # type: ignore[method-assign]
    assert desk.writer.manifest_of_report(b"r", expected=b"m") == b"other"


def test_a_report_that_one_node_hides_or_invents_decides_nothing(desk: Desk) -> None:
    other = second(desk)
    desk.registry.reports[b"r"] = b"invented"
    with pytest.raises(TemporaryError, match=OTHER):
        desk.open(2, other).manifest_of_report(b"r", expected=b"m")
    other.registry.reports[b"r"] = b"used"
    del desk.registry.reports[b"r"]
    with pytest.raises(TemporaryError, match=OTHER):
        desk.open(2, other).manifest_of_report(b"r", expected=b"m")


def test_a_transaction_is_given_up_once_its_nonce_is_used_in_a_final_block(desk: Desk) -> None:
    row_id = desk.row(RECORD)
    desk.writer.publish(row_id, RECORD)
    desk.chain.use_nonce()
    for _ in range(2):
        assert desk.writer.publish(row_id, RECORD).state is State.SENT
        assert [attempt.state for attempt in desk.journal.attempts(row_id)] == [AttemptState.LIVE]
        desk.mine(1)
    desk.writer.publish(row_id, RECORD)
    states = [attempt.state for attempt in desk.journal.attempts(row_id)]
    assert states == [AttemptState.DROPPED, AttemptState.LIVE]


def test_a_false_nonce_or_receipt_of_one_node_costs_nothing(desk: Desk) -> None:
    row_id, other = desk.row(RECORD), second(desk)
    writer = desk.open(0, other)
    writer.publish(row_id, RECORD)
    desk.chain.nonce = lambda *_: 9  # type: ignore[method-assign]
    writer.publish(row_id, RECORD)
    assert [attempt.state for attempt in desk.journal.attempts(row_id)] == [AttemptState.LIVE]
    other.chain.nonce = lambda *_: 9
    other.chain.receipt = lambda _: Receipt(True, 0, 0)
    writer.publish(row_id, RECORD)
    assert [attempt.state for attempt in desk.journal.attempts(row_id)] == [AttemptState.LIVE]


def test_orphans_are_given_up_in_a_final_block_too(desk: Desk) -> None:
    row_id = desk.row(RECORD)
    desk.writer.publish(row_id, RECORD)
    desk.journal.advance(row_id, State.FINAL, at=RECORD.judged_at)
    desk.chain.use_nonce()
    desk.writer.push_orphans()
    assert [attempt.state for attempt in desk.journal.attempts(row_id)] == [AttemptState.LIVE]
    desk.mine(2)
    desk.writer.push_orphans()
    assert [attempt.state for attempt in desk.journal.attempts(row_id)] == [AttemptState.DROPPED]


def test_one_false_answer_about_the_chain_does_not_end_the_process(desk: Desk) -> None:
    desk.writer.check_chain()
    desk.clock.advance(600)
    answering_once(desk, "identity", replace(desk.chain.facts, chain_id=1))
    desk.writer.check_chain()
    desk.clock.advance(600)
    answering_once(desk, "identity", UsageError("there is no contract at the registry's address"))
    desk.writer.check_chain()
    facts = desk.chain.facts
    desk.chain.facts = replace(facts, chain_id=1)
    writer = desk.open(2, second(desk, facts=facts))
    writer.check_chain()
    assert list(writer._endpoints.problems) == ["first"]
    assert "chain id is not the one" in writer._endpoints.problems["first"]
    with pytest.raises(UsageError, match="chain id is not the one"):
        desk.open(2, second(desk)).check_chain()


@pytest.mark.chain
@pytest.mark.parametrize("depth", ["latest", "all"])
def test_a_lying_node_s_revert_is_asked_about_again(registry: DeployedRegistry, tmp_path: Path, depth: str) -> None:
    def answer(method: str, params: list[Any], _truth: Any) -> Any:
        is_lie = method == "eth_call" and params[0]["data"].startswith(selector("publish"))
        reverted = {"code": 3, "message": "execution reverted", "data": "0x" + reverting_with("NameTaken").hex()}
        return {"error": reverted} if is_lie and depth in ("all", params[1]) else None

    record = make_record()
    registry.policy_id(record.policy_digest)
    signer = EnvironmentSigner("K", {"K": registry.oracle.key.hex()})
    with lying(registry, answer) as (url, _), Journal(tmp_path / "journal.db") as journal:
        options = LedgerOptions(
            rpc_urls=(url, *([registry.chain.rpc_url] if depth == "all" else [])),
            registry_address=registry.address,
            chain_id=None,
            first_block=0,
            confirmations=0,
            limits=LIMITS,
            rpc_timeout_seconds=10,
            allow_development_key=False,
        )
        writer = open_writer(options, signer, signer, journal, clock=lambda: JUDGED_AT)
        row = journal.open(ReleaseKey("test", "a", record.manifest_digest), "f", at=JUDGED_AT)
        with pytest.raises(TemporaryError, match="refuses the call now" if depth == "latest" else OTHER):
            writer.publish(row.id, record)


class Models:
    """A registry that has the record of a parent from a block on."""

    def __init__(self, since: int, *entries: Entry) -> None:
        self._since = since
        self._entries = entries

    def standing_releases(self, _model_digest: bytes, *, block: int) -> Iterator[Entry]:
        yield from self._entries if block >= self._since else ()

    def is_recorded(self, model_digest: bytes, manifest_digest: bytes, *, block: int) -> bool:
        return any(one.manifest_digest == manifest_digest for one in self.standing_releases(model_digest, block=block))

    def seats(self, *, block: int, at: datetime) -> dict[str, Seat]:
        return {}


def _parents(*registries: Models, head: int, manifest: bytes | None = None) -> tuple[bytes, ...]:
    endpoints = tuple(Endpoint(FakeChain(blocks=[[]] * head), registry, "node") for registry in registries)
    signer = EnvironmentSigner("K", {"K": "11" * 32})
    options: Any = {"finality": Finality(endpoints, 2), "chain_id": 5, "address": bytes(20), "clock": Clock()}
    reporter = Reporter(signer, **options)
    return reporter._recorded_parents(make_record(named_parents=(NamedParent(b"\x20" * 32, manifest),)), head)


def test_the_parents_of_a_record_are_those_of_a_final_block() -> None:
    parent = make_entry(make_record(model_digest=b"\x20" * 32, manifest_digest=b"\x21" * 32))
    wanted = (release_id(parent.model_digest, parent.manifest_digest),)
    assert _parents(Models(5, parent), head=7) == wanted
    assert _parents(Models(5, parent), head=4) == ()
    assert _parents(Models(5, parent), head=7, manifest=parent.manifest_digest) == wanted
    for head, manifest in ((5, None), (6, None), (6, parent.manifest_digest)):
        with pytest.raises(TemporaryError, match="the record of a parent is not final yet"):
            _parents(Models(5, parent), head=head, manifest=manifest)
    for one, other in ((Models(5, parent), Models(5)), (Models(5), Models(5, parent))):
        with pytest.raises(TemporaryError, match=OTHER):
            _parents(one, other, head=7)

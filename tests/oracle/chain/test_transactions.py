"""Tests of the sender against a node that lies.

The sender must lose nothing, send nothing that it has not stored, and sign nothing twice without need.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from provenance_oracle.oracle.chain.fees import FeeLimits
from provenance_oracle.oracle.chain.finality import Endpoint, Finality
from provenance_oracle.oracle.chain.rpc import Call, Prices, RevertedError
from provenance_oracle.oracle.chain.transactions import Publishing, TransactionSender
from provenance_oracle.oracle.journal.journal import Journal
from provenance_oracle.oracle.journal.rows import Attempt, AttemptState, ReleaseKey, State
from provenance_oracle.oracle.metrics import Meter
from provenance_oracle.verifier.errors import TemporaryError
from tests.support.fakes import (
    ADDRESS,
    GWEI,
    REGISTRY,
    START,
    Clock,
    FakeChain,
    FakeSigner,
    FreshSigner,
    ignore,
    lose,
    say,
    take_and_lose_reply,
)

LIMITS = FeeLimits(max_fee_wei=100 * GWEI, priority_fee_max_wei=5 * GWEI, gas_max=2_000_000, bump_after_seconds=90)


class Bill(Meter):
    """The transactions whose cost was counted: gas, fee, and whether they took effect."""

    def __init__(self) -> None:
        self.items: list[tuple[int, int, bool]] = []
        self.steps: list[str] = []

    def paid(self, gas: int, fee_wei: int, *, has_effect: bool) -> None:
        self.items.append((gas, fee_wei, has_effect))

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        self.steps.append(name)
        yield


class Ledger:
    """A sender over a fake chain. Like the writer, `push` reads the state first."""

    def __init__(self, path: Path, signer: FakeSigner | None = None) -> None:
        self.path = path
        self.signer = signer or FakeSigner()
        self.chain = FakeChain()
        self.clock = Clock()
        self.journal = Journal(path)
        self.confirmations = 0
        self.bill = Bill()
        self.sender = self._sender()
        self.chain.before_send = self._assert_stored

    def _sender(self) -> TransactionSender:
        finality = Finality((Endpoint(self.chain, None, "node"),), self.confirmations)
        facts: Any = {"finality": finality, "chain_id": 31337, "clock": self.clock, "meter": self.bill}
        return TransactionSender(self.signer, self.journal, LIMITS, **facts)

    def _assert_stored(self, raw: bytes) -> None:
        stored = {attempt.transaction.raw for row in self.journal.rows() for attempt in self.journal.attempts(row.id)}
        assert raw in stored, "sent before it was stored"

    def restart(self) -> None:
        self.journal.close()
        self.journal = Journal(self.path)
        self.sender = self._sender()

    def row(self, number: int = 0) -> int:
        row = self.journal.open(ReleaseKey("test", str(number), bytes([number]) * 32), "f", at=START)
        return self.journal.accept(row.id, b"{}", b"{}", bytes(32), at=START).id

    def push(self, row_id: int) -> State:
        data = bytes([row_id])
        block = self.chain.head()
        if data.hex() in self.chain.effects(block):
            self.sender.settle(row_id)
            state = State.FINAL
        else:
            state = self.sender.push(row_id, lambda: Call(ADDRESS, REGISTRY, data), block=block).state
        self.journal.advance(row_id, state, at=self.clock())
        return state

    def attempts(self, row_id: int) -> tuple[Attempt, ...]:
        return self.journal.attempts(row_id)


@pytest.fixture(params=[FakeSigner, FreshSigner])
def ledger(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Ledger]:
    """Yield a sender whose key signs alike each time, and one whose key never does."""
    made = Ledger(tmp_path / "journal.db", request.param())
    yield made
    made.journal.close()


def test_a_transaction_is_stored_before_it_is_sent(ledger: Ledger) -> None:
    ledger.chain.answers = [lose]
    row_id = ledger.row()
    with pytest.raises(TemporaryError, match="refused"):
        ledger.push(row_id)
    assert ledger.journal.row(row_id).state is State.SIGNED
    (attempt,) = ledger.attempts(row_id)
    assert [attempt.transaction.raw] == ledger.chain.sent


@pytest.mark.parametrize("nonsense", [ignore, say("already known", taking=False), say("nonce too low", taking=False)])
def test_what_a_node_says_to_a_sent_transaction_decides_nothing(ledger: Ledger, nonsense: object) -> None:
    ledger.chain.answers = [nonsense, say("nonce too low", taking=True)]  # type: ignore[list-item]
    row_id = ledger.row()
    assert ledger.push(row_id) is State.SENT
    ledger.restart()
    assert ledger.push(row_id) is State.SENT
    ledger.chain.mine()
    assert ledger.push(row_id) is State.FINAL
    (attempt,) = ledger.attempts(row_id)
    assert ledger.chain.sent == [attempt.transaction.raw] * 2
    assert attempt.state is AttemptState.MINED


COST = 300_000, 300_000 * GWEI


def test_a_transaction_is_paid_for_once_it_is_final(ledger: Ledger) -> None:
    row_id = ledger.row()
    ledger.push(row_id)
    ledger.clock.advance(LIMITS.bump_after_seconds)
    ledger.push(row_id)
    assert ledger.bill.steps == ["sign", "sign"]
    assert ledger.bill.items == []
    ledger.chain.mine()
    for _ in range(2):
        assert ledger.push(row_id) is State.FINAL
    assert ledger.bill.items == [(*COST, True)], "the replaced one is in no block"


def test_a_transaction_that_reverted_is_paid_for_without_effect(ledger: Ledger) -> None:
    row_id = ledger.row()
    ledger.push(row_id)
    ledger.chain.foreign.add(ledger.chain.sent[-1])
    ledger.chain.mine()
    assert ledger.push(row_id) is State.SENT
    assert ledger.bill.items == [(*COST, False)]


def test_a_transaction_of_a_closed_row_is_paid_for(ledger: Ledger) -> None:
    row_id = ledger.row()
    ledger.push(row_id)
    ledger.journal.advance(row_id, State.FINAL, at=START)
    ledger.chain.mine()
    for _ in range(2):
        ledger.sender.push_orphans(block=ledger.chain.head())
    assert ledger.bill.items == [(*COST, True)]


def test_a_lost_reply_is_no_reason_for_another_nonce(ledger: Ledger) -> None:
    ledger.chain.answers = [take_and_lose_reply]
    row_id = ledger.row()
    with pytest.raises(TemporaryError):
        ledger.push(row_id)
    ledger.chain.mine()
    assert ledger.push(row_id) is State.FINAL
    assert len(ledger.attempts(row_id)) == 1


def test_a_forgotten_transaction_goes_out_again_byte_for_byte(ledger: Ledger) -> None:
    row_id = ledger.row()
    ledger.push(row_id)
    ledger.chain.forget()
    ledger.restart()
    ledger.push(row_id)
    ledger.chain.mine()
    assert ledger.push(row_id) is State.FINAL
    assert len(set(ledger.chain.sent)) == 1


def test_a_used_nonce_without_effect_ends_a_transaction_and_another_is_signed(ledger: Ledger) -> None:
    row_id = ledger.row()
    ledger.push(row_id)
    ledger.chain.use_nonce()
    assert ledger.push(row_id) is State.SENT
    first, second = ledger.attempts(row_id)
    assert (first.state, second.state) == (AttemptState.DROPPED, AttemptState.LIVE)
    assert second.transaction.nonce == first.transaction.nonce + 1


def test_a_success_that_the_state_does_not_show_yet_is_waited_for(ledger: Ledger) -> None:
    row_id = ledger.row()
    ledger.push(row_id)
    ledger.chain.mine()
    call = Call(ADDRESS, REGISTRY, bytes([row_id]))
    assert ledger.sender.push(row_id, lambda: call, block=ledger.chain.head()).state is State.SENT
    assert len(ledger.attempts(row_id)) == 1
    assert len(ledger.chain.sent) == 1


def test_nonces_of_transactions_on_their_way_are_not_given_twice(ledger: Ledger) -> None:
    ledger.chain.answers = [ignore, ignore]
    rows = [ledger.row(number) for number in range(3)]
    for row_id in rows:
        ledger.push(row_id)
    nonces = [ledger.attempts(row_id)[0].transaction.nonce for row_id in rows]
    assert nonces == [0, 1, 2]
    for row_id in rows:  # the node ignored the first two; sending them again closes the gap
        ledger.push(row_id)
    ledger.chain.mine()
    assert [ledger.push(row_id) for row_id in rows] == [State.FINAL] * 3


def test_a_dropped_highest_nonce_leaves_no_gap(ledger: Ledger) -> None:
    first, second = ledger.row(1), ledger.row(2)
    ledger.push(first)
    ledger.chain.use_nonce()
    ledger.push(first)
    ledger.chain.mine()
    ledger.push(first)
    ledger.restart()
    ledger.push(second)
    assert ledger.attempts(second)[-1].transaction.nonce == ledger.chain.nonce(ADDRESS, ledger.chain.head())


def test_a_gap_that_a_reorg_tore_is_filled(ledger: Ledger) -> None:
    ledger.chain.use_nonce()
    row_id, other = ledger.row(1), ledger.row(2)
    ledger.push(row_id)
    ledger.push(other)
    ledger.chain.reorg(1)  # the transaction with nonce 0 is lost permanently
    ledger.push(row_id)
    ledger.chain.mine()
    assert ledger.push(row_id) is State.SENT
    ledger.clock.advance(90)
    ledger.push(row_id)
    assert [attempt.transaction.nonce for attempt in ledger.attempts(row_id)] == [1, 0]
    ledger.chain.mine()
    assert [ledger.push(row_id), ledger.push(other)] == [State.FINAL] * 2
    ledger.sender.push_orphans(block=ledger.chain.head())
    assert AttemptState.LIVE not in {attempt.state for attempt in ledger.attempts(row_id)}


def test_what_a_row_says_is_asked_for_once_and_said_until_nothing_is_on_its_way(ledger: Ledger) -> None:
    row_id, asked = ledger.row(), []

    def prepare() -> Call:
        asked.append(b"call %d" % len(asked))
        return Call(ADDRESS, REGISTRY, asked[-1])

    for _ in range(3):  # each time the fees of the waiting one rise
        ledger.sender.push(row_id, prepare, block=ledger.chain.head())
        ledger.clock.advance(90)
    ledger.restart()
    ledger.sender.push(row_id, prepare, block=ledger.chain.head())
    assert {attempt.transaction.data for attempt in ledger.attempts(row_id)} == {b"call 0"}
    assert len(ledger.attempts(row_id)) == 4
    assert asked == [b"call 0"]
    ledger.chain.use_nonce()
    ledger.sender.push(row_id, prepare, block=ledger.chain.head())
    assert ledger.attempts(row_id)[-1].transaction.data == b"call 1"


def test_a_row_with_nothing_to_say_yet_signs_nothing(ledger: Ledger) -> None:
    row_id, waits = ledger.row(), Publishing(State.JUDGED, "waits for something")
    assert ledger.sender.push(row_id, lambda: waits, block=ledger.chain.head()) == waits
    assert ledger.attempts(row_id) == ()


def test_no_more_than_sixteen_are_on_their_way(ledger: Ledger) -> None:
    rows = [ledger.row(number) for number in range(17)]
    states = [ledger.push(row_id) for row_id in rows]
    assert states == [State.SENT] * 16 + [State.JUDGED]
    ledger.chain.mine()
    for row_id in rows:
        ledger.push(row_id)
    ledger.chain.mine()
    assert ledger.push(rows[-1]) is State.FINAL


def test_a_waiting_transaction_is_offered_an_eighth_more_at_the_same_nonce(ledger: Ledger) -> None:
    row_id = ledger.row()
    ledger.push(row_id)
    ledger.clock.advance(89)
    ledger.push(row_id)
    assert len(ledger.attempts(row_id)) == 1
    ledger.clock.advance(1)
    ledger.push(row_id)
    old, new = (attempt.transaction for attempt in ledger.attempts(row_id))
    assert new.nonce == old.nonce
    assert new.max_fee_wei * 8 >= old.max_fee_wei * 9
    assert new.priority_fee_wei * 8 >= old.priority_fee_wei * 9
    ledger.chain.mine()
    ledger.push(row_id)
    assert [attempt.state for attempt in ledger.attempts(row_id)] == [AttemptState.DROPPED, AttemptState.MINED]


def test_the_old_transaction_may_be_the_one_that_is_mined(ledger: Ledger) -> None:
    row_id = ledger.row()
    ledger.push(row_id)
    ledger.clock.advance(90)
    ledger.chain.answers = [ignore]
    ledger.push(row_id)
    ledger.chain.mine()
    assert ledger.push(row_id) is State.FINAL
    assert [attempt.state for attempt in ledger.attempts(row_id)] == [AttemptState.MINED, AttemptState.DROPPED]


def test_offers_end_at_the_limit_and_the_last_one_stays(ledger: Ledger) -> None:
    row_id = ledger.row()
    for _ in range(60):
        ledger.push(row_id)
        ledger.clock.advance(90)
    offers = [attempt.transaction for attempt in ledger.attempts(row_id)]
    assert all(o.max_fee_wei <= LIMITS.max_fee_wei for o in offers)
    assert all(o.priority_fee_wei <= LIMITS.priority_fee_max_wei for o in offers)
    assert ledger.chain.sent[-1] == offers[-1].raw


def test_fees_that_the_account_cannot_pay_are_not_offered(ledger: Ledger) -> None:
    row_id = ledger.row()
    ledger.push(row_id)
    ledger.chain.money = 0
    for _ in range(5):
        ledger.clock.advance(90)
        ledger.push(row_id)
    assert len(ledger.attempts(row_id)) == 1
    assert len(ledger.chain.sent) == 6
    assert "holds 0 wei" in ledger.sender.shortage(ledger.chain.head())
    ledger.chain.money = 10**18
    assert ledger.sender.shortage(ledger.chain.head()) == ""
    ledger.push(row_id)
    assert len(ledger.attempts(row_id)) == 2


def test_higher_fees_leave_money_for_the_transactions_before(ledger: Ledger) -> None:
    rows = [ledger.row(number) for number in range(3)]
    for row_id in rows:
        ledger.push(row_id)
    cost = ledger.attempts(rows[0])[0].transaction.max_fee_wei * ledger.chain.gas * 120 // 100
    ledger.chain.money = cost * 5 // 2  # for two of them at higher fees
    ledger.clock.advance(90)
    for row_id in rows:
        ledger.push(row_id)
    assert [len(ledger.attempts(row_id)) for row_id in rows] == [2, 2, 1]
    assert ledger.sender.shortage(ledger.chain.head())
    ledger.chain.mine()
    assert ledger.sender.shortage(ledger.chain.head()) == ""


def test_a_raised_offer_repeats_the_signed_call_not_the_one_in_the_journal(ledger: Ledger) -> None:
    """Another program may have written the journal's columns, and our key must not sign its call."""
    row_id = ledger.row()
    ledger.chain.answers = [ignore] * 2
    ledger.push(row_id)
    with sqlite3.connect(ledger.path) as db:
        db.execute("UPDATE transactions SET call_to = ?, call_data = ?", ("0x" + "99" * 20, b"steal"))
    db.close()
    ledger.clock.advance(90)
    ledger.push(row_id)
    _, raised = ledger.attempts(row_id)
    fields = json.loads(raised.transaction.raw)
    assert (fields["to"], fields["data"]) == (REGISTRY, bytes([row_id]).hex())


def test_fees_above_the_limit_pause_and_nothing_is_signed(ledger: Ledger) -> None:
    ledger.chain.prices_now = Prices(200 * GWEI, GWEI)
    row_id = ledger.row()
    with pytest.raises(TemporaryError, match="fees are above the limit") as caught:
        ledger.push(row_id)
    assert caught.value.got == f"{201 * GWEI} wei"
    assert ledger.attempts(row_id) == ()
    ledger.chain.prices_now = Prices(GWEI, GWEI)
    assert ledger.push(row_id) is State.SENT


def test_a_greedy_node_does_not_set_the_tip(ledger: Ledger) -> None:
    ledger.chain.prices_now = Prices(GWEI, 10**18)
    row_id = ledger.row()
    ledger.push(row_id)
    assert ledger.attempts(row_id)[0].transaction.priority_fee_wei == LIMITS.priority_fee_max_wei


def test_a_call_that_needs_too_much_gas_is_not_signed(ledger: Ledger) -> None:
    ledger.chain.gas = LIMITS.gas_max + 1
    row_id = ledger.row()
    with pytest.raises(TemporaryError, match="the call needs too much gas"):
        ledger.push(row_id)
    assert ledger.attempts(row_id) == ()


def test_a_call_that_would_revert_is_not_signed(ledger: Ledger) -> None:
    ledger.chain.reverting = b"\x01\x02\x03\x04"
    row_id = ledger.row()
    with pytest.raises(RevertedError):
        ledger.push(row_id)
    assert ledger.attempts(row_id) == ()


def test_paying_in_vain_ends_for_a_day(ledger: Ledger) -> None:
    row_id = ledger.row()
    for _ in range(8):
        ledger.push(row_id)
        ledger.chain.use_nonce()
    with pytest.raises(TemporaryError, match="no effect"):
        ledger.push(row_id)
    assert len(ledger.attempts(row_id)) == 8
    ledger.clock.advance(86_401)
    assert ledger.push(row_id) is State.SENT


def test_a_transaction_of_a_closed_release_still_uses_its_nonce_up(ledger: Ledger) -> None:
    closed, open_ = ledger.row(1), ledger.row(2)
    ledger.chain.answers = [ignore]
    ledger.push(closed)
    ledger.push(open_)
    ledger.journal.advance(closed, State.FINAL, at=START)  # another account's transaction had the effect
    ledger.restart()
    ledger.sender.push_orphans(block=ledger.chain.head())
    ledger.chain.mine()
    assert ledger.push(open_) is State.FINAL
    ledger.sender.push_orphans(block=ledger.chain.head())
    assert ledger.attempts(closed)[0].state is AttemptState.DROPPED


def test_transactions_of_a_replaced_key_are_left_alone(ledger: Ledger) -> None:
    row_id = ledger.row()
    ledger.push(row_id)
    signer = FakeSigner()
    signer.address = "0x00000000000000000000000000000000000000CC"
    facts: Any = {"finality": Finality((Endpoint(ledger.chain, None, "node"),), 0), "chain_id": 31337}
    sender = TransactionSender(signer, ledger.journal, LIMITS, clock=ledger.clock, **facts)
    ledger.chain.answers = [ignore]
    sender.push(row_id, lambda: Call(signer.address, REGISTRY, b"x"), block=ledger.chain.head())
    senders = [attempt.transaction.sender for attempt in ledger.attempts(row_id)]
    assert senders == [ADDRESS, signer.address]


LIES = [take_and_lose_reply, lose, ignore, say("nonce too low", taking=True), say("already known", taking=False)]
ACTIONS = ["push", "push", "push", "mine", "forget", "foreign", "restart", "late", "reorg 1", "reorg 3"]


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    actions=st.lists(st.one_of(st.sampled_from(ACTIONS), st.sampled_from(range(len(LIES)))), max_size=40),
    rows=st.integers(1, 3),
    signer=st.sampled_from([FakeSigner, FreshSigner]),
)
def test_nothing_is_lost_whatever_happens(
    tmp_path_factory: pytest.TempPathFactory, actions: list[str | int], rows: int, signer: type[FakeSigner]
) -> None:
    ledger = Ledger(tmp_path_factory.mktemp("ledger") / "journal.db", signer())
    try:
        row_ids = [ledger.row(number) for number in range(rows)]
        for action in actions:
            _act(ledger, row_ids, action)
        _assert_all_arrive(ledger, row_ids)
    finally:
        ledger.journal.close()


def _assert_all_arrive(ledger: Ledger, row_ids: list[int]) -> None:
    """Assert that every row becomes final once the node is honest."""
    ledger.chain.answers = []
    for _ in range(6):
        ledger.clock.advance(86_401)
        for row_id in row_ids:
            ledger.push(row_id)
        ledger.sender.push_orphans(block=ledger.chain.head())
        ledger.chain.mine()
    assert [ledger.push(row_id) for row_id in row_ids] == [State.FINAL] * len(row_ids)
    effects = ledger.chain.effects()
    for row_id in row_ids:
        attempts = ledger.attempts(row_id)
        mined = effects[bytes([row_id]).hex()]
        assert mined <= len({attempt.transaction.nonce for attempt in attempts})


def _act(ledger: Ledger, row_ids: list[int], action: str | int) -> None:
    if isinstance(action, int):
        ledger.chain.answers.append(LIES[action])
    elif action == "push":
        for row_id in row_ids:
            try:
                ledger.push(row_id)
            except TemporaryError:
                ledger.clock.advance(1)
    elif action == "late":
        ledger.clock.advance(91)
    elif action == "restart":
        ledger.restart()
    elif action.startswith("reorg"):
        ledger.chain.reorg(int(action.split()[1]))
    else:
        {"mine": ledger.chain.mine, "forget": ledger.chain.forget, "foreign": ledger.chain.use_nonce}[action]()


def test_while_calls_are_withheld_what_was_sent_goes_on_and_nothing_begins(ledger: Ledger) -> None:
    first, second = ledger.row(0), ledger.row(1)
    ledger.push(first)
    ledger.sender.withhold("no money")
    assert [ledger.push(first), ledger.push(second)] == [State.SENT, State.JUDGED]
    assert ledger.attempts(second) == ()
    ledger.sender.withhold("")
    assert ledger.push(second) is State.SENT


def test_a_call_is_prepared_while_it_cannot_be_sent_because_others_need_its_signature(ledger: Ledger) -> None:
    ledger.sender.withhold("no money")
    prepared: list[int] = []

    def prepare() -> Call:
        prepared.append(1)
        return Call(ADDRESS, REGISTRY, b"x")

    progress = ledger.sender.push(ledger.row(), prepare, block=ledger.chain.head())
    assert (progress, prepared) == (Publishing(State.JUDGED, "is not sent now: no money", is_alone=True), [1])

"""Transactions that arrive once, though the process may be killed and the node may lie at every step.

    sign -> store the signed bytes, durably -> send -> look at the contract's state -> send the same bytes again -> ...

What a node says to a sent transaction ("already known", "nonce too low", nothing at all) decides nothing, in either
direction. Only state does: a transaction is given up when its nonce is used and neither the contract shows its effect
nor a receipt says that it was ours. The contract takes a repetition as no change, so the worst case costs gas.

What a row's transaction says is decided when its first one is signed. Until nothing that this account signed for the
row is on its way any more, everything that it signs for it says the same.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count

from provenance_oracle.oracle.chain.rpc import Call, Chain, Prices
from provenance_oracle.oracle.chain.signers import Signer
from provenance_oracle.oracle.journal.journal import Journal
from provenance_oracle.oracle.journal.rows import Attempt, AttemptState, SignedTransaction, State
from provenance_oracle.verifier.errors import TemporaryError

# A replacement is taken by nodes if both fees rise by a tenth; an eighth leaves a margin.
_BUMP_NUMERATOR, _BUMP_DENOMINATOR = 9, 8
_GAS_MARGIN_PERCENT = 20
# Nodes hold at least this many transactions of one account ready (geth's txpool.accountslots).
_IN_FLIGHT_MAX = 16
_DROPPED_PER_DAY_MAX = 8


@dataclass(frozen=True)
class FeeLimits:
    """How much a transaction may cost, and when a waiting one is offered more. Fees are per unit of gas."""

    max_fee_wei: int
    priority_fee_max_wei: int
    gas_max: int
    bump_after_seconds: int


@dataclass(frozen=True)
class Publishing:
    """How far a release's record got, and a remark for the log."""

    state: State
    note: str = ""


class TransactionSender:
    """Keeps one account's transactions on their way: one call per row of the journal, a bounded number at once.

    Raises (every method):
        TemporaryError: node or disk fail, the call would revert, or fees are above the limit; the same call goes on
            where this one stopped.
    """

    def __init__(
        self,
        chain: Chain,
        signer: Signer,
        journal: Journal,
        limits: FeeLimits,
        *,
        chain_id: int,
        clock: Callable[[], datetime],
    ) -> None:
        self._chain = chain
        self._signer = signer
        self._journal = journal
        self._limits = limits
        self._chain_id = chain_id
        self._clock = clock

    @property
    def address(self) -> str:
        return self._signer.address

    def push(self, row_id: int, prepare: Callable[[], Call | Publishing], *, block: int) -> Publishing:
        """Bring a row's call one step further; the caller saw that the state at `block` lacks its effect.

        Args:
            prepare: makes the call, or says why there is nothing to send yet. Asked only if nothing is on its way.
        """
        # (1) a transaction whose nonce is used up by something else is given up
        used = self._chain.nonce(self.address, block)
        live = [attempt for attempt in self._live(row_id) if not self._is_spent(attempt, used)]
        # (2) without one, sign one; if it waits for too long, help it; each is stored before it leaves
        if live:
            live += self._help(live[-1], used)
        elif len(self._journal.live_nonces(self.address)) < _IN_FLIGHT_MAX:
            call = prepare()
            if isinstance(call, Publishing):
                return call
            live = [self._first(row_id, call, used)]
        else:
            return Publishing(State.JUDGED, f"waits for one of {_IN_FLIGHT_MAX} transactions on their way")
        # (3) the same bytes, again and again, until the state shows their effect
        newest = {attempt.transaction.nonce: attempt.transaction.raw for attempt in live}
        said = [self._chain.send(raw) for nonce, raw in sorted(newest.items()) if nonce >= used]
        return Publishing(State.SENT, f"node says: {said[0]}" if said and said[0] else "")

    def push_orphans(self, *, block: int) -> None:
        """Keep transactions of closed releases on their way: while their nonces are unused, all later ones wait."""
        orphans = self._journal.orphans(self.address)
        used = self._chain.nonce(self.address, block) if orphans else 0
        for orphan in orphans:
            if orphan.transaction.nonce < used:
                self._journal.settle(orphan.id, AttemptState.DROPPED)
            else:
                self._chain.send(orphan.transaction.raw)

    def settle(self, row_id: int) -> None:
        """Note which of a published release's transactions did it; others with the same nonce never will."""
        live = self._live(row_id)
        mined = [attempt for attempt in live if self._chain.succeeded(attempt.transaction.hash)]
        nonces = {attempt.transaction.nonce for attempt in mined}
        for attempt in live:
            if attempt in mined:
                self._journal.settle(attempt.id, AttemptState.MINED)
            elif attempt.transaction.nonce in nonces:
                self._journal.settle(attempt.id, AttemptState.DROPPED)

    def _live(self, row_id: int) -> list[Attempt]:
        """Live transactions of a row by this account, oldest first."""
        return [
            attempt
            for attempt in self._journal.attempts(row_id)
            if attempt.state is AttemptState.LIVE and attempt.transaction.sender == self.address
        ]

    def _is_spent(self, attempt: Attempt, used: int) -> bool:
        """Whether a transaction never will take effect: its nonce is used, and no receipt says that it did.

        One that succeeded while the state does not show it (the node lags, or answers from two machines) is waited for.
        """
        if attempt.transaction.nonce >= used or self._chain.succeeded(attempt.transaction.hash):
            return False
        self._journal.settle(attempt.id, AttemptState.DROPPED)
        return True

    def _first(self, row_id: int, call: Call, used: int) -> Attempt:
        self._check_waste(row_id)
        self._chain.simulate(call)
        prices = self._chain.prices()
        needed, cap = prices.base_fee_wei + self._tip(prices), self._limits.max_fee_wei
        if needed > cap:
            raise TemporaryError(
                "fees are above the limit", where="chain", got=f"{needed} wei", wanted=f"at most {cap}"
            )
        taken = self._journal.live_nonces(self.address)
        nonce = next(free for free in count(used) if free not in taken)
        return self._sign(row_id, call, nonce, min(self._comfortable(prices), cap), self._tip(prices))

    def _help(self, waiting: Attempt, used: int) -> list[Attempt]:
        """Sign what may bring a transaction forward that waits too long: nothing, if it does not or the limits forbid.

        Normally that is a dearer one with the same nonce. If a reorg took away what had used a lower nonce, no node
        will ever mine what comes after the gap; then it is one in the gap.
        """
        old, age = waiting.transaction, self._clock() - waiting.signed_at
        if old.nonce < used or age < timedelta(seconds=self._limits.bump_after_seconds):
            return []
        prices = self._chain.prices()
        max_fee = max(_raised(old.max_fee_wei), min(self._comfortable(prices), self._limits.max_fee_wei))
        tip = max(_raised(old.priority_fee_wei), self._tip(prices))
        if max_fee > self._limits.max_fee_wei or tip > self._limits.priority_fee_max_wei:
            return []
        is_gap = used not in self._journal.live_nonces(self.address)
        call = Call(old.sender, old.to, old.data)
        return [self._sign(waiting.release_id, call, used if is_gap else old.nonce, max_fee, tip)]

    def _tip(self, prices: Prices) -> int:
        return min(prices.priority_fee_wei, self._limits.priority_fee_max_wei)

    def _comfortable(self, prices: Prices) -> int:
        """Twice the base fee and the tip: five full blocks in a row, an eighth more each, do not price it out."""
        return 2 * prices.base_fee_wei + self._tip(prices)

    def _check_waste(self, row_id: int) -> None:
        """Stop paying for transactions that are mined without effect, until a day has passed."""
        since = self._clock() - timedelta(days=1)
        dropped = [a for a in self._journal.attempts(row_id) if a.state is AttemptState.DROPPED and a.signed_at > since]
        if len(dropped) >= _DROPPED_PER_DAY_MAX:
            raise TemporaryError(
                "transactions have no effect; look at the account and the registry",
                where=f"account {self.address}",
                got=f"{len(dropped)} within a day",
                wanted=f"fewer than {_DROPPED_PER_DAY_MAX}",
            )

    def _sign(self, row_id: int, call: Call, nonce: int, max_fee_wei: int, priority_fee_wei: int) -> Attempt:
        fields = {
            "type": 2,
            "chainId": self._chain_id,
            "nonce": nonce,
            "to": call.to,
            "value": 0,
            "data": call.data,
            "gas": self._gas(call),
            "maxFeePerGas": max_fee_wei,
            "maxPriorityFeePerGas": priority_fee_wei,
        }
        raw, digest = self._signer.sign_transaction(fields)
        transaction = SignedTransaction(
            self.address, nonce, digest, raw, max_fee_wei, priority_fee_wei, call.to, call.data
        )
        return self._journal.keep_transaction(row_id, transaction, at=self._clock())

    def _gas(self, call: Call) -> int:
        estimate, cap = self._chain.estimate_gas(call), self._limits.gas_max
        if estimate > cap:
            raise TemporaryError("call needs too much gas", where="chain", got=str(estimate), wanted=f"at most {cap}")
        return min(estimate * (100 + _GAS_MARGIN_PERCENT) // 100, cap)


def _raised(fee_wei: int) -> int:
    return fee_wei * _BUMP_NUMERATOR // _BUMP_DENOMINATOR + 1

"""Send transactions so that each takes effect once, even if the process is killed or the node lies at any step.

    sign -> store the signed bytes, durably -> send -> read the contract's state -> send the same bytes again -> ...

The node's answer to a sent transaction ("already known", "nonce too low", no answer) decides nothing. Only the state
decides: the sender gives up a transaction when its nonce is used in a final block, the contract does not show its
effect, and no receipt says that it succeeded. The contract treats a repetition as no change, so a repetition costs gas
at worst.

The first transaction of a row fixes the row's call. While a transaction of this account for the row is on its way, each
new one for the row has the same call.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count
from typing import Any

from provenance_oracle.oracle.chain.finality import Finality
from provenance_oracle.oracle.chain.rpc import Call, Chain, Prices
from provenance_oracle.oracle.chain.signers import Signer
from provenance_oracle.oracle.journal.journal import Journal
from provenance_oracle.oracle.journal.rows import Attempt, AttemptState, SignedTransaction, State
from provenance_oracle.verifier.errors import TemporaryError

# Nodes accept a replacement if both fees rise by a tenth. An eighth leaves a margin.
_BUMP_NUMERATOR, _BUMP_DENOMINATOR = 9, 8
_GAS_MARGIN_PERCENT = 20
# Nodes hold at least this many transactions of one account ready (geth's txpool.accountslots).
_IN_FLIGHT_MAX = 16
_DROPPED_PER_DAY_MAX = 8


@dataclass(frozen=True)
class FeeLimits:
    """The limits of a transaction's cost, and the age at which a waiting one gets higher fees.

    Fees are in wei per unit of gas. `gas_max` is the limit for one transaction.
    """

    max_fee_wei: int
    priority_fee_max_wei: int
    gas_max: int
    bump_after_seconds: int


@dataclass(frozen=True)
class Publishing:
    """The state that a row reached, and a remark for the journal and the log."""

    state: State
    note: str = ""


class TransactionSender:
    """Sends one account's transactions: one call for each row of the journal, at most _IN_FLIGHT_MAX at a time.

    Args:
        signer: pays for the transactions.
        finality: decides which nonces are used up for good.
        clock: returns the time now, with a time zone.

    Raises (every method):
        TemporaryError: the node or the disk fails, the call would revert (RevertedError), or fees or gas are above the
            limits. A later call of the same method goes on where this one stopped.
    """

    def __init__(
        self,
        chain: Chain,
        signer: Signer,
        journal: Journal,
        limits: FeeLimits,
        *,
        finality: Finality[Any],
        chain_id: int,
        clock: Callable[[], datetime],
    ) -> None:
        self._chain = chain
        self._signer = signer
        self._journal = journal
        self._limits = limits
        self._finality = finality
        self._chain_id = chain_id
        self._clock = clock

    @property
    def address(self) -> str:
        """The address of the account in checksum form."""
        return self._signer.address

    def push(self, row_id: int, prepare: Callable[[], Call | Publishing], *, block: int) -> Publishing:
        """Take a row's call one step further. The caller has seen that the state at `block` does not show its effect.

        Args:
            prepare: returns the call, or a `Publishing` if there is nothing to send yet. It is called only if no
                transaction of the row is on its way.

        Returns:
            SENT, with the node's objection as note if it has one; JUDGED if too many transactions are on their way;
            otherwise the `Publishing` from `prepare`.
        """
        # (1) give up each transaction whose nonce is used in a final block although it did not succeed
        used = self._chain.nonce(self.address, block)
        live = [attempt for attempt in self._live(row_id) if not self._is_spent(attempt, used, block)]
        # (2) if none is left, sign one; if one waits too long, sign another to help it; store each before it is sent
        if live:
            live += self._help(live[-1], used)
        elif len(self._journal.live_nonces(self.address)) < _IN_FLIGHT_MAX:
            call = prepare()
            if isinstance(call, Publishing):
                return call
            live = [self._first(row_id, call, used)]
        else:
            return Publishing(State.JUDGED, f"waits because {_IN_FLIGHT_MAX} transactions are on their way")
        # (3) send the same bytes again and again, until the state shows their effect
        newest = {attempt.transaction.nonce: attempt.transaction.raw for attempt in live}
        said = [self._chain.send(raw) for nonce, raw in sorted(newest.items()) if nonce >= used]
        return Publishing(State.SENT, f"node says: {said[0]}" if said and said[0] else "")

    def push_orphans(self, *, block: int) -> None:
        """Send live transactions of closed rows again. Transactions with later nonces wait until theirs are used."""
        orphans = self._journal.orphans(self.address)
        used = self._chain.nonce(self.address, block) if orphans else 0
        for orphan in orphans:
            if orphan.transaction.nonce >= used:
                self._chain.send(orphan.transaction.raw)
            elif orphan.transaction.nonce < self._finality.used_nonces(self.address, block):
                self._journal.settle(orphan.id, AttemptState.DROPPED)

    def settle(self, row_id: int) -> None:
        """Mark the transactions of a final row that succeeded as MINED, and others with the same nonce as DROPPED."""
        live = self._live(row_id)
        mined = [attempt for attempt in live if self._chain.succeeded(attempt.transaction.hash)]
        nonces = {attempt.transaction.nonce for attempt in mined}
        for attempt in live:
            if attempt in mined:
                self._journal.settle(attempt.id, AttemptState.MINED)
            elif attempt.transaction.nonce in nonces:
                self._journal.settle(attempt.id, AttemptState.DROPPED)

    def _live(self, row_id: int) -> list[Attempt]:
        """Return this account's live transactions of a row, oldest first."""
        return [
            attempt
            for attempt in self._journal.attempts(row_id)
            if attempt.state is AttemptState.LIVE and attempt.transaction.sender == self.address
        ]

    def _is_spent(self, attempt: Attempt, used: int, block: int) -> bool:
        """Return whether a transaction will never take effect, and mark it as DROPPED then.

        Its nonce is used in a final block, and no receipt says that it succeeded. A transaction that succeeded stays
        live even while the state does not show it: the node may lag, or two machines may answer.
        """
        nonce = attempt.transaction.nonce
        if nonce >= used or self._finality.succeeded(attempt.transaction.hash):
            return False
        if nonce >= self._finality.used_nonces(self.address, block):
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
        """Sign a transaction that brings a waiting one forward.

        Normally it has the same nonce and higher fees. But if a reorg removed the transaction with a lower nonce, no
        node will mine a transaction after that gap. It then has the nonce of the gap.

        Returns:
            The signed transaction; empty if the waiting one does not wait too long, or the limits forbid its fees.

        Raises:
            VerificationError: this account did not sign the waiting one.
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
        call = Call(old.sender, *self._signer.call_of(old.raw))  # the journal's other columns are not signed
        return [self._sign(waiting.release_id, call, used if is_gap else old.nonce, max_fee, tip)]

    def _tip(self, prices: Prices) -> int:
        return min(prices.priority_fee_wei, self._limits.priority_fee_max_wei)

    def _comfortable(self, prices: Prices) -> int:
        """Return twice the base fee plus the tip. That is enough even after five full blocks, each an eighth dearer."""
        return 2 * prices.base_fee_wei + self._tip(prices)

    def _check_waste(self, row_id: int) -> None:
        """Raise TemporaryError if too many transactions of a row had no effect within a day. This bounds the cost."""
        since = self._clock() - timedelta(days=1)
        dropped = [a for a in self._journal.attempts(row_id) if a.state is AttemptState.DROPPED and a.signed_at > since]
        if len(dropped) >= _DROPPED_PER_DAY_MAX:
            raise TemporaryError(
                "transactions have no effect; check the account and the registry",
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
            raise TemporaryError(
                "the call needs too much gas", where="chain", got=str(estimate), wanted=f"at most {cap}"
            )
        return min(estimate * (100 + _GAS_MARGIN_PERCENT) // 100, cap)


def _raised(fee_wei: int) -> int:
    return fee_wei * _BUMP_NUMERATOR // _BUMP_DENOMINATOR + 1

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
from functools import partial
from itertools import count
from typing import Any

from provenance_oracle.oracle.chain.dear_calls import DearTerms, affordable_offer
from provenance_oracle.oracle.chain.fees import FeeLimits, Offer, first_offer, higher_offer, limit_words
from provenance_oracle.oracle.chain.finality import Finality
from provenance_oracle.oracle.chain.rpc import Call, Chain, Receipt
from provenance_oracle.oracle.journal.journal import Journal
from provenance_oracle.oracle.journal.publications import PublicationKind
from provenance_oracle.oracle.journal.rows import Attempt, AttemptState, SignedTransaction, State
from provenance_oracle.oracle.metrics import SILENT, Meter
from provenance_oracle.oracle.signers.base import Signer
from provenance_oracle.verifier.errors import TemporaryError

_GAS_MARGIN_PERCENT = 20
# Nodes hold at least this many transactions of one account ready (geth's txpool.accountslots).
IN_FLIGHT_MAX = 16
_DROPPED_PER_DAY_MAX = 8
# Words of a node that objects to a fee. They lead to a remark and decide nothing.
_FEE_WORDS = ("underpriced", "fee", "gas price", "gasprice")


@dataclass(frozen=True)
class Publishing:
    """The state that a row reached, and a remark for the journal and the log.

    With `is_alone`, the reason why a row waits in `judged` concerns no other row.
    """

    state: State
    note: str = ""
    is_alone: bool = False


@dataclass(frozen=True)
class Work:
    """One call that is to take effect: a row's, or that of a batch.

    `attempts` returns every transaction signed for it, oldest first. `keep` stores a signed one for it, durably.
    `terms` are limits of its own.
    """

    attempts: Callable[[], tuple[Attempt, ...]]
    keep: Callable[[SignedTransaction], Attempt]
    terms: DearTerms | None = None


class TransactionSender:
    """Sends one account's transactions: one call for each row of the journal, at most `in_flight_max` at a time.

    Args:
        signer: pays for the transactions.
        finality: decides which nonces are used up for good.
        clock: returns the time now, with a time zone.
        in_flight_max: number of transactions that may be on their way at once.
        meter: times the signatures, and counts the gas and the fees of transactions that are in a final block.

    Raises (every method):
        TemporaryError: the node or the disk fails, the call would revert (RevertedError), or fees or gas are above the
            limits. A later call of the same method goes on where this one stopped.
    """

    def __init__(
        self,
        signer: Signer,
        journal: Journal,
        limits: FeeLimits,
        *,
        finality: Finality[Any],
        chain_id: int,
        clock: Callable[[], datetime],
        in_flight_max: int = IN_FLIGHT_MAX,
        meter: Meter = SILENT,
    ) -> None:
        self._in_flight_max = in_flight_max
        self._signer = signer
        self._journal = journal
        self._limits = limits
        self._finality = finality
        self._chain_id = chain_id
        self._clock = clock
        self._unpaid: dict[int, int] = {}  # by nonce, the wei that the account would need for higher fees
        self._meter = meter
        self._withheld = ""

    @property
    def _chain(self) -> Chain:
        return self._finality.first.chain

    @property
    def address(self) -> str:
        """The address of the account in checksum form."""
        return self._signer.address

    def has_slot(self, used: int) -> bool:
        """Return whether one more transaction may be on its way. `used` is the number of nonces used so far.

        A transaction that is mined has left its slot, because the node holds it no more.
        """
        return sum(nonce >= used for nonce in self._journal.live_nonces(self.address)) < self._in_flight_max

    def shortage(self, block: int) -> str:
        """Return why fees are not raised for want of money; empty if the account at `block` can pay for what waits."""
        if not self._unpaid:
            return ""
        used, balance = self._chain.nonce(self.address, block), self._chain.balance(self.address, block)
        self._unpaid = {nonce: wei for nonce, wei in self._unpaid.items() if nonce >= used and wei > balance}
        if not self._unpaid:
            return ""
        needed = max(self._unpaid.values())
        return f"the account {self.address} holds {balance} wei; higher fees for what it sent may need {needed}"

    def withhold(self, reason: str) -> None:
        """Begin no call until the next `withhold`, for this reason; an empty one lets calls begin again."""
        self._withheld = reason

    def push(self, row_id: int, prepare: Callable[[], Call | Publishing], *, block: int) -> Publishing:
        """Take the call of a single row one step further; see `push_work`."""
        return self.push_work(self._work_of(row_id), prepare, block=block)

    def push_batch(
        self,
        publication_id: int,
        prepare: Callable[[], Call | Publishing],
        *,
        block: int,
        terms: DearTerms | None = None,
    ) -> Publishing:
        """Take the call of a batch or a proof one step further; see `push_work`. `terms` are limits of its own."""
        return self.push_work(self._work_of_batch(publication_id, terms), prepare, block=block)

    def push_work(self, work: Work, prepare: Callable[[], Call | Publishing], *, block: int) -> Publishing:
        """Take a call one step further. The caller has seen that the state at `block` does not show its effect.

        Args:
            prepare: returns the call, or a `Publishing` if there is nothing to send yet. It is called only if no
                transaction of the row is on its way.

        Returns:
            SENT, with a note if the node objects, or if a limit of the fees or the account's money holds the
            transaction back; JUDGED if too many transactions are on their way, or no call may begin now; otherwise the
            `Publishing` from `prepare`.
        """
        # (1) give up each transaction whose nonce is used in a final block although it did not succeed
        used = self._chain.nonce(self.address, block)
        live = [attempt for attempt in _live(work, self.address) if not self._is_spent(attempt, used, block)]
        # (2) if none is left, sign one; if one waits too long, sign another to help it; store each before it is sent
        held_back = ""
        if live:
            helping, held_back = self._help(work, live[-1], used, block)
            live += helping
        else:
            call = prepare()
            if isinstance(call, Publishing):
                return call
            if self._withheld:
                return Publishing(State.JUDGED, f"is not sent now: {self._withheld}", is_alone=True)
            if not self.has_slot(used):
                return Publishing(State.JUDGED, f"waits because {self._in_flight_max} transactions are on their way")
            live = [self._first(work, call, used, block)]
        # (3) send the same bytes again and again, until the state shows their effect
        newest = {attempt.transaction.nonce: attempt.transaction.raw for attempt in live}
        said = [self._finality.broadcast(raw) for nonce, raw in sorted(newest.items()) if nonce >= used]
        objection = f"node says: {said[0]}" if said and said[0] else ""
        if any(word in objection.lower() for word in _FEE_WORDS):
            held_back = limit_words(self._chain.prices(), self._limits)
        return Publishing(State.SENT, "; ".join(note for note in (objection, held_back) if note))

    def push_orphans(self, *, block: int) -> None:
        """Send live transactions of closed rows again. Transactions with later nonces wait until theirs are used."""
        orphans = self._journal.orphans(self.address)
        used = self._chain.nonce(self.address, block) if orphans else 0
        for orphan in orphans:
            if orphan.transaction.nonce >= used:
                self._finality.broadcast(orphan.transaction.raw)
            elif orphan.transaction.nonce < self._finality.used_nonces(self.address, block):
                self._close(orphan, AttemptState.DROPPED, self._chain.receipt(orphan.transaction.hash))

    def settle(self, row_id: int) -> None:
        """Mark the transactions of a final row that succeeded as MINED, and others with the same nonce as DROPPED."""
        self._settle(self._work_of(row_id))

    def settle_batch(self, publication_id: int) -> None:
        """Do for a final batch or proof what `settle` does for a row."""
        self._settle(self._work_of_batch(publication_id))

    def _settle(self, work: Work) -> None:
        found = [(attempt, self._chain.receipt(attempt.transaction.hash)) for attempt in _live(work, self.address)]
        nonces = {attempt.transaction.nonce for attempt, receipt in found if receipt and receipt.succeeded}
        for attempt, receipt in found:
            if receipt and receipt.succeeded:
                self._close(attempt, AttemptState.MINED, receipt)
            elif attempt.transaction.nonce in nonces:
                self._close(attempt, AttemptState.DROPPED, receipt)

    def _close(self, attempt: Attempt, state: AttemptState, receipt: Receipt | None) -> None:
        """Store the last state of a transaction, and count its cost if it is in a block."""
        self._journal.settle(attempt.id, state)
        if receipt:
            self._meter.paid(receipt.gas, receipt.fee_wei, has_effect=receipt.succeeded)
            if self._journal.publication(attempt.publication_id).kind is PublicationKind.PROOF:
                self._meter.paid_for_proof(receipt.gas)

    def _work_of(self, row_id: int) -> Work:
        return Work(
            partial(self._journal.attempts, row_id),
            lambda signed: self._journal.keep_transaction(row_id, signed, at=self._clock()),
        )

    def _work_of_batch(self, publication_id: int, terms: DearTerms | None = None) -> Work:
        return Work(
            partial(self._journal.attempts_of, publication_id),
            lambda signed: self._journal.sign_publication(publication_id, signed, at=self._clock()),
            terms,
        )

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
        self._close(attempt, AttemptState.DROPPED, self._chain.receipt(attempt.transaction.hash))
        return True

    def _first(self, work: Work, call: Call, used: int, block: int) -> Attempt:
        self._check_waste(work)
        self._chain.simulate(call)
        offer = first_offer(self._chain.prices(), self._limits)
        gas = self._gas(call, work.terms)
        if work.terms:
            balance = self._chain.balance(self.address, block)
            offer = affordable_offer(work.terms, self._limits, self._chain.prices(), gas, balance)
        taken = self._journal.live_nonces(self.address)
        nonce = next(free for free in count(used) if free not in taken)
        return self._sign(work, call, nonce, offer, gas)

    def _help(self, work: Work, waiting: Attempt, used: int, block: int) -> tuple[list[Attempt], str]:
        """Sign a transaction that brings a waiting one forward.

        Normally it has the same nonce and higher fees. But if a reorg removed the transaction with a lower nonce, no
        node will mine a transaction after that gap. It then has the nonce of the gap.

        Returns:
            The signed transaction, or none if the waiting one does not wait too long, the limits forbid its fees, or
            the account cannot pay them. Then words that name the reason.

        Raises:
            VerificationError: this account did not sign the waiting one.
        """
        old, age = waiting.transaction, self._clock() - waiting.signed_at
        self._unpaid.pop(old.nonce, None)
        if old.nonce < used or age < timedelta(seconds=self._limits.bump_after_seconds):
            return [], ""
        prices, taken = self._chain.prices(), self._journal.live_nonces(self.address)
        call = Call(old.sender, *self._signer.call_of(old.raw))  # the journal's other columns are not signed
        offered, limits = Offer(old.max_fee_wei, old.priority_fee_wei, prices.is_legacy), self._limits
        if work.terms and old.nonce == max(taken):  # no other call waits for it
            limits = work.terms.under(self._limits, self._gas(call, work.terms))
        offer = higher_offer(offered, prices, limits)
        if offer is None:
            if work.terms and limits is not self._limits:
                return [], f"the setting {work.terms.setting} allows no higher fee"
            return [], limit_words(prices, self._limits)
        is_gap = used not in taken
        if offer == offered and not is_gap:
            return [], ""
        nonce, gas = used if is_gap else old.nonce, self._gas(call, work.terms)
        needed = offer.max_fee_wei * gas * (nonce - used + 1)  # those before it are mined first, and need as much each
        if needed > self._chain.balance(self.address, block):
            self._unpaid[old.nonce] = needed
            return [], "the account cannot pay higher fees"
        return [self._sign(work, call, nonce, offer, gas)], ""

    def _check_waste(self, work: Work) -> None:
        """Raise TemporaryError if too many transactions of a call had no effect within a day. This bounds the cost."""
        since = self._clock() - timedelta(days=1)
        dropped = [a for a in work.attempts() if a.state is AttemptState.DROPPED and a.signed_at > since]
        if len(dropped) >= _DROPPED_PER_DAY_MAX:
            raise TemporaryError(
                "transactions have no effect; check the account and the registry",
                where=f"account {self.address}",
                got=f"{len(dropped)} within a day",
                wanted=f"fewer than {_DROPPED_PER_DAY_MAX}",
            )

    def _sign(self, work: Work, call: Call, nonce: int, offer: Offer, gas: int) -> Attempt:
        fields = {
            **offer.fields(),
            "chainId": self._chain_id,
            "nonce": nonce,
            "to": call.to,
            "value": 0,
            "data": call.data,
            "gas": gas,
        }
        with self._meter.step("sign"):
            raw, digest = self._signer.sign_transaction(fields)
        transaction = SignedTransaction(
            self.address, nonce, digest, raw, offer.max_fee_wei, offer.priority_fee_wei, call.to, call.data
        )
        return work.keep(transaction)

    def _gas(self, call: Call, terms: DearTerms | None) -> int:
        estimate, cap = self._chain.estimate_gas(call), terms.gas_max if terms else self._limits.gas_max
        if estimate > cap:
            wanted = f"at most {cap}; raise the setting gas_max to allow more"
            raise TemporaryError("the call needs too much gas", where="chain", got=str(estimate), wanted=wanted)
        return min(estimate * (100 + _GAS_MARGIN_PERCENT) // 100, cap)


def _live(work: Work, sender: str) -> list[Attempt]:
    """Return an account's live transactions of a call, oldest first."""
    return [a for a in work.attempts() if a.state is AttemptState.LIVE and a.transaction.sender == sender]

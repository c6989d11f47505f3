"""The limits of a call that costs much more than a record, and for which no record may have to wait."""

from __future__ import annotations

from dataclasses import dataclass

from provenance_oracle.oracle.chain.fees import FeeLimits, Offer, first_offer
from provenance_oracle.oracle.chain.rpc import Prices
from provenance_oracle.oracle.conditions import TroubleError
from provenance_oracle.verifier.errors import TemporaryError

_RESERVE = 2  # the account must be able to pay so many times, or nothing would be left for records
_WEI_PER_GWEI = 10**9


@dataclass(frozen=True)
class DearTerms:
    """The limits of a dear call.

    Attributes:
        gas_max: its gas at most, whatever the limit for other calls is.
        cost_max_wei: what its transaction may cost at most. A waiting one gets higher fees above that only if
            transactions of other calls wait for its nonce.
        setting: the name of the setting with that limit, for messages.
    """

    gas_max: int
    cost_max_wei: int
    setting: str

    def under(self, limits: FeeLimits, gas: int) -> FeeLimits:
        """Return the limits of a transaction with this gas: `limits`, and no higher cost."""
        max_fee_wei = min(limits.max_fee_wei, self.cost_max_wei // gas)
        return FeeLimits(max_fee_wei, limits.priority_fee_max_wei, self.gas_max, limits.bump_after_seconds)


def affordable_offer(terms: DearTerms, limits: FeeLimits, prices: Prices, gas: int, balance_wei: int) -> Offer:
    """Return the fees of a dear call's first transaction.

    Raises:
        TemporaryError: the chain asks for more than the terms allow, or too little money would be left for records.
    """
    try:
        offer = first_offer(prices, terms.under(limits, gas))
    except TroubleError as error:
        got = f"about {_in_gwei((prices.base_fee_wei + prices.priority_fee_wei) * gas)}"
        wanted = f"at most {_in_gwei(terms.cost_max_wei)}; raise the setting {terms.setting} to pay more"
        raise TemporaryError("it costs too much now", where="chain", got=got, wanted=wanted) from error
    needed_wei = _RESERVE * gas * offer.max_fee_wei
    if balance_wei < needed_wei:
        wanted = f"{needed_wei} wei, so that enough is left for records"
        raise TemporaryError("the account holds too little", where="account", got=f"{balance_wei} wei", wanted=wanted)
    return offer


def _in_gwei(wei: int) -> str:
    return f"{wei / _WEI_PER_GWEI:.0f} gwei"

"""Decide how much a transaction offers: on chains with a base fee (EIP-1559), without one, and without fees at all."""

from __future__ import annotations

from dataclasses import dataclass

from provenance_oracle.oracle.chain.rpc import Prices
from provenance_oracle.oracle.conditions import Trouble, TroubleError

# Nodes accept a replacement if both fees rise by a tenth. An eighth leaves a margin.
_BUMP_NUMERATOR, _BUMP_DENOMINATOR = 9, 8
_WEI_PER_GWEI = 10**9


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
class Offer:
    """The fees of one transaction in wei per unit of gas. On a chain without a base fee both are the gas price."""

    max_fee_wei: int
    priority_fee_wei: int
    is_legacy: bool

    def fields(self) -> dict[str, int]:
        """Return the fee fields of a transaction, and its type if it is not a legacy one."""
        if self.is_legacy:
            return {"gasPrice": self.max_fee_wei}
        return {"type": 2, "maxFeePerGas": self.max_fee_wei, "maxPriorityFeePerGas": self.priority_fee_wei}


def first_offer(prices: Prices, limits: FeeLimits) -> Offer:
    """Return the fees of a first transaction.

    Raises:
        TroubleError: the chain's fees are above the limits.
    """
    needed, cap = prices.base_fee_wei + _tip(prices, limits), limits.max_fee_wei
    if needed > cap:
        wanted = f"at most {_gwei(cap)}; raise the setting max_fee_gwei to pay more"
        raise TroubleError(Trouble.FEES, "fees are above the limit", where="chain", got=f"{needed} wei", wanted=wanted)
    return Offer(min(_comfortable(prices, limits), cap), _tip(prices, limits), prices.is_legacy)


def higher_offer(old: Offer, prices: Prices, limits: FeeLimits) -> Offer | None:
    """Return higher fees for a transaction that waits; the old ones on a chain without fees; None above the limits."""
    if prices.base_fee_wei + prices.priority_fee_wei == old.max_fee_wei == 0:
        return old
    max_fee = max(_raised(old.max_fee_wei), min(_comfortable(prices, limits), limits.max_fee_wei))
    tip = max(_raised(old.priority_fee_wei), _tip(prices, limits))
    if max_fee > limits.max_fee_wei or (tip > limits.priority_fee_max_wei and not prices.is_legacy):
        return None
    return Offer(max_fee, max_fee if prices.is_legacy else min(tip, max_fee), prices.is_legacy)


def limit_words(prices: Prices, limits: FeeLimits) -> str:
    """Return words that name the setting whose limit holds a transaction back; empty if none does."""
    if not prices.is_legacy and prices.priority_fee_wei > limits.priority_fee_max_wei:
        asked, cap = _gwei(prices.priority_fee_wei), _gwei(limits.priority_fee_max_wei)
        return f"the node suggests a tip of {asked}; the setting priority_fee_max_gwei allows {cap}"
    if _comfortable(prices, limits) > limits.max_fee_wei:
        asked, cap = _gwei(_comfortable(prices, limits)), _gwei(limits.max_fee_wei)
        return f"the chain may need a fee of {asked}; the setting max_fee_gwei allows {cap}"
    return ""


def _tip(prices: Prices, limits: FeeLimits) -> int:
    return prices.priority_fee_wei if prices.is_legacy else min(prices.priority_fee_wei, limits.priority_fee_max_wei)


def _comfortable(prices: Prices, limits: FeeLimits) -> int:
    """Return twice the base fee plus the tip. That is enough even after five full blocks, each an eighth dearer."""
    return 2 * prices.base_fee_wei + _tip(prices, limits)


def _raised(fee_wei: int) -> int:
    return fee_wei * _BUMP_NUMERATOR // _BUMP_DENOMINATOR + 1


def _gwei(wei: int) -> str:
    return f"{wei / _WEI_PER_GWEI:g} gwei"

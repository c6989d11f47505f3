"""Tests of the fees that a transaction offers, and of the limits on them."""

from __future__ import annotations

import pytest

from provenance_oracle.oracle.chain.fees import FeeLimits, Offer, first_offer, higher_offer, limit_words
from provenance_oracle.oracle.chain.rpc import Prices
from provenance_oracle.verifier.errors import TemporaryError

LIMITS = FeeLimits(max_fee_wei=1000, priority_fee_max_wei=50, gas_max=1, bump_after_seconds=1)
LEGACY = Prices(0, 200, is_legacy=True)


def test_a_legacy_offer_is_the_gas_price_and_only_the_whole_fee_limits_it() -> None:
    offer = first_offer(LEGACY, LIMITS)
    assert (offer, offer.fields()) == (Offer(200, 200, is_legacy=True), {"gasPrice": 200})
    raised = higher_offer(offer, LEGACY, LIMITS)
    assert raised == Offer(226, 226, is_legacy=True)
    assert higher_offer(Offer(900, 900, is_legacy=True), LEGACY, LIMITS) is None
    with pytest.raises(TemporaryError, match=r"fees are above the limit: got 1001 wei.*max_fee_gwei"):
        first_offer(Prices(0, 1001, is_legacy=True), LIMITS)


def test_an_offer_with_a_base_fee_has_both_fees_and_a_tip_below_the_whole() -> None:
    offer = first_offer(Prices(100, 60), LIMITS)
    assert offer.fields() == {"type": 2, "maxFeePerGas": 250, "maxPriorityFeePerGas": 50}
    assert higher_offer(offer, Prices(100, 60), LIMITS) is None
    narrow = FeeLimits(max_fee_wei=40, priority_fee_max_wei=50, gas_max=1, bump_after_seconds=1)
    raised = higher_offer(Offer(20, 20, is_legacy=False), Prices(0, 45), narrow)
    assert raised == Offer(40, 40, is_legacy=False)


@pytest.mark.parametrize("is_legacy", [False, True])
def test_nothing_is_offered_where_nothing_is_asked(is_legacy: bool) -> None:
    free = Prices(0, 0, is_legacy)
    offer = first_offer(free, FeeLimits(0, 0, 1, 1))
    assert offer == higher_offer(offer, free, LIMITS) == Offer(0, 0, is_legacy)


def test_the_setting_that_holds_a_transaction_back_is_named() -> None:
    assert "priority_fee_max_gwei allows 5e-08 gwei" in limit_words(Prices(100, 60), LIMITS)
    assert "max_fee_gwei allows 1e-06 gwei" in limit_words(Prices(900, 10), LIMITS)
    assert limit_words(Prices(100, 10), LIMITS) == limit_words(LEGACY, LIMITS) == ""

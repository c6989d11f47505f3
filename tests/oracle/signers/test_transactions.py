"""Tests of transactions as bytes, compared with those of eth-account."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provenance_oracle.oracle.signers.environment import EnvironmentSigner
from provenance_oracle.oracle.signers.transactions import UnsignedTransaction, created_by
from provenance_oracle.verifier.registry.light_imports import light_imports

with light_imports():
    from eth_account import Account

KEY = "11" * 32
SIGNER = EnvironmentSigner("K", {"K": KEY})
ADDRESSES = st.binary(min_size=20, max_size=20).map(lambda data: f"0x{data.hex()}")
COMMON = {
    "chainId": st.integers(1, 2**53),
    "nonce": st.integers(0, 2**32),
    "gas": st.integers(21_000, 2**32),
    "value": st.integers(0, 2**128),
    "data": st.binary(max_size=300),
}
LEGACY = st.fixed_dictionaries({**COMMON, "gasPrice": st.integers(0, 2**64)}, optional={"to": ADDRESSES})
TYPED = st.fixed_dictionaries(
    {**COMMON, "maxFeePerGas": st.integers(0, 2**64), "maxPriorityFeePerGas": st.integers(0, 2**64), "to": ADDRESSES}
)


@given(st.one_of(LEGACY, TYPED))
def test_both_forms_are_those_of_eth_account(fields: dict[str, Any]) -> None:
    """A key in memory signs deterministically, so every byte is the same."""
    with light_imports():
        from eth_utils.address import to_checksum_address
    if "to" in fields:
        fields["to"] = to_checksum_address(fields["to"])
    wanted = Account.sign_transaction(fields, KEY)
    assert SIGNER.sign_transaction(fields) == (bytes(wanted.raw_transaction), bytes(wanted.hash))


def test_data_and_type_may_be_text_and_the_sender_is_left_out() -> None:
    fields = {"chainId": 1, "nonce": 0, "gas": 9, "value": 0, "to": "0x" + "22" * 20, "gasPrice": 1, "data": b"\x01"}
    other = fields | {"data": "0x01", "from": SIGNER.address, "type": "0x0"}
    assert SIGNER.sign_transaction(other) == SIGNER.sign_transaction(fields)


def test_a_creation_is_read_again() -> None:
    fields = {"chainId": 1, "nonce": 7, "gas": 9, "value": 0, "to": b"", "gasPrice": 1, "data": b"code"}
    raw, _ = SIGNER.sign_transaction(fields)
    assert created_by(SIGNER.address, raw) == (7, b"code")
    assert created_by("0x" + "00" * 20, raw) is None
    assert created_by(SIGNER.address, raw[:-1]) is None


@pytest.mark.parametrize(
    "change",
    [
        {"accessList": []},
        {"maxFeePerGas": 1},
        {"type": 2},
        {"type": 1},
        {"nonce": None},
        {"nonce": "0x1"},
        {"nonce": True},
        {"gas": -1},
        {"value": 2**256},
        {"to": "0x11"},
        {"data": 5},
        {"data": "0xzz"},
    ],
)
def test_other_fields_are_refused(change: dict[str, Any]) -> None:
    fields = {"chainId": 1, "nonce": 0, "gas": 9, "value": 0, "to": "0x" + "22" * 20, "gasPrice": 1, "data": b""}
    UnsignedTransaction(fields)
    with pytest.raises(ValueError):
        UnsignedTransaction(fields | change)

"""Transactions as bytes: the digest that a key signs, the raw bytes with the signature, and how to read them again.

Two forms are written: legacy transactions with a chain id (EIP-155) and type 2 (EIP-1559). A contract creation has no
receiver.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from provenance_oracle.oracle.signers.signatures import eth_account, split_compact
from provenance_oracle.verifier.errors import VerificationError
from provenance_oracle.verifier.record.keccak import keccak256

_FEE_MARKET_TYPE = 2  # EIP-2718's number of EIP-1559's transactions
_RLP_LIST = 0xC0  # a raw transaction that begins with this or more has no type
_LEGACY_FIELDS = {"chainId", "nonce", "gasPrice", "gas", "to", "value", "data", "from", "type"}
_TYPED_FIELDS = {
    "chainId",
    "nonce",
    "maxPriorityFeePerGas",
    "maxFeePerGas",
    "gas",
    "to",
    "value",
    "data",
    "from",
    "type",
}
# EIP-155: v of a legacy transaction is its parity, and this, and twice the chain's id.
_PROTECTED_V = 35


class UnsignedTransaction:
    """A transaction that waits for its signature.

    Args:
        fields: as JSON-RPC names them, numbers as int, `data` as bytes or hex. `gasPrice` makes a legacy transaction,
            `maxFeePerGas` one of type 2. `to` is absent or empty for a creation. `from` and `type` are not signed.

    Raises:
        ValueError: a field is unknown, missing or of the wrong type.
    """

    def __init__(self, fields: Mapping[str, Any]) -> None:
        self._is_legacy = "gasPrice" in fields
        known = _LEGACY_FIELDS if self._is_legacy else _TYPED_FIELDS
        if unknown := set(fields) - known:
            raise ValueError(f"a transaction has no such fields here: {sorted(unknown)}")
        if int(str(fields.get("type") or _type(self._is_legacy)), 0) != _type(self._is_legacy):
            raise ValueError("the transaction's type does not fit its fees")
        self._chain_id = _number(fields, "chainId")
        to, data = _address(fields.get("to")), _data(fields.get("data"))
        call = [_number(fields, "gas"), to, _number(fields, "value"), data]
        if self._is_legacy:
            self._values = [_number(fields, "nonce"), _number(fields, "gasPrice"), *call]
        else:
            fees = [_number(fields, name) for name in ("maxPriorityFeePerGas", "maxFeePerGas")]
            self._values = [self._chain_id, _number(fields, "nonce"), *fees, *call, []]

    @property
    def digest(self) -> bytes:
        """The digest (32 bytes) that the account's key signs."""
        return keccak256(self._encoded(self._chain_id, 0, 0) if self._is_legacy else self._encoded())

    def signed(self, compact: bytes) -> tuple[bytes, bytes]:
        """Return the raw bytes and the hash (32 bytes) of the transaction with a compact signature of `digest`."""
        r, s, parity = split_compact(compact)
        v = parity + _PROTECTED_V + 2 * self._chain_id if self._is_legacy else parity
        raw = self._encoded(v, r, s)
        return raw, keccak256(raw)

    def _encoded(self, *end: int) -> bytes:
        from rlp import encode  # type: ignore[import-untyped]

        data = bytes(encode([*self._values, *end]))
        return data if self._is_legacy else bytes((_FEE_MARKET_TYPE,)) + data


def signed_call(raw: bytes, address: str) -> tuple[str, bytes]:
    """Return the receiver and the data of a raw transaction that `address` signed.

    Raises:
        VerificationError: the bytes are no transaction that this account signed.
    """
    from eth_utils.address import to_checksum_address
    from rlp import decode

    library = eth_account()
    try:
        sender = library.recover_transaction(raw)
        is_typed = raw[0] < _RLP_LIST  # EIP-2718
        fields: Any = decode(raw[1:] if is_typed else raw)
        to, data = (fields[5], fields[7]) if is_typed else (fields[3], fields[5])
        receiver = str(to_checksum_address(to))
    except Exception:  # the library can raise almost any exception for malformed bytes
        sender = "nobody"
    if sender != address:
        problem = "the journal holds a transaction that this key did not sign"
        raise VerificationError(problem, where="journal", got=f"signed by {sender}", wanted=f"signed by {address}")
    return receiver, bytes(data)


def created_by(address: str, raw: bytes) -> tuple[int, bytes] | None:
    """Return nonce and data of a raw legacy transaction that creates a contract; None if `address` signed no such."""
    from rlp import decode

    try:
        if eth_account().recover_transaction(raw) != address:
            return None
        fields: Any = decode(raw)
        return (int.from_bytes(fields[0], "big"), bytes(fields[5])) if not fields[3] else None
    except Exception:  # the library can raise almost any exception for malformed bytes
        return None


def _type(is_legacy: bool) -> int:
    return 0 if is_legacy else _FEE_MARKET_TYPE


def _number(fields: Mapping[str, Any], name: str) -> int:
    value = fields.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 1 << 256:
        raise ValueError(f"the field {name} of a transaction is not a number: {value!r}")
    return value


def _address(value: object) -> bytes:
    address = _data(value)
    if len(address) not in (0, 20):
        raise ValueError("the receiver of a transaction is not an address")
    return address


def _data(value: object) -> bytes:
    if isinstance(value, str):
        return bytes.fromhex(value.removeprefix("0x"))
    if value is not None and not isinstance(value, bytes):
        raise ValueError(f"the data of a transaction are {type(value).__name__}, not bytes")
    return bytes(value or b"")

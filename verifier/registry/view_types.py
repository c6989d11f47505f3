"""Encode the call of a contract's view and decode its answer, by the view's types in the ABI.

web3 compares a call with the whole ABI each time, which costs more than the call. Here the types are looked up once.
"""

from __future__ import annotations

from typing import Any

from provenance_oracle.verifier.record.keccak import keccak256

_SELECTOR_BYTES = 4


class ViewType:
    """One view of a contract.

    Args:
        item: the view's item in the ABI.
        codec: encodes and decodes values by their types, such as `web3.codec`.
    """

    def __init__(self, item: Any, codec: Any) -> None:
        from eth_utils.abi import abi_to_signature, get_abi_input_types, get_abi_output_types

        self._codec = codec
        self._selector = keccak256(abi_to_signature(item).encode())[:_SELECTOR_BYTES]
        self._inputs = get_abi_input_types(item)
        self._outputs = get_abi_output_types(item)

    def call_data(self, arguments: tuple[object, ...]) -> bytes:
        """Return selector and encoded arguments. Raise what the codec raises for arguments of other types."""
        return self._selector + bytes(self._codec.encode(self._inputs, arguments))

    def decode(self, answer: bytes) -> object:
        """Return the view's only result, or a tuple of several. Raise what the codec raises for other bytes."""
        results = tuple(self._codec.decode(self._outputs, answer))
        return results[0] if len(results) == 1 else results

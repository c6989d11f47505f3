"""Parse the values that web3 decoded from a node's answer, before anything else reads them.

web3 decodes an answer by the contract's ABI into tuples, numbers, bytes and texts. The functions here check the number
and the types of these values. An answer that differs from the ABI is a `FormatError`, never a wrong field.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.errors import FormatError

ACCOUNT_BYTES = 20
WORD_BYTES = 32
_NUMBER_MAX_BITS = 8 * WORD_BYTES

# A function of this module, or one like it: takes a value and the name of its contract, raises FormatError.
ValueParser = Callable[[Any, str], Any]


def parse_members(answer: object, parsers: Sequence[ValueParser], where: str) -> tuple[Any, ...]:
    """Return the parsed members of a struct, in the ABI's order.

    Args:
        parsers: one for each member.

    Raises:
        FormatError: the struct has another number of members, or a parser refuses one (check `registry-record`).
    """
    members = parse_items(answer, where)
    if len(members) != len(parsers):
        raise _malformed(where, f"{len(members)} members", f"{len(parsers)} members")
    return tuple(parse(member, where) for parse, member in zip(parsers, members, strict=True))


def parse_arguments(arguments: Mapping[str, Any], parsers: Mapping[str, ValueParser], where: str) -> tuple[Any, ...]:
    """Return the parsed arguments of an event, in the order of `parsers`, which has one for each name.

    Raises:
        FormatError: an argument is missing, or a parser refuses one (check `registry-record`).
    """
    for name in parsers:
        if name not in arguments:
            raise _malformed(where, f"no {name}", f"the argument {name}")
    return tuple(parse(arguments[name], where) for name, parse in parsers.items())


def parse_items(answer: object, where: str) -> tuple[Any, ...]:
    """Return the items of a list. Raises FormatError for anything else."""
    if not isinstance(answer, list | tuple):
        raise _malformed(where, type(answer).__name__, "a list")
    return tuple(answer)


def parse_number(answer: object, where: str) -> int:
    """Return a whole number from 0 on of at most 256 bits. Raises FormatError for all else, True and False included."""
    if not isinstance(answer, int) or isinstance(answer, bool) or answer < 0:
        raise _malformed(where, type(answer).__name__, "a whole number")
    if answer.bit_length() > _NUMBER_MAX_BITS:  # Python could not even print it
        raise _malformed(where, f"a number of {answer.bit_length()} bits", f"at most {_NUMBER_MAX_BITS} bits")
    return answer


def parse_flag(answer: object, where: str) -> bool:
    """Return a bool. Raises FormatError for anything else."""
    if not isinstance(answer, bool):
        raise _malformed(where, type(answer).__name__, "true or false")
    return answer


def parse_text(answer: object, where: str) -> str:
    """Return a text. Raises FormatError for anything else."""
    if not isinstance(answer, str):
        raise _malformed(where, type(answer).__name__, "text")
    return answer


def parse_bytes(answer: object, where: str) -> bytes:
    """Return bytes of any length. Raises FormatError for anything else."""
    if not isinstance(answer, bytes):
        raise _malformed(where, type(answer).__name__, "bytes")
    return bytes(answer)


def parse_word(answer: object, where: str) -> bytes:
    """Return a digest or id, 32 bytes. Raises FormatError for anything else."""
    word = parse_bytes(answer, where)
    if len(word) != WORD_BYTES:
        raise _malformed(where, f"{len(word)} bytes", f"{WORD_BYTES} bytes")
    return word


def parse_account(answer: object, where: str) -> bytes:
    """Return the 20 bytes of an address, which web3 gives as hex. Raises FormatError for anything else."""
    text = parse_text(answer, where)
    try:
        address = bytes.fromhex(text.removeprefix("0x"))
    except ValueError:
        address = b""
    if len(address) != ACCOUNT_BYTES:
        raise _malformed(where, text, "0x and 40 hex digits")
    return address


def _malformed(where: str, got: str, wanted: str) -> FormatError:
    return FormatError(
        "not what the contract's ABI says", check=Check.REGISTRY_RECORD, where=where, got=got, wanted=wanted
    )

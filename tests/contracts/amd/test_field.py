"""The field of P-384 agrees with Python's integers where words, halves and p wrap, and a field with one of its rare
branches removed does not.
"""

from __future__ import annotations

import os
import random
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.support.evm import Evm
from tests.support.snp_contracts import encode_call
from tests.support.solidity import Compile, Way, code_of

pytestmark = pytest.mark.chain

_P = 2**384 - 2**128 - 2**96 + 2**32 - 1
_D = 2**96 - 2**32 + 1
_ROOT = Path(__file__).parents[3]
_FIELD = "contracts/amd/P384Field.sol"
_PARTS = "hardhat/test/amd/FieldParts.sol"
_PAIRS = int(os.environ.get("PROVENANCE_EVM_MUTANTS", "2000"))
_PAIRS_IN_A_CALL = 400
Pair = tuple[int, int]

_HIGHS = (0, 1, 2**128 - 1, 2**128, 2**255, 2**256 - 2**128, 2**256 - 2, 2**256 - 1)
_LOWS = (0, 1, _D - 1, _D, 2**127, 2**128 - _D, 2**128 - 1)
_CORNERS = tuple(high << 128 | low for high in _HIGHS for low in _LOWS)
# Products that are congruent to these are near 0, p or 2^384 before the last reduction.
_TARGETS = (0, 1, 2, _D - 1, _D, 2**128 - 1, 2**128, 2**128 + _D - 1, 2**128 + _D, 2**128 + _D + 1, 2**200, _P - 1)

# The code that only a rare carry or borrow reaches, and what a careless hand might have written.
_MUTANTS = {
    "settle wraps": ("if (wraps != 0) (high, low) = _wrapped(high, low, c);", ""),
    "settle wraps below 0": ("wraps := xor(lt(high, m), slt(c, 0))", "wraps := lt(high, m)"),
    "minus wraps": ("if (wraps != 0) (high, low) = _wrapped(high, low, N);", ""),
    "a carry": ("if (carries != 0) (high, low) = _carried(high, low, m, t);", ""),
    "carry of the low word": ("carries := or(lt(low, t), lt(high, m))", "carries := lt(high, m)"),
    "carry of the high word": ("carries := or(lt(low, t), lt(high, m))", "carries := lt(low, t)"),
    "both carries": ("over := add(over, lt(high, SHIFT))", ""),
    "carry of a wrap": ("high := add(add(h, 1), shr(128, low))", "high := add(h, 1)"),
    "borrow of a wrap": ("high := add(sub(h, 1), sar(128, low))", "high := sub(h, 1)"),
    "what a carry is worth": ("low := add(and(l, LOW), mul(over, D))", "low := and(l, LOW)"),
}


@pytest.mark.parametrize("via_ir", [True, False])
def test_field_agrees_with_integers(evm: Evm, compile_one: Compile, via_ir: bool) -> None:
    pairs = [(x, y) for x in _CORNERS for y in _CORNERS] + _pairs(_PAIRS)
    assert _wrong(evm, compile_one(_PARTS, "FieldParts", Way(via_ir=via_ir)), pairs) == []


@pytest.mark.parametrize("name", _MUTANTS)
def test_a_field_without_a_rare_branch_is_found_out(evm: Evm, compile_one: Compile, name: str) -> None:
    text = (_ROOT / _FIELD).read_text()
    old, new = _MUTANTS[name]
    assert old in text
    mutant = compile_one(_PARTS, "FieldParts", Way(via_ir=False), {_FIELD: text.replace(old, new)})
    assert _wrong(evm, mutant, [(x, y) for x in _CORNERS for y in _CORNERS] + _pairs(1000)) != []


def test_zero_is_zero_or_p(evm: Evm, compile_one: Compile) -> None:
    address = evm.deploy(code_of(compile_one(_PARTS, "FieldParts", Way(via_ir=False))))
    elements = (*_CORNERS, _P, _P - 1, _P + 1)
    calls = [encode_call("isZero(uint256,uint256)", *_words(element)) for element in elements]
    got = [answer.number for answer in evm.calls(address, calls)]
    assert got == [int(element % _P == 0) for element in elements]


def _pairs(count: int) -> list[Pair]:
    """Return pairs of elements whose product is steered to a target, with fixed seeds; some are not below p."""
    rng, found = random.Random("field"), []
    for _ in range(count):
        x = rng.choice(
            (rng.randrange(1, _P), rng.randrange(1, 2 ** rng.randrange(2, 384)), rng.choice(_CORNERS) % _P or 1)
        )
        target = rng.choice((*_TARGETS, rng.randrange(2 ** rng.randrange(1, 384))))
        y = target * pow(x, -1, _P) % _P
        # an element below 2^384 - p has two forms
        found.append((x, y if y + _P >= 2**384 or rng.randrange(2) else y + _P))
        # differences that wrap
        found.append((x, (x + rng.choice(_TARGETS)) % 2**384))
    return found


def _wrong(evm: Evm, compiled: object, pairs: Sequence[Pair]) -> list[tuple[Pair, int]]:
    """Return the pairs, each with a number of a result, of which the contract's result is wrong."""
    address = evm.deploy(code_of(compiled))  # type: ignore[arg-type]
    chunks = [pairs[start : start + _PAIRS_IN_A_CALL] for start in range(0, len(pairs), _PAIRS_IN_A_CALL)]
    calls = [
        encode_call("field(uint256[])", [word for pair in chunk for element in pair for word in _words(element)])
        for chunk in chunks
    ]
    wrong = []
    for chunk, answer in zip(chunks, evm.calls(address, calls), strict=True):
        assert not answer.reverted
        words = [int.from_bytes(answer.data[at : at + 32], "big") for at in range(64, len(answer.data), 32)]
        for index, (x, y) in enumerate(chunk):
            wanted = (x * y, x * x, x - y, x * y - 8 * y * y, 3 * (x * x - y * y))
            for number, value in enumerate(wanted):
                high, low = words[10 * index + 2 * number : 10 * index + 2 * number + 2]
                if low >= 2**128 or ((high << 128 | low) - value) % _P:
                    wrong.append(((x, y), number))
    return wrong


def _words(element: int) -> Pair:
    return element >> 128, element & (2**128 - 1)

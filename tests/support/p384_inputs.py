"""Inputs of P384.verify on whose way sums of points are exceptional. No signer would ever make them."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec

P384Case = tuple[bytes, bool]
"""An input of P384.verify, and whether it is a signature."""

P384_ORDER = int("ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973", 16)
_COMB_BITS = 49


def exceptional_inputs(count: int) -> Iterator[P384Case]:
    """Yield inputs for u1 * G + u2 * Q, Q = d * G, on whose way a sum meets the point that is added, or its opposite.

    The way is that of the contract: from bit 384 down, double, add a digit of u2 times Q, and from bit 48 on add the
    comb's point of that column. r is the x of the result, and the rest follows: s = r / u2, digest = u1 * s. If the
    result is infinity, r is anything, and the input is no signature.
    """
    rng = random.Random("exceptional")
    for number in range(count):
        u1 = rng.choice((0, 1, 2, P384_ORDER - 1, rng.randrange(P384_ORDER)))
        column, top, sign = rng.randrange(_COMB_BITS - 1), rng.randrange(60, 384), rng.choice((-1, 1))
        comb = _comb(u1)
        # what the comb has added before the column, as it stands there
        before = sum(comb[i] << i - column for i in range(column + 1, _COMB_BITS))
        match number % 4:
            case 0:  # the sum is plus or minus the comb's point
                u2 = 1 << top
                d = (sign * comb[column] - before) * pow(1 << top - column, -1, P384_ORDER)
            case 1:  # the sum is plus or minus m * Q
                m = rng.randrange(1, 16, 2)
                u2 = (1 << top) + (m << column)
                d = -before * pow((1 << top - column) - sign * m, -1, P384_ORDER)
            case 2:  # the two parts of the result are equal or opposite
                u2 = rng.choice((1, 15, 16, 31, 1 << top, P384_ORDER - 1))
                d = sign * u1 * pow(u2, -1, P384_ORDER)
            case _:  # Q is a point of the comb, or G
                u2 = rng.choice((1, 2, 16, P384_ORDER - 1, rng.randrange(1, P384_ORDER)))
                d = sign * rng.choice((1, 2, comb[column], 1 << _COMB_BITS * 7))
        if d % P384_ORDER:
            yield _input(u1, u2, d % P384_ORDER, rng)


def _comb(u1: int) -> list[int]:
    """Return the numbers by which G is multiplied in each column of the comb: u1 is the sum of comb[i] << i."""
    odd = u1 if u1 & 1 else u1 + P384_ORDER
    signs = (odd - 1) // 2 + (1 << 8 * _COMB_BITS - 1)
    teeth = range(0, 8 * _COMB_BITS, _COMB_BITS)
    return [sum((1 if signs >> tooth + i & 1 else -1) << tooth for tooth in teeth) for i in range(_COMB_BITS)]


def _input(u1: int, u2: int, d: int, rng: random.Random) -> P384Case:
    total = (u1 + u2 * d) % P384_ORDER
    r = _public(total).x % P384_ORDER if total else rng.randrange(1, P384_ORDER)
    s = r * pow(u2, -1, P384_ORDER) % P384_ORDER
    digest, key = u1 * s % P384_ORDER, _public(d)
    numbers: tuple[int, ...] = (digest, r, s, key.x, key.y)
    return b"".join(value.to_bytes(48, "big") for value in numbers), total != 0


def _public(private: int) -> Any:
    return ec.derive_private_key(private, ec.SECP384R1()).public_key().public_numbers()

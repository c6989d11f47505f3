"""Change bytes, DER and reports at random. The generator that a caller passes decides everything."""

from __future__ import annotations

import random
from collections.abc import Iterator

from provenance_oracle.publisher.simulator import der
from provenance_oracle.verifier.errors import FormatError
from provenance_oracle.verifier.snp.der import Value, parse_der
from provenance_oracle.verifier.snp.report import REPORT_BYTES


def changed(data: bytes, rng: random.Random) -> bytes:
    """Return `data` with a few bytes changed, removed, inserted or copied, often with tag and length bytes."""
    mutant = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 4))):
        at = rng.randrange(len(mutant))
        other = rng.randrange(len(mutant))
        size = rng.randrange(1, 12)
        match rng.randrange(5):
            case 0:
                mutant[at] ^= 1 << rng.randrange(8)
            case 1:
                mutant[at] = rng.choice(b"\x00\x01\x02\x03\x05\x06\x0c\x13\x17\x18\x30\x31\x7f\x80\x81\xa0\xa3\xff")
            case 2:
                del mutant[at : at + size]
                mutant = mutant or bytearray(b"0")
            case 3:
                mutant[at:at] = rng.randbytes(size)
            case _:
                mutant[at : at + size] = mutant[other : other + size]
    return bytes(mutant)


def changed_report(report: bytes, other: bytes, rng: random.Random) -> bytes:
    """Return a changed report, mostly of the right size: bits, a field of another report, a number, zeros or bytes."""
    mutant = bytearray(report)
    at, size = 8 * rng.randrange(REPORT_BYTES // 8), 8 * rng.randrange(1, 9)
    match rng.randrange(5):
        case 0:
            for _ in range(rng.randrange(1, 4)):
                mutant[rng.randrange(REPORT_BYTES)] ^= 1 << rng.randrange(8)
        case 1:
            mutant[at : at + size] = other[at : at + size]
        case 2:
            mutant[at : at + 4] = rng.choice((0, 1, 2, 3, 4, 5, 6, 2**32 - 1)).to_bytes(4, "little")
        case 3:
            mutant[at : at + size] = bytes(size)
        case _:
            return changed(report, rng)
    return bytes(mutant[:REPORT_BYTES])


def changed_der(data: bytes, donor: bytes, rng: random.Random) -> bytes:
    """Change some bytes, or replace one DER value and correct every length around it."""
    if rng.randrange(2):
        return changed(data, rng)
    tree, others = _parse(data), list(_values_in(_parse(donor)))
    target = rng.choice(list(_values_in(tree)))
    return _rebuilt(tree, target, _replacement(target, rng.choice(others), rng))


def _replacement(target: Value, other: Value, rng: random.Random) -> bytes:
    match rng.randrange(7):
        case 0:
            return b""
        case 1:
            return target.encoding * 2
        case 2:
            return other.encoding
        case 3:
            return der.tlv(other.tag, target.content)
        case 4:
            return der.tlv(target.tag, other.content)
        case 5 if target.children:
            children = list(target.children)
            rng.shuffle(children)
            return der.tlv(target.tag, *(child.encoding for child in children))
        case _:
            return der.tlv(target.tag, changed(target.content or b"\0", rng))


def _parse(data: bytes) -> Value:
    return parse_der(data, lambda what, got, wanted: FormatError(what, got=got, wanted=wanted))


def _values_in(value: Value) -> Iterator[Value]:
    yield value
    for child in value.children:
        yield from _values_in(child)


def _rebuilt(value: Value, target: Value, new: bytes) -> bytes:
    if value is target:
        return new
    if not value.children:
        return value.encoding
    return der.tlv(value.tag, *(_rebuilt(child, target, new) for child in value.children))

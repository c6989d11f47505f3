"""The EVM accepts no revocation list that the Python verifier refuses, and both read the same in what they accept.

Genuine lists are changed at random, with fixed seeds, and the simulator's roots sign new ones. PROVENANCE_EVM_MUTANTS
sets the number of each kind; `make prove` sets many more than the default. What the Python verifier accepts and the EVM
does not, `_stricter` lists.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from eth_abi.abi import decode

from provenance_oracle.publisher.simulator import FakeAmd, der
from provenance_oracle.publisher.simulator.certificates import Pss, X509Extension
from provenance_oracle.verifier.errors import FormatError, VerificationError
from provenance_oracle.verifier.record.fields import PRODUCT_LINE_CODES
from provenance_oracle.verifier.snp.certificates import Certificate, parse_certificate, split_signed
from provenance_oracle.verifier.snp.chain import verify_crl
from provenance_oracle.verifier.snp.crl import AUTHORITY_KEY_ID, Crl, parse_crl
from provenance_oracle.verifier.snp.der import GENERALIZED_TIME, Value
from provenance_oracle.verifier.snp.products import ProductLine
from tests.support.evm import Answer, Evm
from tests.support.mutants import changed, changed_der
from tests.support.real_sets import CRLS, anchor, crl
from tests.support.snp_contracts import SnpVerifier, encode_call

pytestmark = [pytest.mark.chain, pytest.mark.timeout(6 * 3600)]

_MUTANTS = int(os.environ.get("PROVENANCE_EVM_MUTANTS", "200"))
_PART = 500
_AT = datetime(2026, 11, 21, 12, tzinfo=UTC)
_CRL_NUMBER, _REASON, _INVALIDITY = "2.5.29.20", "2.5.29.21", "2.5.29.24"
_DELTA, _SCOPE = "2.5.29.27", "2.5.29.28"
_ID_CE = bytes.fromhex("0603551d")


@dataclass(frozen=True)
class Root:
    """An ARK: its product line, its certificate, and a list of it."""

    line: ProductLine
    ark: Certificate
    crl: bytes


@dataclass(frozen=True)
class Case:
    """A list, and the root whose list it claims to be."""

    crl: bytes
    root: Root


@pytest.fixture(scope="module")
def simulator(evm: Evm) -> SnpVerifier:
    return SnpVerifier.deploy(evm, "SimulatorVerifier")


@pytest.fixture(scope="module")
def amds() -> dict[ProductLine, FakeAmd]:
    return {line: FakeAmd.load(line) for line in ProductLine}


@pytest.fixture(scope="module")
def simulated(amds: dict[ProductLine, FakeAmd]) -> list[Root]:
    revoked = (0x010001, 0x80, 0)
    return [
        Root(line, parse_certificate(amd.ark.certificate, "ark"), amd.current_crl(_AT, revoked=revoked))
        for line, amd in amds.items()
    ]


def _python(case: Case) -> Crl:
    parsed = parse_crl(case.crl, "crl")
    verify_crl(parsed, case.root.ark)
    return parsed


def _compare(verifier: SnpVerifier, cases: Sequence[Case]) -> int:
    """Compare both verifiers on all cases; return how many both accept."""
    answers = verifier.evm.calls(verifier.address, [encode_call("verifyCrl(bytes)", case.crl) for case in cases])
    return sum(_agree(case, answer) for case, answer in zip(cases, answers, strict=True))


def _agree(case: Case, got: Answer) -> bool:
    """Return whether both accept a list. Fails if only the EVM does, or only Python does without a listed reason."""
    try:
        parsed = _python(case)
    except (FormatError, VerificationError) as error:
        assert got.reverted, f"only the EVM accepts: {error}; {case.crl.hex()}"
        return False
    if got.reverted:
        assert _stricter(case.crl), f"only Python accepts: {got.data.hex()}; {case.crl.hex()}"
        return False
    assert not _stricter(case.crl)
    line, this_update, next_update, serials = decode(("uint256", "uint256", "uint256", "uint256[]"), got.data)
    dates = [max(0, int(moment.timestamp())) for moment in (parsed.this_update, parsed.next_update)]
    assert (line, [this_update, next_update]) == (PRODUCT_LINE_CODES[case.root.line], dates)
    assert sorted(serials) == sorted(parsed.revoked_serials)
    return True


def _stricter(data: bytes) -> str:
    """Return why the EVM refuses a list that the Python verifier accepts; empty if it has no reason.

    AMD would have to sign such a list first. Its lists so far have none of these.
    """
    fields = split_signed(data, "crl")[1]
    entries = fields[5].children if len(fields) == 7 else ()
    times = (*fields[3:5], *(entry.children[1] for entry in entries))
    of_entries = [one for entry in entries for part in entry.children[2:] for one in part.children]
    reasons = {
        "another extension beside the two": len(fields[-1].children[0].children) != 2,
        "an entry's extension that is none of RFC 5280": not all(map(_is_of_rfc_5280, of_entries)),
        "a time from 2050 on, which is no UTCTime": any(time.tag == GENERALIZED_TIME for time in times),
        "more bytes than a transaction can pay for": len(data) > 2**16,
    }
    return ", ".join(reason for reason, holds in reasons.items() if holds)


def _is_of_rfc_5280(extension: Value) -> bool:
    identifier = extension.children[0].encoding
    return identifier.startswith(_ID_CE) and len(identifier) == len(_ID_CE) + 1


def _parts(kind: str, make: Callable[[random.Random], Case]) -> Iterator[list[Case]]:
    """Yield as many cases as asked for, in parts that fit into memory."""
    seeds = [random.Random(f"evm {kind} {number}") for number in range(_MUTANTS)]
    for start in range(0, len(seeds), _PART):
        yield [make(rng) for rng in seeds[start : start + _PART]]


def test_changed_genuine_lists(evm: Evm, vectors: Path) -> None:
    roots = []
    for name in CRLS:
        line = ProductLine(name.split("-")[1])
        roots.append(Root(line, parse_certificate(anchor(vectors, f"ARK-{line}"), "ark"), crl(vectors, name)))
    verifier = SnpVerifier.deploy(evm)
    assert _compare(verifier, [Case(root.crl, root) for root in roots]) == len(CRLS)

    def change(rng: random.Random) -> Case:
        root, other = rng.choice(roots), rng.choice(roots)
        return Case(changed_der(root.crl, other.crl, rng), root)

    assert sum(_compare(verifier, part) for part in _parts("genuine lists", change)) < _MUTANTS // 10


def test_changed_lists_that_are_signed_anew(
    simulator: SnpVerifier, simulated: list[Root], amds: dict[ProductLine, FakeAmd]
) -> None:
    def change(rng: random.Random) -> Case:
        root, other = rng.choice(simulated), rng.choice(simulated)
        tbs = changed_der(split_signed(root.crl, "crl")[0].tbs, other.crl, rng)
        return Case(_signed(amds[root.line], tbs), root)

    accepted = sum(_compare(simulator, part) for part in _parts("signed lists", change))
    assert 0 < accepted < _MUTANTS


def test_new_entries_and_extensions(
    simulator: SnpVerifier, simulated: list[Root], amds: dict[ProductLine, FakeAmd]
) -> None:
    def change(rng: random.Random) -> Case:
        root = rng.choice(simulated)
        fields = split_signed(root.crl, "crl")[1]
        times = [der.time(_AT), der.time(_AT)] if rng.randrange(2) else [_time(rng), _time(rng)]
        extensions = der.explicit(0, der.sequence(*_list_extensions(fields[-1].children[0].children, rng)))
        tbs = der.sequence(*(field.encoding for field in fields[:3]), *times, *_entries(rng), extensions)
        return Case(_signed(amds[root.line], tbs), root)

    accepted = sum(_compare(simulator, part) for part in _parts("new lists", change))
    assert _MUTANTS // 10 < accepted < _MUTANTS


def _signed(amd: FakeAmd, tbs: bytes) -> bytes:
    return der.sequence(tbs, Pss().encode(), der.bit_string(Pss().sign(tbs, amd.ark.key)))


def _time(rng: random.Random) -> bytes:
    """Return a time, seldom a wrong one, or one that only the Python verifier reads."""
    wrong = ((0x17, b"260229000000Z"), (0x17, b"2602280000Z"), (0x18, b"20260228000000Z"))
    if rng.randrange(12) == 0:
        return der.tlv(*rng.choice(wrong))
    year = rng.choice((1950, 1969, 1970, 2000, 2024, 2026, 2049, 2050))
    return der.time(datetime(year, rng.randrange(1, 13), rng.randrange(1, 29), rng.randrange(24), tzinfo=UTC))


def _entries(rng: random.Random) -> list[bytes]:
    """Return the field of entries: a list of them, seldom an empty one, or no field."""
    serials = [0, 1, 127, 128, 255, 256, 0x010001, 2**63, 2**159 - 1, 2**160 - 1, 2**167 - 1]
    count = rng.choice((0, 1, 2, 3, 9))
    chosen = rng.sample(serials, count) if rng.randrange(3) else rng.choices([*serials, 2**167, -1], k=count)
    entries = []
    for serial in chosen:
        time = _time(rng) if rng.randrange(9) == 0 else der.time(_AT)
        extensions = [_entry_extensions(rng)] if rng.randrange(4) == 0 else []
        entries.append(der.sequence(der.integer(serial), time, *extensions))
    return [der.sequence(*entries)] if entries or rng.randrange(8) == 0 else []


def _entry_extensions(rng: random.Random) -> bytes:
    identifiers = [der.object_identifier(_REASON), der.object_identifier(_INVALIDITY)]
    odd = [identifiers[0], der.object_identifier("1.3.6.1"), der.null(), b""]
    odd += [der.tlv(0x06, content) for content in (b"", b"\x55\x1d\x80", b"\x55\x1d\x80\x15", b"\x55\x1d\x15" * 11)]
    if rng.randrange(2) == 0:
        identifiers.append(rng.choice(odd))
    rng.shuffle(identifiers)
    critical = rng.choice((b"", b"", b"", der.boolean(True), der.boolean(False)))
    value = der.octet_string(b"\x0a\x01\x01")
    return der.sequence(*(der.sequence(one, critical, value) for one in identifiers[: rng.randrange(4)]))


def _list_extensions(genuine: Sequence[Value], rng: random.Random) -> list[bytes]:
    """Return the extensions of a list, mostly with one thing about them changed."""
    key_id, number = (one.encoding for one in genuine)
    content = genuine[0].children[1].content
    match rng.randrange(9):
        case 0:
            new = rng.choice((0, 1, 127, 128, 2**160 - 1, 2**167 - 1, 2**167, -1))
            found = [key_id, _extension(_CRL_NUMBER, der.integer(new))]
        case 1:
            value = rng.choice((b"", b"\x02\0", b"\x02\x02\0\x01", b"\x02\x01\x01\0", b"\x0a\x01\x01"))
            found = [key_id, _extension(_CRL_NUMBER, value)]
        case 2:
            found = [rng.choice((number, key_id))] * rng.choice((1, 2, 5))
        case 3:
            found = [_extension(AUTHORITY_KEY_ID, changed(content, rng)), number]
        case 4:
            found = [key_id, number, rng.choice((key_id, number))]
        case 5:
            stranger = rng.choice((_DELTA, _SCOPE, "2.5.29.18", "1.3.6.1"))
            found = [key_id, number, _extension(stranger, b"\x05\0")]
        case 6:
            found = [_extension(AUTHORITY_KEY_ID, content, critical=True), number]
        case _:
            found = [key_id, number]
    rng.shuffle(found)
    return found


def _extension(oid: str, value: bytes, *, critical: bool = False) -> bytes:
    return X509Extension(oid, value, critical).encode()

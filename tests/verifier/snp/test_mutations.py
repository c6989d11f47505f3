"""Change real evidence at random, with fixed seeds: no mutant is accepted, and only the expected errors are raised.

PROVENANCE_MUTANTS sets the number of mutants of each kind. `make prove` sets many more than the default.
"""

from __future__ import annotations

import os
import random
import ssl
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from provenance_oracle.publisher.simulator import CaRole, FakeAmd, FakeGuest, der
from provenance_oracle.publisher.simulator.certificates import Pss
from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.errors import FormatError, VerificationError
from provenance_oracle.verifier.snp.certificates import parse_certificate
from provenance_oracle.verifier.snp.chain import verify_chain
from provenance_oracle.verifier.snp.der import Value, parse_der
from provenance_oracle.verifier.snp.endorsements import parse_endorsements
from provenance_oracle.verifier.snp.products import AMD_ROOTS, SIMULATOR_ROOTS, ProductLine
from provenance_oracle.verifier.snp.report import REPORT_BYTES, parse_report
from provenance_oracle.verifier.snp.signature import Claims, match_vek_to_report, verify_report_signature
from tests.support.real_sets import NAMES, RealSet, crl, judge, real_set
from tests.verifier.snp.test_second_opinion import changed

_MUTANTS = int(os.environ.get("PROVENANCE_MUTANTS", "1200"))
# Signing with RSA-4096 takes longer than a judgement.
_SIGNED_MUTANTS = _MUTANTS // 10
_SLOW_SECONDS = 1.0
_AT = datetime(2026, 11, 21, 12, tzinfo=UTC)
pytestmark = pytest.mark.timeout(3600)


@pytest.fixture(scope="module")
def real(vectors: Path) -> dict[str, RealSet]:
    return {name: real_set(vectors, name) for name in NAMES}


def _seeds(kind: str, count: int) -> Iterator[random.Random]:
    return (random.Random(f"{kind} {number}") for number in range(count))


def _accepted(judgement: Callable[[], object]) -> bool:
    """Return whether evidence is accepted. A refusal must name its check and come soon; other errors fail the test."""
    began = time.process_time()
    try:
        judgement()
    except (FormatError, VerificationError) as error:
        assert error.check in Check
        return False
    finally:
        assert time.process_time() - began < _SLOW_SECONDS
    return True


# --- reports -----------------------------------------------------------------------------------------------


def test_no_changed_report_is_accepted(real: dict[str, RealSet]) -> None:
    judges = {name: _judge_of_reports(of) for name, of in real.items()}
    for rng in _seeds("report", 3 * _MUTANTS):
        name = rng.choice(NAMES)
        genuine = real[name].evidence.report
        mutant = _changed_report(genuine, real[rng.choice(NAMES)].evidence.report, rng)
        assert _accepted(lambda judge=judges[name], mutant=mutant: judge(mutant)) is (mutant == genuine)  # type: ignore[misc]


def _judge_of_reports(of: RealSet) -> Callable[[bytes], Claims]:
    """Return a function that judges reports under one chain, which is verified once."""
    endorsements = parse_endorsements(of.evidence.vek, of.evidence.chain, None)
    chain = verify_chain(endorsements, roots=AMD_ROOTS, at=of.at)
    return lambda report: verify_report_signature(match_vek_to_report(chain, parse_report(report)))


def _changed_report(report: bytes, other: bytes, rng: random.Random) -> bytes:
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


# --- certificates and lists, not signed again ---------------------------------------------------------------


@pytest.mark.parametrize("part", ["vek", "intermediate", "ark", "crl"])
def test_no_changed_certificate_or_list_is_accepted(vectors: Path, real: dict[str, RealSet], part: str) -> None:
    lists = {"Milan": crl(vectors, "ARK-Milan-crl6-2025"), "Genoa": crl(vectors, "ARK-Genoa-crl4-2024")}
    names = [name for name, of in real.items() if part != "crl" or of.manifest["product"] in lists]
    files = [
        {
            "vek": of.evidence.vek,
            "intermediate": of.intermediate,
            "ark": of.ark,
            "crl": lists.get(of.manifest["product"], b""),
        }
        for of in real.values()
    ]
    donors = [der for of in files for der in of.values() if der]
    for rng in _seeds(part, _MUTANTS):
        name = rng.choice(names)
        genuine = files[NAMES.index(name)]
        mutant = _changed_der(genuine[part], rng.choice(donors), rng)
        if mutant in (of[part] for of in files):
            continue  # the same, or another genuine one
        now = genuine | {part: mutant}
        evidence = replace(
            real[name].evidence,
            vek=now["vek"],
            chain=now["intermediate"] + now["ark"],
            crl=now["crl"] if part == "crl" else None,
        )
        assert not _accepted(lambda evidence=evidence, at=real[name].at: judge(evidence, at))  # type: ignore[misc]


def test_changed_pem_holds_the_same_certificates_or_is_refused(real: dict[str, RealSet]) -> None:
    for rng in _seeds("pem", _MUTANTS):
        of = real[rng.choice(NAMES)]
        pem = "".join(map(ssl.DER_cert_to_PEM_cert, (of.intermediate, of.ark))).encode()
        evidence = replace(of.evidence, chain=changed(pem, rng))
        if _accepted(lambda evidence=evidence, at=of.at: judge(evidence, at)):  # type: ignore[misc]
            parsed = parse_endorsements(evidence.vek, evidence.chain, None)
            assert {parsed.intermediate.der, parsed.ark.der} == {of.intermediate, of.ark}


def _changed_der(data: bytes, donor: bytes, rng: random.Random) -> bytes:
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


# --- certificates, signed again -----------------------------------------------------------------------------


@pytest.mark.parametrize("part", ["vek", "intermediate"])
@pytest.mark.parametrize("line", ProductLine)
def test_what_amd_would_have_signed_says_the_same_or_is_refused(line: ProductLine, part: str) -> None:
    """The simulator's authorities sign each mutant, so only the certificate's content can make it fail."""
    amd = FakeAmd.load(line)
    guest = FakeGuest.on(amd, at=_AT)
    evidence = guest.evidence(bytes(64))
    genuine = judge(evidence, _AT, SIMULATOR_ROOTS)
    signer = amd.authorities[CaRole.ASK if part == "vek" else CaRole.ARK]
    original = evidence.vek if part == "vek" else amd.authorities[CaRole.ASK].certificate
    tbs = parse_certificate(original, part).signed.tbs
    accepted = 0
    for rng in _seeds(f"{line} {part}", _SIGNED_MUTANTS):
        mutant = _changed_der(tbs, rng.choice((evidence.vek, amd.ark.certificate)), rng)
        if mutant == tbs:
            continue
        algorithm = Pss(explicit_trailer=part == "intermediate")
        signed = der.sequence(mutant, algorithm.encode(), der.bit_string(algorithm.sign(mutant, signer.key)))
        now = replace(evidence, **({"vek": signed} if part == "vek" else {"chain": signed + amd.ark.certificate}))
        if _accepted(lambda now=now: judge(now, _AT, SIMULATOR_ROOTS)):  # type: ignore[misc]
            accepted += 1
            assert judge(now, _AT, SIMULATOR_ROOTS) == genuine  # another date or serial number, nothing else
    assert accepted < _SIGNED_MUTANTS // 4

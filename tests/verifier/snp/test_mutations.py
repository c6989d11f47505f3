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
from provenance_oracle.verifier.snp.endorsements import parse_endorsements
from provenance_oracle.verifier.snp.products import AMD_ROOTS, SIMULATOR_ROOTS, ProductLine
from provenance_oracle.verifier.snp.report import parse_report
from provenance_oracle.verifier.snp.signature import Claims, match_vek_to_report, verify_report_signature
from tests.support.mutants import changed, changed_der, changed_report
from tests.support.real_sets import NAMES, RealSet, crl, judge, real_set

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
        mutant = changed_report(genuine, real[rng.choice(NAMES)].evidence.report, rng)
        assert _accepted(lambda judge=judges[name], mutant=mutant: judge(mutant)) is (mutant == genuine)  # type: ignore[misc]


def _judge_of_reports(of: RealSet) -> Callable[[bytes], Claims]:
    """Return a function that judges reports under one chain, which is verified once."""
    endorsements = parse_endorsements(of.evidence.vek, of.evidence.chain, None)
    chain = verify_chain(endorsements, roots=AMD_ROOTS, at=of.at)
    return lambda report: verify_report_signature(match_vek_to_report(chain, parse_report(report)))


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
        mutant = changed_der(genuine[part], rng.choice(donors), rng)
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
        mutant = changed_der(tbs, rng.choice((evidence.vek, amd.ark.certificate)), rng)
        if mutant == tbs:
            continue
        algorithm = Pss(explicit_trailer=part == "intermediate")
        signed = der.sequence(mutant, algorithm.encode(), der.bit_string(algorithm.sign(mutant, signer.key)))
        now = replace(evidence, **({"vek": signed} if part == "vek" else {"chain": signed + amd.ark.certificate}))
        if _accepted(lambda now=now: judge(now, _AT, SIMULATOR_ROOTS)):  # type: ignore[misc]
            accepted += 1
            assert judge(now, _AT, SIMULATOR_ROOTS) == genuine  # another date or serial number, nothing else
    assert accepted < _SIGNED_MUTANTS // 4

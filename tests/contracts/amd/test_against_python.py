"""The EVM accepts no evidence that the Python verifier refuses, and both read the same in what they accept.

Genuine evidence is changed at random, with fixed seeds. And the simulator's authorities and chips sign changed reports
and certificates, so that only their content can make them fail. PROVENANCE_EVM_MUTANTS sets the number of each kind;
`make prove` sets many more than the default.

The EVM does not look at the clock, so the Python verifier does not either here. It accepts more than the EVM in the
cases of `STRICTER`, all of which AMD would have to sign first.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from provenance_oracle.publisher.simulator import CaRole, FakeAmd, FakeGuest, der, forms
from provenance_oracle.publisher.simulator.amd import Vek
from provenance_oracle.publisher.simulator.certificates import Pss, X509Extension
from provenance_oracle.publisher.simulator.report import sign_report
from provenance_oracle.verifier.errors import FormatError, VerificationError
from provenance_oracle.verifier.snp.authority import expect_subject, verify_issued
from provenance_oracle.verifier.snp.certificates import parse_certificate
from provenance_oracle.verifier.snp.chain import VerifiedChain, vek_key, verify_chain
from provenance_oracle.verifier.snp.endorsements import endorsements_of, parse_vek
from provenance_oracle.verifier.snp.products import AMD_ROOTS, SIMULATOR_ROOTS, ProductLine
from provenance_oracle.verifier.snp.report import REPORT_BYTES, SIGNED_BYTES, parse_report
from provenance_oracle.verifier.snp.signature import Claims, match_vek_to_report, verify_report_signature
from tests.support.evm import Evm
from tests.support.mutants import changed_der, changed_report
from tests.support.p384_inputs import P384_ORDER
from tests.support.real_sets import NAMES, RealSet, real_set
from tests.support.snp_contracts import Judged, Pair, Refused, SnpVerifier, expected

pytestmark = [pytest.mark.chain, pytest.mark.timeout(6 * 3600)]

_MUTANTS = int(os.environ.get("PROVENANCE_EVM_MUTANTS", "200"))
_PART = 500
_AT = datetime(2026, 11, 21, 12, tzinfo=UTC)
_S_AT, _NUMBER_BYTES, _SIGNATURE_BYTES = 0x2E8, 48, 512
_PROVIDER = "CN=cloud.example"

_FOREIGN = (f"{forms.AMD_OID_ARC}.3.10", f"{forms.AMD_OID_ARC}.6", "2.5.29.15")

# What the Python verifier accepts and the EVM does not, each with the reason.
STRICTER = {
    "CSP id of more than 112 characters": "the extension's length would take two bytes; AMD's have some 30 characters",
    "validity from 2050 on": "it would be a GeneralizedTime; AMD's intermediates end by 2048",
}


@dataclass(frozen=True)
class Case:
    """Evidence, and the verified chain that the Python verifier puts its certificate under."""

    report: bytes
    vek: bytes
    chain: VerifiedChain

    @property
    def pair(self) -> Pair:
        return self.report, self.vek


@pytest.fixture(scope="module")
def real(evm: Evm, vectors: Path) -> tuple[SnpVerifier, list[tuple[RealSet, VerifiedChain]]]:
    sets = [real_set(vectors, name) for name in NAMES]
    return SnpVerifier.deploy(evm), [(of, _chain(of.evidence, of.at, AMD_ROOTS)) for of in sets]


@pytest.fixture(scope="module")
def simulator(evm: Evm) -> SnpVerifier:
    return SnpVerifier.deploy(evm, "SimulatorVerifier")


def _chain(evidence: object, at: datetime, roots: object) -> VerifiedChain:
    return verify_chain(endorsements_of(evidence), roots=roots, at=at)  # type: ignore[arg-type]


def _python(case: Case) -> Claims:
    """Judge a case as `verify_chain` and its followers do, but without the clock. The authorities are verified."""
    vek = parse_vek(parse_certificate(case.vek, "vek"))
    endorsements = case.chain.endorsements
    if vek.kind is not endorsements.vek.kind:
        raise VerificationError("the intermediate signs another kind of key")
    expect_subject(vek.certificate, f"SEV-{vek.kind.name}")
    verify_issued(vek.certificate, endorsements.intermediate)
    vek_key(vek.certificate)
    chain = replace(case.chain, endorsements=replace(endorsements, vek=vek))
    return verify_report_signature(match_vek_to_report(chain, parse_report(case.report)))


def _compare(verifier: SnpVerifier, cases: list[Case]) -> int:
    """Compare both verifiers on all cases; return how many both accept."""
    accepted = 0
    for case, got in zip(cases, verifier.verify_all([case.pair for case in cases]), strict=True):
        try:
            claims = _python(case)
        except (FormatError, VerificationError) as error:
            assert isinstance(got, Refused), f"only the EVM accepts: {error}; {case.report.hex()} {case.vek.hex()}"
            continue
        assert isinstance(got, Judged), f"only Python accepts: {got}; {case.report.hex()} {case.vek.hex()}"
        assert got == expected(case.vek, claims)
        accepted += 1
    return accepted


def _parts(kind: str, make: Callable[[random.Random], Case]) -> Iterator[list[Case]]:
    """Yield as many cases as asked for, in parts that fit into memory."""
    seeds = [random.Random(f"evm {kind} {number}") for number in range(_MUTANTS)]
    for start in range(0, len(seeds), _PART):
        yield [make(rng) for rng in seeds[start : start + _PART]]


# --- genuine evidence, changed -------------------------------------------------------------------------------


def test_changed_genuine_evidence(real: tuple[SnpVerifier, list[tuple[RealSet, VerifiedChain]]]) -> None:
    verifier, sets = real
    accepted = sum(_compare(verifier, part) for part in _parts("genuine", lambda rng: _changed_genuine(sets, rng)))
    assert 0 < accepted < _MUTANTS // 3  # twins, and changes that change nothing


def _changed_genuine(sets: list[tuple[RealSet, VerifiedChain]], rng: random.Random) -> Case:
    (one, chain), (other, _) = rng.choice(sets), rng.choice(sets)
    report, vek = one.evidence.report, one.evidence.vek
    match rng.randrange(6):
        case 0 | 1:
            report = changed_report(report, other.evidence.report, rng)
        case 2 | 3:
            vek = changed_der(vek, other.evidence.vek, rng)
        case 4:
            report = other.evidence.report
        case _:
            report = _twin(report) if rng.randrange(2) else _other_tail(report, rng)
    return Case(report, vek, chain)


def _twin(report: bytes) -> bytes:
    """Return the report with n - s for s, which is a signature too."""
    s = int.from_bytes(report[_S_AT : _S_AT + _NUMBER_BYTES], "little")
    return report[:_S_AT] + (P384_ORDER - s).to_bytes(_NUMBER_BYTES, "little") + report[_S_AT + _NUMBER_BYTES :]


def _other_tail(report: bytes, rng: random.Random) -> bytes:
    """Change what is not signed: the bytes after r and s, or the length."""
    at = rng.randrange(SIGNED_BYTES, REPORT_BYTES)
    tail = rng.choice((b"", report[at:] + b"\0", bytes((report[at] ^ 1 << rng.randrange(8),)) + report[at + 1 :]))
    return report[:at] + tail


# --- evidence that the simulator signs anew ------------------------------------------------------------------


@dataclass(frozen=True)
class Simulated:
    """One simulated guest: its key, its report without a signature, and its verified chain."""

    amd: FakeAmd
    vek: Vek
    fields: bytes
    chain: VerifiedChain

    @property
    def signer(self) -> CaRole:
        return forms.ISSUERS[self.chain.endorsements.vek.kind]

    def certificate(self, tbs: bytes, algorithm: Pss) -> bytes:
        """Return a certificate with this signed part, which the right authority signed."""
        key = self.amd.authorities[self.signer].key
        return der.sequence(tbs, algorithm.encode(), der.bit_string(algorithm.sign(tbs, key)))


@pytest.fixture(scope="module")
def guests() -> list[Simulated]:
    made = []
    for line in ProductLine:
        amd = FakeAmd.load(line)
        for csp_id in (None, _PROVIDER):
            for version in (2, 3, 4, 5):
                guest = FakeGuest.on(amd, at=_AT, csp_id=csp_id, version=version)
                chain = _chain(guest.evidence(bytes(64)), _AT, SIMULATOR_ROOTS)
                made.append(Simulated(amd, guest.vek(), guest.fields(bytes(range(64))).encode(), chain))
    return made


def test_every_simulated_guest_is_accepted(simulator: SnpVerifier, guests: list[Simulated]) -> None:
    cases = [Case(sign_report(one.fields, one.vek.key), one.vek.certificate, one.chain) for one in guests]
    assert _compare(simulator, cases) == len(guests) == 24


def _signed_report(one: Simulated, other: Simulated, rng: random.Random) -> Case:
    fields, strange = (guest.fields + bytes(REPORT_BYTES - SIGNED_BYTES) for guest in (one, other))
    signed = changed_report(fields, strange, rng)[:SIGNED_BYTES].ljust(SIGNED_BYTES, b"\0")
    return Case(sign_report(signed, one.vek.key), one.vek.certificate, one.chain)


def _signed_certificate(one: Simulated, other: Simulated, rng: random.Random) -> Case:
    tbs = changed_der(parse_certificate(one.vek.certificate, "vek").signed.tbs, other.vek.certificate, rng)
    algorithm = Pss(explicit_trailer=rng.randrange(2) == 1)
    return Case(sign_report(one.fields, one.vek.key), one.certificate(tbs, algorithm), one.chain)


def _signed_extensions(one: Simulated, other: Simulated, rng: random.Random) -> Case:
    """Drop, double, exchange or retype one of AMD's extensions, or change its value or its identifier."""
    found = [X509Extension(e.oid, e.value) for e in parse_certificate(one.vek.certificate, "vek").extensions]
    strangers = [X509Extension(e.oid, e.value) for e in parse_certificate(other.vek.certificate, "vek").extensions]
    at, stranger = rng.randrange(len(found)), rng.choice(strangers)
    old = found[at]
    match rng.randrange(7):
        case 0:
            new = []
        case 1:
            new = [old, old]
        case 2:
            new = [stranger]
        case 3:
            new = [replace(old, value=stranger.value)]
        case 4:
            number = rng.choice((0, 1, 127, 128, 255, 256, 65535))
            new = [replace(old, value=rng.choice((der.integer(number), bytes((number & 255,)), b"")))]
        case 5:
            new = [replace(old, critical=True)]
        case _:
            new = [replace(old, oid=rng.choice((old.oid + ".1", forms.AMD_OID_ARC, stranger.oid, *_FOREIGN)))]
    extensions = [*found[:at], *new, *found[at + 1 :]]
    if rng.randrange(3) == 0:
        rng.shuffle(extensions)
    guest = FakeGuest.on(one.amd, at=_AT, csp_id=one.chain.endorsements.vek.csp_id)
    certificate = guest.vek(extensions=tuple(extensions)).certificate
    return Case(sign_report(one.fields, one.vek.key), certificate, one.chain)


@pytest.mark.parametrize(
    "make", [_signed_report, _signed_certificate, _signed_extensions], ids=["reports", "certificates", "extensions"]
)
def test_what_amd_would_have_signed(
    simulator: SnpVerifier, guests: list[Simulated], make: Callable[[Simulated, Simulated, random.Random], Case]
) -> None:
    parts = _parts(make.__name__, lambda rng: make(rng.choice(guests), rng.choice(guests), rng))
    accepted = sum(_compare(simulator, part) for part in parts)
    assert 0 < accepted < _MUTANTS


def test_the_value_of_an_extension_has_one_form(simulator: SnpVerifier, guests: list[Simulated]) -> None:
    """Zeros before or after a value, and a length in two bytes, make numbers that look the same."""
    cases = []
    for one in guests[::4]:
        found = [X509Extension(e.oid, e.value) for e in parse_certificate(one.vek.certificate, "vek").extensions]
        for at, old in enumerate(found):
            for value in (b"\0" + old.value, old.value + b"\0", old.value[:1] + b"\x81" + old.value[1:]):
                extensions = (*found[:at], replace(old, value=value), *found[at + 1 :])
                guest = FakeGuest.on(one.amd, at=_AT, csp_id=one.chain.endorsements.vek.csp_id)
                certificate = guest.vek(extensions=extensions).certificate
                cases.append(Case(sign_report(one.fields, one.vek.key), certificate, one.chain))
    assert len(cases) == 6 * 3 * 11 and _compare(simulator, cases) == 0


def test_a_signature_that_is_a_number_above_the_modulus_is_none(
    simulator: SnpVerifier, guests: list[Simulated]
) -> None:
    """Signature + modulus has the same powers: of the two only one may be a signature."""
    one = min(guests, key=_modulus)
    modulus = _modulus(one)
    tbs = parse_certificate(one.vek.certificate, "vek").signed.tbs
    for _ in range(100):  # most are small enough
        certificate = one.certificate(tbs, Pss())
        signature = int.from_bytes(certificate[-_SIGNATURE_BYTES:], "big")
        if signature + modulus < 2 ** (8 * _SIGNATURE_BYTES):
            break
    twin = certificate[:-_SIGNATURE_BYTES] + (signature + modulus).to_bytes(_SIGNATURE_BYTES, "big")
    report = sign_report(one.fields, one.vek.key)
    assert _compare(simulator, [Case(report, certificate, one.chain), Case(report, twin, one.chain)]) == 1


def _modulus(one: Simulated) -> int:
    return one.amd.authorities[one.signer].key.public_key().public_numbers().n


def test_serial_numbers_and_dates_of_every_length(simulator: SnpVerifier, guests: list[Simulated]) -> None:
    one = guests[0]
    changes: list[dict[str, Any]] = [
        {"serial": number}
        for number in (0, 127, 128, 2**63, 2**159 - 1, 2**159, 2**160 - 1, 2**167 - 1, 2**167, 2**168)
    ]
    changes += [{"not_before": datetime(year, 2, 28, tzinfo=UTC)} for year in (1950, 1969, 1970, 2000, 2026)]
    cases = []
    for change in changes:
        vek = FakeGuest.on(one.amd, at=_AT, version=2).vek(**change)
        cases.append(Case(sign_report(one.fields, vek.key), vek.certificate, one.chain))
    assert _compare(simulator, cases) == len(changes) - 2  # serial numbers of more than 21 bytes


def test_where_python_accepts_more_is_listed(simulator: SnpVerifier, guests: list[Simulated]) -> None:
    """Each reason of STRICTER is true, and the form next to it is accepted by both."""
    one = next(guest for guest in guests if guest.chain.endorsements.vek.csp_id == _PROVIDER)
    cases = {}
    for length in (112, 113):
        vek = FakeGuest.on(one.amd, at=_AT, csp_id="CN=" + "x" * (length - 3)).vek()
        cases[length] = Case(sign_report(one.fields, vek.key), vek.certificate, one.chain)
    for year in (2049, 2050):
        vek = FakeGuest.on(one.amd, at=_AT, csp_id=_PROVIDER).vek(not_after=datetime(year, 6, 1, tzinfo=UTC))
        cases[year] = Case(sign_report(one.fields, vek.key), vek.certificate, one.chain)
    assert _compare(simulator, [cases[112], cases[2049]]) == 2
    for beyond in (cases[113], cases[2050]):
        _python(beyond)
        assert isinstance(simulator.verify(*beyond.pair), Refused)
    assert len(STRICTER) == 2

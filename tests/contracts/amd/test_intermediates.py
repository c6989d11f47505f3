"""The EVM reads in certificates of intermediates what the Python verifier reads, and accepts none that it refuses.

AMD's own are changed at random, and the simulator's root signs changed ones. PROVENANCE_EVM_MUTANTS sets the number of
each kind. The EVM takes one form only; Python also takes what `STRICTER` lists, all of which AMD would have to sign.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from provenance_oracle.publisher.simulator import CaRole, FakeAmd, der, forms
from provenance_oracle.publisher.simulator.certificates import Pss, X509Extension
from provenance_oracle.verifier.errors import FormatError, VerificationError
from provenance_oracle.verifier.record.fields import PRODUCT_LINE_CODES
from provenance_oracle.verifier.snp.authority import INTERMEDIATE, expect_subject, verify_authority
from provenance_oracle.verifier.snp.certificates import Certificate, parse_certificate
from provenance_oracle.verifier.snp.products import ProductLine
from tests.support.evm import Answer, Evm
from tests.support.mutants import changed_der
from tests.support.real_sets import INTERMEDIATES, anchor
from tests.support.snp_contracts import Refused, SnpVerifier, encode_call, refusal

pytestmark = [pytest.mark.chain, pytest.mark.timeout(6 * 3600)]

_MUTANTS = int(os.environ.get("PROVENANCE_EVM_MUTANTS", "200"))
_PART = 500
_ASK = "verifyIntermediate(bytes)"
Found = tuple[int, int, int, int, int, bytes]

# What the Python verifier accepts and the EVM does not, each with the reason: no certificate of AMD's has it.
STRICTER: dict[str, Callable[[tuple[X509Extension, ...]], tuple[X509Extension, ...]]] = {
    "the extensions in another order": lambda found: found[::-1],
    "no place of a revocation list": lambda found: found[:-1],
    "another place of the list": lambda found: (*found[:-1], replace(found[-1], value=found[-1].value[:-1] + b"x")),
    "key usage as DER wants it": lambda found: (*found[:3], replace(found[3], value=b"\x03\x02\x02\x04"), found[4]),
    "more usages": lambda found: (*found[:3], replace(found[3], value=b"\x03\x02\x01\x06"), found[4]),
    "no subject key identifier": lambda found: found[1:],
}


@pytest.fixture(scope="module")
def genuine(evm: Evm) -> SnpVerifier:
    return SnpVerifier.deploy(evm)


@pytest.fixture(scope="module")
def simulator(evm: Evm) -> SnpVerifier:
    return SnpVerifier.deploy(evm, "SimulatorVerifier")


def _python(data: bytes, arks: dict[ProductLine, Certificate]) -> Found:
    """Read a certificate as `verify_chain` does, whatever its place in a chain."""
    found = parse_certificate(data, "intermediate")
    for line, ark in arks.items():
        for kind, name in enumerate((f"SEV-{line}", f"SEV-VLEK-{line}")):
            if found.common_name == name:
                expect_subject(found, name)
                verify_authority(found, ark, INTERMEDIATE)
                dates = (max(0, int(moment.timestamp())) for moment in (found.not_before, found.not_after))
                modulus = found.key.public_numbers().n.to_bytes(512, "big")  # type: ignore[union-attr]
                return PRODUCT_LINE_CODES[line], kind, found.serial, *dates, modulus  # type: ignore[return-value]
    raise VerificationError("the subject is none of AMD's intermediates")


def _evm(answer: Answer) -> Found:
    from eth_abi.abi import decode

    (found,) = decode(("(uint256,uint256,uint256,uint256,uint256,bytes)",), answer.data)
    return found  # type: ignore[no-any-return]


def _compare(verifier: SnpVerifier, cases: list[bytes], arks: dict[ProductLine, Certificate]) -> int:
    """Compare both verifiers; return how many the EVM accepts."""
    accepted = 0
    answers = verifier.evm.calls(verifier.address, [encode_call(_ASK, case) for case in cases])
    for case, answer in zip(cases, answers, strict=True):
        if answer.reverted:
            continue
        accepted += 1
        try:
            wanted = _python(case, arks)
        except (FormatError, VerificationError) as error:
            raise AssertionError(f"only the EVM accepts: {error}; {case.hex()}") from error
        assert _evm(answer) == wanted
    return accepted


def _parts(kind: str, make: Callable[[random.Random], bytes]) -> Iterator[list[bytes]]:
    seeds = [random.Random(f"intermediates {kind} {number}") for number in range(_MUTANTS)]
    for start in range(0, len(seeds), _PART):
        yield [make(rng) for rng in seeds[start : start + _PART]]


# --- AMD's own ------------------------------------------------------------------------------------------------


def test_every_genuine_intermediate_says_what_the_python_verifier_reads(genuine: SnpVerifier, vectors: Path) -> None:
    arks = _amd(vectors)
    for name in INTERMEDIATES:
        data = anchor(vectors, name)
        answer = genuine.ask(_ASK, data)
        assert not answer.reverted, (name, refusal(answer))
        assert _evm(answer) == _python(data, arks), name


def test_changed_genuine_intermediates_are_refused(genuine: SnpVerifier, vectors: Path) -> None:
    arks, own = _amd(vectors), [anchor(vectors, name) for name in INTERMEDIATES]
    parts = _parts("genuine", lambda rng: changed_der(rng.choice(own), rng.choice(own), rng))
    accepted = sum(_compare(genuine, part, arks) for part in parts)
    assert accepted < _MUTANTS // 3  # changes that change nothing


def test_the_authorities_of_others_are_none(genuine: SnpVerifier, simulator: SnpVerifier, vectors: Path) -> None:
    simulated = FakeAmd.load(ProductLine.GENOA).authorities[CaRole.ASK].certificate
    assert not simulator.ask(_ASK, simulated).reverted
    # the names are the same, the root's key identifier is not
    assert refusal(genuine.ask(_ASK, simulated)).error == "DerMalformed"
    root = refusal(genuine.ask(_ASK, anchor(vectors, "ARK-Genoa")))
    assert root.error in ("DerMalformed", "UnknownAuthority")


def _amd(vectors: Path) -> dict[ProductLine, Certificate]:
    return {line: parse_certificate(anchor(vectors, f"ARK-{line}"), "ark") for line in ProductLine}


# --- what the simulator's root signs anew ---------------------------------------------------------------------


def _simulated() -> dict[ProductLine, Certificate]:
    return {line: parse_certificate(FakeAmd.load(line).ark.certificate, "ark") for line in ProductLine}


def _own(line: ProductLine, role: CaRole, **changes: Any) -> bytes:
    return FakeAmd.load(line).reissue(role, **changes).authorities[role].certificate


def test_what_amd_would_have_signed(simulator: SnpVerifier) -> None:
    amds = [FakeAmd.load(line) for line in ProductLine]

    def make(rng: random.Random) -> bytes:
        amd, other = rng.choice(amds), rng.choice(amds)
        role, donor = rng.choice((CaRole.ASK, CaRole.ASVK)), rng.choice(list(CaRole))
        tbs = parse_certificate(amd.authorities[role].certificate, "own").signed.tbs
        tbs = changed_der(tbs, other.authorities[donor].certificate, rng)
        algorithm = Pss(explicit_trailer=rng.randrange(2) == 1)
        return der.sequence(tbs, algorithm.encode(), der.bit_string(algorithm.sign(tbs, amd.ark.key)))

    accepted = sum(_compare(simulator, part, _simulated()) for part in _parts("signed", make))
    assert 0 < accepted < _MUTANTS


def test_every_value_that_may_differ_is_read(simulator: SnpVerifier) -> None:
    key = FakeAmd.load(ProductLine.MILAN).authorities[CaRole.ARK].key.public_key()
    changes: list[dict[str, Any]] = [
        {"serial": number} for number in (0, 127, 128, 2**64, 2**159 - 1, 2**167 - 1, 2**167, 2**168)
    ]
    changes += [{"not_before": datetime(year, 2, 28, tzinfo=UTC)} for year in (1950, 1970, 2026)]
    changes += [{"pss": Pss()}, {"spki": forms.authority_template(ProductLine.MILAN, CaRole.ARK, key, key).spki}]
    cases = [_own(line, role, **one) for line in ProductLine for role in (CaRole.ASK, CaRole.ASVK) for one in changes]
    assert _compare(simulator, cases, _simulated()) == len(cases) - 6 * 2  # serial numbers of more than 21 bytes


@pytest.mark.parametrize("reason", STRICTER)
def test_where_python_accepts_more_is_listed(simulator: SnpVerifier, reason: str) -> None:
    extensions = FakeAmd.load(ProductLine.TURIN).authorities[CaRole.ASK].template.extensions
    data = _own(ProductLine.TURIN, CaRole.ASK, extensions=STRICTER[reason](extensions))
    _python(data, _simulated())
    assert refusal(simulator.ask(_ASK, data)).error == "DerMalformed"


# Each is wrong in one thing, and the root signed it. Where: the field that the EVM names.
WRONG: dict[str, dict[str, Any]] = {
    "a root": {"extensions": {2: forms.basic_constraints(ca=True)}},
    "no authority": {"extensions": {2: forms.basic_constraints(ca=False)}},
    "a longer path": {"extensions": {2: forms.basic_constraints(ca=True, path_length=1)}},
    "constraints that are not critical": {
        "extensions": {2: replace(forms.basic_constraints(ca=True, path_length=0), critical=False)}
    },
    "no right to sign certificates": {"extensions": {3: forms.key_usage(0x02)}},
    "the key identifier of another root": {
        "extensions": {1: X509Extension(forms.AUTHORITY_KEY_ID, der.sequence(der.implicit(0, bytes(20))))}
    },
    "an exponent of 3": {"patch": (bytes.fromhex("0203010001a381a3"), bytes.fromhex("0203000003a381a3"))},
    "a short modulus": {"patch": (bytes.fromhex("0282020100"), None)},
    "the issuer of another line": {"issuer": forms.authority_name(ProductLine.MILAN, CaRole.ARK)},
    "the subject of another line": {"subject": forms.authority_name(ProductLine.MILAN, CaRole.ASK)},
    "the subject of a root": {"subject": forms.authority_name(ProductLine.GENOA, CaRole.ARK)},
    "version 1": {"version": 0},
    "another algorithm outside": {"outer_pss": Pss()},
    "a salt of 32 bytes": {"pss": Pss(salt_bytes=32)},
}


@pytest.mark.parametrize("what", WRONG)
def test_each_thing_that_is_wrong_is_refused(simulator: SnpVerifier, what: str) -> None:
    changes, amd = dict(WRONG[what]), FakeAmd.load(ProductLine.GENOA)
    template = amd.authorities[CaRole.ASK].template
    if "extensions" in changes:
        extensions = list(template.extensions)
        for at, new in changes["extensions"].items():
            extensions[at] = new
        changes["extensions"] = tuple(extensions)
    if "patch" in changes:
        old, new = changes.pop("patch")
        tbs = template.encode()
        assert tbs.count(old) == 1
        at = tbs.index(old) + len(old)
        # the highest bit of the modulus, or the whole text
        tbs = tbs[:at] + bytes((tbs[at] & 0x7F,)) + tbs[at + 1 :] if new is None else tbs.replace(old, new)
        algorithm = template.pss
        data = der.sequence(tbs, algorithm.encode(), der.bit_string(algorithm.sign(tbs, amd.ark.key)))
    else:
        data = _own(ProductLine.GENOA, CaRole.ASK, **changes)
    got = refusal(simulator.ask(_ASK, data))
    assert got.error in ("DerMalformed", "UnknownAuthority"), got
    with pytest.raises((FormatError, VerificationError)):
        _python(data, _simulated())


def test_a_certificate_that_the_root_did_not_sign_is_refused(simulator: SnpVerifier) -> None:
    data = FakeAmd.load(ProductLine.GENOA).authorities[CaRole.ASVK].certificate
    changed = data[:-1] + bytes((data[-1] ^ 1,))
    assert refusal(simulator.ask(_ASK, changed)) == Refused("IntermediateNotSigned")
    by_itself = _own(ProductLine.GENOA, CaRole.ASVK, signed_by=CaRole.ASVK)
    assert refusal(simulator.ask(_ASK, by_itself)) == Refused("IntermediateNotSigned")
    for short in (b"", data[:4], data + b"\0", data[:-1]):
        assert refusal(simulator.ask(_ASK, short)).error == "DerMalformed"


def test_a_key_identifier_of_a_list_is_compared_too(simulator: SnpVerifier) -> None:
    at = datetime(2026, 11, 21, 12, tzinfo=UTC)
    amd, other = FakeAmd.load(ProductLine.GENOA), FakeAmd.load(ProductLine.MILAN)
    assert not simulator.ask("verifyCrl(bytes)", amd.current_crl(at)).reverted
    own = forms.crl_template(
        ProductLine.GENOA, other.ark.key.public_key(), this_update=at, next_update=at, revoked=(), number=1
    )
    foreign = amd.current_crl(at, extensions=own.extensions)
    assert refusal(simulator.ask("verifyCrl(bytes)", foreign)).error == "DerMalformed"

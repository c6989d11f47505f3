"""Tests that each check of a report's cryptography fails alone: only that check is wrong in the evidence.

Every case is good evidence of the simulator with one deviation. Unless the deviation is about a signature, the evidence
is signed properly. `failing_checks` continues after a failure as if the step had passed, so that the test proves that
no other check fails.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from provenance_oracle.publisher.simulator import CaRole, FakeAmd, FakeGuest, Name, Pss, X509Extension, der, forms
from provenance_oracle.publisher.simulator.report import encode_tcb
from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.errors import VerificationError
from provenance_oracle.verifier.snp.chain import RevocationStatus, VerifiedChain, verify_chain
from provenance_oracle.verifier.snp.endorsements import SPL4, parse_endorsements
from provenance_oracle.verifier.snp.evidence import Evidence
from provenance_oracle.verifier.snp.products import (
    AMD_ROOTS,
    SIMULATOR_ROOTS,
    Cpuid,
    ProductLine,
    RootKind,
    TrustedRoot,
)
from provenance_oracle.verifier.snp.report import SigningKey, parse_report
from provenance_oracle.verifier.snp.signature import MatchedVek, match_vek_to_report, verify_report_signature
from provenance_oracle.verifier.snp.tcb import parse_tcb

AT = datetime(2026, 11, 21, 12, tzinfo=UTC)
_SECOND = timedelta(seconds=1)
_REPORT_DATA = bytes(range(64))
_AMDS = {line: FakeAmd.load(line) for line in ProductLine}
_MILAN, _GENOA, _TURIN = (FakeGuest.on(amd, at=AT) for amd in _AMDS.values())
_VLEK = replace(_GENOA, csp_id="CN=cc-us-east-2.amazonaws.com")
# Milan's authorities and forms, for the chip and TCB of the Genoa guest.
_MILAN_ON_GENOA = replace(_GENOA, amd=_MILAN.amd)
_OTHER_KEY = ec.derive_private_key(7, ec.SECP384R1())


@dataclass(frozen=True)
class Case:
    """One deviation: evidence, time and roots of the judgement, the check that must fail, and a part of its message."""

    check: Check | None
    problem: str
    guest: FakeGuest
    evidence: Evidence
    at: datetime = AT
    roots: tuple[TrustedRoot, ...] = SIMULATOR_ROOTS


def failing_checks(case: Case) -> list[Check | None]:
    """Run every step and return the checks that failed, in order, each once. A failed step is skipped."""
    evidence = case.evidence
    report = parse_report(evidence.report)
    endorsements = parse_endorsements(evidence.vek, evidence.chain, evidence.crl)
    without_list = replace(endorsements, crl=None)
    authorities = (endorsements.vek.certificate, endorsements.intermediate, endorsements.ark)
    all_valid_at = max(certificate.not_before for certificate in authorities)
    failed = []

    def attempt(step: Callable[[], Any], stepped_over: Any = None) -> Any:
        try:
            return step()
        except VerificationError as error:
            failed.append(error)
            return stepped_over

    # first names, keys and signatures alone; then validity too; then the revocation list too
    attempt(lambda: verify_chain(without_list, roots=case.roots, at=all_valid_at))
    attempt(lambda: verify_chain(without_list, roots=case.roots, at=case.at))
    line = case.guest.amd.line
    by_hand = VerifiedChain(line, RootKind.SIMULATOR, endorsements, case.at, RevocationStatus.NOT_REVOKED)
    chain = attempt(lambda: verify_chain(endorsements, roots=case.roots, at=case.at), by_hand)
    matched_by_hand = MatchedVek(chain, report, parse_tcb(report.reported_tcb, line, "test"), chip_id_masked=False)
    matched = attempt(lambda: match_vek_to_report(chain, report), matched_by_hand)
    attempt(lambda: verify_report_signature(matched))
    for error in failed:
        assert case.problem in str(error)
        assert error.where
        assert error.got
        assert error.wanted
    return list(dict.fromkeys(error.check for error in failed))


def _case(check: Check | None, problem: str, guest: FakeGuest, **deviations: Any) -> Case:
    """Return good evidence of `guest` with parts replaced; `at` and `roots` are those of the case."""
    judged = {name: deviations.pop(name) for name in ("at", "roots") if name in deviations}
    return Case(check, problem, guest, replace(guest.evidence(_REPORT_DATA), **deviations), **judged)


def _with_vek(check: Check, problem: str, guest: FakeGuest, **deviations: Any) -> Case:
    """Return a case with another certificate for the guest's key."""
    return _case(check, problem, guest, vek=guest.vek(**deviations).certificate)


def _with_report(check: Check, problem: str, guest: FakeGuest, **deviations: Any) -> Case:
    """Return a case with another report, signed by the guest's key."""
    return _case(check, problem, guest, report=guest.report(_REPORT_DATA, **deviations))


def _with_authority(check: Check, problem: str, role: CaRole, guest: FakeGuest = _GENOA, **deviations: Any) -> Case:
    """Return a case with another certificate for an authority's key. The ARK that results is the pinned root."""
    other = replace(guest, amd=guest.amd.reissue(role, **deviations))
    return _case(check, problem, other, roots=(other.amd.trusted_root(),))


def _with_list(check: Check, problem: str, guest: FakeGuest = _GENOA, **deviations: Any) -> Case:
    return _case(check, problem, guest, crl=guest.crl(**deviations))


def changed(extensions: tuple[X509Extension, ...], oid: str, value: bytes) -> tuple[X509Extension, ...]:
    return tuple(replace(extension, value=value) if extension.oid == oid else extension for extension in extensions)


def without(extensions: tuple[X509Extension, ...], oid: str) -> tuple[X509Extension, ...]:
    return tuple(extension for extension in extensions if extension.oid != oid)


def vek_extensions(guest: FakeGuest) -> tuple[X509Extension, ...]:
    """Return the extensions of the guest's own VCEK."""
    hwid = guest.chip_id[:8] if guest.amd.line is ProductLine.TURIN else guest.chip_id
    return forms.vcek_template(guest.amd.line, hwid, guest.tcb, spki=b"", not_before=AT).extensions


def _product_line() -> list[Case]:
    check = Check.PRODUCT_LINE
    genoa, spl4 = vek_extensions(_GENOA), X509Extension(SPL4, der.integer(0))
    of_short_id = _GENOA.vek(extensions=changed(genoa, forms.HWID, _GENOA.chip_id[:8]))
    short_id_report = _GENOA.report(_REPORT_DATA, chip_id=_GENOA.chip_id[:8].ljust(64, b"\0"))
    return [
        _with_report(check, "CPUID 19h/01h/1 (Milan)", _GENOA, cpuid_model=0x01),
        _with_report(check, "CPUID 1ah/50h/1 (Venice, which is not supported)", _TURIN, cpuid_model=0x50),
        _case(check, "CPUID", replace(_MILAN, cpuid=Cpuid(0x19, 0xA0, 2))),
        _with_vek(check, "productName", _GENOA, extensions=vek_extensions(_MILAN_ON_GENOA)),
        _with_vek(check, "productName", _GENOA, extensions=changed(genoa, forms.PRODUCT_NAME, der.ia5_string("genoa"))),
        _with_vek(check, "structVersion", _GENOA, extensions=changed(genoa, forms.STRUCT_VERSION, der.integer(1))),
        _case(check, "hwID", _GENOA, vek=of_short_id.certificate, report=short_id_report),
        _with_vek(check, "hwID", _TURIN, extensions=changed(vek_extensions(_TURIN), forms.HWID, _TURIN.chip_id)),
        _with_vek(check, "extension .3.4", _GENOA, extensions=without(genoa, SPL4)),
        _with_vek(check, "extension .3.4", _TURIN, extensions=(*vek_extensions(_TURIN), spl4)),
    ]


def _vek_chain_root() -> list[Case]:
    check = Check.VEK_CHAIN
    block_end = b"-----END CERTIFICATE-----\n"
    genoa_chain, milan_chain = (guest.evidence(_REPORT_DATA).chain.split(block_end) for guest in (_GENOA, _MILAN))
    return [
        _case(check, "root is not trusted", _GENOA, roots=AMD_ROOTS),
        _case(check, "root is not trusted", _GENOA, roots=()),
        _case(check, "root is not trusted", replace(_GENOA, amd=_GENOA.amd.reissue(CaRole.ARK))),
        _case(check, "wanted CN=SEV-Milan", _GENOA, chain=block_end.join((genoa_chain[0], milan_chain[1], b""))),
        # pinned, but not an authority
        _with_authority(
            check, "no BasicConstraints", CaRole.ARK, extensions=_without(CaRole.ARK, forms.BASIC_CONSTRAINTS)
        ),
        _with_authority(check, "subject", CaRole.ARK, subject=Name("ARK-Rome"), issuer=Name("ARK-Rome")),
    ]


def _vek_chain_intermediate() -> list[Case]:
    check = Check.VEK_CHAIN
    ask_extensions = _GENOA.amd.authorities[CaRole.ASK].template.extensions
    keys = {role: authority.key for role, authority in _GENOA.amd.authorities.items()}
    small = FakeAmd.from_keys(ProductLine.GENOA, {**keys, CaRole.ASK: rsa.generate_private_key(65537, 2048)})
    of_asvk = forms.authority_key_id(keys[CaRole.ASVK].public_key())
    foreign = X509Extension("1.3.6.1.4.1.99999.1", der.null())
    extensions = (
        ("basic constraints", _with_extension(forms.basic_constraints(ca=False))),
        ("basic constraints", _with_extension(forms.basic_constraints(ca=True))),
        ("basic constraints", _with_extension(forms.basic_constraints(ca=True, path_length=1))),
        ("no BasicConstraints", _without(CaRole.ASK, forms.BASIC_CONSTRAINTS)),
        ("no KeyUsage", _without(CaRole.ASK, forms.KEY_USAGE)),
        ("may not sign", _with_extension(forms.key_usage(0x02))),
        ("no AuthorityKeyIdentifier", _without(CaRole.ASK, forms.AUTHORITY_KEY_ID)),
        ("authority key id", _with_extension(of_asvk)),
        ("extensions", (*ask_extensions, foreign)),
        ("extensions", (*ask_extensions, replace(foreign, critical=True))),
    )
    return [
        _with_authority(check, "does not verify", CaRole.ASK, signed_by=CaRole.ASVK),
        _with_authority(check, "does not verify", CaRole.ASVK, _VLEK, signed_by=CaRole.ASK),
        _with_authority(check, "signature algorithm", CaRole.ASK, pss=Pss(salt_bytes=32, explicit_trailer=True)),
        _with_authority(check, "issuer", CaRole.ASK, issuer=Name("ARK-Milan")),
        _with_authority(check, "subject", CaRole.ASK, subject=Name("SEV-Milan")),
        _case(check, "RSA-4096", replace(_GENOA, amd=small), roots=(small.trusted_root(),)),
        *(_with_authority(check, problem, CaRole.ASK, extensions=extensions) for problem, extensions in extensions),
    ]


def _vek_chain_leaf() -> list[Case]:
    check = Check.VEK_CHAIN
    key, p256_key = _GENOA.vek().key, ec.derive_private_key(7, ec.SECP256R1())
    by_milan = _MILAN_ON_GENOA.vek(key=key, extensions=vek_extensions(_GENOA))
    # VCEK under ASVK, VLEK under ASK
    under_asvk = {"vek": _GENOA.vek(signed_by=CaRole.ASVK).certificate, "chain": _GENOA.amd.chain_pem(SigningKey.VLEK)}
    under_ask = {"vek": _VLEK.vek(signed_by=CaRole.ASK).certificate, "chain": _GENOA.amd.chain_pem(SigningKey.VCEK)}
    signed_with_p256 = _GENOA.report(_REPORT_DATA, key=p256_key)
    return [
        _case(check, "issuer", _GENOA, vek=by_milan.certificate),
        _case(check, "wanted CN=SEV-Genoa", _GENOA, **under_asvk),
        _case(check, "wanted CN=SEV-VLEK-Genoa", _VLEK, **under_ask),
        _with_vek(check, "does not verify", _GENOA, signed_by=CaRole.ASVK, issuer=Name("SEV-Genoa")),
        _with_vek(check, "issuer", _GENOA, issuer=Name("SEV-Genoa", organization="AMD")),
        _with_vek(check, "subject", _GENOA, subject=Name("SEV-VCEK", organization="AMD")),
        _with_vek(check, "signature algorithm", _GENOA, pss=Pss(salt_bytes=32)),
        # the signature is right, and the certificate states another algorithm
        _with_vek(check, "signature algorithm", _GENOA, pss=Pss(salt_bytes=32), signing_pss=Pss()),
        _with_vek(check, "signature algorithm", _GENOA, pss=Pss(hash_name="sha256")),
        _with_vek(check, "does not verify", _GENOA, signing_pss=Pss(salt_bytes=32)),
        _with_vek(check, "does not verify", _GENOA, signing_pss=Pss(hash_name="sha256")),
        _case(check, "kind of key", _GENOA, vek=_GENOA.vek(key=p256_key).certificate, report=signed_with_p256),
    ]


def _with_extension(extension: X509Extension) -> tuple[X509Extension, ...]:
    """Return the ASK's extensions with another value in one of them."""
    return changed(_GENOA.amd.authorities[CaRole.ASK].template.extensions, extension.oid, extension.value)


def _without(role: CaRole, oid: str) -> tuple[X509Extension, ...]:
    return without(_GENOA.amd.authorities[role].template.extensions, oid)


def _vek_validity() -> list[Case]:
    check = Check.VEK_VALIDITY
    return [
        _with_vek(check, "SEV-VCEK is not valid", _GENOA, not_before=AT + _SECOND),
        _with_vek(check, "SEV-VCEK is not valid", _GENOA, not_after=AT - _SECOND),
        _with_vek(check, "SEV-VLEK is not valid", _VLEK, not_before=AT + _SECOND),
        _case(check, "SEV-VLEK is not valid", _VLEK, at=AT + timedelta(days=336), crl=None),
        _with_authority(check, "SEV-Genoa is not valid", CaRole.ASK, not_after=AT - _SECOND),
        _with_authority(check, "SEV-Genoa is not valid", CaRole.ASK, not_before=AT + _SECOND),
        _with_authority(check, "SEV-VLEK-Genoa is not valid", CaRole.ASVK, _VLEK, not_after=AT - _SECOND),
        _with_authority(check, "ARK-Genoa is not valid", CaRole.ARK, not_after=AT - _SECOND),
    ]


def _vek_revocation() -> list[Case]:
    check = Check.VEK_REVOCATION
    genoa = _AMDS[ProductLine.GENOA]
    ask, asvk = (genoa.authorities[role].template for role in (CaRole.ASK, CaRole.ASVK))
    of_ask = forms.authority_key_id(genoa.authorities[CaRole.ASK].key.public_key())
    number = X509Extension(forms.CRL_NUMBER, der.integer(1))
    return [
        _with_list(check, "SEV-Genoa is revoked", revoked=(ask.serial,)),
        _with_list(check, "SEV-VLEK-Genoa is revoked", _VLEK, revoked=(1, asvk.serial)),
        _with_list(check, "SEV-Genoa is revoked", revoked=(ask.serial,), next_update=AT - _SECOND),
        _with_list(check, "signature of the CRL", signed_by=CaRole.ASK),
        _with_list(check, "issuer of the CRL", signed_by=CaRole.ASK, issuer=ask.subject),
        _with_list(check, "authority key id of the CRL", extensions=(of_ask, number)),
        _with_list(check, "signature algorithm of the CRL", pss=Pss(salt_bytes=32)),
        _with_list(check, "signature of the CRL", signing_pss=Pss(salt_bytes=32)),
        _case(check, "issuer of the CRL", _GENOA, crl=_MILAN.crl()),
    ]


def _vek_match() -> list[Case]:
    check = Check.VEK_MATCH
    flipped = bytes([_GENOA.chip_id[0] ^ 1]) + _GENOA.chip_id[1:]
    fmc = X509Extension(forms.SPL["fmc"], der.integer(1))
    components = [(guest, name) for guest in (_MILAN, _GENOA, _TURIN) for name in vars(guest.tcb)]
    return [
        _with_report(check, "signing key", _GENOA, key_info=SigningKey.VLEK << 2),
        _with_report(check, "signing key", _VLEK, key_info=SigningKey.VCEK << 2),
        *(
            _with_report(check, "reported TCB", guest, reported_tcb=_lowered(guest, name))
            for guest, name in components
            if getattr(guest.tcb, name)
        ),
        _with_vek(check, "reported TCB", _GENOA, extensions=(*vek_extensions(_GENOA), fmc)),
        _with_vek(check, "reported TCB", _TURIN, extensions=without(vek_extensions(_TURIN), forms.SPL["fmc"])),
        _with_report(check, "chip id", _GENOA, chip_id=flipped),
        _with_report(check, "chip id", _TURIN, chip_id=_TURIN.chip_id[:-1] + b"\1"),
        _with_report(check, "chip id", _VLEK, chip_id=_GENOA.chip_id),
    ]


def _lowered(guest: FakeGuest, component: str) -> bytes:
    lower = replace(guest.tcb, **{component: getattr(guest.tcb, component) - 1})
    return encode_tcb(lower, guest.amd.line)


def _report_signature() -> list[Case]:
    check, problem = Check.REPORT_SIGNATURE, "signature does not verify"
    good = _GENOA.report(_REPORT_DATA)
    other_report = _GENOA.report(bytes(64))
    other_tcb = replace(_GENOA, tcb=replace(_GENOA.tcb, microcode=87)).vek().key
    flipped = bytearray(good)
    flipped[0x090] ^= 1
    return [
        _with_report(check, problem, _GENOA, key=_OTHER_KEY),
        _with_report(check, problem, _GENOA, key=other_tcb),
        _with_report(check, problem, _VLEK, key=_GENOA.vek().key),
        _case(check, problem, _GENOA, report=bytes(flipped)),
        _case(check, problem, _GENOA, report=good[:0x2A0] + other_report[0x2A0:]),
        _case(check, problem, _GENOA, report=good[:0x2A0] + good[0x2E8:0x330] + good[0x2A0:0x2E8] + good[0x330:]),
    ]


GOOD = [
    _case(None, "", replace(guest, version=version, csp_id=csp_id))
    for guest in (_MILAN, _GENOA, _TURIN)
    for version in (2, 3, 4, 5)
    for csp_id in (None, _VLEK.csp_id)
]
CASES = [
    *_product_line(),
    *_vek_chain_root(),
    *_vek_chain_intermediate(),
    *_vek_chain_leaf(),
    *_vek_validity(),
    *_vek_revocation(),
    *_vek_match(),
    *_report_signature(),
]


@pytest.mark.parametrize("case", GOOD)
def test_without_a_deviation_every_check_holds(case: Case) -> None:
    assert failing_checks(case) == []


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.check}-{case.problem}")
def test_only_this_check_fails(case: Case) -> None:
    assert failing_checks(case) == [case.check]

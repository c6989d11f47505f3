"""Tests of evidence from the simulator that is malformed in one place or barely acceptable."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from provenance_oracle.publisher.simulator import FakeAmd, FakeGuest, Name, Pss, X509Extension, der, forms
from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.errors import FormatError
from provenance_oracle.verifier.snp.chain import RevocationStatus, VerifiedChain, verify_chain
from provenance_oracle.verifier.snp.endorsements import parse_endorsements
from provenance_oracle.verifier.snp.evidence import Evidence
from provenance_oracle.verifier.snp.products import SIMULATOR_ROOTS, ProductLine, RootKind
from provenance_oracle.verifier.snp.report import parse_report
from provenance_oracle.verifier.snp.signature import Claims, match_vek_to_report, verify_report_signature

_AT = datetime(2026, 11, 21, 12, tzinfo=UTC)
_DELTA_CRL_INDICATOR = "2.5.29.27"
_SECOND = timedelta(seconds=1)
_REPORT_DATA = bytes(range(64))
_GENOA = FakeGuest.on(FakeAmd.load(ProductLine.GENOA), at=_AT)
_TURIN = FakeGuest.on(FakeAmd.load(ProductLine.TURIN), at=_AT)
_P384_ORDER = int(
    "ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973", 16
)


def _extensions(guest: FakeGuest) -> tuple[X509Extension, ...]:
    hwid = guest.chip_id[:8] if guest.amd.line is ProductLine.TURIN else guest.chip_id
    return forms.vcek_template(guest.amd.line, hwid, guest.tcb, spki=b"", not_before=_AT).extensions


def _changed(oid: str, value: bytes, **others: Any) -> tuple[X509Extension, ...]:
    return tuple(replace(e, value=value, **others) if e.oid == oid else e for e in _extensions(_GENOA))


@pytest.mark.parametrize(
    ("problem", "deviation"),
    [
        ("version", {"version": 1}),
        ("version", {"version": 7}),
        ("version", {"version": 6}),
        ("signature_algo", {"signature_algo": 2}),
        ("mask_chip_key", {"key_info": 1 << 1}),
        ("signing_key", {"key_info": 7 << 2}),
        ("key_info", {"key_info": 1 << 5}),
        ("policy", {"policy": 0x30000 | 1 << 26}),
        ("policy", {"policy": 0x10000}),
        ("vmpl", {"vmpl": 4}),
        ("reserved bytes", {"patches": ((0x04C, b"\1"),)}),
        ("reserved bytes", {"patches": ((0x18B, b"\1"),)}),
        ("reserved bytes", {"patches": ((0x1EB, b"\1"),)}),
        ("reserved bytes", {"patches": ((0x208, b"\1"),)}),
        ("reserved bytes", {"patches": ((0x29F, b"\1"),)}),
        ("reserved bytes", {"version": 2}),  # CPUID exists from version 3 on
        ("reserved bytes", {"version": 4}),  # read with the fields of version 3
        ("reserved bytes", {"version": 3}),  # mitigation vectors exist from version 5 on
    ],
)
def test_a_report_of_another_form_is_refused_though_properly_signed(problem: str, deviation: dict[str, Any]) -> None:
    with pytest.raises(FormatError) as caught:
        parse_report(_GENOA.report(_REPORT_DATA, **deviation))
    assert caught.value.check is Check.REPORT_FORMAT
    assert problem in str(caught.value)


@pytest.mark.parametrize("number", [0, _P384_ORDER, 1 << 384, 1 << 575])
@pytest.mark.parametrize("offset", [0x2A0, 0x2E8])
def test_numbers_of_the_signature_must_be_in_range(offset: int, number: int) -> None:
    report = bytearray(_GENOA.report(_REPORT_DATA))
    report[offset : offset + 72] = number.to_bytes(72, "little")
    with pytest.raises(FormatError) as caught:
        parse_report(bytes(report))
    assert caught.value.check is Check.REPORT_FORMAT


@pytest.mark.parametrize(
    "deviation",
    [
        {"extensions": _extensions(_GENOA)[:-1]},  # no hwID
        {"extensions": _extensions(_GENOA)[1:]},  # no structVersion
        {"extensions": (*_extensions(_GENOA), _extensions(_GENOA)[2])},  # the boot loader twice
        {"extensions": (*_extensions(_GENOA), X509Extension("1.3.6.1.4.1.99999.1", der.null()))},
        {"extensions": (*_extensions(_GENOA), X509Extension("1.3.6.1.4.1.99999.1", der.null(), critical=True))},
        {"extensions": (*_extensions(_GENOA), forms.basic_constraints(ca=False))},
        {"extensions": (*_extensions(_GENOA), X509Extension(forms.CSP_ID, der.ia5_string("CN=cloud")))},
        {"extensions": _changed(forms.HWID, _GENOA.chip_id, critical=True)},
        {
            "extensions": _changed(forms.HWID, der.octet_string(_GENOA.chip_id))
        },  # 04 40, which only a test certificate has
        {"extensions": _changed(forms.HWID, _GENOA.chip_id[:63])},
        {"extensions": _changed(forms.SPL["microcode"], b"\x02\x02\x00\x58")},  # 88 in two bytes
        {"extensions": _changed(forms.SPL["microcode"], b"\x02\x01\x58\x00")},
        {"extensions": _changed(forms.SPL["microcode"], der.integer(-88))},
        {"extensions": _changed(forms.SPL["microcode"], der.integer(256))},
        {"extensions": _changed(forms.SPL["microcode"], der.octet_string(b"\x58"))},
        {"extensions": _changed(forms.SPL["spl4"], der.integer(1))},
        {"extensions": _changed(forms.PRODUCT_NAME, der.utf8_string("Genoa"))},
        {"extensions": _changed(forms.PRODUCT_NAME, der.ia5_string(""))},
        {"version": None, "extensions": ()},  # X.509 v1
        {"version": 1},
        {"subject": Name("VCEK")},
        {"outer_pss": Pss(explicit_trailer=True)},  # the outer algorithm differs from the inner one
        {"outer_pss": Pss(hash_name="sha256")},
        {"spki": b"\x30\x00"},
    ],
)
def test_a_vcek_of_another_form_is_refused_though_properly_signed(deviation: dict[str, Any]) -> None:
    _refuse_endorsements(vek=_GENOA.vek(**deviation).certificate)


@pytest.mark.parametrize(
    "extensions",
    [
        (),
        (forms.authority_key_id(_GENOA.amd.ark.key.public_key()),),
        (X509Extension(forms.CRL_NUMBER, der.integer(1)),),
        (
            forms.authority_key_id(_GENOA.amd.ark.key.public_key()),
            X509Extension(forms.CRL_NUMBER, der.integer(2)),
            X509Extension(_DELTA_CRL_INDICATOR, der.integer(1), critical=True),
        ),
        (
            forms.authority_key_id(_GENOA.amd.ark.key.public_key()),
            X509Extension(forms.CRL_NUMBER, der.integer(2)),
            X509Extension("2.5.29.28", der.sequence(der.implicit(1, b"\xff")), critical=True),  # user certificates only
        ),
    ],
)
def test_a_list_that_is_not_complete_is_refused(extensions: tuple[X509Extension, ...]) -> None:
    _refuse_endorsements(crl=_GENOA.crl(extensions=extensions))


@pytest.mark.parametrize("deviation", [{"next_update": None}, {"revoked": (5, 5)}, {"outer_pss": Pss(salt_bytes=32)}])
def test_a_list_of_another_form_is_refused(deviation: dict[str, Any]) -> None:
    _refuse_endorsements(crl=_GENOA.crl(**deviation))


@pytest.mark.parametrize("part", ["vek", "chain", "crl"])
def test_nothing_may_follow_or_be_missing(part: str) -> None:
    data = getattr(_GENOA.evidence(_REPORT_DATA), part)
    _refuse_endorsements(**{part: data + b"\0"})
    _refuse_endorsements(**{part: data[:-2]})
    _refuse_endorsements(**{part: b""})
    _refuse_endorsements(**{part: data + data})


def test_at_the_very_ends_of_validity_evidence_is_accepted() -> None:
    vek = _GENOA.vek(not_before=_AT, not_after=_AT).certificate
    crl = _GENOA.crl(this_update=_AT, next_update=_AT)
    claims = _judge(replace(_GENOA.evidence(_REPORT_DATA), vek=vek, crl=crl))
    assert claims.revocation is RevocationStatus.NOT_REVOKED


@pytest.mark.parametrize(
    ("crl", "revocation"),
    [
        (None, RevocationStatus.UNAVAILABLE),
        (_GENOA.crl(this_update=_AT + _SECOND), RevocationStatus.STALE),
        (_GENOA.crl(next_update=_AT - _SECOND), RevocationStatus.STALE),
        (_GENOA.crl(revoked=(1, 131073)), RevocationStatus.NOT_REVOKED),
    ],
)
def test_no_list_and_a_stale_list_are_outcomes_of_their_own(crl: bytes | None, revocation: RevocationStatus) -> None:
    assert _judge(replace(_GENOA.evidence(_REPORT_DATA), crl=crl)).revocation is revocation


@pytest.mark.parametrize("guest", [_GENOA, _TURIN])
def test_a_masked_chip_id_is_an_outcome_of_its_own(guest: FakeGuest) -> None:
    evidence = guest.evidence(_REPORT_DATA)
    assert _judge(evidence).chip_id == guest.chip_id
    assert _judge(replace(evidence, report=guest.report(_REPORT_DATA, chip_id=bytes(64)))).chip_id is None


def test_claims_say_whose_root_it_was() -> None:
    claims = _judge(_GENOA.evidence(_REPORT_DATA))
    assert (claims.root_kind, claims.line, claims.cpuid) == (RootKind.SIMULATOR, ProductLine.GENOA, _GENOA.cpuid)
    assert (claims.reported_tcb, claims.launch_tcb) == (_GENOA.tcb, _GENOA.tcb)


def _judge(evidence: Evidence) -> Claims:
    endorsements = parse_endorsements(evidence.vek, evidence.chain, evidence.crl)
    chain: VerifiedChain = verify_chain(endorsements, roots=SIMULATOR_ROOTS, at=_AT)
    return verify_report_signature(match_vek_to_report(chain, parse_report(evidence.report)))


def _refuse_endorsements(**parts: bytes) -> None:
    evidence = replace(_GENOA.evidence(_REPORT_DATA), **parts)
    with pytest.raises(FormatError) as caught:
        parse_endorsements(evidence.vek, evidence.chain, evidence.crl)
    assert caught.value.check is Check.ENDORSEMENTS_FORMAT
    assert caught.value.where in parts

"""Tests of files with certificates and lists: the accepted forms, all other forms, and the errors they raise."""

from __future__ import annotations

import random
import re
import ssl
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provenance_oracle.publisher.simulator import FakeAmd, FakeGuest, X509Extension, der, forms
from provenance_oracle.publisher.simulator.certificates import Pss
from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.errors import FormatError, VerificationError
from provenance_oracle.verifier.snp.certificates import CERTIFICATE_MAX_BYTES, parse_certificate, split_certificates
from provenance_oracle.verifier.snp.crl import CRL_MAX_BYTES, parse_crl
from provenance_oracle.verifier.snp.endorsements import Endorsements, parse_endorsements, parse_vek
from provenance_oracle.verifier.snp.products import ProductLine
from provenance_oracle.verifier.snp.report import SigningKey
from tests.support.mutants import changed
from tests.support.real_sets import NAMES, anchor, crl, judge, real_set

_AT = datetime(2026, 11, 21, tzinfo=UTC)
_GUEST = FakeGuest.on(FakeAmd.load(ProductLine.GENOA), at=_AT)
_ARK = _GUEST.amd.ark
_VEK, _CHAIN = _GUEST.vek().certificate, _GUEST.amd.chain_pem(SigningKey.VCEK)
_MUTANTS = 800
_DELTA_CRL_INDICATOR = "2.5.29.27"


def _refused(read: Callable[[], object], said: str = "") -> None:
    with pytest.raises(FormatError) as caught:
        read()
    error = caught.value
    assert error.check is Check.ENDORSEMENTS_FORMAT
    assert error.where
    assert error.got
    assert error.wanted
    assert said in str(error)


# --- one certificate, and two above it ---------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_extensions_of_real_veks_are_read(vectors: Path, name: str) -> None:
    real = real_set(vectors, name)
    vek = parse_endorsements(real.evidence.vek, real.evidence.chain, None).vek
    said = real.manifest["vek"]
    # the manifests of `snp2` leave out struct_version: it follows from the line
    struct_version = said.get("struct_version", int(name.startswith("turin")))
    assert (vek.product_name, vek.struct_version, vek.csp_id) == (said["product_name"], struct_version, said["csp_id"])
    assert vek.kind is SigningKey[real.manifest["signing_key"]]
    assert (said["hwid_encoding"] or "none") == (f"raw{len(vek.hwid)}" if vek.hwid else "none")
    reported = real.manifest["fields"]["reported_tcb"]
    names = {"bl": "bootloader", "tee": "tee", "snp": "snp", "ucode": "microcode", "fmc": "fmc"}
    assert vek.tcb == {names[key]: value for key, value in reported.items() if key in names}


@pytest.mark.parametrize("first", [0x02, 0x04, 0x16, 0x30])
def test_a_chip_id_may_begin_like_a_tag(first: int) -> None:
    guest = replace(_GUEST, chip_id=bytes([first, 0x3E]) + _GUEST.chip_id[2:])
    assert parse_vek(parse_certificate(guest.vek().certificate, "vek")).hwid == guest.chip_id


@pytest.mark.parametrize("text", ["CN=\x1b[31m", "a\nb", "\x7f", "\0", "x" * 257])
def test_text_for_people_is_short_and_printable(text: str) -> None:
    vlek = replace(_GUEST, csp_id=text).vek().certificate
    _refused(lambda: parse_vek(parse_certificate(vlek, "vek")), "a short printable IA5String")


def test_the_number_of_certificates_is_exact() -> None:
    ask, ark = split_certificates(_CHAIN, "chain")
    parse_endorsements(_VEK, ask + ark, None)
    for veks in (b"", _VEK + _VEK, _VEK + ark):
        _refused(lambda veks=veks: parse_endorsements(veks, _CHAIN, None))  # type: ignore[misc]
    for above in (b"", ask, ark, ask + ark + ark, ask + ask, ark + ark, ask * 5):
        _refused(lambda above=above: parse_endorsements(_VEK, above, None))  # type: ignore[misc]
    _refused(lambda: parse_endorsements(ask, _CHAIN, None), "SEV-VCEK")


def test_sizes_are_bounded() -> None:
    huge = _GUEST.vek(extensions=(X509Extension("1.3.6.1.4.1.3704.1.4", bytes(CERTIFICATE_MAX_BYTES)),)).certificate
    _refused(lambda: parse_certificate(huge, "vek"), "too large")
    _refused(lambda: split_certificates(b"-----BEGIN " + bytes(1 << 20), "vek"), "too large")
    _refused(lambda: parse_crl(bytes(2 * CRL_MAX_BYTES + 1), "crl"), "too large")
    _refused(lambda: parse_crl(bytes(CRL_MAX_BYTES + 1), "crl"))


# --- PEM ---------------------------------------------------------------------------------------------------

_PEM = ssl.DER_cert_to_PEM_cert(_VEK).encode()
_BODY = _PEM.split(b"\n", 1)[1].rsplit(b"\n-----END", 1)[0]


@pytest.mark.parametrize(
    "pem", [_PEM, _PEM.rstrip(b"\n"), _PEM + b"\n\n", _PEM.replace(b"\n", b"\r\n"), _PEM + _PEM.replace(b"\n", b"\r\n")]
)
def test_pem_with_either_line_end_is_read(pem: bytes) -> None:
    assert set(split_certificates(pem, "vek")) == {_VEK}


@pytest.mark.parametrize(
    "pem",
    [
        b"\n" + _PEM,
        b" " + _PEM,
        b"\xef\xbb\xbf" + _PEM,
        b"subject=CN = SEV-VCEK\n" + _PEM,
        _PEM + b"garbage",
        _PEM + b"# comment\n" + _PEM,
        _PEM.replace(b"CERTIFICATE", b"X509 CERTIFICATE"),
        _PEM.replace(b"CERTIFICATE", b"TRUSTED CERTIFICATE"),
        _PEM.replace(b"CERTIFICATE", b"X509 CRL"),
        _PEM.replace(b"END CERTIFICATE", b"END X509 CRL"),
        _PEM.replace(b"-----\n", b"-----\nProc-Type: 4,ENCRYPTED\n\n", 1),
        _PEM.replace(b"-----\n", b"-----\n\n", 1),
        _PEM.replace(_BODY, _BODY[:64] + b" " + _BODY[64:]),
        _PEM.replace(_BODY, _BODY.replace(b"\n", b"\n\t")),
        _PEM.replace(_BODY, _BODY + b"===="),
        _PEM.replace(_BODY, b"=" + _BODY[1:]),
        _PEM.replace(_BODY, b""),
        _PEM.rsplit(b"-----END", 1)[0],
        _PEM.replace(b"-----BEGIN", b"----BEGIN"),
        _PEM * 5,
    ],
)
def test_pem_with_anything_around_or_inside_is_refused(pem: bytes) -> None:
    _refused(lambda: split_certificates(pem, "vek"))


def test_base64_has_one_form() -> None:
    by_size = {len(der) % 3: der for der in (_GUEST.vek(serial=serial).certificate for serial in (0, 256, 65536))}
    padded = by_size[1]
    pem = ssl.DER_cert_to_PEM_cert(padded).encode()
    assert split_certificates(pem, "vek") == [padded]
    last = re.search(rb"([A-Za-z0-9+/])(=+)\n", pem)
    assert last
    alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    loose = alphabet[alphabet.index(last[1]) | 1 : (alphabet.index(last[1]) | 1) + 1]
    _refused(lambda: split_certificates(pem.replace(last[0], loose + last[2] + b"\n"), "vek"), "base64")
    _refused(lambda: split_certificates(pem.replace(last[0], last[1] + b"\n"), "vek"), "base64")


# --- lists -------------------------------------------------------------------------------------------------

_KEY_ID, _NUMBER = forms.authority_key_id(_ARK.key.public_key()), X509Extension(forms.CRL_NUMBER, der.integer(7))
_REASON = X509Extension("2.5.29.21", der.tlv(0x0A, b"\x01"))


def test_real_lists_are_read(vectors: Path) -> None:
    genoa = parse_crl(crl(vectors, "ARK-Genoa-crl2-2022"), "crl")
    assert (genoa.number, genoa.revoked_serials) == (2, frozenset({131073}))
    assert genoa.this_update == datetime(2022, 10, 31, 13, 34, 46, tzinfo=UTC)
    assert genoa.next_update == datetime(2023, 10, 31, 23, tzinfo=UTC)
    milan = parse_crl(crl(vectors, "ARK-Milan-crl3-2022"), "crl")
    assert (milan.number, milan.revoked_serials) == (3, frozenset())
    genoa = parse_crl(crl(vectors, "ARK-Genoa-crl4-2024"), "crl")
    assert (genoa.number, genoa.revoked_serials) == (4, frozenset({131073}))
    assert genoa.this_update == datetime(2024, 10, 23, 4, 36, 24, tzinfo=UTC)
    assert genoa.next_update == datetime(2025, 11, 3, 1, tzinfo=UTC)
    milan = parse_crl(crl(vectors, "ARK-Milan-crl6-2025"), "crl")
    assert (milan.number, milan.revoked_serials) == (6, frozenset())
    assert (milan.this_update.year, milan.next_update) == (2025, datetime(2026, 5, 12, tzinfo=UTC))


def test_a_list_may_come_as_pem(vectors: Path) -> None:
    data = crl(vectors, "ARK-Genoa-crl2-2022")
    pem = ssl.DER_cert_to_PEM_cert(data).replace("CERTIFICATE", "X509 CRL").encode()
    assert parse_crl(pem, "crl") == parse_crl(data, "crl")
    _refused(lambda: parse_crl(pem + pem, "crl"))
    _refused(lambda: parse_crl(pem.replace(b"X509 CRL", b"CERTIFICATE"), "crl"))
    _refused(lambda: parse_crl(b"", "crl"))
    _refused(lambda: parse_crl(data + b"\0", "crl"))


@pytest.mark.parametrize(
    ("extensions", "accepted"),
    [
        ((_KEY_ID, _NUMBER), True),
        ((_NUMBER, _KEY_ID), True),
        ((_KEY_ID, _NUMBER, X509Extension("1.3.6.1.4.1.99999.1", b"anything")), True),
        ((_KEY_ID, _NUMBER, X509Extension("1.3.6.1.4.1.99999.1", b"anything", critical=True)), False),
        ((_KEY_ID, replace(_NUMBER, critical=True)), False),
        ((_KEY_ID, _NUMBER, X509Extension(_DELTA_CRL_INDICATOR, der.integer(1))), False),
        ((_KEY_ID, _NUMBER, X509Extension("2.5.29.28", der.sequence(der.implicit(1, b"\xff")))), False),
        ((_KEY_ID, _NUMBER, _NUMBER), False),
        ((_KEY_ID, replace(_NUMBER, value=der.integer(-1))), False),
        ((_KEY_ID, replace(_NUMBER, value=der.integer(2**200))), False),
        ((_KEY_ID, replace(_NUMBER, value=der.integer(7) + b"\0")), False),
        ((_KEY_ID,), False),
        ((_NUMBER,), False),
        ((), False),
    ],
)
def test_a_list_must_be_whole_and_wholly_understood(extensions: tuple[X509Extension, ...], accepted: bool) -> None:
    data = _GUEST.crl(extensions=extensions)
    if accepted:
        assert parse_crl(data, "crl").number == 7
    else:
        _refused(lambda: parse_crl(data, "crl"))


def test_an_entry_may_say_why_but_nothing_critical() -> None:
    when = der.time(_AT)
    serials = {
        der.sequence(der.integer(5), when): True,
        der.sequence(der.integer(5), when, der.sequence(_REASON.encode())): True,
        der.sequence(der.integer(5), when, der.sequence(replace(_REASON, critical=True).encode())): False,
        der.sequence(der.integer(5), when, der.sequence()): False,
        der.sequence(der.integer(5), when, _REASON.encode()): False,
        der.sequence(der.integer(-5), when): False,
        der.sequence(der.integer(5)): False,
        der.sequence(when, der.integer(5)): False,
        der.integer(5): False,
        der.sequence(der.integer(5), when) + der.sequence(der.integer(5), when): False,
    }
    for entries, accepted in serials.items():
        data = _list_with(der.sequence(entries))
        if accepted:
            assert parse_crl(data, "crl").revoked_serials == {5}
        else:
            _refused(lambda data=data: parse_crl(data, "crl"))  # type: ignore[misc]
    for field in (der.sequence(), der.integer(5), der.octet_string(b""), der.explicit(1, der.null())):
        _refused(lambda field=field: parse_crl(_list_with(field), "crl"))  # type: ignore[misc]


def _list_with(entries: bytes) -> bytes:
    tbs = der.sequence(
        der.integer(1),
        Pss().encode(),
        forms.authority_name(ProductLine.GENOA, forms.CaRole.ARK).encode(),
        der.time(_AT),
        der.time(_AT),
        entries,
        der.explicit(0, der.sequence(_KEY_ID.encode(), _NUMBER.encode())),
    )
    return der.sequence(tbs, Pss().encode(), der.bit_string(bytes(512)))


@pytest.mark.parametrize("version", [b"", der.integer(0), der.integer(2), der.explicit(0, der.integer(1))])
def test_other_versions_of_a_list_are_refused(version: bytes) -> None:
    data = _list_with(der.sequence(der.sequence(der.integer(5), der.time(_AT))))
    _refused(lambda: parse_crl(_resized(data, der.integer(1), version), "crl"))


def _resized(data: bytes, old: bytes, new: bytes) -> bytes:
    """Replace the first field of the signed part and correct all lengths around it."""
    tbs = data[8:].split(Pss().encode(), 1)[0]
    assert tbs == old
    rest = data[8 + len(old) :]
    inner_size = int.from_bytes(data[6:8], "big") - len(old)
    return der.sequence(der.sequence(new, rest[:inner_size]), rest[inner_size:])


# --- anything at all ---------------------------------------------------------------------------------------


@given(st.binary(max_size=300), st.sampled_from(["vek", "chain", "crl"]))
def test_arbitrary_bytes_are_malformed(data: bytes, part: str) -> None:
    files = {"vek": _VEK, "chain": _CHAIN, "crl": None, part: data}
    _refused(lambda: parse_endorsements(files["vek"] or b"", files["chain"] or b"", files["crl"]))


@pytest.mark.parametrize("name", ["milan-v3-VLEK-trustee-aws", "genoa-v3-mstav-aci", "turin-v5-mstav-aci"])
@pytest.mark.parametrize("part", ["vek", "intermediate", "ark", "crl"])
def test_changed_files_are_malformed_or_forged(vectors: Path, name: str, part: str) -> None:
    real = real_set(vectors, name)
    files = {
        "vek": real.evidence.vek,
        "intermediate": real.intermediate,
        "ark": real.ark,
        "crl": crl(vectors, "ARK-Milan-crl6-2025" if "milan" in name else "ARK-Genoa-crl4-2024"),
    }
    for number in range(_MUTANTS):
        mutant = files | {part: changed(files[part], random.Random(number))}
        if mutant == files:
            continue
        chain, revocation = mutant["intermediate"] + mutant["ark"], mutant["crl"] if part == "crl" else None
        evidence = replace(real.evidence, vek=mutant["vek"], chain=chain, crl=revocation)
        with pytest.raises((FormatError, VerificationError)) as caught:
            judge(evidence, real.at)
        assert caught.value.check


def test_a_pem_file_with_a_byte_changed_is_another_certificate_or_none(vectors: Path) -> None:
    genuine = anchor(vectors, "SEV-Milan")
    pem = ssl.DER_cert_to_PEM_cert(genuine).encode()
    for at in range(len(pem)):
        other = pem[:at] + bytes([pem[at] ^ 1]) + pem[at + 1 :]
        try:
            assert split_certificates(other, "chain") != [genuine]
        except FormatError as error:
            assert error.check is Check.ENDORSEMENTS_FORMAT


def test_nothing_of_a_parsed_certificate_can_be_changed() -> None:
    parsed: Endorsements = parse_endorsements(_VEK, _CHAIN, None)
    with pytest.raises(TypeError):
        parsed.vek.tcb["snp"] = 255  # type: ignore[index]
    with pytest.raises(AttributeError):
        parsed.vek.hwid = b""  # type: ignore[misc]

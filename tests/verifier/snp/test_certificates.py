"""Tests of certificates with a field moved, doubled, left out or encoded in another way, and signed again."""

from __future__ import annotations

import ssl
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, rsa, x25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from provenance_oracle.publisher.simulator import CaRole, FakeAmd, FakeGuest, X509Extension, der, forms
from provenance_oracle.publisher.simulator.certificates import CertificateTemplate, Pss
from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.errors import FormatError
from provenance_oracle.verifier.snp.certificates import Certificate, parse_certificate, split_certificates
from provenance_oracle.verifier.snp.products import ProductLine

_AT = datetime(2026, 11, 21, 12, tzinfo=UTC)
_AMD = FakeAmd.load(ProductLine.MILAN)
_GUEST = FakeGuest.on(_AMD, at=_AT)
_ASK = _AMD.authorities[CaRole.ASK]
_KEY = ec.derive_private_key(7, ec.SECP384R1()).public_key()
_SPKI = _KEY.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
_TEMPLATE = forms.vcek_template(ProductLine.MILAN, _GUEST.chip_id, _GUEST.tcb, spki=_SPKI, not_before=_AT)
_P384 = bytes.fromhex("301006072a8648ce3d020106052b81040022")
_FIELDS = ("version", "serial", "algorithm", "issuer", "validity", "subject", "spki", "extensions")


def _fields(template: CertificateTemplate) -> dict[str, bytes]:
    """Return the fields of the signed part by name."""
    validity = der.sequence(der.time(template.not_before), der.time(template.not_after))
    extensions = der.sequence(*(extension.encode() for extension in template.extensions))
    values = (
        der.explicit(0, der.integer(2)),
        der.integer(template.serial),
        template.pss.encode(),
        template.issuer.encode(),
        validity,
        template.subject.encode(),
        template.spki,
        der.explicit(3, extensions),
    )
    return dict(zip(_FIELDS, values, strict=True))


_GOOD = _fields(_TEMPLATE)


def _signed(*fields: bytes, outer: bytes = Pss().encode()) -> bytes:
    tbs = der.sequence(*fields)
    return der.sequence(tbs, outer, der.bit_string(Pss().sign(tbs, _ASK.key)))


def _with(**changes: bytes) -> bytes:
    return _signed(*(_GOOD | changes).values())


def _parse(data: bytes) -> Certificate:
    return parse_certificate(data, "some/vek.der")


def _refused(data: bytes, what: str = "") -> None:
    with pytest.raises(FormatError) as caught:
        _parse(data)
    assert (caught.value.check, caught.value.where) == (Check.ENDORSEMENTS_FORMAT, "some/vek.der")
    assert what in str(caught.value)


def test_fields_are_read_from_their_places() -> None:
    parsed = _parse(_with())
    assert (parsed.serial, parsed.common_name, parsed.spki) == (0, "SEV-VCEK", _SPKI)
    assert (parsed.issuer, parsed.subject) == (_GOOD["issuer"], _GOOD["subject"])
    assert (parsed.not_before, parsed.not_after) == (_TEMPLATE.not_before, _TEMPLATE.not_after)
    assert parsed.signed.tbs == der.sequence(*_GOOD.values())
    assert [e.oid for e in parsed.extensions] == [e.oid for e in _TEMPLATE.extensions]
    assert parsed.extension(forms.HWID) == _GUEST.chip_id
    assert parsed.extension("2.5.29.19") is None


@pytest.mark.parametrize("name", _FIELDS)
def test_every_field_is_there_once(name: str) -> None:
    names = list(_FIELDS)
    _refused(_signed(*(_GOOD[n] for n in names if n != name)))
    _refused(_signed(*(_GOOD[n] for n in sorted([*names, name], key=names.index))))
    _refused(_signed(*(_GOOD[n] for n in [*names, name])))


@pytest.mark.parametrize("first", range(7))
def test_fields_are_in_their_order(first: int) -> None:
    """Refuse a key or algorithm in another place, where another parser could read it."""
    names = list(_FIELDS)
    names[first], names[first + 1] = names[first + 1], names[first]
    _refused(_signed(*(_GOOD[name] for name in names)))


@pytest.mark.parametrize(
    "version",
    [der.explicit(0, der.integer(n)) for n in (0, 1, 3, -1)]
    + [der.explicit(0, b"\x02\x02\x00\x02"), der.integer(2), der.explicit(1, der.integer(2)), der.explicit(0, b"")],
)
def test_the_version_is_three(version: bytes) -> None:
    _refused(_with(version=version))


@pytest.mark.parametrize("unique_id", [1, 2])
def test_unique_identifiers_are_refused(unique_id: int) -> None:
    *others, extensions = _GOOD.values()
    _refused(_signed(*others, der.implicit(unique_id, b"\0x"), extensions))


@pytest.mark.parametrize(
    ("serial", "number"),
    [
        (der.integer(0), 0),
        (der.integer(2**159 - 1), 2**159 - 1),
        (der.integer(-1), None),
        (der.integer(-(2**159)), None),
        (der.integer(2**168), None),
        (der.integer(2**60000), None),
        (b"\x02\x02\x00\x01", None),
        (der.octet_string(b"\0"), None),
    ],
)
def test_serial_numbers_are_not_negative_and_of_20_octets(serial: bytes, number: int | None) -> None:
    if number is None:
        _refused(_with(serial=serial))
    else:
        assert _parse(_with(serial=serial)).serial == number


def test_the_algorithm_outside_is_the_one_inside() -> None:
    for inner, outer in ((Pss(), Pss(explicit_trailer=True)), (Pss(salt_bytes=32), Pss())):
        _refused(_signed(*(_GOOD | {"algorithm": inner.encode()}).values(), outer=outer.encode()), "two different ones")


@pytest.mark.parametrize(
    "outer",
    [
        lambda tbs, alg, sig: der.sequence(tbs, alg),
        lambda tbs, alg, sig: der.sequence(tbs, alg, sig, der.null()),
        lambda tbs, alg, sig: der.sequence(alg, tbs, sig),
        lambda tbs, alg, sig: der.sequence(tbs, alg, der.octet_string(sig[5:])),
        lambda tbs, alg, sig: der.sequence(tbs, alg, der.bit_string(bytes(512), unused_bits=1)),
        lambda tbs, alg, sig: der.sequence(tbs, alg, b"\x03\x00"),
        lambda tbs, alg, sig: der.tlv(0x31, tbs, alg, sig),
        lambda tbs, alg, sig: der.explicit(0, tbs + alg + sig),
        lambda tbs, alg, sig: der.sequence(der.sequence(tbs, alg, sig)),
    ],
)
def test_the_outer_form_is_three_parts(outer: object) -> None:
    assert callable(outer)
    tbs, algorithm = der.sequence(*_GOOD.values()), Pss().encode()
    _refused(outer(tbs, algorithm, der.bit_string(Pss().sign(tbs, _ASK.key))))


def _validity(*times: bytes) -> bytes:
    return _with(validity=der.sequence(*times))


def test_times_have_one_form() -> None:
    generalized = partial(der.tlv, 0x18)
    early, late = der.time(_AT), der.time(datetime(2050, 1, 1, tzinfo=UTC))
    assert late == generalized(b"20500101000000Z")
    assert _parse(_validity(early, late)).not_after == datetime(2050, 1, 1, tzinfo=UTC)
    for odd in (
        generalized(b"20261121120000Z"),  # GeneralizedTime before 2050
        generalized(b"20500101000000.5Z"),
        generalized(b"20500101000000+0100"),
        der.tlv(0x17, b"2611211200Z"),
        der.tlv(0x17, b"261121120000+0000"),
        der.tlv(0x17, b"261131120000Z"),
        der.integer(5),
        der.sequence(early),
    ):
        _refused(_validity(early, odd))
        _refused(_validity(odd, late))
    for number_of_times in (0, 1, 3):
        _refused(_validity(*[early] * number_of_times))


def test_a_certificate_that_ends_before_it_begins_is_never_valid() -> None:
    parsed = _parse(_validity(der.time(_AT), der.time(_AT - timedelta(days=1))))
    assert not any(parsed.not_before <= at <= parsed.not_after for at in (_AT, _AT - timedelta(hours=1)))


def _extensions(*encoded: bytes) -> bytes:
    return _with(extensions=der.explicit(3, der.sequence(*encoded)))


def test_extensions_have_one_form() -> None:
    oid, value = der.object_identifier("1.3.6.1.4.1.3704.1.4"), der.octet_string(b"x")
    assert _parse(_extensions(der.sequence(oid, value))).extensions[0].critical is False
    assert _parse(_extensions(der.sequence(oid, der.boolean(True), value))).extensions[0].critical is True
    good = der.sequence(oid, value)
    for odd in (
        der.sequence(oid, der.boolean(False), value),  # DER leaves a default out
        der.sequence(oid, b"\x01\x01\x01", value),
        der.sequence(oid, der.null(), value),
        der.sequence(oid),
        der.sequence(value),
        der.sequence(value, oid),
        der.sequence(oid, value, value),
        der.sequence(oid, der.boolean(True), der.boolean(True), value),
        der.sequence(oid, der.bit_string(b"x")),
        der.tlv(0x31, oid, value),
        oid,
        der.null(),
    ):
        _refused(_extensions(odd))
    _refused(_extensions(), "extensions")
    _refused(_extensions(good, good), "twice")
    # the same extension twice, with different values: two parsers could pick different ones
    _refused(_extensions(good, der.sequence(der.object_identifier("1.2.3"), value), der.sequence(oid, der.null())))
    for field in (
        der.explicit(3, good),
        der.explicit(3, der.tlv(0x31, good)),
        der.explicit(3, der.sequence(good) + der.sequence(good)),
        der.explicit(4, der.sequence(good)),
        der.explicit(3, b""),
        der.sequence(good),
    ):
        _refused(_with(extensions=field))


def _public(key: object) -> bytes:
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)  # type: ignore[attr-defined]


def _point(form: PublicFormat = PublicFormat.UncompressedPoint) -> bytes:
    return _KEY.public_bytes(Encoding.X962, form)


def _rsa(modulus: int, exponent: int, algorithm: bytes | None = None) -> bytes:
    default = der.sequence(der.object_identifier("1.2.840.113549.1.1.1"), der.null())
    numbers = der.sequence(der.integer(modulus), der.integer(exponent))
    return der.sequence(algorithm or default, der.bit_string(numbers))


@pytest.mark.parametrize(
    "spki",
    [
        der.sequence(_P384, der.bit_string(_point(PublicFormat.CompressedPoint))),
        der.sequence(_P384, der.bit_string(bytes([6 + (_point()[-1] & 1)]) + _point()[1:])),  # hybrid
        der.sequence(_P384, der.bit_string(b"\0")),  # infinity
        der.sequence(_P384, der.bit_string(_point()[:-1] + bytes([_point()[-1] ^ 1]))),  # off the curve
        der.sequence(_P384, der.bit_string(_point() + b"\0")),
        der.sequence(_P384, der.bit_string(_point()[:-1] + bytes([_point()[-1] & 0xFE]), unused_bits=1)),
        der.sequence(_P384, der.octet_string(_point())),
        der.sequence(der.sequence(der.object_identifier("1.2.840.10045.2.1")), der.bit_string(_point())),
        der.sequence(_P384, der.bit_string(_point()), der.null()),
        _public(ed25519.Ed25519PrivateKey.from_private_bytes(bytes(32))),
        _public(x25519.X25519PrivateKey.from_private_bytes(b"\1" * 32)),
        _public(dsa.generate_private_key(1024)),
        _rsa(2**4095 + 1, 65537, der.sequence(der.object_identifier("1.2.840.113549.1.1.1"))),  # no NULL
        _rsa(2**4095 + 1, 65537, der.sequence(der.object_identifier("1.2.840.113549.1.1.10"))),  # RSASSA-PSS only
        _rsa(-(2**4095) - 1, 65537),
        _rsa(0, 65537),
        _rsa(2**4095 + 1, 1),
        _rsa(2**4095 + 1, 2**50000 + 1),
        der.sequence(),
        der.null(),
    ],
)
def test_keys_have_one_form(spki: bytes) -> None:
    _refused(_with(spki=spki), "key")


@pytest.mark.parametrize("key", [ec.derive_private_key(5, ec.SECP256R1()), rsa.generate_private_key(65537, 2048)])
def test_keys_of_other_kinds_are_read_and_judged_later(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> None:
    assert _parse(_with(spki=_public(key))).key == key.public_key()


def test_pem_has_lines_of_64_and_blocks_on_lines_of_their_own() -> None:
    good = ssl.DER_cert_to_PEM_cert(_with()).encode()
    begin, *lines, end, _ = good.split(b"\n")
    assert len(split_certificates(good + good, "chain")) == 2
    text = b"".join(lines)
    for width in (1, 32, 60, 63, 65, 76, len(text)):
        wrapped = [text[at : at + width] for at in range(0, len(text), width)]
        with pytest.raises(FormatError):
            split_certificates(b"\n".join([begin, *wrapped, end, b""]), "chain")
    for data in (good[:-1] + good, good[:-1] + b" " + b"\n" + good, good + b"\n \n" + good):
        with pytest.raises(FormatError):
            split_certificates(data, "chain")


def _name(*attributes: tuple[str, bytes]) -> bytes:
    return der.sequence(*(der.tlv(0x31, der.sequence(der.object_identifier(oid), v)) for oid, v in attributes))


@pytest.mark.parametrize(
    ("subject", "common_name"),
    [
        (_name(("2.5.4.3", der.utf8_string("SEV-VCEK"))), "SEV-VCEK"),
        (_name(("2.5.4.3", der.printable_string("SEV-VCEK"))), "SEV-VCEK"),
        (_name(("2.5.4.10", der.utf8_string("SEV-VCEK"))), ""),
        (_name(("2.5.4.3", der.utf8_string("SEV-VCEK")), ("2.5.4.3", der.utf8_string("ARK-Milan"))), ""),
        (_name(("2.5.4.3", der.null())), ""),
        (_name(), ""),
        (der.sequence(der.null()), ""),
        (der.sequence(der.tlv(0x31, der.null())), ""),
        (der.sequence(der.tlv(0x31, der.sequence())), ""),
    ],
)
def test_a_common_name_is_the_only_one_or_none(subject: bytes, common_name: str) -> None:
    assert _parse(_with(subject=subject)).common_name == common_name


@pytest.mark.parametrize("odd", [der.null(), der.tlv(0x31), der.utf8_string("CN=SEV-VCEK"), b"\x0c\x02\xc3\x28"])
def test_names_are_sequences_of_well_formed_text(odd: bytes) -> None:
    _refused(_with(subject=odd))
    _refused(_with(issuer=odd))


def test_a_template_of_the_simulator_is_these_fields() -> None:
    assert _TEMPLATE.encode() == der.sequence(*_GOOD.values())
    extension = X509Extension("1.2.3", der.null())
    assert _fields(replace(_TEMPLATE, extensions=(extension,)))["extensions"].endswith(extension.encode())

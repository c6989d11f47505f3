"""Tests of the strict DER parser: it accepts one encoding of every value and refuses all others."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from cryptography.x509 import ObjectIdentifier
from hypothesis import example, given
from hypothesis import strategies as st

from provenance_oracle.publisher.simulator import der
from provenance_oracle.verifier.errors import FormatError
from provenance_oracle.verifier.snp.der import (
    GENERALIZED_TIME,
    SEQUENCE,
    SET,
    UTC_TIME,
    Value,
    context_tag,
    parse_asn1_time,
    parse_der,
    parse_object_id,
    parse_unsigned,
)


def _problem(what: str, got: str, wanted: str) -> FormatError:
    assert what
    assert got
    assert wanted
    return FormatError(what, got=got, wanted=wanted)


def _parse(data: bytes) -> Value:
    return parse_der(data, _problem)


def _refused(data: bytes) -> None:
    with pytest.raises(FormatError):
        _parse(data)


@pytest.mark.parametrize(
    "hex_digits",
    [
        "0101ff",
        "010100",
        "020100",
        "02017f",
        "02020080",
        "0201ff",
        "0202ff7f",
        "030100",
        "03020780",
        "0400",
        "0500",
        "0603550403",
        "0c00",
        "1300",
        "1600",
        "3000",
        "3100",
        "3003020100",
        "3106020100020101",
        "a003020102",
        "8000",
        "048180" + "00" * 128,
        "04820100" + "00" * 256,
        "30203000" + "3000" * 15,
    ],
)
def test_canonical_values_pass_and_are_kept_whole(hex_digits: str) -> None:
    data = bytes.fromhex(hex_digits)
    value = _parse(data)
    assert value.encoding == data
    assert data.endswith(value.content)
    assert b"".join(child.encoding for child in value.children) in (value.content, b"")


@pytest.mark.parametrize(
    "hex_digits",
    [
        "",
        "02",
        "0201",
        "020201",  # cut short
        "02010000",  # extra bytes after the value
        "0000",  # end of contents
        "1f1f00",
        "3f810100",
        "9f0100",
        "bf1f00",  # tags in several bytes
        "30800000",  # indefinite length
        "04810100",
        "04820001",
        "0482007f",
        "0483000080",
        "04820080" + "00" * 128,
        "04850000000001",  # lengths not in their shortest form, or too long
        "04ff",
        "010101",
        "0100",
        "01020000",  # booleans
        "0200",
        "02020000",
        "0202007f",
        "0202ffff",
        "0202ff80",  # integers
        "0300",
        "030101",
        "03020800",
        "030201ff",
        "03020101",  # bit strings
        "050100",
        "0600",
        "060180",
        "06025580",
        "0603558003",
        "060480550403",  # object identifiers
        "2203020100",
        "2400",
        "2300",  # primitive types in constructed form
        "1000",
        "1100",  # constructed types in primitive form
        "3106020101020100",  # a set out of order
        "300302010000",
        "3004020100",
        "30020201",  # children that do not fill, or overflow
        "a0050201020500ff",
    ],
)
def test_every_other_encoding_is_refused(hex_digits: str) -> None:
    _refused(bytes.fromhex(hex_digits))


def test_depth_and_number_of_values_are_bounded() -> None:
    deep = b""
    for _ in range(17):
        deep = der.tlv(SEQUENCE, deep)
    _parse(deep)
    _refused(der.tlv(SEQUENCE, deep))
    for _ in range(2000):
        deep = der.tlv(SEQUENCE, deep)
    _refused(deep)  # and no RecursionError
    _refused(der.tlv(SEQUENCE, b"\x05\x00" * 500_000))
    _refused(der.tlv(SET, b"\x05\x00" * 500_000))


@given(st.binary(max_size=64))
def test_arbitrary_bytes_parse_whole_or_not_at_all(data: bytes) -> None:
    try:
        value = _parse(data)
    except FormatError:
        return
    assert value.encoding == data


_LEAVES = st.one_of(
    st.integers(-(2**80), 2**80).map(der.integer),
    st.booleans().map(der.boolean),
    st.binary(max_size=200).map(der.octet_string),
    st.binary(max_size=200).map(der.bit_string),
    st.just(der.null()),
    st.text(max_size=60).map(der.utf8_string),
)
_TREES = st.recursive(_LEAVES, lambda inner: st.lists(inner, max_size=6).map(lambda items: der.sequence(*items)))


@given(_TREES, st.data())
def test_what_an_encoder_wrote_is_read_and_no_cut_or_longer_form_of_it(data: bytes, draw: st.DataObject) -> None:
    assert _rebuilt(_parse(data)) == data
    _refused(data[: draw.draw(st.integers(0, len(data) - 1))])
    _refused(data + draw.draw(st.binary(min_size=1, max_size=4)))
    if data[1] < 0x80:
        _refused(data[:1] + b"\x81" + data[1:])


def _rebuilt(value: Value) -> bytes:
    return der.tlv(value.tag, *map(_rebuilt, value.children)) if value.children else value.encoding


@given(st.integers(-(2**170), 2**170))
@example(0)
@example(2**160 - 1)
@example(2**167 - 1)
@example(2**167)
def test_numbers_are_not_negative_and_bounded(number: int) -> None:
    value = _parse(der.integer(number))
    if 0 <= number < 2**167:
        assert parse_unsigned(value, _problem) == number
        return
    with pytest.raises(FormatError):
        parse_unsigned(value, _problem)


def test_only_integers_are_numbers() -> None:
    for data in (der.octet_string(b"\x01"), der.boolean(True), der.null()):
        with pytest.raises(FormatError):
            parse_unsigned(_parse(data), _problem)
        with pytest.raises(FormatError):
            parse_object_id(_parse(data), _problem)
        with pytest.raises(FormatError):
            parse_asn1_time(_parse(data), _problem)


@given(st.integers(0, 2), st.integers(0, 39), st.lists(st.integers(0, 2**28), max_size=5))
def test_object_identifiers_read_as_others_read_them(first: int, second: int, rest: list[int]) -> None:
    dotted = ".".join(map(str, (first, second, *rest)))
    ObjectIdentifier(dotted)
    assert parse_object_id(_parse(der.object_identifier(dotted)), _problem) == dotted


def test_object_identifiers_under_2_go_beyond_39() -> None:
    assert parse_object_id(_parse(bytes.fromhex("0603883703")), _problem) == "2.999.3"
    _refused(der.tlv(6, b"\x81" * 40 + b"\x01"))


@given(st.integers(-631152000, 253402300799).map(lambda seconds: datetime.fromtimestamp(seconds, UTC)))
@example(datetime(2049, 12, 31, 23, 59, 59, tzinfo=UTC))
@example(datetime(2050, 1, 1, tzinfo=UTC))
@example(datetime(2024, 2, 29, tzinfo=UTC))
def test_times_are_read_in_the_one_form_of_their_year(moment: datetime) -> None:
    assert parse_asn1_time(_parse(der.time(moment)), _problem) == moment
    other = der.tlv(GENERALIZED_TIME, moment.strftime("%Y%m%d%H%M%SZ").encode())
    if moment < datetime(2050, 1, 1, tzinfo=UTC):
        with pytest.raises(FormatError):
            parse_asn1_time(_parse(other), _problem)


@pytest.mark.parametrize(
    ("tag", "text"),
    [
        (UTC_TIME, ""),
        (UTC_TIME, "2211301200Z"),
        (UTC_TIME, "221130120000"),
        (UTC_TIME, "221130120000z"),
        (UTC_TIME, "221130120000+0000"),
        (UTC_TIME, "221130120060Z"),
        (UTC_TIME, "221130240000Z"),
        (UTC_TIME, "221131120000Z"),
        (UTC_TIME, "220001120000Z"),
        (UTC_TIME, "2a1130120000Z"),
        (UTC_TIME, "+21130120000Z"),
        (UTC_TIME, " 21130120000Z"),
        (UTC_TIME, "20221130120000Z"),
        (GENERALIZED_TIME, "20491231235959Z"),
        (GENERALIZED_TIME, "205001010000Z"),
        (GENERALIZED_TIME, "20500101000000.0Z"),
        (GENERALIZED_TIME, "20500101000000"),
        (GENERALIZED_TIME, "500101000000Z"),
        (UTC_TIME, "20500101000000Z"),
        (0x16, "221130120000Z"),
        (0x16, "20500101000000Z"),
    ],
)
def test_other_forms_of_a_time_are_refused(tag: int, text: str) -> None:
    with pytest.raises(FormatError):
        parse_asn1_time(_parse(der.tlv(tag, text.encode())), _problem)


def test_digits_of_other_scripts_are_no_digits() -> None:
    for text in (b"\xb2" * 12 + b"Z", "٢".encode() * 6 + b"Z"):
        with pytest.raises(FormatError):
            parse_asn1_time(_parse(der.tlv(UTC_TIME, text)), _problem)


def test_utc_time_turns_its_century_at_50() -> None:
    for text, year in (
        ("491231235959Z", 2049),
        ("500101000000Z", 1950),
        ("991231235959Z", 1999),
        ("000101000000Z", 2000),
    ):
        assert parse_asn1_time(_parse(der.tlv(UTC_TIME, text.encode())), _problem).year == year
    assert parse_asn1_time(_parse(der.tlv(GENERALIZED_TIME, b"99991231235959Z")), _problem).year == 9999


def test_context_tags_are_explicit_fields() -> None:
    assert [context_tag(number) for number in (0, 3)] == [0xA0, 0xA3]

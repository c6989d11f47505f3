"""Tests of `parse_report`: fields, reserved bytes, numbers out of range, and bytes that are not a report."""

from __future__ import annotations

import hashlib
import json
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from provenance_oracle.publisher.simulator import FakeAmd, FakeGuest
from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.errors import FormatError
from provenance_oracle.verifier.snp.products import Cpuid, ProductLine
from provenance_oracle.verifier.snp.report import (
    HOST_VMPL,
    REPORT_BYTES,
    SIGNED_BYTES,
    Report,
    SigningKey,
    parse_report,
)
from provenance_oracle.verifier.snp.tcb import Tcb, parse_tcb

_GUEST = FakeGuest.on(FakeAmd.load(ProductLine.GENOA), at=datetime(2026, 11, 21, tzinfo=UTC))
_P384_ORDER = 2**384 - 1388124618062372383947042015309946732620727252194336364173
_REPORT = _GUEST.report(bytes(64))

# AMD 56860, ATTESTATION_REPORT: bytes that are reserved in every version, and bytes that are reserved in older ones.
_RESERVED = (*range(0x4C, 0x50), *range(0x18B, 0x1A0), 0x1EB, 0x1EF, *range(0x208, 0x2A0))
_AFTER_R_AND_S = (*range(0x2D0, 0x2E8), *range(0x318, 0x4A0))
_CPUID = tuple(range(0x188, 0x18B))
_MIT_VECTORS = tuple(range(0x1F8, 0x208))


def _patched(report: bytes, offset: int, new: bytes) -> bytes:
    return report[:offset] + new + report[offset + len(new) :]


def _of_version(version: int) -> bytes:
    report = _patched(_REPORT, 0, version.to_bytes(4, "little"))
    if version < 5:
        report = _patched(report, 0x1F8, bytes(16))
    return _patched(report, 0x188, bytes(3)) if version < 3 else report


def _refused(report: bytes, what: str) -> None:
    with pytest.raises(FormatError) as caught:
        parse_report(report, "some/report.bin")
    assert caught.value.check is Check.REPORT_FORMAT
    assert caught.value.where == "some/report.bin"
    assert what in caught.value.problem
    assert caught.value.got
    assert caught.value.wanted


@pytest.mark.parametrize("version", [2, 3, 4, 5])
def test_every_reserved_byte_must_be_zero(version: int) -> None:
    good = _of_version(version)
    parse_report(good)
    reserved = _RESERVED + _AFTER_R_AND_S
    reserved += _MIT_VECTORS if version < 5 else ()
    reserved += _CPUID if version < 3 else ()
    for offset in reserved:
        for value in (b"\x01", b"\x80", b"\xff"):
            _refused(_patched(good, offset, value), "reserved bytes")


def test_every_byte_is_reserved_or_in_exactly_one_field() -> None:
    """Change each byte that is not reserved: the fields change, so the signature covers no byte that is not parsed."""
    good = parse_report(_REPORT)
    for offset in set(range(REPORT_BYTES)) - set(_RESERVED + _AFTER_R_AND_S):
        try:
            changed = parse_report(_patched(_REPORT, offset, bytes([_REPORT[offset] ^ 1])))
        except FormatError:
            continue  # a constant, such as the version
        differing = [f.name for f in fields(Report) if getattr(good, f.name) != getattr(changed, f.name)]
        expected = 2 if offset < SIGNED_BYTES else 1  # the field, and `signed`
        assert len(differing) == expected, hex(offset)


def test_fields_are_where_amd_puts_them() -> None:
    """Parse a report in which every byte holds its own offset, except fields with a required value."""
    marked = bytearray(offset & 0xFF for offset in range(REPORT_BYTES))
    numbers = {0x000: 5, 0x030: 1, 0x034: 1, 0x048: 1 << 2 | 1}
    for offset, number in numbers.items():
        marked[offset : offset + 4] = number.to_bytes(4, "little")
    marked[0x008:0x010] = (1 << 17 | 0x0133).to_bytes(8, "little")
    for offset in _RESERVED + _AFTER_R_AND_S:
        marked[offset] = 0
    data = bytes(marked)
    report = parse_report(data)
    assert (report.version, report.policy, report.vmpl) == (5, 0x20133, 1)
    assert (report.author_key_en, report.signing_key) == (True, SigningKey.VLEK)
    assert report.guest_svn == int.from_bytes(data[4:8], "little")
    assert report.platform_info == int.from_bytes(data[0x40:0x48], "little")
    slices = {
        "family_id": (0x010, 16),
        "image_id": (0x020, 16),
        "current_tcb": (0x038, 8),
        "report_data": (0x050, 64),
        "measurement": (0x090, 48),
        "host_data": (0x0C0, 32),
        "id_key_digest": (0x0E0, 48),
        "author_key_digest": (0x110, 48),
        "report_id": (0x140, 32),
        "report_id_ma": (0x160, 32),
        "reported_tcb": (0x180, 8),
        "chip_id": (0x1A0, 64),
        "committed_tcb": (0x1E0, 8),
        "launch_tcb": (0x1F0, 8),
        "signed": (0, SIGNED_BYTES),
    }
    for name, (offset, size) in slices.items():
        assert getattr(report, name) == data[offset : offset + size], name
    assert report.cpuid == Cpuid(0x88, 0x89, 0x8A)
    assert (report.current_build, report.current_minor, report.current_major) == (0xE8, 0xE9, 0xEA)
    assert (report.committed_build, report.committed_minor, report.committed_major) == (0xEC, 0xED, 0xEE)
    assert report.launch_mit_vector == int.from_bytes(data[0x1F8:0x200], "little")
    assert report.current_mit_vector == int.from_bytes(data[0x200:0x208], "little")
    assert report.signature_r == int.from_bytes(data[0x2A0:0x2D0], "little")
    assert report.signature_s == int.from_bytes(data[0x2E8:0x318], "little")


def test_older_versions_lack_what_they_lack() -> None:
    two, three, four, five = (parse_report(_of_version(version)) for version in (2, 3, 4, 5))
    assert (two.cpuid, two.launch_mit_vector, two.current_mit_vector) == (None, None, None)
    assert (three.cpuid, three.launch_mit_vector, three.current_mit_vector) == (_GUEST.cpuid, None, None)
    assert (four.cpuid, four.launch_mit_vector, four.current_mit_vector) == (_GUEST.cpuid, None, None)
    assert (five.cpuid, five.launch_mit_vector) == (_GUEST.cpuid, _GUEST.mit_vector)


def test_the_one_known_report_of_version_4_is_read(vectors: Path) -> None:
    """Its VCEK is not public, so it can be parsed, but not verified. Every field that its MANIFEST names agrees."""
    folder = vectors / "snp2" / "_no-vek" / "milan-v4-openpcc"
    data, manifest = (folder / "report.bin").read_bytes(), json.loads((folder / "MANIFEST.json").read_text())
    report = parse_report(data)
    assert (report.version, manifest["report_version"], manifest["cpuid"]) == (4, 4, "19/01/1")
    assert report.cpuid == Cpuid(0x19, 0x01, 1)
    assert report.chip_id.hex() == manifest["chip_id"]
    assert report.reported_tcb.hex() == manifest["reported_tcb_hex"]
    assert (report.vmpl, hex(report.policy), hex(report.platform_info)) == (0, manifest["policy"], "0x25")
    assert report.digest.hex() == manifest["signed_sha256"]
    assert (report.current_major, report.current_minor, report.current_build) == (1, 55, 31)
    assert (report.launch_mit_vector, report.current_mit_vector) == (None, None)
    for tcb in (report.current_tcb, report.reported_tcb, report.committed_tcb, report.launch_tcb):
        assert parse_tcb(tcb, ProductLine.MILAN, "tcb") == Tcb(bootloader=4, tee=0, snp=25, microcode=219)
    _refused(_patched(data, 0x1F8, b"\x01"), "reserved bytes 0x1f8")


@pytest.mark.parametrize("version", [0, 1, 6, 7, 0x0200, 0x02000000, 0xFFFFFFFF])
def test_versions_without_a_known_layout_are_refused(version: int) -> None:
    _refused(_patched(_REPORT, 0, version.to_bytes(4, "little")), "version")


@pytest.mark.parametrize(
    ("offset", "number", "size", "what"),
    [
        *((0x034, number, 4, "signature_algo") for number in (0, 2, 3, 0x0100, 0x01000000)),
        *((0x048, 1 << bit, 4, "key_info") for bit in range(5, 32)),
        (0x048, 0b10, 4, "mask_chip_key"),
        (0x048, 0b110, 4, "mask_chip_key"),
        *((0x048, kind << 2, 4, "signing_key") for kind in range(2, 8)),
        *((0x008, 1 << 17 | 1 << bit, 8, "policy") for bit in range(26, 64)),
        (0x008, 0x10000, 8, "policy"),
        *((0x030, level, 4, "vmpl") for level in (4, 5, 0x100, 0x01000000, 0x7FFFFFFF, 0xFFFFFFFE)),
    ],
)
def test_numbers_that_mean_nothing_are_refused(offset: int, number: int, size: int, what: str) -> None:
    _refused(_patched(_REPORT, offset, number.to_bytes(size, "little")), what)


def test_a_report_asked_for_by_the_host_can_be_read_and_told_apart() -> None:
    assert parse_report(_patched(_REPORT, 0x030, b"\xff" * 4)).vmpl == HOST_VMPL


@pytest.mark.parametrize("offset", [0x2A0, 0x2E8])
def test_r_and_s_lie_between_zero_and_the_order(offset: int) -> None:
    for number in (0, _P384_ORDER, _P384_ORDER + 1, 2**384 - 1):
        _refused(_patched(_REPORT, offset, number.to_bytes(48, "little")), "signature")
    for number in (1, _P384_ORDER - 1, _P384_ORDER // 2 + 1):  # a high s is genuine
        parse_report(_patched(_REPORT, offset, number.to_bytes(48, "little")))


def test_the_signature_and_what_follows_are_no_part_of_the_identity() -> None:
    other = _patched(_REPORT, 0x2E8, (_P384_ORDER - parse_report(_REPORT).signature_s).to_bytes(48, "little"))
    assert other != _REPORT
    assert parse_report(other).digest == parse_report(_REPORT).digest == hashlib.sha256(_REPORT[:SIGNED_BYTES]).digest()
    assert parse_report(_patched(_REPORT, 0x50, b"\1")).digest != parse_report(_REPORT).digest


@example(b"")
@given(st.binary(max_size=2 * REPORT_BYTES))
def test_arbitrary_bytes_are_malformed(data: bytes) -> None:
    with pytest.raises(FormatError):
        parse_report(data)


@given(st.binary(min_size=REPORT_BYTES, max_size=REPORT_BYTES))
def test_arbitrary_bytes_of_the_right_size_are_malformed(data: bytes) -> None:
    with pytest.raises(FormatError):
        parse_report(data)


@given(st.integers(0, REPORT_BYTES - 1), st.binary(min_size=1, max_size=16))
def test_a_changed_report_is_malformed_or_says_something_else(offset: int, new: bytes) -> None:
    changed = _patched(_REPORT, offset, new)[:REPORT_BYTES]
    try:
        report = parse_report(changed)
    except FormatError as error:
        assert error.check is Check.REPORT_FORMAT
    else:
        assert (report == parse_report(_REPORT)) == (changed == _REPORT)

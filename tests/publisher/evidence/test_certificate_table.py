"""The host's certificate table: the real layout is read, and hostile numbers are refused."""

import contextlib
import struct
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provenance_oracle.publisher.evidence.certificate_table import (
    ARK_GUID,
    ASK_GUID,
    VCEK_GUID,
    VLEK_GUID,
    encode_certificate_table,
    parse_certificate_table,
)
from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.errors import FormatError, ProvenanceError

_OTHER_GUID = UUID("00000000-0000-4000-8000-000000000001")


def test_certificates_are_found_by_their_guid() -> None:
    table = encode_certificate_table({VCEK_GUID: b"vcek", _OTHER_GUID: b"other", ASK_GUID: b"ask", ARK_GUID: b"ark"})
    assert parse_certificate_table(table, "auxblob") == (b"vcek", b"ask", b"ark")
    assert parse_certificate_table(encode_certificate_table({VLEK_GUID: b"vlek"}), "auxblob") == (b"vlek",)


def test_the_guid_is_in_text_order() -> None:
    table = bytes.fromhex("63da758de6644564adc5f4b93be8accd 30000000 04000000" + "00" * 24) + b"vcek"
    assert parse_certificate_table(table, "auxblob") == (b"vcek",)
    assert encode_certificate_table({VCEK_GUID: b"vcek"}) == table


@pytest.mark.parametrize("data", [b"", bytes(24), bytes(4096)])
def test_a_host_without_certificates_gives_none(data: bytes) -> None:
    assert parse_certificate_table(data, "auxblob") == ()


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (VCEK_GUID.bytes + struct.pack("<II", 48, 5) + bytes(24) + b"vcek", "outside the table"),
        (VCEK_GUID.bytes + struct.pack("<II", 0xFFFFFFFF, 0xFFFFFFFF) + bytes(24), "outside the table"),
        (VCEK_GUID.bytes + struct.pack("<II", 0, 24), "cut off"),
        (VCEK_GUID.bytes + struct.pack("<II", 0, 24) + bytes(23), "cut off"),
        ((VCEK_GUID.bytes + struct.pack("<II", 0, 1)) * 65, "no end"),
    ],
)
def test_hostile_tables_are_refused(data: bytes, problem: str) -> None:
    with pytest.raises(FormatError, match=problem) as caught:
        parse_certificate_table(data, "auxblob")
    assert (caught.value.check, caught.value.where) == (Check.ENDORSEMENTS_FORMAT, "auxblob")


@given(st.binary(max_size=400), st.integers(0, 5))
def test_any_bytes_are_a_table_or_a_format_error(data: bytes, entries: int) -> None:
    start = encode_certificate_table({VCEK_GUID: b"x" * 40})[:-1] * entries
    with contextlib.suppress(ProvenanceError):
        parse_certificate_table(start + data, "auxblob")

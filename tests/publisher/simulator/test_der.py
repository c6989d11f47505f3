"""The DER encoder gives the values that were written by hand from X.690."""

from datetime import UTC, datetime

import pytest

from provenance_oracle.publisher.simulator import der


@pytest.mark.parametrize(
    ("value", "encoded"),
    [
        (0, "020100"),
        (127, "02017f"),
        (128, "02020080"),
        (219, "020200db"),
        (65536, "0203010000"),
        (-1, "0201ff"),
        (-128, "020180"),
        (-129, "0202ff7f"),
    ],
)
def test_integers_take_as_few_bytes_as_hold_them(value: int, encoded: str) -> None:
    assert der.integer(value).hex() == encoded


@pytest.mark.parametrize(("count", "head"), [(0, "0400"), (127, "047f"), (128, "048180"), (256, "04820100")])
def test_lengths_take_the_shortest_form(count: int, head: str) -> None:
    assert der.octet_string(bytes(count)).hex() == head + "00" * count


@pytest.mark.parametrize(
    ("dotted", "encoded"),
    [
        ("2.5.4.3", "0603550403"),
        ("1.2.840.113549.1.1.10", "06092a864886f70d01010a"),
        ("1.3.6.1.4.1.3704.1.3.8", "060a2b060104019c78010308"),
    ],
)
def test_object_identifiers(dotted: str, encoded: str) -> None:
    assert der.object_identifier(dotted).hex() == encoded


def test_time_changes_its_type_in_2050() -> None:
    assert der.time(datetime(2049, 12, 31, 23, 59, 59, 5, tzinfo=UTC)) == b"\x17\x0d491231235959Z"
    assert der.time(datetime(2050, 1, 1, tzinfo=UTC)) == b"\x18\x0f20500101000000Z"

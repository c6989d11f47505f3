"""Tests of timestamps in text: the forms that are accepted, refused and written."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provenance_oracle.verifier.errors import UsageError
from provenance_oracle.verifier.strict.timestamps import format_time, parse_time


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-11-21", datetime(2026, 11, 21, tzinfo=UTC)),
        ("2026-11-21T10:00:00Z", datetime(2026, 11, 21, 10, tzinfo=UTC)),
        ("2026-11-21T10:00:00+02:00", datetime(2026, 11, 21, 8, tzinfo=UTC)),
        ("2026-11-21 10:00:00.5+00:00", datetime(2026, 11, 21, 10, 0, 0, 500_000, tzinfo=UTC)),
    ],
)
def test_reads(text: str, moment: datetime) -> None:
    assert parse_time(text) == moment


@pytest.mark.parametrize(
    "text",
    [
        "",
        "now",
        "2026-11-31",
        "2026-13-01",
        "2026-11-21T10:00:00",
        "2026-11-21T24:00:01Z",
        "2026-11-21T10:00Z",
        "2026-11-21T10:00:00,5Z",
        "20261121",
        "2026-W47-6",
        "2026-W47-6T10:00:00Z",
        "0001-01-01T00:00:00+23:59",
        "9999-12-31T23:59:59-23:59",
        "1732176000",
        "\udcff" * 10,
        "٢٠٢٦-11-21",
        "2026-11-21\n",
    ],
)
def test_refuses(text: str) -> None:
    with pytest.raises(UsageError):
        parse_time(text)


@given(st.text())
def test_nothing_else_escapes(text: str) -> None:
    with suppress(UsageError):
        assert parse_time(text).tzinfo is UTC


@given(st.integers(-62_135_596_800, 253_402_300_799).map(lambda seconds: datetime.fromtimestamp(seconds, UTC)))
def test_writes_what_it_reads_to_the_second(moment: datetime) -> None:
    assert parse_time(format_time(moment)) == moment

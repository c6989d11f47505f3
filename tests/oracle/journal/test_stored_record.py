"""Tests of stored records: the journal returns exactly the record that it stored."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from provenance_oracle.oracle.journal.stored_record import from_json, to_json
from provenance_oracle.verifier.record.fields import NamedParent
from tests.support.chain_fixtures import make_record

DIGESTS = st.binary(min_size=32, max_size=32)
TIMES = st.datetimes(datetime(1970, 1, 2), datetime(2200, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


@given(
    digest=st.binary(min_size=32, max_size=32),
    name=st.text(st.characters(exclude_categories=["Cs"])),
    checks=st.integers(0, 2**32 - 1),
    at=TIMES,
    parents=st.lists(st.builds(NamedParent, DIGESTS, st.none() | DIGESTS), max_size=9),
)
def test_round_trip(digest: bytes, name: str, checks: int, at: datetime, parents: list[NamedParent]) -> None:
    record = make_record(
        manifest_digest=digest,
        name=name,
        checks=checks,
        judged_at=at.replace(microsecond=0),
        named_parents=tuple(parents),
    )
    assert from_json(to_json(record)) == record

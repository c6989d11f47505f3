"""Changes of the publisher between the releases of a model."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise, permutations
from typing import Any

from provenance_oracle.verifier.record.fields import Entry
from provenance_oracle.verifier.record.publisher_changes import publisher_changes
from tests.support.chain_fixtures import JUDGED_AT, make_entry, make_record

ACME, EVIL = b"\x01" * 32, b"\x02" * 32


def entry(version: str, publisher: bytes, *, hours: int = 0, **changes: Any) -> Entry:
    at = JUDGED_AT + timedelta(hours=hours)
    return make_entry(make_record(version=version, publisher_identity=publisher, judged_at=at, **changes))


def changes_of(*entries: Entry) -> list[tuple[str, str]]:
    return [(one.before.version, one.after.version) for one in publisher_changes(entries)]


def test_each_change_is_told_in_the_order_of_the_chain() -> None:
    first, second, third = entry("1", ACME), entry("2", EVIL), entry("3", ACME)
    for order in permutations((first, second, third)):  # all of one second
        versions = [one.version for one in order]
        found = [(one, other) for one, other in pairwise(versions) if (one, other) not in {("1", "3"), ("3", "1")}]
        assert changes_of(*order) == found
    assert changes_of(first, third) == []


def test_every_name_has_its_own_publishers() -> None:
    other = entry("2", EVIL, hours=1, name="acme/other")
    assert changes_of(entry("1", ACME), other, entry("3", ACME, hours=2)) == []


def test_failed_records_have_no_publisher() -> None:
    failed = entry("2", bytes(32), hours=1, passed=False, grade=0)
    assert changes_of(entry("1", ACME), failed, entry("3", ACME, hours=2)) == []

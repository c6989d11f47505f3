"""Tests of lists of records: they are complete, in order, and read in pages; nothing in them can hide the rest."""

from __future__ import annotations

import pytest

from provenance_oracle.verifier.errors import RecordError, TemporaryError, UsageError
from provenance_oracle.verifier.record.codec import record_id
from provenance_oracle.verifier.registry.lookup import find_page
from provenance_oracle.verifier.registry.reader import RegistryReader
from tests.support.chain_fixtures import DeployedRegistry, make_failure, make_record
from tests.support.fake_nodes import lying, telling_logs

pytestmark = pytest.mark.chain
RECORDS = [make_record(manifest_digest=bytes([number]) * 32, version=f"{number}.0") for number in range(1, 6)]
MODEL = RECORDS[0].model_digest


@pytest.fixture
def flooded(registry: DeployedRegistry) -> DeployedRegistry:
    """Return a registry with a revoked release, and four newer recordings of the same files that could hide it."""
    for record in RECORDS:
        registry.publish(record)
    registry.revoke(RECORDS[0])
    return registry


def test_pages_lead_through_the_whole_list_with_the_revoked_release_first(flooded: DeployedRegistry) -> None:
    reader, pages, after = flooded.reader(), [], None
    while not pages or after is not None:
        page = find_page(reader, MODEL.hex(), limit=2, after=after)
        pages.append((page.first, [entry.version for entry in page.entries]))
        assert (page.total, page.revoked, page.before_claim) == (5, 1, ())
        after = page.next_after
    assert pages == [(1, ["1.0", "5.0"]), (3, ["4.0", "3.0"]), (5, ["2.0"])]


def test_the_last_page_is_told_from_a_full_one(flooded: DeployedRegistry) -> None:
    assert find_page(flooded.reader(), MODEL.hex(), limit=5).next_after is None
    assert find_page(flooded.reader(), MODEL.hex(), limit=4).next_after == record_id(RECORDS[2])


def test_only_what_is_shown_is_read(flooded: DeployedRegistry) -> None:
    calls: list[str] = []

    def count(method: str, _params: object, _truth: object) -> None:
        calls.append(method)

    with lying(flooded, count) as (url, _):
        reader = RegistryReader(url, flooded.address)
        costs = []
        for limit in (1, 2, 4):
            calls.clear()
            find_page(reader, MODEL.hex(), limit=limit)
            costs.append(calls.count("eth_call"))
    assert costs[2] - costs[1] <= 2 * (costs[1] - costs[0])
    assert costs[0] < 8


def test_a_page_after_no_record_is_refused(flooded: DeployedRegistry) -> None:
    with pytest.raises(UsageError, match="no record with this id"):
        find_page(flooded.reader(), MODEL.hex(), after=bytes(32))


def test_a_made_up_record_in_a_list_is_noticed(flooded: DeployedRegistry) -> None:
    made_up = telling_logs("RecordPublished", lambda logs: [*logs[:-1], {**logs[-1], "data": logs[0]["data"]}])
    with lying(flooded, made_up) as (url, _), pytest.raises(TemporaryError):
        find_page(RegistryReader(url, flooded.address), MODEL.hex())


def test_a_failed_verdict_counts_and_is_not_revoked(registry: DeployedRegistry) -> None:
    registry.publish(make_record())
    registry.revoke(make_record())
    registry.publish(make_failure())
    page = find_page(registry.reader(), make_record().manifest_digest.hex())
    assert [(entry.passed, page.total, page.revoked) for entry in page.entries] == [(True, 2, 1), (False, 2, 1)]


def test_a_claim_does_not_hide_what_was_recorded_before_it(registry: DeployedRegistry) -> None:
    old, new = RECORDS[:2]
    registry.publish(old)
    registry.claim("example", registry.stranger, limit=1)
    with pytest.raises(RecordError) as refused:
        find_page(registry.reader(), "example/model")
    for words in (
        "recorded before the namespace was claimed: not under this name",
        f"by digest: {old.manifest_digest.hex()}",
        "provenance show DIGEST",
        "the owner adopts the release",
    ):
        assert words in str(refused.value)
    registry.publish(new)
    page = find_page(registry.reader(), "example/model")
    assert [entry.version for entry in page.entries] == ["2.0"]
    assert [one.id for one in page.before_claim] == [record_id(old)]

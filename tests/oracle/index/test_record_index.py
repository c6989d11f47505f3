"""Tests of the index against a real node: it answers what a reader of the contract answers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from provenance_oracle.oracle.index.database import open_index_database
from provenance_oracle.oracle.index.follower import Follower
from provenance_oracle.oracle.index.record_reader import RecordIndex, open_record_index
from provenance_oracle.oracle.index.rows import RecordPage
from provenance_oracle.verifier.errors import UsageError
from tests.support.chain_fixtures import DeployedRegistry, make_failure, make_record
from tests.support.indices import now, open_index


@pytest.fixture
def index(registry: DeployedRegistry, place: str) -> Iterator[tuple[Follower, RecordIndex]]:
    """Return what follows a registry into a new index, and what answers from it."""
    with open_index(registry, place) as index, closing(open_record_index(place, clock=now)) as found:
        yield index.follower, found


def test_the_index_answers_as_the_contract_does(
    registry: DeployedRegistry, index: tuple[Follower, RecordIndex]
) -> None:
    follower, found = index
    reader = registry.reader()
    revoked = make_record()
    registry.publish(revoked)
    registry.publish(make_record(manifest_digest=b"\x21" * 32, name="acme/tiny-model", version="2.0"))
    registry.publish(make_failure(manifest_digest=b"\x31" * 32))
    registry.revoke(revoked)
    follower.follow()
    records = found.recent().records
    assert len(records) == 3
    for one in records:
        wanted = reader.entries_of_manifest(one.entry.manifest_digest)[0]
        assert one.entry == wanted
        assert one.is_open == (wanted.passed and reader.is_open(wanted))
        assert found.history(one) == reader.history(wanted)
        assert one.gas_used
    status = found.status()
    assert (status.until, status.lag_blocks, status.unchecked) == (registry.contract.w3.eth.block_number, 0, 0)


def test_every_way_to_a_record(registry: DeployedRegistry, index: tuple[Follower, RecordIndex]) -> None:
    follower, found = index
    record = make_record(
        **{
            name: bytes([number]) * 32
            for number, name in enumerate(
                ("model_digest", "manifest_digest", "verdict_digest", "snp_report_digest", "policy_digest"), 0x41
            )
        },
        publisher_identity=b"\x51" * 32,
        name="acme/tiny-model",
        version="3.1",
    )
    registry.publish(record)
    registry.publish(make_record())
    follower.follow()
    (wanted,) = found.by_name("acme/tiny-model").records

    def only(page: RecordPage) -> bool:
        return page.records == (wanted,) and page.next_after is None

    for digest in (b"\x41", b"\x42", b"\x43", b"\x44"):
        assert only(found.by_digest(digest * 32))
    assert only(found.by_digest(wanted.entry.record_id))
    assert only(found.by_policy(b"\x45" * 32))
    assert only(found.by_identity(b"\x51" * 32))
    assert only(found.by_namespace("acme"))
    assert only(found.by_name("acme/tiny-model@3.1"))
    assert found.release(record.model_digest, record.manifest_digest) == wanted
    for text in ("tiny", "acme mod", "acme/tiny-model", "acme/tiny-model@3.1", "0x" + "42" * 32):
        assert [one.record for one in found.search(text).results] == [wanted], text
    assert found.search("nothing like it").results == ()
    assert not found.by_digest(bytes(32)).records


def test_pages_hold_every_record_once(registry: DeployedRegistry, index: tuple[Follower, RecordIndex]) -> None:
    follower, found = index
    for number in range(5):
        registry.publish(make_record(manifest_digest=bytes([0x60 + number]) * 32, version=f"{number}"))
    follower.follow()
    seen, after = [], None
    while True:
        page = found.by_name("example/model", after=after, limit=2)
        seen += [one.entry.version for one in page.records]
        after = page.next_after
        if after is None:
            break
    assert seen == ["4", "3", "2", "1", "0"]
    with pytest.raises(UsageError, match="not a number of results"):
        found.recent(limit=101)


def test_a_file_of_another_program_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_bytes(b"not a database")
    with pytest.raises(UsageError, match="not an index"):
        open_index_database(str(path))
    assert path.read_bytes() == b"not a database"
    with pytest.raises(UsageError, match="no index to read"):
        open_record_index(str(tmp_path / "missing"), clock=now)

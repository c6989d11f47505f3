"""Tests of the look into other oracles' batches: which documents are read, how often, and which count."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from provenance_oracle.oracle.chain.batched_parents import UNREAD_MAX, BatchedParents
from provenance_oracle.oracle.chain.other_batches import OtherBatches, fetching
from provenance_oracle.oracle.index.leaf_index import LeafIndex, ServedBatch
from provenance_oracle.oracle.index.report_index import OVERLAP_BLOCKS
from provenance_oracle.oracle.journal.journal import Journal
from provenance_oracle.verifier.errors import TemporaryError
from provenance_oracle.verifier.record.codec import encode_record
from provenance_oracle.verifier.record.fields import NamedParent, Record
from provenance_oracle.verifier.record.leaves import leaves_json, leaves_of
from provenance_oracle.verifier.registry.registry_events import RecordedBatch
from tests.support.chain_fixtures import make_record
from tests.support.fake_nodes import QuietHandler, serving
from tests.support.fakes import START, Clock

URI = "https://a.example/{}.json"


def manifest_of(number: int) -> bytes:
    return bytes([number]) * 32


def records_of(*numbers: int) -> list[bytes]:
    return [encode_record(make_record(manifest_digest=manifest_of(one)), policy_id=1, parents=()) for one in numbers]


@dataclass
class Room:
    """A registry with batches by block, the documents by address, and the look into them."""

    index: LeafIndex
    events: list[tuple[int, RecordedBatch]] = field(default_factory=list)
    documents: dict[str, bytes] = field(default_factory=dict)
    gone: set[bytes] = field(default_factory=set)
    own: set[bytes] = field(default_factory=set)
    clock: Clock = field(default_factory=Clock)
    fetched: list[str] = field(default_factory=list)
    ranges: list[tuple[int, int]] = field(default_factory=list)
    seconds: float = 0.0

    def __post_init__(self) -> None:
        ticks: Any = lambda: self.seconds  # noqa: E731
        self.others = OtherBatches(self.index, self.fetch, knows=self.own.__contains__, clock=self.clock, ticks=ticks)

    def batch_of(self, *numbers: int, block: int = 1, uri: str = URI) -> bytes:
        records = records_of(*numbers)
        root = leaves_of(records).root
        address = uri.format(root.hex())
        self.events.append((block, RecordedBatch(root, 1, 1, len(numbers), address)))
        self.documents[address] = leaves_json(records)
        return root

    def fetch(self, uri: str) -> bytes:
        self.fetched.append(uri)
        self.seconds += 1
        if uri not in self.documents:
            raise TemporaryError("status 404")
        return self.documents[uri]

    def find(self, number: int, block: int = 100) -> ServedBatch | None:
        return self.others.find(manifest_of(number), self, block=block)

    # The registry

    def first_block(self, head: int) -> int:
        return 0

    def recorded_batches(self, first: int, last: int) -> list[RecordedBatch]:
        self.ranges.append((first, last))
        return [event for block, event in self.events if first <= block <= last]

    def batch(self, root: bytes, *, block: int) -> Any:
        return SimpleNamespace(count=0 if root in self.gone else 1)

    def is_recorded(self, model_digest: bytes, manifest_digest: bytes, *, block: int) -> bool:
        return False


@pytest.fixture
def room() -> Iterator[Room]:
    made = Room(LeafIndex(None, "registry"))
    yield made
    made.index.close()


def test_a_release_is_found_and_each_document_and_range_is_read_once(room: Room) -> None:
    root = room.batch_of(1, 2)
    other = room.batch_of(3)
    assert room.find(2) == ServedBatch(root, URI.format(root.hex()))
    assert room.find(3) == ServedBatch(other, URI.format(other.hex()))
    assert room.find(9) is None
    assert room.others.unread() is None
    assert len(room.fetched) == 2
    assert room.find(9, block=200) is None
    assert (room.ranges[0], room.ranges[-1]) == ((0, 100), (101 - OVERLAP_BLOCKS, 200))


def test_a_long_chain_is_read_in_pieces_and_a_failure_costs_only_one(room: Room) -> None:
    root = room.batch_of(1, block=150_000)
    read, failing = room.recorded_batches, [TemporaryError("the node failed")]

    def recorded_batches(first: int, last: int) -> list[RecordedBatch]:
        if first == 200_000 and failing:
            raise failing.pop()
        return read(first, last)

    room.recorded_batches = recorded_batches  # type: ignore[method-assign]
    with pytest.raises(TemporaryError, match="the node failed"):
        room.find(1, block=250_000)
    assert room.find(1, block=250_000) == ServedBatch(root, URI.format(root.hex()))
    assert room.ranges == [(0, 99_999), (100_000, 199_999), (200_000 - OVERLAP_BLOCKS, 250_000)]


def test_a_batch_of_the_journal_is_not_asked_for(room: Room) -> None:
    room.own.add(room.batch_of(1))
    assert room.find(1) is None
    assert (room.fetched, room.others.unread()) == ([], None)


def test_a_batch_that_a_fork_removed_counts_no_more(room: Room) -> None:
    room.gone.add(room.batch_of(1))
    assert room.find(1) is None


@pytest.mark.parametrize("spoilt", [b"no document", leaves_json(records_of(7)), None], ids=["text", "other", "none"])
def test_a_document_that_is_not_that_of_the_root_counts_as_unread(room: Room, spoilt: bytes | None) -> None:
    root = room.batch_of(1)
    good = room.documents.pop(URI.format(root.hex()))
    if spoilt is not None:
        room.documents[URI.format(root.hex())] = spoilt
    assert (room.find(1), room.find(7)) == (None, None)
    assert room.others.unread() == (1, ServedBatch(root, URI.format(root.hex())))
    room.documents[URI.format(root.hex())] = good
    assert room.find(1) is None, "its server rests for a minute"
    assert len(room.fetched) == 1
    room.clock.advance(61)
    assert room.find(1) == ServedBatch(root, URI.format(root.hex()))


def test_a_server_that_is_down_costs_one_wait_and_holds_up_no_other(room: Room) -> None:
    for number in range(1, 5):
        room.batch_of(number)
    room.documents.clear()
    found = room.batch_of(9, uri="https://b.example/{}.json")
    assert room.find(9) == ServedBatch(found, f"https://b.example/{found.hex()}.json")
    assert len([uri for uri in room.fetched if "a.example" in uri]) == 1


def test_documents_are_read_for_some_seconds_only_and_the_next_look_goes_on(room: Room) -> None:
    for number in range(1, 9):
        room.batch_of(number)
    room.find(99)
    assert len(room.fetched) == 5, "each takes a second"
    room.find(99)
    assert len(set(room.fetched)) == len(room.fetched) == 8


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "http://a.example/x",
        "file:///x",
        "https:///x",
        "https://a.example:0/x",
        "https://a.example/x y",
        "https://[x",
    ],
)
def test_what_is_no_address_of_an_encrypted_site_is_not_asked(uri: str) -> None:
    with pytest.raises(TemporaryError, match="not an address that is asked"):
        fetching(lambda: None, is_local=False)(uri)


@pytest.mark.parametrize("host", ["127.0.0.1", "10.0.0.1", "169.254.169.254", "[::1]", "localhost"])
def test_another_oracle_s_address_leads_nowhere_into_our_network(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "*")
    with pytest.raises(TemporaryError, match="leads into a private network"):
        fetching(lambda: None, is_local=False)(f"https://{host}/latest")


def test_a_local_chain_may_have_local_addresses_and_only_status_200_counts() -> None:
    class Handler(QuietHandler):
        def do_GET(self: BaseHTTPRequestHandler) -> None:
            found = self.path == "/batches/x.json?a=1"
            self.send_response(200 if found else 404)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

    fetch = fetching(lambda: None, is_local=True)
    with serving(Handler) as url:
        assert fetch(f"{url}/batches/x.json?a=1") == b"{}"
        with pytest.raises(TemporaryError, match="got status 404"):
            fetch(f"{url}/")


def child_of(number: int) -> Record:
    return make_record(named_parents=(NamedParent(b"\x51" * 32, manifest_of(number)),), judged_at=START)


def test_a_child_waits_for_its_parent_or_a_day_for_documents_that_nobody_serves(room: Room, tmp_path: Path) -> None:
    registry: Any = room
    root = room.batch_of(1)
    with Journal(tmp_path / "journal.db") as journal:
        parents = BatchedParents(journal, room.others, room.clock)
        reason = parents.reason_to_wait(child_of(1), registry, block=100)
        assert f"which is recorded only in batch {root.hex()} of another oracle" in reason
        assert f"`provenance proof --leaves` with {URI.format(root.hex())}" in reason
        assert parents.reason_to_wait(child_of(2), registry, block=100) == ""
        room.batch_of(3, block=150, uri="")
        room.documents.clear()
        reason = parents.reason_to_wait(child_of(2), registry, block=200)
        assert "the records of 1 batches cannot be read" in reason
        room.clock.now = START + UNREAD_MAX - timedelta(seconds=1)
        assert parents.reason_to_wait(child_of(2), registry, block=200) != ""
        room.clock.now = START + UNREAD_MAX
        assert parents.reason_to_wait(child_of(2), registry, block=200) == ""
        assert BatchedParents(journal, None, room.clock).reason_to_wait(child_of(1), registry, block=100) == ""

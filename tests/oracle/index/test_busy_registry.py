"""The index of a registry in which everything has happened, compared with a reader of the contract."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from provenance_oracle.oracle.chain.anvil import EmbeddedChain
from provenance_oracle.oracle.index.documents import DocumentReader
from provenance_oracle.oracle.index.record_reader import RecordIndex
from provenance_oracle.oracle.index.rows import IndexedRecord
from provenance_oracle.verifier.documents.record import entry_json, event_json
from provenance_oracle.verifier.documents.registry import ancestor_json, namespace_json
from provenance_oracle.verifier.record.codec import record_id
from provenance_oracle.verifier.record.proof_file import parse_proof, proof_json
from provenance_oracle.verifier.registry.lookup import find_ancestors
from tests.support.busy_registry import BusyRegistry, busy_registry, digest, record_number
from tests.support.chain_fixtures import deploy_registry
from tests.support.indices import open_index


@pytest.fixture(scope="module")
def busy(anvil: EmbeddedChain) -> BusyRegistry:
    return busy_registry(deploy_registry(anvil, oracles=3, threshold=2))


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def found(
    request: pytest.FixtureRequest, busy: BusyRegistry, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RecordIndex]:
    """Return the index of the busy registry, read in pieces of 7 blocks, in a file and in a database in turn."""
    place = str(tmp_path_factory.mktemp("index") / "index.sqlite")
    if request.param == "postgres":
        place = request.getfixturevalue("postgres").new_place()
    with open_index(busy.registry, place, piece_blocks=7) as index:
        index.follower.follow()
        assert DocumentReader(index.database, lambda _uri: busy.document, clock=lambda: 1e9).read() == 1
        yield index.found


def all_records(found: RecordIndex) -> list[IndexedRecord]:
    return list(found.recent().records)


def test_every_record_is_that_of_the_contract(busy: BusyRegistry, found: RecordIndex) -> None:
    reader = busy.registry.reader()
    own = [one for one in all_records(found) if one.entry.batch is None]
    assert len(own) == len(busy.records) + 2  # and the leaf that was written out, and the record of the second epoch
    for one in own:
        (wanted,) = [
            entry
            for entry in reader.entries_of_manifest(one.entry.manifest_digest)
            if entry.record_id == one.entry.record_id
        ]
        assert one.entry == wanted
        assert entry_json(one.entry) == entry_json(wanted)
        assert one.is_open == (wanted.passed and reader.is_open(wanted))
        if one.is_open_to_publisher is not None:
            assert one.is_open_to_publisher == reader.is_open_to_publisher(wanted)
        assert [event_json(event) for event in found.history(one)] == [
            event_json(event) for event in reader.history(wanted)
        ]
    states = {one.entry.closure for one in own}
    assert {None, "failed", "revoked", "held", "doubtful"} <= states
    assert {one.is_open_to_publisher for one in own} == {None, True}


def test_every_record_in_the_batch_is_that_of_its_proof(busy: BusyRegistry, found: RecordIndex) -> None:
    reader = busy.registry.reader()
    batch = found.batch(busy.leaves.root)
    assert batch is not None
    assert batch.leaves == busy.leaves
    assert batch.state == reader.proofs.state(busy.leaves.root, reader.node.web3.eth.block_number)
    for leaf in busy.leaves.leaves:
        proven = parse_proof(json.dumps(proof_json(busy.leaves, leaf)).encode(), "proof")
        (one,) = found.by_digest(leaf.written.manifest_digest).records
        wanted = reader.proofs.entry(proven)
        if wanted is None:  # it was written out
            (wanted,) = reader.entries_of_manifest(leaf.written.manifest_digest)
        assert one.entry == wanted
        assert one.is_open == (reader.proofs.is_open(proven))


def test_every_namespace_is_that_of_the_contract(busy: BusyRegistry, found: RecordIndex) -> None:
    reader = busy.registry.reader()
    for name in ("acme", "lab"):
        one, wanted = found.namespace(name), reader.namespace(name)
        assert one is not None and wanted is not None
        assert namespace_json(one.namespace) == namespace_json(wanted)
        assert one.history == reader.namespace_history(name)
    assert found.namespace("batched") is None
    called = {one.entry.version: one.is_called for one in found.by_namespace("acme").records}
    assert called == {"1": True, "2": True, "3": True, "4": True}
    assert found.identity(digest(9020)).trusted_by == ("lab",)
    assert found.identity(digest(9003)).trusted_by == ()


def test_every_ancestor_is_that_of_the_contract(busy: BusyRegistry, found: RecordIndex) -> None:
    reader = busy.registry.reader()
    for number in (20, 23, 24):
        one = found.record(record_id(record_number(number)))
        if one is None:  # the child has another name
            (one,) = found.by_digest(digest(number)).records
        wanted = find_ancestors(reader, one.entry)
        mine = [ancestor_json(up, own.entry if own else None) for up, own in found.lineage(one)]
        assert mine == [ancestor_json(*pair) for pair in wanted]
    base = found.by_digest(digest(20)).records[0]
    assert {one.entry.version for one in found.descendants(base).records} == {"23", "24"}
    child = found.by_digest(digest(23)).records[0]
    assert [edge.is_attested for edge in found.edges(child) if edge.child == child.entry.record_id] == [
        True,
        False,
        False,
    ]


def test_the_statistics_count_everything_once(busy: BusyRegistry, found: RecordIndex) -> None:
    counted = found.statistics()
    records = all_records(found)
    assert sum(day.releases for day in counted.by_day) == sum(one.entry.passed for one in records)
    assert sum(day.batches for day in counted.by_day) == 1
    assert sum(day.gas for day in counted.by_day) > 1_000_000
    first = [one for one in counted.oracles if one.epoch == 1]
    assert [one.signed for one in first] == [first[0].total, first[0].total, 0]
    assert found.status().records == len(records)

"""Tests of what keeps an index up to date: failures that pass, documents of batches, figures."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from provenance_oracle.oracle.bell import Bell
from provenance_oracle.oracle.index.chain_source import ChainSource
from provenance_oracle.oracle.index.documents import DocumentReader
from provenance_oracle.oracle.index.index_figures import INDEX_PREFIX, IndexFigures
from provenance_oracle.oracle.index.index_service import IndexService
from provenance_oracle.verifier.errors import TemporaryError
from provenance_oracle.verifier.record.leaves import leaves_json
from tests.support.batches import sealing
from tests.support.busy_registry import record_number
from tests.support.chain_fixtures import DeployedRegistry, make_record
from tests.support.indices import OpenIndex, content_of, open_index, source_of


class Ticking:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.at = 1_000_000.0

    def __call__(self) -> float:
        return self.at


def recorded_batch(registry: DeployedRegistry) -> tuple[tuple[bytes, ...], Any]:
    """Record a batch of three releases, and return its records and the batch."""
    records = [record_number(number, name=f"batched/model-{number}") for number in range(50, 53)]
    encoded, batch, call = sealing(registry, records, (0,))
    registry.send(call, registry.stranger)
    return encoded, batch


def test_a_node_that_fails_is_asked_again_over_a_new_connection(registry: DeployedRegistry, tmp_path: Path) -> None:
    registry.publish(make_record())
    opened = list[int]()

    def open_source() -> ChainSource:
        opened.append(1)
        if len(opened) < 3:
            raise TemporaryError("the node failed", where="node")
        return source_of(registry)

    class Restless(Bell):
        def sleep(self, seconds: float) -> None:
            assert seconds > 0
            if len(opened) >= 3:
                self.stop()

    with open_index(registry, str(tmp_path / "index.sqlite")) as index:
        service = IndexService(index.database, open_source, lambda _uri: b"", clock=Ticking())
        with pytest.raises(TemporaryError):
            service.step()
        assert service.failures == 1
        service.run(Restless())
        assert (len(opened), service.failures) == (3, 0)
        assert len(index.found.recent().records) == 1


def test_only_the_document_of_the_batch_itself_is_kept(registry: DeployedRegistry, tmp_path: Path) -> None:
    encoded, batch = recorded_batch(registry)
    clock, answers = Ticking(), [TemporaryError("the server is down", where="server"), b"no document"]
    answers += [leaves_json(encoded[:2]), leaves_json(encoded)]
    asked = list[str]()

    def fetch(uri: str) -> bytes:
        asked.append(uri)
        answer = answers[len(asked) - 1]
        if isinstance(answer, TemporaryError):
            raise answer
        assert isinstance(answer, bytes)
        return answer

    with open_index(registry, str(tmp_path / "index.sqlite")) as index:
        index.follower.follow()
        reader = DocumentReader(index.database, fetch, clock=clock)
        for failure in range(1, 4):
            assert reader.read() == reader.read() == 0
            assert len(asked) == failure  # once a minute
            assert index.found.status().unread_batches == 1
            found = index.found.batch(batch.root)
            assert found is not None and found.leaves is None
            clock.at += 61
        assert reader.read() == 1
        found = index.found.batch(batch.root)
        assert found is not None and found.leaves is not None
        assert [leaf.proof for leaf in found.leaves.leaves] == list(batch.proofs)
        assert len(index.found.by_namespace("batched").records) == 3
        assert reader.read() == 0
        assert len(asked) == 4


def test_it_does_not_matter_when_a_document_is_read(registry: DeployedRegistry, tmp_path: Path) -> None:
    encoded, batch = recorded_batch(registry)
    first = record_number(50, name="batched/model-50")

    def read(index: OpenIndex) -> None:
        document = leaves_json(encoded)
        assert DocumentReader(index.database, lambda _uri: document, clock=Ticking()).read() == 1

    with (
        open_index(registry, str(tmp_path / "early.sqlite")) as early,
        open_index(registry, str(tmp_path / "late.sqlite")) as late,
    ):
        early.follower.follow()
        read(early)
        proof = batch.proofs[0].solidity()
        registry.send(registry.contract.functions.materialise(encoded[0], proof), registry.stranger)
        registry.publish(replace(first, revision=1, verdict_digest=b"\x77" * 32))
        early.follower.follow()
        late.follower.follow()
        read(late)
        assert content_of(early.database) == content_of(late.database)
        assert len(early.found.by_namespace("batched").records) == 3
        assert sum(day.releases for day in early.found.statistics().by_day) == 3


def test_the_figures_tell_how_far_the_index_is(registry: DeployedRegistry, tmp_path: Path) -> None:
    registry.publish(make_record())
    with open_index(registry, str(tmp_path / "index.sqlite")) as index:
        index.follower.follow()
        status = index.found.status()
        told = IndexFigures(index.found.status).text().decode()
    lines = dict(line.rsplit(" ", 1) for line in told.splitlines() if not line.startswith("#"))
    assert float(lines[f"{INDEX_PREFIX}block"]) == status.until
    assert float(lines[f"{INDEX_PREFIX}records"]) == 1
    assert float(lines[f"{INDEX_PREFIX}lag_blocks"]) == 0

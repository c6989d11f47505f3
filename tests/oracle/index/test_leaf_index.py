"""Tests of the index of releases in batches: each document is read once, and an index outlives its process."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from provenance_oracle.oracle.index.leaf_index import LeafIndex, ServedBatch
from provenance_oracle.verifier.errors import TemporaryError

AT = datetime(2026, 1, 1, tzinfo=UTC)
ONE, TWO = ServedBatch(b"\x01" * 32, "https://a.example/1.json"), ServedBatch(b"\x02" * 32, "")
MANIFEST = b"\x0a" * 32


@pytest.fixture
def index(tmp_path: Path) -> Iterator[LeafIndex]:
    made = LeafIndex(tmp_path / "index.leaves", "registry")
    yield made
    made.close()


def test_a_batch_is_unread_until_its_document_was_read(index: LeafIndex) -> None:
    assert (index.block, index.count_unread(), index.unread(AT, 9)) == (-1, 0, [])
    index.add([ONE, TWO], 7)
    assert (index.block, index.count_unread(), index.unread(AT, 9)) == (7, 2, [ONE, TWO])
    assert index.batches_of(MANIFEST) == []
    index.keep(ONE.root, [MANIFEST, b"\x0b" * 32])
    assert (index.count_unread(), index.unread(AT, 9)) == (1, [TWO])
    assert index.batches_of(MANIFEST) == [ONE]
    index.add([ONE], 8)
    assert (index.block, index.count_unread()) == (8, 1), "a batch that is read twice from the chain stays read"


def test_a_batch_that_was_tried_waits_and_comes_last(index: LeafIndex) -> None:
    index.add([ONE, TWO], 7)
    index.tried(ONE.root, AT)
    assert index.unread(AT, 9) == [TWO]
    assert index.unread(AT + timedelta(seconds=1), 9) == [TWO, ONE]
    assert index.unread(AT + timedelta(seconds=1), 1) == [TWO]


def test_an_index_outlives_its_process_and_each_registry_has_its_own(index: LeafIndex, tmp_path: Path) -> None:
    index.add([ONE], 7)
    index.keep(ONE.root, [MANIFEST])
    index.close()
    again, other = (LeafIndex(tmp_path / "index.leaves", name) for name in ("registry", "another"))
    assert (again.block, again.batches_of(MANIFEST)) == (7, [ONE])
    assert (other.block, other.batches_of(MANIFEST)) == (-1, [])
    again.close()
    other.close()


def test_a_file_that_cannot_be_used_is_temporary(index: LeafIndex) -> None:
    index.close()
    with pytest.raises(TemporaryError, match="the index of events cannot be used"):
        index.add([ONE], 7)

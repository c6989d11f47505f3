"""Tests of the log of batches: the number of a batch, and a line for each release that leaves it."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from provenance_oracle.oracle.chain.batch_recording import BatchRecording
from provenance_oracle.oracle.chain.batches import Batching
from provenance_oracle.oracle.journal.journal import Journal
from provenance_oracle.oracle.journal.publications import Member, PublicationKind, PublicationState, StoredPublication
from provenance_oracle.oracle.journal.rows import ReleaseKey
from provenance_oracle.oracle.logs import JsonLines, log_id
from provenance_oracle.verifier.errors import TemporaryError

AT = datetime(2026, 1, 1, tzinfo=UTC)
NOTE = "a record of its batch changed; it goes into another one"


class Dropping:
    """A publisher that fails once, and then drops the batch."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._failures = [TemporaryError("the node does not answer")]

    def follow(self, publication: StoredPublication, _leaves: object) -> StoredPublication:
        if self._failures:
            raise self._failures.pop()
        return self._journal.advance_publication(publication.id, PublicationState.DROPPED, note=NOTE, at=AT)


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonLines())
    logger = logging.getLogger("provenance_oracle.oracle.chain.batch_recording")
    before = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    yield stream
    logger.removeHandler(handler)
    logger.setLevel(before)


def test_a_release_that_leaves_a_dropped_batch_has_a_line_with_its_id(tmp_path: Path, lines: io.StringIO) -> None:
    with Journal(tmp_path / "journal.db") as journal:
        row = journal.open(ReleaseKey("folder", "a", b"\x11" * 32), "f", at=AT)
        journal.accept(row.id, b"{}", b"{}", bytes(32), at=AT)
        batch = journal.open_publication(PublicationKind.BATCH, [Member(row.id, b"record")], at=AT).id
        nothing: Any = None
        writer: Any = SimpleNamespace(batches=Dropping(journal))
        batching = Batching(2, 0, "https://oracle.example/")
        recording = BatchRecording(nothing, journal, writer, nothing, nothing, batching, lambda: AT)
        for _ in range(3):
            recording.follow()
    told = [json.loads(line) for line in lines.getvalue().splitlines()]
    assert [(line["message"], line["batch"], line.get("release")) for line in told] == [
        (f"batch {batch} waits: the node does not answer", batch, None),
        (f"batch {batch}: dropped, {NOTE}", batch, None),
        (f"folder:a: judged, batch {batch} is dropped", batch, log_id("folder", "a", b"\x11" * 32)),
    ]

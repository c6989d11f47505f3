"""Tests of the index: each block is read once, forks are undone, and a damaged file is made anew."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from provenance_oracle.oracle.index.report_index import OVERLAP_BLOCKS, ReportIndex, Use
from provenance_oracle.verifier.errors import TemporaryError

REPORT = b"\x01" * 32


def use(block: int, position: int = 0, manifest: int = 2) -> Use:
    return Use(block, position, REPORT, bytes([manifest]) * 32, b"\x03" * 32, b"\x04" * 32, passed=True)


@dataclass
class Chain:
    """A chain whose blocks have the hash of their number and of `salt` from block `forked` on."""

    events: list[Use] = field(default_factory=list)
    salt: int = 0
    forked: int = 1 << 40
    asked: list[tuple[int, int]] = field(default_factory=list)

    def hash_of(self, number: int) -> bytes:
        return b"%d-%d" % (number, self.salt if number >= self.forked else 0)

    def read(self, first: int, last: int) -> Sequence[Use]:
        self.asked.append((first, last))
        return [one for one in self.events if first <= one.block <= last]

    def sync(self, index: ReportIndex, head: int, first: int = 0) -> list[Use]:
        index.sync(first, head, self.hash_of, self.read)
        return index.uses_of(REPORT, head)


@pytest.fixture
def index(tmp_path: Path) -> Iterator[ReportIndex]:
    made = ReportIndex(tmp_path / "index", "node")
    yield made
    made.close()


def test_each_range_is_read_once_but_for_the_newest_blocks(index: ReportIndex) -> None:
    chain = Chain([use(10)])
    assert chain.sync(index, 1000, first=5) == [use(10)]
    assert chain.sync(index, 1000) == [use(10)]
    assert chain.sync(index, 1100) == [use(10)]
    assert chain.asked == [(5, 1000), (1001 - OVERLAP_BLOCKS, 1100)]


def test_a_long_chain_is_read_in_pieces(index: ReportIndex) -> None:
    chain = Chain([use(150_000)])
    assert chain.sync(index, 250_000) == [use(150_000)]
    assert chain.asked == [(0, 99_999), (100_000, 199_999), (200_000, 250_000)]


def test_an_event_that_a_node_shows_late_is_found(index: ReportIndex) -> None:
    chain = Chain()
    assert chain.sync(index, 100) == []
    chain.events.append(use(100))
    assert chain.sync(index, 101) == [use(100)]


def test_only_blocks_up_to_the_one_asked_for_count(index: ReportIndex) -> None:
    chain = Chain([use(10), use(20, manifest=5)])
    chain.sync(index, 30)
    assert index.uses_of(REPORT, 19) == [use(10)]
    assert index.uses_of(REPORT, 20) == [use(10), use(20, manifest=5)]
    assert index.uses_of(b"\x09" * 32, 30) == []


def test_what_a_fork_replaced_is_undone(index: ReportIndex) -> None:
    chain = Chain([use(100), use(995)])
    chain.sync(index, 500)
    chain.sync(index, 1000)
    chain.salt, chain.forked, chain.events = 1, 990, [use(100), use(998, manifest=7)]
    assert chain.sync(index, 1001) == [use(100), use(998, manifest=7)]
    assert chain.asked[-1] == (501 - OVERLAP_BLOCKS, 1001)


def test_a_fork_deeper_than_all_places_begins_anew(index: ReportIndex) -> None:
    chain = Chain([use(100)])
    chain.sync(index, 500)
    chain.salt, chain.forked, chain.events = 1, 0, []
    assert chain.sync(index, 501) == []
    assert chain.asked[-1] == (0, 501)


def test_it_goes_on_after_a_restart(tmp_path: Path) -> None:
    chain = Chain([use(10)])
    for head in (500, 600):
        index = ReportIndex(tmp_path / "index", "node")
        assert chain.sync(index, head) == [use(10)]
        index.close()
    assert chain.asked == [(0, 500), (501 - OVERLAP_BLOCKS, 600)]


def test_each_endpoint_has_its_own(tmp_path: Path) -> None:
    one, other = (ReportIndex(tmp_path / "index", name) for name in ("one", "other"))
    assert Chain([use(10)]).sync(one, 20) == [use(10)]
    assert Chain().sync(other, 20) == []
    one.forget()
    assert one.uses_of(REPORT, 20) == []


def test_a_failed_read_keeps_what_was_read_before(index: ReportIndex) -> None:
    chain = Chain([use(10)])
    chain.sync(index, 500)

    def fail(_first: int, _last: int) -> Sequence[Use]:
        raise TemporaryError("down")

    with pytest.raises(TemporaryError):
        index.sync(0, 600, chain.hash_of, fail)
    assert chain.sync(index, 600) == [use(10)]
    assert chain.asked == [(0, 500), (501 - OVERLAP_BLOCKS, 600)]


def test_a_damaged_file_is_made_anew(tmp_path: Path) -> None:
    (tmp_path / "index").write_bytes(b"no database at all" * 1000)
    index = ReportIndex(tmp_path / "index", "node")
    assert Chain([use(10)]).sync(index, 20) == [use(10)]
    index.close()

"""Tests of a journal that goes away while it is used: nothing more is written, and no second oracle works beside it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from provenance_oracle.oracle.journal.journal import Journal
from provenance_oracle.oracle.journal.rows import ReleaseKey
from provenance_oracle.verifier.errors import UsageError

AT = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "folder").mkdir()
    return tmp_path / "folder" / "journal.db"


@pytest.fixture
def journal(path: Path) -> Iterator[Journal]:
    with Journal(path) as made:
        opened(made)
        yield made


def opened(journal: Journal, name: str = "a") -> object:
    return journal.open(ReleaseKey("folder", name, bytes(32)), "f", at=AT)


def replace(path: Path) -> None:
    copy = path.with_name("copy")
    shutil.copyfile(path, copy)
    copy.rename(path)


CHANGES: list[Callable[[Path], object]] = [
    lambda path: path.unlink(),
    lambda path: path.rename(path.with_name("moved.db")),
    replace,
    lambda path: path.with_name("journal.db.lock").unlink(),
    lambda path: path.parent.rename(path.parent.with_name("away")),
    lambda path: shutil.rmtree(path.parent),
]


@pytest.mark.parametrize("change", CHANGES)
def test_a_journal_that_went_away_is_noticed_before_the_next_step(
    journal: Journal, path: Path, change: Callable[[Path], object]
) -> None:
    change(path)
    with pytest.raises(UsageError, match=r"deleted, moved or replaced.*provenance restore"):
        opened(journal, "b")
    with pytest.raises(UsageError, match="deleted, moved or replaced"):
        journal.rows()


def test_a_journal_that_was_moved_back_is_used_again(journal: Journal, path: Path) -> None:
    path.rename(path.with_name("moved.db"))
    with pytest.raises(UsageError):
        opened(journal, "b")
    path.with_name("moved.db").rename(path)
    opened(journal, "b")
    assert len(journal.rows()) == 2


def test_no_second_process_starts_beside_a_deleted_journal(journal: Journal, path: Path) -> None:
    path.unlink()
    for suffix in ("-wal", "-shm"):
        path.with_name(path.name + suffix).unlink()
    with pytest.raises(UsageError, match="in use by another process"):
        Journal(path)
    assert not path.exists()


def test_no_second_process_starts_although_the_lock_file_went_too(journal: Journal, path: Path) -> None:
    shutil.rmtree(path.parent)
    path.parent.mkdir()
    with pytest.raises(UsageError, match="in use by another process"):
        Journal(path)
    journal.close()
    Journal(path).close()

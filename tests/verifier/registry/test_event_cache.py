"""Events that are kept between commands: what is kept, for which chain, and in which file."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from provenance_oracle.verifier.registry import event_cache
from provenance_oracle.verifier.registry.event_cache import Anchor, EventCache, Kept, default_folder
from provenance_oracle.verifier.registry.raw_logs import Place, Question, RawLog

REGISTRY, TOPIC, MODEL = b"\x11" * 20, b"\x22" * 32, b"\x33" * 32
QUESTION = Question(REGISTRY, (TOPIC, MODEL))
LOG = RawLog(REGISTRY, (TOPIC, MODEL, b"\x44" * 32), b"some data", Place(120, 3, b"\x55" * 32))
ANCHOR = Anchor(1000, b"\x66" * 32)
KEPT = Kept(100, 900, ANCHOR, (LOG,))
NODE = "https://node.example"


def opened(folder: Path | None, chain_id: int = 1, registry: bytes = REGISTRY, node: str = NODE) -> EventCache:
    cache = EventCache(folder)
    cache.open(chain_id, registry, node)
    return cache


def kept(cache: EventCache, question: Question = QUESTION, first: int = 100) -> Kept | None:
    return cache.get(question, first, lambda anchor: anchor == ANCHOR)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with one file, which has one answer."""
    cache = opened(tmp_path / "events")
    cache.span = 1000
    cache.put({QUESTION: KEPT})
    return tmp_path / "events"


def the_file(folder: Path) -> Path:
    (path,) = folder.iterdir()
    return path


def test_the_next_command_has_events_and_span(folder: Path) -> None:
    cache = opened(folder)
    assert kept(cache) == KEPT
    assert cache.span == 1000


def test_file_and_folder_are_the_user_s_alone(folder: Path) -> None:
    assert the_file(folder).stat().st_mode & 0o777 == 0o600
    assert folder.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("other", [{"chain_id": 2}, {"registry": b"\x12" * 20}, {"node": "https://other.example"}])
def test_another_chain_registry_or_node_has_a_file_of_its_own(folder: Path, other: dict[str, Any]) -> None:
    assert kept(opened(folder, **other)) is None
    assert kept(opened(folder)) == KEPT


def test_a_narrower_question_has_its_part_of_the_answer(folder: Path) -> None:
    cache = opened(folder)
    narrow = Question(REGISTRY, (TOPIC, MODEL, b"\x44" * 32))
    assert kept(cache, narrow) == KEPT
    assert kept(cache, Question(REGISTRY, (TOPIC, MODEL, b"\x45" * 32))) == replace(KEPT, logs=())
    for other in ((TOPIC,), (TOPIC, b"\x34" * 32), (TOPIC, None, b"\x44" * 32)):
        assert kept(cache, Question(REGISTRY, other)) is None


@pytest.mark.parametrize("first", [99, 901])
def test_an_answer_for_other_blocks_is_not_used(folder: Path, first: int) -> None:
    assert kept(opened(folder), first=first) is None


def test_after_a_reorg_the_events_are_dropped(folder: Path) -> None:
    cache = opened(folder)
    assert cache.get(QUESTION, 100, lambda _anchor: False) is None
    assert kept(cache) is None


def test_events_that_contradict_the_state_are_forgotten(folder: Path) -> None:
    opened(folder).forget()
    assert kept(opened(folder)) is None


# A hostile or broken file


def change(path: Path, edit: Callable[[Any], object]) -> None:
    value = json.loads(path.read_bytes())
    edit(value)
    path.write_text(json.dumps(value))


EDITS: dict[str, Callable[[Any], object]] = {
    "another format": lambda v: v.update(format="provenance-events-v2"),
    "another node": lambda v: v.update(node="https://other.example"),
    "an unknown member": lambda v: v.update(more=1),
    "a span below 0": lambda v: v.update(span=-1),
    "an answer that is no object": lambda v: v.update(answers=[1]),
    "no topics": lambda v: v["answers"][0].update(topics=[]),
    "a topic of another size": lambda v: v["answers"][0].update(topics=["00"]),
    "an event of another question": lambda v: v["answers"][0].update(topics=["77" * 32]),
    "an event before the blocks": lambda v: v["answers"][0].update(first=121),
    "an event after the blocks": lambda v: v["answers"][0].update(until=119),
    "blocks after the anchor": lambda v: v["answers"][0].update(block=899),
    "a short hash": lambda v: v["answers"][0].update(block_hash="66"),
    "half a topic": lambda v: v["answers"][0]["events"][0].update(topics="22" * 48),
    "data that are not hex": lambda v: v["answers"][0]["events"][0].update(data="zz"),
    "a huge number": lambda v: v["answers"][0]["events"][0].update(block=10**30),
    "true for a number": lambda v: v["answers"][0].update(first=True),
}


@pytest.mark.parametrize("edit", EDITS)
def test_a_file_of_another_form_is_dropped(folder: Path, edit: str, caplog: pytest.LogCaptureFixture) -> None:
    change(the_file(folder), EDITS[edit])
    assert kept(opened(folder)) is None
    assert "is dropped" in caplog.text
    cache = opened(folder)
    cache.put({QUESTION: KEPT})
    assert kept(opened(folder)) == KEPT


@pytest.mark.parametrize("data", [b"", b"{", b"\xff\xfe", b"[" * 100_000, b"[" + b"{}," * 300_000, b"0" * 5_000_000])
def test_a_broken_file_is_dropped(folder: Path, data: bytes) -> None:
    the_file(folder).write_bytes(data)
    assert kept(opened(folder)) is None


@pytest.mark.parametrize("mode", [0o604, 0o640, 0o606, 0o660])
def test_a_file_that_others_can_open_is_neither_used_nor_written(
    folder: Path, mode: int, caplog: pytest.LogCaptureFixture
) -> None:
    path = the_file(folder)
    path.chmod(mode)
    before = path.read_bytes()
    cache = opened(folder)
    assert kept(cache) is None
    assert f"mode {mode:04o}" in caplog.text
    cache.put({QUESTION: replace(KEPT, logs=())})
    assert path.read_bytes() == before


@pytest.mark.parametrize("mode", [0o720, 0o702, 0o777])
def test_a_folder_that_others_can_write_to_is_left_alone(folder: Path, mode: int) -> None:
    folder.chmod(mode)
    cache = opened(folder)
    assert kept(cache) is None
    cache.put({QUESTION: KEPT})
    assert kept(cache) == KEPT  # in memory
    assert len(list(folder.iterdir())) == 1


def test_another_owner_s_file_is_left_alone(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    assert kept(opened(folder)) is None


@pytest.mark.parametrize("kind", ["link", "hard link", "FIFO", "folder"])
def test_what_is_not_a_plain_file_is_left_alone(folder: Path, kind: str) -> None:
    path = the_file(folder)
    other = folder.parent / "other"
    path.rename(other)
    make: dict[str, Callable[[], object]] = {
        "link": lambda: path.symlink_to(other),
        "hard link": lambda: path.hardlink_to(other),
        "FIFO": lambda: os.mkfifo(path, 0o600),
        "folder": path.mkdir,
    }
    make[kind]()
    before = path.lstat()
    cache = opened(folder)
    assert kept(cache) is None
    cache.put({QUESTION: KEPT})
    assert path.lstat().st_ino == before.st_ino


def test_a_folder_that_is_a_link_is_left_alone(folder: Path) -> None:
    link = folder.parent / "link"
    link.symlink_to(folder)
    assert kept(opened(link)) is None


def test_a_command_works_where_no_folder_can_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    cache = opened(tmp_path / "file" / "events")
    cache.put({QUESTION: KEPT})
    assert kept(cache) == KEPT


# Bounds


def test_the_oldest_answers_do_not_fit_into_the_file(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_cache, "CACHE_MAX_BYTES", 4096 + 2500)
    cache = opened(folder)
    questions = [Question(REGISTRY, (TOPIC, bytes([number]) * 32)) for number in range(10)]
    for question in questions:
        cache.put({question: replace(KEPT, logs=())})
    assert the_file(folder).stat().st_size <= 4096 + 2500
    left = [question for question in questions if kept(opened(folder), question)]
    assert left
    assert left == questions[-len(left) :]
    assert len(left) < 10


def test_memory_has_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_cache, "KEPT_MAX_BYTES", 3 * KEPT.size_bytes)
    cache = opened(None)
    for number in range(10):
        cache.put({Question(REGISTRY, (TOPIC, bytes([number]) * 32)): KEPT})
    assert sum(kept(cache, Question(REGISTRY, (TOPIC, bytes([number]) * 32))) is not None for number in range(10)) == 3


def test_only_some_files_are_kept(folder: Path) -> None:
    for number in range(2, 40):
        opened(folder, chain_id=number).put({QUESTION: KEPT})
    assert len(list(folder.iterdir())) == event_cache.FILES_MAX
    assert kept(opened(folder, chain_id=39)) == KEPT


def test_two_commands_at_once_leave_a_whole_file(folder: Path) -> None:
    caches = [opened(folder) for _ in range(2)]
    other = Question(REGISTRY, (TOPIC, b"\x34" * 32))
    caches[0].put({other: replace(KEPT, logs=())})
    caches[1].put({QUESTION: KEPT})
    assert kept(opened(folder)) == KEPT
    assert len(list(folder.iterdir())) == 1


def test_a_write_that_fails_leaves_the_old_file(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_args: Any, **_kwargs: Any) -> None:
        raise OSError(28, "No space left on device")

    cache = opened(folder)
    monkeypatch.setattr(os, "replace", fail)
    cache.put({QUESTION: replace(KEPT, logs=())})
    assert kept(opened(folder)) == KEPT
    assert len(list(folder.iterdir())) == 1


@pytest.mark.parametrize(
    ("value", "wanted"), [("/x", "/x/provenance/events"), ("", ".cache"), ("relative", ".cache"), (None, ".cache")]
)
def test_the_folder_is_where_the_desktop_s_rules_say(
    value: str | None, wanted: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("XDG_CACHE_HOME")
    if value is not None:
        monkeypatch.setenv("XDG_CACHE_HOME", value)
    path = default_folder()
    assert path == (Path(wanted) if wanted[0] == "/" else Path.home() / ".cache" / "provenance" / "events")

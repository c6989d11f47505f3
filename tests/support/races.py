"""Races for a folder: an attacker acts just before an open call, once for each open call of a run.

Between a look at an entry and the call that opens it lies the only moment at which a swap can mislead a reader. So a
swap before each open call, one run for each, tries every such moment.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from provenance_oracle.verifier.errors import ProvenanceError

_EVENTS = ("open", "os.scandir", "os.listdir")
_PATIENCE_SECONDS = 60
_T = TypeVar("_T")
_before_open: list[Callable[[], None]] = []


def _hook(event: str, _arguments: object) -> None:
    if _before_open and event in _EVENTS:
        act = _before_open.pop()  # not during the act itself, which opens folders too
        try:
            act()
        finally:
            _before_open.append(act)


sys.addaudithook(_hook)


@contextmanager
def before_each_open(act: Callable[[], None]) -> Iterator[None]:
    """Call `act` before every call of this process that opens a file or folder, within the block."""
    _before_open.append(act)
    try:
        yield
    finally:
        _before_open.clear()


@contextmanager
def _no_hang() -> Iterator[None]:
    def give_up(*_: object) -> None:
        raise AssertionError("the run hangs")

    before = signal.signal(signal.SIGALRM, give_up)
    signal.alarm(_PATIENCE_SECONDS)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def race(
    make: Callable[[], Path], swap: Callable[[Path], None], run: Callable[[Path], _T]
) -> Iterator[tuple[Path, _T | ProvenanceError]]:
    """Run on a new folder for each open call of a run, and swap an entry of it just before that call.

    Args:
        make: makes a folder like all others that it makes, at another path.
        swap: changes an entry of the folder.

    Yields:
        The folder, and the result of the run or the error that it raised.
    """
    calls: list[None] = []
    run(make())  # imports what the run needs
    with before_each_open(lambda: calls.append(None)):
        run(make())
    assert calls
    for number in range(len(calls)):
        folder, left = make(), [number]

        def act(folder: Path = folder, left: list[int] = left) -> None:
            if left[0] == 0:
                swap(folder)
            left[0] -= 1

        with before_each_open(act), _no_hang():
            try:
                result: _T | ProvenanceError = run(folder)
            except ProvenanceError as error:
                result = error
        yield folder, result


def folder_for_a_link(model: Path, outside: Path) -> None:
    """Put a link to `outside` in place of the model's folder `tok`."""
    (model / "tok").rename(model.with_suffix(".moved"))
    (model / "tok").symlink_to(outside)


def file_for_a_link(model: Path, outside: Path) -> None:
    """Put a link to the file of `outside` in place of the model's file `tok/vocab`."""
    (model / "tok" / "vocab").unlink()
    (model / "tok" / "vocab").symlink_to(outside / "vocab")


def file_for_a_fifo(model: Path, outside: Path) -> None:
    """Put a FIFO in place of the model's file `tok/vocab`."""
    (model / "tok" / "vocab").unlink()
    os.mkfifo(model / "tok" / "vocab")

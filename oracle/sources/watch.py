"""Wake the scan of a folder early when a file changes.

Events are hints, and nothing depends on them. The kernel may lose or repeat them: inotify drops events in a storm, and
network file systems report no changes by other machines.
"""

from __future__ import annotations

import logging
import re
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

from provenance_oracle.verifier.errors import UsageError

if TYPE_CHECKING:
    from watchdog.events import FileSystemEvent
    from watchdog.observers.api import BaseObserver

_MOUNTS = Path("/proc/self/mountinfo")
_REMOTE = re.compile(r"nfs\d*|cifs|smb\d*|9p|fuse(\..*)?|virtiofs|overlay|afs|ceph|glusterfs|lustre|vboxsf")
_IGNORED = re.compile(r"\..*|.*\.(tmp|part|incomplete)|.*~")
_POLL_SECONDS = 5.0

_log = logging.getLogger(__name__)


class WatchMode(StrEnum):
    """The way to notice changes early. AUTO is INOTIFY on local file systems and POLL on others."""

    AUTO = "auto"
    INOTIFY = "inotify"
    POLL = "poll"
    SCAN_ONLY = "scan-only"


@contextmanager
def watching(root: Path, mode: WatchMode, wake: Callable[[], None]) -> Iterator[None]:
    """Call `wake` from another thread whenever an entry below `root` changes, until the block ends.

    Changes of hidden and unfinished files do not count, see `is_ignored`. If the kernel allows no more inotify watches,
    the log has a warning and `wake` is never called.

    Raises:
        UsageError: the package `watchdog` is not installed, and `mode` needs it.
    """
    observer = None if mode is WatchMode.SCAN_ONLY else _start(root, chosen_mode(root, mode), wake)
    try:
        yield
    finally:
        if observer is not None:
            observer.stop()
            observer.join()


def chosen_mode(root: Path, mode: WatchMode, mounts: Path = _MOUNTS) -> WatchMode:
    """Return the mode for AUTO by the type of the file system that holds `root`; return any other mode unchanged."""
    if mode is not WatchMode.AUTO:
        return mode
    return WatchMode.POLL if _REMOTE.fullmatch(_file_system_type(root.resolve(), mounts)) else WatchMode.INOTIFY


def is_ignored(path: str) -> bool:
    """Return whether the name of a file says that it is hidden or still being written."""
    return _IGNORED.fullmatch(PurePath(path).name) is not None


def _start(root: Path, mode: WatchMode, wake: Callable[[], None]) -> BaseObserver | None:
    try:
        from watchdog.events import (
            DirCreatedEvent,
            DirDeletedEvent,
            DirMovedEvent,
            FileClosedEvent,
            FileCreatedEvent,
            FileDeletedEvent,
            FileMovedEvent,
            FileSystemEventHandler,
        )
        from watchdog.observers import Observer
        from watchdog.observers.polling import PollingObserver
    except ImportError:
        raise UsageError(
            "file events need the extra 'oracle'; install it, or turn events off",
            got="no watchdog",
            wanted="watch: scan-only",
        ) from None

    class Waker(FileSystemEventHandler):
        def on_any_event(self, event: FileSystemEvent) -> None:
            paths = [str(path) for path in (event.src_path, event.dest_path) if path]
            if not all(is_ignored(path) for path in paths):
                wake()

    kinds: list[type[FileSystemEvent]] = [
        *(DirCreatedEvent, DirDeletedEvent, DirMovedEvent),
        *(FileClosedEvent, FileCreatedEvent, FileDeletedEvent, FileMovedEvent),
    ]
    # In a storm watchdog may add a watch twice and warn about it. The warning is harmless.
    warnings.filterwarnings("ignore", "Callback with id", RuntimeWarning)
    observer = PollingObserver(timeout=_POLL_SECONDS) if mode is WatchMode.POLL else Observer()
    try:
        # Without the filter, each folder that is read is an event too. From some 1,400 releases on, these overflow the
        # kernel's queue, watchdog walks all folders because of the overflow, and its walk overflows the queue again.
        observer.schedule(Waker(), str(root), recursive=True, event_filter=kinds)
        observer.start()
    except OSError as error:  # often the limit of inotify watches
        _log.warning("file events are not available (%s); only the regular scan finds changes", error.strerror)
        return None
    return observer


def _file_system_type(path: Path, mounts: Path) -> str:
    """Return the type of the mount whose mount point is the longest prefix of `path`; "" if there is no list of mounts.

    proc(5) describes the format of the list (mountinfo).
    """
    best, kind = "", ""
    try:
        lines = mounts.read_text("utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    for line in lines:
        before, _, after = line.partition(" - ")
        fields, described = before.split(" "), after.split(" ")
        point = _unescaped(fields[4]) if len(fields) > 4 else ""
        if point and path.is_relative_to(point) and len(point) >= len(best):
            best, kind = point, described[0]
    return kind


def _unescaped(text: str) -> str:
    return re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), text)

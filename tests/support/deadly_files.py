"""Releases that end, hang or fool a judge process when it reads them, as a hostile release may that finds a hole.

A judge process imports this module to read them. In the test's own process they fail a test, since no release whose
process was lost may be judged there.
"""

from __future__ import annotations

import os
import signal
import stat
import time
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from provenance_oracle.oracle.sources.folder import FolderSource
from provenance_oracle.verifier.errors import TemporaryError
from provenance_oracle.verifier.strict.release_files import FolderFiles
from provenance_oracle.verifier.strict.release_folder import ReleaseFolder


@dataclass(frozen=True)
class DeadlyFiles(FolderFiles):
    """A release that does `deed` to the process that judges it. `home` is the process of the test."""

    deed: str = "kill"
    home: int = 0

    def session(self) -> AbstractContextManager[ReleaseFolder]:
        if self.deed in _DEEDS and os.getpid() != self.home:
            _DEEDS[self.deed]()
        return super().session()


def _kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _crash() -> None:
    os.kill(os.getpid(), signal.SIGSEGV)


def _hang() -> None:
    time.sleep(3600)


def _leave() -> None:
    os._exit(3)


def _cannot_read() -> None:
    raise TemporaryError("the disk fails", where="disk")


def _bug() -> None:
    raise ZeroDivisionError("a bug of ours")


def _babble() -> None:
    _say(b"\xff" * 100)


def _flood() -> None:
    _say((1).to_bytes(4, "big") + (2**62).to_bytes(8, "big") + b"x")


def _lie() -> None:
    header = b'{"is": "answer", "took": {}, "hashed": 0, "lines": [], "outcome": "accepted", "content": "00",'
    header += b' "whole": true, "sizes": []}'
    _say(len(header).to_bytes(4, "big") + bytes(8) + header)


def _fetch_elsewhere() -> None:
    header = b'{"is": "fetch", "url": "http://169.254.169.254/", "sizes": []}'
    _say((len(header).to_bytes(4, "big") + bytes(8) + header) * 100)
    time.sleep(3600)


def _say(data: bytes) -> None:
    """Write to the socket of this process, as code does that took it over."""
    # Its number is that of the oracle, which may have many files open.
    sockets = [int(name) for name in os.listdir("/proc/self/fd") if _is_socket(int(name))]
    assert sockets, "no socket to the oracle"
    for descriptor in sockets:
        os.write(descriptor, data)


def _is_socket(descriptor: int) -> bool:
    with suppress(OSError):  # that of the listing is closed again
        return stat.S_ISSOCK(os.fstat(descriptor).st_mode)
    return False


_DEEDS: dict[str, Any] = {
    "kill": _kill,
    "crash": _crash,
    "hang": _hang,
    "leave": _leave,
    "cannot-read": _cannot_read,
    "bug": _bug,
    "babble": _babble,
    "flood": _flood,
    "lie": _lie,
    "fetch-elsewhere": _fetch_elsewhere,
}


class DeadlySource(FolderSource):
    """A folder in which releases named `DEED-...` do their deed to judge processes."""

    def _files(self, handle: Any) -> FolderFiles:
        plain = super()._files(handle)
        deed = Path(handle.id).name.rpartition("-")[0]
        if deed not in _DEEDS:
            return plain
        return DeadlyFiles(plain.path, plain.reading, deed, os.getpid())

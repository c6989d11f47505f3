"""The pure Python implementation on several cores.

hashlib lets other threads run while it hashes a block, but a change of threads after every 4096 bytes costs more than a
second thread gains. So one thread hashes in this process, and the others pass pieces to worker processes through shared
memory.
"""

from __future__ import annotations

import os
import subprocess
import sys
import weakref
from contextlib import suppress
from mmap import mmap
from pathlib import Path
from threading import Lock

from provenance_oracle.verifier.digest.tree.blocks import Buffer, FileHash, HashlibFileHash, PythonBlocks
from provenance_oracle.verifier.digest.tree.fsverity import BLOCK_BYTES, DIGEST_BYTES

_PROGRAM = Path(__file__).parent / "_worker.py"
_MEMORY_BYTES = 1024 * 1024  # the most that a worker process gets at once
_WORTH_BYTES = 64 * 1024  # smaller pieces are hashed in this process
_START_AFTER_BYTES = 32 * 1024 * 1024  # for less than this, a worker process costs more than it saves


class ProcessBlocks:
    """A `BlockHash` that uses hashlib in this process and in up to `processes` others, which end with this object.

    If a process cannot be started or dies, this process does its work.
    """

    path_name = "python"

    def __init__(self, processes: int) -> None:
        self._here = PythonBlocks()
        self._lock = Lock()
        self._to_start = processes if sys.executable else 0
        self._seen_bytes = 0
        self._idle: list[_Worker] = []
        self._all: list[_Worker] = []
        self.close = weakref.finalize(self, _stop, self._all, os.getpid())

    def hash_blocks(self, blocks: Buffer, salt: bytes = b"") -> bytes:
        size = len(blocks)
        if salt or size < _WORTH_BYTES or size > _MEMORY_BYTES or size % BLOCK_BYTES:
            return self._here.hash_blocks(blocks, salt)
        worker = self._take_worker(size)
        digests = worker.hash_blocks(blocks) if worker else None
        if worker is None or digests is None:
            return self._here.hash_blocks(blocks)
        self._idle.append(worker)
        return digests

    def file_hash(self) -> FileHash:
        return HashlibFileHash(self)

    def _take_worker(self, size: int) -> _Worker | None:
        with self._lock:
            self._seen_bytes += size
            if self._idle:
                return self._idle.pop()
            if not self._to_start or self._seen_bytes < _START_AFTER_BYTES:
                return None
            self._to_start -= 1
        with suppress(OSError):
            worker = _Worker()
            self._all.append(worker)
            return worker
        return None


class _Worker:
    def __init__(self) -> None:
        descriptor = os.memfd_create("hash")
        try:
            os.ftruncate(descriptor, _MEMORY_BYTES)
            self._memory = memoryview(mmap(descriptor, _MEMORY_BYTES))
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-S", str(_PROGRAM), str(descriptor)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                bufsize=0,
                pass_fds=[descriptor],
                start_new_session=True,  # an interrupt from the terminal reaches only the parent
            )
        finally:
            os.close(descriptor)

    def hash_blocks(self, blocks: Buffer) -> bytes | None:
        """Return the digests, 32 bytes each, concatenated; None if the process is gone."""
        size = len(blocks)
        self._memory[:size] = blocks
        assert self._process.stdin and self._process.stdout
        digests = b""
        with suppress(OSError):
            self._process.stdin.write(size.to_bytes(8, "little"))
            wanted = size // BLOCK_BYTES * DIGEST_BYTES
            while len(digests) < wanted:
                got = self._process.stdout.read(wanted - len(digests))
                if not got:
                    return None
                digests += got
            return digests
        return None

    def stop(self) -> None:
        """Kill the process. Closing its input is not enough, since a fork of this program may hold the pipe too."""
        with self._process:
            self._process.kill()


def _stop(workers: list[_Worker], parent: int) -> None:
    """End the processes, unless this process is a fork of the program that started them."""
    if os.getpid() == parent:
        for worker in workers:
            worker.stop()

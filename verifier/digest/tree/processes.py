"""The pure Python path on several cores.

hashlib lets other threads run while it hashes a block, but taking turns after every 4096 bytes costs more than a
second thread gains. So one thread hashes here, and the others hand pieces to processes through shared memory.
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
_MEMORY_BYTES = 1024 * 1024  # at most this goes to a process at once
_WORTH_BYTES = 64 * 1024  # less is hashed here
_START_AFTER_BYTES = 32 * 1024 * 1024  # by then, starting a process has cost less than it will save


class ProcessBlocks:
    """`BlockHash` by hashlib, here and in up to `processes` others, which end with this object.

    A process that cannot be started or that dies is done without.
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
                start_new_session=True,  # an interrupt from the terminal is for the parent
            )
        finally:
            os.close(descriptor)

    def hash_blocks(self, blocks: Buffer) -> bytes | None:
        """Return the digests, or None if the process is gone."""
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
        """End the process: the end of its input may never come, if a fork of this program holds the pipe too."""
        with self._process:
            self._process.kill()


def _stop(workers: list[_Worker], parent: int) -> None:
    """End the processes, unless this is a fork of the program that they belong to."""
    if os.getpid() == parent:
        for worker in workers:
            worker.stop()

"""A process that hashes blocks for `processes.py`. It runs as a file of its own, so it uses only the standard library.

The argument is the file descriptor of memory shared with the parent. A request on standard input is the number of bytes
to hash in that memory, as 8 bytes little-endian. The answer on standard output is the SHA-256 (32 bytes) of every
4096-byte block. The process ends when its input ends.
"""

from __future__ import annotations

import hashlib
import mmap
import os
import sys

_STDIN, _STDOUT = 0, 1


def serve() -> None:
    memory = memoryview(mmap.mmap(int(sys.argv[1]), 0, prot=mmap.PROT_READ))
    sha256 = hashlib.sha256
    while request := os.read(_STDIN, 8):
        size = int.from_bytes(request, "little")
        digests = b"".join([sha256(memory[start : start + 4096]).digest() for start in range(0, size, 4096)])
        while digests:
            digests = digests[os.write(_STDOUT, digests) :]


if __name__ == "__main__":
    serve()

"""A process that hashes blocks for `processes.py`, which runs this file on its own: standard library only.

Its argument is the descriptor of memory shared with the parent. A request on standard input is the number of bytes to
hash there, 8 bytes little-endian; the answer on standard output is the digest of every 4096-byte block. It ends with
its input.
"""

from __future__ import annotations

import hashlib
import mmap
import os
import sys

_STDIN, _STDOUT = 0, 1


def main() -> None:
    memory = memoryview(mmap.mmap(int(sys.argv[1]), 0, prot=mmap.PROT_READ))
    sha256 = hashlib.sha256
    while request := os.read(_STDIN, 8):
        size = int.from_bytes(request, "little")
        digests = b"".join([sha256(memory[start : start + 4096]).digest() for start in range(0, size, 4096)])
        while digests:
            digests = digests[os.write(_STDOUT, digests) :]


if __name__ == "__main__":
    main()

"""`make bench-gpu`: the speed at which a GPU hashes its own memory, and files. Needs a GPU; asserts nothing.

The arithmetic bound is the cost of the rounds of SHA-256. An SM runs 64 simple integer instructions per clock. A chunk
of 64 bytes needs about 1281 of them (672 shifts, 352 logic, 241 additions, 16 permutations, counted in the code for
sm_90), so 20 clocks. A block of 4096 bytes has 65 chunks, and the nodes add 1/128.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from provenance_oracle.verifier.digest.gpu.cuda import CudaHasher
from provenance_oracle.verifier.digest.gpu.cupy_device import CupyDevice
from provenance_oracle.verifier.digest.gpu.device import DeviceError
from provenance_oracle.verifier.digest.tree.cpu import CpuHasher
from provenance_oracle.verifier.digest.tree.segments import Segments
from provenance_oracle.verifier.strict.files import OpenFile

MODEL_BYTES = 16 * 10**9
FILE_BYTES = 4 * 2**30
ROUNDS = 7
CLOCKS_PER_CHUNK = 1281 / 64
SHARE_OF_DATA = 64 / 65 * 128 / 129  # the share of chunks with data; the others are padding and nodes


class Memory:
    """Bytes on the device that begin `at` bytes after a multiple of 16, as a `segments.Memory`."""

    def __init__(self, owner: CupyDevice, size: int, at: int) -> None:
        self._owner = owner
        self._memory: Any = owner.cupy.cuda.alloc(size + 16)
        self._memory.memset(0xA5, size + 16)
        self.address, self.size, self.device = int(self._memory.ptr) + at, size, owner.id

    def read_into(self, target: memoryview, offset: int) -> None:
        target[:] = self._owner.read(self.address + offset, len(target))


def main() -> None:
    try:
        device = CupyDevice()
    except DeviceError as error:
        sys.exit(f"No GPU to measure: {error}")
    hasher = CudaHasher(device, CpuHasher())
    bound = arithmetic_bound(device)
    print(f"{device.name}: arithmetic bound {bound / 1e9:.0f} GB/s\n")
    print(f"{'what':<52}{'seconds':>10}{'GB/s':>8}{'of bound':>10}{'goal':>20}")
    size = min(MODEL_BYTES, int(device.cupy.cuda.runtime.memGetInfo()[0] * 0.8))
    for at, goal in ((0, "700 GB/s, 0.025 s"), (8, ""), (1, "")):
        memory = Memory(device, size, at)
        seconds = best(partial(hasher.digest_segments, Segments("model", [memory])))
        show(f"{size / 1e9:.1f} GB in memory, {at} bytes off alignment", seconds, size, bound, goal)
        del memory
    bench_file(hasher, bound)


def bench_file(hasher: CudaHasher, bound: float) -> None:
    """Time a file in the page cache, so that the disk of the machine does not matter."""
    with tempfile.TemporaryDirectory(prefix="provenance-bench-") as folder:
        path = Path(folder) / "weights.bin"
        with path.open("wb") as stream:
            for _ in range(FILE_BYTES // 2**24):
                stream.write(os.urandom(2**24))
        for name, one in ((hasher.path_name, hasher), (f"cpu ({(cpu := CpuHasher()).path_name}, {cpu.threads})", cpu)):
            descriptor = os.open(path, os.O_RDONLY)
            file = OpenFile(path.name, descriptor, FILE_BYTES)
            seconds = best(partial(one, file, sha256=False, advance=lambda size: None))
            os.close(descriptor)
            show(f"{FILE_BYTES / 1e9:.1f} GB file, warm, {name}", seconds, FILE_BYTES, bound, "")


def arithmetic_bound(device: CupyDevice) -> float:
    """Return the bound in bytes per second at the highest clock of the device."""
    attributes = device.cupy.cuda.Device(0).attributes
    clocks = attributes["MultiProcessorCount"] * attributes["ClockRate"] * 1000
    return float(clocks / CLOCKS_PER_CHUNK * 64 * SHARE_OF_DATA)


def best(call: Callable[[], object]) -> float:
    call()
    taken = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        call()
        taken.append(time.perf_counter() - started)
    return min(taken)


def show(what: str, seconds: float, size: int, bound: float, goal: str) -> None:
    rate = size / seconds
    print(f"{what:<52}{seconds:>10.4f}{rate / 1e9:>8.0f}{rate / bound:>10.0%}{goal:>20}")


if __name__ == "__main__":
    main()

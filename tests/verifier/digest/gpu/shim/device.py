"""The shipped tree.cu, built as C++ and run thread by thread, and a `Device` made of it.

So every test run covers all of cuda.py except CUDA itself.
"""

from __future__ import annotations

import ctypes
import subprocess
from collections.abc import Callable
from pathlib import Path

from provenance_oracle.verifier.digest.gpu.cupy_device import SOURCE
from provenance_oracle.verifier.digest.gpu.device import DeviceMemoryError
from provenance_oracle.verifier.strict.files import OpenFile

_HERE = Path(__file__).parent


def build_shim(target: Path) -> Path:
    flags = [
        "-std=c++17",
        "-O2",
        "-shared",
        "-fPIC",
        "-Wall",
        "-Werror",
        "-Wno-unknown-pragmas",
        f'-DTREE_CU="{SOURCE}"',
    ]
    subprocess.run(["g++", *flags, "-o", target, _HERE / "shim.cpp"], check=True)
    return target


def aligned(size: int, at: int = 0) -> ctypes.Array[ctypes.c_char]:
    """Memory that begins `at` bytes after a multiple of 16. It is filled with 0xFF, like memory that is not cleared."""
    whole = (ctypes.c_char * (size + 64)).from_buffer(bytearray(b"\xff" * (size + 64)))
    over = -ctypes.addressof(whole) % 16
    return (ctypes.c_char * size).from_buffer(whole, over + at)


class Kernels:
    """The kernels of the library. Each method launches one, with any number of threads per block."""

    def __init__(self, library: Path, threads: int = 128) -> None:
        self._library = ctypes.CDLL(str(library))
        self._threads = threads

    def launch(self, name: str, *arguments: int) -> None:
        getattr(self._library, f"launch_{name}")(ctypes.c_uint32(self._threads), *map(ctypes.c_uint64, arguments))


class ShimDevice:
    """A `Device` in host memory that is never clear. `before` is called before every batch and can make it fail."""

    name = "shim"
    id = "cuda:0"

    def __init__(self, library: Path, *, room_blocks: int = 2**30, before: Callable[[], None] = lambda: None) -> None:
        self.kernels = Kernels(library)
        self.room_blocks = room_blocks
        self.before = before
        self.direct: object | None = None
        self.lanes: list[ShimLane] = []

    def open_lane(self, blocks: int, *, with_data: bool) -> ShimLane:
        if blocks > self.room_blocks:
            raise DeviceMemoryError("the GPU has not enough free memory", where="GPU")
        self.room_blocks -= blocks
        self.lanes.append(ShimLane(self, min(blocks, 4096), with_data=with_data))
        return self.lanes[-1]

    def open_direct(self, file: OpenFile) -> object | None:
        return self.direct

    def upload(self, data: bytes) -> object:
        memory = aligned(len(data))
        memory.raw = data
        return memory

    def address_of(self, uploaded: object) -> int:
        assert isinstance(uploaded, ctypes.Array)
        return ctypes.addressof(uploaded)

    def finish_all(self) -> None:
        pass


class ShimLane:
    def __init__(self, device: ShimDevice, blocks: int, *, with_data: bool) -> None:
        self._device = device
        self._data = aligned(blocks * 4096 if with_data else 0)
        self.leaf_memory = aligned(blocks * 32)
        self.node_memory = aligned(blocks // 128 * 32)
        self.host = memoryview(self._data).cast("B")
        self.batches = 0

    def hash_host(self, blocks: int) -> bytes:
        return self._nodes(blocks, "blocks", ctypes.addressof(self._data), blocks)

    def hash_direct(self, file: object, offset: int, size: int) -> bytes:
        assert callable(file)
        blocks = -(-size // 4096)
        self.host[: blocks * 4096] = file(offset, size).ljust(blocks * 4096, b"\0")
        return self.hash_host(blocks)

    def hash_segments(self, table: object, segments: int, first: int, blocks: int) -> bytes:
        return self._nodes(blocks, "segments", self._device.address_of(table), segments, first, blocks)

    def hash_salted(self, salt: object, salt_bytes: int, blocks: int) -> bytes:
        addresses = ctypes.addressof(self._data), blocks, self._device.address_of(salt), salt_bytes
        self._device.kernels.launch("salted_blocks", *addresses, ctypes.addressof(self.leaf_memory))
        return self.leaves(0, blocks)

    def leaves(self, first: int, count: int) -> bytes:
        return self.leaf_memory.raw[first * 32 : (first + count) * 32]

    def _nodes(self, blocks: int, kernel: str, *arguments: int) -> bytes:
        self._device.before()
        self.batches += 1
        nodes, leaves = -(-blocks // 128), ctypes.addressof(self.leaf_memory)
        ctypes.memset(leaves, 0, nodes * 4096)
        self._device.kernels.launch(kernel, *arguments, leaves)
        self._device.kernels.launch("blocks", leaves, nodes, ctypes.addressof(self.node_memory))
        return self.node_memory.raw[: nodes * 32]

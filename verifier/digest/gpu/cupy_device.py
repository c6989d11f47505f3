"""A GPU through CuPy: the kernels of `tree.cu`, compiled at run time, with memory and streams for `cuda.py`.

CuPy is imported when a device is opened. Every CUDA failure becomes a DeviceError, and the wait for a batch has a
deadline.
"""

from __future__ import annotations

import ctypes
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Any

from provenance_oracle.verifier.digest.gpu.device import DeviceError, DeviceMemoryError
from provenance_oracle.verifier.digest.tree.fsverity import BLOCK_BYTES, DIGEST_BYTES
from provenance_oracle.verifier.digest.tree.merkle import NODE_BLOCKS
from provenance_oracle.verifier.strict.files import OpenFile, changed

SOURCE = Path(__file__).parent / "tree.cu"
_KERNELS = ("hash_blocks", "hash_segments", "hash_salted_blocks")
_THREADS = 128  # per block, as in tree.cu
_DEADLINE_SECONDS = 60.0  # for one batch, which normally takes milliseconds
_POLL_SECONDS = 0.00005
_OUT_OF_MEMORY = 2  # cudaErrorMemoryAllocation


class CupyDevice:
    """The GPU with the number `index`, as a `device.Device`.

    Raises:
        DeviceError: CuPy is not installed, the GPU or its driver is missing, or the kernels do not compile.
    """

    def __init__(self, index: int = 0) -> None:
        try:
            import cupy
        except ImportError as error:
            raise DeviceError("CuPy is not installed", where="GPU", got=str(error), wanted="the extra cuda") from error
        self.cupy: Any = cupy
        self._index = index
        self.id = f"cuda:{index}"
        with self.at_work():
            module = cupy.RawModule(code=SOURCE.read_text("utf-8"))
            self._kernels = {name: module.get_function(name) for name in _KERNELS}
            self.name: str = cupy.cuda.runtime.getDeviceProperties(index)["name"].decode()

    @contextmanager
    def at_work(self, stream: Any = None) -> Iterator[None]:
        """Use this device, and a stream if given, in the calling thread. CUDA's failures become DeviceError."""
        cuda = self.cupy.cuda
        try:
            with cuda.Device(self._index), stream or nullcontext():
                yield
        except MemoryError as error:
            raise _out_of_memory(error) from error
        except (RuntimeError, OSError, cuda.compiler.CompileException) as error:
            if getattr(error, "status", None) == _OUT_OF_MEMORY:
                raise _out_of_memory(error) from error
            raise DeviceError("the GPU failed", where="GPU", got=str(error), wanted="no error of CUDA") from error

    def open_lane(self, blocks: int, *, with_data: bool) -> CupyLane:
        return CupyLane(self, blocks, with_data=with_data)

    def open_direct(self, file: OpenFile) -> object | None:
        """Use kvikio if it is installed and reports that GPUDirect Storage works.

        kvikio opens files only by path. The path is that of the open descriptor, so the file cannot have been replaced.
        """
        with suppress(ImportError, RuntimeError, OSError):
            import kvikio
            import kvikio.cufile_driver

            if kvikio.cufile_driver.get("is_gds_available"):
                handle: object = kvikio.CuFile(f"/proc/self/fd/{file.descriptor}", "r")
                return handle
        return None

    def upload(self, data: bytes) -> object:
        runtime = self.cupy.cuda.runtime
        with self.at_work():
            memory = self.cupy.cuda.alloc(len(data))
            source = ctypes.create_string_buffer(data, len(data))
            runtime.memcpy(memory.ptr, ctypes.addressof(source), len(data), runtime.memcpyHostToDevice)
            return memory

    def address_of(self, uploaded: Any) -> int:
        return int(uploaded.ptr)

    def finish_all(self) -> None:
        with self.at_work():
            self.cupy.cuda.runtime.deviceSynchronize()

    def read(self, address: int, size: int) -> bytes:
        """Copy `size` bytes from an address on the device."""
        runtime = self.cupy.cuda.runtime
        target = ctypes.create_string_buffer(size)
        with self.at_work():
            runtime.memcpy(ctypes.addressof(target), address, size, runtime.memcpyDeviceToHost)
        return target.raw

    def launch(self, kernel: str, items: int, *arguments: int) -> None:
        """Queue a kernel with one thread per item. Every argument is a pointer or a 64-bit number."""
        grid = (-(-items // _THREADS),)
        self._kernels[kernel](grid, (_THREADS,), tuple(self.cupy.uint64(argument) for argument in arguments))


class CupyLane:
    """A CUDA stream with its memory, as a `device.Lane`."""

    def __init__(self, device: CupyDevice, blocks: int, *, with_data: bool) -> None:
        self._device = device
        cuda = device.cupy.cuda
        data_bytes = blocks * BLOCK_BYTES if with_data else 0
        nodes_bytes = blocks // NODE_BLOCKS * DIGEST_BYTES
        with device.at_work():
            self._stream = cuda.Stream(non_blocking=True)
            self._done = cuda.Event(disable_timing=True)
            self._data = device.cupy.empty(data_bytes, dtype=device.cupy.uint8)
            self._leaves = cuda.alloc(blocks * DIGEST_BYTES)
            self._nodes = cuda.alloc(nodes_bytes)
            self._pinned_nodes = cuda.alloc_pinned_memory(nodes_bytes)
            self._pinned: Any = cuda.alloc_pinned_memory(data_bytes) if with_data else b""
        self.host = memoryview(self._pinned).cast("B")[:data_bytes]

    def hash_host(self, blocks: int) -> bytes:
        with self._device.at_work(self._stream):
            self._data.data.copy_from_host_async(self._pinned.ptr, blocks * BLOCK_BYTES)
            return self._hash_data(blocks)

    def hash_direct(self, file: Any, offset: int, size: int) -> bytes:
        blocks = -(-size // BLOCK_BYTES)
        with self._device.at_work(self._stream):
            reading = file.pread(self._data[:size], size, file_offset=offset)
            _wait(reading.done)
            if reading.get() != size:
                raise changed("file")
            (self._data.data + size).memset_async(0, blocks * BLOCK_BYTES - size)
            return self._hash_data(blocks)

    def hash_segments(self, table: object, segments: int, first: int, blocks: int) -> bytes:
        with self._device.at_work(self._stream):
            return self._hash_nodes(
                blocks, "hash_segments", self._device.address_of(table), segments, first, blocks, self._leaves.ptr
            )

    def hash_salted(self, salt: object, salt_bytes: int, blocks: int) -> bytes:
        with self._device.at_work(self._stream):
            self._data.data.copy_from_host_async(self._pinned.ptr, blocks * BLOCK_BYTES)
            addresses = (self._data.data.ptr, blocks, self._device.address_of(salt), salt_bytes, self._leaves.ptr)
            self._device.launch("hash_salted_blocks", blocks, *addresses)
            self._finish()
        return self.leaves(0, blocks)

    def leaves(self, first: int, count: int) -> bytes:
        return self._device.read(self._leaves.ptr + first * DIGEST_BYTES, count * DIGEST_BYTES)

    def _hash_data(self, blocks: int) -> bytes:
        return self._hash_nodes(blocks, "hash_blocks", self._data.data.ptr, blocks, self._leaves.ptr)

    def _hash_nodes(self, blocks: int, kernel: str, *arguments: int) -> bytes:
        """Queue the kernel for the leaves, then the kernel for their nodes, and wait for the result."""
        nodes = -(-blocks // NODE_BLOCKS)
        # Memory from CUDA is not zero. This clears the padding of the last node.
        self._leaves.memset_async(0, nodes * BLOCK_BYTES)
        self._device.launch(kernel, blocks, *arguments)
        self._device.launch("hash_blocks", nodes, self._leaves.ptr, nodes, self._nodes.ptr)
        self._nodes.copy_to_host_async(self._pinned_nodes.ptr, nodes * DIGEST_BYTES)
        self._finish()
        return bytes(memoryview(self._pinned_nodes).cast("B")[: nodes * DIGEST_BYTES])

    def _finish(self) -> None:
        self._done.record(self._stream)
        _wait(lambda: self._done.done)


def _wait(is_done: Callable[[], bool]) -> None:
    """Wait until the work is done.

    Raises:
        DeviceError: the deadline has passed.
    """
    deadline = time.monotonic() + _DEADLINE_SECONDS
    while not is_done():
        if time.monotonic() > deadline:
            raise DeviceError("the GPU does not answer", where="GPU", wanted=f"a batch in {_DEADLINE_SECONDS:.0f} s")
        time.sleep(_POLL_SECONDS)


def _out_of_memory(error: BaseException) -> DeviceMemoryError:
    problem, wanted = "the GPU has not enough free memory", "room for one batch"
    return DeviceMemoryError(problem, where="GPU", got=str(error), wanted=wanted)

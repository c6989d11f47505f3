"""The part of CuPy that cupy_device.py uses, with host memory in place of the device's and the shim in place of NVRTC.

Signatures are those of CuPy 14. The fake proves that the calls fit together, not that CUDA accepts them.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from tests.verifier.digest.gpu.shim.device import Kernels, aligned


class CUDARuntimeError(RuntimeError):
    def __init__(self, status: int) -> None:
        super().__init__(f"cudaError {status}")
        self.status = status


class CompileException(Exception):  # noqa: N818 - CuPy's name
    pass


class _Context:
    def __enter__(self) -> _Context:
        return self

    def __exit__(self, *_: object) -> None:
        pass


class MemoryPointer:
    def __init__(self, memory: ctypes.Array[ctypes.c_char]) -> None:
        self.memory = memory
        self.ptr = ctypes.addressof(memory)

    def __add__(self, offset: int) -> MemoryPointer:
        return MemoryPointer((ctypes.c_char * (len(self.memory) - offset)).from_buffer(self.memory, offset))

    def copy_from_host_async(self, mem: int, size: int, stream: object = None) -> None:
        assert size <= len(self.memory)
        ctypes.memmove(self.ptr, mem, size)

    def copy_to_host_async(self, mem: int, size: int, stream: object = None) -> None:
        assert size <= len(self.memory)
        ctypes.memmove(mem, self.ptr, size)

    def memset_async(self, value: int, size: int, stream: object = None) -> None:
        assert size <= len(self.memory)
        ctypes.memset(self.ptr, value, size)


class Array:
    def __init__(self, data: MemoryPointer) -> None:
        self.data = data

    def __getitem__(self, key: slice) -> memoryview:
        return memoryview(self.data.memory).cast("B")[key]


class PinnedMemoryPointer:
    """Pinned memory whose buffer has the format "b", as in CuPy."""

    def __new__(cls, size: int) -> Any:
        whole = aligned(size)
        pinned = (ctypes.c_int8 * size).from_buffer(whole)
        pinned.ptr = ctypes.addressof(whole)
        return pinned


class Stream(_Context):
    def __init__(self, *, non_blocking: bool = False) -> None:
        assert non_blocking  # otherwise it would wait for other work of the process on the device


class FakeCupy:
    """A CuPy with `room_bytes` of device memory. `fault` is called before every launch."""

    def __init__(self, library: Path, room_bytes: int = 2**40, fault: Callable[[], None] = lambda: None) -> None:
        self.room_bytes = room_bytes
        self.fault = fault
        self.uint64, self.uint8 = ctypes.c_uint64, ctypes.c_uint8
        self._kernels = Kernels(library)
        self.is_done = True
        memcpy = SimpleNamespace(memcpy=self._memcpy, memcpyHostToDevice=1, memcpyDeviceToHost=2)
        memcpy.deviceSynchronize = lambda: None
        memcpy.getDeviceProperties = lambda index: {"name": b"Fake"}
        self.cuda = SimpleNamespace(
            Device=self._device,
            Stream=Stream,
            Event=self._event,
            alloc=self.alloc,
            alloc_pinned_memory=PinnedMemoryPointer,
            runtime=memcpy,
            compiler=SimpleNamespace(CompileException=CompileException),
        )

    def _device(self, index: int) -> _Context:
        if index:
            raise CUDARuntimeError(101)
        return _Context()

    def alloc(self, size: int) -> MemoryPointer:
        self.room_bytes -= size
        if self.room_bytes < 0:
            self.room_bytes += size
            raise MemoryError("out of memory")
        return MemoryPointer(aligned(size))

    def empty(self, size: int, dtype: object) -> Array:
        assert dtype is self.uint8
        return Array(self.alloc(size))

    def _memcpy(self, target: int, source: int, size: int, kind: int) -> None:
        assert kind in (1, 2)
        ctypes.memmove(target, source, size)

    def _event(self, *, disable_timing: bool) -> object:
        device = self

        class Event:
            def record(self, stream: Stream) -> None:
                assert isinstance(stream, Stream)

            @property
            def done(self) -> bool:
                return device.is_done

        return Event()

    def RawModule(self, *, code: str) -> object:
        assert "__global__" in code

        def get_function(name: str) -> Callable[..., None]:
            def launch(grid: tuple[int], block: tuple[int], arguments: tuple[ctypes.c_uint64, ...]) -> None:
                self.fault()
                threads = self._threads(name, [argument.value for argument in arguments])
                assert block == (128,) and (grid[0] - 1) * 128 < threads <= grid[0] * 128
                self._kernels.launch(name.removeprefix("hash_"), *(argument.value for argument in arguments))

            return launch

        return SimpleNamespace(get_function=get_function)

    @staticmethod
    def _threads(name: str, arguments: list[int]) -> int:
        return arguments[3] if name == "hash_segments" else arguments[1]

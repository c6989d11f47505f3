"""Hash files that lie in segments of memory on the device that holds their bytes: a GPU, or the CPU."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from provenance_oracle.verifier.digest.gpu.cuda import CudaHasher
from provenance_oracle.verifier.digest.gpu.cupy_device import CupyDevice
from provenance_oracle.verifier.digest.gpu.device import Device, DeviceError
from provenance_oracle.verifier.digest.tree.cpu import CpuHasher
from provenance_oracle.verifier.digest.tree.segments import HOST, Segments
from provenance_oracle.verifier.errors import TemporaryError

_CUDA = "cuda:"


@dataclass(frozen=True)
class Digest:
    """An fs-verity digest (32 bytes), and the name of the implementation that computed it, for people."""

    fsverity: bytes
    hashed_by: str


class SegmentHasher(Protocol):
    """Hashes files whose bytes lie in several places. All implementations have the same results."""

    def digest(self, segments: Segments) -> Digest:
        """Return the digest of the file that consists of the segments.

        Raises:
            TemporaryError: the memory of a device cannot be read.
            DeviceFaultError: a GPU computes wrongly.
        """


class AnyDevice:
    """The `SegmentHasher` that uses the device with most of a file's bytes, and the CPU if that device fails.

    The CPU copies memory of other devices in small pieces; `Digest.hashed_by` says so.
    """

    def __init__(self, open_device: Callable[[int], Device] = CupyDevice) -> None:
        self._cpu = CpuHasher()
        self._open_device = open_device
        self._cuda: dict[str, CudaHasher] = {}

    def digest(self, segments: Segments) -> Digest:
        place = _most_of(segments)
        if place == HOST:
            return self._digest_here(segments, "")
        _settle(segments)
        if not place.startswith(_CUDA):
            return self._digest_here(segments, f", from {place}")
        try:
            hasher = self._cuda_hasher(place)
            return Digest(hasher.digest_segments(segments), hasher.path_name)
        except DeviceError as error:
            return self._digest_here(segments, f", from {place}, without its help: {error}")

    def _cuda_hasher(self, place: str) -> CudaHasher:
        if place not in self._cuda:
            self._cuda[place] = CudaHasher(self._open_device(int(place.removeprefix(_CUDA))), self._cpu)
        return self._cuda[place]

    def _digest_here(self, segments: Segments, note: str) -> Digest:
        try:
            return Digest(self._cpu.digest(segments).fsverity, self._cpu.path_name + note)
        except (RuntimeError, MemoryError) as error:  # torch raises them for a device that fails
            raise _unreadable(segments, error) from error


def _most_of(segments: Segments) -> str:
    """Return the id of the device that holds most of the bytes."""
    sizes = Counter({HOST: 0})
    for memory in segments.memories:
        sizes[memory.device] += memory.size
    return sizes.most_common(1)[0][0]


def _settle(segments: Segments) -> None:
    """Wait for all queued work of the GPUs, which may still write the bytes to hash."""
    torch: Any = sys.modules["torch"]  # imported, since only its tensors lie on other devices
    for place in {memory.device for memory in segments.memories if memory.device.startswith(_CUDA)}:
        try:
            torch.cuda.synchronize(place)
        except RuntimeError as error:  # a failure of work that was queued before
            raise _unreadable(segments, error) from error


def _unreadable(segments: Segments, error: Exception) -> TemporaryError:
    why, wanted = str(error).partition("\n")[0], "memory that can be read"
    return TemporaryError("the weights cannot be read", where=segments.name, got=why, wanted=wanted)

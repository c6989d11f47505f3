"""Choose the device that hashes files: a GPU if there is one, else the CPU."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Lock
from typing import Protocol

from provenance_oracle.verifier.digest.files import FileHasher
from provenance_oracle.verifier.digest.gpu.cuda import CudaHasher
from provenance_oracle.verifier.digest.gpu.cupy_device import CupyDevice
from provenance_oracle.verifier.digest.gpu.device import Device, DeviceError
from provenance_oracle.verifier.digest.tree.blocks import Take
from provenance_oracle.verifier.digest.tree.cpu import CpuHasher
from provenance_oracle.verifier.digest.tree.fsverity import FileDigest
from provenance_oracle.verifier.digest.tree.merkle import Advance
from provenance_oracle.verifier.errors import UsageError
from provenance_oracle.verifier.strict.files import OpenBytes

DEVICES = ("auto", "cpu", "cuda")
_DRIVERS = (Path("/dev/nvidiactl"), Path("/dev/dxg"))  # the devices of NVIDIA's driver, on Linux and in WSL


class NamedHasher(FileHasher, Protocol):
    """A `FileHasher` with a name for people: `path_name` tells which implementation runs."""

    @property
    def path_name(self) -> str:
        """The name of the implementation that runs, for people."""


def open_hasher(
    device: str,
    *,
    threads: int | None = None,
    notify: Callable[[str], None],
    open_device: Callable[[], Device] = CupyDevice,
) -> NamedHasher:
    """Return the hasher for one of `DEVICES`.

    Args:
        device: "cpu"; "cuda"; or "auto", which uses a GPU if it can, and continues on the CPU if the GPU fails.
        threads: the number of cores to use; by default all of them.
        notify: called with one line of text if "auto" cannot use the GPU that the machine has.
        open_device: opens the GPU; raises DeviceError if there is none.

    Raises:
        UsageError: `device` is none of these, or "cuda" cannot be used.
    """
    cpu = CpuHasher(threads)
    if device == "cpu":
        return cpu
    if device not in DEVICES:
        raise UsageError("unknown device", where="--device", got=device, wanted=" or ".join(DEVICES))
    try:
        cuda = CudaHasher(open_device(), cpu)
    except DeviceError as error:
        if device == "cuda":
            problem = "the GPU cannot be used"
            raise UsageError(problem, where="--device", got=str(error), wanted="a GPU, or cpu") from error
        if any(path.exists() for path in _DRIVERS):  # else nobody misses a GPU
            notify(_without(cpu, error))
        return cpu
    return cuda if device == "cuda" else FallbackHasher(cuda, cpu, notify)


class FallbackHasher:
    """A `FileHasher` that uses the GPU until it fails, then the CPU. The CPU starts again with the file that failed.

    If the GPU computes wrongly, DeviceFaultError ends the call, since the device, its driver or this program is broken.
    """

    def __init__(self, cuda: CudaHasher, cpu: CpuHasher, notify: Callable[[str], None]) -> None:
        self._cuda: CudaHasher | None = cuda
        self._cpu = cpu
        self._notify = notify
        self._lock = Lock()

    @property
    def files_at_once(self) -> int:
        return self._cpu.files_at_once

    @property
    def path_name(self) -> str:
        return (self._cuda or self._cpu).path_name

    def __call__(self, file: OpenBytes, *, sha256: bool, advance: Advance, also: Sequence[Take] = ()) -> FileDigest:
        advanced = 0

        def count(size: int) -> None:
            nonlocal advanced
            advanced += size
            advance(size)

        cuda = self._cuda
        if cuda and not also:  # the CPU would take the first bytes a second time if the GPU failed
            try:
                return cuda(file, sha256=sha256, advance=count)
            except DeviceError as error:
                self._give_up(error)
                advance(-advanced)
        return self._cpu(file, sha256=sha256, advance=advance, also=also)

    def _give_up(self, error: DeviceError) -> None:
        with self._lock:  # several files can fail at once, but only the first notifies
            failed_first, self._cuda = self._cuda is not None, None
        if failed_first:
            self._notify(_without(self._cpu, error))


def _without(cpu: CpuHasher, error: DeviceError) -> str:
    return f"Hashing on the CPU ({cpu.path_name}) without a GPU: {error}"

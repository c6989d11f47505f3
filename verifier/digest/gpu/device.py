"""The interface of a GPU that hashes. `cupy_device.py` implements it with CUDA; the tests run `tree.cu` on the CPU."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Protocol

from provenance_oracle.verifier.digest.tree.crew import Crew
from provenance_oracle.verifier.digest.tree.merkle import NODE_BLOCKS
from provenance_oracle.verifier.errors import ProvenanceError, TemporaryError
from provenance_oracle.verifier.strict.files import OpenFile

_LANES_MAX = 4


class DeviceError(TemporaryError):
    """The GPU is missing, out of memory, failed or hangs. Nothing is wrong with the bytes."""


class DeviceMemoryError(DeviceError):
    """The GPU is out of memory."""


class DeviceFaultError(ProvenanceError):
    """The GPU computed a digest that differs from the CPU's: the device, its driver or this program is broken.

    It is no VerificationError, because the release is not to blame, and no TemporaryError, because a retry does not
    help. Exit code 1.
    """


class Lane(Protocol):
    """Memory for one batch, and a queue of work. All methods wait for the result. One thread at a time uses a lane.

    The digests of the blocks stay on the device until the next batch. All digests are 32 bytes, concatenated.

    Raises, in every method:
        DeviceError: the device failed, or did not answer in time.
    """

    @property
    def host(self) -> memoryview:
        """Host memory that the device reads from, as large as a batch; empty if the lane has no room for data."""

    def hash_host(self, blocks: int) -> bytes:
        """Hash the first `blocks` blocks of `host`, and return the digests of the nodes above them."""

    def hash_direct(self, file: object, offset: int, size: int) -> bytes:
        """Hash bytes that the device reads itself from a handle of `Device.open_direct`; return as `hash_host`.

        Raises:
            ChangedError: the file has fewer bytes.
        """

    def hash_segments(self, table: object, segments: int, first: int, blocks: int) -> bytes:
        """Hash `blocks` blocks from `first` on of the file that an uploaded table describes; return as `hash_host`.

        `tree.cu` defines the table.
        """

    def hash_salted(self, salt: object, salt_bytes: int, blocks: int) -> bytes:
        """Return SHA-256(salt + block) of the first `blocks` blocks of `host`. `salt` is uploaded."""

    def leaves(self, first: int, count: int) -> bytes:
        """Return the digests of `count` blocks of the last batch, from number `first` on."""


class Device(Protocol):
    """A GPU with the kernels of `tree.cu`."""

    @property
    def name(self) -> str:
        """The name for people."""

    @property
    def id(self) -> str:
        """The id as in `segments.Memory.device`, such as "cuda:0"."""

    def open_lane(self, blocks: int, *, with_data: bool) -> Lane:
        """Allocate memory for batches of `blocks` blocks: for the digests, and for the bytes too if `with_data`.

        Raises:
            DeviceMemoryError: the device has not enough free memory.
        """

    def open_direct(self, file: OpenFile) -> object | None:
        """Return a handle to read a file without host memory (GPUDirect Storage), or None if that does not work."""

    def upload(self, data: bytes) -> object:
        """Copy bytes to the device, and return an object that keeps them there."""

    def address_of(self, uploaded: object) -> int:
        """Return the address of uploaded bytes on the device."""

    def finish_all(self) -> None:
        """Wait for all work given to the device before, by any part of this process."""


class Lanes:
    """Lanes for batches of one size. They are opened on first use and kept. After a failure no lane is lent again."""

    def __init__(self, open_lane: Callable[[int], Lane], blocks: int) -> None:
        self.blocks = blocks
        self._open_lane = open_lane
        self._lock = Lock()
        self._idle: list[Lane] = []
        self._crew: Crew | None = None
        self._failed = False

    def open(self) -> Crew:
        """Open the lanes on the first call, as many as fit, at most 4. Return a crew with one thread for each lane.

        If not even one lane fits, the batches become smaller.

        Raises:
            DeviceMemoryError: the smallest lane does not fit.
        """
        with self._lock:
            while not self._crew:
                self._open_some()
                if self._idle:
                    self._crew = Crew(len(self._idle))
            return self._crew

    def _open_some(self) -> None:
        try:
            while len(self._idle) < _LANES_MAX:
                self._idle.append(self._open_lane(self.blocks))
        except DeviceMemoryError:
            if not self._idle:
                if self.blocks == NODE_BLOCKS:
                    raise
                self.blocks = max(self.blocks // 2, NODE_BLOCKS)

    @contextmanager
    def lend(self) -> Iterator[Lane]:
        """Lend an idle lane to a thread of the crew.

        Raises:
            DeviceError: the device failed earlier.
        """
        if self._failed:
            raise DeviceError("the GPU failed earlier")
        lane = self._idle.pop()
        try:
            yield lane
        except (DeviceError, DeviceFaultError):
            self._failed = True
            raise
        finally:
            self._idle.append(lane)

"""What hashing asks of a GPU. `cupy_device.py` is one with CUDA; the tests have one that runs `tree.cu` on the CPU."""

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
    """The GPU is not there, is out of memory, failed or hangs. Nothing is wrong with the bytes."""


class DeviceMemoryError(DeviceError):
    """Out of memory on the GPU."""


class DeviceFaultError(ProvenanceError):
    """The GPU computed a digest that the CPU does not confirm. The bytes are not to blame, and it is no use to retry:
    the device, its driver or this program is broken, which is why this is neither a VerificationError, which would
    accuse the release, nor a TemporaryError. Exit code 1.
    """


class Lane(Protocol):
    """Room for one batch, and a queue of work of its own. All methods wait; each lane has one thread at a time.

    The digests of the blocks stay on the device until the next batch.

    Raises, everywhere:
        DeviceError: it failed, or did not answer in time.
    """

    @property
    def host(self) -> memoryview:
        """Memory of this computer that the device reads from: as many bytes as the batch has blocks."""

    def hash_host(self, blocks: int) -> bytes:
        """Hash the first blocks of `host` and return the digests of the nodes above them."""

    def hash_direct(self, file: object, offset: int, size: int) -> bytes:
        """As `hash_host`, for bytes that the device reads itself from what `Device.open_direct` returned.

        Raises:
            ChangedError: there are fewer.
        """

    def hash_segments(self, table: object, segments: int, first: int, blocks: int) -> bytes:
        """As `hash_host`, for blocks from `first` on of the file that an uploaded table describes; see tree.cu."""

    def hash_salted(self, salt: object, salt_bytes: int, blocks: int) -> bytes:
        """Hash an uploaded salt and each of the first blocks of `host`, and return the digests of the blocks."""

    def leaves(self, first: int, count: int) -> bytes:
        """Return digests of blocks of the last batch."""


class Device(Protocol):
    """A GPU with the kernels of `tree.cu`."""

    @property
    def name(self) -> str:
        """For people."""

    @property
    def id(self) -> str:
        """As `segments.Memory.device` has it: "cuda:0"."""

    def open_lane(self, blocks: int, *, with_data: bool) -> Lane:
        """Make room for batches of so many blocks, and for their bytes too if asked.

        Raises:
            DeviceMemoryError: there is not so much room.
        """

    def open_direct(self, file: OpenFile) -> object | None:
        """Return a handle for reading past this computer's memory (GPUDirect Storage), or None if that cannot be."""

    def upload(self, data: bytes) -> object:
        """Copy bytes to the device, where they stay as long as what is returned."""

    def address_of(self, uploaded: object) -> int:
        """Return where they are."""

    def finish_all(self) -> None:
        """Wait for all work that anyone gave to the device before."""


class Lanes:
    """Lanes for batches of one size, opened when they are first needed and kept. After a failure none is lent again."""

    def __init__(self, open_lane: Callable[[int], Lane], blocks: int) -> None:
        self.blocks = blocks
        self._open_lane = open_lane
        self._lock = Lock()
        self._idle: list[Lane] = []
        self._crew: Crew | None = None
        self._failed = False

    def open(self) -> Crew:
        """Return a crew of as many threads as there are lanes, opened now if need be: as many as there is room for.

        Where there is not even room for one, batches become smaller.

        Raises:
            DeviceMemoryError: there is no room for the smallest.
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
            raise DeviceError("the GPU failed before")
        lane = self._idle.pop()
        try:
            yield lane
        except (DeviceError, DeviceFaultError):
            self._failed = True
            raise
        finally:
            self._idle.append(lane)

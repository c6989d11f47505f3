"""Tests of `CupyDevice`. They run on a real GPU in tests/gpu, and on a fake CuPy in every test run."""

from __future__ import annotations

import hashlib
import random
from dataclasses import dataclass

import pytest

from provenance_oracle.verifier.digest.gpu import cuda, cupy_device
from provenance_oracle.verifier.digest.gpu.cuda import CudaHasher
from provenance_oracle.verifier.digest.gpu.cupy_device import CupyDevice
from provenance_oracle.verifier.digest.gpu.device import DeviceError
from provenance_oracle.verifier.digest.tree.cpu import CpuHasher
from provenance_oracle.verifier.digest.tree.fsverity import fsverity_digest
from provenance_oracle.verifier.digest.tree.segments import BytesMemory, Memory, Segments

NODE_BYTES = 128 * 4096
DATA = random.Random(5).randbytes(3 * NODE_BYTES)
SIZES = (1, 4095, 4096, 4097, NODE_BYTES - 1, NODE_BYTES, NODE_BYTES + 1, 2 * NODE_BYTES + 1, len(DATA))


def hashes(data: bytes, salt: bytes = b"") -> bytes:
    starts = range(0, len(data), 4096)
    return b"".join(hashlib.sha256(salt + data[start : start + 4096].ljust(4096, b"\0")).digest() for start in starts)


class DeviceBytes:
    """Bytes on the device that begin `at` bytes after a multiple of 16, as a `segments.Memory`."""

    def __init__(self, owner: CupyDevice, data: bytes, at: int = 0) -> None:
        self._owner = owner
        self._memory = owner.upload(b"\xff" * at + data)
        self.address = owner.address_of(self._memory) + at
        self.size = len(data)
        self.device = owner.id

    def read_into(self, target: memoryview, offset: int) -> None:
        target[:] = self._owner.read(self.address + offset, len(target))


@dataclass(frozen=True)
class Source:
    data: bytes
    name: str = "file"

    @property
    def size(self) -> int:
        return len(self.data)

    def read_into(self, target: memoryview, offset: int) -> None:
        target[:] = self.data[offset : offset + len(target)]


class DeviceCases:
    """The tests. A subclass must provide a fixture `device`."""

    def run(self, device: CupyDevice, kernel: str, blocks: int, *arguments: int) -> bytes:
        """Launch a kernel that writes into memory full of 0xFF, and return its digests."""
        digests = device.upload(b"\xff" * (32 * blocks + 64))
        with device.at_work():
            device.launch(kernel, blocks, *arguments, device.address_of(digests))
        device.finish_all()
        found = device.read(device.address_of(digests), 32 * blocks + 64)
        assert found[32 * blocks :] == b"\xff" * 64
        return found[: 32 * blocks]

    @pytest.mark.parametrize("blocks", [1, 2, 127, 128, 129, 300])
    def test_blocks(self, device: CupyDevice, blocks: int) -> None:
        data = DeviceBytes(device, DATA[: blocks * 4096])
        assert self.run(device, "hash_blocks", blocks, data.address, blocks) == hashes(DATA[: blocks * 4096])

    @pytest.mark.parametrize("salt_bytes", [1, 8, 15, 16, 32, 55, 56, 63, 64, 65, 200, 256])
    def test_salted_blocks(self, device: CupyDevice, salt_bytes: int) -> None:
        data, salt = DeviceBytes(device, DATA[: 7 * 4096]), DeviceBytes(device, DATA[9 : 9 + salt_bytes])
        found = self.run(device, "hash_salted_blocks", 7, data.address, 7, salt.address, salt_bytes)
        assert found == hashes(DATA[: 7 * 4096], DATA[9 : 9 + salt_bytes])
        hasher = CudaHasher(device, CpuHasher(2))
        assert hasher.hash_blocks(DATA, DATA[:salt_bytes]) == hashes(DATA, DATA[:salt_bytes])

    def test_files_of_every_size_class(self, device: CupyDevice, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(cuda, "_FILE_BATCH_BLOCKS", 128)
        hasher = CudaHasher(device, CpuHasher(2))
        for size in (*reversed(SIZES), *SIZES):  # scratch memory still has bytes of the previous file
            assert hasher.digest(Source(DATA[:size])) == fsverity_digest(DATA[:size]), size

    @pytest.mark.parametrize("at", range(16))
    def test_memory_at_every_alignment(self, device: CupyDevice, at: int, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(cuda, "_MEMORY_BATCH_BLOCKS", 128)
        hasher = CudaHasher(device, CpuHasher(2))
        for size in SIZES:
            memory = DeviceBytes(device, DATA[:size], at)
            assert hasher.digest_segments(Segments("m", [memory])) == fsverity_digest(DATA[:size]), size

    @pytest.mark.parametrize("seed", range(8))
    def test_a_live_model(self, device: CupyDevice, seed: int) -> None:
        generator = random.Random(seed)
        parts = [generator.randbytes(generator.choice((1, 8, 88, 100, 5000, 300_000))) for _ in range(30)]
        memories: list[Memory] = [BytesMemory(parts[0])]
        memories += [DeviceBytes(device, part, generator.randrange(16)) for part in parts[1:]]
        found = CudaHasher(device, CpuHasher(2)).digest_segments(Segments("model", memories))
        assert found == fsverity_digest(b"".join(parts))

    def test_a_gpu_that_does_not_answer(self, device: CupyDevice, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(cupy_device, "_DEADLINE_SECONDS", -1.0)
        monkeypatch.setattr(cuda, "_SAMPLED_BLOCKS", 0)
        self.hang(device)
        with pytest.raises(DeviceError, match="does not answer"):
            CudaHasher(device, CpuHasher(2)).digest(Source(DATA))

    def hang(self, device: CupyDevice) -> None:
        """Make the next batch take longer than the deadline."""

    def test_memory_without_end(self, device: CupyDevice, monkeypatch: pytest.MonkeyPatch) -> None:
        """If batches do not fit, smaller ones are used."""
        monkeypatch.setattr(cuda, "_MEMORY_BATCH_BLOCKS", 2**40)
        hasher = CudaHasher(device, CpuHasher(2))
        memory = DeviceBytes(device, DATA)
        assert hasher.digest_segments(Segments("m", [memory])) == fsverity_digest(DATA)

    def test_its_name_is_told(self, device: CupyDevice) -> None:
        assert CudaHasher(device, CpuHasher(2)).path_name == f"cuda ({device.name})"

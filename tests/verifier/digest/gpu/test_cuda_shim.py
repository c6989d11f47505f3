"""The CUDA source and the code around it, without CUDA: tree.cu as C++, compared with hashlib and the reference."""

from __future__ import annotations

import ctypes
import hashlib
import os
import random
import shutil
import struct
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provenance_oracle.verifier.digest import choose
from provenance_oracle.verifier.digest.choose import FallbackHasher, open_hasher
from provenance_oracle.verifier.digest.gpu import cuda
from provenance_oracle.verifier.digest.gpu.cuda import CudaHasher
from provenance_oracle.verifier.digest.gpu.cupy_device import CupyDevice
from provenance_oracle.verifier.digest.gpu.device import Device, DeviceError, DeviceFaultError, DeviceMemoryError
from provenance_oracle.verifier.digest.tree.blocks import PythonBlocks
from provenance_oracle.verifier.digest.tree.cpu import CpuHasher
from provenance_oracle.verifier.digest.tree.fsverity import fsverity_digest
from provenance_oracle.verifier.digest.tree.segments import BytesMemory, HostMemory, Memory, Segments
from provenance_oracle.verifier.errors import ChangedError, ProvenanceError, TemporaryError, UsageError
from provenance_oracle.verifier.strict.files import OpenFile
from tests.verifier.digest.golden_digests import GOLDEN
from tests.verifier.digest.gpu.shim.device import Kernels, ShimDevice, aligned, build_shim

NODE_BYTES = 128 * 4096
DATA = random.Random(4).randbytes(5 * NODE_BYTES)


@pytest.fixture(scope="session")
def shim(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if not shutil.which("g++"):
        pytest.skip("needs g++")
    return build_shim(tmp_path_factory.mktemp("shim") / "shim.so")


def hashes(blocks: bytes, salt: bytes = b"") -> bytes:
    starts = range(0, len(blocks), 4096)
    return b"".join(hashlib.sha256(salt + blocks[start : start + 4096].ljust(4096, b"\0")).digest() for start in starts)


def placed(data: bytes, at: int = 0) -> ctypes.Array[ctypes.c_char]:
    memory = aligned(len(data), at)
    memory.raw = data
    return memory


# The kernels by themselves.


@pytest.mark.parametrize("threads", [1, 7, 128])
@pytest.mark.parametrize("blocks", [1, 2, 127, 128, 129, 257])
def test_blocks(shim: Path, blocks: int, threads: int) -> None:
    """Results are right for any geometry, and threads beyond the last block write nothing."""
    data, digests = placed(DATA[: blocks * 4096]), aligned(blocks * 32 + 64)
    Kernels(shim, threads).launch("blocks", ctypes.addressof(data), blocks, ctypes.addressof(digests))
    assert digests.raw == hashes(data.raw) + b"\xff" * 64


@pytest.mark.parametrize("salt_bytes", [0, 1, 4, 8, 15, 16, 31, 32, 55, 56, 63, 64, 65, 128, 200, 256])
def test_salted_blocks(shim: Path, salt_bytes: int) -> None:
    salt, data, digests = placed(DATA[5000 : 5000 + salt_bytes]), placed(DATA[: 5 * 4096]), aligned(5 * 32)
    where = [ctypes.addressof(memory) for memory in (data, salt, digests)]
    Kernels(shim).launch("salted_blocks", where[0], 5, where[1], salt_bytes, where[2])
    assert digests.raw == hashes(data.raw, salt.raw)


def hash_segments(shim: Path, pieces: list[bytes], places: list[int], first: int = 0) -> bytes:
    """Run the kernel over pieces that begin this many bytes after a multiple of 16."""
    memories = [placed(piece, at) for piece, at in zip(pieces, places, strict=True)]
    size, rows = 0, b""
    for memory in memories:
        rows += struct.pack("<QQ", size, ctypes.addressof(memory))
        size += len(memory)
    table, blocks = placed(rows + struct.pack("<QQ", size, 0)), -(-size // 4096) - first
    digests = aligned(blocks * 32)
    addresses = ctypes.addressof(table), len(pieces), first, blocks, ctypes.addressof(digests)
    Kernels(shim).launch("segments", *addresses)
    return digests.raw


@pytest.mark.parametrize("at", range(16))
def test_one_segment_at_every_alignment(shim: Path, at: int) -> None:
    for size in (1, 4095, 4096, 4097, 3 * 4096, 3 * 4096 + 5):
        assert hash_segments(shim, [DATA[:size]], [at]) == hashes(DATA[:size])


@pytest.mark.parametrize("split", [1, 8, 15, 16, 17, 63, 64, 65, 4088, 4095, 4096, 4097, 8191])
def test_two_segments(shim: Path, split: int) -> None:
    for at in (0, 1, 8, 15):
        assert hash_segments(shim, [DATA[:split], DATA[split:12000]], [at, 16 - at]) == hashes(DATA[:12000])


@given(
    pieces=st.lists(st.tuples(st.one_of(st.integers(1, 70), st.integers(1, 20_000)), st.integers(0, 31)), min_size=1),
    first=st.integers(0, 3),
)
@settings(max_examples=60)
def test_any_segments(shim: Path, pieces: list[tuple[int, int]], first: int) -> None:
    parts, start = [], 0
    for size, _ in pieces:
        parts.append(DATA[start : start + size])
        start += size
    whole = b"".join(parts)
    first = min(first, (len(whole) - 1) // 4096)
    assert hash_segments(shim, parts, [at for _, at in pieces], first) == hashes(whole)[first * 32 :]


# cuda.py on top of the kernels.


@dataclass(frozen=True)
class Source:
    data: bytes
    name: str = "file"

    @property
    def size(self) -> int:
        return len(self.data)

    def read_into(self, target: memoryview, offset: int) -> None:
        if len(self.data) < offset + len(target):
            raise ChangedError("shorter", where=self.name)
        target[:] = self.data[offset : offset + len(target)]


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cuda, "_FILE_BATCH_BLOCKS", 256)
    monkeypatch.setattr(cuda, "_MEMORY_BATCH_BLOCKS", 256)


def hasher_of(device: Device, **options: object) -> CudaHasher:
    return CudaHasher(device, CpuHasher(2, PythonBlocks()), worth_bytes=1, **options)  # type: ignore[arg-type]


BORDERS = (4096, NODE_BYTES, 2 * NODE_BYTES, 4 * NODE_BYTES)
SIZES = sorted({0, 1, *(border + step for border in BORDERS for step in (-4096, -1, 0, 1, 4096))})


def on_device(data: bytes, at: int = 0) -> HostMemory:
    """Host bytes that are treated as bytes on the device."""
    memory = placed(data, at)
    return HostMemory(ctypes.addressof(memory), len(data), memory, "cuda:0")


def test_files_and_memory_of_every_size_class(shim: Path) -> None:
    hasher = hasher_of(ShimDevice(shim))
    for size in SIZES:
        data = DATA[:size]
        wanted = fsverity_digest(data)
        assert hasher.digest(Source(data)) == wanted, size
        assert hasher.digest_segments(Segments("file", [on_device(data)])) == wanted, size


@pytest.mark.parametrize("size", GOLDEN)
def test_golden_values(shim: Path, size: int) -> None:
    hasher = hasher_of(ShimDevice(shim))
    assert hasher.digest(Source(b"a" * size)).hex() == GOLDEN[size]
    assert hasher.digest_segments(Segments("file", [on_device(b"a" * size, at=8)])).hex() == GOLDEN[size]


def test_sizes_and_levels_are_bound(shim: Path) -> None:
    """Bare roots of these pairs are equal; digests are not."""
    hasher = hasher_of(ShimDevice(shim))
    leaves = hashes(DATA[: 100 * 4096]).ljust(4096, b"\0")
    for one, other in ((DATA[:8000], DATA[:8000] + bytes(192)), (DATA[: 100 * 4096], leaves)):
        assert hasher.digest(Source(one)) != hasher.digest(Source(other))


def test_three_levels_and_many_batches(shim: Path) -> None:
    """128^2 blocks and one more block."""
    data = (DATA * 26)[: 128 * NODE_BYTES + 1]
    assert hasher_of(ShimDevice(shim)).digest(Source(data)) == fsverity_digest(data)
    assert hasher_of(ShimDevice(shim)).digest(Source(data[:-1])) == fsverity_digest(data[:-1])


@given(sizes=st.lists(st.integers(0, 300_000), min_size=1, max_size=8), at=st.integers(0, 15), seed=st.integers(0, 99))
@settings(max_examples=20)
def test_a_live_model(shim: Path, sizes: list[int], at: int, seed: int) -> None:
    """A header outside the device, and tensors at any address on it."""
    generator = random.Random(seed)
    parts = [generator.randbytes(size) for size in (8 + seed, *sizes)]
    memories: list[Memory] = [BytesMemory(parts[0]), *(on_device(part, at) for part in parts[1:])]
    assert hasher_of(ShimDevice(shim)).digest_segments(Segments("model", memories)) == fsverity_digest(b"".join(parts))


def test_the_last_byte_counts_in_every_size_class(shim: Path) -> None:
    hasher = hasher_of(ShimDevice(shim))
    for size in (1, 4095, 4097, NODE_BYTES + 1, 3 * NODE_BYTES - 1):
        data = DATA[:size]
        changed = data[:-1] + bytes([data[-1] ^ 1])
        assert hasher.digest(Source(data)) != hasher.digest(Source(changed))


@pytest.mark.parametrize("salt", [b"", b"\0", bytes(range(32))])
def test_salted_blocks_of_a_disk(shim: Path, salt: bytes) -> None:
    hasher = hasher_of(ShimDevice(shim))
    assert hasher.hash_blocks(b"", salt) == b""
    assert hasher.hash_blocks(DATA[: 600 * 4096], salt) == hashes(DATA[: 600 * 4096], salt)
    with pytest.raises(ValueError, match="1 bytes more"):
        hasher.hash_blocks(DATA[:4097], salt)


def opened(tmp_path: Path, data: bytes, size: int | None = None) -> OpenFile:
    path = tmp_path / "weights.bin"
    path.write_bytes(data)
    return OpenFile(path.name, os.open(path, os.O_RDONLY), len(data) if size is None else size)


def test_it_is_a_hasher_of_files(shim: Path, tmp_path: Path) -> None:
    device = ShimDevice(shim)
    file = opened(tmp_path, DATA)
    seen: list[int] = []
    found = hasher_of(device)(file, sha256=False, advance=seen.append)
    assert (found.path, found.size, found.fsverity, found.sha256) == (file.path, file.size, fsverity_digest(DATA), None)
    assert sum(seen) == len(DATA)
    batches = sum(lane.batches for lane in device.lanes)
    assert batches == 3
    with_sha256 = hasher_of(device)(file, sha256=True, advance=seen.append)
    assert (with_sha256.fsverity, with_sha256.sha256) == (found.fsverity, hashlib.sha256(DATA).digest())
    assert sum(lane.batches for lane in device.lanes) == batches  # the CPU's work
    os.close(file.descriptor)


def test_a_small_file_goes_to_the_cpu(shim: Path, tmp_path: Path) -> None:
    device = ShimDevice(shim)
    file = opened(tmp_path, DATA)
    found = CudaHasher(device, CpuHasher(2))(file, sha256=False, advance=lambda size: None)
    assert found.fsverity == fsverity_digest(DATA)
    assert device.lanes == []
    os.close(file.descriptor)


def test_a_device_that_reads_files_by_itself(shim: Path, tmp_path: Path) -> None:
    device = ShimDevice(shim)
    device.direct = lambda offset, size: DATA[offset : offset + size]
    file = opened(tmp_path, DATA[:-1])
    found = hasher_of(device)(file, sha256=False, advance=lambda size: None)
    assert found.fsverity == fsverity_digest(DATA[:-1])
    device.direct = lambda offset, size: bytes(size)
    with pytest.raises(DeviceFaultError):
        hasher_of(device)(file, sha256=False, advance=lambda size: None)
    os.close(file.descriptor)


def test_files_side_by_side(shim: Path) -> None:
    sources = [Source(DATA[: random.Random(seed).randrange(len(DATA))]) for seed in range(8)]
    with ThreadPoolExecutor(6) as pool:
        found = list(pool.map(hasher_of(ShimDevice(shim)).digest, sources))
    assert found == [fsverity_digest(source.data) for source in sources]


# Failures.


@pytest.mark.parametrize("room_blocks", [128, 255, 256, 300, 512])
def test_batches_become_smaller_where_there_is_less_room(shim: Path, room_blocks: int) -> None:
    device = ShimDevice(shim, room_blocks=room_blocks)
    assert hasher_of(device).digest(Source(DATA)) == fsverity_digest(DATA)
    assert 1 <= len(device.lanes) <= 4


def test_no_room_at_all(shim: Path) -> None:
    with pytest.raises(DeviceMemoryError, match="not enough free memory"):
        hasher_of(ShimDevice(shim, room_blocks=127)).digest(Source(DATA))


class Fault:
    """A fault in the batch with this number."""

    def __init__(self, batch: int, error: Exception) -> None:
        self._left = batch
        self._error = error

    def __call__(self) -> None:
        self._left -= 1
        if not self._left:
            raise self._error


@pytest.mark.parametrize("batch", [1, 2, 3])
def test_a_gpu_that_fails_in_the_middle(shim: Path, batch: int) -> None:
    hasher = hasher_of(ShimDevice(shim, before=Fault(batch, DeviceError("launch failed"))))
    with pytest.raises(DeviceError, match="launch failed"):
        hasher.digest(Source(DATA))
    with pytest.raises(DeviceError, match="failed earlier"):
        hasher.digest(Source(DATA))


def test_a_file_that_became_shorter_is_not_the_gpus_fault(shim: Path, tmp_path: Path) -> None:
    hasher = hasher_of(ShimDevice(shim))
    file = opened(tmp_path, DATA[:-5000], len(DATA))
    with pytest.raises(ChangedError):
        hasher(file, sha256=False, advance=lambda size: None)
    assert hasher.digest(Source(DATA)) == fsverity_digest(DATA)
    os.close(file.descriptor)


@dataclass
class Liar:
    """Changes a byte of the device's results."""

    device: ShimDevice
    memory: str
    at: int

    def launch(self, name: str, *arguments: int) -> None:
        self.kernels.launch(name, *arguments)
        if (name == "blocks") == (self.memory == "node_memory"):
            for lane in self.device.lanes:
                found = getattr(lane, self.memory)
                found[self.at] = bytes([found.raw[self.at] ^ 1])

    def __post_init__(self) -> None:
        self.kernels = self.device.kernels
        self.device.kernels = self  # type: ignore[assignment]


@pytest.mark.parametrize("memory", ["leaf_memory", "node_memory"])
def test_a_gpu_that_computes_wrongly_stops_the_run(shim: Path, memory: str) -> None:
    device = ShimDevice(shim)
    Liar(device, memory, 0)
    with pytest.raises(DeviceFaultError, match="computes wrongly") as raised:
        hasher_of(device).digest_segments(Segments("model", [on_device(DATA[:5000])]))
    assert raised.value.exit_code == 1 and not raised.value.retry and raised.value.where == "model"
    assert raised.value.got != raised.value.wanted


def test_a_wrong_salted_digest_stops_the_run(shim: Path) -> None:
    device = ShimDevice(shim)
    Liar(device, "leaf_memory", 33)
    with pytest.raises(DeviceFaultError, match="computes wrongly"):
        hasher_of(device).hash_blocks(DATA[:8192], b"salt")


def test_the_last_block_is_always_in_the_sample(shim: Path) -> None:
    device = ShimDevice(shim)
    Liar(device, "leaf_memory", 32 * 130)
    with pytest.raises(DeviceFaultError, match="of a block"):
        hasher_of(device, sampled_blocks=0).digest_segments(Segments("m", [on_device(DATA[: 131 * 4096])]))


def test_too_much_elsewhere(shim: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere = HostMemory(ctypes.addressof(memory := placed(DATA)), len(DATA), memory, "cuda:1")
    assert hasher_of(ShimDevice(shim)).digest_segments(Segments("m", [elsewhere])) == fsverity_digest(DATA)
    monkeypatch.setattr(cuda, "_ELSEWHERE_MAX_BYTES", len(DATA) - 1)
    with pytest.raises(DeviceError, match="not on this GPU"):
        hasher_of(ShimDevice(shim)).digest_segments(Segments("m", [elsewhere]))


# The choice of the device.


def no_device() -> Device:
    raise DeviceError("no driver", where="GPU")


@pytest.mark.parametrize("has_gpu", [True, False])
def test_auto_without_its_gpu_says_so_in_one_line(
    shim: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, has_gpu: bool
) -> None:
    monkeypatch.setattr(choose, "_DRIVERS", (tmp_path if has_gpu else tmp_path / "none",))
    said: list[str] = []
    hasher = open_hasher("auto", notify=said.append, open_device=no_device)
    assert isinstance(hasher, CpuHasher)
    line = f"Hashing on the CPU ({hasher.path_name}) without a GPU: GPU: no driver"
    assert said == ([line] if has_gpu else [])


def test_cuda_without_a_gpu_is_refused() -> None:
    with pytest.raises(UsageError, match="the GPU cannot be used"):
        open_hasher("cuda", notify=pytest.fail, open_device=no_device)


def test_cpu_looks_for_no_gpu() -> None:
    assert isinstance(open_hasher("cpu", notify=pytest.fail, open_device=partial(pytest.fail, "asked")), CpuHasher)
    with pytest.raises(UsageError, match="unknown device"):
        open_hasher("tpu", notify=pytest.fail)


def test_auto_goes_on_without_a_gpu_that_fails(shim: Path, tmp_path: Path) -> None:
    said: list[str] = []
    device = ShimDevice(shim, before=Fault(3, DeviceError("launch failed")))
    cpu = CpuHasher(2)
    hasher = FallbackHasher(hasher_of(device), cpu, said.append)
    assert hasher.path_name == "cuda (shim)"
    file = opened(tmp_path, DATA)
    for _ in range(2):
        seen: list[int] = []
        assert hasher(file, sha256=False, advance=seen.append).fsverity == fsverity_digest(DATA)
        assert sum(seen) == len(DATA)
    assert said == [f"Hashing on the CPU ({cpu.path_name}) without a GPU: launch failed"]
    assert hasher.path_name == cpu.path_name
    os.close(file.descriptor)


def test_auto_does_not_go_on_with_a_gpu_that_computes_wrongly(shim: Path, tmp_path: Path) -> None:
    device = ShimDevice(shim)
    Liar(device, "node_memory", 0)
    file = opened(tmp_path, DATA[:5000])
    with pytest.raises(DeviceFaultError):
        FallbackHasher(hasher_of(device), CpuHasher(2), pytest.fail)(file, sha256=False, advance=lambda size: None)
    os.close(file.descriptor)


def test_a_device_error_is_temporary_and_a_fault_is_not() -> None:
    assert issubclass(DeviceError, TemporaryError)
    assert issubclass(DeviceFaultError, ProvenanceError) and DeviceFaultError.exit_code == 1


def test_opening_a_gpu_where_there_is_none() -> None:
    try:
        CupyDevice(1000)
    except DeviceError as error:
        assert "GPU" in str(error)
    else:
        pytest.fail("no machine has so many")

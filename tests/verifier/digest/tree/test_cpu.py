"""The fast CPU path equals the reference and the stock tool: all size classes, implementations and thread counts."""

from __future__ import annotations

import hashlib
import os
import random
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from threading import Event

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provenance_oracle.verifier.digest.files import digest_files, list_files
from provenance_oracle.verifier.digest.tree import processes
from provenance_oracle.verifier.digest.tree.blocks import BlockHash, PythonBlocks
from provenance_oracle.verifier.digest.tree.cpu import CPU_PIECE_BYTES, CpuHasher
from provenance_oracle.verifier.digest.tree.fsverity import FsVerityHasher
from provenance_oracle.verifier.digest.tree.merkle import NODE_BYTES, FileSource
from provenance_oracle.verifier.digest.tree.native import load_native, load_ways
from provenance_oracle.verifier.digest.tree.processes import ProcessBlocks
from provenance_oracle.verifier.errors import ChangedError, TemporaryError
from provenance_oracle.verifier.strict.files import OpenFile
from tests.verifier.digest.digest_of_zeros import digest_of_zeros
from tests.verifier.digest.golden_digests import GOLDEN

LEVEL_BYTES = 128 * NODE_BYTES  # under a node of the second level
BORDERS = (4096, NODE_BYTES, 2 * NODE_BYTES, CPU_PIECE_BYTES, 4 * CPU_PIECE_BYTES)
SIZES = sorted({0, 1, 2, *(border + step for border in BORDERS for step in (-4096, -1, 0, 1, 4096))})
DATA = random.Random(3).randbytes(5 * CPU_PIECE_BYTES)


@dataclass(frozen=True)
class Memory:
    """A source in memory."""

    data: bytes
    name: str = "memory"

    @property
    def size(self) -> int:
        return len(self.data)

    def read_into(self, target: memoryview, offset: int) -> None:
        target[:] = self.data[offset : offset + len(target)]


def reference(data: bytes) -> bytes:
    hasher = FsVerityHasher()
    hasher.update(data)
    return hasher.digest()


@pytest.fixture
def all_blocks(native_library: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[BlockHash]]:
    """Every implementation that hashes blocks. Worker processes start at once."""
    monkeypatch.setattr(processes, "_START_AFTER_BYTES", 0)
    with_processes = ProcessBlocks(2)
    yield [PythonBlocks(), with_processes, *load_ways(native_library)]
    with_processes.close()


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_equals_the_reference_around_every_border(all_blocks: list[BlockHash], threads: int) -> None:
    hashers = [CpuHasher(threads, blocks) for blocks in all_blocks]
    for size in SIZES:
        data = DATA[:size]
        wanted, wanted_sha256 = reference(data), hashlib.sha256(data).digest()
        for hasher in hashers:
            tree, both = hasher.digest(Memory(data)), hasher.digest(Memory(data), sha256=True)
            assert (tree.fsverity, tree.sha256) == (wanted, None), (size, hasher.path_name)
            assert (both.fsverity, both.sha256) == (wanted, wanted_sha256), (size, hasher.path_name)


@pytest.mark.parametrize("size", GOLDEN)
def test_golden_values(all_blocks: list[BlockHash], size: int) -> None:
    for blocks in all_blocks:
        assert CpuHasher(2, blocks).digest(Memory(b"a" * size)).fsverity.hex() == GOLDEN[size]


@pytest.mark.parametrize("size", [LEVEL_BYTES - 1, LEVEL_BYTES, LEVEL_BYTES + 1, LEVEL_BYTES + NODE_BYTES + 1])
def test_equals_the_reference_around_the_third_level(size: int) -> None:
    """128^2 blocks fill a node of the second level; one more makes a third."""
    data = (DATA * (size // len(DATA) + 1))[:size]
    digests = CpuHasher(2).digest(Memory(data), sha256=True)
    assert digests.fsverity == reference(data)
    assert digests.sha256 == hashlib.sha256(data).digest()


@pytest.mark.parametrize("sha256", [False, True])
@pytest.mark.parametrize("size", [0, 1, 4096, 5000, NODE_BYTES + 1, 3 * CPU_PIECE_BYTES - 1])
def test_others_take_every_byte_once_and_in_order(all_blocks: list[BlockHash], size: int, sha256: bool) -> None:
    """Another digest of the file comes from the same read, and no digest is different for it."""
    data = DATA[:size]
    for blocks in all_blocks:
        for threads in (1, 3):
            first, second = hashlib.blake2b(), hashlib.sha512()
            hasher = CpuHasher(threads, blocks)
            found = hasher.digest(Memory(data), sha256=sha256, also=[first.update, second.update])
            assert found == hasher.digest(Memory(data), sha256=sha256)
            assert first.digest() == hashlib.blake2b(data).digest()
            assert second.digest() == hashlib.sha512(data).digest()


@given(size=st.integers(0, len(DATA)), threads=st.integers(1, 4), sha256=st.booleans())
@settings(max_examples=25)
def test_any_size(size: int, threads: int, sha256: bool) -> None:
    data = DATA[len(DATA) - size :]
    digests = CpuHasher(threads).digest(Memory(data), sha256=sha256)
    assert digests.fsverity == reference(data)
    assert digests.sha256 == (hashlib.sha256(data).digest() if sha256 else None)


def test_the_last_byte_counts_in_every_size_class(all_blocks: list[BlockHash]) -> None:
    for blocks in all_blocks:
        hasher = CpuHasher(2, blocks)
        for size in (1, 4095, 4097, NODE_BYTES + 1, CPU_PIECE_BYTES + 4097):
            data = DATA[:size]
            changed = data[:-1] + bytes([data[-1] ^ 1])
            assert hasher.digest(Memory(data)) != hasher.digest(Memory(changed))


def test_sizes_and_levels_are_bound(all_blocks: list[BlockHash]) -> None:
    """Bare roots of these pairs are equal; digests are not."""
    leaves = b"".join(hashlib.sha256(DATA[at : at + 4096]).digest() for at in range(0, 100 * 4096, 4096))
    pairs = (
        (DATA[:4000], DATA[:4000] + bytes(96)),
        (DATA[: 100 * 4096], leaves.ljust(4096, b"\0")),
        (DATA[:64], DATA[:64] + bytes(4032)),
    )
    for blocks in all_blocks:
        hasher = CpuHasher(2, blocks)
        for one, other in pairs:
            assert hasher.digest(Memory(one)).fsverity != hasher.digest(Memory(other)).fsverity


@pytest.mark.skipif(not shutil.which("fsverity"), reason="needs the Debian package fsverity")
@pytest.mark.parametrize("size", [1, 4097, NODE_BYTES, NODE_BYTES + 1, CPU_PIECE_BYTES + 1, 5 * CPU_PIECE_BYTES])
def test_equals_the_stock_tool(tmp_path: Path, size: int) -> None:
    path = tmp_path / "file"
    path.write_bytes(DATA[:size])
    said = subprocess.run(["fsverity", "digest", "--compact", path], capture_output=True, text=True, check=True)
    with opened(path) as file:
        found = CpuHasher()(file, sha256=True, advance=lambda size: None)
    assert found.fsverity.hex() == said.stdout.strip()
    assert found.sha256 == hashlib.sha256(DATA[:size]).digest()


class opened:  # noqa: N801 - used as a function
    def __init__(self, path: Path, size: int | None = None) -> None:
        self._descriptor = os.open(path, os.O_RDONLY)
        self._file = OpenFile(path.name, self._descriptor, path.stat().st_size if size is None else size)

    def __enter__(self) -> OpenFile:
        return self._file

    def __exit__(self, *_: object) -> None:
        os.close(self._descriptor)


def test_it_is_a_hasher_of_files(tmp_path: Path, all_blocks: list[BlockHash]) -> None:
    for number, size in enumerate((0, 1, 5000, NODE_BYTES + 1, 3 * CPU_PIECE_BYTES)):
        (tmp_path / f"{number}.bin").write_bytes(DATA[:size])
    listing = list_files(tmp_path)
    names = ["1.bin", "4.bin"]
    wanted = digest_files(tmp_path, listing, sha256_of=names)
    for blocks in all_blocks:
        for threads in (1, 3):
            hasher, other = CpuHasher(threads, blocks), hashlib.sha512()
            also = {"4.bin": other.update}
            assert digest_files(tmp_path, listing, sha256_of=names, also=also, hasher=hasher) == wanted
            assert other.digest() == hashlib.sha512(DATA[: 3 * CPU_PIECE_BYTES]).digest()


def test_one_bad_file_of_many_ends_the_work(tmp_path: Path) -> None:
    for number in range(20):
        (tmp_path / f"{number:02}.bin").write_bytes(DATA[:100_000])
    listing = list_files(tmp_path)
    (tmp_path / "07.bin").write_bytes(DATA[:99_999])
    with pytest.raises(ChangedError, match="07"):
        digest_files(tmp_path, listing, hasher=CpuHasher(4))


def test_files_side_by_side(all_blocks: list[BlockHash]) -> None:
    sources = [Memory(DATA[: random.Random(seed).randrange(len(DATA))]) for seed in range(12)]
    wanted = [reference(source.data) for source in sources]
    for blocks in all_blocks:
        hasher = CpuHasher(3, blocks)
        with ThreadPoolExecutor(4) as pool:
            found = list(pool.map(partial(hasher.digest, sha256=True), sources))
        assert [digests.fsverity for digests in found] == wanted


@pytest.mark.parametrize("sha256", [False, True])
def test_progress_adds_up_to_the_size(sha256: bool) -> None:
    for size in (0, 1, CPU_PIECE_BYTES + 1, len(DATA)):
        seen: list[int] = []
        CpuHasher(2).digest(Memory(DATA[:size]), sha256=sha256, advance=seen.append)
        assert sum(seen) == size


@pytest.mark.parametrize("sha256", [False, True])
@pytest.mark.parametrize("size, stated", [(100, 101), (4096, 5000), (CPU_PIECE_BYTES, 5 * CPU_PIECE_BYTES), (0, 1)])
def test_a_file_shorter_than_stated_has_no_digest(tmp_path: Path, size: int, stated: int, sha256: bool) -> None:
    path = tmp_path / "short.bin"
    path.write_bytes(DATA[:size])
    with opened(path, stated) as file, pytest.raises(ChangedError, match="short"):
        CpuHasher(2).digest(FileSource(file), sha256=sha256)


@dataclass(frozen=True)
class Failing(Memory):
    """A source that cannot be read beyond its middle."""

    def read_into(self, target: memoryview, offset: int) -> None:
        if offset >= self.size // 2:
            raise TemporaryError("disk is gone", where=self.name)
        super().read_into(target, offset)


@pytest.mark.parametrize("sha256", [False, True])
@pytest.mark.parametrize("threads", [1, 4])
def test_a_failing_disk_ends_the_work(sha256: bool, threads: int) -> None:
    hasher = CpuHasher(threads)
    with pytest.raises(TemporaryError, match="disk is gone"):
        hasher.digest(Failing(DATA), sha256=sha256)
    assert hasher.digest(Memory(DATA)).fsverity == reference(DATA)  # all threads are free again


def test_a_descriptor_that_cannot_be_read(tmp_path: Path) -> None:
    descriptor = os.open(tmp_path / "file", os.O_WRONLY | os.O_CREAT)
    try:
        with pytest.raises(TemporaryError, match="cannot read the file"):
            CpuHasher(1).digest(FileSource(OpenFile("file", descriptor, 10)))
    finally:
        os.close(descriptor)


def test_no_thread_reads_on_after_the_call_returned() -> None:
    """After the call the caller closes the descriptor, and another file may get its number."""
    begun, over = Event(), Event()

    @dataclass(frozen=True)
    class Slow(Memory):
        def read_into(self, target: memoryview, offset: int) -> None:
            if offset >= 4 * CPU_PIECE_BYTES:
                begun.wait(5)
                raise TemporaryError("disk is gone", where=self.name)
            begun.set()
            assert not over.wait(0.1)
            super().read_into(target, offset)

    with pytest.raises(TemporaryError):
        CpuHasher(2).digest(Slow(DATA + DATA))
    over.set()


def test_a_process_that_dies_is_done_without(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "_START_AFTER_BYTES", 0)
    blocks = ProcessBlocks(1)
    hasher = CpuHasher(2, blocks)
    assert hasher.digest(Memory(DATA)).fsverity == reference(DATA)
    (worker,) = blocks._all
    os.kill(worker._process.pid, signal.SIGKILL)
    worker._process.wait()
    assert hasher.digest(Memory(DATA)).fsverity == reference(DATA)
    assert blocks._idle == []
    blocks.close()


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_fork_neither_keeps_the_processes_nor_ends_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "_START_AFTER_BYTES", 0)
    blocks = ProcessBlocks(1)
    wanted = blocks.hash_blocks(DATA[:CPU_PIECE_BYTES])
    (worker,) = blocks._all
    ending = os.fork()
    if not ending:
        blocks.close()  # as the interpreter does when it exits
        os._exit(0)
    assert os.waitpid(ending, 0)[1] == 0
    assert blocks.hash_blocks(DATA[:CPU_PIECE_BYTES]) == wanted
    assert blocks._idle == [worker]
    lasting = os.fork()
    if not lasting:
        signal.pause()
        os._exit(0)
    blocks.close()
    assert worker._process.returncode == -signal.SIGKILL
    os.kill(lasting, signal.SIGKILL)
    os.waitpid(lasting, 0)


def test_where_no_thread_can_be_started_the_caller_does_all(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: object) -> None:
        raise RuntimeError("can't start new thread")

    hasher = CpuHasher(2, PythonBlocks())
    monkeypatch.setattr(hasher._crew._pool, "submit", refuse)
    for sha256 in (False, True):
        assert hasher.digest(Memory(DATA), sha256=sha256).fsverity == reference(DATA)
    assert hasher._crew._free._value == 2


def test_no_process_where_none_can_be_started(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "_START_AFTER_BYTES", 0)
    monkeypatch.setattr(sys, "executable", "/nonexistent/python")
    assert CpuHasher(2, ProcessBlocks(1)).digest(Memory(DATA)).fsverity == reference(DATA)


PEAK = """
import sys
from dataclasses import dataclass
from provenance_oracle.verifier.digest.tree.cpu import CpuHasher

@dataclass(frozen=True)
class Zeros:
    size: int
    name: str = "zeros"

    def read_into(self, target, offset):
        target[:] = bytes(len(target))

print(CpuHasher(8).digest(Zeros(int(sys.argv[1])), sha256="both" in sys.argv).fsverity.hex())
print(*(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")))
"""


@pytest.mark.parametrize("which", ["tree", "both"])
def test_memory_does_not_grow_with_the_file(which: str) -> None:
    size = 2**32 + NODE_BYTES + 1 if load_native() and which == "tree" else 2**28 + 1  # more only where it is fast
    assert digest_of_zeros(3 * CPU_PIECE_BYTES + 1) == reference(bytes(3 * CPU_PIECE_BYTES + 1))
    command = [sys.executable, "-c", PEAK, str(size), which]
    digest, peak_kib = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    assert digest == digest_of_zeros(size).hex()
    assert int(peak_kib) < 100_000


def test_reading_beyond_4_gib(tmp_path: Path) -> None:
    path = tmp_path / "sparse"
    with path.open("wb") as sparse:
        sparse.seek(2**32 + 5)
        sparse.write(b"end")
    target = memoryview(bytearray(5))
    with opened(path) as file:
        FileSource(file).read_into(target, 2**32 + 3)
    assert bytes(target) == b"\0\0end"

"""Bytes in memory are hashed on the GPU that holds them, run here through the C++ shim, or on the CPU."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from provenance_oracle.verifier.digest.gpu.device import DeviceError, DeviceFaultError
from provenance_oracle.verifier.digest.tree.fsverity import fsverity_digest
from provenance_oracle.verifier.digest.tree.segments import BytesMemory, HostMemory, Memory, Segments
from provenance_oracle.verifier.digest.weights.segment_hasher import AnyDevice
from provenance_oracle.verifier.errors import TemporaryError
from tests.verifier.digest.gpu.shim.device import ShimDevice, build_shim
from tests.verifier.digest.tree.test_fsverity import content
from tests.verifier.digest.tree.test_segments import host

HEADER, DATA = content(777), content(5_000_000)[4096:]
WANTED = fsverity_digest(HEADER + DATA)


def on(device: str, data: bytes) -> HostMemory:
    """Host memory that claims to be on a GPU, as the shim's memory does."""
    memory = host(data)
    return HostMemory(memory.address, memory.size, memory.owner, device)


@pytest.fixture
def waited(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The devices that the hasher waited for."""
    devices: list[str] = []
    monkeypatch.setitem(sys.modules, "torch", SimpleNamespace(cuda=SimpleNamespace(synchronize=devices.append)))
    return devices


@pytest.fixture(scope="module")
def shim(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if shutil.which("g++") is None:
        pytest.skip("no C++ compiler")
    return build_shim(tmp_path_factory.mktemp("shim") / "shim.so")


def no_device(index: int) -> Any:
    raise DeviceError("no driver", where=f"GPU {index}")


def test_memory_of_this_computer_asks_for_no_gpu() -> None:
    found = AnyDevice(no_device).digest(Segments("m", [BytesMemory(HEADER), host(DATA)]))
    assert found.fsverity == WANTED
    assert "GPU" not in found.hashed_by
    assert AnyDevice(no_device).digest(Segments("m", [])).fsverity == fsverity_digest(b"")


def test_a_gpu_hashes_what_it_holds(shim: Path, waited: list[str]) -> None:
    opened: list[int] = []

    def open_device(index: int) -> ShimDevice:
        opened.append(index)
        return ShimDevice(shim)

    hasher = AnyDevice(open_device)
    memories: list[Memory] = [
        BytesMemory(HEADER),
        *(on("cuda:0", DATA[at : at + 999_999]) for at in range(0, len(DATA), 999_999)),
    ]
    for _ in range(2):
        found = hasher.digest(Segments("m", memories))
        assert (found.fsverity, found.hashed_by) == (WANTED, "cuda (shim)")
    assert opened == [0]
    assert set(waited) == {"cuda:0"}


def test_tensors_on_two_gpus_are_waited_for_on_both(shim: Path, waited: list[str]) -> None:
    memories = [BytesMemory(HEADER), on("cuda:1", DATA[:100_000]), on("cuda:0", DATA[100_000:])]
    found = AnyDevice(lambda index: ShimDevice(shim)).digest(Segments("m", memories))
    assert found.fsverity == WANTED
    assert sorted(waited) == ["cuda:0", "cuda:1"]


def test_without_a_usable_gpu_the_cpu_takes_its_memory_and_says_so(waited: list[str]) -> None:
    found = AnyDevice(no_device).digest(Segments("m", [BytesMemory(HEADER), on("cuda:3", DATA)]))
    assert found.fsverity == WANTED
    assert waited == ["cuda:3"]
    assert found.hashed_by.endswith(", from cuda:3, without its help: GPU 3: no driver")


def test_a_gpu_that_fails_in_the_middle_gives_no_digest_of_a_part(shim: Path, waited: list[str]) -> None:
    def fail() -> None:
        raise DeviceError("an illegal memory access")

    found = AnyDevice(lambda index: ShimDevice(shim, before=fail)).digest(Segments("m", [on("cuda:0", HEADER + DATA)]))
    assert found.fsverity == WANTED
    assert "illegal memory access" in found.hashed_by


def test_other_devices_are_read_by_the_cpu(waited: list[str]) -> None:
    found = AnyDevice(no_device).digest(Segments("m", [on("mps:0", HEADER + DATA)]))
    assert found.fsverity == WANTED
    assert found.hashed_by.endswith(", from mps:0")
    assert waited == []


class BrokenMemory:
    size, device, address = 5000, "cpu", None

    def read_into(self, target: memoryview, offset: int) -> None:
        raise RuntimeError("CUDA error: out of memory\nsecond line")


def test_memory_that_cannot_be_read_has_no_digest() -> None:
    with pytest.raises(TemporaryError, match="m: the weights cannot be read: got CUDA error: out of memory, wanted"):
        AnyDevice().digest(Segments("m", [BrokenMemory()]))


def test_a_gpu_that_failed_before_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(place: str) -> None:
        raise RuntimeError("CUDA error: an illegal memory access was encountered\nmore")

    monkeypatch.setitem(sys.modules, "torch", SimpleNamespace(cuda=SimpleNamespace(synchronize=fail)))
    with pytest.raises(TemporaryError, match="illegal memory access") as caught:
        AnyDevice(no_device).digest(Segments("weights", [HostMemory(0, 1, None, "cuda:0")]))
    assert caught.value.where == "weights"


def test_a_gpu_that_computes_wrongly_is_not_passed_over(shim: Path, waited: list[str]) -> None:
    memory = on("cuda:0", HEADER + DATA)

    class Elsewhere:
        """Memory from which the CPU reads other bytes than the GPU hashed."""

        size, device, address = memory.size, "cuda:0", memory.address

        def read_into(self, target: memoryview, offset: int) -> None:
            target[:] = bytes(len(target))

    with pytest.raises(DeviceFaultError):
        AnyDevice(lambda index: ShimDevice(shim)).digest(Segments("m", [Elsewhere()]))

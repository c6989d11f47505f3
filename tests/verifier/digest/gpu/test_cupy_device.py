"""`CupyDevice` on a fake CuPy: its calls fit together. tests/gpu runs the same tests on a GPU."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from provenance_oracle.verifier.digest.gpu.cuda import CudaHasher
from provenance_oracle.verifier.digest.gpu.cupy_device import CupyDevice
from provenance_oracle.verifier.digest.gpu.device import DeviceError, DeviceMemoryError
from provenance_oracle.verifier.digest.tree.cpu import CpuHasher
from provenance_oracle.verifier.digest.tree.fsverity import fsverity_digest
from provenance_oracle.verifier.digest.tree.segments import Segments
from provenance_oracle.verifier.errors import ChangedError
from provenance_oracle.verifier.strict.files import OpenFile
from tests.verifier.digest.gpu.shim.device import build_shim
from tests.verifier.digest.gpu.shim.device_cases import DATA, DeviceBytes, DeviceCases, Source
from tests.verifier.digest.gpu.shim.fake_cupy import CompileException, CUDARuntimeError, FakeCupy


@pytest.fixture(scope="session")
def shim(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if not shutil.which("g++"):
        pytest.skip("needs g++")
    return build_shim(tmp_path_factory.mktemp("shim") / "shim.so")


@pytest.fixture
def cupy(shim: Path, monkeypatch: pytest.MonkeyPatch) -> FakeCupy:
    fake = FakeCupy(shim, room_bytes=2**26)
    monkeypatch.setitem(sys.modules, "cupy", fake)
    return fake


@pytest.fixture
def device(cupy: FakeCupy) -> CupyDevice:
    return CupyDevice()


class TestFakeDevice(DeviceCases):
    def hang(self, device: CupyDevice) -> None:
        device.cupy.is_done = False


def hasher_of(device: CupyDevice) -> CudaHasher:
    return CudaHasher(device, CpuHasher(2), worth_bytes=1)


def failing(error: Exception) -> None:
    raise error


@pytest.mark.parametrize(
    "error, wanted",
    [
        (CUDARuntimeError(700), DeviceError),  # illegal address
        (CUDARuntimeError(2), DeviceMemoryError),
        (MemoryError(), DeviceMemoryError),
        (CompileException("no"), DeviceError),
        (OSError("no library"), DeviceError),
    ],
)
def test_failures_of_cuda_become_ours(
    cupy: FakeCupy, device: CupyDevice, error: Exception, wanted: type[DeviceError]
) -> None:
    cupy.fault = lambda: failing(error)
    with pytest.raises(wanted) as raised:
        hasher_of(device).digest(Source(DATA))
    assert raised.value.__cause__ is error


def test_failures_at_opening(cupy: FakeCupy, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DeviceError, match="101"):
        CupyDevice(1)
    monkeypatch.setattr(cupy, "RawModule", lambda code: failing(CompileException("tree.cu(1): error")))
    with pytest.raises(DeviceError, match=r"tree\.cu"):
        CupyDevice()
    monkeypatch.setitem(sys.modules, "cupy", None)
    with pytest.raises(DeviceError, match="CuPy is not installed"):
        CupyDevice()


def test_no_room_for_the_smallest_batch(cupy: FakeCupy, device: CupyDevice) -> None:
    cupy.room_bytes = 128 * 4096
    with pytest.raises(DeviceMemoryError, match="not enough free memory"):
        hasher_of(device).digest(Source(DATA))


class FakeKvikio:
    """GPUDirect Storage that works, or that reads too little."""

    def __init__(self, available: bool, short_bytes: int = 0) -> None:
        self.cufile_driver = SimpleNamespace(get=lambda name: available and name == "is_gds_available")
        self.short_bytes = short_bytes
        self.reads = 0

    def CuFile(self, path: str, flags: str) -> object:
        assert flags == "r"
        data = Path(path).read_bytes()

        def pread(target: memoryview, size: int, file_offset: int) -> object:
            self.reads += 1
            got = size - self.short_bytes
            target[:got] = data[file_offset : file_offset + got]
            return SimpleNamespace(done=lambda: True, get=lambda: got)

        return SimpleNamespace(pread=pread)


@pytest.fixture
def file(tmp_path: Path) -> Iterator[OpenFile]:
    path = tmp_path / "weights.bin"
    path.write_bytes(DATA[:-5])
    with path.open("rb") as stream:
        yield OpenFile(path.name, stream.fileno(), len(DATA) - 5)


@pytest.mark.parametrize("available", [True, False])
def test_gpudirect_storage_where_it_works(
    device: CupyDevice, file: OpenFile, available: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    kvikio = FakeKvikio(available)
    monkeypatch.setitem(sys.modules, "kvikio", kvikio)
    monkeypatch.setitem(sys.modules, "kvikio.cufile_driver", kvikio.cufile_driver)
    found = hasher_of(device)(file, sha256=False, advance=lambda size: None)
    assert found.fsverity == fsverity_digest(DATA[:-5])
    assert (kvikio.reads > 0) == available


def test_gpudirect_storage_that_reads_too_little(
    device: CupyDevice, file: OpenFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    kvikio = FakeKvikio(True, short_bytes=1)
    monkeypatch.setitem(sys.modules, "kvikio", kvikio)
    monkeypatch.setitem(sys.modules, "kvikio.cufile_driver", kvikio.cufile_driver)
    with pytest.raises(ChangedError):
        hasher_of(device)(file, sha256=False, advance=lambda size: None)


def test_memory_of_another_gpu_is_brought_over(device: CupyDevice) -> None:
    memory = DeviceBytes(device, DATA)
    memory.device = "cuda:1"
    assert hasher_of(device).digest_segments(Segments("m", [memory])) == fsverity_digest(DATA)

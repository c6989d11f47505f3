"""Every kernel on a GPU, compared with hashlib and the reference. Run them with `pytest -m gpu`."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from provenance_oracle.verifier.digest.choose import open_hasher
from provenance_oracle.verifier.digest.gpu.cuda import CudaHasher
from provenance_oracle.verifier.digest.gpu.cupy_device import CupyDevice
from provenance_oracle.verifier.digest.tree.cpu import CpuHasher
from provenance_oracle.verifier.digest.tree.segments import Segments
from provenance_oracle.verifier.strict.files import OpenFile
from tests.verifier.digest.digest_of_zeros import digest_of_zeros
from tests.verifier.digest.gpu.shim.device_cases import DATA, DeviceCases

pytestmark = pytest.mark.gpu


class TestGpu(DeviceCases):
    """The tests that every test run makes on a fake, here on a GPU."""


class Large:
    """A `Memory` of zeros on the device."""

    def __init__(self, owner: CupyDevice, size: int) -> None:
        self._owner = owner
        self._memory: Any = owner.cupy.cuda.alloc(size)
        self._memory.memset(0, size)
        self.address, self.size, self.device = int(self._memory.ptr), size, owner.id

    def read_into(self, target: memoryview, offset: int) -> None:
        target[:] = self._owner.read(self.address + offset, len(target))


@pytest.mark.parametrize("size", [2**32, 2**32 + 1, 9 * 2**30 + 4097])
def test_offsets_beyond_32_bits(device: CupyDevice, size: int) -> None:
    memory = Large(device, size)
    found = CudaHasher(device, CpuHasher()).digest_segments(Segments("zeros", [memory]))
    assert found == digest_of_zeros(size)


@pytest.fixture
def file(tmp_path: Path) -> Iterator[OpenFile]:
    path = tmp_path / "weights.bin"
    path.write_bytes(DATA * 200 + b"end")
    descriptor = os.open(path, os.O_RDONLY)
    yield OpenFile(path.name, descriptor, path.stat().st_size)
    os.close(descriptor)


def test_a_file_equals_the_cpu(device: CupyDevice, file: OpenFile) -> None:
    """The file is read through GPUDirect Storage if kvikio and the file system support it."""
    wanted = CpuHasher()(file, sha256=False, advance=lambda size: None)
    for name in ("cuda", "auto"):
        hasher = open_hasher(name, notify=pytest.fail)
        assert hasher.path_name == f"cuda ({device.name})"
        assert hasher(file, sha256=False, advance=lambda size: None) == wanted


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float8_e4m3fn", "uint8"])
def test_tensors_of_torch(device: CupyDevice, dtype: str) -> None:
    """Memory that torch allocated and wrote on its own stream."""
    torch = pytest.importorskip("torch", reason="torch is not installed")
    if not torch.cuda.is_available():
        pytest.skip("this torch has no CUDA")
    tensor = torch.randn(3001, 577, device="cuda").to(getattr(torch, dtype))
    data = tensor.view(torch.uint8).cpu().numpy().tobytes()

    class Weights:
        address, size, device = tensor.data_ptr(), tensor.nbytes, "cuda:0"

        def read_into(self, target: memoryview, offset: int) -> None:
            target[:] = data[offset : offset + len(target)]

    from provenance_oracle.verifier.digest.tree.fsverity import fsverity_digest

    assert CudaHasher(device, CpuHasher()).digest_segments(Segments("w", [Weights()])) == fsverity_digest(data)

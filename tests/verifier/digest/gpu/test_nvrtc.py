"""tree.cu compiled for every architecture that ships, by NVRTC, which needs neither a GPU nor a driver."""

from __future__ import annotations

import ctypes
import importlib.util
import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from provenance_oracle.verifier.digest.gpu.cupy_device import SOURCE

ARCHITECTURES = ("sm_80", "sm_90", "sm_100")
KERNELS = ("hash_blocks", "hash_segments", "hash_salted_blocks")


@dataclass(frozen=True, repr=False)
class Compiled:
    ptx: str
    log: str
    cubin: bytes


class Nvrtc:
    """The library in the wheel nvidia-cuda-nvrtc, used through ctypes."""

    def __init__(self, path: Path) -> None:
        for builtins in path.parent.glob("libnvrtc-builtins.so.*"):  # NVRTC looks for it by name only
            ctypes.CDLL(str(builtins))
        self._library = ctypes.CDLL(str(path))

    def _call(self, name: str, *arguments: object) -> None:
        status = getattr(self._library, f"nvrtc{name}")(*arguments)
        assert status == 0, f"{name}: status {status}"

    def _read(self, program: ctypes.c_void_p, what: str) -> bytes:
        size = ctypes.c_size_t()
        self._call(f"Get{what}Size", program, ctypes.byref(size))
        target = ctypes.create_string_buffer(size.value)
        self._call(f"Get{what}", program, target)
        return target.raw

    def compile(self, source: str, architecture: str) -> Compiled:
        program = ctypes.c_void_p()
        self._call("CreateProgram", ctypes.byref(program), source.encode(), b"tree.cu", 0, None, None)
        options = [f"--gpu-architecture={architecture}".encode(), b"--ptxas-options=-v"]
        status = self._library.nvrtcCompileProgram(program, len(options), (ctypes.c_char_p * len(options))(*options))
        log = self._read(program, "ProgramLog").decode()
        assert status == 0, log
        return Compiled(self._read(program, "PTX").decode(), log, self._read(program, "CUBIN"))


@pytest.fixture(scope="module")
def nvrtc() -> Nvrtc:
    spec = importlib.util.find_spec("nvidia")
    folders = list(spec.submodule_search_locations or []) if spec else []
    found = [path for folder in folders for path in Path(folder).rglob("libnvrtc.so.*") if "alt" not in path.name]
    if not found:
        pytest.skip("needs the package nvidia-cuda-nvrtc")
    return Nvrtc(found[0])


@pytest.fixture(scope="module", params=ARCHITECTURES)
def compiled(request: pytest.FixtureRequest, nvrtc: Nvrtc) -> Compiled:
    return nvrtc.compile(SOURCE.read_text(), request.param)


def entry(compiled: Compiled, kernel: str) -> str:
    """The PTX of one kernel."""
    return compiled.ptx.split(f".entry {kernel}(")[1].split(".entry ")[0]


@pytest.mark.parametrize("kernel", KERNELS)
def test_everything_stays_in_registers(compiled: Compiled, kernel: str) -> None:
    """No stack frame, no spills, no barriers; at most 64 registers, so that 1024 threads fit on a multiprocessor."""
    properties = compiled.log.split(f"Function properties for {kernel}\n")[1].split("Compiling entry")[0]
    assert "0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads" in properties
    used = re.search(r"Used (\d+) registers, used 0 barriers", properties)
    assert used and int(used[1]) <= 64
    assert ".local" not in entry(compiled, kernel)
    assert not re.search(r"\b(bar|barrier)\.", entry(compiled, kernel))


@pytest.mark.parametrize("kernel, quads", [("hash_blocks", 4), ("hash_segments", 9), ("hash_salted_blocks", 9)])
def test_loads_and_stores_are_of_16_bytes(compiled: Compiled, kernel: str, quads: int) -> None:
    """4 loads where a block is aligned, 5 more where it is not; a digest is 2 stores."""
    code = entry(compiled, kernel)
    assert len(re.findall(r"ld\.global\.nc\.v4\.\w*32", code)) == quads
    assert len(re.findall(r"st\.global\.v4\.\w*32", code)) == len(re.findall(r"\bst\.", code)) == 2


def test_blocks_are_read_by_nothing_else(compiled: Compiled) -> None:
    loads = set(re.findall(r"ld\.(global\S*)", entry(compiled, "hash_blocks")))
    assert {re.sub(r"\w32$", "32", load) for load in loads} == {"global.nc.v4.32"}


def test_the_result_is_for_the_device_itself(compiled: Compiled) -> None:
    assert compiled.cubin.startswith(b"\x7fELF")


def test_constants_and_registers_only_by_number(nvrtc: Nvrtc) -> None:
    """An index that is not a constant would put the message schedule into local memory."""
    careless = (
        SOURCE.read_text()
        .replace("    append(w, word);", "    w[i] = word;")
        .replace("append(w, word)", "w[i & 15] = word")
    )
    assert ".local" in nvrtc.compile(careless, ARCHITECTURES[0]).ptx

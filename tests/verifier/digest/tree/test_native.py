"""Every implementation in the compiled part equals hashlib; one that does not is never used."""

from __future__ import annotations

import hashlib
import importlib.util
import random
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provenance_oracle.verifier.digest.tree import native
from provenance_oracle.verifier.digest.tree.blocks import BlockHash, FileHash, HashlibFileHash, PythonBlocks
from provenance_oracle.verifier.digest.tree.native import build_library, load_native, load_ways
from provenance_oracle.verifier.errors import UsageError

ROOT = Path(__file__).parents[4]
DATA = random.Random(1).randbytes(40 * 4096)


def hashes(blocks: bytes, salt: bytes = b"") -> bytes:
    starts = range(0, len(blocks), 4096)
    return b"".join(hashlib.sha256(salt + blocks[start : start + 4096]).digest() for start in starts)


@pytest.fixture
def ways(native_library: Path) -> list[BlockHash]:
    """Every implementation that this processor supports, and the one in Python."""
    return [PythonBlocks(), *load_ways(native_library)]


@pytest.mark.parametrize("number", [*range(20), 31, 32, 33, 40])
def test_every_number_of_blocks(ways: list[BlockHash], number: int) -> None:
    blocks = DATA[: number * 4096]
    for way in ways:
        assert way.hash_blocks(blocks) == hashes(blocks)


@pytest.mark.parametrize("salt_bytes", [1, 31, 32, 54, 55, 56, 63, 64, 65, 119, 120, 128, 256])
def test_salts_around_the_chunks_of_sha256(ways: list[BlockHash], salt_bytes: int) -> None:
    salt, blocks = random.Random(2).randbytes(salt_bytes), DATA[: 21 * 4096]
    for way in ways:
        assert way.hash_blocks(blocks, salt) == hashes(blocks, salt)


def test_any_kind_and_place_of_memory(ways: list[BlockHash]) -> None:
    wanted = hashes(DATA[7 : 7 + 5 * 4096])
    for way in ways:
        for memory in (DATA, bytearray(DATA), memoryview(DATA), memoryview(bytearray(DATA))):
            assert way.hash_blocks(memory[7 : 7 + 5 * 4096]) == wanted


@pytest.mark.parametrize("over", [1, 4095])
def test_no_tail_is_dropped(ways: list[BlockHash], over: int) -> None:
    for way in ways:
        with pytest.raises(ValueError, match=f"{over} bytes more"):
            way.hash_blocks(DATA[: 4096 + over])
        with pytest.raises(ValueError, match=f"{over} bytes more"):
            way.file_hash().take_both(DATA[:over])


@given(number=st.integers(0, 36), salt=st.binary(max_size=300), start=st.integers(0, 8192))
@settings(max_examples=60)
def test_any_blocks_and_salt(native_library: Path, number: int, salt: bytes, start: int) -> None:
    blocks = DATA[start : start + number * 4096]
    for found in load_ways(native_library):
        assert found.hash_blocks(blocks, salt) == hashes(blocks, salt)


@given(steps=st.lists(st.tuples(st.booleans(), st.integers(0, 9)), max_size=5), rest=st.integers(0, 4095))
@settings(max_examples=60)
def test_sha256_of_a_whole_file(native_library: Path, steps: list[tuple[bool, int]], rest: int) -> None:
    python = PythonBlocks()
    files: list[FileHash] = [HashlibFileHash(python), *(way.file_hash() for way in load_ways(native_library))]
    for file in files:
        wanted, start = hashlib.sha256(), 0
        for both, number in steps:
            blocks = DATA[start : start + number * 4096]
            start = (start + len(blocks)) % (20 * 4096)
            wanted.update(blocks)
            if both:
                assert file.take_both(blocks) == hashes(blocks)
            else:
                file.take(blocks)
        wanted.update(DATA[:rest])
        file.take(DATA[:rest])
        assert file.digest() == wanted.digest()


def test_the_length_of_a_file_takes_more_than_32_bits(native_library: Path) -> None:
    """SHA-256 appends the number of bits, which needs a fifth byte beyond 512 MiB."""
    for way in load_ways(native_library):
        file, wanted, mebibyte = way.file_hash(), hashlib.sha256(b""), bytes(1024 * 1024)
        for _ in range(513):
            file.take(mebibyte)
            wanted.update(mebibyte)
        wanted.update(b"end")
        file.take(b"end")
        assert file.digest() == wanted.digest()


def test_no_library_no_way(tmp_path: Path) -> None:
    assert load_native(tmp_path / "absent.so") is None
    (tmp_path / "text.so").write_text("no library at all")
    assert load_native(tmp_path / "text.so") is None


def compiled(target: Path, code: str, *flags: str) -> Path:
    source = target.with_suffix(".c")
    source.write_text(code)
    subprocess.run(
        ["cc", "-shared", "-fPIC", f"-I{native.SOURCES[0].parent}", *flags, "-o", target, source], check=True
    )
    return target


def test_a_library_of_other_source_is_not_loaded(native_library: Path, tmp_path: Path) -> None:
    code = native.SOURCES[0].read_text()
    assert load_ways(compiled(tmp_path / "old.so", code, '-DSOURCE_SHA256="0123"')) == []
    assert load_ways(compiled(tmp_path / "other.so", "int unrelated;")) == []


@pytest.mark.parametrize("right, wrong", [("0x428a2f98", "0x428a2f99"), ("0x80;", "0x81;"), ("8 * total", "7 * total")])
def test_a_library_that_computes_wrongly_is_not_used(
    native_library: Path, tmp_path: Path, right: str, wrong: str
) -> None:
    if not load_ways(native_library):
        pytest.skip("this processor has none of the ways")
    code = native.SOURCES[0].read_text().replace(right, wrong, 1)
    library = compiled(tmp_path / "wrong.so", code, f'-DSOURCE_SHA256="{native._source_sha256()}"')
    assert load_ways(library)
    assert load_native(library) is None


def test_the_one_used_is_one_of_the_ways(native_library: Path) -> None:
    used = load_native(native_library)
    names = [way.path_name for way in load_ways(native_library)]
    assert (used.path_name in names) if used else not names


@pytest.mark.parametrize("compiler", ["/nonexistent/cc", "false"])
def test_building_without_a_compiler_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, compiler: str) -> None:
    monkeypatch.setenv("CC", compiler)
    with pytest.raises(UsageError, match="cannot build the compiled part"):
        build_library(tmp_path / "_native.so")
    assert list(tmp_path.iterdir()) == []


def test_the_build_hook_never_fails_an_installation(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CC", "false")
    spec = importlib.util.spec_from_file_location("hatch_build", ROOT / "hatch_build.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    said: list[str] = []
    app: Any = SimpleNamespace(display_warning=said.append, display_info=said.append)
    build_data: dict[str, Any] = {"force_include": {}}
    hook = module.CompiledPart(str(ROOT), {}, None, None, str(ROOT), "wheel", app)
    path = list(sys.path)
    hook.initialize("standard", build_data)
    assert "slower" in said[0]
    assert build_data == {"force_include": {}} and sys.path == path


ARM_PROGRAM = """
#include <stdio.h>
static uint8_t data[6 * BLOCK_BYTES + 1000], out[6 * DIGEST_BYTES], digest[DIGEST_BYTES];
static void show(const uint8_t *bytes, size_t size) { while (size--) printf("%02x", *bytes++); puts(""); }
int main(void) {
    uint32_t file[8];
    if (fread(data, 1, sizeof data, stdin) != sizeof data) return 1;
    puts(provenance_way(0));
    for (size_t salt = 0; salt < 130; salt += 43) {
        provenance_hash_blocks(0, data, 6, data, salt, out);
        show(out, sizeof out);
    }
    provenance_start(file);
    provenance_take(file, data, 1);
    provenance_take_both(file, data + BLOCK_BYTES, 5, out);
    show(out, 5 * DIGEST_BYTES);
    provenance_finish(file, data + 6 * BLOCK_BYTES, 1000, sizeof data, digest);
    show(digest, sizeof digest);
}
"""


def test_the_way_of_64_bit_arm_under_emulation(tmp_path: Path) -> None:
    if not shutil.which("aarch64-linux-gnu-gcc") or not shutil.which("qemu-aarch64"):
        pytest.skip("needs the Debian packages gcc-aarch64-linux-gnu and qemu-user")
    program, source = tmp_path / "program", tmp_path / "program.c"
    source.write_text(f'#include "{native.SOURCES[0]}"\n{ARM_PROGRAM}')
    flags = ["-O3", "-Wall", "-Werror", "-static", '-DSOURCE_SHA256=""']
    subprocess.run(["aarch64-linux-gnu-gcc", *flags, "-o", program, source], check=True)
    data = DATA[: 6 * 4096 + 1000]
    said = subprocess.run(["qemu-aarch64", program], input=data, capture_output=True, check=True).stdout.split(b"\n")
    blocks = data[: 6 * 4096]
    assert said[0] == b"arm sha2 x4"
    assert said[1:5] == [hashes(blocks, data[:salt]).hex().encode() for salt in range(0, 130, 43)]
    assert said[5] == hashes(blocks[4096:]).hex().encode()
    assert said[6] == hashlib.sha256(data).hexdigest().encode()

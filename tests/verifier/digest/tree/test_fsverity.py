"""The readable reference against golden values, an independent recursion, and the stock tool."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.digest.tree.fsverity import FileDigest, FsVerityHasher, fsverity_digest, model_digest
from provenance_oracle.verifier.errors import FormatError
from tests.verifier.digest.golden_digests import GOLDEN


def content(size: int) -> bytes:
    """`size` bytes that differ from block to block."""
    return b"".join(hashlib.sha256(i.to_bytes(8)).digest() * 128 for i in range(size // 4096 + 1))[:size]


def naive(data: bytes) -> bytes:
    """The definition, written differently: whole levels at once, from the number of levels."""
    root = bytes(32)
    if data:
        level = data
        while True:
            level += bytes(-len(level) % 4096)
            level = b"".join(hashlib.sha256(level[i : i + 4096]).digest() for i in range(0, len(level), 4096))
            if len(level) == 32:
                root = level
                break
    descriptor = bytes([1, 1, 12, 0]) + bytes(4) + len(data).to_bytes(8, "little") + root.ljust(64, b"\0")
    return hashlib.sha256(descriptor.ljust(256, b"\0")).digest()


@pytest.mark.parametrize("size", GOLDEN)
def test_golden_values(size: int) -> None:
    assert fsverity_digest(b"a" * size).hex() == GOLDEN[size]
    assert naive(b"a" * size).hex() == GOLDEN[size]


# Sizes around one block, one node (128 leaves), two nodes, and 128 nodes (three levels: 64 MiB).
BORDERS = [edge + step for edge in (4096, 128 * 4096, 256 * 4096) for step in (-4096, -1, 0, 1, 4096)]


@pytest.mark.parametrize("size", BORDERS)
def test_around_borders_of_blocks_and_levels(size: int) -> None:
    assert fsverity_digest(content(size)) == naive(content(size))


@pytest.mark.parametrize("step", [-1, 0, 1])
def test_around_the_third_level(step: int) -> None:
    data = content(128 * 128 * 4096 + 4096)[: 128 * 128 * 4096 + step]
    assert fsverity_digest(data) == naive(data)


@given(st.integers(0, 130 * 4096), st.lists(st.integers(1, 40_000), max_size=30))
@settings(max_examples=60)
def test_streaming_in_pieces_of_any_size_equals_the_definition(size: int, pieces: list[int]) -> None:
    data = content(size)
    hasher = FsVerityHasher()
    start = 0
    for piece in pieces:
        hasher.update(data[start : start + piece])
        start += piece
    hasher.update(data[start:])
    assert hasher.digest() == naive(data)


def test_digest_may_be_asked_for_in_between() -> None:
    hasher = FsVerityHasher()
    for size in range(0, 20_000, 1000):
        assert hasher.digest() == naive(content(20_000)[:size])
        hasher.update(content(20_000)[size : size + 1000])


def test_takes_any_buffer() -> None:
    hasher = FsVerityHasher()
    hasher.update(memoryview(content(10_000))[:5000])
    hasher.update(bytearray(content(10_000)[5000:]))
    assert hasher.digest() == naive(content(10_000))


@pytest.mark.parametrize("size", [0, 1, 4095, 4096, 4097, 128 * 4096, 128 * 4096 + 1, 300 * 4096 + 17])
def test_equals_the_stock_tool(size: int, tmp_path: Path) -> None:
    if not shutil.which("fsverity"):
        pytest.skip("no `fsverity` command (Debian package fsverity)")
    file = tmp_path / "file"
    file.write_bytes(content(size))
    printed = subprocess.run(
        ["fsverity", "digest", "--compact", str(file)], check=True, capture_output=True, text=True
    ).stdout
    assert printed.strip() == fsverity_digest(content(size)).hex()


def test_sizes_levels_and_zeros_are_not_confused() -> None:
    # Three pairs of files with equal bare roots: zero extension, a cut at a block, a tree block that is also a file.
    data = content(100 * 4096)
    assert fsverity_digest(data[:4000]) != fsverity_digest(data[:4000].ljust(4096, b"\0"))
    assert fsverity_digest(data[:4097]) != fsverity_digest(data[:4096])
    tree_block = b"".join(hashlib.sha256(data[i : i + 4096]).digest() for i in range(0, len(data), 4096))
    assert fsverity_digest(data) != fsverity_digest(tree_block.ljust(4096, b"\0"))


def test_model_digest_is_the_digest_of_a_text_that_stock_tools_can_make() -> None:
    # printf ... | LC_ALL=C sort -k3 | sha256sum
    one = FileDigest("a b.txt", 5, bytes(32))
    two = FileDigest("Z", 0, b"\xff" * 32)
    text = f"provenance-model-v1\n{'ff' * 32} 0 Z\n{'00' * 32} 5 a b.txt\n"
    assert model_digest([one, two]) == hashlib.sha256(text.encode()).digest()
    assert model_digest([two, one]) == model_digest([one, two])


def test_model_digest_sorts_by_utf8_bytes() -> None:
    # U+FF5A sorts before U+1F600 by code point and by UTF-8, but not by UTF-16.
    names = ["a/b", "a.b", "a0", "é", "\uff5a", "\U0001f600", "Z"]
    files = [FileDigest(name, 1, bytes(32)) for name in names]
    ordered = sorted(names, key=lambda name: name.encode())
    lines = "".join(f"{'00' * 32} 1 {name}\n" for name in ordered)
    assert model_digest(files) == hashlib.sha256(("provenance-model-v1\n" + lines).encode()).digest()


def test_model_digest_binds_names_sizes_and_bytes() -> None:
    files = [FileDigest("a", 1, bytes(32)), FileDigest("b", 2, b"\1" * 32)]
    others = [
        [FileDigest("a", 2, bytes(32)), FileDigest("b", 1, b"\1" * 32)],
        [FileDigest("a", 1, b"\1" * 32), FileDigest("b", 2, bytes(32))],
        [FileDigest("a", 1, bytes(32)), FileDigest("c", 2, b"\1" * 32)],
        files[:1],
        [],
    ]
    assert model_digest(files) not in {model_digest(other) for other in others}
    # Whole-file SHA-256 is a second opinion, not a part of the identity.
    assert model_digest([FileDigest("a", 1, bytes(32), b"\2" * 32), files[1]]) == model_digest(files)


@pytest.mark.parametrize("names", [["a", "a"], ["a\nb"], ["a\n" + "00" * 32 + " 1 b"]])
def test_model_digest_refuses_ambiguous_names(names: list[str]) -> None:
    with pytest.raises(FormatError) as raised:
        model_digest([FileDigest(name, 1, bytes(32)) for name in names])
    assert raised.value.check is Check.FILE_SET

"""A file in several places of memory reads like the file on disk."""

from __future__ import annotations

import ctypes
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provenance_oracle.verifier.digest.tree.cpu import CpuHasher
from provenance_oracle.verifier.digest.tree.fsverity import fsverity_digest
from provenance_oracle.verifier.digest.tree.segments import BytesMemory, HostMemory, Memory, Segments
from tests.verifier.digest.tree.test_fsverity import content


def host(data: bytes) -> HostMemory:
    kept = ctypes.create_string_buffer(data, len(data)) if data else ctypes.create_string_buffer(1)
    return HostMemory(ctypes.addressof(kept), len(data), kept)


def read(segments: Segments, offset: int, size: int) -> bytes:
    target = bytearray(size)
    segments.read_into(memoryview(target), offset)
    return bytes(target)


@given(st.lists(st.binary(max_size=9), max_size=8), st.data())
def test_any_range_is_that_of_the_file(parts: list[bytes], draws: st.DataObject) -> None:
    memories: list[Memory] = [host(part) if draws.draw(st.booleans()) else BytesMemory(part) for part in parts]
    segments, whole = Segments("m", memories), b"".join(parts)
    assert segments.size == len(whole)
    offset = draws.draw(st.integers(0, len(whole)))
    size = draws.draw(st.integers(0, len(whole) - offset))
    assert read(segments, offset, size) == whole[offset : offset + size]


@pytest.mark.parametrize("cuts", [[], [1], [4095, 4096, 4097], [88, 514_120], [4096 * 128, 4096 * 129 + 7]])
@pytest.mark.parametrize("size", [0, 1, 4096, 4097, 524_289, 2_100_000])
def test_the_digest_is_that_of_the_file_wherever_it_is_cut(size: int, cuts: list[int]) -> None:
    data = content(size)
    edges = [0, *(min(cut, size) for cut in cuts), size]
    segments = Segments("m", [host(data[a:b]) for a, b in itertools.pairwise(edges)])
    assert CpuHasher().digest(segments).fsverity == fsverity_digest(data)

"""Compare dm-verity trees and superblocks with values that veritysetup produced."""

from __future__ import annotations

import importlib.util
import json
import tempfile
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provenance_oracle.verifier.disk.hash_area import HashArea
from provenance_oracle.verifier.disk.verity import (
    VerityParameters,
    block_hasher,
    hash_salted_blocks,
    parse_superblock,
    superblock,
)
from provenance_oracle.verifier.disk.verity_tree import TreeBuilder
from provenance_oracle.verifier.errors import FormatError, ProvenanceError

HERE = Path(__file__).parent
GOLDEN = json.loads((HERE / "golden/verity.json").read_text())["rows"]


def _cases():
    spec = importlib.util.spec_from_file_location("disk_verity_cases", HERE / "verity_cases.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


CASES = _cases()


def tree_and_area(parameters: VerityParameters, data: bytes, step_blocks: int = 100) -> tuple[bytes, bytes]:
    """Build the tree in steps; return its root, and the superblock and hash area as on disk."""
    size = parameters.data_block_bytes
    blocks = len(data) // size
    hash_data = block_hasher(parameters.algorithm, parameters.hash_format, size)
    with tempfile.TemporaryFile() as file:
        area = HashArea(file.fileno(), parameters.hash_block_bytes, parameters, blocks)
        builder = TreeBuilder(parameters, blocks, sink=area.write)
        for start in range(0, len(data), step_blocks * size):
            builder.update(hash_data(memoryview(data)[start : start + step_blocks * size], parameters.salt))
        root = builder.finish().root
        head = superblock(parameters, blocks)
        return root, head if blocks == 1 else head.ljust(parameters.hash_block_bytes, b"\0") + b"".join(area.read())


@pytest.mark.parametrize(("number", "root", "area_sha256"), GOLDEN)
def test_trees_equal_golden_values(number, root, area_sha256):
    algorithm, hash_format, data_block, hash_block, salt, blocks = CASES.CASES[number]
    parameters = VerityParameters(algorithm, hash_format, data_block, hash_block, bytes.fromhex(salt))
    got_root, area = tree_and_area(parameters, CASES.data_of(blocks, data_block))
    assert got_root.hex() == root
    assert sha256(area).hexdigest() == area_sha256


@pytest.mark.parametrize(
    ("blocks", "salt", "root"),
    [
        (1, b"\0", "8d0d7e85fe8e1cbd02f3f050bcfbb14e2e159d381bf0cd66eab71d1262d152b3"),
        (1, b"", "c93eee2d0db02f10acc7460d9576e122dcf8cd53c4bf8dfcae1b3e74ebcfff5a"),
        (129, b"\0", "20568f42e3f7829522e6f851f95bf19ee435addb8b9c2bef22a877a0de1c8ade"),
        (129, b"", "f95113691548211e952726d7a03774117e5e5944c4e6987562646b6df85d3300"),
    ],
)
def test_vectors_of_the_letter_a(blocks, salt, root):
    assert tree_and_area(VerityParameters(salt=salt), b"a" * 4096 * blocks)[0].hex() == root


@pytest.mark.parametrize("blocks", [1, 128, 129, 16384, 16385])
def test_a_new_first_leaf_gives_the_root_of_the_new_data(blocks):
    parameters = VerityParameters(salt=b"\0")
    leaves = b"".join(sha256(b"%d" % number).digest() for number in range(blocks))
    other = sha256(b"other").digest()

    def tree(of: bytes):
        builder = TreeBuilder(parameters, blocks)
        builder.update(of)
        return builder, builder.finish()

    builder, plain = tree(leaves)
    assert builder.with_first_leaf(plain, other) == tree(other + leaves[32:])[1]
    assert builder.with_first_leaf(plain, leaves[:32]) == plain


@given(steps=st.lists(st.integers(1, 40), min_size=1, max_size=20))
def test_leaves_may_come_in_any_portions(steps):
    leaves = [sha256(b"%d" % number).digest() for number in range(sum(steps))]
    builder = TreeBuilder(VerityParameters(), len(leaves))
    for step in steps:
        builder.update(b"".join(leaves[:step]))
        del leaves[:step]
    whole = TreeBuilder(VerityParameters(), sum(steps))
    whole.update(b"".join(sha256(b"%d" % number).digest() for number in range(sum(steps))))
    assert builder.finish() == whole.finish()


def test_the_default_leaf_hash_is_the_salted_sha256_of_each_block():
    data = bytes(range(256)) * 48
    wanted = b"".join(sha256(b"pepper" + data[start : start + 4096]).digest() for start in range(0, len(data), 4096))
    assert hash_salted_blocks(memoryview(data), b"pepper") == wanted


def test_a_superblock_survives_reading():
    parameters = VerityParameters("sha512", 0, 1024, 2048, b"salt")
    assert parse_superblock(superblock(parameters, 77), "here") == (parameters, 77)


@pytest.mark.parametrize(
    "options",
    [
        {"algorithm": "md5"},
        {"hash_format": 2},
        {"data_block_bytes": 256},
        {"data_block_bytes": 4097},
        {"hash_block_bytes": 1 << 20},
        {"salt": bytes(257)},
    ],
)
def test_unknown_parameters_are_refused(options):
    with pytest.raises(FormatError, match="unsupported"):
        VerityParameters(**options)


@pytest.mark.parametrize(
    ("offset", "value"),
    [
        (0, b"VERITY"),  # signature
        (8, b"\2"),  # version
        (12, b"\2"),  # format
        (32, b"crc32\0"),  # algorithm
        (40, b"x"),  # behind the algorithm's name
        (64, b"\1"),  # data block size
        (68, b"\1"),  # hash block size
        (80, b"\1\1"),  # salt size 257
        (82, b"x"),  # padding
        (100, b"x"),  # behind the salt
        (511, b"x"),  # behind everything
    ],
)
def test_each_odd_field_of_a_superblock_is_refused(offset, value):
    good = superblock(VerityParameters(salt=b"\0"), 9)
    with pytest.raises(FormatError):
        parse_superblock(good[:offset] + value + good[offset + len(value) :], "here")


@given(st.binary(max_size=600), st.integers(0, 511), st.integers(0, 255))
def test_only_known_errors_leave_the_parser(data, offset, value):
    mutated = bytearray(superblock(VerityParameters(salt=b"\0"), 9))
    mutated[offset] = value
    for candidate in (data, b"verity\0\0" + data, bytes(mutated)):
        try:
            parameters, blocks = parse_superblock(candidate, "here")
        except ProvenanceError:
            continue
        assert superblock(parameters, blocks) == candidate[:512]

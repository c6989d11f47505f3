"""Compare layouts with values that mkfs.erofs and veritysetup produced."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from provenance_oracle.verifier.disk.build import digest_disk, plan_disk
from provenance_oracle.verifier.disk.erofs import plan_erofs
from provenance_oracle.verifier.disk.erofs_bytes import inode_record
from provenance_oracle.verifier.disk.image import image_chunks
from provenance_oracle.verifier.disk.recipes import EROFS_1_5
from provenance_oracle.verifier.disk.tree import FileKind, Node, directory
from provenance_oracle.verifier.errors import FormatError, UsageError

GOLDEN = json.loads((Path(__file__).parent / "golden/erofs.json").read_text())["rows"]

T1 = {
    "erofs-1.9": (
        "c2783825d439ca85146169b8d00203579cb7634fb5c06a6234fd288a4e3c3d55",
        "0f569c218a314a74be9e9f1977c9ef95a3f11d01d0080fecddf15da876d3a2fd",
    ),
    "erofs-1.8.6+": (
        "d0677b1b485a83e00c9033cf30d3f55790f660219f2ab294b3b7c923307fb70d",
        "22ec6603f692634c465e321ec06a5c3a480eedcfc9764a3b2e0fe9f2c57c0b45",
    ),
}
T2 = {
    "erofs-1.9": (
        "ef1c118f1f1669f838d2c8bb0edd5c89fb862efbf6668c400a0faa904b60f6a4",
        "316b23b4e13f8ba01614aaa9a8bd28a1a89fa0e1fe369590a39101abaa968300",
    ),
    "erofs-1.8.6+": (
        "7bc4474993eb36d4edc5e78a7348ddeef53d2d902e5d1d3d651278fba790189e",
        "b8dc832e0e09c1cfd78fa0dc832b4b4181950c4a27bcc49affcc6b7eb8edf6a2",
    ),
}


def file(name: bytes, content: bytes, permissions: int = 0o644) -> Node:
    return Node(name, FileKind.FILE, permissions, len(content), content=content)


def t2_tree(stream) -> Node:
    """Return a small model with 213 inodes: a weights file, tokenizer parts, odd sizes, a script, a link."""
    lfs = " filter=lfs diff=lfs merge=lfs -text\n"
    parts = [file(f"part-{i:03}-{'z' * (i % 40)}.txt".encode(), str(i).encode() * i) for i in range(200)]
    files = [
        file(b".gitattributes", f"*.safetensors{lfs}*.bin{lfs}".encode()),
        file(b"model.safetensors", stream("w", 9000123)),
        file(b"config.json", b'{"a":1}\n'),
        file(b"README.md", b"# hello\n" * 700),
        file(b"empty", b""),
        *(file(f"x{size}".encode(), stream("q", size)) for size in (8192, 4096, 4000)),
        file(b"x3", b"abc"),
        file(b"run.sh", b"#!/bin/sh\n", 0o755),
        Node(b"link.json", FileKind.SYMLINK, 0o777, 11, content=b"config.json"),
    ]
    return directory(b"", 0o755, [*files, directory(b"tok", 0o755, parts)])


def described(result) -> dict[str, tuple[str, str]]:
    return {digest.layout: (digest.root.hex(), digest.file_sha256.hex()) for digest in result.digests}


def test_smallest_tree_equals_both_releases(digest_tree):
    result = digest_tree(directory(b"", 0o755, [file(b"a", b"hello\n")]), file_hash=True)
    assert described(result) == T1
    assert {digest.hash_offset for digest in result.digests} == {4096}


def test_small_model_equals_both_releases(digest_tree, random_trees):
    result = digest_tree(t2_tree(random_trees.stream), file_hash=True)
    assert described(result) == T2
    assert {digest.hash_offset for digest in result.digests} == {9101312}


def test_a_tree_on_disk_equals_the_same_in_memory(random_trees, as_found, tmp_path, digest_tree):
    random_trees.write_tree(t2_tree(random_trees.stream), tmp_path / "tree")
    assert described(digest_disk(plan_disk(tmp_path / "tree", as_found), file_hash=True)) == T2


def test_there_are_enough_golden_trees():
    assert len({row[0] for row in GOLDEN}) >= 300


@pytest.mark.parametrize("start", range(0, len(GOLDEN), 50))
def test_random_trees_equal_golden_values(start, random_trees, digest_tree, as_found):
    old = replace(as_found, layouts=(EROFS_1_5,))
    for seed, *wanted in GOLDEN[start : start + 50]:
        tree = random_trees.tree_of(seed)
        digests = (*digest_tree(tree).digests, *digest_tree(tree, old).digests)
        assert [digest.layout for digest in digests] == ["erofs-1.8.6+", "erofs-1.9", "erofs-1.5"]
        got = [value for digest in digests for value in (digest.hash_offset, digest.root.hex())]
        assert got == wanted, f"tree {seed}"


def test_release_1_5_leaves_lost_and_found_out(digest_tree, as_found):
    """mkfs.erofs 1.5 leaves out every name with this prefix, at any depth. Later releases keep them."""
    old = replace(as_found, layouts=(EROFS_1_5,))
    plain = [file(b"a", b"hello\n"), directory(b"d", 0o755, [])]
    names = [file(b"lost+found", b"x"), directory(b"lost+found.d", 0o755, []), plain[0]]
    more = [*names, directory(b"d", 0o755, [file(b"lost+found2", b"x")])]
    without, with_names = (directory(b"", 0o755, nodes) for nodes in (plain, more))
    assert digest_tree(with_names, old).digests == digest_tree(without, old).digests
    assert digest_tree(with_names).digests != digest_tree(without).digests


@pytest.mark.parametrize(
    ("size", "inode_bytes", "is_inline", "hash_offset"),
    [
        (2**32 - 1, 32, False, 4294971392),
        (2**32 + 4032, 64, True, 4294975488),
        (2**32 + 4033, 64, False, 4294975488),
    ],
)
def test_a_file_above_4_gib_gets_an_extended_inode(size, inode_bytes, is_inline, hash_offset):
    """The offsets come from mkfs.erofs 1.9.1, for a sparse file and a small one beside it."""
    plan = plan_erofs(directory(b"", 0o755, [Node(b"big", FileKind.FILE, 0o644, size), file(b"z", b"hi\n")]))
    big = plan.inodes[1]
    assert (big.inode_bytes, big.is_inline, plan.size_bytes) == (inode_bytes, is_inline, hash_offset)


def test_an_extended_inode_has_the_golden_bytes():
    """The values come from the image of mkfs.erofs 1.9.1 for the last case above."""
    plan = plan_erofs(directory(b"", 0o755, [Node(b"big", FileKind.FILE, 0o644, 2**32 + 4033), file(b"z", b"hi\n")]))
    assert plan.inodes[1].position == 1248
    golden = "01000000a4810000c10f0000010000000100000002000000" + 20 * "00" + "01000000" + 16 * "00"
    assert inode_record(plan.inodes[1]).hex() == golden


def test_images_too_large_for_the_format_are_refused():
    huge = directory(b"", 0o755, [Node(b"huge", FileKind.FILE, 0o644, 2**44)])
    with pytest.raises(FormatError, match="the layout of such a tree is not proven"):
        plan_erofs(huge)


def test_too_many_subdirectories_are_refused():
    folders = [directory(b"%d" % number, 0o755, []) for number in range(65534)]
    with pytest.raises(FormatError, match="65534 subdirectories"):
        plan_erofs(directory(b"", 0o755, folders))


def test_a_plan_from_sizes_has_no_bytes():
    plan = plan_erofs(directory(b"", 0o755, [Node(b"a", FileKind.FILE, 0o644, 10)]))
    with pytest.raises(UsageError, match="only the size"):
        list(image_chunks(plan))


@pytest.mark.parametrize("chunk_bytes", [4096, 12288, 1 << 20])
def test_the_stream_does_not_depend_on_the_chunk_size(chunk_bytes, random_trees):
    plan = plan_erofs(random_trees.tree_of(3))
    whole = b"".join(map(bytes, image_chunks(plan)))
    assert b"".join(map(bytes, image_chunks(plan, chunk_bytes))) == whole
    assert len(whole) == plan.size_bytes

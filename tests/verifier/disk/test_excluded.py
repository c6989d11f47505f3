"""Tests of excluded files: two pattern dialects, two effects, and the traces that stay on the disk."""

from __future__ import annotations

import shutil
import subprocess
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provenance_oracle.verifier.disk import PRIVATEMODE, digest_disk, plan_disk, plan_sizes
from provenance_oracle.verifier.disk.excluded import apply_excluded, parse_excluded
from provenance_oracle.verifier.disk.globs import gitattributes, gitignore, shell_glob
from provenance_oracle.verifier.disk.lfs import pointer_bytes
from provenance_oracle.verifier.disk.tree import nodes_below, read_tree
from provenance_oracle.verifier.errors import FormatError, ProvenanceError, UsageError

# A repository with an entry for every rule.
FILES = {
    ".gitattributes": b"*.bin filter=lfs diff=lfs merge=lfs -text\nplain/*.bin -filter\n",
    ".hidden.bin": b"hidden",
    "README.md": b"read me",
    "model.bin": b"weights" * 100,
    "model-00001-of-00002.safetensors": b"1" * 300,
    "model-00002-of-00002.safetensors": b"2" * 300,
    "original/model.bin": b"o" * 700,
    "original/params.json": b"{}",
    "metal/model.bin": b"m" * 900,
    "sub/model.bin": b"s" * 1000,
    "sub/notes.txt": b"notes",
    "sub/deep/model.bin": b"d" * 1100,
    "sub/original/x.bin": b"x" * 1200,
    "plain/model.bin": b"p" * 1300,
    "single/only.bin": b"z" * 1400,
    "single_a.txt": b"a",
    "single_b.txt": b"b",
    "file1.txt": b"1",
    "file2.txt": b"2",
    "filex.txt": b"x",
}

# Lists, and the paths of the repository that remain (determined with bash 5.2: `shopt -s nullglob; rm -rf LIST`).
LISTS = [
    "",
    "original,metal",
    "model-00001-of-00002.safetensors,model-00002-of-00002.safetensors",
    "flax_model.msgpack,*.bin",
    "sub/*.bin",
    "sub/original",
    "single/*",
    "*/model.bin",
    "*",
    ".*",
    "**/model.bin",
    "file[12].txt",
    "file[!12].txt",
    "single_?.txt",
    "sub/",
    "README.md/",
    "*/",
    "model.bin sub/notes.txt",
    " original , metal ",
    "o*l,*-0000[1-2]-*",
]


@pytest.fixture
def repository(tmp_path):
    return write_repository(tmp_path / "repository")


def write_repository(folder):
    for name, content in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


def paths_left(folder, excluded):
    kept = apply_excluded(read_tree(folder), parse_excluded(excluded), lambda path, file: file)
    return sorted(path.decode() for path, _ in nodes_below(kept))


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed")
@pytest.mark.parametrize("excluded", LISTS)
def test_what_is_removed_equals_what_bash_removes(repository, excluded, tmp_path):
    other = write_repository(tmp_path / "other")
    script = 'shopt -s nullglob globskipdots; readarray -t parts <<<"${1//,/$\'\\n\'}"; cd "$2"; rm -rf ${parts[@]}'
    subprocess.run(["bash", "-c", script, "bash", excluded, other], check=False, capture_output=True)
    assert paths_left(repository, excluded) == sorted(str(path.relative_to(other)) for path in other.rglob("*"))


def test_a_match_in_the_root_is_gone_with_all_below(repository):
    left = paths_left(repository, "original,metal")
    assert not any(path.startswith(("original", "metal")) for path in left)
    assert "sub/original/x.bin" in left


def test_a_star_matches_no_hidden_name(repository):
    assert ".hidden.bin" in paths_left(repository, "*.bin")
    assert paths_left(repository, "*") == [".gitattributes", ".hidden.bin"]


def test_a_folder_emptied_by_a_glob_stays(repository):
    assert "single" in paths_left(repository, "single/*")
    assert "single/only.bin" not in paths_left(repository, "single/*")


def pointer(content: bytes) -> bytes:
    lines = (
        f"version https://git-lfs.github.com/spec/v1\noid sha256:{sha256(content).hexdigest()}\nsize {len(content)}\n"
    )
    return lines.encode()


def test_a_nested_lfs_file_stays_as_pointer_text(repository, tmp_path):
    """The file was never fetched, so the disk equals that of a folder with the pointer in its place."""
    disk = plan_disk(repository, PRIVATEMODE, excluded="model.bin")
    assert disk.pointers == ("metal/model.bin", "original/model.bin", "sub/deep/model.bin", "sub/model.bin")
    by_hand = write_repository(tmp_path / "by hand")
    (by_hand / "model.bin").unlink()
    for name in disk.pointers:
        (by_hand / name).write_bytes(pointer(FILES[name]))
    assert digest_disk(disk).digests == digest_disk(plan_disk(by_hand, PRIVATEMODE)).digests
    # Pointer text that is already there, as after the publisher's own steps, stays unchanged.
    again = plan_disk(by_hand, PRIVATEMODE, excluded="model.bin")
    assert again.pointers == ()
    assert digest_disk(again).digests == digest_disk(disk).digests


def test_a_nested_file_outside_lfs_stays_whole(repository):
    disk = plan_disk(repository, PRIVATEMODE, excluded="notes.txt,params.json")
    assert disk.pointers == ()
    assert digest_disk(disk).digests == digest_disk(plan_disk(repository, PRIVATEMODE)).digests


def test_an_empty_lfs_file_has_no_pointer(repository):
    (repository / "sub/model.bin").write_bytes(b"")
    assert "sub/model.bin" not in plan_disk(repository, PRIVATEMODE, excluded="model.bin").pointers


def test_attributes_in_a_folder_outweigh_those_above(repository):
    (repository / "sub/.gitattributes").write_text("/model.bin !filter\n# *.bin -filter\ndeep/*.bin filter=lfs\n")
    pointers = plan_disk(repository, PRIVATEMODE, excluded="model.bin").pointers
    assert "sub/model.bin" not in pointers
    assert "sub/deep/model.bin" in pointers


def test_attributes_of_a_folder_that_sorts_first_outweigh_those_above(repository):
    (repository / "!first").mkdir()
    (repository / "!first/model.bin").write_bytes(b"weights")
    (repository / "!first/.gitattributes").write_text("*.bin !filter\n")
    assert "!first/model.bin" not in plan_disk(repository, PRIVATEMODE, excluded="model.bin").pointers


def test_no_more_rules_than_can_be_compared_with_each_file(repository):
    (repository / "sub/.gitattributes").write_text("*.bin filter=lfs\n" * 998)
    plan_disk(repository, PRIVATEMODE, excluded="model.bin")
    (repository / "sub/.gitattributes").write_text("*.bin filter=lfs\n" * 999)
    with pytest.raises(FormatError, match="too many rules: got more than 1000"):
        plan_disk(repository, PRIVATEMODE, excluded="model.bin")


@pytest.mark.parametrize("line", ['"with space.bin" filter=lfs', "[attr]lfs filter=lfs", "a\\*.bin filter=lfs"])
def test_attributes_that_are_not_understood_are_refused(repository, line):
    (repository / ".gitattributes").write_text(line)
    with pytest.raises(ProvenanceError, match="cannot read this pattern") as caught:
        plan_disk(repository, PRIVATEMODE, excluded="model.bin")
    assert caught.value.where == ".gitattributes"


def test_size_of_a_pointer():
    for size in (1, 9, 10, 1234, 10**12):
        assert pointer_bytes(size) == len(f"{size}") + 125
    assert len(pointer(b"x" * 700)) == pointer_bytes(700)


def test_sizes_and_folder_give_the_same_offset(repository):
    lines = "".join(f"{len(content)} {name}\n" for name, content in FILES.items()).encode()
    for excluded in LISTS:
        if "**" in excluded or excluded in ("*/model.bin", "*"):
            continue  # a list of sizes does not show that plain/model.bin is not in Git LFS
        from_sizes = plan_sizes(lines, PRIVATEMODE, excluded=excluded)
        from_folder = plan_disk(repository, PRIVATEMODE, excluded=excluded)
        if excluded != "single/*":  # a list of sizes has no empty folders
            assert from_sizes.hash_offset == from_folder.hash_offset, excluded


# --- patterns ------------------------------------------------------------------------------------------------

# Determined with git-lfs 3.3.0: the files that stay pointers after `git lfs pull` under lfs.fetchexclude.
GITIGNORE = [
    ("model.bin", ["model.bin", "sub/model.bin", "sub/deep/model.bin"], ["sub/model.bin2", "amodel.bin"]),
    ("sub", ["sub/model.bin", "sub/deep/model.bin", "x/sub/y"], ["subx/model.bin", "a.sub"]),
    ("sub/", ["sub/model.bin", "x/sub/y"], ["subx"]),
    ("sub/*.bin", ["sub/model.bin"], ["x/sub/model.bin", "sub/deep/model.bin"]),
    ("/model.bin", ["model.bin"], ["sub/model.bin"]),
    ("*.bin", [".hidden.bin", "a.bin", "sub/a.bin", "a.bin/x"], ["a.binx"]),
    ("**/model.bin", ["model.bin", "sub/deep/model.bin"], ["sub/amodel.bin"]),
    ("sub/**/x.bin", ["sub/x.bin", "sub/original/x.bin"], ["x.bin", "asub/x.bin"]),
    ("sub/**", ["sub/x", "sub/a/b"], ["sub", "x/sub/y"]),
    ("model-0000[1-2]-*", ["model-00001-of-2", "a/model-00002-"], ["model-00003-of-2"]),
    ("file[!12].txt", ["filex.txt"], ["file1.txt"]),
    ("?", ["a", "b/c", "c/long"], ["ab"]),
]


@pytest.mark.parametrize(("pattern", "matches", "others"), GITIGNORE)
def test_gitignore_patterns(pattern, matches, others):
    assert [path for path in matches + others if gitignore(pattern).fullmatch(path)] == matches


def test_gitattributes_patterns_do_not_reach_into_folders():
    assert gitattributes("sub").fullmatch("x/sub")
    assert not gitattributes("sub").fullmatch("sub/model.bin")
    assert gitattributes("sub/**").fullmatch("sub/a/b")


@pytest.mark.parametrize(
    "pattern",
    [
        "/etc",
        "../x",
        "a/../b",
        "./a",
        "a//b",
        "/",
        "a\\*b",
        "[",
        "a]",
        "[]a]",
        "[[:alpha:]]",
        "[z-a]",
        "-rf",
        "!a",
        "x" * 600,
    ],
)
def test_patterns_without_one_meaning_are_refused(pattern):
    with pytest.raises(UsageError, match="cannot read this pattern"):
        parse_excluded(pattern)


def test_long_lists_are_refused():
    with pytest.raises(UsageError, match="too long"):
        parse_excluded("a," * 200)
    with pytest.raises(UsageError, match="too long"):
        parse_excluded("a" * 9000)


@pytest.mark.timeout(20)
def test_many_stars_match_fast():
    assert not shell_glob("*a" * 100).fullmatch("a" * 99)
    assert not gitignore("**/" * 4 + "*a" * 100 + "b").fullmatch("/".join(["a" * 250] * 16))


@given(st.text(alphabet="ab*?[]!-^/\\., \n\x00é", max_size=30))
def test_only_known_errors_leave_the_patterns(text):
    try:
        excluded = parse_excluded(text)
    except ProvenanceError:
        return
    for pattern in (*excluded.removed, *excluded.unfetched):
        pattern.fullmatch("a/b/ab")

"""Which files of tools are set aside, byte for byte; everything else stays a difference from the manifest."""

from __future__ import annotations

from pathlib import Path

import pytest

from provenance_oracle.verifier.digest import bookkeeping
from provenance_oracle.verifier.digest.bookkeeping import is_bookkeeping, is_lfs_pointer, most_bytes, tool_entry

NAMED = {"config.json", "sub/model.safetensors", "provenance/cvm-key.pem", "LICENSE"}
COMMIT, SHA256, TIME = b"0a" * 20, b"0b" * 32, b"1712656091.1234567"
DOWNLOADED = b"%s\n%s\n%s\n" % (COMMIT, SHA256, TIME)
UPLOADED = b"%s\n9000\n0\n%s\nlfs\n\n1\n1\n" % (TIME, SHA256)
NOTES = ".cache/huggingface"
# The .gitattributes that the hub puts into every new repository, in part.
HUB_ATTRIBUTES = b"*.7z filter=lfs diff=lfs merge=lfs -text\nsaved_model/**/* filter=lfs diff=lfs merge=lfs -text\n"


@pytest.mark.parametrize(
    ("path", "data"),
    [
        (".gitattributes", b""),
        (".gitattributes", HUB_ATTRIBUTES),
        (".gitattributes", HUB_ATTRIBUTES.replace(b"\n", b"\r\n")),
        (".gitattributes", b"* text=auto eol=lf\n\n*.py\t-text !diff working-tree-encoding=UTF-16\n*.x binary"),
        (f"{NOTES}/.gitignore", b"*"),
        (f"{NOTES}/.gitignore.lock", b""),
        (f"{NOTES}/CACHEDIR.TAG", bookkeeping._HUB_FILES["CACHEDIR.TAG"]),
        (f"{NOTES}/download/config.json.metadata", DOWNLOADED),
        (f"{NOTES}/download/config.json.metadata", DOWNLOADED.replace(SHA256, COMMIT)),
        (f"{NOTES}/download/config.json.lock", b""),
        (f"{NOTES}/download/LICENSE.lock", b""),
        (f"{NOTES}/download/.gitattributes.metadata", DOWNLOADED),
        (f"{NOTES}/download/sub/model.safetensors.metadata", DOWNLOADED),
        (f"{NOTES}/download/provenance/cvm-key.pem.metadata", DOWNLOADED),
        (f"{NOTES}/upload/config.json.metadata", UPLOADED),
        (f"{NOTES}/upload/config.json.metadata", b"%s\n1\n\n\n\n\n0\n0\n" % TIME),
        (f"{NOTES}/upload/config.json.lock", b""),
    ],
)
def test_what_tools_write_is_known(path: str, data: bytes) -> None:
    most = most_bytes(path)
    assert most is not None
    assert len(data) <= most
    assert is_bookkeeping(path, data, NAMED)


@pytest.mark.parametrize(
    ("path", "data"),
    [
        (".gitattributes", b"# a comment\n"),
        (".gitattributes", b"import os\n"),
        (".gitattributes", b"*.py\n"),
        (".gitattributes", b"*.py evil\n"),
        (".gitattributes", b"*.py linguist-vendored\n"),
        (".gitattributes", b"*.py filter=$(id)\n"),
        (".gitattributes", b"*.py filter=\n"),
        (".gitattributes", b"[attr]m filter=x\n"),
        (".gitattributes", b'"a b" text\n'),
        (".gitattributes", b"!a text\n"),
        (".gitattributes", b"\xff text\n"),
        (".gitattributes", b"\xef\xbb\xbf* text\n"),
        (".gitattributes", "a\u200b text\n".encode()),
        (".gitattributes", "a\u2028b text\n".encode()),
        (".gitattributes", b"a\x0b text\n"),
        (".gitattributes", b"a\x00 text\n"),
        (".gitattributes", b"a" * 2000 + b" text\n"),
        (f"{NOTES}/.gitignore", b""),
        (f"{NOTES}/.gitignore", b"*\n"),
        (f"{NOTES}/CACHEDIR.TAG", b"Signature: 8a477f597d28d172789f06886806bc55\n"),
        (f"{NOTES}/modeling.py", b""),
        (f"{NOTES}/download/modeling.py", b""),
        (f"{NOTES}/download/other.lock", b""),
        (f"{NOTES}/download/other.metadata", DOWNLOADED),
        (f"{NOTES}/download/config.json.lock", b"x"),
        (f"{NOTES}/download/config.json.metadata", b""),
        (f"{NOTES}/download/config.json.metadata", DOWNLOADED + b"\n"),
        (f"{NOTES}/download/config.json.metadata", DOWNLOADED[:-1]),
        (f"{NOTES}/download/config.json.metadata", DOWNLOADED.replace(b"a", b"A")),
        (f"{NOTES}/download/config.json.metadata", UPLOADED),
        (f"{NOTES}/download/x.incomplete", b""),
        (f"{NOTES}/upload/config.json.metadata", DOWNLOADED),
        (f"{NOTES}/upload/config.json.metadata", UPLOADED.replace(b"lfs", b"py")),
        (f"{NOTES}/trees/config.json.metadata", DOWNLOADED),
        (f"{NOTES}/download", b""),
    ],
)
def test_anything_else_is_not(path: str, data: bytes) -> None:
    assert not is_bookkeeping(path, data, NAMED)


@pytest.mark.parametrize("path", ["sub/.gitattributes", ".gitignore", ".cache/x", ".cache/huggingface", ".DS_Store"])
def test_other_places_are_not_looked_into(path: str) -> None:
    assert most_bytes(path) is None


def test_the_work_on_attributes_doubles_with_their_size(monkeypatch: pytest.MonkeyPatch) -> None:
    words = []

    class Counting:
        def fullmatch(self, word: str) -> bool:
            words.append(word)
            return True

    monkeypatch.setattr(bookkeeping, "_ATTRIBUTE", Counting())
    counts = []
    for repeats in (200, 400, 800):
        words.clear()
        assert is_bookkeeping(".gitattributes", b"*.a text -diff\n" * repeats, NAMED)
        counts.append(len(words))
    assert counts == [400, 800, 1600]


@pytest.mark.parametrize("size", [b"0", b"9000", b"1" * 30])
def test_lfs_pointers_are_known(size: bytes) -> None:
    pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:%s\nsize %s\n" % (SHA256, size)
    assert is_lfs_pointer(pointer)
    assert not is_lfs_pointer(pointer + b"x")
    assert not is_lfs_pointer(b"x" + pointer)


@pytest.mark.parametrize(
    ("path", "entry"),
    [
        (".git/objects/ab/cd", ".git"),
        ("sub/.DS_Store", "sub/.DS_Store"),
        ("._model.safetensors", "._model.safetensors"),
        ("a/b", ""),
        (".github/x", ""),
        (".hidden", ""),
        ("__pycache__/x.pyc", ""),
    ],
)
def test_names_that_tools_add(path: str, entry: str) -> None:
    assert tool_entry(path) == entry


def test_the_shapes_are_those_of_the_installed_package(tmp_path: Path) -> None:
    local = pytest.importorskip("huggingface_hub._local_folder", reason="huggingface_hub is not installed")
    local.write_download_metadata(tmp_path, "sub/model.safetensors", COMMIT.decode(), SHA256.decode())
    found = [path for path in (tmp_path / ".cache").rglob("*") if path.is_file()]
    assert found
    for path in found:
        assert is_bookkeeping(str(path.relative_to(tmp_path)), path.read_bytes(), NAMED), path

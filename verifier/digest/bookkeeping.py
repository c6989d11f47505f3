"""Files that hubs, git and desktops add to a folder after it was packed: which are set aside, and how each is known.

The manifest does not name these files, so its signature does not cover them. A file is set aside only if its bytes have
exactly the shape that the tool writes, so that nothing else can be carried in it; the verdict names its digest. Shapes:
huggingface_hub 2.4.0, `_local_folder.py`; gitattributes(5), git 2.39; git-lfs, docs/spec.md, "The Pointer".
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterable

from provenance_oracle.verifier.characters import unacceptable_in

GIT_ATTRIBUTES = ".gitattributes"
HUB_FOLDER = ".cache/huggingface"
LFS_POINTER_MAX_BYTES = 1024

_ATTRIBUTES_MAX_BYTES = 1 << 16
_HUB_MAX_BYTES = 512
_LINE_MAX_CHARS = 1024
_HINTS_MAX = 5
_ATTRIBUTE_NAMES = (
    "binary|conflict-marker-size|crlf|delta|diff|encoding|eol|export-ignore|export-subst|filter|ident|merge|text"
    "|whitespace|working-tree-encoding"
)
_ATTRIBUTE = re.compile(f"[-!]?(?:{_ATTRIBUTE_NAMES})|(?:{_ATTRIBUTE_NAMES})=[A-Za-z0-9._,-]{{1,64}}")
_NO_PATTERN = ("#", "!", '"', "[attr]")  # comments, negations, quotes and macros

_TIME = rb"[0-9]{1,12}(?:\.[0-9]{1,9})?\n"
_DIGEST = rb"(?:[0-9a-f]{40}|[0-9a-f]{64})"
_DOWNLOADED = re.compile(rb"[0-9a-f]{40}\n" + _DIGEST + rb"\n" + _TIME)
_UPLOADED = re.compile(
    _TIME + rb"[0-9]{1,16}\n[01]?\n(?:[0-9a-f]{64})?\n(?:regular|lfs)?\n" + _DIGEST + rb"?\n[01]\n[01]\n"
)
_HUB_FILES = {
    ".gitignore": b"*",
    ".gitignore.lock": b"",
    "CACHEDIR.TAG": (
        b"Signature: 8a477f597d28d172789f06886806bc55\n"
        b"# This file is a cache directory tag created by huggingface_hub.\n"
        b"# For information about cache directory tags, see:\n"
        b"#\thttps://bford.info/cachedir/\n"
    ),
}
_HUB_METADATA = {"download": _DOWNLOADED, "upload": _UPLOADED}

_LFS_POINTER = re.compile(
    rb"version https://git-lfs\.github\.com/spec/v1\n(?:ext-[^\n]*\n)*oid sha256:[0-9a-f]{64}\nsize [0-9]+\n"
)

# Entries that tools add under these names, at any depth. None of them is where code is loaded from.
_TOOLS = re.compile(r"\.git|\.gitattributes|\.gitignore|\.cache|\.DS_Store|\._.*|__MACOSX|Thumbs\.db|desktop\.ini")


def most_bytes(path: str) -> int | None:
    """Return how many bytes a file at `path` may have to be set aside; None if no tool of the list writes that path."""
    if path == GIT_ATTRIBUTES:
        return _ATTRIBUTES_MAX_BYTES
    return _HUB_MAX_BYTES if path.startswith(f"{HUB_FOLDER}/") else None


def is_bookkeeping(path: str, data: bytes, named: Container[str]) -> bool:
    """Return whether `data` is what a tool writes at `path`.

    Args:
        path: a path for which `most_bytes` is not None.
        named: the paths of the release. The hub keeps notes on the files of the repository, and on no others.
    """
    if path == GIT_ATTRIBUTES:
        return _has_only_attributes(data)
    inner = path.removeprefix(f"{HUB_FOLDER}/")
    if inner in _HUB_FILES:
        return data == _HUB_FILES[inner]
    kind, _, noted = inner.partition("/")
    if kind not in _HUB_METADATA:
        return False
    if noted.endswith(".lock"):
        return data == b"" and _is_of_repository(noted.removesuffix(".lock"), named)
    is_note = noted.endswith(".metadata") and _is_of_repository(noted.removesuffix(".metadata"), named)
    return is_note and _HUB_METADATA[kind].fullmatch(data) is not None


def _is_of_repository(path: str, named: Container[str]) -> bool:
    return path in named or path == GIT_ATTRIBUTES


def _has_only_attributes(data: bytes) -> bool:
    """Return whether each line is blank, or one pattern and attributes that git itself knows."""
    try:
        lines = data.decode().replace("\r\n", "\n").split("\n")
    except UnicodeDecodeError:
        return False
    return all(_is_attributes_line(line) for line in lines)


def _is_attributes_line(line: str) -> bool:
    if len(line) > _LINE_MAX_CHARS or unacceptable_in(line.replace("\t", " ")):
        return False
    words = line.split()
    if not words:
        return True
    pattern, attributes = words[0], words[1:]
    return not pattern.startswith(_NO_PATTERN) and bool(attributes) and all(map(_ATTRIBUTE.fullmatch, attributes))


def is_lfs_pointer(data: bytes) -> bool:
    """Return whether a file holds the pointer that Git LFS leaves in place of a file that it did not fetch."""
    return _LFS_POINTER.fullmatch(data) is not None


def ignore_hint(paths: Iterable[str]) -> str:
    """Return the end of a message that tells how to leave out the files that tools added; empty if there are none."""
    entries = sorted({entry for entry in map(tool_entry, paths) if entry})
    options = " ".join(f"--ignore {entry}" for entry in entries[:_HINTS_MAX])
    return f"; `check {options}` leaves out what tools added" if entries else ""


def tool_entry(path: str) -> str:
    """Return the part of `path` up to the first name that a tool adds, such as `.git`; empty if there is none."""
    segments = path.split("/")
    for position, segment in enumerate(segments, 1):
        if _TOOLS.fullmatch(segment):
            return "/".join(segments[:position])
    return ""

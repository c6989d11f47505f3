"""Names that a release may use: file paths, model names and versions.

Every reader, file system and terminal must see the same name for the same file. A path is therefore printable,
relative, in Unicode form NFC and without empty or dot segments, and no two paths differ by letter case alone.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from provenance_oracle.verifier.characters import some_characters, unacceptable_in
from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.errors import FormatError

PROVENANCE_FOLDER = "provenance"
MAX_PATH_BYTES = 4096
MAX_SEGMENT_BYTES = 255
MAX_FOLDERS = 32  # folders in a path, above the file itself

_SLUG = "[A-Za-z0-9](?:[A-Za-z0-9._-]{0,94}[A-Za-z0-9])?"
_MODEL_NAME = re.compile(f"{_SLUG}/{_SLUG}")
_VERSION = re.compile("[A-Za-z0-9](?:[A-Za-z0-9._+-]{0,62}[A-Za-z0-9])?")
_DRIVE = re.compile("[A-Za-z]:")

# File name endings of programs, libraries and pickle formats, which can run code when a model is loaded or used.
_CODE = re.compile(
    r"\.(bash|bat|bin|c|cc|ckpt|cmd|cpp|cu|dill|dll|dylib|exe|h5|ipynb|jar|joblib|js|keras|lua|mjs|php|pickle|pkl|pl|ps1"
    r"|pt|pt2|pth|py|pyc|pyd|pyx|rb|sh|so|so\.[0-9.]+|ts|wasm|whl)\Z",
    re.IGNORECASE,
)


def parse_model_name(text: str, where: str) -> str:
    """Return `text` if it is a model name of the form `namespace/model`.

    Each part has 1 to 96 ASCII letters, digits, `.`, `_` and `-`, begins and ends with a letter or digit, and does not
    contain `..`. `where` names the field in messages.

    Raises:
        FormatError: it is not (check `manifest-format`).
    """
    if ".." in text or not _MODEL_NAME.fullmatch(text):
        raise _malformed("not a model name", Check.MANIFEST_FORMAT, where, text, "namespace/model in A-Z a-z 0-9 . _ -")
    return text


def parse_version(text: str, where: str) -> str:
    """Return `text` if it is a version.

    A version has 1 to 64 ASCII letters, digits, `.`, `_`, `+` and `-`, begins and ends with a letter or digit, and does
    not contain `..`. `where` names the field in messages.

    Raises:
        FormatError: it is not (check `manifest-format`).
    """
    if ".." in text or not _VERSION.fullmatch(text):
        raise _malformed("not a version", Check.MANIFEST_FORMAT, where, text, "1 to 64 of A-Z a-z 0-9 . _ + -")
    return text


def parse_path(text: str, *, where: str, check: Check, in_provenance: bool = False) -> str:
    """Return `text` if it is an acceptable relative POSIX path of a model file.

    A path has at most 4096 bytes in UTF-8, a segment at most 255, and a file lies in at most 32 folders. `where` and
    `check` go into the error. With `in_provenance`, the path may lie in `provenance/`.

    Raises:
        FormatError: the path breaks a rule of this module, or lies in `provenance/`.
    """
    segments = text.split("/")
    problem = _first_problem(text, segments)
    if not problem and segments[0].casefold() == PROVENANCE_FOLDER:
        problem = "" if in_provenance and segments[0] == PROVENANCE_FOLDER else f"lies in {PROVENANCE_FOLDER}/"
    if problem:
        raise _malformed(f"file name {problem}", check, where, text, "a relative path, NFC, printable, no dot segments")
    return text


def _first_problem(text: str, segments: list[str]) -> str:
    if unacceptable := unacceptable_in(text):
        return f"has control, invisible or unknown characters: {some_characters(unacceptable)}"
    if not unicodedata.is_normalized("NFC", text):
        return "is not in Unicode form NFC"
    if len(text.encode()) > MAX_PATH_BYTES:
        return f"is longer than {MAX_PATH_BYTES} bytes"
    if any(segment in ("", ".", "..") for segment in segments):
        return "is empty or absolute, or has empty or dot segments"
    if any(len(segment.encode()) > MAX_SEGMENT_BYTES for segment in segments):
        return f"has a segment longer than {MAX_SEGMENT_BYTES} bytes"
    if len(segments) > MAX_FOLDERS + 1:
        return f"lies in more than {MAX_FOLDERS} folders"
    if "\\" in text or _DRIVE.match(text):
        return "has a backslash or a drive letter"
    return ""


# Maps a case-folded name to its spelling and, for a folder, to the folder's own entries (None for a file). The tree
# takes no more memory than the paths themselves.
_Folder = dict[str, tuple[str, "_Folder | None"]]


def refuse_collisions(paths: Iterable[str], *, where: str, check: Check) -> None:
    """Raise FormatError if two paths are equal, differ by letter case alone, or use one name as file and as folder.

    Names of folders are compared as well: `A/x` and `a/y` would share a folder on some file systems. Letter case is
    compared by Unicode case folding of the NFD form. `where` and `check` go into the error.

    Raises:
        FormatError: two paths collide.
    """
    root: _Folder = {}
    for path in paths:
        folder, segments = root, path.split("/")
        for position, segment in enumerate(segments[:-1]):
            spelling, inner = folder.setdefault(_folded(segment), (segment, {}))
            if spelling != segment or inner is None:
                raise _collision(segments[: position + 1], spelling, where, check)
            folder = inner
        if (name := _folded(segments[-1])) in folder:
            raise _collision(segments, folder[name][0], where, check)
        folder[name] = (segments[-1], None)


def _collision(segments: list[str], spelling: str, where: str, check: Check) -> FormatError:
    other = "/".join([*segments[:-1], spelling])
    return _malformed("two file names collide", check, where, "/".join(segments), f"none that collides with {other}")


def _folded(name: str) -> str:
    return unicodedata.normalize("NFD", unicodedata.normalize("NFD", name).casefold())


def may_hold_code(path: str) -> bool:
    """Return whether the name of a file is that of a file that can run code.

    False proves nothing: a configuration file can make the loader fetch and run code.
    """
    return bool(_CODE.search(path.rpartition("/")[2]))


def _malformed(problem: str, check: Check, where: str, got: str, wanted: str) -> FormatError:
    return FormatError(problem, check=check, where=where, got=got, wanted=wanted)

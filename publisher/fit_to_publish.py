"""Refuse to publish secrets and the bookkeeping of tools, and names that some system cannot hold; copy the rest."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Collection, Iterator
from pathlib import Path

from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.errors import FormatError, TemporaryError, UsageError
from provenance_oracle.verifier.manifest.names import PROVENANCE_FOLDER, parse_path

_MAX_SHOWN = 10
_MAX_FOUND = 100_000
# A private key in PEM is far smaller. Of a larger file only the start is searched.
_SEARCHED_BYTES = 1 << 20
_PRIVATE_KEY = re.compile(rb"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY-----")
# Names, case-folded, of secrets and of what tools keep beside a model; every segment of a path is compared.
_NAMES = frozenset(
    {
        *(".git", ".gitmodules", ".git-credentials", ".hg", ".svn"),
        *(".cache", ".huggingface", ".venv", ".direnv", ".ds_store", "__pycache__"),
        *(".env", ".netrc", ".npmrc", ".pypirc", ".ssh", ".aws", ".gnupg", ".kube", ".docker"),
        *("hf_access_token", "id_rsa", "id_dsa", "id_ecdsa", "id_ed25519"),
    }
)
_ENDINGS = (".keystore", ".p12", ".pfx", ".partial", "_access_token")
_WINDOWS_CHARACTERS = frozenset('<>:"|?*\\')
_WINDOWS_DEVICES = frozenset(
    ["con", "prn", "aux", "nul", "conin$", "conout$"]
    + [f"{device}{number}" for device in ("com", "lpt") for number in "0123456789\u00b9\u00b2\u00b3"]
)

Ignored = Callable[[str], bool]


def refuse_unfit(folder: Path, *, include: Collection[str] = (), key: Path | None = None) -> None:
    """Refuse a folder with a file or folder that is not to be published. `provenance/` is left to other rules.

    Args:
        include: paths in the folder, with `/`, to publish all the same; a folder's path covers all that lies in it.
        key: the file with the key that signs the release.

    Raises:
        UsageError: the folder has such files; the error names the first ten, each with the reason.
        TemporaryError: the folder cannot be read.
    """
    allowed = tuple(path.strip("/") for path in include)
    found = []
    for path, is_folder in _walk(folder, lambda path: path == PROVENANCE_FOLDER or _is_in(path, allowed)):
        reason = unfit_name(path) or ("" if is_folder else _secret_in(folder / path, key))
        if reason:
            found.append(f"{path} ({reason})")
    if found:
        got = ", ".join(found[:_MAX_SHOWN]) + (f" and {len(found) - _MAX_SHOWN} more" if found[_MAX_SHOWN:] else "")
        wanted = "none; leave them out with --ignore PATTERN --into DIR, or publish them with --include PATH for each"
        raise UsageError("the folder has files that should not be published", where=str(folder), got=got, wanted=wanted)


def refuse_names(folder: Path) -> None:
    """Refuse a folder with names that no release may have; the error names the first ten, each with the reason.

    Raises:
        FormatError: the folder has such names (check `file-set`).
        UsageError, TemporaryError: as `refuse_unfit`.
    """
    found = []
    for path, _ in _walk(folder, lambda path: path == PROVENANCE_FOLDER):
        try:
            parse_path(path, where="model", check=Check.FILE_SET)
        except FormatError as error:
            found.append(f"{path}: {error.problem.removeprefix('file name ')}")
    if found:
        got = "; ".join(found[:_MAX_SHOWN]) + (f" and {len(found) - _MAX_SHOWN} more" if found[_MAX_SHOWN:] else "")
        wanted = "other names: printable, in Unicode form NFC"
        problem = f"{len(found)} file names are not acceptable in a release"
        raise FormatError(problem, check=Check.FILE_SET, where=str(folder), got=got, wanted=wanted)


def unfit_name(path: str) -> str:
    """Return the reason not to publish a file or folder by the last segment of its path; "" if there is none."""
    name = path.rpartition("/")[2]
    folded = name.casefold()
    if folded in _NAMES or folded.startswith(".env.") or folded.endswith(_ENDINGS):
        return "a secret, or a tool's own file"
    if folded.partition(".")[0].rstrip() in _WINDOWS_DEVICES:
        return "the name of a device on Windows"
    if _WINDOWS_CHARACTERS & set(name):
        return "Windows cannot hold a name with " + " ".join(sorted(_WINDOWS_CHARACTERS & set(name)))
    if name.endswith((".", " ")):
        return "Windows cannot hold a name that ends with a dot or a space"
    return ""


def copy_without(folder: Path, into: Path, ignored: Ignored) -> None:
    """Copy a model's files into a new or empty folder, except the ignored ones and an old `provenance/`.

    A link to a file becomes a file, as in a snapshot of a hub's cache.

    Args:
        ignored: says whether a path in the folder is left out; all that lies in a left-out folder is left out.

    Raises:
        UsageError: `into` has files, or lies in the folder; or a link leads to a folder.
        TemporaryError: the disk fails.
    """
    source, target = folder.resolve(), into.resolve()
    if target.is_relative_to(source) or source.is_relative_to(target):
        wanted = "a folder beside it, neither inside the other"
        raise UsageError("the two folders overlap", where=f"--into {into}", got=str(folder), wanted=wanted)
    try:
        into.mkdir(parents=True, exist_ok=True)
        if any(into.iterdir()):
            raise UsageError(
                "the folder has files", where=f"--into {into}", got="files", wanted="a new or empty folder"
            )
        for path, is_folder in _walk(folder, lambda path: path == PROVENANCE_FOLDER or ignored(path)):
            if is_folder:
                if (folder / path).is_symlink():
                    raise UsageError("a link to a folder", where=str(folder / path), got="a link", wanted="files")
                continue
            (into / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(folder / path, into / path)
    except (OSError, shutil.Error) as error:
        wanted = "readable files and room for a copy"
        raise TemporaryError("the model cannot be copied", where=str(into), got=str(error), wanted=wanted) from error


def _walk(folder: Path, skipped: Ignored) -> Iterator[tuple[str, bool]]:
    """Return the path of every file and folder in a folder and whether it is a folder, without those skipped."""
    if not folder.is_dir():
        raise UsageError("no such folder", where=str(folder), got="no folder", wanted="a folder with a model's files")

    def fail(error: OSError) -> None:
        raise TemporaryError("cannot be read", where=str(folder), got=str(error), wanted="readable folders") from error

    count = 0
    for place, folders, files in os.walk(folder, onerror=fail):
        inner = os.path.relpath(place, folder)
        above = "" if inner == "." else f"{inner}/"
        folders[:] = sorted(name for name in folders if not skipped(above + name))
        for name in (*folders, *sorted(files)):
            path = above + name
            count += 1
            if count > _MAX_FOUND:
                got, wanted = f"more than {_MAX_FOUND}", f"at most {_MAX_FOUND}"
                raise UsageError("too many files", where=str(folder), got=got, wanted=wanted)
            if name in folders or not skipped(path):
                yield path, name in folders


def _is_in(path: str, allowed: Collection[str]) -> bool:
    return any(path == one or path.startswith(f"{one}/") for one in allowed)


def _secret_in(path: Path, key: Path | None) -> str:
    """Return the reason not to publish a file by its contents; "" if there is none, or if it is no regular file."""
    try:
        if not path.is_file():
            return ""
        if key is not None and path.samefile(key):
            return "the key that signs this release"
        with path.open("rb") as file:
            return "a private key" if _PRIVATE_KEY.search(file.read(_SEARCHED_BYTES)) else ""
    except OSError as error:
        raise TemporaryError("cannot be read", where=str(path), got=str(error), wanted="a readable file") from error

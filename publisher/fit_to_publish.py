"""Refuse to publish secrets and the bookkeeping of tools, and names that some system cannot hold; copy the rest."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.errors import FormatError, TemporaryError, UsageError
from provenance_oracle.verifier.manifest.names import MAX_FOLDERS, PROVENANCE_FOLDER, parse_path
from provenance_oracle.verifier.strict.files import Identity, OpenFile, pieces_of_file
from provenance_oracle.verifier.strict.release_folder import (
    FoundFile,
    Reading,
    ReleaseFolder,
    followed,
    open_release_folder,
)
from provenance_oracle.verifier.strict.walk import FolderEntry, walk
from provenance_oracle.verifier.text import first_of

READING = Reading(hub_links=True)  # a snapshot of the Hugging Face cache can be packed as it is

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
        UsageError: the folder has such files; the error names the first ten, each with the reason. Or the folder does
            not exist, or is too large for a model.
        ChangedError, TemporaryError: the folder changes meanwhile, or cannot be read.
    """
    allowed = tuple(path.strip("/") for path in include)
    found = []
    with open_release_folder(folder, READING) as model:

        def take(entry: FolderEntry) -> None:
            reason = unfit_name(entry.path) or ("" if entry.is_folder else _secret_in(model, entry, key))
            if reason:
                found.append(f"{entry.path} ({reason})")

        _take_all(model, lambda path: path == PROVENANCE_FOLDER or _is_in(path, allowed), take)
    if found:
        got = first_of(found, _MAX_SHOWN)
        wanted = "none; leave them out with --ignore PATTERN --into DIR, or publish them with --include PATH for each"
        raise UsageError("the folder has files that should not be published", where=str(folder), got=got, wanted=wanted)


def refuse_names(folder: Path) -> None:
    """Refuse a folder with names that no release may have; the error names the first ten, each with the reason.

    Raises:
        FormatError: the folder has such names (check `file-set`).
        UsageError, TemporaryError: as `refuse_unfit`.
    """
    found = []

    def take(entry: FolderEntry) -> None:
        try:
            parse_path(entry.path, where="model", check=Check.FILE_SET)
        except FormatError as error:
            found.append(f"{entry.path}: {error.problem.removeprefix('file name ')}")

    with open_release_folder(folder, READING) as model:
        _take_all(model, lambda path: path == PROVENANCE_FOLDER, take)
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

    A link of a Hugging Face cache becomes the file that it leads to. No other link is followed.

    Args:
        ignored: says whether a path in the folder is left out; all that lies in a left-out folder is left out.

    Raises:
        UsageError: `folder` does not exist, `into` has files, or one lies in the other.
        FormatError: the folder has a link or a special file (check `file-set`).
        ChangedError: a file changed while it was copied. TemporaryError: the disk fails.
    """
    folder = followed(folder)
    source, target = folder.resolve(), into.resolve()
    if target.is_relative_to(source) or source.is_relative_to(target):
        wanted = "a folder beside it, neither inside the other"
        raise UsageError("the two folders overlap", where=f"--into {into}", got=str(folder), wanted=wanted)
    with open_release_folder(folder, READING) as model:
        with _writing(into):
            into.mkdir(parents=True, exist_ok=True)
            if any(into.iterdir()):
                problem, wanted = "the folder has files", "a new or empty folder"
                raise UsageError(problem, where=f"--into {into}", got="files", wanted=wanted)

        def take(entry: FolderEntry) -> None:
            if entry.is_folder:
                return
            found = model.identify(entry.folder, entry.path, entry.found)
            with model.open(entry.path, found) as file:
                _copy(file, into / entry.path, into)

        _take_all(model, lambda path: path == PROVENANCE_FOLDER or ignored(path), take)


def _copy(file: OpenFile, target: Path, into: Path) -> None:
    with _writing(into):
        target.parent.mkdir(parents=True, exist_ok=True)
        copy = target.open("xb")
    with copy:
        for piece in pieces_of_file(file):
            with _writing(into):
                copy.write(piece)
        with _writing(into):
            copy.flush()


@contextmanager
def _writing(into: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        wanted = "a folder to write to, and room for a copy"
        raise TemporaryError("the model cannot be copied", where=str(into), got=str(error), wanted=wanted) from error


def _take_all(model: ReleaseFolder, skipped: Ignored, take: Callable[[FolderEntry], None]) -> None:
    """Call `take` with every file and folder of a model, without those skipped.

    Raises:
        UsageError: there are more than 100,000 of them, or folders more than 32 levels down.
        FormatError, ChangedError, TemporaryError: as `walk`, and those of `take`.
    """
    left = _MAX_FOUND

    def visit(entry: FolderEntry) -> bool:
        nonlocal left
        if skipped(entry.path):
            return False
        left -= 1
        if left < 0 or entry.depth > MAX_FOLDERS:
            got = f"more than {_MAX_FOUND} files or {MAX_FOLDERS} levels"
            raise UsageError("the folder is too large", where=entry.path, got=got, wanted="a model's files")
        take(entry)
        return True

    walk(model.descriptor, visit, most=_MAX_FOUND)


def _is_in(path: str, allowed: Collection[str]) -> bool:
    return any(path == one or path.startswith(f"{one}/") for one in allowed)


def _secret_in(model: ReleaseFolder, entry: FolderEntry, key: Path | None) -> str:
    """Return the reason not to publish a file by its contents; "" if there is none, or if it is no regular file."""
    try:
        found = model.identify(entry.folder, entry.path, entry.found)
    except FormatError:
        return ""  # the listing of the files refuses it
    if key is not None and _is_at(found, key):
        return "the key that signs this release"
    with model.open(entry.path, found) as file:
        start = b"".join(pieces_of_file(file, _SEARCHED_BYTES))
    return "a private key" if _PRIVATE_KEY.search(start) else ""


def _is_at(found: FoundFile, path: Path) -> bool:
    try:
        named = path.stat()
    except OSError:
        return False
    identity = found.identity
    return isinstance(identity, Identity) and (named.st_dev, named.st_ino) == (identity.device, identity.inode)

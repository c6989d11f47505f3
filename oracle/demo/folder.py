"""The demo's folder and the model in it. The demo deletes only files that a demo made."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

from provenance_oracle.oracle.demo.model import make_tiny_model
from provenance_oracle.publisher.fit_to_publish import copy_without
from provenance_oracle.publisher.keys import make_key
from provenance_oracle.verifier.errors import TemporaryError, UsageError
from provenance_oracle.verifier.text import first_of

# The file marks a folder of the demo. Its text is the name of the release that the demo made.
_MARKER = ".provenance-demo"
_MADE = {
    _MARKER,
    "releases",
    "evidence",
    "damaged",
    "deployments",
    "cvm.key",
    "publisher.key",
    "chain.json",
    "chain.log",
    "explorer.json",
    "explorer.log",
    "oracles",
    "shared",
    "verdicts",
}
# The oracle's journal, the explorer's index, and the files beside each.
_DATABASES = ("oracle.sqlite", "index.sqlite")
_NO_SLUG = re.compile(r"[^A-Za-z0-9]+")


def prepare_folder(folder: Path, model: Path | None) -> Path:
    """Delete the files of an earlier demo, put a model into the demo's folder, and return the model's folder there.

    Args:
        model: a folder to copy, which stays as it is; None to make a tiny model.

    Raises:
        UsageError: there is no such model or it cannot be copied, one of the two folders lies in the other, or the
            demo's folder holds files that the demo did not make.
        FormatError: the model has a special file, or a link other than those of a Hugging Face cache.
        TemporaryError: the disk fails, or a file of the model changes meanwhile.
    """
    if model is not None:
        _check_model(model, folder)
    release = folder / "releases" / _slug("tiny-model" if model is None else model.resolve().name)
    _clear(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / _MARKER).write_text(release.name, "utf-8")
    except OSError as error:
        raise TemporaryError(
            "the demo's folder cannot be written", where=str(folder), got=str(error), wanted="a folder"
        ) from error
    if model is None:
        make_tiny_model(release)
    else:
        copy_without(model, release, lambda _path: False)
    return release


def make_publisher_key(folder: Path) -> str:
    """Make the key with which the demo's publisher signs releases, and return its path.

    Raises:
        UsageError: the file exists. TemporaryError: the disk fails.
    """
    path = folder / "publisher.key"
    make_key(path)
    return str(path)


def _check_model(model: Path, folder: Path) -> None:
    if not model.is_dir():
        raise UsageError("there is no model", where=str(model), got="no folder", wanted="a folder with a model's files")
    inner, outer = folder.resolve(), model.resolve()
    if inner.is_relative_to(outer) or outer.is_relative_to(inner):
        got, wanted = f"{inner} and {outer}", "neither inside the other; choose another --folder"
        raise UsageError("the model and the demo's folder overlap", where=str(model), got=got, wanted=wanted)


def _is_made(name: str) -> bool:
    return name in _MADE or any(name == one or name.startswith((f"{one}.", f"{one}-")) for one in _DATABASES)


def _clear(folder: Path) -> None:
    """Delete the files of an earlier demo.

    Raises:
        UsageError: the folder holds anything else.
        TemporaryError: the disk fails.
    """
    if not os.path.lexists(folder):
        return
    if not folder.is_dir() or folder.is_symlink():
        raise UsageError(
            "the demo needs a folder", where=str(folder), got="something else", wanted="a new or empty folder"
        )
    strangers = sorted(path.name for path in folder.iterdir() if not _is_made(path.name))
    if not strangers and (folder / _MARKER).is_file():
        made = (folder / _MARKER).read_text("utf-8", errors="replace")
        releases = folder / "releases"
        strangers = sorted({path.name for path in releases.iterdir()} - {made}) if releases.is_dir() else []
    elif not strangers and any(folder.iterdir()):
        strangers = [path.name for path in folder.iterdir()]
    if strangers:
        got = first_of(strangers, 5)
        problem = "the folder holds files that the demo did not make"
        raise UsageError(problem, where=str(folder), got=got, wanted="a new or empty folder")
    try:
        for path in folder.iterdir():
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
    except OSError as error:
        raise TemporaryError(
            "the demo's folder cannot be emptied", where=str(folder), got=str(error), wanted="a folder"
        ) from error


def _slug(folder_name: str) -> str:
    """Return a name for a release. Each run of characters other than letters and digits becomes a hyphen."""
    return _NO_SLUG.sub("-", folder_name).strip("-")[:90] or "model"

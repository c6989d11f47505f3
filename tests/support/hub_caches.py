"""Folders as huggingface_hub 2.4.0 leaves them: a snapshot in the cache, and the notes of a download to a folder."""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path

COMMIT = "0123456789abcdef0123456789abcdef01234567"


def to_cache(release: Path, hub: Path, repository: str = "org/model") -> Path:
    """Copy a release into the cache `hub` as a repository, with links to blobs. Return the folder of its snapshot."""
    folder = hub / f"models--{repository.replace('/', '--')}"
    snapshot, blobs = folder / "snapshots" / COMMIT, folder / "blobs"
    blobs.mkdir(parents=True)
    for file in sorted(path for path in release.rglob("*") if path.is_file()):
        blob = blobs / hashlib.sha256(file.read_bytes()).hexdigest()
        shutil.copy(file, blob)
        link = snapshot / file.relative_to(release)
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(os.path.relpath(blob, link.parent))
    (folder / "refs").mkdir()
    (folder / "refs" / "main").write_text(COMMIT)
    return snapshot


def note_download(release: Path) -> Path:
    """Add the notes of `hf download --local-dir` to a release. Return their folder."""
    notes = release / ".cache" / "huggingface"
    for file in sorted(path for path in release.rglob("*") if path.is_file()):
        note = notes / "download" / f"{file.relative_to(release)}.metadata"
        note.parent.mkdir(parents=True, exist_ok=True)
        note.write_text(f"{COMMIT}\n{hashlib.sha256(file.read_bytes()).hexdigest()}\n1712656091.1234567\n")
        note.with_suffix(".lock").write_text("")
    (notes / ".gitignore").write_text("*")
    (notes / "CACHEDIR.TAG").write_text(
        "Signature: 8a477f597d28d172789f06886806bc55\n"
        "# This file is a cache directory tag created by huggingface_hub.\n"
        "# For information about cache directory tags, see:\n"
        "#\thttps://bford.info/cachedir/\n"
    )
    return notes

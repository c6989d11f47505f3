"""Folders of test vectors, some of which `make vectors` does not get."""

from __future__ import annotations

from pathlib import Path

import pytest


def folder_of(vectors: Path, name: str) -> Path:
    """Return the folder `name` of the vectors, or skip the test if it is not there."""
    folder = vectors / name
    if not folder.is_dir():
        pytest.skip(f"no test vectors at {folder}; `make vectors` gets those that are public")
    return folder

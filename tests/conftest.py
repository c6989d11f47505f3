"""Fixtures shared by all tests."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

# A slow moment of a shared machine is no failure; pytest's own timeout catches a hang.
settings.register_profile("project", deadline=None)
settings.load_profile("project")

pytest_plugins = ["tests.chain_fixtures"]

_ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="session")
def vectors() -> Path:
    """Folder of real test data, named by PROVENANCE_VECTORS (default: beside the checkout)."""
    folder = Path(os.environ.get("PROVENANCE_VECTORS", _ROOT.parent / "shared" / "vectors"))
    if not folder.is_dir():
        pytest.skip(f"no test vectors at {folder}; set PROVENANCE_VECTORS")
    return folder

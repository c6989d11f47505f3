"""The compiled part, built anew for a test run. A library in the source tree is not used."""

from __future__ import annotations

from pathlib import Path

import pytest

from provenance_oracle.verifier.digest.tree.native import build_library
from provenance_oracle.verifier.errors import UsageError


@pytest.fixture(scope="session")
def native_library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The path of the library. Without a C compiler the test is skipped."""
    try:
        return build_library(tmp_path_factory.mktemp("native") / "_native.so")
    except UsageError as error:
        pytest.skip(f"no compiled part: {error}")

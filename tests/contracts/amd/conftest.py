"""A chain for each module of tests of contracts/amd."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.evm import Evm, run_evm


@pytest.fixture(scope="module")
def evm(anvil_program: Path) -> Iterator[Evm]:
    with run_evm() as chain:
        yield chain

"""The reference tool of OpenSSF model signing, `model_signing` 1.1.1, in an environment of its own."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

_TOOL = Path(__file__).parents[2] / ".make" / "model-signing" / "bin" / "model_signing"


def model_signing(*arguments: object, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run the tool, whatever it answers. Skip the test where the tool is not set up."""
    if not _TOOL.exists():
        pytest.skip("model_signing is not set up; `make .make/model-signing/.made` does it")
    command = [str(_TOOL), *map(str, arguments)]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)

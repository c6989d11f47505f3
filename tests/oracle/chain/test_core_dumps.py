"""A process that holds a private key leaves no core dump."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

_PRINT = """
import ctypes, resource
print(*resource.getrlimit(resource.RLIMIT_CORE), ctypes.CDLL(None).prctl(3, 0, 0, 0, 0))
"""
HOLDERS = {
    "signer": "from provenance_oracle.oracle import EnvironmentSigner as S; S('K', {'K': '01' * 32})",
    "new key": "from provenance_oracle.publisher.keys import make_key as m; from pathlib import Path; m(Path('k'))",
}


@pytest.mark.parametrize("case", HOLDERS)
def test_a_process_with_a_key_leaves_no_core_dump(case: str, tmp_path: Path) -> None:
    command = [sys.executable, "-P", "-c", HOLDERS[case] + _PRINT]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["0", "0", "0"]

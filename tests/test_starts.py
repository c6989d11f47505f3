"""Every Python that we start leaves the working directory off the import path: it may be a stranger's model folder.

tests/e2e/test_demo.py runs the whole demo in a hostile model folder.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
_PRODUCT = [
    path
    for folder in ("verifier", "publisher", "oracle", "tools", "hardhat", "contracts")
    for path in sorted((ROOT / folder).rglob("*.py"))
    if "node_modules" not in path.parts
]


def test_every_python_that_the_code_starts_is_given_a_safe_path() -> None:
    started = re.compile(r"sys\.executable,\s*\"(-[A-Za-z]+)\"")
    found = {(path, option) for path in _PRODUCT for option in started.findall(path.read_text())}
    assert {path.name for path, _ in found} >= {"chain.py", "stage.py", "processes.py"}
    assert [(path.name, option) for path, option in found if option not in ("-P", "-I")] == []


def test_what_make_and_the_pages_start_does_too() -> None:
    # pytest, the benchmarks and the screenshots are modules of this folder, so they alone are found through it
    unsafe = re.compile(r"python3?\)? -(?:m (?!pytest|benchmarks|tests)|c )|\(PYTHON\) -m ")
    for path in (ROOT / "Makefile", ROOT / "README.md", *(ROOT / "docs").glob("*.md")):
        assert unsafe.findall(path.read_text()) == [], path


def test_hostile_modules_in_the_working_directory_are_not_imported(tmp_path: Path) -> None:
    for name in ("click", "json", "yaml", "cryptography", "web3", "provenance_oracle"):
        (tmp_path / f"{name}.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w').close()\n")
    run = "from provenance_oracle.oracle.demo.stage import run; print(run('hash', 'json.py', quiet=True))"
    done = subprocess.run([sys.executable, "-P", "-c", run], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert "json.py" in done.stdout
    assert not (tmp_path / "ran").exists()

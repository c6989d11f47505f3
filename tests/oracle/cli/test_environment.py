"""A locale, an encoding or a setting of the interpreter changes no verdict and ends no command."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from provenance_oracle.verifier.digest.files import digest_files, list_files

NAME = "\u6a21\u578b-\u00e9.txt"
ENVIRONMENTS = {
    "output in Latin-1": {"PYTHONIOENCODING": "latin1"},
    "output in ASCII": {"PYTHONIOENCODING": "ascii:strict"},
    "names in ASCII": {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    "names in the POSIX locale": {"LC_ALL": "POSIX"},
    "a Turkish locale": {"LC_ALL": "tr_TR.UTF-8", "LANGUAGE": "tr"},
    "warnings that are errors": {"PYTHONWARNINGS": "error"},
    "no assertions": {"PYTHONOPTIMIZE": "1"},
    "another order of sets": {"PYTHONHASHSEED": "7"},
    "short integers": {"PYTHONINTMAXSTRDIGITS": "640"},
    "another time zone": {"TZ": "Pacific/Kiritimati"},
    "development mode": {"PYTHONDEVMODE": "1"},
}


def _provenance(environment: dict[str, str], *arguments: str | Path) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-P", "-m", "provenance_oracle.oracle.cli.main", *map(str, arguments)]
    return subprocess.run(command, env={**os.environ, **environment}, capture_output=True, check=False)


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("release")
    model = folder / "model"
    model.mkdir()
    (model / NAME).write_bytes(b"weights")
    key, evidence = folder / "cvm.key", folder / "evidence"
    assert _provenance({}, "attest", "--key", key, "--simulator", "genoa", "--out", evidence).returncode == 0
    named = ("--name", "org/tiny", "--version", "1.0")
    assert _provenance({}, "pack", model, "--evidence", evidence, "--key", key, *named).returncode == 0
    return model


@pytest.fixture(scope="module")
def at() -> str:
    from datetime import UTC, datetime

    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@pytest.fixture(scope="module")
def plain(release: Path, at: str) -> dict[str, Any]:
    """Return the verdict without a change to the environment."""
    found: dict[str, Any] = json.loads(_provenance({}, *_check(release, at), "--json").stdout)
    return found


def _check(release: Path, at: str) -> tuple[str | Path, ...]:
    return ("check", release, "--offline", "--policy", "demo", "--at", at)


@pytest.mark.parametrize("case", ENVIRONMENTS)
def test_the_verdict_is_the_same_in_every_environment(case: str, release: Path, at: str, plain: dict[str, Any]) -> None:
    arguments = _check(release, at)
    done = _provenance(ENVIRONMENTS[case], *arguments, "--json")
    assert json.loads(done.stdout) == plain
    assert plain["accepted"] is True
    shown = _provenance(ENVIRONMENTS[case], *arguments)
    assert (shown.returncode, shown.stderr) == (0, b"")


@pytest.mark.parametrize("case", ENVIRONMENTS)
def test_characters_that_the_output_lacks_are_escaped(case: str, tmp_path: Path) -> None:
    (tmp_path / NAME).write_bytes(b"weights")
    done = _provenance(ENVIRONMENTS[case], "hash", tmp_path)
    assert done.returncode == 0, done.stderr
    assert digest_files(tmp_path, list_files(tmp_path)).model_digest.hex().encode() in done.stdout
    assert b"internal error" not in done.stderr

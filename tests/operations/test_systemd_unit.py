"""Tests of the systemd unit: its settings, its exit codes, and systemd's own opinion of it."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import fields
from pathlib import Path

import pytest

from provenance_oracle.oracle.settings.settings import Settings
from provenance_oracle.verifier.errors import FormatError, TemporaryError, UsageError

ROOT = Path(__file__).parents[2]
UNIT = ROOT / "operations" / "systemd" / "provenance-oracle.service"
LINES = [line for line in UNIT.read_text().splitlines() if line and line[0] not in "#["]


def _values(name: str) -> list[str]:
    return [line.partition("=")[2] for line in LINES if line.startswith(f"{name}=")]


def test_a_restart_follows_no_problem_that_needs_a_person() -> None:
    [codes] = _values("RestartPreventExitStatus")
    assert set(map(int, codes.split())) == {UsageError.exit_code, FormatError.exit_code}
    assert str(TemporaryError.exit_code) not in codes
    assert _values("Restart") == ["on-failure"]


def test_the_variables_are_settings_and_their_files_are_credentials() -> None:
    names = {field.name for field in fields(Settings)}
    variables = dict(value.split("=", 1) for value in _values("Environment"))
    ours = {name.removeprefix("PROVENANCE_").lower(): text for name, text in variables.items() if name[0] == "P"}
    assert set(ours) == {"journal", "keystore", "password_file"} <= names
    credentials = {value.partition(":")[0] for value in _values("LoadCredential")}
    assert {ours["keystore"], ours["password_file"]} == {f"%d/{name}" for name in credentials}
    assert ours["journal"].startswith("%S/provenance/")


def test_the_service_gets_no_rights() -> None:
    assert _values("CapabilityBoundingSet") == [""]
    assert _values("AmbientCapabilities") == [""]
    for name in ("DynamicUser", "NoNewPrivileges", "PrivateTmp", "PrivateDevices", "MemoryDenyWriteExecute"):
        assert _values(name) == ["yes"], name
    assert _values("ProtectSystem") == ["strict"]
    assert _values("LimitCORE") == ["0"]


@pytest.fixture
def analyze() -> str:
    found = shutil.which("systemd-analyze")
    if found is None:
        pytest.skip("systemd-analyze is not installed")
    return found


def test_systemd_can_read_the_unit(analyze: str, tmp_path: Path) -> None:
    unit = tmp_path / UNIT.name
    unit.write_text(UNIT.read_text().replace("/opt/provenance/bin/provenance", "/bin/true"))
    found = subprocess.run([analyze, "verify", "--man=no", str(unit)], capture_output=True, text=True, check=False)
    ours = [line for line in found.stderr.splitlines() if UNIT.name in line]
    assert (found.returncode, ours) == (0, []), found.stderr


def test_systemd_rates_the_exposure_as_the_page_says(analyze: str) -> None:
    command = [analyze, "security", "--offline=yes", "--threshold=15", str(UNIT)]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    rated = re.search(r"Overall exposure level for \S+: ([0-9.]+)", found.stdout)
    assert rated, found.stdout + found.stderr
    assert float(rated[1]) <= 1.5
    said = re.search(r"rates the exposure as ([0-9.]+) of 10", (ROOT / "docs" / "images.md").read_text())
    assert said
    assert float(said[1]) <= 1.5

"""Tests of `provenance watch` with options that cannot work."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from provenance_oracle.oracle.cli.main import main
from tests.support.slow_servers import ENDLESS, stubborn


@pytest.mark.parametrize(("text", "exit_code"), [(None, 2), ("not json", 3), ("{}", 3)])
def test_a_registry_that_is_no_deployment_file_is_refused(tmp_path: Path, text: str | None, exit_code: int) -> None:
    file = tmp_path / "31337.json"
    if text is not None:
        file.write_text(text)
    place = ["--rpc", "http://127.0.0.1:9", "--registry", str(file), "--key-variable", "K"]
    arguments = ["watch", str(tmp_path), "--journal", str(tmp_path / "j"), *place, "--once", "--json"]
    result = CliRunner().invoke(main, arguments, env={"K": "11" * 32})
    assert (result.exit_code, json.loads(result.stdout)["error"]["where"].startswith(str(file))) == (exit_code, True)
    assert not (tmp_path / "j").exists()


@pytest.mark.parametrize("option", ["--report-key-variable", "--report-keystore", "--report-password-file"])
def test_a_key_for_reports_that_cannot_be_had_is_refused(tmp_path: Path, option: str) -> None:
    """The paying key never takes its place: the registry may know that key too."""
    place = ["--rpc", "http://127.0.0.1:9", "--registry", "0x" + "11" * 20, "--key-variable", "K"]
    arguments = ["watch", str(tmp_path), "--journal", str(tmp_path / "j"), *place, option, "NONE", "--once"]
    assert CliRunner().invoke(main, arguments, env={"K": "11" * 32}).exit_code == 2


def test_an_impossible_folder_or_journal_is_a_usage_error(tmp_path: Path) -> None:
    common = ["--rpc", "http://127.0.0.1:9", "--registry", "0x" + "11" * 20, "--key-variable", "K", "--once", "--json"]
    long = str(tmp_path / ("x" * 300))
    for folder, journal in ((long, str(tmp_path / "j")), (str(tmp_path), str(tmp_path))):
        arguments = ["watch", folder, "--journal", journal, *common]
        result = CliRunner().invoke(main, arguments, env={"K": "11" * 32})
        assert result.exit_code == 2, result.output


@pytest.mark.parametrize("name", ["never answers", "says 100 Continue", "drips the body"])
def test_sigterm_ends_a_wait_for_a_node(name: str, tmp_path: Path) -> None:
    """The node would be waited for 10 minutes, and the command for ever."""
    (tmp_path / "settings.yaml").write_text("rpc_timeout_seconds: 600\n")
    with stubborn(ENDLESS[name][0]) as (port, requests):
        place = ["--rpc", f"http://127.0.0.1:{port}", "--registry", "0x" + "11" * 20, "--key-variable", "K"]
        options = ["--settings", str(tmp_path / "settings.yaml"), "--journal", str(tmp_path / "j"), *place]
        program = "from provenance_oracle.oracle.cli.main import main; main()"
        command = [sys.executable, "-c", program, "watch", str(tmp_path), *options]
        environ = {**os.environ, "K": "11" * 32}
        with subprocess.Popen(command, env=environ, stderr=subprocess.PIPE, text=True) as process:
            while not requests and process.poll() is None:
                time.sleep(0.05)
            process.send_signal(signal.SIGTERM)
            _, words = process.communicate(timeout=60)
    assert process.returncode == 0, words
    assert "stopping (SIGTERM)" in words

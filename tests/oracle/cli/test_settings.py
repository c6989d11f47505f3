"""Tests of `provenance settings show`, and of the options that commands make from the settings."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from provenance_oracle.oracle.cli.main import main
from provenance_oracle.oracle.settings.names import SPECS, option_of

NEEDED = ["drop", "--journal", "j", "--rpc", "http://127.0.0.1:9/key", "--registry", "0x" + "11" * 20]


def show(*arguments: str, exit_code: int = 0, **environ: str) -> dict[str, Any]:
    result = CliRunner().invoke(main, ["settings", "show", *arguments, "--json"], env=environ)
    assert result.exit_code == exit_code, result.output
    return json.loads(result.stdout)  # type: ignore[no-any-return]


def test_every_value_is_shown_with_its_origin(tmp_path: Path) -> None:
    file = tmp_path / "oracle.yaml"
    file.write_text("gas_max: 300000\nfetch: true\n")
    shown = show(*NEEDED, "--no-fetch", "--rpc", "http://b", "--settings", str(file), PROVENANCE_POLICY="strict")
    assert shown["schema"] == "provenance-oracle/settings/v1"
    found = shown["settings"]
    assert list(found) == list(SPECS)
    assert found["sources"] == {"value": ["drop"], "origin": "option"}
    assert found["rpc_urls"] == {"value": ["http://127.0.0.1:9/***", "http://b"], "origin": "option"}
    assert found["fetch"] == {"value": False, "origin": "option"}
    assert found["policy"] == {"value": "strict", "origin": "environment"}
    assert found["gas_max"] == {"value": 300_000, "origin": "file"}
    assert found["keystore"] == {"value": None, "origin": "default"}
    assert shown["remarks"] == []


def test_the_text_has_a_line_for_each_setting_and_each_remark() -> None:
    environ = {"PROVENANCE_SCAN_SECOND": "1"}
    lines = CliRunner().invoke(main, ["settings", "show", *NEEDED], env=environ).stdout.splitlines()
    assert [line.split()[0] for line in lines] == [*SPECS, "warning:"]
    assert lines[0].split() == ["sources", "drop", "option"]
    assert "the nearest name is scan_seconds" in lines[-1]


@pytest.mark.parametrize(
    ("arguments", "environ"),
    [
        (["--registry", "0x1"], {}),
        ([*NEEDED, "--scan-seconds", "0"], {}),
        ([*NEEDED, "--scan-second", "0"], {}),
        (NEEDED, {"PROVENANCE_SCAN_SECONDS": "soon"}),
        ([*NEEDED, "--network", "none"], {}),
    ],
)
def test_a_wrong_setting_is_a_usage_error(arguments: list[str], environ: dict[str, str]) -> None:
    assert show(*arguments, exit_code=2, **environ)["error"]["exit_code"] == 2


@pytest.mark.parametrize("given", ["", "--registry", "--policy"])
def test_a_network_gives_node_registry_and_policy(tmp_path: Path, given: str) -> None:
    """A network's policy belongs to its registry."""
    (tmp_path / "provenance").mkdir()
    line = "{node: 'http://n', registry: '0x22', policy: strict}"
    (tmp_path / "provenance" / "config.yaml").write_text(f"networks:\n  n: {line}\n")
    option = {"--registry": ["--registry", "0x33"], "--policy": ["--policy", "demo"]}.get(given, [])
    found = show("drop", "--journal", "j", "--network", "n", *option, XDG_CONFIG_HOME=str(tmp_path))["settings"]
    origins = {"": "network network network", "--registry": "network option default"}
    expected = origins.get(given, "network network option").split()
    assert [found[name]["origin"] for name in ("rpc_urls", "registry", "policy")] == expected


@pytest.mark.parametrize("words", [("watch",), ("settings", "show")])
def test_every_setting_is_an_option_or_the_argument(words: tuple[str, ...]) -> None:
    command: Any = main.commands[words[0]]
    for word in words[1:]:
        command = command.commands[word]
    options = {one.name: one.opts[0] for one in command.params if isinstance(one, click.Option)}
    assert {name: option_of(name) for name in SPECS if name != "sources"} == {
        name: option for name, option in options.items() if name in SPECS
    }
    assert [one.name for one in command.params if isinstance(one, click.Argument)] == ["sources"]


def test_once_seconds_without_once_is_refused() -> None:
    result = CliRunner().invoke(main, ["watch", *NEEDED, "--once-seconds", "5"])
    assert result.exit_code == 2
    assert "--once-seconds: the option has no effect" in result.stderr


def test_watch_logs_a_setting_without_effect(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    arguments = ["watch", str(tmp_path), *NEEDED[1:], "--password-file", "p", "--once"]
    assert CliRunner().invoke(main, arguments).exit_code == 2
    assert "the setting password_file has no effect: there is no keystore" in caplog.messages

"""Tests of the command `provenance` as a whole: its help is quick, complete and in order."""

from __future__ import annotations

import subprocess
import sys

import click
import pytest
from click.testing import CliRunner

from provenance_oracle.oracle.cli.main import main

COMMANDS = ["demo", "check", "report", "hash", "disk", "show", "attest", "pack", "deploy", "claim", "watch", "retry"]
# Each of these takes 5 ms or more to import; the help has 200 ms.
SLOW = ("asyncio", "cryptography", "eth_utils", "importlib.metadata", "logging", "rfc8785", "sqlite3", "web3", "yaml")
_HELP = f"""
import sys
from provenance_oracle.oracle.cli.main import main
main(["--help"], standalone_mode=False)
print(*(name for name in {SLOW} if name in sys.modules), file=sys.stderr)
"""


def test_the_help_imports_nothing_slow() -> None:
    found = subprocess.run([sys.executable, "-c", _HELP], capture_output=True, text=True, check=True)
    assert "Commands:" in found.stdout
    assert found.stderr.split() == []


def test_the_help_lists_every_command_in_order_with_a_whole_sentence() -> None:
    found = CliRunner().invoke(main, ["--help"], terminal_width=80)
    lines = [line.split(maxsplit=1) for line in found.output.partition("Commands:\n")[2].splitlines()]
    assert [name for name, _ in lines] == COMMANDS == list(main.commands)
    assert all(text.endswith(".") and not text.endswith("...") for _, text in lines)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_is_explained(name: str) -> None:
    options = [option for option in main.commands[name].params if isinstance(option, click.Option)]
    assert options
    assert [option.name for option in options if not option.help] == []

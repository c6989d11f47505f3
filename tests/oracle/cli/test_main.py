"""Tests of the command `provenance` as a whole: its help is quick, complete and in order."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from provenance_oracle.oracle.cli.main import main

USER = ["check", "signature", "report", "hash", "disk", "measure", "show", "export", "networks"]
COMMANDS = ["demo", "completion", *USER, "attest", "pack", "sign", "identity", "key", "deploy", "claim", "adopt"]
COMMANDS += ["prove", "disprove", "watch", "index", "serve", "settings", "status", "retry", "audit", "verdict", "proof"]
COMMANDS += ["backup", "restore", "revoke"]
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
    assert "Commands for model users:" in found.stdout
    assert found.stderr.split() == []


def test_the_help_lists_every_command_in_order_with_a_whole_sentence() -> None:
    found = CliRunner().invoke(main, ["--help"], terminal_width=80)
    sections = found.output[found.output.index("Commands to begin with:\n") :].splitlines()
    lines = [line.split(maxsplit=1) for line in sections if line.startswith("  ")]
    assert [name for name, _ in lines] == COMMANDS == list(main.commands)
    assert all(text.endswith(".") and not text.endswith("...") for _, text in lines)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_is_explained(name: str) -> None:
    command = main.commands[name]
    leaves = list(command.commands.values()) if isinstance(command, click.Group) else [command]
    options = [option for leaf in leaves for option in leaf.params if isinstance(option, click.Option)]
    assert options
    assert [option.name for option in options if not option.help] == []


@pytest.mark.parametrize("name", COMMANDS)
def test_every_help_has_an_example_that_parses(name: str) -> None:
    shown = CliRunner().invoke(main, [name, "--help"]).output
    assert "Example" in shown
    examples = shown.partition("Example")[2].partition("Options:")[0].replace("\\\n", " ").splitlines()
    words = [shlex.split(line) for line in examples if line.strip().startswith(f"provenance {name}")]
    assert words
    for _, _, *arguments in words:
        main.commands[name].make_context(name, arguments)


@pytest.mark.parametrize("name", ["", *COMMANDS])
def test_every_help_fits_80_columns(name: str) -> None:
    words = [*filter(None, [name]), "--help"]
    shown = CliRunner().invoke(main, words, terminal_width=80, prog_name="provenance").output
    assert [line for line in shown.splitlines() if len(line) > 80] == []


def test_commands_are_grouped_by_role() -> None:
    shown = CliRunner().invoke(main, ["--help"]).output
    texts = ("begin with", "model users:", "  check", "publishers:", "  attest", "operators", "  watch")
    order = [shown.index(text) for text in texts]
    assert order == sorted(order)


def _provenance(*arguments: str, stdout: Any) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-P", "-m", "provenance_oracle.oracle.cli.main", *arguments]
    return subprocess.Popen(command, stdout=stdout, stderr=subprocess.PIPE)


def test_a_closed_pipe_ends_a_command_quietly(tmp_path: Path) -> None:
    for number in range(3000):  # more output than a pipe holds
        (tmp_path / f"{number:0100}").write_bytes(b"")
    with _provenance("hash", str(tmp_path), stdout=subprocess.PIPE) as process:
        assert process.stdout and process.stderr
        process.stdout.read(1)
        process.stdout.close()
        assert (process.stderr.read(), process.wait()) == (b"", 141)


@pytest.mark.parametrize("arguments", [("check", ".", "--json"), ("check", "--no", "--json"), ("--help",)])
def test_a_pipe_closed_before_the_answer_ends_a_command_quietly(arguments: tuple[str, ...]) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with _provenance(*arguments, stdout=writer) as process:
        os.close(writer)
        assert process.stderr
        said = process.stderr.read()
    assert process.returncode == 141
    assert b"Traceback" not in said


def test_an_interrupt_ends_a_command_quietly() -> None:
    code = (
        "import os, signal, sys; from provenance_oracle.oracle.cli.main import main\n"
        "import provenance_oracle.verifier.digest.choose as c\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # a background job may ignore the signal
        "c.open_hasher = lambda *_, **__: os.kill(os.getpid(), signal.SIGINT)\n"
        "main(['hash', '.'])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert (done.returncode, done.stderr.strip()) == (130, b"")


@pytest.mark.parametrize("arguments", [("check",), ("hash", "--no"), ("nonsense",), ("attest", "--simulator", "x")])
def test_json_answers_a_usage_error_too(arguments: tuple[str, ...]) -> None:
    found = CliRunner().invoke(main, [*arguments, "--json"])
    document = json.loads(found.stdout)
    assert (found.exit_code, document["accepted"], document["error"]["class"]) == (2, False, "UsageError")
    name = "error" if arguments[0] == "nonsense" else arguments[0]
    assert document["schema"].startswith(f"provenance-oracle/{name}/")
    assert CliRunner().invoke(main, list(arguments)).stdout == ""


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full")
def test_a_full_disk_is_temporary(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"x")
    for more in ((), ("--json",)):
        with open("/dev/full", "wb") as full, _provenance("hash", str(tmp_path / "f"), *more, stdout=full) as process:
            said = process.communicate()[1]
        assert process.returncode == 7, said
        assert b"Traceback" not in said
        assert b"No space left" in said


@pytest.mark.skipif(not os.path.exists("/proc/self/mem"), reason="no /proc")
def test_a_failing_disk_is_temporary() -> None:
    found = CliRunner().invoke(main, ["report", "/proc/self/mem", "--vek", "/dev/null", "--chain", "/dev/null"])
    assert found.exit_code == 7
    assert "/proc/self/mem: cannot be read: got Input/output error" in found.stderr


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full")
def test_json_answers_on_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def answer(*arguments: str | Path) -> tuple[int, bool, str]:
        found = CliRunner().invoke(main, [*map(str, arguments), "--json"])
        error = json.loads(found.stdout)["error"]
        return found.exit_code, error["retry"], error["class"]

    full = (7, True, "TemporaryError")
    key, evidence = tmp_path / "key", tmp_path / "evidence"
    attest = ("attest", "--key", key, "--simulator", "genoa")
    assert CliRunner().invoke(main, [*map(str, attest), "--out", str(evidence)]).exit_code == 0
    assert answer(*attest, "--request", "/dev/full") == full
    (evidence / "report.bin").unlink()
    (evidence / "report.bin").symlink_to("/dev/full")
    assert answer(*attest, "--out", evidence) == full
    fdopen = os.fdopen
    monkeypatch.setattr(os, "fdopen", lambda descriptor, mode: (os.close(descriptor), fdopen(_full(), mode))[1])
    assert answer("attest", "--key", tmp_path / "new", "--new-key", "--request", tmp_path / "r") == full
    assert not (tmp_path / "new").exists()


def _full() -> int:
    return os.open("/dev/full", os.O_WRONLY)

"""Shell completion of commands, options and values, driven as the shells drive it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from provenance_oracle.oracle.cli.main import main
from provenance_oracle.oracle.sources.watch import WatchMode
from provenance_oracle.verifier.cli.completion_script import SHELLS
from provenance_oracle.verifier.digest.choose import DEVICES
from provenance_oracle.verifier.policy import SHIPPED_POLICIES

POLICIES = set(SHIPPED_POLICIES)
NETWORKS = {"sapphire", "local"}
# The words typed so far, the last of them begun, and the values that must be offered for it
CASES = {
    "check --pol": {"--policy"},
    "che": {"check"},
    "completion ": set(SHELLS),
    "check x --policy ": POLICIES,
    "check x --policy str": {"strict"},
    "report r --policy ": POLICIES,
    "watch --policy ": POLICIES,
    "show acme/m --network ": NETWORKS,
    "check m --network l": {"local"},
    "claim acme --network ": NETWORKS,
    "deploy --network ": NETWORKS,
    "watch --network ": NETWORKS,
    "hash x --device ": set(DEVICES),
    "watch --device ": set(DEVICES),
    "watch --watch ": set(WatchMode),
    "attest --simulator ": {"milan", "genoa", "turin"},
    "disk x --recipe ": {"privatemode", "tinfoil"},
    "disk x --erofs-utils ": {"1.5", "1.8.6+"},
}


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Return an environment with `provenance` on its path and a configuration with two networks."""
    root = tmp_path_factory.mktemp("completion")
    program = root / "bin" / "provenance"
    program.parent.mkdir()
    program.write_text(f"#!{sys.executable} -P\nfrom provenance_oracle.oracle.cli.main import main\nmain()\n")
    program.chmod(0o755)
    (root / "provenance").mkdir()
    lines = "\n".join(f"  {name}: {{node: http://127.0.0.1:1}}" for name in NETWORKS)
    (root / "provenance" / "config.yaml").write_text(f"networks:\n{lines}\n")
    (root / "release.yaml").write_text("")
    path = f"{program.parent}{os.pathsep}{os.environ['PATH']}"
    return {**os.environ, "PATH": path, "XDG_CONFIG_HOME": str(root), "HOME": str(root)}


def _run(environment: dict[str, str], *command: str) -> str:
    home = environment["HOME"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, cwd=home)
    assert done.stderr == ""
    return done.stdout


def _in_bash(environment: dict[str, str], typed: str) -> set[str]:
    """Load the script into bash, and call its function as the shell does on Tab."""
    words = ["provenance", *typed.split(" ")]
    lines = (
        'eval "$(provenance completion bash)"',
        f"COMP_WORDS=({' '.join(repr(word) for word in words)})",
        f"COMP_CWORD={len(words) - 1}",
        'compopt() { printf "file\\n"; }',
        '_provenance_completion provenance; printf "%s\\n" "${COMPREPLY[@]}"',
    )
    return set(_run(environment, "bash", "--norc", "-c", "\n".join(lines)).split())


def _asked(environment: dict[str, str], shell: str, typed: str) -> set[str]:
    """Ask the program as the script for this shell does."""
    *words, begun = ["provenance", *typed.split(" ")]
    if shell == "fish":
        asked = {"COMP_WORDS": " ".join(words), "COMP_CWORD": begun}
    else:
        asked = {"COMP_WORDS": " ".join([*words, begun]), "COMP_CWORD": str(len(words))}
    said = _run({**environment, **asked, "_PROVENANCE_COMPLETE": f"{shell}_complete"}, "provenance").splitlines()
    if shell == "zsh":  # kind, value and help in three lines
        return set(said[1::3])
    if shell == "fish":
        return {line.partition(",")[2].partition("\t")[0] for line in said if "," in line}
    return {line.partition(",")[2] for line in filter(None, said)}


@pytest.mark.parametrize("typed", CASES)
@pytest.mark.skipif(shutil.which("bash") is None, reason="no bash")
def test_bash_offers_commands_options_and_values(typed: str, environment: dict[str, str]) -> None:
    assert _in_bash(environment, typed) == CASES[typed]


@pytest.mark.parametrize("typed", ["check x --policy ", "show acme/m --network ", "completion "])
@pytest.mark.parametrize("shell", SHELLS)
def test_every_shell_is_offered_the_same(shell: str, typed: str, environment: dict[str, str]) -> None:
    assert _asked(environment, shell, typed) == CASES[typed]


@pytest.mark.skipif(shutil.which("bash") is None, reason="no bash")
@pytest.mark.parametrize("typed", ["check ./r", "check x --registry dep", "check x --policy ./my", "hash ./r"])
def test_files_are_left_to_the_shell(typed: str, environment: dict[str, str]) -> None:
    assert _in_bash(environment, typed) == {"file"}


def test_a_configuration_that_cannot_be_read_completes_nothing(environment: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "provenance").mkdir()
    (tmp_path / "provenance" / "config.yaml").write_text("networks: [")
    assert _asked({**environment, "XDG_CONFIG_HOME": str(tmp_path)}, "bash", "show x --network ") == set()


@pytest.mark.parametrize("shell", SHELLS)
def test_the_script_is_printed_and_in_the_document(shell: str) -> None:
    script = CliRunner().invoke(main, ["completion", shell]).stdout
    assert "_PROVENANCE_COMPLETE" in script
    found = json.loads(CliRunner().invoke(main, ["completion", shell, "--json"]).stdout)
    assert (found["schema"], found["shell"]) == ("provenance-oracle/completion/v1", shell)
    assert found["script"] + "\n" == script
    if shutil.which(shell):
        subprocess.run([shell, "-n"], input=script, text=True, check=True)


def test_every_value_of_a_closed_list_is_a_choice() -> None:
    for name, command in main.commands.items():
        for option in command.params:
            if isinstance(option, click.Option) and option.name in ("device", "watch", "simulator", "recipe_name"):
                assert isinstance(option.type, click.Choice), f"{name} {option.opts}"

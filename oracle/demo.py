"""The demo: every part for real on this machine, but for the hardware, which is simulated; and it says so.

It runs the very commands that a publisher, an oracle and a user would run, and shows them with their output.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import click

from oracle.demo_chain import start_chain
from oracle.demo_folder import prepare_folder
from verifier.errors import ProvenanceError
from verifier.manifest.names import PROVENANCE_FOLDER

_KEY_VARIABLE = "PROVENANCE_DEMO_KEY"
_VERSION = "1.0"


class DemoError(ProvenanceError):
    """A command of the demo ended in a way it should not have."""


def run_demo(folder: Path, model: Path | None, keep_seconds: int) -> None:
    """Deploy, attest, pack, record, check; then show that one flipped bit is refused.

    Args:
        folder: where the demo keeps its files; those of an earlier demo are replaced.
        model: a model folder to copy; None makes a tiny one.
        keep_seconds: how long the embedded chain goes on after the demo, so that its commands can be tried.

    Raises:
        UsageError: no such model, no embedded chain, or a folder with files that are not the demo's.
        DemoError: a step failed.
    """
    release = prepare_folder(folder, model)
    name = f"demo/{release.name}"
    _say("The hardware in this demo is SIMULATED. The simulator's keys are public: anybody can make such evidence.")
    _say("Everything else is real: AMD's formats, the chain (anvil, on this machine only), the contract, the checks.")

    _step(1, "Start an embedded chain and put the registry on it")
    chain = start_chain(folder, keep_seconds)
    environment = {_KEY_VARIABLE: chain.oracle_key_hex, "PROVENANCE_RPC": chain.rpc_url}
    deployed = _run("deploy", "--key-variable", _KEY_VARIABLE, "--json", environment=environment, quiet=True)
    registry = str(json.loads(deployed)["registry"])
    environment["PROVENANCE_REGISTRY"] = registry
    _say(f"  chain {chain.rpc_url}, registry {registry}")

    _step(2, "The publisher: in a (simulated) confidential VM, get a report that binds the VM's key, sign the release")
    key, evidence = str(folder / "cvm.key"), str(folder / "evidence")
    _run("attest", "--key", key, "--simulator", "genoa", "--out", evidence)
    _run("pack", str(release), "--evidence", evidence, "--key", key, "--name", name, "--version", _VERSION)

    _step(3, "The oracle: judge every release in the folder, record what is accepted")
    journal = str(folder / "oracle.sqlite")
    oracle_options = ("--journal", journal, "--policy", "demo", "--key-variable", _KEY_VARIABLE, "--confirmations", "0")
    _run("watch", str(folder / "releases"), *oracle_options, "--once", environment=environment)

    _step(4, "The user: judge it again, here, and compare with the record")
    _run("check", str(release), "--policy", "demo", environment=environment)

    _step(5, "The record on chain")
    _run("show", name, environment=environment)

    _step(6, "And with one bit of one file flipped")
    _show_refusal(folder, release, environment)
    _say_what_next(chain.rpc_url, registry, name, release, chain.keep_seconds)


def _show_refusal(folder: Path, release: Path, environment: dict[str, str]) -> None:
    damaged = folder / "damaged" / release.name
    shutil.copytree(release, damaged)
    files = [path for path in sorted(damaged.rglob("*")) if path.is_file() and PROVENANCE_FOLDER not in path.parts]
    victim = max(files, key=lambda path: path.stat().st_size)
    with victim.open("r+b") as file:
        first = file.read(1)
        file.seek(0)
        file.write(bytes([first[0] ^ 1]))
    _run("check", str(damaged), "--policy", "demo", environment=environment, wanted_exit=4)
    shutil.rmtree(damaged.parent)


def _say_what_next(rpc_url: str, registry: str, name: str, release: Path, keep_seconds: int) -> None:
    if keep_seconds == 0:
        _say("\nThe chain is stopped.")
        return
    _say(f"\nThe chain goes on for {keep_seconds // 60} minutes and then stops by itself. To look further:")
    _say(f"  export PROVENANCE_RPC={rpc_url} PROVENANCE_REGISTRY={registry}")
    program = "provenance" if shutil.which("provenance") else str(Path(sys.executable).parent / "provenance")
    _say(f"  {program} show {name} --history")
    _say(f"  {program} check {release} --policy demo --json")
    _say(f"  {program} check {release} --offline      # baseline refuses the simulator's root: exit code 4")


def _run(*arguments: str, environment: dict[str, str] | None = None, wanted_exit: int = 0, quiet: bool = False) -> str:
    """Run one command of ours as its user would, show it and what it prints, and return its standard output."""
    if not quiet:
        click.secho(f"\n$ provenance {' '.join(arguments)}", bold=True)
    sys.stdout.flush()
    found = subprocess.run(
        [sys.executable, "-m", "oracle.cli", *arguments],
        env={**os.environ, **(environment or {})},
        stdout=subprocess.PIPE if quiet else None,
        text=True,
        check=False,
    )
    if found.returncode != wanted_exit:
        raise DemoError(
            f"provenance {arguments[0]} ended otherwise",
            where="demo",
            got=f"exit {found.returncode}",
            wanted=f"exit {wanted_exit}",
        )
    if wanted_exit:
        _say(f"  exit code {wanted_exit}")
    return found.stdout or ""


def _step(number: int, text: str) -> None:
    click.secho(f"\n{number}. {text}", bold=True, fg="cyan")


def _say(text: str) -> None:
    click.echo(text)

"""The demo: every part runs for real on this machine, except the hardware. The hardware is simulated, and it says so.

The demo runs the same commands as a publisher, an oracle operator and a user, and shows each with its output.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import click

from provenance_oracle.oracle.chain.anvil import CHAIN_ID
from provenance_oracle.oracle.demo.chain import start_chain
from provenance_oracle.oracle.demo.folder import prepare_folder
from provenance_oracle.oracle.demo.gate import ask_gate
from provenance_oracle.verifier.errors import ProvenanceError
from provenance_oracle.verifier.manifest.names import PROVENANCE_FOLDER

_OWNER_KEY, _ORACLE_KEY, _PUBLISHER_KEY = (f"DEMO_{who}_KEY" for who in ("OWNER", "ORACLE", "PUBLISHER"))
_NAMESPACE = "demo"
_VERSION = "1.0"


class DemoError(ProvenanceError):
    """A step of the demo had an unexpected outcome."""


def run_demo(folder: Path, model: Path | None, keep_seconds: int) -> None:
    """Deploy, claim, attest, pack, record, check, ask the gate; then show that one flipped bit is refused.

    Args:
        folder: keeps the demo's files. Files of an earlier demo are replaced.
        model: a model folder to copy; None to make a tiny model.
        keep_seconds: the time that the embedded chain goes on after the demo, so that you can try commands on it.

    Raises:
        UsageError: there is no such model, anvil is not installed, or the folder has files that the demo did not make.
        TemporaryError: the disk fails or the chain does not start.
        DemoError: a step failed.
    """
    release = prepare_folder(folder, model)
    name = f"{_NAMESPACE}/{release.name}"
    _say("The hardware in this demo is SIMULATED. The simulator's keys are public: anybody can make such evidence.")
    _say("Everything else is real: AMD's formats, the chain (anvil, on this machine only), the contract, the checks.")

    _step(1, "The owner: start an embedded chain and put the registry on it, with two oracles of which one is enough")
    chain = start_chain(folder, keep_seconds)
    _say(f"  chain {chain.rpc_url}")
    registry = str(folder / "deployments" / f"{CHAIN_ID}.json")
    environment = {
        _OWNER_KEY: chain.owner_key_hex,
        _ORACLE_KEY: chain.oracle_key_hex,
        _PUBLISHER_KEY: chain.publisher_key_hex,
        "PROVENANCE_RPC": chain.rpc_url,
        "PROVENANCE_REGISTRY": registry,
    }
    first, second = chain.oracles
    oracles = ("--oracle", f"{first}:2", "--oracle", second, "--threshold", "2")
    places = ("--deployments", str(folder / "deployments"))
    _run("deploy", "--key-variable", _OWNER_KEY, *oracles, *places, environment=environment)

    _step(2, f"The publisher: claim the namespace {_NAMESPACE}; its names lead to what trusted publishers release only")
    _run("claim", _NAMESPACE, "--key-variable", _PUBLISHER_KEY, environment=environment)

    _step(3, "The publisher: in a (simulated) confidential VM, get a report that binds the VM's key, sign the release")
    key, evidence = str(folder / "cvm.key"), str(folder / "evidence")
    _run("attest", "--key", key, "--simulator", "genoa", "--out", evidence)
    _run("pack", str(release), "--evidence", evidence, "--key", key, "--name", name, "--version", _VERSION)

    _step(4, "The oracle: judge every release in the folder, sign and record what is accepted")
    journal = str(folder / "oracle.sqlite")
    keys = ("--key-variable", _OWNER_KEY, "--report-key-variable", _ORACLE_KEY)
    oracle_options = ("--journal", journal, "--policy", "demo", *keys, "--confirmations", "0")
    _run("watch", str(folder / "releases"), *oracle_options, "--once", environment=environment)

    _step(5, "The user: judge it again, here, and compare with the record")
    _run("check", str(release), "--policy", "demo", "--verbose", environment=environment)

    _step(6, "The record on chain, and what happened in its namespace")
    _run("show", name, "--history", environment=environment)

    _step(7, "A dApp: ask the gate (a contract that does is contracts/examples/TenLines.sol)")
    _show_gate(chain.rpc_url, registry, name)

    _step(8, "And with one bit of one file flipped")
    _show_refusal(folder, release, environment)
    _say_what_next(chain.rpc_url, registry, name, release, chain.keep_seconds)


def _show_gate(rpc_url: str, registry: str, name: str) -> None:
    answers = ask_gate(rpc_url, registry, name)
    if answers.is_open or answers.refusal != "RecordIsSimulated" or not answers.is_simulated:
        raise DemoError(
            "the gate gives an unexpected answer", where="demo", got=str(answers), wanted="shut, as simulated"
        )
    _say("  isModel(model, manifest, 0)         false")
    _say(f"  requireModel(model, manifest, 0)    reverts: {answers.refusal}")
    _say("  isSimulatedModel(model, manifest)   true")
    _say("  The gate is shut for simulated hardware and for nothing else here: a record of a real chip would open it.")


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
    """Run one `provenance` command as a user does. Show the command and its output, unless `quiet`.

    Returns:
        The command's standard output if `quiet`, otherwise "".

    Raises:
        DemoError: the exit code is not `wanted_exit`.
    """
    if not quiet:
        click.secho(f"\n$ provenance {' '.join(arguments)}", bold=True)
    sys.stdout.flush()
    found = subprocess.run(
        # -P: without it the working directory, perhaps a stranger's model folder, leads the import path
        [sys.executable, "-P", "-m", "provenance_oracle.oracle.cli.main", *arguments],
        env={**os.environ, **(environment or {})},
        stdout=subprocess.PIPE if quiet else None,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    if found.returncode != wanted_exit:
        raise DemoError(
            f"provenance {arguments[0]} ended with an unexpected exit code",
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

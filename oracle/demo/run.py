"""The demo: every part runs for real on this machine, except the hardware. The hardware is simulated, and it says so.

The demo runs the same commands as a publisher, an oracle operator and a user, and shows each with its output.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from provenance_oracle.oracle.chain.anvil import CHAIN_ID
from provenance_oracle.oracle.demo.chain import start_chain
from provenance_oracle.oracle.demo.folder import prepare_folder
from provenance_oracle.oracle.demo.gate import ask_gate
from provenance_oracle.oracle.demo.stage import DemoError, run, say, step
from provenance_oracle.verifier.manifest.names import PROVENANCE_FOLDER

_OWNER_KEY, _ORACLE_KEY, _PUBLISHER_KEY = (f"DEMO_{who}_KEY" for who in ("OWNER", "ORACLE", "PUBLISHER"))
_NAMESPACE = "demo"
_VERSION = "1.0"


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
    say("The hardware in this demo is SIMULATED. The simulator's keys are public: anybody can make such evidence.")
    say("Everything else is real: AMD's formats, the chain (anvil, on this machine only), the contract, the checks.")

    step(1, "The owner: start an embedded chain and put the registry on it, with two oracles of which one is enough")
    chain = start_chain(folder, keep_seconds)
    say(f"  chain {chain.rpc_url}")
    registry = str(folder / "deployments" / f"{CHAIN_ID}.json")
    environment = {
        _OWNER_KEY: chain.owner_key_hex,
        _ORACLE_KEY: chain.oracle_keys_hex[0],
        _PUBLISHER_KEY: chain.publisher_key_hex,
        "PROVENANCE_RPC": chain.rpc_url,
        "PROVENANCE_REGISTRY": registry,
    }
    first, second = chain.oracles[:2]
    oracles = ("--oracle", f"{first}:2", "--oracle", second, "--threshold", "2")
    places = ("--deployments", str(folder / "deployments"))
    run("deploy", "--key-variable", _OWNER_KEY, *oracles, *places, environment=environment)

    step(2, f"The publisher: claim the namespace {_NAMESPACE}; its names lead to what trusted publishers release only")
    run("claim", _NAMESPACE, "--key-variable", _PUBLISHER_KEY, environment=environment)

    step(3, "The publisher: in a (simulated) confidential VM, get a report that binds the VM's key, sign the release")
    key, evidence = str(folder / "cvm.key"), str(folder / "evidence")
    run("attest", "--key", key, "--simulator", "genoa", "--out", evidence)
    run("pack", str(release), "--evidence", evidence, "--key", key, "--name", name, "--version", _VERSION)

    step(4, "The oracle: judge every release in the folder, sign and record what is accepted")
    journal = str(folder / "oracle.sqlite")
    keys = ("--key-variable", _OWNER_KEY, "--report-key-variable", _ORACLE_KEY)
    oracle_options = ("--journal", journal, "--policy", "demo", *keys, "--confirmations", "0")
    run("watch", str(folder / "releases"), *oracle_options, "--once", environment=environment)

    step(5, "The user: judge it again, here, and compare with the record")
    run("check", str(release), "--policy", "demo", "--verbose", environment=environment)

    step(6, "The record on chain, and what happened in its namespace")
    run("show", name, "--history", environment=environment)

    step(7, "A dApp: ask the gate (a contract that does is contracts/examples/TenLines.sol)")
    _show_gate(chain.rpc_url, registry, name)

    step(8, "And with one bit of one file flipped")
    _show_refusal(folder, release, environment)
    _say_what_next(chain.rpc_url, registry, name, release, chain.keep_seconds)


def _show_gate(rpc_url: str, registry: str, name: str) -> None:
    answers = ask_gate(rpc_url, registry, name)
    if answers.is_open or answers.refusal != "RecordIsSimulated" or not answers.is_simulated:
        raise DemoError(
            "the gate gives an unexpected answer", where="demo", got=str(answers), wanted="shut, as simulated"
        )
    say("  isModel(model, manifest, 0)         false")
    say(f"  requireModel(model, manifest, 0)    reverts: {answers.refusal}")
    say("  isSimulatedModel(model, manifest)   true")
    say("  The gate is shut for simulated hardware and for nothing else here: a record of a real chip would open it.")


def _show_refusal(folder: Path, release: Path, environment: dict[str, str]) -> None:
    damaged = folder / "damaged" / release.name
    shutil.copytree(release, damaged)
    files = [path for path in sorted(damaged.rglob("*")) if path.is_file() and PROVENANCE_FOLDER not in path.parts]
    victim = max(files, key=lambda path: path.stat().st_size)
    with victim.open("r+b") as file:
        first = file.read(1)
        file.seek(0)
        file.write(bytes([first[0] ^ 1]))
    run("check", str(damaged), "--policy", "demo", environment=environment, wanted_exit=4)
    shutil.rmtree(damaged.parent)


def _say_what_next(rpc_url: str, registry: str, name: str, release: Path, keep_seconds: int) -> None:
    if keep_seconds == 0:
        say("\nThe chain is stopped.")
        return
    say(f"\nThe chain goes on for {keep_seconds // 60} minutes and then stops by itself. To look further:")
    say(f"  export PROVENANCE_RPC={rpc_url} PROVENANCE_REGISTRY={registry}")
    program = "provenance" if shutil.which("provenance") else str(Path(sys.executable).parent / "provenance")
    say(f"  {program} show {name} --history")
    say(f"  {program} check {release} --policy demo --json")
    say(f"  {program} check {release} --offline      # baseline refuses the simulator's root: exit code 4")

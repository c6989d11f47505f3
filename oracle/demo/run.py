"""The demo: every part runs for real on this machine, except the hardware. The hardware is simulated, and it says so.

The demo runs the same commands as a publisher, an oracle operator and a user, and shows each with its output.
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

from provenance_oracle.oracle.chain.anvil import CHAIN_ID
from provenance_oracle.oracle.demo.chain import DemoChain, start_chain
from provenance_oracle.oracle.demo.explorer import start_explorer
from provenance_oracle.oracle.demo.folder import make_publisher_key, prepare_folder
from provenance_oracle.oracle.demo.gate import ask_gate
from provenance_oracle.oracle.demo.genuine import ask_verifier, genuine_folder
from provenance_oracle.oracle.demo.stage import DemoError, run, say, step
from provenance_oracle.verifier.manifest.names import PROVENANCE_FOLDER

_OWNER_KEY, _ORACLE_KEY, _PUBLISHER_KEY = (f"DEMO_{who}_KEY" for who in ("OWNER", "ORACLE", "PUBLISHER"))
_NAMESPACE = "demo"
_VERSION = "1.0"


def run_demo(folder: Path, model: Path | None, keep_seconds: int, *, with_explorer: bool) -> None:
    """Deploy, claim, attest, pack, record, check, ask the gate; then show that one flipped bit is refused.

    Args:
        folder: keeps the demo's files. Files of an earlier demo are replaced.
        model: a model folder to copy; None to make a tiny model.
        keep_seconds: the time that the embedded chain goes on after the demo, so that you can try commands on it.
        with_explorer: serve the explorer for as long, and say its address.

    Raises:
        UsageError: there is no such model, anvil is not installed, or the folder has files that the demo did not make.
        TemporaryError: the disk fails, or the chain or the explorer does not start.
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
    _deploy(folder, chain, environment)

    step(2, f"The publisher: claim the namespace {_NAMESPACE}; its names lead only to releases signed by this key")
    signing_key = make_publisher_key(folder)
    run("identity", signing_key)
    [identity] = json.loads(run("identity", signing_key, "--json", quiet=True))["identities"]
    publisher = ("--identity", identity["identity"])
    run("claim", _NAMESPACE, "--key-variable", _PUBLISHER_KEY, *publisher, environment=environment)

    step(3, "The publisher: in a (simulated) confidential VM, get a report that binds the VM's key, sign the release")
    key, evidence = str(folder / "cvm.key"), str(folder / "evidence")
    run("attest", "--key", key, "--simulator", "genoa", "--out", evidence)
    named = ("--name", name, "--version", _VERSION, "--sign-key", signing_key)
    run("pack", str(release), "--evidence", evidence, "--key", key, *named)

    step(4, "The oracle: judge every release in the folder, sign and record what is accepted")
    journal = str(folder / "oracle.sqlite")
    keys = ("--key-variable", _OWNER_KEY, "--report-key-variable", _ORACLE_KEY)
    oracle_options = ("--journal", journal, "--policy", "demo", *keys, "--confirmations", "0")
    run("watch", str(folder / "releases"), *oracle_options, "--once", environment=environment)

    step(5, "The user: judge it again, here, and compare with the record")
    run("check", str(release), "--policy", "demo", *publisher, "--verbose", environment=environment)

    step(6, "Anybody: prove it with no oracle. The EVM itself checks the signatures, here with the SIMULATOR's keys")
    run("prove", str(release), "--policy", "demo", "--key-variable", _PUBLISHER_KEY, environment=environment)
    _show_genuine(chain.rpc_url)

    step(7, "The record and the proof on chain, and what happened in the namespace")
    run("show", name, "--history", environment=environment)

    step(8, "A dApp: ask the gate (a contract that does is contracts/examples/TenLines.sol)")
    digests = _show_gate(chain.rpc_url, registry, name)

    step(9, "And with one bit of one file flipped")
    _show_refusal(folder, release, environment)
    if with_explorer:
        step(10, "The page where people see it, and check it themselves")
        _show_explorer(folder, chain, journal, environment, digests)
    _say_what_next(chain.rpc_url, registry, name, release, chain.keep_seconds)


def _deploy(folder: Path, chain: DemoChain, environment: dict[str, str]) -> None:
    first, second = chain.oracles[:2]
    oracles = ("--oracle", f"{first}:2", "--oracle", second, "--threshold", "2")
    places = ("--deployments", str(folder / "deployments"))
    proofs = ("--with-proofs", "simulator")
    run("deploy", "--key-variable", _OWNER_KEY, *oracles, *places, *proofs, environment=environment)


def _show_gate(rpc_url: str, registry: str, name: str) -> tuple[bytes, bytes]:
    """Show the gate's answers, and return the digests of model and manifest."""
    answers = ask_gate(rpc_url, registry, name)
    if answers.is_open or answers.refusal != "RecordIsSimulated" or not answers.is_simulated:
        raise DemoError(
            "the gate gives an unexpected answer", where="demo", got=str(answers), wanted="shut, as simulated"
        )
    say("  isModel(model, manifest, 0)         false")
    say(f"  requireModel(model, manifest, 0)    reverts: {answers.refusal}")
    say("  isSimulatedModel(model, manifest)   true")
    say("  The gate is shut for simulated hardware and for nothing else here: a record of a real chip would open it.")
    return answers.digests


def _show_genuine(rpc_url: str) -> None:
    """Have the EVM check a genuine report with AMD's keys, if the evidence is at hand."""
    folder = genuine_folder()
    if folder is None:
        say("\n  Genuine evidence under AMD's own keys: not shown, it is not at hand. `make vectors` gets it, or set")
        say("  PROVENANCE_VECTORS to a folder that has it.")
        return
    found = ask_verifier(rpc_url, folder)
    if not (found.is_bound and found.is_signed):
        raise DemoError("the EVM finds genuine evidence wanting", where=str(folder), got=str(found), wanted="both true")
    say(f"\n  And GENUINE evidence under AMD's own keys ({found.verifier}, {folder.name}):")
    say(f"  AMD's key signed the certificate, and the chip's key signed the report    {found.gas:,} gas")
    say(f"  the report binds a key on P-384, which signed a message of {found.message_bytes:,} bytes       true")


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


def _show_explorer(
    folder: Path, chain: DemoChain, journal: str, environment: dict[str, str], digests: tuple[bytes, bytes]
) -> None:
    places = ("--database", str(folder / "index.sqlite"), "--journal", journal, "--page-rpc", chain.rpc_url)
    words = ("serve", *places, "--listen", "127.0.0.1:0")
    address = start_explorer(folder, chain, words, environment)
    model, manifest = digests
    say(f"  {address}")
    say(f"  {address}#/r/{model.hex()}/{manifest.hex()}")


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

"""A registry with contracts for proofs beside it, which have the simulator's keys."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from click.testing import CliRunner
from cryptography.hazmat.primitives.asymmetric import ec

from provenance_oracle.oracle.chain.anvil import EmbeddedChain
from provenance_oracle.oracle.cli.main import main
from provenance_oracle.publisher.manifest import PrivateKey
from provenance_oracle.verifier.registry.node import connect
from tests.support.chain_fixtures import FIRST_ORACLE, DeployedRegistry, load_artifact

# The rules of osaka: no transaction may have more than 16,777,216 gas.
OSAKA = ("--hardfork", "osaka", "--enable-tx-gas-limit", "--accounts", "40")


def deploy_with_proofs(chain: EmbeddedChain, folder: Path, *, oracles: int = 1) -> Path:
    """Deploy a registry of which each oracle can record alone, and contracts for proofs. Return the deployment file."""
    options = ["--with-proofs", "simulator", "--deployments", str(folder), "--threshold", "1"]
    for account in chain.accounts[FIRST_ORACLE : FIRST_ORACLE + oracles]:
        options += ["--oracle", account.address]
    command = ("deploy", "--rpc", chain.rpc_url, "--delay-hours", "1", "--grace-hours", "1", *options)
    environment = {"PAYER": chain.accounts[0].key.hex(), "XDG_CONFIG_HOME": "/nonexistent"}
    result = CliRunner().invoke(main, [*command, "--key-variable", "PAYER", "--json"], env=environment)
    assert result.exit_code == 0, result.output
    return folder / f"{chain.chain_id}.json"


def new_key() -> PrivateKey:
    """Return a key of a VM, so that its report is another one too."""
    return ec.generate_private_key(ec.SECP256R1())


def registry_in(file: Path, chain: EmbeddedChain) -> DeployedRegistry:
    """Return the registry in a deployment file of `deploy_with_proofs`."""
    address = json.loads(file.read_text())["registry"]
    contract: Any = connect(chain.rpc_url).eth.contract(address, abi=load_artifact().abi)
    people, oracles = chain.accounts[:FIRST_ORACLE], chain.accounts[FIRST_ORACLE : FIRST_ORACLE + 1]
    return DeployedRegistry(chain, contract, 0, b"", people[0], people[0], people[3], oracles)


def events_of(file: Path, rpc_url: str, name: str) -> list[Any]:
    """Return every event of a name that the contract for proofs in a deployment file emitted."""
    address = json.loads(file.read_text())["hardware_proofs"]
    contract: Any = connect(rpc_url).eth.contract(address, abi=load_artifact("HardwareProofs").abi)
    return list(contract.events[name]().get_logs(from_block=0))


def provers_of(file: Path, rpc_url: str, manifest_digest: bytes) -> list[str]:
    """Return the hashes of the transactions that proved the release of a manifest (digest of 32 bytes), in hex."""
    found = events_of(file, rpc_url, "ReleaseProven")
    return [bytes(log["transactionHash"]).hex() for log in found if log["args"]["manifestDigest"] == manifest_digest]

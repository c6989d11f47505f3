"""One process, one connection: each command that asks a chain creates one web3 object and passes it on."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from provenance_oracle.oracle.chain.fees import FeeLimits
from provenance_oracle.oracle.chain.ledger import LedgerOptions, open_writer
from provenance_oracle.oracle.cli.main import main
from provenance_oracle.oracle.demo.gate import ask_gate
from provenance_oracle.oracle.journal.journal import Journal
from provenance_oracle.oracle.signers.environment import EnvironmentSigner
from provenance_oracle.verifier.registry.deployment import Deployment, encode_deployment
from provenance_oracle.verifier.registry.node import open_node
from tests.support.chain_fixtures import DeployedRegistry, make_record
from tests.support.releases import make_release

pytestmark = pytest.mark.chain

LIMITS = FeeLimits(max_fee_wei=10**11, priority_fee_max_wei=10**9, gas_max=2_000_000, bump_after_seconds=90)


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Every web3 object that this process creates after this point."""
    from web3 import Web3

    found: list[object] = []
    real = Web3.__init__

    def counting(self: Web3, *arguments: Any, **options: Any) -> None:
        found.append(self)
        real(self, *arguments, **options)

    monkeypatch.setattr(Web3, "__init__", counting)
    return found


def deployment_file(registry: DeployedRegistry, folder: Path) -> Path:
    """The registry's deployment file. Commands that open it compare all three contracts."""
    contracts: dict[str, Any] = dict(registry.reader().contracts())
    chain_id, block, transaction = registry.chain.chain_id, registry.block_number, registry.transaction_hash
    deployment = Deployment(chain_id=chain_id, block=block, transaction=transaction, **contracts)
    file = folder / "deployment.json"
    file.write_bytes(encode_deployment(deployment))
    return file


def run(registry: DeployedRegistry, file: Path, *arguments: str) -> Any:
    environment = {
        "PROVENANCE_RPC": registry.chain.rpc_url,
        "PROVENANCE_REGISTRY": str(file),
        "ORACLE_KEY": registry.oracle.key.hex(),
    }
    result = CliRunner().invoke(main, [*arguments, "--json"], env=environment)
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_the_oracle_s_writer_reads_and_writes_over_one_connection(
    registry: DeployedRegistry, tmp_path: Path, made: list[object]
) -> None:
    record = make_record()
    registry.policy_id(record.policy_digest)
    options = LedgerOptions(
        rpc_urls=(registry.chain.rpc_url,),
        registry_address=registry.address,
        chain_id=registry.chain.chain_id,
        first_block=registry.block_number,
        confirmations=0,
        limits=LIMITS,
        rpc_timeout_seconds=10.0,
        allow_development_key=False,
    )
    signer = EnvironmentSigner("KEY", {"KEY": registry.oracle.key.hex()})
    made.clear()
    with Journal(tmp_path / "journal.db") as journal:
        writer = open_writer(options, signer, signer, journal, clock=lambda: datetime.now(UTC))
        writer.check_chain()
        expected = record.manifest_digest
        assert writer.manifest_of_report(record.snp_report_digest, expected=expected) is None
    assert len(made) == 1


def test_watch_check_show_and_the_gate_make_one_connection_each(
    registry: DeployedRegistry, tmp_path: Path, made: list[object]
) -> None:
    make_release(tmp_path / "releases" / "model")
    file = deployment_file(registry, tmp_path)
    made.clear()

    keys = ("--key-variable", "ORACLE_KEY", "--confirmations", "0")
    places = (str(tmp_path / "releases"), "--journal", str(tmp_path / "oracle.sqlite"), "--watch", "scan-only")
    rows = run(registry, file, "watch", *places, "--policy", "demo", *keys, "--once")["releases"]
    assert {row["state"] for row in rows} == {"final"}
    assert len(made) == 1

    checked = run(registry, file, "check", str(tmp_path / "releases" / "model"), "--policy", "demo")
    assert checked["accepted"]
    assert len(made) == 2

    shown = run(registry, file, "show", "test/model", "--history", "--lineage")
    assert [entry["manifest_digest"] for entry in shown["entries"]] == [checked["manifest_digest"]]
    assert (len(shown["events"]), len(shown["lineage"])) == (1, 1)
    assert len(made) == 3

    assert ask_gate(registry.chain.rpc_url, str(file), "test/model").is_simulated
    assert len(made) == 4


def test_deploy_and_claim_make_one_connection_each(
    registry: DeployedRegistry, tmp_path: Path, made: list[object]
) -> None:
    made.clear()
    deployed = run(registry, Path(), "deploy", "--key-variable", "ORACLE_KEY", "--deployments", str(tmp_path))
    assert sorted(deployed["policies"].values()) == [1, 2, 3, 4, 5]
    assert len(made) == 1

    file = tmp_path / f"{registry.chain.chain_id}.json"
    assert run(registry, file, "claim", "acme", "--key-variable", "ORACLE_KEY")["namespace"] == "acme"
    assert len(made) == 2


def test_an_open_connection_is_passed_on_as_it_is(registry: DeployedRegistry, made: list[object]) -> None:
    node = open_node(registry.chain.rpc_url)
    assert open_node(node) is node
    assert made == [node.web3]

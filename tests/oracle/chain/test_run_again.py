"""Tests of `deploy` and `claim` that are run again after an interruption: nothing is paid for twice."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from provenance_oracle.oracle.chain.anvil import EmbeddedChain, run_anvil
from provenance_oracle.oracle.chain.deploy import deploy_contracts
from provenance_oracle.oracle.chain.deploy_terms import OracleTerms, Terms
from provenance_oracle.oracle.cli.main import main
from provenance_oracle.oracle.signers.environment import EnvironmentSigner
from provenance_oracle.verifier.errors import TemporaryError
from provenance_oracle.verifier.registry.deployment import parse_deployment
from provenance_oracle.verifier.registry.node import connect, open_node
from tests.support.chain_fixtures import DeployedRegistry, deploy_registry
from tests.support.fake_nodes import Refusal, lying

pytestmark = pytest.mark.chain


@pytest.fixture
def chain(anvil: EmbeddedChain) -> Iterator[EmbeddedChain]:
    """Return a chain of its own that mines when it is told."""
    with run_anvil(options=("--no-mining",)) as made:
        yield made


def _rpc(chain: EmbeddedChain, method: str, *params: object) -> Any:
    return connect(chain.rpc_url).provider.make_request(method, list(params))["result"]  # type: ignore[arg-type]


def _deploy_briefly(chain: EmbeddedChain, url: str = "", sent: bytes = b"") -> list[tuple[bytes, bytes]]:
    """Deploy and wait for a moment only; return what was announced."""
    announced: list[tuple[bytes, bytes]] = []
    payer = chain.accounts[0]
    terms = Terms(payer.address, payer.address, (OracleTerms(payer.address, 1),), 1, 48, 24)
    signer = EnvironmentSigner("K", {"K": payer.key.hex()})
    options: Any = {"receipt_seconds": 0.3, "sent": sent, "announce": lambda *told: announced.append(told)}
    with pytest.raises(TemporaryError, match="in no block yet"):
        deploy_contracts(open_node(url or chain.rpc_url), signer, terms, **options)
    return announced


def _waiting(chain: EmbeddedChain) -> int:
    return int(_rpc(chain, "txpool_status")["pending"], 16)


def test_a_deployment_on_its_way_is_found_in_the_node(chain: EmbeddedChain) -> None:
    ((sent, raw),) = _deploy_briefly(chain)
    assert raw
    _rpc(chain, "anvil_setNextBlockBaseFeePerGas", hex(5 * 10**8))  # other fees, so other bytes
    assert _deploy_briefly(chain) == [(sent, b"")]
    assert _waiting(chain) == 1


def _hiding(chain: EmbeddedChain, refuse: Refusal = lambda _method, _params: None) -> Any:
    """Run a node that shows no pending block."""

    def answer(method: str, params: list[Any], _truth: Any) -> Any:
        return {"result": None} if method == "eth_getBlockByNumber" and params[0] == "pending" else None

    nothing: Any = None
    registry = DeployedRegistry(chain, nothing, 0, b"", *[nothing] * 3, oracles=())
    return lying(registry, answer, refuse)


def test_a_node_that_shows_nothing_knows_the_same_bytes_again(chain: EmbeddedChain) -> None:
    with _hiding(chain) as (url, _):
        ((sent, raw),) = _deploy_briefly(chain, url)
        assert _deploy_briefly(chain, url) == [(sent, raw)]
    assert _waiting(chain) == 1


def test_a_refused_transaction_says_what_the_node_says_and_what_to_do(chain: EmbeddedChain) -> None:
    def refuse(method: str, _params: list[Any]) -> Any:
        words = "replacement transaction underpriced"
        return (200, {}, words) if method == "eth_sendRawTransaction" else None

    with _hiding(chain, refuse) as (url, _):
        result = _deploy(chain, "--rpc", url)
    assert result.exit_code == 7
    assert "the node does not take the transaction: got replacement transaction underpriced (code -32000), to 0x" in (
        result.stderr.replace("\n", " ")
    )


def test_another_transaction_on_its_way_is_named(chain: EmbeddedChain) -> None:
    account = connect(chain.rpc_url).to_checksum_address(chain.accounts[0].address)
    other = _rpc(chain, "eth_sendTransaction", {"from": account, "to": account, "value": "0x1"})
    result = _deploy(chain)
    assert result.exit_code == 7
    assert other in result.stderr
    assert _waiting(chain) == 1


def _deploy(chain: EmbeddedChain, *options: str) -> Any:
    place = () if "--rpc" in options else ("--rpc", chain.rpc_url)
    key = {"K": chain.accounts[0].key.hex()}
    return CliRunner().invoke(main, ["deploy", *place, "--key-variable", "K", *options, "--json"], env=key)


def test_an_interrupted_deployment_is_resumed_after_it_is_mined(chain: EmbeddedChain, tmp_path: Path) -> None:
    ((sent, raw),) = _deploy_briefly(chain)
    kept = tmp_path / f"{chain.chain_id}.sent"
    kept.write_text(raw.hex())
    _rpc(chain, "anvil_dropTransaction", f"0x{sent.hex()}")  # the node forgot it, too
    assert _deploy_briefly(chain, sent=raw) == [(sent, b"")]
    _rpc(chain, "evm_mine")
    _rpc(chain, "evm_setAutomine", True)

    place = ("--deployments", str(tmp_path))
    refused = _deploy(chain, *place, "--delay-hours", "1")
    assert refused.exit_code == 2
    assert f"to deploy anew, remove {kept}" in json.loads(refused.stdout)["error"]["wanted"]
    result = _deploy(chain, *place)
    assert result.exit_code == 0, result.output
    assert f"going on with transaction 0x{sent.hex()}" in result.stderr
    assert json.loads(result.stdout)["transaction"] == f"0x{sent.hex()}"
    assert [file.name for file in tmp_path.iterdir()] == [f"{chain.chain_id}.json"]


def test_the_signed_bytes_are_kept_before_they_are_sent(chain: EmbeddedChain, tmp_path: Path) -> None:
    kept = tmp_path / f"{chain.chain_id}.sent"
    found: list[bool] = []

    def refuse(method: str, params: list[Any]) -> Any:
        if method != "eth_sendRawTransaction":
            return None
        found.append(kept.read_text().strip() == params[0][2:])
        return 503, {}, "lost"

    with _hiding(chain, refuse) as (url, _):
        result = _deploy(chain, "--rpc", url, "--deployments", str(tmp_path))
    assert (result.exit_code, found) == (7, [True])
    _rpc(chain, "eth_sendTransaction", {"from": chain.accounts[0].address, "to": chain.accounts[0].address})
    _rpc(chain, "evm_mine")
    result = _deploy(chain, "--deployments", str(tmp_path))
    assert result.exit_code == 2
    assert "another transaction took the place of the earlier one" in result.stderr.replace("\n", " ")
    kept.write_text("no hex")
    assert _deploy(chain, "--deployments", str(tmp_path)).exit_code == 2


def test_a_deployment_file_is_rebuilt_from_the_transaction(anvil: EmbeddedChain, tmp_path: Path) -> None:
    parties = [account.address for account in anvil.accounts[1:5]]
    terms = ("--owner", parties[0], "--guardian", parties[1], "--oracle", f"{parties[2]}:2", "--oracle", parties[3])
    first = _deploy(anvil, *terms, "--delay-hours", "1", "--deployments", str(tmp_path / "a"))
    wanted = json.loads(first.stdout.lower())
    place = ("--rpc", anvil.rpc_url, "--deployments", str(tmp_path / "b"), "--json")
    head = connect(anvil.rpc_url).eth.block_number
    again = CliRunner().invoke(main, ["deploy", *place, "--from-transaction", wanted["transaction"]])
    assert again.exit_code == 0, again.output
    assert json.loads(again.stdout.lower()) == wanted
    files = [tmp_path / folder / f"{anvil.chain_id}.json" for folder in "ab"]
    assert files[0].read_bytes() == files[1].read_bytes()
    assert parse_deployment(files[1].read_bytes(), "file").transaction.hex() == wanted["transaction"][2:]
    assert connect(anvil.rpc_url).eth.block_number == head


def test_another_transaction_is_no_deployment(registry: DeployedRegistry) -> None:
    claim = registry.claim("acme", registry.stranger)["transactionHash"].hex()
    for text, words in ((claim, "no deployment by this version"), ("00" * 32, "no such transaction"), ("x", "not the")):
        arguments = ["deploy", "--rpc", registry.chain.rpc_url, "--from-transaction", text]
        result = CliRunner().invoke(main, arguments)
        assert result.exit_code == 2
        assert words in result.stderr.replace("\n", " ")
    refused = CliRunner().invoke(main, [*arguments[:-1], claim, "--threshold", "1"])
    assert "the transaction has the terms of its registry" in refused.stderr.replace("\n", " ")


def _claim(registry: DeployedRegistry, *options: str) -> Any:
    place = ("--rpc", registry.chain.rpc_url, "--registry", registry.address, "--key-variable", "PAYER")
    environment = {"PAYER": registry.stranger.key.hex()}
    return CliRunner().invoke(main, ["claim", "acme", *place, *options, "--json"], env=environment)


def test_a_claim_that_was_mined_is_not_sent_again(registry: DeployedRegistry) -> None:
    first = json.loads(_claim(registry, "--identity", "06" * 32).stdout)
    head = registry.contract.w3.eth.block_number
    again = _claim(registry, "--identity", "06" * 32)
    assert again.stderr == ""
    assert (again.exit_code, json.loads(again.stdout)) == (0, first)
    for other in ("--identity", "07" * 32), ("--identity-limit", "2"):
        refused = _claim(registry, *other)
        assert refused.exit_code == 2
        assert "on other terms" in refused.stderr.replace("\n", " ")
    assert registry.contract.w3.eth.block_number == head


def test_the_hash_is_told_unless_the_user_wants_quiet(registry: DeployedRegistry) -> None:
    result = _claim(registry)
    assert f"sending transaction {json.loads(result.stdout)['transaction']}" in result.stderr
    place = ("--rpc", registry.chain.rpc_url, "--registry", registry.address, "--key-variable", "PAYER")
    quiet = CliRunner().invoke(main, ["claim", "b", *place, "-q"], env={"PAYER": registry.stranger.key.hex()})
    assert (quiet.exit_code, quiet.stderr) == (0, "")


def test_a_claim_on_its_way_is_found(anvil: EmbeddedChain) -> None:
    with run_anvil() as chain:
        registry = deploy_registry(chain)
        _rpc(chain, "evm_setAutomine", False)
        results: list[Any] = []
        runs = [threading.Thread(target=lambda: results.append(_claim(registry))) for _ in range(2)]
        runs[0].start()
        deadline = time.monotonic() + 60
        while _waiting(chain) < 1 and time.monotonic() < deadline:
            time.sleep(0.05)
        _rpc(chain, "evm_mine")
        runs[0].join()
    assert [result.exit_code for result in results] == [0]

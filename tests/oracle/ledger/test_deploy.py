"""Deploying a registry, and refusing what is not one."""

from __future__ import annotations

import socket
from dataclasses import replace
from typing import Any

import pytest

from oracle.ledger import deploy as room
from oracle.ledger.anvil import EmbeddedChain, run_anvil
from oracle.ledger.deploy import ADMIN_DELAY_SECONDS, deploy
from oracle.ledger.signers import EnvironmentSigner, Signer
from tests.chain_fixtures import DeployedRegistry, deploy_registry, make_record
from verifier.errors import TemporaryError, UsageError, VerificationError
from verifier.node import connect
from verifier.registry import RegistryReader, load_artifact

pytestmark = pytest.mark.chain


def _signer(key: bytes) -> Signer:
    return EnvironmentSigner("KEY", {"KEY": key.hex()})


def _parties(chain: EmbeddedChain) -> dict[str, Any]:
    return dict(zip(("admin", "oracle", "guardian"), (account.address for account in chain.accounts[1:4]), strict=True))


def test_says_where_the_registry_is(registry: DeployedRegistry) -> None:
    web3, found = registry.contract.w3, registry.deployment
    receipt = web3.eth.get_transaction_receipt(found.transaction_hash)
    assert (found.address, found.block_number) == (receipt["contractAddress"], receipt["blockNumber"])
    assert found.chain_id == registry.chain.chain_id
    assert found.code_hash == web3.keccak(load_artifact().deployed_bytecode)
    assert RegistryReader(registry.chain.rpc_url, found.address).chain_id == found.chain_id


def test_a_new_admin_waits_two_days_unless_told_otherwise(anvil: EmbeddedChain) -> None:
    assert ADMIN_DELAY_SECONDS == 172_800
    found = deploy(anvil.rpc_url, _signer(anvil.accounts[0].key), **_parties(anvil))
    address = connect(anvil.rpc_url).to_checksum_address(found.address)
    contract = connect(anvil.rpc_url).eth.contract(address, abi=load_artifact().abi)
    assert contract.functions.defaultAdminDelay().call() == ADMIN_DELAY_SECONDS


@pytest.mark.parametrize("role", ["admin", "oracle", "guardian"])
@pytest.mark.parametrize("address", ["0x" + "00" * 20, "0x12", "nobody"])
def test_refuses_a_party_that_is_nobody(anvil: EmbeddedChain, role: str, address: str) -> None:
    with pytest.raises(UsageError, match=f"^{role}: "):
        deploy(anvil.rpc_url, _signer(anvil.accounts[0].key), **_parties(anvil) | {role: address})


def test_an_account_without_money_is_temporary_and_named(anvil: EmbeddedChain) -> None:
    with pytest.raises(TemporaryError, match="the paying account is empty"):
        deploy(anvil.rpc_url, _signer(b"\x51" * 32), **_parties(anvil))


def test_no_node_is_temporary(anvil: EmbeddedChain) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        with pytest.raises(TemporaryError):
            deploy(f"http://127.0.0.1:{taken.getsockname()[1]}", _signer(anvil.accounts[0].key), **_parties(anvil))


def test_refuses_other_code_at_the_address(anvil: EmbeddedChain, monkeypatch: pytest.MonkeyPatch) -> None:
    artifact = load_artifact()
    wanted = replace(artifact, deployed_bytecode=artifact.deployed_bytecode[:-1] + b"\x00")
    monkeypatch.setattr(room, "load_artifact", lambda: wanted)
    with pytest.raises(VerificationError, match="not the one sent"):
        deploy(anvil.rpc_url, _signer(anvil.accounts[0].key), **_parties(anvil))


@pytest.mark.usefixtures("anvil")
def test_a_transaction_that_no_block_takes_is_temporary_and_its_hash_is_told() -> None:
    with run_anvil(options=("--no-mining",)) as chain, pytest.raises(TemporaryError, match=r"got 0x[0-9a-f]{64}"):
        deploy(chain.rpc_url, _signer(chain.accounts[0].key), **_parties(chain), receipt_seconds=0.3)


@pytest.mark.usefixtures("anvil")
@pytest.mark.parametrize("hardfork", ["paris", "shanghai", "osaka"])
def test_works_on_the_oldest_fork_it_is_compiled_for_and_on_the_newest(hardfork: str) -> None:
    record = make_record()
    with run_anvil(options=("--hardfork", hardfork)) as chain:
        registry = deploy_registry(chain)
        registry.publish(record)
        registry.reader().match_record(record)
        assert registry.contract.functions.isRecorded(record.model_digest, 1).call()

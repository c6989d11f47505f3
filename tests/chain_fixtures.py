"""A real EVM node and a registry on it, for every test that needs a chain."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import pytest

from oracle.ledger.anvil import DevAccount, EmbeddedChain, find_anvil, run_anvil
from oracle.ledger.deploy import Deployment, deploy
from oracle.ledger.signers import EnvironmentSigner
from verifier.errors import UsageError
from verifier.node import connect
from verifier.record import PRODUCT_LINE_CODES, Record
from verifier.registry import RegistryReader, load_artifact
from verifier.snp.products import ProductLine

ADMIN_DELAY_SECONDS = 3600


@dataclass(frozen=True)
class DeployedRegistry:
    """A registry nobody has written to yet, and the people around it. `contract` is web3's, for calls of all kinds."""

    chain: EmbeddedChain
    deployment: Deployment
    contract: Any
    admin: DevAccount
    oracle: DevAccount
    guardian: DevAccount
    stranger: DevAccount

    @property
    def address(self) -> str:
        return self.deployment.address

    def reader(self) -> RegistryReader:
        return RegistryReader(self.chain.rpc_url, self.address, chain_id=self.chain.chain_id)

    def publishing(self, record: Record) -> Any:
        """The call that publishes a record, not made yet."""
        return self.contract.functions.publish(*record.publish_arguments())

    def revoking(self, manifest_digest: bytes, reason: str = "withdrawn") -> Any:
        return self.contract.functions.revoke(manifest_digest, reason)

    def publish(self, record: Record) -> Any:
        """Publish as the oracle; return the receipt."""
        return self.send(self.publishing(record), self.oracle)

    def revoke(self, manifest_digest: bytes, reason: str = "withdrawn") -> Any:
        """Revoke as the guardian; return the receipt."""
        return self.send(self.revoking(manifest_digest, reason), self.guardian)

    def send(self, call: Any, sender: DevAccount) -> Any:
        sent = call.transact({"from": _checksummed(sender)})
        return self.contract.w3.eth.wait_for_transaction_receipt(sent, poll_latency=0.01)

    def refusal(self, call: Any, sender: DevAccount | None = None) -> tuple[str, tuple[Any, ...]]:
        """Name and arguments of the typed error that a call reverts with; ("", ()) if it does not revert."""
        from web3.exceptions import ContractCustomError

        try:
            call.call({"from": _checksummed(sender or self.stranger)})
        except ContractCustomError as error:
            return self._decode_error(bytes.fromhex(str(error.data)[2:]))
        return "", ()

    def _decode_error(self, data: bytes) -> tuple[str, tuple[Any, ...]]:
        from eth_utils.abi import function_abi_to_4byte_selector as selector_of

        for item in self.contract.abi:
            if item["type"] == "error" and selector_of(item) == data[:4]:
                types = [field["type"] for field in item["inputs"]]
                return item["name"], self.contract.w3.codec.decode(types, data[4:])
        return data.hex(), ()


def _checksummed(account: DevAccount) -> Any:
    from eth_utils.address import to_checksum_address

    return to_checksum_address(account.address)


def make_record(**changes: Any) -> Record:
    """Return a record that the contract accepts, with `changes`."""
    record = Record(
        manifest_digest=b"\x01" * 32,
        model_digest=b"\x02" * 32,
        verdict_digest=b"\x03" * 32,
        report_digest=b"\x04" * 32,
        policy_digest=b"\x05" * 32,
        judged_at=datetime(2025, 6, 1, 12, tzinfo=UTC),
        reported_tcb=bytes.fromhex("04000000000018db"),
        checks=0b1011,
        grade=1,
        product_line=PRODUCT_LINE_CODES[ProductLine.MILAN],
        name="example/model",
        version="1.0",
    )
    return replace(record, **changes)


@pytest.fixture(scope="session")
def anvil() -> Iterator[EmbeddedChain]:
    """An embedded chain for the whole session. With PROVENANCE_REQUIRE_ANVIL=1 its absence is a failure."""
    try:
        find_anvil()
    except UsageError as error:
        if os.environ.get("PROVENANCE_REQUIRE_ANVIL") == "1":
            pytest.fail(str(error))
        pytest.skip(str(error))
    with run_anvil(options=("--hardfork", "prague")) as chain:
        yield chain


@pytest.fixture
def registry(anvil: EmbeddedChain) -> DeployedRegistry:
    """A fresh registry on the session's chain."""
    return deploy_registry(anvil)


def deploy_registry(chain: EmbeddedChain) -> DeployedRegistry:
    payer, admin, oracle, guardian, stranger = chain.accounts[:5]
    deployment = deploy(
        chain.rpc_url,
        EnvironmentSigner("KEY", {"KEY": payer.key.hex()}),
        admin=admin.address,
        oracle=oracle.address,
        guardian=guardian.address,
        admin_delay_seconds=ADMIN_DELAY_SECONDS,
    )
    contract = connect(chain.rpc_url).eth.contract(deployment.address, abi=load_artifact().abi)  # type: ignore[call-overload]
    return DeployedRegistry(chain, deployment, contract, admin, oracle, guardian, stranger)

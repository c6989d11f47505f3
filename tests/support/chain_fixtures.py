"""Fixtures with a real EVM node and a registry on it, for all tests that need a chain."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest

from provenance_oracle.oracle.chain.anvil import DevAccount, EmbeddedChain, find_anvil, run_anvil
from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.errors import UsageError
from provenance_oracle.verifier.record.codec import encode_record, namespace_id, record_id
from provenance_oracle.verifier.record.fields import (
    PRODUCT_LINE_CODES,
    Entry,
    Record,
    RecordSigner,
    WrittenRecord,
    signed_record,
)
from provenance_oracle.verifier.record.signing import claim_digest, publication_digest
from provenance_oracle.verifier.record.standing import Standing
from provenance_oracle.verifier.registry.contract import load_artifact
from provenance_oracle.verifier.registry.light_imports import light_imports
from provenance_oracle.verifier.registry.node import connect
from provenance_oracle.verifier.registry.reader import RegistryReader
from provenance_oracle.verifier.snp.products import ProductLine

PUBLIC_DELAY_SECONDS = 3600
GRACE_SECONDS = 3600
FOR_EVER = 2**40 - 1
# Records are published soon after they are judged. The time is the same for the whole run, so that equal records are
# equal.
JUDGED_AT = datetime.now(UTC).replace(microsecond=0)
# Oracle n of a set is the chain's account FIRST_ORACLE + n. The first four are payer, owner, guardian and stranger.
FIRST_ORACLE = 4

OracleTuple = tuple[str, int, int, int, bytes]


@dataclass(frozen=True)
class DeployedRegistry:
    """A new registry and the accounts around it. `contract` is the web3 object, for any call."""

    chain: EmbeddedChain
    contract: Any
    block_number: int
    transaction_hash: bytes
    owner: DevAccount
    guardian: DevAccount
    stranger: DevAccount
    oracles: tuple[DevAccount, ...]

    @property
    def address(self) -> str:
        return str(self.contract.address)

    @property
    def address_bytes(self) -> bytes:
        return bytes.fromhex(self.address[2:])

    @property
    def oracle(self) -> DevAccount:
        """The first oracle. By default there is only one."""
        return self.oracles[0]

    @cached_property
    def namespaces(self) -> Any:
        return self._satellite("namespaces", "Namespaces")

    @cached_property
    def lineage(self) -> Any:
        return self._satellite("lineage", "Lineage")

    def reader(self) -> RegistryReader:
        return RegistryReader(self.chain.rpc_url, self.address, chain_id=self.chain.chain_id)

    # Records

    def policy_id(self, policy_digest: bytes) -> int:
        """Return the number of a policy. A policy without a number gets one."""
        functions = self.contract.functions
        known = int(functions.policyIdOf(policy_digest).call())
        if known:
            return known
        self.send(functions.numberPolicy(policy_digest), self.stranger)
        return int(functions.policyIdOf(policy_digest).call())

    def encode(self, record: Record, parents: tuple[bytes, ...] = ()) -> bytes:
        """Return the encoded bytes of a record for this registry. `parents` are record ids."""
        return encode_record(record, policy_id=self.policy_id(record.policy_digest), parents=parents)

    def quorum(self, digest: bytes, signers: Sequence[int] = (0,), epoch: int = 1) -> tuple[int, int, bytes]:
        """Return Solidity's struct Quorum: signatures of the oracles with these numbers over a digest."""
        signatures = b"".join(compact_signature(digest, self.oracles[index].key) for index in sorted(signers))
        return epoch, sum(1 << index for index in signers), signatures

    def publishing(self, record: Record | bytes, signers: Sequence[int] = (0,), **options: Any) -> Any:
        """Return the call that publishes a record, unsent. Options: `parents`, and `epoch` (default: current)."""
        epoch = options.pop("epoch", None) or int(self.contract.functions.currentEpoch().call())
        data = record if isinstance(record, bytes) else self.encode(record, **options)
        digest = publication_digest(self.chain.chain_id, self.address_bytes, epoch, data)
        return self.contract.functions.publish(data, self.quorum(digest, signers, epoch))

    def publish(self, record: Record | bytes, signers: Sequence[int] = (0,), **options: Any) -> Any:
        """Publish a record that the oracles signed, as a stranger; return the receipt."""
        return self.send(self.publishing(record, signers, **options), self.stranger)

    def revoking(self, record: Record, reason: str = "withdrawn", effective_from: int | None = None) -> Any:
        """Return the call that revokes a record's release, by default from now on. It is not sent."""
        at = self.contract.w3.eth.get_block("latest")["timestamp"] if effective_from is None else effective_from
        return self.contract.functions.revoke(record_id(replace(record, revision=0)), at, reason)

    def revoke(self, record: Record, reason: str = "withdrawn", effective_from: int | None = None) -> Any:
        """Revoke a record's release as the guardian; return the receipt."""
        return self.send(self.revoking(record, reason, effective_from), self.guardian)

    def revoke_oracle(self, index: int, effective_from: int = 0, epoch: int = 1) -> Any:
        """End an oracle's validity as the guardian, by default from the beginning; return the receipt."""
        call = self.contract.functions.revokeKey(epoch, index, effective_from, "stolen")
        return self.send(call, self.guardian)

    # Namespaces

    def claim(self, namespace: str, owner: DevAccount, identities: Sequence[bytes] = (), limit: int = 1) -> Any:
        """Claim a namespace with the signature of its future owner; return the receipt."""
        nonce, address = self.namespaces.functions.nonces(checksummed(owner)).call(), bytes.fromhex(owner.address[2:])
        digest = claim_digest(
            self.chain.chain_id,
            bytes.fromhex(self.namespaces.address[2:]),
            namespace,
            address,
            identity_limit=limit,
            identities=tuple(identities),
            nonce=nonce,
            deadline=FOR_EVER,
        )
        signature = long_signature(digest, owner.key)
        arguments = (namespace, checksummed(owner), limit, list(identities), nonce, FOR_EVER, signature)
        return self.send(self.namespaces.functions.claimNamespace(*arguments), self.stranger)

    def trust(self, namespace: str, owner: DevAccount, identity: bytes) -> None:
        """Add a publisher to a namespace: the owner proposes it, the public delay passes, and it is accepted."""
        key = namespace_id(namespace)
        self.send(self.namespaces.functions.proposeIdentity(key, identity), owner)
        self.pass_time(PUBLIC_DELAY_SECONDS)
        self.send(self.namespaces.functions.acceptIdentity(key, identity), self.stranger)

    # The chain

    def pass_time(self, seconds: int) -> None:
        """Advance the clock of the chain for all its registries.

        In one run, the sum must stay below 7 days, the time that a record may wait for its publication.
        """
        self.contract.w3.provider.make_request("evm_increaseTime", [seconds])
        self.contract.w3.provider.make_request("evm_mine", [])

    def send(self, call: Any, sender: DevAccount) -> Any:
        """Send a call as a transaction and return its receipt. The transaction must succeed."""
        sent = call.transact({"from": checksummed(sender)})
        receipt = self.contract.w3.eth.wait_for_transaction_receipt(sent, poll_latency=0.01)
        assert receipt["status"] == 1
        return receipt

    def refusal(self, call: Any, sender: DevAccount | None = None) -> tuple[str, tuple[Any, ...]]:
        """Return name and arguments of the typed error with which a call reverts, or ("", ()) if it does not revert."""
        from web3.exceptions import ContractCustomError

        try:
            call.call({"from": checksummed(sender or self.stranger)})
        except ContractCustomError as error:
            return self._decode_error(bytes.fromhex(str(error.data)[2:]))
        return "", ()

    def _decode_error(self, data: bytes) -> tuple[str, tuple[Any, ...]]:
        from eth_utils.abi import function_abi_to_4byte_selector as selector_of

        names = ("ProvenanceRegistry", "Namespaces", "Lineage")
        for item in (item for name in names for item in load_artifact(name).abi):
            if item["type"] == "error" and selector_of(item) == data[:4]:  # type: ignore[arg-type]
                types = [field["type"] for field in item["inputs"]]
                return item["name"], self.contract.w3.codec.decode(types, data[4:])
        return data.hex(), ()

    def _satellite(self, function: str, artifact: str) -> Any:
        address = self.contract.functions[function]().call()
        return self.contract.w3.eth.contract(address, abi=load_artifact(artifact).abi)


def checksummed(account: DevAccount) -> Any:
    from eth_utils.address import to_checksum_address

    return to_checksum_address(account.address)


def compact_signature(digest: bytes, key: bytes) -> bytes:
    """Return an ERC-2098 signature, 64 bytes: r, then s with the parity of y in its highest bit."""
    r, s, parity = _sign(digest, key)
    return r.to_bytes(32, "big") + (s | parity << 255).to_bytes(32, "big")


def long_signature(digest: bytes, key: bytes) -> bytes:
    """Return an ordinary signature, 65 bytes: r, s, and 27 or 28."""
    r, s, parity = _sign(digest, key)
    return r.to_bytes(32, "big") + s.to_bytes(32, "big") + bytes((27 + parity,))


def _sign(digest: bytes, key: bytes) -> tuple[int, int, int]:
    with light_imports():
        from eth_account import Account
    signed = Account.unsafe_sign_hash(digest, key)
    return signed.r, signed.s, signed.v - 27


def make_record(**changes: Any) -> Record:
    """Return a record that the contract accepts, with the fields in `changes` replaced."""
    record = Record(
        manifest_digest=b"\x01" * 32,
        model_digest=b"\x02" * 32,
        verdict_digest=b"\x03" * 32,
        snp_report_digest=b"\x04" * 32,
        policy_digest=b"\x05" * 32,
        publisher_identity=b"\x06" * 32,
        judged_at=JUDGED_AT,
        reported_tcb=bytes.fromhex("04000000000018db"),
        checks=0b1011,
        grade=1,
        product_line=PRODUCT_LINE_CODES[ProductLine.MILAN],
        passed=True,
        revision=0,
        name="example/model",
        version="1.0",
        named_parents=(),
    )
    return replace(record, **changes)


def make_failure(**changes: Any) -> Record:
    """Return a record of a FAILED verdict that the contract accepts, with the fields in `changes` replaced."""
    return make_record(**{"passed": False, "grade": 0} | changes)


def make_signed(**changes: Any) -> Record:
    """Return a record of a release that has only a signature, with the fields in `changes` replaced."""
    record = signed_record(
        manifest_digest=b"\x01" * 32,
        model_digest=b"\x02" * 32,
        verdict_digest=b"\x03" * 32,
        policy_digest=b"\x05" * 32,
        publisher_identity=b"\x06" * 32,
        judged_at=JUDGED_AT,
        checks=1 << Check.FILE_DIGESTS.bit | 1 << Check.PUBLISHER_SIGNATURE.bit,
        name="hub example/model",
        version="0123456789abcdef",
    )
    return replace(record, **changes)


def make_entry(record: Record | None = None, **changes: Any) -> Entry:
    """Return a record as a registry keeps it, signed by one oracle and changed as by `change_entry`."""
    record = record or make_record()
    written = {name: value for name, value in vars(record).items() if name in WrittenRecord.__dataclass_fields__}
    standing = Standing(
        recorded_at=record.judged_at,
        revoked_at=None,
        judged_at=record.judged_at,
        policy_id=1,
        signers=1,
        weight=1,
        epoch=1,
        revisions=record.revision,
        grade=record.grade,
        product_line=record.product_line,
        failed=not record.passed,
        held=False,
        doubtful=False,
        named=False,
    )
    signers = (RecordSigner(0, b"\xaa" * 20, 1, True),)
    entry = Entry(
        **written, policy_id=1, parents=(), record_id=bytes(32), standing=standing, threshold=1, signers=signers
    )
    return change_entry(entry, **changes)


def change_entry(entry: Entry, **changes: Any) -> Entry:
    """Return an entry with fields of itself and of its standing replaced. A field that both have changes in both."""
    fields = (Entry.__dataclass_fields__, Standing.__dataclass_fields__)
    assert changes.keys() <= fields[0].keys() | fields[1].keys()
    own, standing = ({name: value for name, value in changes.items() if name in known} for known in fields)
    return replace(entry, **{"standing": replace(entry.standing, **standing)} | own)


@pytest.fixture(scope="session")
def anvil_program() -> Path:
    """Return the program of the embedded chain, or skip. With PROVENANCE_REQUIRE_ANVIL=1, its absence is a failure."""
    try:
        return find_anvil()
    except UsageError as error:
        if os.environ.get("PROVENANCE_REQUIRE_ANVIL") == "1":
            pytest.fail(str(error))
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def anvil(anvil_program: Path) -> Iterator[EmbeddedChain]:
    """Yield an embedded chain for the tests of one module.

    The chain copies its whole state for each block, and shows that state a moment before the block itself. The more
    contracts it has, the longer that moment, in which state and events contradict each other.
    """
    with run_anvil(options=("--hardfork", "prague", "--accounts", "40")) as chain:
        yield chain


@pytest.fixture
def registry(anvil: EmbeddedChain) -> DeployedRegistry:
    """Return a new registry on the module's chain, with one oracle."""
    return deploy_registry(anvil)


def deploy_registry(
    chain: EmbeddedChain, *, oracles: int = 1, threshold: int = 1, weights: Sequence[int] = ()
) -> DeployedRegistry:
    """Deploy the shipped bytecode with this many oracles, of weight 1 by default."""
    payer, owner, guardian, stranger = chain.accounts[:FIRST_ORACLE]
    people = chain.accounts[FIRST_ORACLE : FIRST_ORACLE + oracles]
    assert len(people) == oracles
    artifact, web3 = load_artifact(), connect(chain.rpc_url)
    factory: Any = web3.eth.contract(abi=artifact.abi, bytecode=artifact.bytecode)
    sets = [oracle_tuple(person, weight) for person, weight in zip(people, weights or [1] * oracles, strict=True)]
    arguments = (checksummed(owner), checksummed(guardian), PUBLIC_DELAY_SECONDS, GRACE_SECONDS, sets, threshold)
    sent = factory.constructor(*arguments).transact({"from": checksummed(payer)})
    receipt: Any = web3.eth.wait_for_transaction_receipt(sent, poll_latency=0.01)
    contract = web3.eth.contract(receipt["contractAddress"], abi=artifact.abi)
    block_number, transaction_hash = receipt["blockNumber"], bytes(sent)
    return DeployedRegistry(chain, contract, block_number, transaction_hash, owner, guardian, stranger, people)


def oracle_tuple(account: DevAccount, weight: int = 1, valid_from: int = 0, valid_until: int = FOR_EVER) -> OracleTuple:
    """Return Solidity's struct Oracle. Times are in Unix seconds."""
    return checksummed(account), weight, valid_from, valid_until, bytes(21)

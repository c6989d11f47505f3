"""Records onto the chain: read first, write only what is not there, believe only the contract's state."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from oracle.journal import Journal
from oracle.ledger.chain import Call, Chain, RevertedError, Web3Chain
from oracle.ledger.signers import Signer, check_custody
from oracle.ledger.transactions import FeeLimits, Progress, TransactionSender
from oracle.rows import State
from verifier.errors import RecordError, TemporaryError, VerificationError
from verifier.node import keeping_recursion_limit, parse_address
from verifier.record import Entry, Record, match_entry
from verifier.registry import RegistryReader, load_artifact


class Registry(Protocol):
    """What the oracle reads; `verifier.registry.RegistryReader` is one."""

    def entry(self, manifest_digest: bytes, *, block: int) -> Entry:
        """The entry of a manifest as of `block`; raises RecordError if there is none."""

    def manifest_of_report(self, report_digest: bytes) -> bytes | None:
        """The first manifest recorded with a report."""


@dataclass(frozen=True)
class LedgerOptions:
    """Where records go. `confirmations` blocks on top make a record final; 0 where the chain has instant finality."""

    rpc_url: str
    registry_address: str
    confirmations: int
    limits: FeeLimits
    rpc_timeout_seconds: float
    allow_development_key: bool


class RegistryWriter:
    """Publishes records in one registry; publishing the same one again is always safe."""

    def __init__(
        self,
        registry: Registry,
        chain: Chain,
        sender: TransactionSender,
        journal: Journal,
        *,
        address: str,
        confirmations: int,
    ) -> None:
        self._registry = registry
        self._chain = chain
        self._sender = sender
        self._journal = journal
        self._address = address
        self._confirmations = confirmations

    def check_chain(self) -> None:
        """Compare the chain and the contract with those that this journal began with, or remember them.

        Raises:
            UsageError: another chain, another genesis, another contract.
            TemporaryError: the node does not answer.
        """
        self._journal.pin(self._chain.identity(self._address))

    def publish(self, row_id: int, record: Record) -> Progress:
        """Bring a record one step further on its way into the registry.

        Returns:
            FINAL if it is there `confirmations` blocks deep, MINED if less deep, SENT if its transaction is on its way.

        Raises:
            VerificationError: the manifest is recorded already, for another release (check `registry-record`).
            TemporaryError: node, fees or disk; call again later.
        """
        # (1) the state as of one block; the account's nonce is asked for the same block
        head = self._chain.head()
        entry = self._entry(record, head)
        if entry is None:
            return self._push(row_id, record, head)
        # (2) somebody's record of this manifest is there: ours, or another oracle's of the same release
        deep = self._is_deep(record, head)
        try:
            match_entry(record, entry)
        except VerificationError as error:
            if deep:
                raise
            raise TemporaryError(
                f"may still be undone: {error.problem}", check=error.check, where=error.where
            ) from error
        if not deep:
            return Progress(State.MINED)
        # (3) deep enough
        self._sender.settle(row_id)
        same = entry.verdict_digest == record.verdict_digest
        return Progress(State.FINAL, "" if same else "was recorded before, with another verdict")

    def push_orphans(self) -> None:
        """See `TransactionSender.push_orphans`."""
        self._sender.push_orphans(block=self._chain.head())

    def manifest_of_report(self, report_digest: bytes) -> bytes | None:
        return self._registry.manifest_of_report(report_digest)

    def _push(self, row_id: int, record: Record, block: int) -> Progress:
        call = Call(self._sender.address, self._address, publish_call_data(record))
        try:
            return self._sender.push(row_id, call, block=block)
        except RevertedError as error:
            raise TemporaryError(
                "the registry would not take the record now", where=self._address, got=_revert_name(error.data)
            ) from error

    def _entry(self, record: Record, block: int) -> Entry | None:
        try:
            return self._registry.entry(record.manifest_digest, block=block)
        except RecordError:
            return None

    def _is_deep(self, record: Record, head: int) -> bool:
        block = head - self._confirmations
        try:
            return block >= 0 and self._entry(record, block) is not None
        except TemporaryError:
            return False  # a node fails over a block before the registry was deployed, too; not final yet, in any case


def open_writer(
    options: LedgerOptions, signer: Signer, journal: Journal, *, clock: Callable[[], datetime]
) -> RegistryWriter:
    """Connect to chain and registry and compare both with the journal.

    Raises:
        UsageError: wrong chain or contract, or a development key on a chain that is not local.
        TemporaryError: the node does not answer.
    """
    address = checksum_address(options.registry_address)
    chain = Web3Chain(options.rpc_url, timeout_seconds=options.rpc_timeout_seconds)
    identity = chain.identity(address)
    chain_id = int(identity["chain id"])
    check_custody(signer, chain_id, allow_development_key=options.allow_development_key)
    journal.pin(identity)
    registry = RegistryReader(options.rpc_url, address, chain_id=chain_id, timeout_seconds=options.rpc_timeout_seconds)
    sender = TransactionSender(chain, signer, journal, options.limits, chain_id=chain_id, clock=clock)
    return RegistryWriter(registry, chain, sender, journal, address=address, confirmations=options.confirmations)


def checksum_address(text: str) -> str:
    """Return a registry's address as transactions want it; raises UsageError if it is none."""
    from eth_utils.address import to_checksum_address

    return str(to_checksum_address(parse_address(text, "registry")))


def publish_call_data(record: Record) -> bytes:
    """Return the encoded call of the registry's `publish` with a record."""
    with keeping_recursion_limit():
        from web3 import Web3
    contract = Web3().eth.contract(abi=load_artifact().abi)
    return bytes.fromhex(contract.encode_abi("publish", args=list(record.publish_arguments()))[2:])


def _revert_name(data: bytes) -> str:
    """Name the contract's error by its selector, for a person."""
    from eth_utils.abi import abi_to_signature
    from web3 import Web3

    for item in load_artifact().abi:
        if item["type"] == "error" and bytes(Web3.keccak(text=abi_to_signature(item)))[:4] == data[:4]:  # type: ignore[arg-type]
            return str(item["name"])
    return data.hex() or "no reason"

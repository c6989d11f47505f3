"""Write records to the chain: read first, write only missing records, and trust only the contract's state."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol, TypeVar

from provenance_oracle.oracle.chain.calls import number_policy_call, refusal_name
from provenance_oracle.oracle.chain.reports import Reporter
from provenance_oracle.oracle.chain.rpc import Call, Chain, RevertedError, Web3Chain
from provenance_oracle.oracle.chain.signers import Signer, check_custody
from provenance_oracle.oracle.chain.transactions import FeeLimits, Publishing, TransactionSender
from provenance_oracle.oracle.journal.journal import Journal
from provenance_oracle.oracle.journal.rows import State
from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.errors import RecordError, TemporaryError, VerificationError
from provenance_oracle.verifier.record.fields import JUDGED_BEFORE_MAX, Entry, Record, match_entry
from provenance_oracle.verifier.registry.node import open_node, parse_address
from provenance_oracle.verifier.registry.reader import RegistryReader

_T = TypeVar("_T")
# The writer signs a record only if this much of the contract's window is left, so that it can be mined in time.
_INCLUSION = timedelta(hours=1)


class Registry(Protocol):
    """The part of `verifier.registry.reader.RegistryReader` that the writer needs."""

    def entry_of(self, model_digest: bytes, manifest_digest: bytes, *, block: int) -> Entry:
        """Return the entry of a release at `block`. Raise RecordError if there is none."""

    def manifest_of_report(self, report_digest: bytes) -> bytes | None:
        """Return the digest of the first manifest recorded with a report; None if there is none."""

    def policy_id(self, policy_digest: bytes, *, block: int) -> int:
        """Return the number of a policy at `block`; 0 if it has none."""


class Reports(Protocol):
    """The method of `oracle.chain.reports.Reporter` that the writer calls."""

    def publication(self, record: Record, *, policy_id: int, block: int) -> bytes:
        """Return the encoded call that publishes a record, signed for the oracle set in force at `block`."""


@dataclass(frozen=True)
class LedgerOptions:
    """The registry for the records, the node to reach it, and the limits of transactions.

    Fields:
        registry_address: 0x and 40 hex digits.
        chain_id: the chain that the node must have; None to accept any.
        first_block: a block before which the registry has no events.
        confirmations: number of blocks on top of a record that make it final; 0 on a chain with instant finality.
        allow_development_key: accept a key from the environment on a chain that is not local.
    """

    rpc_url: str
    registry_address: str
    chain_id: int | None
    first_block: int
    confirmations: int
    limits: FeeLimits
    rpc_timeout_seconds: float
    allow_development_key: bool


class RegistryWriter:
    """Publishes records in one registry. Publishing a record again is always safe.

    Args:
        address: the registry's address in checksum form.
        confirmations: as in `LedgerOptions`.
        clock: returns the time now, with a time zone.
    """

    def __init__(
        self,
        registry: Registry,
        reports: Reports,
        chain: Chain,
        sender: TransactionSender,
        journal: Journal,
        *,
        address: str,
        confirmations: int,
        clock: Callable[[], datetime],
    ) -> None:
        self._registry = registry
        self._reports = reports
        self._chain = chain
        self._sender = sender
        self._journal = journal
        self._address = address
        self._confirmations = confirmations
        self._clock = clock

    def check_chain(self) -> None:
        """Compare the chain and the contract with those in the journal. The first call stores them there.

        Raises:
            UsageError: it is another chain, genesis block or contract, or the address has no contract.
            TemporaryError: the node does not answer.
        """
        self._journal.pin(self._chain.identity(self._address).pins())

    def publish(self, row_id: int, record: Record) -> Publishing:
        """Take a record one step further on its way into the registry.

        Returns:
            FINAL if the record is in the registry, `confirmations` blocks deep; MINED if it is less deep; SENT if its
            transaction is on its way; JUDGED if it must wait; SEEN if the release must be judged again.

        Raises:
            VerificationError: the registry has a record of this release with facts that the release cannot have (check
                `registry-record`).
            RecordError: the record's name leads to another release.
            FormatError: the record does not fit the registry's format.
            UsageError: our key is not an oracle, or a record needs signatures of other oracles too.
            TemporaryError: the node or the disk fails, or fees are too high. Call again later.
        """
        # (1) read the state at one block; the account's nonce is read at the same block
        head = self._chain.head()
        entry = self._entry(record, head)
        if entry is None:
            return self._push(row_id, lambda: self._publication(record, head), head)
        # (2) the registry has a record of this release: ours, or another oracle's
        deep = self._is_deep(record, head)
        try:
            match_entry(record, entry)
        except VerificationError as error:
            if deep:
                raise
            raise TemporaryError(
                f"another record of this release is not final yet: {error.problem}",
                check=error.check,
                where=error.where,
            ) from error
        if not deep:
            return Publishing(State.MINED)
        # (3) the record is deep enough
        self._sender.settle(row_id)
        same = entry.verdict_digest == record.verdict_digest
        closed = entry.closure.explanation if entry.closure else ""
        notes = (closed, "" if same else "was recorded before, with another verdict")
        return Publishing(State.FINAL, "; ".join(note for note in notes if note))

    def number_policy(self, row_id: int, policy_digest: bytes) -> Publishing:
        """Take a policy one step further on its way to a number, by which records name it.

        Returns:
            FINAL, MINED, SENT or JUDGED, with the same meaning as in `publish`.

        Raises:
            TemporaryError: as in `publish`.
        """
        head = self._chain.head()
        if not self._registry.policy_id(policy_digest, block=head):
            call = Call(self._sender.address, self._address, number_policy_call(policy_digest))
            return self._push(row_id, lambda: call, head)
        if not self._final_policy_id(policy_digest, head):
            return Publishing(State.MINED)
        self._sender.settle(row_id)
        return Publishing(State.FINAL)

    def push_orphans(self) -> None:
        """See `TransactionSender.push_orphans`."""
        self._sender.push_orphans(block=self._chain.head())

    def manifest_of_report(self, report_digest: bytes) -> bytes | None:
        """Return the digest of the first manifest recorded with a report; None if there is none."""
        return self._registry.manifest_of_report(report_digest)

    def _publication(self, record: Record, head: int) -> Call | Publishing:
        """Return the signed call that publishes a record, or the reason why there is none yet."""
        if self._clock() - record.judged_at > JUDGED_BEFORE_MAX - _INCLUSION:
            return Publishing(State.SEEN, "was judged too long ago for a record and is judged again")
        policy_id = self._final_policy_id(record.policy_digest, head)
        if not policy_id:
            if not self._registry.policy_id(record.policy_digest, block=head):
                self._journal.open_policy(record.policy_digest, at=self._clock())
            return Publishing(State.JUDGED, "waits for its policy's number in the registry")
        data = self._reports.publication(record, policy_id=policy_id, block=head)
        return Call(self._sender.address, self._address, data)

    def _push(self, row_id: int, prepare: Callable[[], Call | Publishing], block: int) -> Publishing:
        try:
            return self._sender.push(row_id, prepare, block=block)
        except RevertedError as error:
            name = refusal_name(error.data)
            if name == "NameTaken":
                raise RecordError(
                    "the record's name leads to another release",
                    check=Check.REGISTRY_RECORD,
                    where=self._address,
                    got=name,
                ) from error
            raise TemporaryError("the registry refuses the call now", where=self._address, got=name) from error

    def _entry(self, record: Record, block: int) -> Entry | None:
        try:
            return self._registry.entry_of(record.model_digest, record.manifest_digest, block=block)
        except RecordError:
            return None

    def _is_deep(self, record: Record, head: int) -> bool:
        return self._as_of_final_block(lambda block: self._entry(record, block), head) is not None

    def _final_policy_id(self, policy_digest: bytes, head: int) -> int:
        """Return the number of a policy; 0 if it is not deep enough, because a fork could give it to another policy."""
        return self._as_of_final_block(lambda block: self._registry.policy_id(policy_digest, block=block), head) or 0

    def _as_of_final_block(self, read: Callable[[int], _T], head: int) -> _T | None:
        """Return the result of `read` at the newest block that counts as final; None if it raises TemporaryError."""
        block = head - self._confirmations
        try:
            return read(block) if block >= 0 else None
        except TemporaryError:
            return None  # also for a block before the registry was deployed; nothing is final there


def open_writer(
    options: LedgerOptions,
    payer: Signer,
    reporter: Signer,
    journal: Journal,
    *,
    clock: Callable[[], datetime],
    on_wait: Callable[[], object] = lambda: None,
) -> RegistryWriter:
    """Open one connection to the chain, and compare chain and registry with the journal.

    Args:
        payer: signs transactions. reporter: signs reports.
        clock: returns the time now, with a time zone.
        on_wait: called at least twice a second while a request waits. What it raises ends the request.

    Raises:
        UsageError: it is another chain or contract, or a development key would be used on a chain that is not local.
        TemporaryError: the node does not answer.
    """
    address = checksum_address(options.registry_address)
    node = open_node(options.rpc_url, options.rpc_timeout_seconds, on_wait)
    chain = Web3Chain(node)
    identity = chain.identity(address)
    for signer in (payer, reporter):
        check_custody(signer, identity.chain_id, allow_development_key=options.allow_development_key)
    journal.pin(identity.pins())
    registry = RegistryReader(node, address, chain_id=options.chain_id, from_block=options.first_block)
    return RegistryWriter(
        registry,
        Reporter(reporter, registry, chain_id=identity.chain_id, address=registry.address),
        chain,
        TransactionSender(chain, payer, journal, options.limits, chain_id=identity.chain_id, clock=clock),
        journal,
        address=address,
        confirmations=options.confirmations,
        clock=clock,
    )


def checksum_address(text: str) -> str:
    """Return a registry's address in checksum form, which transactions need.

    Raises:
        UsageError: the text is not an address.
    """
    from eth_utils.address import to_checksum_address

    return str(to_checksum_address(parse_address(text, "registry")))

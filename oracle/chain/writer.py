"""Write records to the chain: read first, write only missing records, and trust only the contract's final state."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from provenance_oracle.oracle.chain.calls import number_policy_call, refusal_name
from provenance_oracle.oracle.chain.fees import FeeLimits
from provenance_oracle.oracle.chain.finality import Endpoint, Finality
from provenance_oracle.oracle.chain.reports import Reporter
from provenance_oracle.oracle.chain.rpc import Call, Chain, ChainIdentity, RevertedError, Web3Chain
from provenance_oracle.oracle.chain.transactions import Publishing, TransactionSender
from provenance_oracle.oracle.journal.journal import Journal
from provenance_oracle.oracle.journal.rows import State
from provenance_oracle.oracle.signers.base import Signer, check_custody
from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.errors import RecordError, TemporaryError, UsageError, VerificationError
from provenance_oracle.verifier.record.fields import JUDGED_BEFORE_MAX, Entry, Record, match_entry
from provenance_oracle.verifier.registry.node import NodeConnection, open_node, parse_address
from provenance_oracle.verifier.registry.reader import RegistryReader

# The writer signs a record only if this much of the contract's window is left, so that it can be mined in time.
_INCLUSION = timedelta(hours=1)
_NAME_TAKEN = "NameTaken"


class Registry(Protocol):
    """The part of `verifier.registry.reader.RegistryReader` that the writer needs."""

    def entry_of(self, model_digest: bytes, manifest_digest: bytes, *, block: int) -> Entry:
        """Return the entry of a release at `block`. Raise RecordError if there is none."""

    def manifest_of_report(self, report_digest: bytes, *, block: int) -> bytes | None:
        """Return the digest of the first manifest recorded with a report up to `block`; None if there is none."""

    def policy_id(self, policy_digest: bytes, *, block: int) -> int:
        """Return the number of a policy at `block`; 0 if it has none."""


class Reports(Protocol):
    """The method of `oracle.chain.reports.Reporter` that the writer calls."""

    def publication(self, record: Record, *, policy_id: int, head: int) -> bytes:
        """Return the encoded call that publishes a record, signed for the oracle set in force at the block `head`."""


@dataclass(frozen=True)
class LedgerOptions:
    """The registry for the records, the node to reach it, and the limits of transactions.

    Attributes:
        rpc_url_second: another node, which must agree before anything counts as final; empty for none.
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
    rpc_url_second: str = ""


class RegistryWriter:
    """Publishes records in one registry. Publishing a record again is always safe.

    Args:
        finality: the same endpoint, and others that must agree before anything counts as final.
        address: the registry's address in checksum form.
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
        finality: Finality[Registry],
        address: str,
        clock: Callable[[], datetime],
    ) -> None:
        self._registry = registry
        self._reports = reports
        self._chain = chain
        self._sender = sender
        self._journal = journal
        self._finality = finality
        self._address = address
        self._clock = clock

    def check_chain(self) -> None:
        """Compare the chain and the contract with those in the journal. The first call stores them there.

        Raises:
            UsageError: it is another chain, genesis block or contract, or the address has no contract, and the nodes
                say so twice.
            TemporaryError: a node does not answer, or the nodes disagree.
        """
        try:
            identity = self._chain.identity(self._address)
            self._journal.pin(identity.pins())
        except UsageError:  # one false answer must not end the process
            self._journal.pin(_agreed_identity(self._finality, self._address).pins())

    def publish(self, row_id: int, record: Record) -> Publishing:
        """Take a record one step further on its way into the registry.

        Returns:
            FINAL if the record is in a final block of the registry; MINED if it is in a newer one; SENT if its
            transaction is on its way; JUDGED if it must wait; SEEN if the release must be judged again.

        Raises:
            VerificationError: the registry has a record of this release with facts that the release cannot have (check
                `registry-record`).
            RecordError: the record's name leads to another release.
            FormatError: the record does not fit the registry's format.
            UsageError: our key is not an oracle, or a record needs signatures of other oracles too.
            TemporaryError: a node or the disk fails, the nodes disagree, or fees are too high. Call again later.
        """
        # (1) read the state at one block; the account's nonce is read at the same block
        head = self._chain.head()
        newest = _entry(self._registry, record, head)
        if newest is None:
            return self._push(row_id, lambda: self._publication(record, head), head)
        # (2) the registry has a record of this release, ours or another oracle's, which is not final yet
        entry = self._finality.at_depth(lambda one, block: _entry(one.registry, record, block), head)
        if entry is None:
            _match_newest(record, newest)
            return Publishing(State.MINED, self._finality.obstacle)
        # (3) the record is final
        match_entry(record, entry)
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

    def manifest_of_report(self, report_digest: bytes, *, expected: bytes) -> bytes | None:
        """Return the digest of the first manifest recorded with a report; None if there is none.

        Raises:
            TemporaryError: a node fails, the nodes disagree, or it is not the manifest `expected` and not final yet.
        """

        def ask(one: Endpoint[Registry], block: int) -> bytes | None:
            return one.registry.manifest_of_report(report_digest, block=block)

        head = self._chain.head()
        found = self._finality.at_newest(ask, head)
        if found not in (None, expected) and self._finality.at_depth(ask, head) != found:
            raise TemporaryError(
                "the report was recorded with another manifest, and that record is not final yet",
                check=Check.KEY_BINDING,
                where=self._address,
            )
        return found

    def _publication(self, record: Record, head: int) -> Call | Publishing:
        """Return the signed call that publishes a record, or the reason why there is none yet."""
        if self._clock() - record.judged_at > JUDGED_BEFORE_MAX - _INCLUSION:
            return Publishing(State.SEEN, "was judged too long ago for a record and is judged again")
        policy_id = self._final_policy_id(record.policy_digest, head)
        if not policy_id:
            if not self._registry.policy_id(record.policy_digest, block=head):
                self._journal.open_policy(record.policy_digest, at=self._clock())
            return Publishing(State.JUDGED, "waits for its policy's number in the registry")
        data = self._reports.publication(record, policy_id=policy_id, head=head)
        return Call(self._sender.address, self._address, data)

    def _push(self, row_id: int, prepare: Callable[[], Call | Publishing], block: int) -> Publishing:
        try:
            return self._sender.push(row_id, prepare, block=block)
        except RevertedError as error:
            name = refusal_name(error.data)
            if name == _NAME_TAKEN and self._is_name_taken(error.call, block):
                raise RecordError(
                    "the record's name leads to another release",
                    check=Check.REGISTRY_RECORD,
                    where=self._address,
                    got=name,
                ) from error
            raise TemporaryError("the registry refuses the call now", where=self._address, got=name) from error

    def _is_name_taken(self, call: Call, head: int) -> bool:
        """Return whether a call that reverted with NameTaken at the newest block does so at a final one too."""

        def ask(one: Endpoint[Registry], block: int) -> bool:
            try:
                one.chain.simulate(call, block)
            except RevertedError as error:
                return refusal_name(error.data) == _NAME_TAKEN
            return False

        return bool(self._finality.at_depth(ask, head))

    def _final_policy_id(self, policy_digest: bytes, head: int) -> int:
        """Return the number of a policy; 0 if it is not deep enough, because a fork could give it to another policy."""
        return self._finality.at_depth(lambda one, block: one.registry.policy_id(policy_digest, block=block), head) or 0


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
    urls = (options.rpc_url, *([options.rpc_url_second] if options.rpc_url_second else []))
    nodes = [open_node(url, options.rpc_timeout_seconds, on_wait) for url in urls]
    endpoints = tuple(_endpoint(node, address, options) for node in nodes)
    finality = Finality(endpoints, options.confirmations)
    identity = _agreed_identity(finality, address)
    for signer in (payer, reporter):
        check_custody(signer, identity.chain_id, allow_development_key=options.allow_development_key)
    journal.pin(identity.pins())
    first = endpoints[0]
    facts: dict[str, Any] = {"finality": finality, "chain_id": identity.chain_id}
    return RegistryWriter(
        first.registry,
        Reporter(reporter, first.registry, address=first.registry.address, **facts),
        first.chain,
        TransactionSender(first.chain, payer, journal, options.limits, clock=clock, **facts),
        journal,
        finality=finality,
        address=address,
        clock=clock,
    )


def _endpoint(node: NodeConnection, address: str, options: LedgerOptions) -> Endpoint[RegistryReader]:
    registry = RegistryReader(node, address, chain_id=options.chain_id, from_block=options.first_block)
    return Endpoint(Web3Chain(node), registry, node.where)


def _agreed_identity(finality: Finality[Any], address: str) -> ChainIdentity:
    """Return the facts about chain and registry that all endpoints give. Raise TemporaryError if they disagree."""
    return finality.agreed(lambda one: one.chain.identity(address))


def _entry(registry: Registry, record: Record, block: int) -> Entry | None:
    try:
        return registry.entry_of(record.model_digest, record.manifest_digest, block=block)
    except RecordError:
        return None


def _match_newest(record: Record, newest: Entry) -> None:
    """Raise TemporaryError if an entry that is not final yet has facts that the release cannot have."""
    try:
        match_entry(record, newest)
    except VerificationError as error:
        problem = f"another record of this release is not final yet: {error.problem}"
        raise TemporaryError(problem, check=error.check, where=error.where) from error


def checksum_address(text: str) -> str:
    """Return a registry's address in checksum form, which transactions need.

    Raises:
        UsageError: the text is not an address.
    """
    from eth_utils.address import to_checksum_address

    return str(to_checksum_address(parse_address(text, "registry")))

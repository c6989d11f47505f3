"""Write records to the chain: read first, write only missing records, and trust only the contract's final state."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

from provenance_oracle.oracle.chain.batched_parents import BatchedParents
from provenance_oracle.oracle.chain.batches import BatchPublisher
from provenance_oracle.oracle.chain.calls import number_policy_call, refusal_name, refused_now, standing_call
from provenance_oracle.oracle.chain.endpoints import Endpoints
from provenance_oracle.oracle.chain.finality import Endpoint, Finality
from provenance_oracle.oracle.chain.release_proofs import ReleaseProofs
from provenance_oracle.oracle.chain.rpc import Call, Chain, RevertedError
from provenance_oracle.oracle.chain.transactions import Publishing, TransactionSender
from provenance_oracle.oracle.chain.writer_parts import Registry, Reports
from provenance_oracle.oracle.conditions import SENDING, Trouble, TroubleError
from provenance_oracle.oracle.journal.journal import Journal
from provenance_oracle.oracle.journal.rows import State
from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.errors import RecordError, TemporaryError, VerificationError
from provenance_oracle.verifier.record.fields import JUDGED_BEFORE_MAX, Entry, Record, match_entry
from provenance_oracle.verifier.registry.rpc_client import Asked

# The writer signs a record only if this much of the contract's window is left, so that it can be mined in time.
_INCLUSION = timedelta(hours=1)
_CLOCK_SLACK = timedelta(minutes=5)
_NAME_TAKEN, _PAUSED = "NameTaken", "WritesArePaused"
_MATCHED_MAX = 10_000


class RegistryWriter:
    """Publishes records in one registry. Publishing a record again is always safe.

    Args:
        finality: asks the endpoints that serve now; several must agree before anything counts as final.
        endpoints: finds the endpoints that serve now.
        batches: publishes batches; None for single records only.
        proofs: proves releases; None for none.
        parents: finds parents in batches; None to look into the journal's batches only.
        address: the registry's address in checksum form.
        clock: returns the time now, with a time zone.
        obstacles: finds the troubles for which nothing can be recorded at a block; see `obstacles.Obstacles.find`.
    """

    def __init__(
        self,
        reports: Reports,
        sender: TransactionSender,
        journal: Journal,
        *,
        finality: Finality[Registry],
        endpoints: Endpoints[Registry],
        batches: BatchPublisher | None = None,
        proofs: ReleaseProofs | None = None,
        parents: BatchedParents | None = None,
        address: str,
        clock: Callable[[], datetime],
        obstacles: Callable[[int], Mapping[Trouble, str]] = lambda _block: {},
    ) -> None:
        self._obstacles = obstacles
        self._reports = reports
        self._sender = sender
        self._journal = journal
        self._finality = finality
        self._endpoints = endpoints
        self.batches = batches
        self.proofs = proofs
        self._parents = parents or BatchedParents(journal, None, clock)
        self._matched: set[Record] = set()
        self._address = address
        self._clock = clock

    def check_chain(self) -> None:
        """Look at the newest block through each endpoint, and go on with those that serve. A pass begins with it.

        Chain and contract are compared with those in the journal; the first call stores them there. Until the next
        call, all answers are about the block that the first endpoint shows now, and no question is asked twice.

        Raises:
            UsageError: all endpoints say again and again that it is another chain or contract.
            TemporaryError: no endpoint serves now, or they disagree.
        """
        serving, identity = self._endpoints.survey()
        self._finality.use(serving, self._endpoints.problems)
        self._journal.pin(identity.pins())
        self._reports.exchange(self._chain.head())

    @property
    def newest_time(self) -> datetime | None:
        """The time of the newest block at the last `check_chain`."""
        return self._endpoints.newest_time

    def read_ahead(self, begun: Sequence[tuple[bytes, bytes]], fresh: Sequence[tuple[bytes, bytes]] = ()) -> None:
        """Ask the endpoints together what the steps of a pass will ask.

        Args:
            begun: model digest and manifest digest (32 bytes each) of releases whose records are on their way.
            fresh: the same of releases that nobody may have recorded.
        """
        head = self._chain.head()
        final = self._finality.final_block(head)
        for number, one in enumerate(self._finality.all):
            asked: list[Asked] = []
            if not number:
                asked += [self._question_of(standing_call(*both), head) for both in (*begun, *fresh)]
            if final >= 0:
                asked += [self._question_of(standing_call(*both), final) for both in begun if not number]
                asked.append(("eth_getTransactionCount", [self._sender.address, hex(final)]))
            asked.append(("eth_getTransactionCount", [self._sender.address, hex(head)]))
            one.chain.read_ahead(asked)

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
        if not self._registry.is_recorded(record.model_digest, record.manifest_digest, block=head):
            return self._push(row_id, lambda: self._publication(record, head), head)
        # (2) the registry has a record of this release, ours or another oracle's, which is not final yet
        entry = self._finality.at_depth(lambda one, block: _entry(one.registry, record, block), head)
        if entry is None:
            self._match_newest(record, head)
            return Publishing(State.MINED, self._finality.obstacle)
        # (3) the record is final
        match_entry(record, entry)
        self._sender.settle(row_id)
        same = entry.verdict_digest == record.verdict_digest
        closed = entry.closure.explanation if entry.closure else ""
        notes = (closed, "" if same else "was recorded before, with another verdict")
        return Publishing(State.FINAL, "; ".join(note for note in notes if note))

    def batch_entry(self, record: Record) -> bytes | Publishing | None:
        """Return a record's bytes for a batch.

        Returns:
            None if the record is recorded by itself: the registry has the release already, the record's name is in a
            claimed namespace, or it names parents. A `Publishing` if it must wait (JUDGED) or be judged again (SEEN).

        Raises:
            FormatError: the record does not fit the registry's format.
            TemporaryError: a node fails, or the nodes disagree.
        """
        head = self._chain.head()
        if record.named_parents or self._registry.is_recorded(record.model_digest, record.manifest_digest, block=head):
            return None
        namespace = record.name.partition("/")[0]
        if self._finality.at_newest(lambda one, block: one.registry.is_claimed(namespace, block=block), head):
            return None
        policy_id = self._usable_policy_id(record, head)
        if isinstance(policy_id, Publishing):
            return policy_id
        return self._reports.encoded(record, policy_id=policy_id, head=head)

    def has_slot(self) -> bool:
        """Return whether one more transaction may be on its way now."""
        return self._sender.has_slot(self._chain.nonce(self._sender.address, self._chain.head()))

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

    def troubles(self) -> Mapping[Trouble, str]:
        """Return each trouble for which nothing can be recorded now, and its reason.

        While one of SENDING stands, no call begins until this method finds it over.

        Raises:
            TemporaryError: no node answers.
        """
        head = self._chain.head()
        short = self._sender.shortage(head)
        found = ({Trouble.FUNDS: short} if short else {}) | dict(self._obstacles(head))
        self._sender.withhold("; ".join(reason for trouble, reason in found.items() if trouble in SENDING))
        return found

    @property
    def has_peers(self) -> bool:
        """Whether other oracles may need our signatures."""
        return self._reports.has_peers

    @property
    def _chain(self) -> Chain:
        return self._finality.first.chain

    @property
    def _registry(self) -> Registry:
        return self._finality.first.registry

    def _question_of(self, data: bytes, block: int) -> Asked:
        return "eth_call", [{"to": self._address, "data": f"0x{data.hex()}"}, hex(block)]

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

    def _match_newest(self, record: Record, head: int) -> None:
        """Raise TemporaryError if an entry that is not final yet has facts that the release cannot have.

        The entry's events are read once, not in each pass until it is final.
        """
        if record in self._matched:
            return
        newest = _entry(self._registry, record, head)
        try:
            if newest is not None:
                match_entry(record, newest)
        except VerificationError as error:
            problem = f"another record of this release is not final yet: {error.problem}"
            raise TemporaryError(problem, check=error.check, where=error.where) from error
        if len(self._matched) >= _MATCHED_MAX:
            self._matched.clear()
        self._matched.add(record)

    def _publication(self, record: Record, head: int) -> Call | Publishing:
        """Return the signed call that publishes a record, or the reason why there is none yet."""
        policy_id = self._usable_policy_id(record, head)
        if isinstance(policy_id, Publishing):
            return policy_id
        if waits := self._parents.reason_to_wait(record, self._registry, block=head):
            return Publishing(State.JUDGED, waits, is_alone=True)
        data = self._reports.publication(record, policy_id=policy_id, head=head)
        return data if isinstance(data, Publishing) else Call(self._sender.address, self._address, data)

    def _usable_policy_id(self, record: Record, head: int) -> int | Publishing:
        """Return the number of a record's policy, or the reason why the record is not signed now."""
        age = self._clock() - record.judged_at
        if age > JUDGED_BEFORE_MAX - _INCLUSION:
            return Publishing(State.SEEN, "was judged too long ago for a record and is judged again")
        if age < -_CLOCK_SLACK:  # the registry takes no such record, maybe for a year
            return Publishing(State.SEEN, "was judged while the clock was ahead and is judged again")
        policy_id = self._final_policy_id(record.policy_digest, head)
        if not policy_id:
            if not self._registry.policy_id(record.policy_digest, block=head):
                self._journal.open_policy(record.policy_digest, at=self._clock())
            return Publishing(State.JUDGED, "waits for its policy's number in the registry")
        return policy_id

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
            if name == _PAUSED:
                raise TroubleError(
                    Trouble.PAUSED, "the registry's guardian has stopped all writes", where=self._address, got=name
                ) from error
            raise refused_now(error.data, self._address) from error

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


def _entry(registry: Registry, record: Record, block: int) -> Entry | None:
    try:
        return registry.entry_of(record.model_digest, record.manifest_digest, block=block)
    except RecordError:
        return None

"""Read one registry: records, their history and ancestors, policies, names and oracle sets.

The node is trusted with the chain's state and nothing else. The reader compares the contract's code with the code of
this version, and each event with the content digest and the standing in the contract. If the node is down or slow,
contradicts itself, or its answers make no sense, the reader raises TemporaryError; see `verifier.registry.node`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from functools import partial

from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.errors import RecordError, UsageError, VerificationError
from provenance_oracle.verifier.record.codec import release_id
from provenance_oracle.verifier.record.fields import Entry, Record, match_entry
from provenance_oracle.verifier.record.keccak import keccak256
from provenance_oracle.verifier.record.proof_file import ProvenRecord
from provenance_oracle.verifier.registry.batch_proofs import BatchProofs
from provenance_oracle.verifier.registry.contract import DeployedContract, load_artifact
from provenance_oracle.verifier.registry.event_cache import EventCache
from provenance_oracle.verifier.registry.event_reader import EventReader
from provenance_oracle.verifier.registry.events import HistoryEvent, ModelRevocation, Publication
from provenance_oracle.verifier.registry.head import Block, Head
from provenance_oracle.verifier.registry.history import read_ahead, read_history
from provenance_oracle.verifier.registry.lineage import Ancestor, read_ancestors
from provenance_oracle.verifier.registry.listings import by_release
from provenance_oracle.verifier.registry.lists import REVOKED_IN_BATCH, RecordLists
from provenance_oracle.verifier.registry.model_revocations import read_model_revocation, read_unrevoked
from provenance_oracle.verifier.registry.namespaces import Namespace, NamespaceEntry
from provenance_oracle.verifier.registry.node import (
    TIMEOUT_SECONDS,
    NodeConnection,
    node_errors,
    open_node,
    parse_address,
)
from provenance_oracle.verifier.registry.oracle_sets import AppSeat, OracleSets, Seat
from provenance_oracle.verifier.registry.publications import KeptRecords, id_of_release
from provenance_oracle.verifier.registry.refusals import refusal_of
from provenance_oracle.verifier.registry.satellites import Satellites
from provenance_oracle.verifier.registry.secp256k1 import checksum_address
from provenance_oracle.verifier.strict.abi_values import parse_flag, parse_number
from provenance_oracle.verifier.strict.timestamps import format_time


class RegistryReader:
    """Reads one registry over one connection. Not for use by several threads at once.

    Args:
        rpc_url: JSON-RPC endpoint, http or https; or an open connection, which the reader then shares.
        address: the registry's address, 0x and 40 hex digits.
        chain_id: the chain that the node must have; None to accept any.
        from_block: a block before which the registry has no events.
        timeout_seconds: limit for each request; an open connection keeps its own.
        cache: keeps events from earlier. It is for a command that asks a few questions and ends: the reader then
            answers them all for one block, until `match_record` takes the newest block.

    Attributes:
        node: the connection, for other readers and writers of the same chain.
        address: 20 bytes.
        lists: lists records, to be read in pages.
        proofs: reads records in batches, by their proofs.

    Raises:
        UsageError: endpoint or address are malformed, the chain is another one, or the address has another contract or
            none.
        TemporaryError: the node does not answer, or its answer makes no sense. Every method may raise this too.
    """

    def __init__(
        self,
        rpc_url: str | NodeConnection,
        address: str,
        *,
        chain_id: int | None = None,
        from_block: int = 0,
        timeout_seconds: float = TIMEOUT_SECONDS,
        cache: EventCache | None = None,
    ) -> None:
        self.node = open_node(rpc_url, timeout_seconds)
        self._where = f"registry {address} at {self.node.where}"
        self.address = parse_address(address, "registry")
        self._from_block = from_block
        with node_errors(self._where):
            self.chain_id = parse_number(self.node.web3.eth.chain_id, "chain id")
        if chain_id not in (None, self.chain_id):
            raise UsageError(
                "the node has another chain", where=self._where, got=str(self.chain_id), wanted=str(chain_id)
            )
        if cache is not None:
            cache.open(self.chain_id, self.address, self.node.where)
        events = EventReader(self.node, cache)
        self._contract = DeployedContract(self.node, "ProvenanceRegistry", self.address, self._where, events)
        self._oracle_sets = OracleSets(self._contract)
        self._records = KeptRecords(self._contract, self._oracle_sets, from_block)
        self._satellites = Satellites(self._contract, self.node, events, from_block)
        self._head = Head(self.node, self._where, is_pinned=cache is not None)
        head = partial(self._head.number, "latest")
        self.proofs = BatchProofs(self._contract, self._records, self._oracle_sets, from_block, head)
        self.lists = RecordLists(self._contract, self._records, self._satellites.namespaces, from_block, head)

    # One record

    def entry(self, manifest_digest: bytes, *, block: Block = "latest") -> Entry:
        """Return the entry of a manifest's release at `block`, for its latest judgement, open or not.

        Raises:
            RecordError: there is no entry (check `registry-record`).
            VerificationError: the oracles recorded the manifest for several models.
        """
        number = self._head.number(block)
        found = self._publications("manifestDigest", manifest_digest, number)
        passed = [one for one in found if one.record.passed]
        if not passed:
            got = "nothing but FAILED verdicts" if found else "nothing"
            raise self._no_record(got, f"a record of manifest {manifest_digest.hex()}")
        models = {one.record.model_digest for one in passed}
        if len(models) > 1:
            raise VerificationError(
                "the manifest is recorded for several models",
                check=Check.REGISTRY_RECORD,
                where=self._where,
                got=", ".join(sorted(model.hex() for model in models)),
                wanted="one model",
            )
        return self._records.latest(passed, number)

    def entry_of(self, model_digest: bytes, manifest_digest: bytes, *, block: Block = "latest") -> Entry:
        """Return the entry of a release with these digests, 32 bytes each. Read no events if there is no entry.

        Raises:
            RecordError: there is no entry, or it was revoked before anybody wrote it out of its batch.
        """
        number = self._head.number(block)
        standing = self._records.standing(model_digest, manifest_digest, number)
        if standing is None:
            raise self._no_record("nothing", f"a record of manifest {manifest_digest.hex()}")
        judgements = self._records.judgements(model_digest, manifest_digest, number)
        if not judgements and standing.revoked_at is not None:
            raise self._no_record(REVOKED_IN_BATCH, "an active record")
        return self._records.latest(judgements, number)

    def match_record(self, record: Record, *, proven: ProvenRecord | None = None) -> Entry:
        """Return the active entry of a release that the caller has judged, after comparing it with `record`.

        Args:
            proven: a record in a batch, which counts if the registry has no record of the release itself.

        Raises:
            RecordError: there is no entry, or it is revoked, held or doubtful, or its model is revoked (check
                `registry-record`).
            VerificationError: the entry is of another release (check `registry-record`).
        """
        self._head.renew()  # the judgement may have taken hours
        number = self._head.number("latest")
        if proven is not None and (found := self.proofs.entry(proven)):
            entry = found
        elif self._records.standing(record.model_digest, record.manifest_digest, number):
            entry = self.entry_of(record.model_digest, record.manifest_digest, block=number)
        elif revoked_at := self._records.model_revoked_at(record.model_digest, number):
            got = f"every release of these files revoked from {format_time(revoked_at)} on, this one not recorded"
            raise self._refused("the model was revoked", got, "a model that is not revoked")
        else:  # a manifest that is recorded for another model is forged, not unknown
            try:
                entry = self.entry(record.manifest_digest, block=number)
            except RecordError as error:
                raise self.proofs.with_next_step(error) from None
        if refusal := self.refusal(entry):
            raise refusal
        match_entry(record, entry)
        return entry

    def refusal(self, entry: Entry) -> RecordError | None:
        """Return the error that `match_record` raises about an entry; None if the entry is active."""
        return refusal_of(entry, self._where)

    def model_revocation(self, model_digest: bytes) -> ModelRevocation | None:
        """Return the revocation of a model, which holds for each of its releases; None if the model is not revoked."""
        number = self._head.number("latest")
        first = self._from_block
        return read_model_revocation(self._contract, self._records, model_digest, first=first, block=number)

    def unrevoked_releases(self, model_digest: bytes) -> tuple[bytes, ...]:
        """Return the manifest digests of a revoked model's releases whose records do not have the revocation yet."""
        return read_unrevoked(self._records, model_digest, self._head.number("latest"))

    def is_open(self, entry: Entry) -> bool:
        """Return whether the plain gate is open for an entry's release at grade 0, the lowest."""
        release = release_id(entry.model_digest, entry.manifest_digest)
        return self._contract.call("isOpen", release, 0, parse=parse_flag, block=self._head.number("latest"))

    def is_open_to_publisher(self, entry: Entry) -> bool:
        """Return whether the gate by publisher is open for an entry's release and the publisher named there."""
        asked = (entry.model_digest, entry.manifest_digest, entry.publisher_identity)
        return self._contract.call("isSignedBy", *asked, parse=parse_flag, block=self._head.number("latest"))

    def history(self, entry: Entry) -> tuple[HistoryEvent, ...]:
        """Return the events of an entry, oldest first.

        They are the events of the release with all its judgements, or those of a FAILED verdict.
        """
        return self.histories([entry])[0]

    def histories(self, entries: Sequence[Entry]) -> list[tuple[HistoryEvent, ...]]:
        """Return the events of each entry, as `history` does. With a cache, each block is read once for all entries."""
        number = self._head.number("latest")
        judgements = [self._records.judgements_of(entry, number) for entry in entries]
        read_ahead(self._contract, [one for found in judgements for one in found], first=self._from_block, block=number)
        return [self._history(entry, found, number) for entry, found in zip(entries, judgements, strict=True)]

    # Several

    def entries_of_manifest(self, manifest_digest: bytes) -> tuple[Entry, ...]:
        """Return the entries of a manifest: its releases and FAILED verdicts.

        This method and the three after it return all of them, revoked ones first, then the newest first.

        Raises:
            UsageError: there are more than ENTRIES_MAX, so they must be read in pages (`lists`).
        """
        return self.lists.whole(self.lists.of_manifest(manifest_digest))

    def entries_of_model(self, model_digest: bytes) -> tuple[Entry, ...]:
        """Return the entries of a model: its releases and FAILED verdicts. See `entries_of_manifest`."""
        return self.lists.whole(self.lists.of_model(model_digest))

    def entries_of_id(self, record_id: bytes) -> tuple[Entry, ...]:
        """Return the entry to which an id leads; empty if there is none. See `RecordLists.of_id`."""
        return self.lists.whole(self.lists.of_id(record_id))

    def entries_of_name(self, name: str) -> tuple[Entry, ...]:
        """Return the releases of a name. See `RecordLists.of_name` and `entries_of_manifest`."""
        return self.lists.whole(self.lists.of_name(name))

    def is_recorded(self, model_digest: bytes, manifest_digest: bytes, *, block: Block = "latest") -> bool:
        """Return whether a release has a record at `block`, in good standing or not. Reads no events."""
        return self._records.standing(model_digest, manifest_digest, self._head.number(block)) is not None

    def standing_releases(self, model_digest: bytes, *, block: Block = "latest") -> Iterator[Entry]:
        """Yield the releases of a model that are not revoked, newest first. Each is read when it is asked for."""
        found = self.lists.of_model(model_digest, block=self._head.number(block))
        for item in found.items:
            if item.judgements[0].record.passed and not item.is_revoked:
                yield self.lists.entry(item, found.block)

    def records(self, release_ids: Iterable[bytes]) -> dict[bytes, Entry]:
        """Return the entries of releases by id, without unknown ids. Read every event of the registry."""
        number, wanted = self._head.number("latest"), set(release_ids)
        found = [one for one in self._records.read({}, number) if one.record.passed and id_of_release(one) in wanted]
        groups = by_release(self._records.believed(found, number))
        return {release: self._records.latest(judgements, number) for release, judgements in groups.items()}

    def manifest_of_report(self, report_digest: bytes, *, block: Block = "latest") -> bytes | None:
        """Return the digest of the first manifest recorded with a report; None if the report was never used.

        FAILED verdicts do not count. Otherwise anyone could use up a report by copying it into a forged release.
        """
        found = self._publications("reportDigest", report_digest, self._head.number(block))
        return next((one.record.manifest_digest for one in found if one.record.passed), None)

    # Policies, oracles, names, ancestors

    def policy_id(self, policy_digest: bytes, *, block: Block = "latest") -> int:
        """Return the registry's number for a policy; 0 if it has none yet."""
        return self._contract.call("policyIdOf", policy_digest, parse=parse_number, block=self._head.number(block))

    def seats(self, *, block: Block = "latest", at: datetime) -> dict[str, Seat]:
        """Return the places of the oracle set in force whose keys count at a moment, by address in checksum form."""
        found = self._oracle_sets.seats(self._head.number(block), at=at)
        return {checksum_address(key): seat for key, seat in found.items()}

    def is_paused(self, *, block: Block = "latest") -> bool:
        """Return whether the guardian has stopped all writes."""
        return self._contract.call("writesPaused", parse=parse_flag, block=self._head.number(block))

    def app_seat(self, app: bytes) -> AppSeat | None:
        """Return the place of a ROFL app (21 bytes) in the oracle set in force; None if the app has no place."""
        return self._oracle_sets.app_seat(app, self._head.number("latest"))

    def time(self) -> int:
        """Return the Unix time of the newest block."""
        with node_errors(self._where):
            return parse_number(self.node.web3.eth.get_block("latest")["timestamp"], "timestamp")

    def namespace_owner(self, name: str) -> bytes | None:
        """Return the address of a namespace's owner, 20 bytes; None if nobody claimed it. Reads no events."""
        number = self._head.number("latest")
        return self._satellites.namespaces(number).owner(name, number)

    def namespace(self, name: str) -> Namespace | None:
        """Return a namespace; None if nobody claimed it.

        Raises:
            VerificationError: its history is not complete (check `publisher-identity`).
        """
        number = self._head.number("latest")
        return self._satellites.namespaces(number).namespace(name, number)

    def namespace_history(self, name: str) -> tuple[NamespaceEntry, ...]:
        """Return each entry of a namespace's history, oldest first; none if nobody claimed it.

        Raises:
            VerificationError: the history is not complete (check `publisher-identity`).
        """
        number = self._head.number("latest")
        return self._satellites.namespaces(number).history(name, number)

    def ancestors(self, entry: Entry, *, include_stated: bool = True) -> tuple[Ancestor, ...]:
        """Return the releases from which an entry's release was made, nearest first, each once.

        Args:
            include_stated: include parents that only the namespace's owner stated.

        Raises:
            RecordError: there are more than 32, or one is more than 16 steps away (check `lineage`).
        """
        number = self._head.number("latest")
        lineage = self._satellites.lineage(number)
        start = release_id(entry.model_digest, entry.manifest_digest)
        return read_ancestors(lineage, start, include_stated=include_stated, block=number, where=self._where)

    def contracts(self) -> dict[str, bytes]:
        """Return the contracts' addresses and the hash of the registry's code, by their names in a deployment file."""
        number = self._head.number("latest")
        code_hash = keccak256(load_artifact().deployed_bytecode)  # equal to the code on chain, as the constructor found
        return {"registry": self.address, **self._satellites.addresses(number), "code_hash": code_hash}

    # Parts

    def _publications(self, indexed: str, digest: bytes, block: int) -> list[Publication]:
        return self._records.believed(self._records.read({indexed: digest}, block), block)

    def _history(self, entry: Entry, judgements: list[Publication], number: int) -> tuple[HistoryEvent, ...]:
        decided_later = any(one.first.held or (entry.standing.named and not one.first.named) for one in judgements)
        names = self._satellites.namespaces(number) if decided_later else None
        first = self._from_block
        return read_history(self._contract, self._records, names, judgements, first=first, block=number)

    def _no_record(self, got: str, wanted: str) -> RecordError:
        return self._refused("no record", got, wanted)

    def _refused(self, problem: str, got: str, wanted: str) -> RecordError:
        return RecordError(problem, check=Check.REGISTRY_RECORD, where=self._where, got=got, wanted=wanted)

"""List the records of a model, a manifest, an id or a name, and read them in pages. Nothing is left out silently."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.errors import RecordError, UsageError
from provenance_oracle.verifier.record.fields import Entry, RecordFields
from provenance_oracle.verifier.registry.contract import DeployedContract
from provenance_oracle.verifier.registry.events import Publication, parse_model_revocation, parse_revocation
from provenance_oracle.verifier.registry.listings import (
    ENTRIES_MAX,
    Listed,
    Page,
    RecordList,
    by_release,
    in_list_order,
)
from provenance_oracle.verifier.registry.namespaces import Kind, NamespaceReader
from provenance_oracle.verifier.registry.publications import KeptRecords, id_of_release, latest_judgement
from provenance_oracle.verifier.strict.abi_values import parse_word

REVOKED_IN_BATCH = "one that was revoked in its batch"
_TAKEN_IN = (Kind.RECORDED, Kind.HELD, Kind.ADOPTED)


class RecordLists:
    """Lists the records of one registry.

    Args:
        namespaces: returns the reader of the namespaces at a block.
        first: a block before which the registry has no events.
        head: returns the number of the newest block.

    Raises (every method):
        TemporaryError: the node fails or contradicts itself.
    """

    def __init__(
        self,
        contract: DeployedContract,
        records: KeptRecords,
        namespaces: Callable[[int], NamespaceReader],
        first: int,
        head: Callable[[], int],
    ) -> None:
        self._contract = contract
        self._records = records
        self._namespaces = namespaces
        self._first = first
        self._head = head

    def of_manifest(self, manifest_digest: bytes) -> RecordList:
        """Return the list of a manifest's releases and FAILED verdicts."""
        block = self._head()
        return self._list(self._records.read({"manifestDigest": manifest_digest}, block), block)

    def of_model(self, model_digest: bytes, *, block: int | None = None) -> RecordList:
        """Return the list of a model's releases and FAILED verdicts at a block; None means the newest."""
        block = self._head() if block is None else block
        return self._list(self._records.read({"modelDigest": model_digest}, block), block)

    def of_id(self, record_id: bytes) -> RecordList:
        """Return the list with the record to which an id (32 bytes) leads; empty if there is none.

        The id of a release or of a judgement leads to the release, the id of a FAILED verdict to that verdict. The
        method reads every event of the registry if there is such a record.

        Raises:
            RecordError: the record was revoked before anybody wrote it out of its batch.
        """
        block = self._head()
        if not any(self._contract.call("contentOf", record_id, parse=parse_word, block=block)):
            return RecordList((), block)
        found = [one for one in self._records.read({}, block) if one.record_id == record_id]
        found = self._records.believed(found, block)
        if found and found[0].record.passed:
            record = found[0].record
            wanted = {"modelDigest": record.model_digest, "manifestDigest": record.manifest_digest}
            found = [one for one in self._records.read(wanted, block) if one.record.passed]
        if not found and self._contract.has_log("LeafRevoked", {"recordId": record_id}, self._first, block):
            raise RecordError(
                "no record",
                check=Check.REGISTRY_RECORD,
                where=self._contract.where,
                got=REVOKED_IN_BATCH,
                wanted="an active record",
            )
        if not found:
            raise self._records.kept_back("a record")
        return self._list(found, block)

    def of_name(self, name: str) -> RecordList:
        """Return the list of the releases of a name, `namespace/model` or `namespace/model@version`.

        If the namespace is claimed, these are all the releases that it admitted, holds or adopted, and no others. If
        not, these are all the releases that have the name. FAILED verdicts are left out, because a refused release may
        have any name. The method reads every event of the registry.

        Raises:
            VerificationError: the namespace's history is not complete.
        """
        block = self._head()
        namespace, _, model = name.partition("/")
        everything = self._records.read({}, block)
        groups = by_release(one for one in everything if one.record.passed).values()
        called = [group for group in groups if _is_called(latest_judgement(group).record, namespace, model)]
        if self._namespaces(block).owner(namespace, block) is None:
            return self._list(_joined(called), block)
        taken_in = self._taken_in(namespace, block, everything)
        found = [group for group in called if any(one.content_digest in taken_in for one in group)]
        others = [group for group in called if group not in found]
        return replace(self._list(_joined(found), block), before_claim=in_list_order(_joined(others), ()))

    def page(self, listing: RecordList, *, limit: int = ENTRIES_MAX, after: bytes | None = None) -> Page:
        """Read a part of a list.

        Args:
            limit: how many entries to read at most.
            after: the id of the last entry of the page before, 32 bytes; None for the first page.

        Raises:
            UsageError: the list has no such entry.
        """
        start = listing.start_after(after)
        items = listing.items[start : start + limit]
        entries = tuple(self.entry(item, listing.block) for item in items)
        is_last = start + len(items) == len(listing.items)
        next_after = None if is_last else items[-1].id
        return Page(entries, start + 1, len(listing.items), listing.revoked, next_after, listing.before_claim)

    def whole(self, listing: RecordList) -> tuple[Entry, ...]:
        """Read a whole list. Raise UsageError if it has more than ENTRIES_MAX entries."""
        if len(listing.items) > ENTRIES_MAX:
            got, wanted = f"{len(listing.items)} records", f"at most {ENTRIES_MAX}; read them in pages"
            raise UsageError("too many records to read at once", where=self._contract.where, got=got, wanted=wanted)
        return self.page(listing).entries

    def entry(self, item: Listed, block: int) -> Entry:
        """Read one item of a list, after comparing it with the contract."""
        judgements = self._records.believed(item.judgements, block)
        passed = judgements[0].record.passed
        return self._records.latest(judgements, block) if passed else self._records.failure(judgements[0], block)

    def _list(self, found: list[Publication], block: int) -> RecordList:
        if not found:
            return RecordList((), block)
        span = (self._first, block)
        self._contract.read_ahead([("RecordRevoked", {}), ("ModelRevoked", {})], *span)
        revoked = {event.record_id for event in self._contract.logs("RecordRevoked", {}, *span, parse=parse_revocation)}
        models = self._contract.logs("ModelRevoked", {}, *span, parse=parse_model_revocation)
        digests = {event.model_digest for event in models}
        revoked |= {id_of_release(one) for one in found if one.record.model_digest in digests}
        return RecordList(in_list_order(found, revoked), block)

    def _taken_in(self, namespace: str, block: int, found: list[Publication]) -> set[bytes]:
        """Return the content digests that a namespace admitted, holds or adopted. `found` must have all of them."""
        entries = self._namespaces(block).history(namespace, block)
        taken_in = {entry.subject for entry in entries if entry.kind in _TAKEN_IN}
        if taken_in - {one.content_digest for one in found}:
            raise self._records.kept_back("a record of a namespace")
        return taken_in


def _joined(groups: list[list[Publication]]) -> list[Publication]:
    return [one for group in groups for one in group]


def _is_called(record: RecordFields, namespace: str, wanted: str) -> bool:
    """Return whether a record's name is `namespace/` and then `wanted`: the model, or model@version."""
    model = record.name.partition("/")[2]
    return record.namespace == namespace and wanted in (model, f"{model}@{record.version}")

"""The answers of a registry: its records, their history, their namespaces and their lineage."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from provenance_oracle.verifier.documents.proof import proven_json
from provenance_oracle.verifier.documents.record import entry_json, event_json, gate_json
from provenance_oracle.verifier.proofs.reader import ReleaseProof
from provenance_oracle.verifier.record.fields import Entry
from provenance_oracle.verifier.record.publisher_changes import PublisherChange
from provenance_oracle.verifier.registry.events import HistoryEvent
from provenance_oracle.verifier.registry.lineage import Ancestor
from provenance_oracle.verifier.registry.listings import Listed, Page
from provenance_oracle.verifier.registry.namespaces import Namespace
from provenance_oracle.verifier.strict.timestamps import format_time


def entries_json(
    entries: Sequence[tuple[Entry, bool, bool | None]], proofs: Sequence[ReleaseProof | None]
) -> dict[str, object]:
    """Return the member `entries` of `provenance-oracle/show/v2`.

    Args:
        entries: records, each with the state of its plain gate and of its gate by publisher; see `gate_json`.
        proofs: the proof of each on chain, None for none; see `proven_json`.
    """
    return {
        "entries": [
            entry_json(entry)
            | gate_json(entry, is_open=is_open, is_open_to_publisher=to_publisher)
            | {"proven": proven_json(proof)}
            for (entry, is_open, to_publisher), proof in zip(entries, proofs, strict=True)
        ]
    }


def page_json(page: Page) -> dict[str, object]:
    """Return the members of `provenance-oracle/show/v2` about the list of which `entries` is a page.

    `total` counts all releases and FAILED verdicts, `revoked` the revoked ones among them, which come first. `first` is
    the number of the first item of `entries`, from 1. `next_after` is the id for `--after`; null on the last page.
    `before_claim` lists the releases that were recorded under the name before its namespace was claimed, so that the
    name does not lead to them.
    """
    return {
        "total": page.total,
        "revoked": page.revoked,
        "first": page.first,
        "next_after": page.next_after.hex() if page.next_after else None,
        "before_claim": [listed_json(one) for one in page.before_claim],
    }


def listed_json(listed: Listed) -> dict[str, object]:
    """Return an item of `before_claim`: the name and digests of a release, as the node tells them."""
    record = listed.judgements[-1].record
    return {
        "name": record.name,
        "version": record.version,
        "model_digest": record.model_digest.hex(),
        "manifest_digest": record.manifest_digest.hex(),
    }


def history_json(
    events: Iterable[HistoryEvent], namespaces: Iterable[Namespace], changes: Iterable[PublisherChange]
) -> dict[str, object]:
    """Return the members of `provenance-oracle/show/v2` that are present with `--history`.

    These are `events`, `namespaces`, and `publisher_changes` between the releases that are shown.
    """
    return {
        "events": [event_json(event) for event in events],
        "namespaces": [namespace_json(namespace) for namespace in namespaces],
        "publisher_changes": [_change_json(change) for change in changes],
    }


def _change_json(change: PublisherChange) -> dict[str, object]:
    before, after = change.before, change.after
    return {
        "name": after.name,
        "from_version": before.version,
        "to_version": after.version,
        "from_publisher": before.publisher_identity.hex(),
        "to_publisher": after.publisher_identity.hex(),
        "recorded_at": format_time(after.recorded_at),
    }


def lineage_json(lineages: Iterable[tuple[Entry, Iterable[tuple[Ancestor, Entry | None]]]]) -> dict[str, object]:
    """Return the member `lineage` of `provenance-oracle/show/v2`, present with `--lineage`.

    Args:
        lineages: records with their ancestors in the order of a tree. Each ancestor comes with its own record, None if
            it has none.
    """
    return {
        "lineage": [
            {
                "manifest_digest": entry.manifest_digest.hex(),
                "ancestors": [ancestor_json(ancestor, known) for ancestor, known in ancestors],
            }
            for entry, ancestors in lineages
        ]
    }


def namespace_json(namespace: Namespace) -> dict[str, object]:
    """Return a claimed namespace: an item of `namespaces` in `provenance-oracle/show/v2`.

    `history_complete` is always true: a reader makes a `Namespace` only after it replayed the whole history up to the
    head that the contract keeps.
    """
    return {
        "name": namespace.name,
        "owner": f"0x{namespace.owner.hex()}",
        "claimed_at": format_time(namespace.claimed_at),
        "identity_limit": namespace.identity_limit,
        "first_uses": namespace.first_uses,
        "identities": [identity.hex() for identity in namespace.identities],
        "history_entries": namespace.entries,
        "history_complete": True,
    }


def ancestor_json(ancestor: Ancestor, entry: Entry | None) -> dict[str, object]:
    """Return one ancestor: an item of `ancestors` in `lineage`. Name and version come from its own record, if any."""
    return {
        "release_id": ancestor.release_id.hex(),
        "child": ancestor.child.hex(),
        "depth": ancestor.depth,
        "attested": ancestor.is_attested,
        "open": ancestor.is_open,
        "name": entry.name if entry else None,
        "version": entry.version if entry else None,
    }

"""Find a registry by its deployment file, and records by a digest, an id or a name."""

from __future__ import annotations

import re

from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.errors import RecordError, UsageError
from provenance_oracle.verifier.record.codec import release_id
from provenance_oracle.verifier.record.fields import Entry
from provenance_oracle.verifier.record.proof_file import ProvenRecord
from provenance_oracle.verifier.registry.deployment import Deployment
from provenance_oracle.verifier.registry.event_cache import EventCache
from provenance_oracle.verifier.registry.lineage import Ancestor, in_tree_order
from provenance_oracle.verifier.registry.listings import ENTRIES_MAX, Page, RecordList
from provenance_oracle.verifier.registry.node import TIMEOUT_SECONDS, NodeConnection
from provenance_oracle.verifier.registry.reader import RegistryReader
from provenance_oracle.verifier.text import first_of

_DIGESTS_MAX = 3
_DIGEST = re.compile("(?:0x)?[0-9a-fA-F]{64}")


def open_deployment(
    rpc_url: str | NodeConnection,
    deployment: Deployment,
    *,
    timeout_seconds: float = TIMEOUT_SECONDS,
    cache: EventCache | None = None,
) -> RegistryReader:
    """Open the registry that a deployment file names, after comparing chain and contracts with the file.

    Args:
        rpc_url, timeout_seconds, cache: as for `RegistryReader`.

    Raises:
        UsageError: the chain or a contract differs from the file, or the endpoint is malformed.
        TemporaryError: the node does not answer, or its answer makes no sense.
    """
    reader = RegistryReader(
        rpc_url,
        f"0x{deployment.registry.hex()}",
        chain_id=deployment.chain_id,
        from_block=deployment.block,
        timeout_seconds=timeout_seconds,
        cache=cache,
    )
    for name, found in reader.contracts().items():
        wanted = getattr(deployment, name)
        if found != wanted:
            got, where = f"0x{found.hex()}", f"deployment, {name}"
            raise UsageError(
                "the chain differs from the deployment file", where=where, got=got, wanted=f"0x{wanted.hex()}"
            )
    return reader


def find_page(
    registry: RegistryReader,
    what: str,
    *,
    limit: int = ENTRIES_MAX,
    after: bytes | None = None,
    takes_proof: bool = True,
) -> Page:
    """Return a page of the entries to which a digest, an id or a name leads, revoked first, then newest first.

    Args:
        what: a model digest, a manifest digest or an id (`recordId` in the contract's errors), each 64 hex digits with
            or without 0x; or a name, `namespace/model` or `namespace/model@version`.
        limit, after: as for `RecordLists.page`.
        takes_proof: as for `BatchProofs.with_next_step`.

    Raises:
        RecordError: there is no such entry.
        UsageError: the list has no entry with the id `after`.
        VerificationError: the history of the name's namespace is not complete.
        TemporaryError: the node does not answer, or its answer makes no sense.
    """
    listing = _find(registry, what)
    if listing.items:
        return registry.lists.page(listing, limit=limit, after=after)
    if listing.before_claim:
        digests = [one.judgements[0].record.manifest_digest.hex() for one in listing.before_claim]
        raise RecordError(
            "recorded before the namespace was claimed: not under this name",
            check=Check.REGISTRY_RECORD,
            where=what,
            got=f"by digest: {first_of(digests, _DIGESTS_MAX)}",
            wanted="`provenance show DIGEST`; or the owner adopts the release, if the namespace trusts its publisher",
        )
    wanted = "a model digest, manifest digest, record id or name that was recorded"
    error = RecordError("no record", check=Check.REGISTRY_RECORD, where=what, got="nothing", wanted=wanted)
    raise registry.proofs.with_next_step(error, takes_proof=takes_proof)


def find_proven(registry: RegistryReader, what: str, proven: ProvenRecord) -> Page:
    """Return the page with the entry of a record in a batch, or with the registry's own entries of its release.

    Args:
        what: as for `find_page`. It must name the record of the proof.

    Raises:
        RecordError: the proof is of another record, the registry does not have its batch, or see `BatchProofs.entry`.
        TemporaryError: the node does not answer, or its answer makes no sense.
    """
    named = what.lower().removeprefix("0x") if _DIGEST.fullmatch(what) else what
    if named not in proven.names:
        written = proven.written
        got = f"{written.name}@{written.version}, manifest {written.manifest_digest.hex()}"
        problem = "the proof is of another record"
        raise RecordError(problem, check=Check.REGISTRY_RECORD, where="--proof", got=got, wanted=what)
    entry = registry.proofs.entry(proven)
    if entry is None:
        return find_page(registry, proven.written.manifest_digest.hex())
    return Page((entry,), 1, 1, int(entry.revoked_at is not None), None)


def _find(registry: RegistryReader, what: str) -> RecordList:
    if not _DIGEST.fullmatch(what):
        return registry.lists.of_name(what)
    digest = bytes.fromhex(what.lower().removeprefix("0x"))
    for look_up in (registry.lists.of_model, registry.lists.of_manifest):
        found = look_up(digest)
        if found.items:
            return found
    return registry.lists.of_id(digest)


def find_ancestors(registry: RegistryReader, entry: Entry) -> tuple[tuple[Ancestor, Entry | None], ...]:
    """Return the ancestors of an entry's release in the order of a tree, each with its own entry if it has one.

    Raises:
        RecordError: the ancestors are too many or too far away (check `lineage`).
        TemporaryError: the node does not answer, or its answer makes no sense.
    """
    ancestors = registry.ancestors(entry)
    known = registry.records({ancestor.release_id for ancestor in ancestors}) if ancestors else {}
    start = release_id(entry.model_digest, entry.manifest_digest)
    return tuple((ancestor, known.get(ancestor.release_id)) for ancestor in in_tree_order(start, ancestors))

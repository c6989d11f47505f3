"""Records, their history and their lineage in words for a terminal."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from provenance_oracle.verifier.documents.record import gate_shut_because
from provenance_oracle.verifier.record.closure import Closure
from provenance_oracle.verifier.record.codec import release_id
from provenance_oracle.verifier.record.fields import Entry, product_line_from_code
from provenance_oracle.verifier.record.publisher_changes import PublisherChange
from provenance_oracle.verifier.record.standing import signer_numbers
from provenance_oracle.verifier.registry.events import (
    Admission,
    AppliedRevocation,
    HistoryEvent,
    LeafClosure,
    ModelRevocation,
    Publication,
    Recount,
)
from provenance_oracle.verifier.registry.lineage import Ancestor
from provenance_oracle.verifier.registry.listings import Page
from provenance_oracle.verifier.registry.namespaces import Namespace
from provenance_oracle.verifier.strict.timestamps import format_time
from provenance_oracle.verifier.text import first_of

_NAMES_MAX = 20


def record_line(entry: Entry) -> str:
    """Return when a release was recorded, and the oracles that vouch for it."""
    place = ", in a batch" if entry.batch else ""
    return f"record           {format_time(entry.recorded_at)}{place}, signed by {quorum_words(entry)}"


def grade_words(grade: int) -> str:
    """Return a grade with its meaning, such as `2 (strict)`."""
    return f"{grade} ({('not graded', 'baseline', 'strict')[grade]})"


def entry_lines(entry: Entry) -> Iterator[str]:
    """Return a record and how it stands, one line for each fact."""
    release = release_id(entry.model_digest, entry.manifest_digest)
    yield f"name             {entry.name} {entry.version}{', in a claimed namespace' if entry.standing.named else ''}"
    yield f"release id       {release.hex()} (gates and their errors call it recordId)"
    if entry.record_id != release:
        yield f"record id        {entry.record_id.hex()}"
    yield f"manifest digest  {entry.manifest_digest.hex()}"
    yield f"model digest     {entry.model_digest.hex()}"
    yield f"verdict digest   {entry.verdict_digest.hex()}"
    if not entry.is_signed_only:
        yield f"report digest    {entry.snp_report_digest.hex()}"
    yield f"policy digest    {entry.policy_digest.hex()} (number {entry.policy_id} of this registry)"
    yield f"publisher        {entry.publisher_identity.hex()}"
    yield f"grade            {grade_words(entry.grade)}"
    yield from _hardware_lines(entry)
    yield f"checks passed    {len(entry.passed_checks)}"
    yield f"judged for       {format_time(entry.judged_at)}"
    yield f"recorded         {format_time(entry.recorded_at)}, judgement {entry.revision + 1} of this release"
    if entry.batch:
        yield f"in a batch       {entry.batch.root.hex()}, leaf {entry.batch.leaf}: the registry keeps only its root"
        yield "                 the oracles vouch for it; the registry checks its rules when somebody writes it out"
    yield f"signed by        {quorum_words(entry)}"
    for signer in entry.signers:
        lost = "" if signer.counts else ", KEY REVOKED: the signature does not count"
        key = f"0x{signer.address.hex()}" if signer.address else "a key that its ROFL app replaced"
        yield f"                 {key}, weight {signer.weight}{lost}"
    if entry.closure:
        yield f"{entry.closure.upper():<17}{entry.closure.explanation}{_revoked_words(entry)}"


def _hardware_lines(entry: Entry) -> Iterator[str]:
    line = product_line_from_code(entry.product_line)
    if not entry.is_signed_only:
        yield f"product line     {line}, reported TCB {entry.reported_tcb.hex()}"
        return
    yield f"product line     {line}: signed by the publisher above; nothing is known of where it was made"


def _revoked_words(entry: Entry) -> str:
    """Return from when on a release is revoked, and whether its whole model is; empty if it is not revoked."""
    if entry.closure is not Closure.REVOKED or entry.revoked_at is None:
        return ""
    model = ", with every release of these files" if entry.model_revoked_at else ""
    return f" from {format_time(entry.revoked_at)} on{model}"


def page_line(page: Page) -> str:
    """Return how many records a list has, which of them are shown, and how many are revoked."""
    last = page.first + len(page.entries) - 1
    revoked = f", {page.revoked} revoked, which come first" if page.revoked else ""
    return f"{page.total} records{revoked}; shown: {page.first} to {last}"


def next_page_line(page: Page, what: str) -> Iterator[str]:
    """Return the command that shows the next page; nothing on the last page."""
    if page.next_after is not None:
        left = page.total - page.first - len(page.entries) + 1
        yield f"{left} more: provenance show {shlex.quote(what)} --after {page.next_after.hex()}"


def before_claim_lines(page: Page) -> Iterator[str]:
    """Return the releases that a name does not lead to because they are older than the claim, and what to do."""
    if not page.before_claim:
        return
    digests = [one.judgements[-1].record.manifest_digest.hex() for one in page.before_claim]
    yield f"recorded before the namespace was claimed: not under this name; by digest: {first_of(digests, _NAMES_MAX)}"
    yield "the owner can adopt such a release, if the namespace trusts its publisher: provenance adopt DIGEST"


def quorum_words(entry: Entry) -> str:
    """Return how many oracles vouch for a record, and their weight beside the threshold."""
    count = sum(signer.counts for signer in entry.signers)
    oracles = "1 oracle" if count == 1 else f"{count} oracles"
    return f"{oracles} of set {entry.standing.epoch}, weight {entry.weight}, threshold {entry.threshold}"


def gate_line(entry: Entry, *, is_open: bool) -> str:
    """Return whether the plain gate lets the release pass, and the event that will shut a gate that is still open."""
    gate = "requireModelFromProof" if entry.batch else "requireModel"
    words = f"open to {gate} with a minimum grade of {entry.grade} or less"
    if not is_open:
        words = _shut_words(entry)
    elif entry.awaits_revocation:
        words = f"OPEN until somebody applies the revocation: provenance revoke {entry.model_digest.hex()} --apply"
    elif entry.revoked_at is not None:
        words = f"open until the revocation takes effect, {format_time(entry.revoked_at)}"
    elif entry.closure:
        words = "open until somebody calls recount; requireMeets is already shut"
    return f"gate             {words}"


def publisher_gate_line(entry: Entry, *, is_open: bool | None) -> Iterator[str]:
    """Return whether dApps that ask for the publisher let the release pass; nothing if that is no question here."""
    if is_open:
        yield "by publisher     open to requireSignedBy with the publisher above"
    elif is_open is False and entry.closure is None:
        yield "by publisher     SHUT until anybody notes the publisher (notePublisher, docs/by-hand.md)"


def event_line(event: HistoryEvent) -> str:
    """Return one event of a record's history, and its block and transaction."""
    where = f"block {event.place.block_number}, 0x{event.place.transaction_hash.hex()}"
    return f"  {_event_words(event)}, {where}"


def namespace_lines(name: str, namespace: Namespace | None) -> Iterator[str]:
    """Return the owner of a namespace, its trusted publishers, and the proof that its history is complete."""
    if namespace is None:
        yield f"namespace        {name}: claimed by nobody, so anybody can publish under it"
        return
    yield f"namespace        {name}: claimed {format_time(namespace.claimed_at)} by 0x{namespace.owner.hex()}"
    for identity in namespace.identities:
        yield f"  trusts         {identity.hex()}"
    yield f"  history        complete: {namespace.entries} entries, up to the head that the contract keeps"


def change_line(change: PublisherChange) -> str:
    """Return two releases of a model whose publishers differ, with both identities."""
    before, after = change.before, change.after
    was, now = before.publisher_identity.hex(), after.publisher_identity.hex()
    return f"PUBLISHER CHANGED  {after.name}: {before.version} by {was}, then {after.version} by {now}"


def ancestor_line(ancestor: Ancestor, entry: Entry | None) -> str:
    """Return one ancestor, indented by its distance from the release."""
    name = f"{entry.name} {entry.version}" if entry else ancestor.release_id.hex()
    edge = "attested" if ancestor.is_attested else "merely stated"
    gate = "open" if ancestor.is_open else _shut_words(entry)
    return f"  {'  ' * ancestor.depth}{name}  {edge}, {gate}"


def _shut_words(entry: Entry | None) -> str:
    reason = gate_shut_because(entry) if entry else ""
    return f"SHUT: {reason}" if reason else "SHUT"


def _event_words(event: HistoryEvent) -> str:
    if isinstance(event, Publication):
        return _publication_words(event)
    if isinstance(event, LeafClosure):
        return f"leaf {event.index} of batch 0x{event.root.hex()} closed: from here on the written record counts"
    if isinstance(event, Admission):
        did = "adopted" if event.is_adoption else "released"
        return f"{format_time(event.admitted_at)}  {did}: its namespace now trusts the publisher"
    if isinstance(event, Recount):
        enough = "too little: DOUBTFUL" if event.is_doubtful else "enough"
        return f"recounted: the signatures that count weigh {event.weight}, which is {enough}"
    if isinstance(event, AppliedRevocation):
        return f"{format_time(event.revoked_at)}  REVOKED with effect from this time, with its model"
    guardian = f"0x{event.guardian.hex()}"
    if isinstance(event, ModelRevocation):
        return f"{format_time(event.revoked_at)}  every release of these files REVOKED: {event.reason}, by {guardian}"
    return f"{format_time(event.revoked_at)}  REVOKED with effect from this time: {event.reason}, by {guardian}"


def _publication_words(event: Publication) -> str:
    record, first = event.record, event.first
    if not record.passed:
        outcome = "FAILED"
    else:
        outcome = "published" if record.revision == 0 else f"superseded by judgement {record.revision + 1}"
    by = ", ".join(str(number) for number in signer_numbers(first.signers))
    held = ", HELD: its namespace does not trust the publisher" if first.held else ""
    when = format_time(first.recorded_at)
    return f"{when}  {outcome}: {record.name} {record.version}, by oracles {by} of set {first.epoch}{held}"

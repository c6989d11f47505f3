"""Judgements and records in words for a terminal. JSON documents are made in `verifier.documents`."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from provenance_oracle.verifier.documents.record import gate_shut_because
from provenance_oracle.verifier.judgement.confirm import Confirmation
from provenance_oracle.verifier.judgement.judge import Judgement
from provenance_oracle.verifier.policy import Policy
from provenance_oracle.verifier.record.codec import release_id
from provenance_oracle.verifier.record.fields import Entry, product_line_from_code
from provenance_oracle.verifier.record.standing import signer_numbers
from provenance_oracle.verifier.registry.events import Admission, HistoryEvent, LeafClosure, Publication, Recount
from provenance_oracle.verifier.registry.lineage import Ancestor
from provenance_oracle.verifier.registry.namespaces import Namespace
from provenance_oracle.verifier.snp.products import RootKind
from provenance_oracle.verifier.snp.signature import Claims
from provenance_oracle.verifier.strict.timestamps import format_time

SIMULATED_NOTE = "The hardware was SIMULATED: the simulator's keys are public, so anybody can make such evidence."
UNSAFE_NOTE = "An UNSAFE ROOT was accepted on request: this says nothing about AMD hardware."


def policy_line(policy: Policy, at: datetime) -> str:
    return f"policy {policy.name} of {policy.date}, judged as of {format_time(at)}"


def judgement_lines(judgement: Judgement) -> Iterator[str]:
    """The digests and the grade of an accepted release, one line each."""
    yield f"model digest     {judgement.files.model_digest.hex()}"
    yield f"manifest digest  {judgement.result.manifest.digest.hex()}"
    yield f"grade            {grade_words(judgement.result.grade)}"
    if judgement.result.manifest.has_code:
        yield "note             the release holds files that can run code; the digests cover them, nobody reviewed them"


def confirmation_lines(confirmation: Confirmation) -> Iterator[str]:
    """How the record relates to the judgement made here."""
    entry = confirmation.entry
    if entry is None:
        return
    yield f"record           {format_time(entry.recorded_at)}, signed by {quorum_words(entry)}"
    if entry.grade != confirmation.judgement.result.grade:
        yield f"grade on record  {grade_words(entry.grade)}: not what was found here"
    if confirmation.verdict_reproduced:
        yield "verdict          reproduced here bit for bit"
    else:
        yield "verdict          differs from the oracles': another policy, moment or version judged"
    if entry.publisher_identity != confirmation.judgement.record.publisher_identity:
        yield f"publisher        {entry.publisher_identity.hex()} on record: not who was found here"


def grade_words(grade: int) -> str:
    return f"{grade} ({('nothing required', 'baseline', 'strict')[grade]})"


def root_note(claims: Claims) -> str:
    """A sentence that must stand beside every result that does not end at AMD's root; empty for those that do."""
    return {RootKind.AMD: "", RootKind.SIMULATOR: SIMULATED_NOTE, RootKind.UNSAFE: UNSAFE_NOTE}[claims.root_kind]


def entry_lines(entry: Entry) -> Iterator[str]:
    """A record and how it stands, one line each."""
    release = release_id(entry.model_digest, entry.manifest_digest)
    yield f"name             {entry.name} {entry.version}{', in a claimed namespace' if entry.standing.named else ''}"
    yield f"release id       {release.hex()}, which gates and their errors call recordId"
    if entry.record_id != release:
        yield f"record id        {entry.record_id.hex()}"
    yield f"manifest digest  {entry.manifest_digest.hex()}"
    yield f"model digest     {entry.model_digest.hex()}"
    yield f"verdict digest   {entry.verdict_digest.hex()}"
    yield f"report digest    {entry.snp_report_digest.hex()}"
    yield f"policy digest    {entry.policy_digest.hex()}, number {entry.policy_id} of this registry"
    yield f"publisher        {entry.publisher_identity.hex()}"
    yield f"grade            {grade_words(entry.grade)}"
    yield f"product line     {product_line_from_code(entry.product_line)}, reported TCB {entry.reported_tcb.hex()}"
    yield f"checks passed    {len(entry.passed_checks)}"
    yield f"judged as of     {format_time(entry.judged_at)}"
    yield f"recorded         {format_time(entry.recorded_at)}, judgement {entry.revision + 1} of this release"
    yield f"signed by        {quorum_words(entry)}"
    for signer in entry.signers:
        lost = "" if signer.counts else ", KEY REVOKED: does not count"
        key = f"0x{signer.address.hex()}" if signer.address else "a key that its ROFL app replaced"
        yield f"                 {key}, weight {signer.weight}{lost}"
    if entry.closure:
        since = f" from {format_time(entry.revoked_at)} on" if entry.revoked_at else ""
        yield f"{entry.closure.upper():<17}{entry.closure.explanation}{since}"


def quorum_words(entry: Entry) -> str:
    """Who vouches for a record, in a few words."""
    count = sum(signer.counts for signer in entry.signers)
    oracles = "1 oracle" if count == 1 else f"{count} oracles"
    return f"{oracles} of set {entry.standing.epoch}, weight {entry.weight} where {entry.threshold} is needed"


def gate_line(entry: Entry, *, is_open: bool) -> str:
    """Whether the plain gate lets the release pass, and what will shut a gate that is open still."""
    words = f"open to requireModel with a minimum grade of {entry.grade} or less"
    if not is_open:
        words = _shut_words(entry)
    elif entry.revoked_at is not None:
        words = f"open until the revocation takes effect, {format_time(entry.revoked_at)}"
    elif entry.closure:
        words = "open until somebody calls recount; requireMeets is shut already"
    return f"gate             {words}"


def event_line(event: HistoryEvent) -> str:
    """One thing that happened to a record, and the block where it did."""
    where = f"block {event.place.block_number}, 0x{event.place.transaction_hash.hex()}"
    return f"  {_event_words(event)}, {where}"


def namespace_lines(name: str, namespace: Namespace | None) -> Iterator[str]:
    """Who owns a name, and that nothing in its history was left out."""
    if namespace is None:
        yield f"namespace        {name}: claimed by nobody, so anybody's models may be called so"
        return
    yield f"namespace        {name}: claimed {format_time(namespace.claimed_at)} by 0x{namespace.owner.hex()}"
    for identity in namespace.identities:
        yield f"  trusts         {identity.hex()}"
    yield f"  history        complete: {namespace.entries} entries, up to the head that the contract keeps"


def ancestor_line(ancestor: Ancestor, entry: Entry | None) -> str:
    """One ancestor, further to the right the further away it is."""
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
        return f"leaf closed: number {event.index} of batch 0x{event.root.hex()}: now the record itself counts"
    if isinstance(event, Admission):
        return f"{format_time(event.admitted_at)}  released: its namespace trusts the publisher"
    if isinstance(event, Recount):
        enough = "too little: DOUBTFUL" if event.is_doubtful else "enough"
        return f"recounted: the oracles that count weigh {event.weight}, {enough}"
    return f"{format_time(event.revoked_at)}  REVOKED from then on: {event.reason}, by 0x{event.guardian.hex()}"


def _publication_words(event: Publication) -> str:
    record, first = event.record, event.first
    if not record.passed:
        what = "FAILED"
    else:
        what = "published" if record.revision == 0 else f"superseded by judgement {record.revision + 1}"
    by = ", ".join(str(number) for number in signer_numbers(first.signers))
    held = ", HELD: its namespace does not trust the publisher" if first.held else ""
    when = format_time(first.recorded_at)
    return f"{when}  {what}: {record.name} {record.version}, by oracles {by} of set {first.epoch}{held}"

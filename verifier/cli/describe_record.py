"""Records in words and JSON: entries, what happened to them, whose name they carry, what they were made from."""

from __future__ import annotations

from collections.abc import Iterator

from provenance_oracle.verifier.cli.describe import grade_words
from provenance_oracle.verifier.judgement.confirm import Confirmation
from provenance_oracle.verifier.record.codec import release_id
from provenance_oracle.verifier.record.fields import Entry, Signer, name_of_product_line
from provenance_oracle.verifier.record.standing import SIMULATED_CODE
from provenance_oracle.verifier.registry.events import Admission, HistoryEvent, LeafClosure, Publication, Recount
from provenance_oracle.verifier.registry.lineage import Ancestor
from provenance_oracle.verifier.registry.namespaces import Namespace
from provenance_oracle.verifier.strict.timestamps import format_time


def entry_json(entry: Entry) -> dict[str, object]:
    """A record and how it stands. `active` is whether it speaks for its release; `closure` is the reason if not.

    `release_id` is what the contract's gates and their errors call the record's id.
    """
    return {
        "release_id": release_id(entry.model_digest, entry.manifest_digest).hex(),
        "record_id": entry.record_id.hex(),
        "name": entry.name,
        "version": entry.version,
        "manifest_digest": entry.manifest_digest.hex(),
        "model_digest": entry.model_digest.hex(),
        "verdict_digest": entry.verdict_digest.hex(),
        "report_digest": entry.report_digest.hex(),
        "policy_digest": entry.policy_digest.hex(),
        "policy_id": entry.policy_id,
        "publisher_identity": entry.publisher_identity.hex(),
        "passed": entry.passed,
        "revision": entry.revision,
        "grade": entry.grade,
        "product_line": name_of_product_line(entry.product_line),
        "reported_tcb": entry.reported_tcb.hex(),
        "passed_checks": list(entry.passed_checks),
        "parents": [parent.hex() for parent in entry.parents],
        "judged_at": format_time(entry.judged_at),
        "recorded_at": format_time(entry.recorded_at),
        "epoch": entry.standing.epoch,
        "threshold": entry.threshold,
        "weight": entry.weight,
        "signers": [_signer_json(signer) for signer in entry.signers],
        "revoked_at": format_time(entry.revoked_at) if entry.revoked_at else None,
        "held": entry.standing.held,
        "doubtful": entry.is_doubtful,
        "named": entry.standing.named,
        "revisions": entry.standing.revisions,
        "active": entry.closure is None,
        "closure": entry.closure,
        "closed_because": entry.closure.explanation if entry.closure else None,
    }


def gate_json(entry: Entry, is_open: bool) -> dict[str, object]:
    """Whether the plain gate, `requireModel`, lets the release pass, and why not."""
    return {"gate_open": is_open, "gate_shut_because": None if is_open else _why_shut(entry) or "the contract says so"}


def gate_line(entry: Entry, is_open: bool) -> str:
    """The same, in words; and what will shut a gate that is open still."""
    words = f"open to requireModel with a minimum grade of {entry.grade} or less"
    if not is_open:
        words = _shut_words(entry)
    elif entry.revoked_at is not None:
        words = f"open until the revocation takes effect, {format_time(entry.revoked_at)}"
    elif entry.closure:
        words = "open until somebody calls recount; requireMeets is shut already"
    return f"gate             {words}"


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
    yield f"report digest    {entry.report_digest.hex()}"
    yield f"policy digest    {entry.policy_digest.hex()}, number {entry.policy_id} of this registry"
    yield f"publisher        {entry.publisher_identity.hex()}"
    yield f"grade            {grade_words(entry.grade)}"
    yield f"product line     {name_of_product_line(entry.product_line)}, reported TCB {entry.reported_tcb.hex()}"
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


def event_json(event: HistoryEvent) -> dict[str, object]:
    """One thing that happened to a record."""
    place = {"block": event.place.block_number, "transaction": f"0x{event.place.transaction_hash.hex()}"}
    return {**_event_facts(event), **place}


def event_line(event: HistoryEvent) -> str:
    """The same, in words."""
    where = f"block {event.place.block_number}, 0x{event.place.transaction_hash.hex()}"
    return f"  {_event_words(event)}, {where}"


def namespace_json(namespace: Namespace) -> dict[str, object]:
    """A claimed namespace. That there is such an object means that its history was replayed to the contract's head."""
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


def namespace_lines(name: str, namespace: Namespace | None) -> Iterator[str]:
    """Who owns a name, and that nothing in its history was left out."""
    if namespace is None:
        yield f"namespace        {name}: claimed by nobody, so anybody's models may be called so"
        return
    yield f"namespace        {name}: claimed {format_time(namespace.claimed_at)} by 0x{namespace.owner.hex()}"
    for identity in namespace.identities:
        yield f"  trusts         {identity.hex()}"
    yield f"  history        complete: {namespace.entries} entries, up to the head that the contract keeps"


def ancestor_json(ancestor: Ancestor, entry: Entry | None) -> dict[str, object]:
    return {
        "release_id": ancestor.release_id.hex(),
        "child": ancestor.child.hex(),
        "depth": ancestor.depth,
        "attested": ancestor.is_attested,
        "open": ancestor.is_open,
        "name": entry.name if entry else None,
        "version": entry.version if entry else None,
    }


def ancestor_line(ancestor: Ancestor, entry: Entry | None) -> str:
    """One ancestor, further to the right the further away it is."""
    name = f"{entry.name} {entry.version}" if entry else ancestor.release_id.hex()
    edge = "attested" if ancestor.is_attested else "merely stated"
    return f"  {'  ' * ancestor.depth}{name}  {edge}, {_gate_words(ancestor, entry)}"


def _signer_json(signer: Signer) -> dict[str, object]:
    return {
        "index": signer.index,
        "address": f"0x{signer.address.hex()}" if signer.address else None,
        "weight": signer.weight,
        "counts": signer.counts,
    }


def _gate_words(ancestor: Ancestor, entry: Entry | None) -> str:
    if ancestor.is_open:
        return "open"
    return _shut_words(entry) if entry else "SHUT"


def _shut_words(entry: Entry) -> str:
    why = _why_shut(entry)
    return f"SHUT: {why}" if why else "SHUT"


def _why_shut(entry: Entry) -> str:
    """Why the plain gate does not open for an entry; empty if the entry does not tell."""
    simulated = "the hardware was simulated" if entry.product_line == SIMULATED_CODE else ""
    return "; ".join(filter(None, (entry.closure.explanation if entry.closure else "", simulated)))


def _signer_numbers(signers: int) -> list[int]:
    return [index for index in range(32) if signers >> index & 1]


def _event_facts(event: HistoryEvent) -> dict[str, object]:
    if isinstance(event, Publication):
        return {
            "event": "published" if event.record.revision == 0 else "superseded",
            "time": format_time(event.first.recorded_at),
            "name": event.record.name,
            "version": event.record.version,
            "revision": event.record.revision,
            "passed": event.record.passed,
            "epoch": event.first.epoch,
            "signers": _signer_numbers(event.first.signers),
            "weight": event.first.weight,
            "held": event.first.held,
        }
    if isinstance(event, LeafClosure):
        return {"event": "leaf_closed", "root": event.root.hex(), "index": event.index}
    if isinstance(event, Admission):
        return {"event": "released", "time": format_time(event.admitted_at)}
    if isinstance(event, Recount):
        left = {"signers": _signer_numbers(event.signers), "weight": event.weight, "doubtful": event.is_doubtful}
        return {"event": "recounted", "record_id": event.record_id.hex(), **left}
    return {
        "event": "revoked",
        "effective_from": format_time(event.revoked_at),
        "reason": event.reason,
        "guardian": f"0x{event.guardian.hex()}",
    }


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
    by = ", ".join(str(number) for number in _signer_numbers(first.signers))
    held = ", HELD: its namespace does not trust the publisher" if first.held else ""
    when = format_time(first.recorded_at)
    return f"{when}  {what}: {record.name} {record.version}, by oracles {by} of set {first.epoch}{held}"

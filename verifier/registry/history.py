"""Read the history of one record, and compare it with the contract's state."""

from __future__ import annotations

from provenance_oracle.verifier.errors import TemporaryError
from provenance_oracle.verifier.record.standing import Standing
from provenance_oracle.verifier.registry.contract import DeployedContract
from provenance_oracle.verifier.registry.events import (
    Admission,
    AppliedRevocation,
    HistoryEvent,
    LeafClosure,
    Publication,
    Recount,
    Revocation,
    parse_applied_revocation,
    parse_closure,
    parse_recount,
    parse_revocation,
)
from provenance_oracle.verifier.registry.model_revocations import read_model_revocation
from provenance_oracle.verifier.registry.namespaces import Kind, NamespaceReader
from provenance_oracle.verifier.registry.publications import KeptRecords, id_of_release
from provenance_oracle.verifier.registry.structs import parse_batch_state


def read_history(
    contract: DeployedContract,
    records: KeptRecords,
    namespaces: NamespaceReader | None,
    judgements: list[Publication],
    *,
    first: int,
    block: int,
) -> tuple[HistoryEvent, ...]:
    """Return the events of a release or a FAILED verdict up to `block`, oldest first.

    Args:
        judgements: the publications of the release, which `KeptRecords.believed` has compared with the contract.
        namespaces: reads the namespaces. It may be None if no judgement was held, released or adopted.
        first: a block before which the registry has no events.

    Raises:
        TemporaryError: the node fails, or withholds events, so that the events do not lead to the record's standing.
    """
    events: list[HistoryEvent] = list(judgements)
    for one in judgements:
        standing = records.standing_of_record(one.record_id, block)
        events += _closures(contract, one, first, block)
        events += _recounts(contract, one, standing, first, block)
        if one.first.held or (standing.named and not one.first.named):
            events += _admissions(contract, namespaces, one, standing, block)
        if one.record.passed and one.record.revision == 0:
            events += _revocations(contract, one, standing, first, block)
            model = one.record.model_digest
            revocation = read_model_revocation(contract, records, model, first=first, block=block)
            events += [revocation] if revocation else []
    return tuple(sorted(events, key=lambda event: event.place))


def read_ahead(contract: DeployedContract, judgements: list[Publication], *, first: int, block: int) -> None:
    """Read the events of several releases or FAILED verdicts, so that `read_history` finds them read."""
    wanted = [("LeafClosed", {"recordId": one.record_id}) for one in judgements]
    wanted += [("Recounted", {"idOrRoot": one.record_id}) for one in judgements]
    for event in ("RecordRevoked", "ModelRevocationApplied"):
        wanted += [(event, {"recordId": id_of_release(one)}) for one in judgements]
    contract.read_ahead(wanted, first, block)


def _closures(contract: DeployedContract, one: Publication, first: int, block: int) -> list[LeafClosure]:
    found = contract.logs("LeafClosed", {"recordId": one.record_id}, first, block, parse=parse_closure)
    for event in found:
        batch = contract.call("batchOf", event.root, parse=parse_batch_state, block=block)
        if not batch.materialised >> event.index & 1:
            raise _contradiction(contract, "a closed leaf")
    return found


def _recounts(
    contract: DeployedContract, one: Publication, standing: Standing, first: int, block: int
) -> list[Recount]:
    found = contract.logs("Recounted", {"idOrRoot": one.record_id}, first, block, parse=parse_recount)
    last = (one.first.signers, one.first.weight, one.first.doubtful)
    if found:
        last = (found[-1].signers, found[-1].weight, found[-1].is_doubtful)
    if last != (standing.signers, standing.weight, standing.doubtful):
        raise _contradiction(contract, "a recount")
    return found


def _admissions(
    contract: DeployedContract, namespaces: NamespaceReader | None, one: Publication, standing: Standing, block: int
) -> list[Admission]:
    if namespaces is None:
        raise _contradiction(contract, "an admission")
    entries = namespaces.history(one.record.namespace, block)
    found = [
        Admission(entry.subject, entry.at, entry.kind is Kind.ADOPTED, entry.place)
        for entry in entries
        if entry.kind in (Kind.RELEASED, Kind.ADOPTED) and entry.subject == one.content_digest
    ]
    if bool(found) == standing.held:
        raise _contradiction(contract, "an admission")
    return found


def _revocations(
    contract: DeployedContract, one: Publication, standing: Standing, first: int, block: int
) -> list[Revocation | AppliedRevocation]:
    release = {"recordId": id_of_release(one)}
    found: list[Revocation | AppliedRevocation] = [
        *contract.logs("RecordRevoked", release, first, block, parse=parse_revocation),
        *contract.logs("ModelRevocationApplied", release, first, block, parse=parse_applied_revocation),
    ]
    found.sort(key=lambda event: event.place)
    if (found[-1].revoked_at if found else None) != standing.revoked_at:
        raise _contradiction(contract, "a revocation")
    return found


def _contradiction(contract: DeployedContract, what: str) -> TemporaryError:
    contract.forget_events()
    return TemporaryError("the events do not lead to the contract's state", where=contract.where, got=what)

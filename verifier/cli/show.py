"""`provenance show`: the records of a digest, an id or a name, as a registry keeps them."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.cli.chain_options import ChainOptions, with_chain
from provenance_oracle.verifier.cli.console import Output, command_body
from provenance_oracle.verifier.cli.options import (
    hex_word,
    no_cache_option,
    output_options,
    proof_option,
    proof_reader,
    read_proof,
    registry_reader,
)
from provenance_oracle.verifier.documents import schemas
from provenance_oracle.verifier.errors import UsageError

if TYPE_CHECKING:
    from provenance_oracle.verifier.record.fields import Entry
    from provenance_oracle.verifier.registry.events import HistoryEvent
    from provenance_oracle.verifier.registry.raw_logs import Place
    from provenance_oracle.verifier.registry.reader import RegistryReader

_PAGE = 100


@click.command()
@click.argument("what", metavar="DIGEST|ID|NAME")
@with_chain()
@no_cache_option
@proof_option
@click.option("--history", is_flag=True, help="Every event of each record, and the complete history of its namespace.")
@click.option("--lineage", is_flag=True, help="The ancestors of each release, and whether their gates are open.")
@click.option(
    "--limit",
    type=click.IntRange(1, 1000),
    default=_PAGE,
    show_default=True,
    metavar="N",
    help="Show at most N records. Revoked ones come first, then the newest.",
)
@click.option(
    "--after", "after_text", metavar="ID", help="Show the records after this one, which ended the page before."
)
@output_options
@command_body(schemas.SHOW)
def show(
    output: Output,
    chain: ChainOptions,
    what: str,
    no_cache: bool,
    proof: Path | None,
    history: bool,
    lineage: bool,
    limit: int,
    after_text: str | None,
) -> None:
    """Show the records of a model.

    Name it by model digest, by manifest digest, by the record id in a gate's error, or by name (namespace/model or
    namespace/model@version). For each record the output says whether a dApp's gate is open. Simulated hardware opens no
    gate.

    Exit codes: 0 if a record that is shown is active, 6 if there is no record or if all that are shown are FAILED,
    revoked, held or doubtful.

    \b
    Examples:
      provenance show acme/tiny-model --rpc URL --registry 0x...
      provenance show acme/tiny-model@1.0 --history --lineage --network sapphire
      provenance show 5f1c... --proof proof.json --network sapphire
    """
    from provenance_oracle.verifier.cli.proof_words import proof_lines
    from provenance_oracle.verifier.cli.record_words import (
        before_claim_lines,
        entry_lines,
        gate_line,
        next_page_line,
        page_line,
        publisher_gate_line,
    )
    from provenance_oracle.verifier.documents.registry import entries_json, page_json
    from provenance_oracle.verifier.registry.lookup import find_page, find_proven

    place = chain.place()
    reader = registry_reader(place.rpc_url, place.registry, keeps_events=not no_cache)
    after, proven = _parse_id(after_text), read_proof(proof)
    page = find_proven(reader, what, proven) if proven else find_page(reader, what, limit=limit, after=after)
    entries = page.entries
    if proven and any(entry.batch for entry in entries):
        _refuse_events(history, lineage)
        gates = [reader.proofs.is_open(proven)]
    else:
        gates = [entry.passed and reader.is_open(entry) for entry in entries]
    shown = [(entry, is_open, _publisher_gate(reader, entry)) for entry, is_open in zip(entries, gates, strict=True)]
    proofs = proof_reader(reader.node, place.registry)
    proven_on_chain = [proofs.proof(entry.model_digest, entry.manifest_digest) if proofs else None for entry in entries]
    body = entries_json(shown, proven_on_chain) | page_json(page)
    if page.total > 1:
        output.text(page_line(page))
    for (entry, is_open, to_publisher), proof_on_chain in zip(shown, proven_on_chain, strict=True):
        output.text(f"{what}: {entry.closure or 'active'}, gate {'open' if is_open else 'shut'}")
        by_publisher = publisher_gate_line(entry, is_open=to_publisher)
        by_amd = proof_lines(proof_on_chain) if proofs and entry.passed and not entry.is_signed_only else ()
        for line in (*entry_lines(entry), gate_line(entry, is_open=is_open), *by_publisher, *by_amd):
            output.text(f"  {line}")
    if history:
        body |= _show_history(output, reader, entries)
    if lineage:
        body |= _show_lineage(output, reader, entries)
    for line in (*before_claim_lines(page), *next_page_line(page, what)):
        output.text(line)
    refusals = [reader.refusal(entry) for entry in entries]
    output.answer(body, refusals[0] if all(refusals) else None)


def _publisher_gate(reader: RegistryReader, entry: Entry) -> bool | None:
    """Return whether the gate by publisher is open; None for a record that no such gate opens for, or in a batch."""
    from provenance_oracle.verifier.record.standing import SIMULATED_CODE

    is_signed = Check.PUBLISHER_SIGNATURE in entry.passed_checks and entry.product_line != SIMULATED_CODE
    if entry.batch or not entry.passed or not is_signed:
        return None
    return reader.is_open_to_publisher(entry)


def _refuse_events(history: bool, lineage: bool) -> None:
    """Raise UsageError if the options ask for events of a record that only a proof shows."""
    if history or lineage:
        raise UsageError(
            "a record in a batch has neither history nor ancestors in the registry",
            where="--history" if history else "--lineage",
            wanted="--proof without it, or a record that somebody wrote out with `materialise`",
        )


def _parse_id(text: str | None) -> bytes | None:
    if text is None:
        return None
    return hex_word(text, "--after", "not an id", "64 hex digits, from the end of a page")


def _show_history(output: Output, reader: RegistryReader, entries: tuple[Entry, ...]) -> dict[str, object]:
    from provenance_oracle.verifier.cli.record_words import change_line, event_line, namespace_lines
    from provenance_oracle.verifier.documents.registry import history_json
    from provenance_oracle.verifier.record.publisher_changes import publisher_changes

    histories = reader.histories(entries)
    events = [event for found in histories for event in found]
    for event in events:
        output.text(event_line(event))
    namespaces = {name: reader.namespace(name) for name in sorted({entry.namespace for entry in entries})}
    for name, namespace in namespaces.items():
        for line in namespace_lines(name, namespace):
            output.text(line)
    recorded = sorted(zip(entries, histories, strict=True), key=lambda pair: _recorded(*pair))
    changes = publisher_changes(entry for entry, _ in recorded)
    for change in changes:
        output.text(change_line(change))
    return history_json(events, [namespace for namespace in namespaces.values() if namespace], changes)


def _recorded(entry: Entry, history: tuple[HistoryEvent, ...]) -> tuple[datetime, list[Place]]:
    """Return what sorts entries in the order of the chain. One of a batch has no event of its own."""
    from provenance_oracle.verifier.registry.events import Publication

    return entry.recorded_at, [event.place for event in history if isinstance(event, Publication)]


def _show_lineage(output: Output, reader: RegistryReader, entries: tuple[Entry, ...]) -> dict[str, object]:
    from provenance_oracle.verifier.cli.record_words import ancestor_line
    from provenance_oracle.verifier.documents.registry import lineage_json
    from provenance_oracle.verifier.registry.lookup import find_ancestors

    lineages = [(entry, find_ancestors(reader, entry)) for entry in entries if entry.passed]
    for entry, ancestors in lineages:
        output.text(f"lineage of {entry.name} {entry.version}: {len(ancestors)} recorded ancestors")
        for ancestor, known in ancestors:
            output.text(ancestor_line(ancestor, known))
    return lineage_json(lineages)

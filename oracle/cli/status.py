"""`provenance status`: how far the releases of a journal are."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING

import click

from provenance_oracle.oracle import documents
from provenance_oracle.oracle.cli.journal_options import JournalPlace, with_journal
from provenance_oracle.verifier.cli.console import Output, command_body
from provenance_oracle.verifier.cli.options import now, output_options
from provenance_oracle.verifier.strict.timestamps import format_time
from provenance_oracle.verifier.text import printable

if TYPE_CHECKING:
    from provenance_oracle.oracle.journal.overview import Progress

_HOUR = timedelta(hours=1)
# By the state of a proof; see `oracle.journal.proof_book`.
_PROOF_WORDS = {"open": "waiting", "signed": "signed", "sent": "sent", "mined": "not final yet", "dropped": "refused"}


@click.command()
@with_journal
@output_options
@command_body(documents.STATUS)
def status(output: Output, place: Callable[[], JournalPlace]) -> None:
    """Show how far the releases of an oracle are.

    It counts the releases by state, with the oldest of each, and names the last failure of each source. The oracle may
    run. Its HTTP server (setting `listen`) also tells the troubles that stand: /status.

    \b
    Examples:
      provenance status --journal oracle.sqlite
      provenance status --settings oracle.yaml --json
    """
    from provenance_oracle.oracle.journal.kept_progress import read_progress

    at = now()
    progress = read_progress(place().journal, since=at - _HOUR)
    _show(output, progress)
    output.document(True, documents.status_json(progress, None, at=at, ready=None))


def _show(output: Output, progress: Progress) -> None:
    if not progress.counts:
        output.text("the journal has no release yet")
    for one in progress.counts:
        parked = f", {one.parked} of them after a failure" if one.parked else ""
        output.text(f"{one.state:<10} {one.count:>7}  oldest since {format_time(one.oldest_seen_at)}{parked}")
    open_rows = sum(one.count for one in progress.counts if not one.state.closed)
    output.text(f"{open_rows} not decided; {progress.recorded} recorded in the last hour")
    for source, row in sorted(progress.failures.items()):
        name = printable(f"{source}:{row.key.release}")
        output.text(f"last failure of {name}, {row.state}, {format_time(row.changed_at)}: {printable(row.problem)}")
    if progress.proofs.counts:
        counts = ", ".join(f"{count} {_PROOF_WORDS[state]}" for state, count in progress.proofs.counts.items())
        output.text(f"proofs on chain: {counts}")
    for note in progress.proofs.notes:
        words = "cannot be proven" if note.is_refused else "proof waits"
        name = printable(f"{note.source}:{note.release}")
        output.text(f"{words}, {name}, {format_time(note.at)}: {printable(note.reason)}")
    for refusal in progress.refusals:
        output.text(f"not signed for another oracle, {format_time(refusal.at)}: {printable(refusal.reason)}")

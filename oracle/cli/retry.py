"""`provenance retry`: have releases judged again."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import click

from provenance_oracle.oracle import documents
from provenance_oracle.oracle.cli.journal_options import JournalPlace, with_journal
from provenance_oracle.oracle.cli.rows import print_rows
from provenance_oracle.verifier.cli.console import Output, command_body
from provenance_oracle.verifier.cli.options import now, output_options
from provenance_oracle.verifier.errors import UsageError
from provenance_oracle.verifier.text import printable

if TYPE_CHECKING:
    from provenance_oracle.oracle.journal.journal import Journal
    from provenance_oracle.oracle.journal.rows import Row


@click.command()
@click.argument("releases", nargs=-1, metavar="[RELEASE]...")
@with_journal
@output_options
@command_body(documents.RETRY)
def retry(output: Output, releases: tuple[str, ...], place: Callable[[], JournalPlace]) -> None:
    """Have releases judged again at the oracle's next pass.

    RELEASE is the name of a release in the journal that failed, is stuck or waits. Without a name, the command takes
    all of these. The oracle may run.

    \b
    Examples:
      provenance retry --journal oracle.sqlite
      provenance retry folder/my-model --settings oracle.yaml
    """
    from provenance_oracle.oracle.journal.journal import open_journal

    found = place()
    with open_journal(found.journal, found.evidence, is_guest=True) as journal:
        rows = _reopened(output, journal, _chosen(journal, releases))
    if rows:
        output.text(f"{len(rows)} reopened; the oracle judges them at its next pass (`provenance watch`):")
    else:
        output.text("nothing to do: no release in the journal failed, is stuck or waits")
    print_rows(output, rows)


def _chosen(journal: Journal, names: tuple[str, ...]) -> Iterable[Row]:
    """Return the rows to reopen.

    Raises:
        UsageError: a name is of no release that failed, is stuck or waits.
    """
    if not names:
        return journal.failed_rows()
    rows: list[Row] = []
    for name in dict.fromkeys(names):
        found = list(journal.failed_rows(name))
        if not found:
            raise _nothing_to_retry(journal, name)
        rows += found
    return rows


def _nothing_to_retry(journal: Journal, name: str) -> UsageError:
    rows, where = journal.named_rows(name), printable(name)
    if not rows:
        wanted = "a name as the oracle's log and `provenance status` show it, without the source"
        return UsageError("the journal has no such release", where=where, got="nothing", wanted=wanted)
    got = f"{rows[-1].state}{', ' + rows[-1].problem if rows[-1].problem else ''}"
    wanted = "a release that failed, is stuck or waits; the oracle goes on with the others by itself"
    return UsageError("there is nothing to retry", where=where, got=printable(got), wanted=wanted)


def _reopened(output: Output, journal: Journal, rows: Iterable[Row]) -> list[Row]:
    """Reopen rows. One that another process works on, in a journal that several share, stays as it is."""
    from provenance_oracle.oracle.journal.work import working_on

    worker, reopened = f"{socket.gethostname()}/{os.getpid()}", []
    for row in rows:
        with working_on(journal, row, worker, now) as work:
            if work is None:
                output.text(f"{printable(row.key.release)} is left: an oracle is working on it now")
            else:
                reopened.append(journal.reopen(row.id, at=now()))
    return reopened

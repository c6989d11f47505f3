"""`provenance retry`: have releases judged again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import click

from provenance_oracle.oracle import documents
from provenance_oracle.oracle.cli.ledger_options import LedgerChoice, with_ledger
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
@with_ledger
@output_options
@command_body(documents.RETRY)
def retry(output: Output, releases: tuple[str, ...], ledger: LedgerChoice) -> None:
    """Have releases judged again at the oracle's next pass.

    RELEASE is the name of a release in the journal that failed, is stuck or waits. Without a name, the command takes
    all of these. A release that is final, but has no record on chain any more, is recorded again if you name it; the
    command then asks the node. The oracle may run.

    \b
    Examples:
      provenance retry --journal oracle.sqlite
      provenance retry folder/my-model --settings oracle.yaml
    """
    from provenance_oracle.oracle.journal.journal import open_journal

    found = ledger.place()
    with open_journal(found.journal, found.evidence, is_guest=True) as journal:
        rows = _retried(output, journal, ledger, journal.failed_rows() if not releases else _chosen(journal, releases))
    if rows:
        output.text(f"{len(rows)} reopened; the oracle takes them up at its next pass (`provenance watch`):")
    else:
        output.text("nothing to do: no release in the journal failed, is stuck or waits")
    print_rows(output, rows)


def _chosen(journal: Journal, names: tuple[str, ...]) -> list[Row]:
    """Return the rows of releases by name: those that failed, or else the newest one that is final.

    Raises:
        UsageError: a release is on its way, or the journal has no such release.
    """
    rows: list[Row] = []
    for name in dict.fromkeys(names):
        named = journal.named_rows(name)
        found = list(journal.failed_rows(name)) or [row for row in named if row.state == "final"][-1:]
        if not found:
            raise _nothing_to_retry(name, named)
        rows += found
    return rows


def _retried(output: Output, journal: Journal, ledger: LedgerChoice, rows: Iterable[Row]) -> list[Row]:
    """Reopen rows that failed, and put back those that are final. Return them as they are then.

    A row on which another process works, in a journal that several share, stays as it is.
    """
    from provenance_oracle.oracle.journal.work import own_name, working_on

    reopened: list[Row] = []
    for row in rows:
        if row.state == "final":
            reopened.append(_put_back(journal, ledger, row))
            continue
        with working_on(journal, row, own_name(), now) as work:
            if work is None:
                output.text(f"{printable(row.key.release)} is left: an oracle is working on it now")
            else:
                reopened.append(journal.reopen(row.id, at=now()))
    return reopened


def _nothing_to_retry(name: str, rows: Sequence[Row]) -> UsageError:
    where = printable(name)
    if not rows:
        wanted = "a name as the oracle's log and `provenance status` show it, without the source"
        return UsageError("the journal has no such release", where=where, got="nothing", wanted=wanted)
    got = f"{rows[-1].state}{', ' + rows[-1].problem if rows[-1].problem else ''}"
    wanted = "a release that failed, is stuck or waits; the oracle goes on with the others by itself"
    return UsageError("there is nothing to retry", where=where, got=printable(got), wanted=wanted)


def _put_back(journal: Journal, ledger: LedgerChoice, row: Row) -> Row:
    """Have a final release recorded again if it has no record on chain any more.

    Raises:
        UsageError: it has its record, or no chain is named.
        TemporaryError: a node fails, or the nodes disagree.
    """
    from provenance_oracle.oracle.assembly import audited_ledger
    from provenance_oracle.oracle.audit.repair import put_back
    from provenance_oracle.oracle.audit.run import open_books

    name = printable(row.key.release)
    try:
        settings = ledger.settings()
    except UsageError as error:
        wanted = "--settings, or --rpc and --registry, to look whether its record is still on chain"
        got = f"final, and no chain is named ({error.where})"
        raise UsageError("the release is recorded", where=name, got=got, wanted=wanted) from error
    with open_books(settings.journal, settings.evidence, audited_ledger(settings), clock=now) as books:
        done = put_back(journal, books, row, now)
    found = journal.row(row.id)
    if found.state == "final":
        got = f"final, and its record {done or 'is in the work of another process'}"
        wanted = "a release without a record on chain"
        raise UsageError("there is nothing to retry", where=name, got=got, wanted=wanted)
    return found

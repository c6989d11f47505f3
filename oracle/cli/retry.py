"""`provenance retry`: have releases judged again."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from provenance_oracle.oracle import documents
from provenance_oracle.oracle.cli.rows import print_rows
from provenance_oracle.verifier.cli.console import Output, command_body
from provenance_oracle.verifier.cli.options import FILE, now, output_options
from provenance_oracle.verifier.errors import UsageError
from provenance_oracle.verifier.text import printable

if TYPE_CHECKING:
    from provenance_oracle.oracle.journal.rows import Row


@click.command()
@click.argument("releases", nargs=-1, metavar="[RELEASE]...")
@click.option("--journal", type=FILE, required=True, help="The oracle's journal. Stop the oracle first.")
@output_options
@command_body(documents.RETRY)
def retry(output: Output, releases: tuple[str, ...], journal: Path) -> None:
    """Have releases judged again at the oracle's next pass.

    RELEASE is the name of a release in the journal that failed, is stuck or waits. Without a name, the command takes
    all of these.

    \b
    Examples:
      provenance retry --journal oracle.sqlite
      provenance retry folder/my-model --journal oracle.sqlite
    """
    rows = _retry_releases(journal, releases, at=now())
    if rows:
        output.text(f"{len(rows)} reopened; the oracle judges them at its next pass (`provenance watch`):")
    else:
        output.text("nothing to do: no release in the journal failed, is stuck or waits")
    print_rows(output, rows)


def _retry_releases(journal: Path, names: tuple[str, ...], *, at: datetime) -> tuple[Row, ...]:
    """Reopen releases that were rejected, are stuck or wait, and return their rows.

    Args:
        names: names of releases in the journal; empty for all.

    Raises:
        UsageError: there is no such journal, a running oracle holds it, or it has no such release.
    """
    from provenance_oracle.oracle.journal.journal import Journal
    from provenance_oracle.oracle.journal.rows import State

    if not os.path.isfile(journal):  # noqa: PTH113 (Path.is_file raises for some paths; this is False)
        raise UsageError(
            "there is no journal", where=printable(str(journal)), got="no file", wanted="an oracle's journal"
        )
    with Journal(journal) as book:
        rows = [row for row in book.rows() if row.state is not State.FINAL]
        unknown = set(names) - {row.key.release for row in rows}
        if unknown:
            got = printable(", ".join(sorted(unknown)))
            raise UsageError(
                "no such release waits or failed", where=str(journal), got=got, wanted="a release that does"
            )
        return tuple(book.reopen(row.id, at=at) for row in rows if not names or row.key.release in names)

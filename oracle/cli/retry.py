"""`provenance retry`: let releases be judged again."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from provenance_oracle.oracle import documents
from provenance_oracle.oracle.cli.rows import print_rows
from provenance_oracle.verifier.cli.console import Output, command_body
from provenance_oracle.verifier.cli.options import FILE, json_option, now
from provenance_oracle.verifier.errors import UsageError
from provenance_oracle.verifier.text import printable

if TYPE_CHECKING:
    from provenance_oracle.oracle.journal.rows import Row


@click.command()
@click.argument("releases", nargs=-1, metavar="[RELEASE]...")
@click.option("--journal", type=FILE, required=True, help="The oracle's journal; the oracle must not be running.")
@json_option
@command_body(documents.RETRY)
def retry(output: Output, releases: tuple[str, ...], journal: Path) -> None:
    """Let releases that failed, are stuck or wait be judged again at the next pass; without names, all of them."""
    print_rows(output, _retry_releases(journal, releases, at=now()))


def _retry_releases(journal: Path, names: tuple[str, ...], *, at: datetime) -> tuple[Row, ...]:
    """Let releases that were rejected, are stuck or wait be looked at again at the oracle's next pass.

    Args:
        names: as the journal has them; none means all.

    Raises:
        UsageError: no such journal, one that a running oracle holds, or a release that is not in it.
    """
    from provenance_oracle.oracle.journal.journal import Journal
    from provenance_oracle.oracle.journal.rows import State

    if not os.path.isfile(journal):  # noqa: PTH113 (false, where Path's raises, for what cannot be looked at)
        raise UsageError("no such journal", where=printable(str(journal)), got="no file", wanted="an oracle's journal")
    with Journal(journal) as book:
        rows = [row for row in book.rows() if row.state is not State.FINAL]
        unknown = set(names) - {row.key.release for row in rows}
        if unknown:
            got = printable(", ".join(sorted(unknown)))
            raise UsageError(
                "not among the releases that wait or failed", where=str(journal), got=got, wanted="one of them"
            )
        return tuple(book.reopen(row.id, at=at) for row in rows if not names or row.key.release in names)

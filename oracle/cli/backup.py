"""`provenance backup` and `provenance restore`: copy the journal into a file, and back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from provenance_oracle.oracle import documents
from provenance_oracle.oracle.cli.journal_options import JournalPlace, with_journal
from provenance_oracle.verifier.cli.console import Output, command_body
from provenance_oracle.verifier.cli.options import FILE, output_options
from provenance_oracle.verifier.text import printable

if TYPE_CHECKING:
    from provenance_oracle.oracle.journal.backup import Copied


@click.command()
@click.argument("file", type=FILE)
@with_journal
@output_options
@command_body(documents.BACKUP)
def backup(output: Output, file: Path, place: Callable[[], JournalPlace]) -> None:
    """Copy the oracle's journal into a new file.

    The file also holds verdicts and evidence, and is the same for SQLite and PostgreSQL. The oracle may run meanwhile.

    \b
    Examples:
      provenance backup oracle-2027-01-01.backup --journal oracle.sqlite
      provenance backup oracle-2027-01-01.backup --settings oracle.yaml
    """
    from provenance_oracle.oracle.journal.backup import back_up

    found = place()
    _print(output, f"copied to {file}", back_up(found.journal, found.evidence, file))


@click.command()
@click.argument("file", type=FILE)
@with_journal
@output_options
@command_body(documents.RESTORE)
def restore(output: Output, file: Path, place: Callable[[], JournalPlace]) -> None:
    """Make a journal from a backup. The command overwrites nothing.

    Transactions that the oracle sent after the backup are missing in it. The oracle compares every open row with the
    chain before it sends anything, so no record is written twice.

    \b
    Examples:
      provenance restore oracle-2027-01-01.backup --journal oracle.sqlite
      provenance restore oracle.backup --journal postgresql://oracle@db/oracle
    """
    from provenance_oracle.oracle.journal.backup import restore_backup

    _print(output, "restored", restore_backup(file, place().journal))


def _print(output: Output, summary: str, copied: Copied) -> None:
    output.accepted(printable(f"{summary}; it is whole"))
    for table, count in copied.rows.items():
        output.text(f"{count:>9} {table.replace('_', ' ')}")
    output.document(True, documents.copied_json(copied))

"""`provenance verdict`: print a verdict that the oracle kept."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from provenance_oracle.oracle import documents
from provenance_oracle.oracle.cli.journal_options import JournalPlace, with_journal
from provenance_oracle.verifier.cli.console import Output, command_body
from provenance_oracle.verifier.cli.options import FILE, hex_word, output_options
from provenance_oracle.verifier.errors import RecordError

if TYPE_CHECKING:
    from provenance_oracle.oracle.journal.kept_evidence import KeptVerdict


@click.command()
@click.argument("digest")
@with_journal
@click.option("--out", type=FILE, help="Write the verdict's exact bytes to this new file.")
@click.option("--archive", type=FILE, help="Write the evidence, a tar archive, to this new file.")
@output_options
@command_body(documents.VERDICT)
def verdict(
    output: Output, digest: str, place: Callable[[], JournalPlace], out: Path | None, archive: Path | None
) -> None:
    """Print a verdict that the oracle kept.

    DIGEST is the verdict digest in the record on chain. The command reads the folder of evidence first, so it also
    works after the journal was lost. The oracle may run.

    \b
    Examples:
      provenance verdict 5f1c... --journal oracle.sqlite
      provenance verdict 5f1c... --settings oracle.yaml --archive evidence.tar
    """
    from provenance_oracle.oracle.journal.kept_evidence import find_verdict

    wanted = hex_word(digest, "DIGEST", "not the digest of a verdict", "64 hex digits, as `show` prints them")
    where = place()
    found = find_verdict(wanted, where.journal, where.evidence)
    if found is None:
        raise RecordError(
            "no verdict with this digest was kept here",
            where="journal",
            got="no such verdict",
            wanted="the journal of the oracle that judged, or its folder of evidence",
        )
    _write(found, out, archive)
    output.raw(found.statement.decode("utf-8", "replace"))
    output.document(True, documents.verdict_json(wanted, found))


def _write(found: KeptVerdict, out: Path | None, archive: Path | None) -> None:
    from provenance_oracle.oracle.journal.new_file import new_file

    if archive is not None and found.archive is None:
        raise RecordError("no evidence was kept with this verdict", where=str(archive), wanted="a PASSED verdict")
    for file, data in ((out, found.statement), (archive, found.archive)):
        if file is not None:
            with new_file(file) as new:
                new.write_bytes(data or b"")

"""Rows of the journal as output, for the commands that report on releases."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from provenance_oracle.oracle.documents import releases_json
from provenance_oracle.verifier.cli.console import Output
from provenance_oracle.verifier.errors import TemporaryError
from provenance_oracle.verifier.text import printable

if TYPE_CHECKING:
    from provenance_oracle.oracle.journal.rows import Row


def print_rows(output: Output, rows: Iterable[Row]) -> None:
    """Print one line, or one JSON object, for every release.

    Raises:
        TemporaryError: a release waits for another try. `Output.answer` says how the command then ends.
    """
    shown = list(rows)
    for row in shown:
        problem = f"  {printable(row.problem)}" if row.problem else ""
        output.text(f"{row.state:<9} {printable(row.key.release)}{problem}")
    parked = any(row.parked for row in shown)
    waiting = TemporaryError("some releases wait for another try", where="journal") if parked else None
    output.answer(releases_json(shown), waiting)

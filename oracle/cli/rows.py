"""Rows of the journal as output, for the commands that report on releases."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from provenance_oracle.oracle.documents import releases_json
from provenance_oracle.verifier.cli.console import Output
from provenance_oracle.verifier.errors import (
    AppraisalError,
    FormatError,
    ProvenanceError,
    RecordError,
    TemporaryError,
    UsageError,
    VerificationError,
)
from provenance_oracle.verifier.text import printable

if TYPE_CHECKING:
    from provenance_oracle.oracle.journal.rows import Row

_CLASSES = {kind.exit_code: kind for kind in (UsageError, FormatError, VerificationError, AppraisalError, RecordError)}


def print_rows(output: Output, rows: Iterable[Row], *, fail_rejected: bool = False) -> None:
    """Print one line, or one JSON object, for every release.

    Args:
        rows: oldest first.
        fail_rejected: end the command with a failure if the newest row of a release is rejected or stuck.

    Raises:
        ProvenanceError: a release was rejected or is stuck; the class is that of the first such release's failure.
        TemporaryError: a release waits for another try. `Output.answer` says how the command then ends.
    """
    shown = list(rows)
    for row in shown:
        problem = f"  {printable(row.problem)}" if row.problem else ""
        output.text(f"{row.state:<9} {printable(row.key.release)}{problem}")
    refusal = _rejection(shown) if fail_rejected else None
    if refusal is None and any(row.parked for row in shown):
        refusal = TemporaryError("some releases wait for another try", where="journal")
    output.answer(releases_json(shown), refusal)


def _rejection(rows: list[Row]) -> ProvenanceError | None:
    from provenance_oracle.oracle.journal.rows import policy_key

    releases = [row for row in rows if row.state != "superseded" and row.key != policy_key(row.key.content)]
    newest = {(row.key.source, row.key.release): row for row in releases}
    failures = [row for row in newest.values() if row.state in ("rejected", "stuck")]
    if not failures:
        return None
    kind = _CLASSES.get(failures[0].exit_code or 0, ProvenanceError)
    got = f"{len(failures)} of {len(newest)} rejected or stuck, first {printable(failures[0].key.release)}"
    wanted = "every release recorded; correct the release, or name another policy with --policy"
    return kind("not every release was recorded", where="journal", got=got, wanted=wanted)

"""What `provenance watch` does with its options, and how it tells what became of every release."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path

from provenance_oracle.oracle.assembly import open_oracle
from provenance_oracle.oracle.journal.journal import Journal
from provenance_oracle.oracle.journal.rows import Row, State
from provenance_oracle.oracle.service import Bell, Stopped, stopping_on_signals
from provenance_oracle.oracle.settings import load_settings
from provenance_oracle.verifier.cli.console import Output
from provenance_oracle.verifier.errors import TemporaryError, UsageError
from provenance_oracle.verifier.text import printable


def watch_folder(
    settings_file: Path | None, options: Mapping[str, object], *, once_seconds: float | None
) -> tuple[Row, ...]:
    """Run the oracle until it is told to stop, or with `once_seconds` until all that is there now is decided.

    Returns:
        With `once_seconds` a row for every release; otherwise nothing, as the log has told it all.

    Raises:
        UsageError: settings, key, policy, journal or chain are not usable.
        TemporaryError: with `once_seconds`, the chain or the disk failed.
    """
    settings = load_settings(settings_file, os.environ, options)
    bell = Bell()
    with stopping_on_signals(bell), open_oracle(settings, bell) as service:
        if once_seconds is None:
            service.run()
            return ()
        try:
            return service.run_once(deadline_seconds=once_seconds)
        except Stopped:
            return ()


def retry_releases(journal: Path, names: tuple[str, ...], *, at: datetime) -> tuple[Row, ...]:
    """Let releases that were rejected, are stuck or wait be looked at again at the oracle's next pass.

    Args:
        names: as the journal has them; none means all.

    Raises:
        UsageError: no such journal, one that a running oracle holds, or a release that is not in it.
    """
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


def print_rows(output: Output, rows: Iterable[Row]) -> None:
    """Print one line, or JSON object, for every release.

    Raises:
        TemporaryError: some wait for another try; as `Output.answer` tells it.
    """
    shown = list(rows)
    for row in shown:
        problem = f"  {printable(row.problem)}" if row.problem else ""
        output.text(f"{row.state:<9} {printable(row.key.release)}{problem}")
    parked = any(row.parked for row in shown)
    waiting = TemporaryError("some releases wait for another try", where="journal") if parked else None
    output.answer({"releases": [_row_json(row) for row in shown]}, waiting)


def _row_json(row: Row) -> dict[str, object]:
    return {
        "release": row.key.release,
        "state": row.state,
        "exit_code": row.exit_code,
        "check": row.check,
        "problem": row.problem,
        "verdict_digest": row.verdict_digest.hex() if row.verdict_digest else None,
    }

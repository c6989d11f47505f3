"""What `provenance watch` does with its options, and how it tells what became of every release."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from oracle.assembly import open_oracle
from oracle.rows import Row
from oracle.service import Bell, Stopped, stopping_on_signals
from oracle.settings import load_settings
from verifier.console import Output
from verifier.text import printable


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


def print_rows(output: Output, rows: Iterable[Row]) -> None:
    """Print one line, or JSON object, for every release."""
    shown = list(rows)
    for row in shown:
        problem = f"  {printable(row.problem)}" if row.problem else ""
        output.text(f"{row.state:<9} {printable(row.key.release)}{problem}")
    output.document(True, {"releases": [_row_json(row) for row in shown]})


def _row_json(row: Row) -> dict[str, object]:
    return {
        "release": row.key.release,
        "state": row.state,
        "exit_code": row.exit_code,
        "check": row.check,
        "problem": row.problem,
        "verdict_digest": row.verdict_digest.hex() if row.verdict_digest else None,
    }

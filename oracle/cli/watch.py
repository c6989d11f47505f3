"""`provenance watch`: run the oracle."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from provenance_oracle.oracle import documents
from provenance_oracle.oracle.cli.rows import print_rows
from provenance_oracle.oracle.cli.settings_options import SettingsCommand, read_chosen, with_settings
from provenance_oracle.verifier.cli.console import Output, command_body
from provenance_oracle.verifier.cli.options import output_options
from provenance_oracle.verifier.errors import UsageError

if TYPE_CHECKING:
    from provenance_oracle.oracle.journal.rows import Row
    from provenance_oracle.oracle.settings.live import LiveSettings
    from provenance_oracle.oracle.settings.load import Given
    from provenance_oracle.oracle.settings.settings import Settings

_ONCE_SECONDS = 600


@click.command(cls=SettingsCommand)
@with_settings
@click.option(
    "--once",
    is_flag=True,
    help="Process the releases that are there now, follow their records until they are final, then end. "
    "A rejected release ends the command with that release's exit code.",
)
@click.option(
    "--once-seconds",
    type=click.IntRange(1, 604_800),
    metavar="SECONDS",
    help=f"With --once: how long to follow the records; {_ONCE_SECONDS} if not given.",
)
@output_options
@command_body(documents.WATCH)
def watch(output: Output, /, chosen: Callable[[], Given], once: bool, once_seconds: int | None) -> None:
    """Judge the releases of all sources and record the accepted ones.

    The command watches every SOURCE until a signal stops it. `provenance settings show` prints the settings in force.

    \b
    Example:
      provenance watch ./releases --journal oracle.sqlite --network sapphire \\
        --keystore oracle.json --password-file pw
    """
    import logging

    from provenance_oracle.oracle.logs import configure_logs, set_level
    from provenance_oracle.oracle.settings.live import LiveSettings

    if once_seconds and not once:
        raise UsageError("the option has no effect", where="--once-seconds", got="no --once", wanted="--once beside it")

    def level_of(settings: Settings) -> str:
        return "warning" if output.quiet else settings.log_level

    effective = read_chosen(chosen)
    configure_logs(sys.stderr, level=level_of(effective.settings), log_format=effective.settings.log_format)
    for remark in effective.remarks:
        logging.getLogger(__name__).warning("%s", remark)
    live = LiveSettings(effective.settings, lambda: read_chosen(chosen), lambda new: set_level(level_of(new)))
    rows = _run(live, once_seconds=(once_seconds or _ONCE_SECONDS) if once else None)
    print_rows(output, rows, fail_rejected=True)


def _run(live: LiveSettings, *, once_seconds: float | None) -> tuple[Row, ...]:
    """Run the oracle until a signal stops it, or with `once_seconds` until all present releases are decided.

    Args:
        live: the settings. SIGHUP reads them anew.
        once_seconds: how long to follow records at most; None to run until a signal.

    Returns:
        One row for each release with `once_seconds`; otherwise nothing, because the log has reported everything.

    Raises:
        UsageError: settings, key, policy, journal or chain are not usable.
        TemporaryError: with `once_seconds`, the chain or the disk failed, or records were not final in time.
    """
    from provenance_oracle.oracle.assembly import open_oracle
    from provenance_oracle.oracle.bell import Bell, Stopped, stopping_on_signals
    from provenance_oracle.oracle.settings.live import reloading_on_hangup

    bell = Bell()
    try:
        with (
            reloading_on_hangup(live),
            stopping_on_signals(bell),
            open_oracle(live(), bell, live=live) as service,
        ):
            if once_seconds is not None:
                return service.run_once(deadline_seconds=once_seconds)
            service.run()
    except Stopped:
        pass
    return ()

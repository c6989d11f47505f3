"""`provenance watch`: run the oracle."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from provenance_oracle.oracle import documents
from provenance_oracle.oracle.cli.key_options import with_key_options
from provenance_oracle.oracle.cli.rows import print_rows
from provenance_oracle.verifier.cli.chain_options import ChainOptions, with_chain
from provenance_oracle.verifier.cli.completion import complete_policies
from provenance_oracle.verifier.cli.console import Output, command_body
from provenance_oracle.verifier.cli.options import DEVICE, FILE, output_options

if TYPE_CHECKING:
    from provenance_oracle.oracle.journal.rows import Row

_ONCE_SECONDS = 600.0
_WATCH = click.Choice(("auto", "inotify", "poll", "scan-only"))  # as `WatchMode`, whose import takes time


@click.command()
@click.argument("folder", type=FILE, required=False)
@click.option(
    "--settings", "settings_file", type=FILE, help="YAML file with settings. Options and environment take precedence."
)
@click.option("--journal", type=FILE, help="SQLite file that keeps the state of every release.")
@with_chain()
@click.option(
    "--policy",
    metavar="NAME|FILE",
    shell_complete=complete_policies,
    help="Appraisal policy. Default: that of --network, else baseline.",
)
@with_key_options
@click.option(
    "--report-key-variable", metavar="NAME", help="Variable with the key that signs reports. Default: the paying key."
)
@click.option(
    "--report-keystore", type=FILE, help="Keystore v3 file with the key that signs reports. Default: the paying key."
)
@click.option("--report-password-file", type=FILE, help="File with that keystore's password.")
@click.option("--confirmations", type=int, help="Blocks on top of a record before it counts as final.")
@click.option("--scan-seconds", type=int, help="Time between full scans of the folder.")
@click.option("--watch", type=_WATCH, help="How to notice changes early.")
@click.option(
    "--allow-development-key", is_flag=True, default=None, help="Let a key from the environment pay on a public chain."
)
@click.option("--device", type=DEVICE, help="Device that hashes.")
@click.option("--fetch", is_flag=True, default=None, help="Fetch a revocation list from AMD if a release has none.")
@click.option(
    "--once",
    is_flag=True,
    help="Process the releases that are there now, follow their records until they are final, then end. "
    "A rejected release ends the command with that release's exit code.",
)
@output_options
@command_body(documents.WATCH)
def watch(output: Output, /, chain: ChainOptions, settings_file: Path | None, once: bool, **options: object) -> None:
    """Judge the releases in a folder and record the accepted ones.

    The command watches FOLDER until a signal stops it.

    \b
    Example:
      provenance watch ./releases --journal oracle.sqlite --network sapphire \\
        --keystore oracle.json --password-file pw
    """
    import logging

    level = logging.WARNING if output.quiet else logging.INFO
    logging.basicConfig(stream=sys.stderr, level=level, format="%(asctime)s %(message)s")
    place = chain.place(use_default=False)
    options |= {"rpc_url": place.rpc_url, "registry": place.registry, "policy": options["policy"] or place.policy}
    rows = _watch_folder(settings_file, options, once_seconds=_ONCE_SECONDS if once else None)
    print_rows(output, rows, fail_rejected=True)


def _watch_folder(
    settings_file: Path | None, options: Mapping[str, object], *, once_seconds: float | None
) -> tuple[Row, ...]:
    """Run the oracle until a signal stops it, or with `once_seconds` until all present releases are decided.

    Args:
        once_seconds: how long to follow records at most; None to run until a signal.

    Returns:
        One row for each release with `once_seconds`; otherwise nothing, because the log has reported everything.

    Raises:
        UsageError: settings, key, policy, journal or chain are not usable.
        TemporaryError: with `once_seconds`, the chain or the disk failed, or records were not final in time.
    """
    from provenance_oracle.oracle.assembly import open_oracle
    from provenance_oracle.oracle.service import Bell, Stopped, stopping_on_signals
    from provenance_oracle.oracle.settings import load_settings

    settings = load_settings(settings_file, os.environ, options)
    bell = Bell()
    try:
        with stopping_on_signals(bell), open_oracle(settings, bell) as service:
            if once_seconds is not None:
                return service.run_once(deadline_seconds=once_seconds)
            service.run()
    except Stopped:
        pass
    return ()

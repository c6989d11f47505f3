"""The one command, `provenance`, put together; and the oracle's own parts of it: watch | retry | demo.

Nothing heavy is imported here: `provenance --help` has to be quick.
"""

from __future__ import annotations

import logging
import sys
from pathlib import Path

import click

from provenance_oracle.oracle.cli.registry_commands import claim, deploy, with_key_options
from provenance_oracle.publisher.cli import attest, pack
from provenance_oracle.verifier.cli.commands import COMMANDS as USER_COMMANDS
from provenance_oracle.verifier.cli.console import Output, command_body
from provenance_oracle.verifier.cli.options import FILE, json_option, now, rpc_option

_ONCE_SECONDS = 600.0


class Commands(click.Group):
    """Lists commands in the order a newcomer meets them, not by the alphabet."""

    def list_commands(self, _context: click.Context) -> list[str]:
        return list(self.commands)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="provenance-oracle", prog_name="provenance")
def main() -> None:
    """Where an AI model came from, recorded on chain; and the means to check it without trusting anyone.

    \b
    Exit codes: 0 accepted, 1 internal error, 2 usage, 3 malformed, 4 forged, 5 genuine but refused by policy,
    6 no record or revoked, 7 temporary: try again.
    """


@click.command()
@click.option("--model", type=FILE, help="A folder with a model, copied; by default a tiny one is made.")
@click.option("--folder", type=FILE, default=Path(".demo"), show_default=True, help="Where everything is kept.")
@click.option(
    "--keep-seconds", default=1800, show_default=True, type=click.IntRange(0, 86400), help="How long the chain goes on."
)
@command_body("provenance-oracle/demo/v1")
def demo(_output: Output, model: Path | None, folder: Path, keep_seconds: int) -> None:
    """Record one release on an embedded chain and check it: every part for real, but the hardware simulated."""
    from provenance_oracle.oracle.demo.run import run_demo

    run_demo(folder, model, keep_seconds)


@click.command()
@click.argument("folder", type=FILE, required=False)
@click.option(
    "--settings", "settings_file", type=FILE, help="YAML file with settings; options and environment go first."
)
@click.option("--journal", type=FILE, help="SQLite file with what happened to every release.")
@rpc_option
@click.option(
    "--registry",
    metavar="ADDRESS|FILE",
    help="The registry contract, or its deployment file [env PROVENANCE_REGISTRY].",
)
@click.option("--policy", metavar="NAME|FILE", help="Appraisal policy; baseline unless said otherwise.")
@with_key_options
@click.option("--report-key-variable", metavar="NAME", help="Variable with the key that signs reports, if another.")
@click.option("--report-keystore", type=FILE, help="Keystore v3 file with the key that signs reports, if another.")
@click.option("--report-password-file", type=FILE, help="File with that keystore's password.")
@click.option("--confirmations", type=int, help="Blocks on top before a record counts as final.")
@click.option("--scan-seconds", type=int, help="Time between full scans of the folder.")
@click.option("--watch", type=str, help="auto, inotify, poll or scan-only.")
@click.option(
    "--allow-development-key", is_flag=True, default=None, help="Let a key from the environment pay on a public chain."
)
@click.option("--device", help="Where files are hashed: auto, cpu or cuda.")
@click.option("--fetch", is_flag=True, default=None, help="Ask AMD for a revocation list where a release has none.")
@click.option("--once", is_flag=True, help="Process what is there, follow it until it is final, and end.")
@json_option
@command_body("provenance-oracle/watch/v1")
def watch(output: Output, /, settings_file: Path | None, once: bool, **options: object) -> None:
    """Watch FOLDER for releases, judge each one, and record those that are accepted.

    \b
    Example:
      provenance watch ./releases --journal oracle.sqlite --rpc URL --registry 0x... \\
        --keystore oracle.json --password-file pw
    """
    from provenance_oracle.oracle.cli.watch import print_rows, watch_folder

    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(message)s")
    print_rows(output, watch_folder(settings_file, options, once_seconds=_ONCE_SECONDS if once else None))


@click.command()
@click.argument("releases", nargs=-1, metavar="[RELEASE]...")
@click.option("--journal", type=FILE, required=True, help="The oracle's journal; the oracle must not be running.")
@json_option
@command_body("provenance-oracle/retry/v1")
def retry(output: Output, releases: tuple[str, ...], journal: Path) -> None:
    """Let releases that failed, are stuck or wait be judged again at the next pass; without names, all of them."""
    from provenance_oracle.oracle.cli.watch import print_rows, retry_releases

    print_rows(output, retry_releases(journal, releases, at=now()))


for _command in (demo, *USER_COMMANDS, attest, pack, deploy, claim, watch, retry):
    main.add_command(_command)

if __name__ == "__main__":
    main()

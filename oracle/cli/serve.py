"""`provenance serve`: the index, the REST API and the explorer's page."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import click

from provenance_oracle.oracle import documents
from provenance_oracle.oracle.cli.journal_options import JournalPlace, add_journal_options, journal_place
from provenance_oracle.oracle.settings.kinds import ADDRESS
from provenance_oracle.verifier.cli.chain_options import ChainOptions, with_chain
from provenance_oracle.verifier.cli.console import Output, command_body
from provenance_oracle.verifier.cli.options import now, output_options
from provenance_oracle.verifier.errors import UsageError

if TYPE_CHECKING:
    from provenance_oracle.oracle.web.explorer.following import IndexThread
    from provenance_oracle.verifier.registry.deployment import Deployment

_RATE_DEFAULT, _RATE_MAX = 20, 100_000


@click.command("serve")
@with_chain()
@add_journal_options
@click.option(
    "--database",
    required=True,
    metavar="FILE|URL",
    help="The index: a file of SQLite, made if it is new, or a PostgreSQL database, postgresql://USER@HOST/DATABASE.",
)
@click.option(
    "--follow/--no-follow", default=True, help="Follow the chain into the index, or leave that to `provenance index`."
)
@click.option(
    "--listen", default="127.0.0.1:8080", show_default=True, metavar="HOST:PORT", help="Where to answer; port 0: any."
)
@click.option(
    "--page-rpc",
    multiple=True,
    metavar="URL",
    help="The node that the page asks from the reader's browser. Given twice, the page compares both.",
)
@click.option(
    "--rate",
    type=click.IntRange(0, _RATE_MAX),
    default=_RATE_DEFAULT,
    show_default=True,
    metavar="N",
    help="Requests of the API that one address may send in a second, in the long run; 0: no limit.",
)
@click.option(
    "--proxy", "proxies", multiple=True, metavar="ADDRESS", help="A proxy before this server. Can be repeated."
)
@output_options
@command_body(documents.SERVE)
def serve_explorer(
    output: Output,
    chain: ChainOptions,
    journal: str | None,
    evidence: Path | None,
    settings_file: Path | None,
    database: str,
    follow: bool,
    listen: str,
    page_rpc: tuple[str, ...],
    rate: int,
    proxies: tuple[str, ...],
) -> None:
    """Serve the explorer's page and the REST API, and keep their index.

    The command answers until a signal stops it. With --journal, the API also has the verdicts, evidence and batch
    proofs that an oracle keeps; it may run. docs/api.md lists the routes.

    \b
    Examples:
      provenance serve --network sapphire --database index.sqlite
      provenance serve --database index.sqlite --no-follow \\
        --journal oracle.sqlite --listen 8080
    """
    from provenance_oracle.oracle.bell import Bell, Stopped, stopping_on_signals
    from provenance_oracle.oracle.chain.index_source import read_registry
    from provenance_oracle.oracle.logs import configure_logs
    from provenance_oracle.verifier.errors import naming_extras

    with naming_extras():
        from provenance_oracle.oracle.web.explorer.read_side import ReadSide
        from provenance_oracle.oracle.web.explorer.site import serving_explorer

    configure_logs(sys.stderr, level="warning" if output.is_silent else "info", log_format="text")
    kept = journal_place(journal, evidence, settings_file) if journal or settings_file else JournalPlace("", None)
    place = chain.place()
    registry = read_registry(place.registry) if place.registry else None
    shown = ReadSide(
        database,
        kept.journal,
        kept.evidence,
        page_rpc=page_rpc,
        deployment=None if registry is None or isinstance(registry, str) else registry,
        requests_per_second=rate,
    )
    bell = Bell()
    try:
        with stopping_on_signals(bell), ExitStack() as stack:
            thread = None
            if follow:
                thread = _following(database, place.rpc_url, registry, kept.journal)
                stack.enter_context(thread.running())
            serving = serving_explorer(shown, _address(listen), proxies, thread, now)
            host, port = stack.enter_context(serving)
            output.text(f"the page is at http://{f'[{host}]' if ':' in host else host}:{port}/")
            sys.stdout.flush()
            while not bell.stopping:
                bell.sleep(3600.0)
    except Stopped:
        pass


def _following(database: str, rpc_url: str | None, registry: str | Deployment | None, journal: str) -> IndexThread:
    from provenance_oracle.oracle.web.explorer.following import IndexThread

    if not rpc_url or registry is None:
        wanted = "--network NAME, or --rpc URL --registry ADDRESS|FILE; or --no-follow"
        raise UsageError("no registry is named", where="--rpc" if not rpc_url else "--registry", wanted=wanted)
    return IndexThread(database, rpc_url, registry, journal, now)


def _address(listen: str) -> str:
    """Return the address to listen on; port 0 takes any free one."""
    address = listen if listen.endswith(":0") else ADDRESS.parse(listen)
    if not address:
        raise UsageError("the address has a wrong form", where="--listen", got=listen, wanted=ADDRESS.wanted)
    return str(address)

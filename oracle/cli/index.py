"""`provenance index`: follow a registry into a database, for the REST API and the explorer."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from provenance_oracle.oracle import documents
from provenance_oracle.verifier.cli.chain_options import ChainOptions, with_chain
from provenance_oracle.verifier.cli.console import Output, command_body
from provenance_oracle.verifier.cli.options import FILE, hex_word, now, output_options, progress_bar
from provenance_oracle.verifier.errors import UsageError

if TYPE_CHECKING:
    from provenance_oracle.oracle.index.follower import FollowedTo
    from provenance_oracle.oracle.index.index_store import IndexDatabase
    from provenance_oracle.verifier.registry.deployment import Deployment


@click.command("index")
@with_chain()
@click.option(
    "--database",
    required=True,
    metavar="FILE|URL",
    help="The index: a file of SQLite, made if it is new, or a PostgreSQL database, postgresql://USER@HOST/DATABASE.",
)
@click.option("--once", is_flag=True, help="Read up to the newest block, then end.")
@click.option(
    "--snapshot", type=FILE, help="Begin a new index from this snapshot instead of the registry's first block."
)
@click.option("--snapshot-digest", metavar="HEX", help="With --snapshot: the SHA-256 that the file must have.")
@click.option(
    "--write-snapshot", type=FILE, help="Write the index into this new file once it is read, and print its SHA-256."
)
@output_options
@command_body(documents.INDEX)
def index_chain(
    output: Output,
    chain: ChainOptions,
    database: str,
    once: bool,
    snapshot: Path | None,
    snapshot_digest: str | None,
    write_snapshot: Path | None,
) -> None:
    """Follow a registry into a database.

    The command reads every event of the registry, its namespaces and its lineage, compares what they say with the
    contracts' state, and goes on until a signal stops it. `provenance serve` answers from the database. If the database
    is lost, all of it can be read again.

    \b
    Examples:
      provenance index --network sapphire --database index.sqlite
      provenance index --rpc URL --registry deployments/1.json \\
        --database postgresql://index@db/index --once
      provenance index --network sapphire --database index.sqlite \\
        --once --write-snapshot records.snapshot
    """
    from provenance_oracle.oracle.bell import Bell, Stopped, stopping_on_signals
    from provenance_oracle.oracle.chain.index_source import open_index_service, read_registry
    from provenance_oracle.oracle.index.database import open_index_database
    from provenance_oracle.oracle.index.record_reader import RecordIndex
    from provenance_oracle.oracle.index.snapshot import write_snapshot as written_snapshot
    from provenance_oracle.oracle.logs import configure_logs

    if (snapshot is None) != (snapshot_digest is None):
        wanted = "--snapshot FILE --snapshot-digest HEX, the digest from a place that you trust"
        raise UsageError("the options go together", where="--snapshot", got="one of them", wanted=wanted)
    place = chain.place()
    rpc_url, registry = _required(place.rpc_url, "--rpc"), read_registry(_required(place.registry, "--registry"))
    configure_logs(sys.stderr, level="warning" if output.is_silent else "info", log_format="text")
    bell, digest = Bell(), ""
    with closing(open_index_database(database)) as opened:
        try:
            with stopping_on_signals(bell), _progress(output) as progress:
                if snapshot is not None:
                    _begin(opened, rpc_url, registry, snapshot, snapshot_digest or "")
                service = open_index_service(
                    opened,
                    rpc_url,
                    registry,
                    on_wait=bell.check,
                    clock=lambda: now().timestamp(),
                    progress=progress,
                )
                if once or write_snapshot is not None:
                    service.once(bell)
                if write_snapshot is not None:
                    digest = written_snapshot(opened, write_snapshot)
                    output.text(f"snapshot {write_snapshot}: SHA-256 {digest}")
                if not once:
                    service.run(bell)
        except Stopped:
            pass
        status = RecordIndex(opened, clock=now).status()
    output.accepted(
        f"{status.records} records and {status.batches} batches up to block {status.until}, {status.lag_blocks} behind"
    )
    output.document(True, documents.index_json(status, digest or None))


def _begin(database: IndexDatabase, rpc_url: str, registry: str | Deployment, file: Path, digest: str) -> None:
    """Fill a new index from a snapshot."""
    from provenance_oracle.oracle.chain.index_source import open_index_source
    from provenance_oracle.oracle.index.snapshot import read_snapshot

    wanted = hex_word(digest, "--snapshot-digest", "not a SHA-256", "64 hex digits")
    read_snapshot(database, open_index_source(rpc_url, registry), file, wanted.hex())


def _required(value: str | None, option: str) -> str:
    if not value:
        wanted = "--network NAME, or --rpc URL --registry ADDRESS|FILE"
        raise UsageError("no registry is named", where=option, got=f"no {option}", wanted=wanted)
    return value


@contextmanager
def _progress(output: Output) -> Iterator[Callable[[FollowedTo], None]]:
    """Show a progress bar over the blocks on standard error."""
    with progress_bar(output, "reading blocks", shows_count=True) as advance:

        def on_piece(done: FollowedTo) -> None:
            if advance is not None:
                advance(done.until - done.first + 1, done.head - done.first + 1)

        yield on_piece

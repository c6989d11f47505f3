"""`provenance demo`: one release from packing to a gate, on an embedded chain."""

from __future__ import annotations

from pathlib import Path

import click

from provenance_oracle.oracle import documents
from provenance_oracle.verifier.cli.console import Output, command_body
from provenance_oracle.verifier.cli.options import FILE
from provenance_oracle.verifier.errors import UsageError


@click.command()
@click.option("--model", type=FILE, help="A folder with a model, which is copied. Default: a tiny model is made.")
@click.option("--folder", type=FILE, default=Path(".demo"), show_default=True, help="Folder for all files of the demo.")
@click.option(
    "--keep-seconds", default=1800, show_default=True, type=click.IntRange(0, 86400), help="How long the chain runs on."
)
@click.option(
    "--keep", is_flag=True, help="End with a running explorer: a page that shows the records. It stops with the chain."
)
@click.option(
    "--quorum",
    metavar="ORACLES",
    type=click.IntRange(3, 7),
    help="Show this many oracles instead, of which more than half must agree; one lies and one is dead at first.",
)
@command_body(documents.DEMO)
def demo(_output: Output, model: Path | None, folder: Path, keep_seconds: int, keep: bool, quorum: int | None) -> None:
    """Record one release on an embedded chain and check it. Only the hardware is simulated.

    \b
    Examples:
      provenance demo
      provenance demo --model ./my-model --keep
      provenance demo --quorum 3
    """
    from provenance_oracle.oracle.demo.quorum import run_quorum_demo
    from provenance_oracle.oracle.demo.run import run_demo

    if keep and (quorum or not keep_seconds):
        got = "--quorum" if quorum else "--keep-seconds 0"
        raise UsageError("there would be no explorer", where="--keep", got=got, wanted="one of the two options")
    if quorum:
        run_quorum_demo(folder, model, keep_seconds, quorum)
    else:
        run_demo(folder, model, keep_seconds, with_explorer=keep)

"""`provenance audit`: compare the registry with the oracle's journal and verdicts, and repair the journal."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from provenance_oracle.oracle import documents
from provenance_oracle.oracle.cli.ledger_options import LedgerChoice, with_ledger
from provenance_oracle.verifier.cli.console import Output, command_body
from provenance_oracle.verifier.cli.options import now, output_options, progress_bar
from provenance_oracle.verifier.errors import UsageError

if TYPE_CHECKING:
    from provenance_oracle.oracle.audit.differences import Differences
    from provenance_oracle.oracle.chain.replay import EventPage
    from provenance_oracle.oracle.settings.settings import Settings


@click.command()
@with_ledger
@click.option(
    "--oracle",
    "oracles",
    multiple=True,
    metavar="ADDRESS",
    help="The account of a key with which this oracle signs or signed reports. Repeat it for each. Default: the key "
    "that the settings name.",
)
@click.option("--repair", is_flag=True, help="Have vanished records recorded again, and restore bytes of verdicts.")
@output_options
@command_body(documents.AUDIT)
def audit(output: Output, ledger: LedgerChoice, oracles: tuple[str, ...], repair: bool) -> None:
    """Compare the registry with the oracle's journal and verdicts.

    The command replays the registry's events. Every record and batch that this oracle signed must be in the journal
    with its verdict, every final release of the journal must be on chain, and every verdict must have its digest. The
    oracle may run. With --repair, the running oracle takes up what is put back, or the next `provenance watch`.

    \b
    Examples:
      provenance audit --settings oracle.yaml
      provenance audit --settings oracle.yaml --repair \\
        --oracle 0x5FbDB2315678afecb367f032d93F642f64180aa3
    """
    from provenance_oracle.oracle.assembly import audited_ledger
    from provenance_oracle.oracle.audit.repair import Repairer
    from provenance_oracle.oracle.audit.run import compare_books, open_books
    from provenance_oracle.oracle.journal.journal import open_journal
    from provenance_oracle.verifier.policy import load_policy
    from provenance_oracle.verifier.registry.node import parse_address

    settings = ledger.settings()
    named = oracles or (_own_address(settings),)
    keys = frozenset(parse_address(text, "--oracle") for text in named)
    with open_books(settings.journal, settings.evidence, audited_ledger(settings), clock=now) as books:
        with _progress(output) as progress:
            compare_books(books, keys, progress)
        if repair and books.differences.listed:
            with open_journal(settings.journal, settings.evidence, is_guest=True) as journal:
                Repairer(books, journal, load_policy(settings.policy), now).repair_all()
    _show(output, books.differences)
    output.answer(documents.audit_json(books.differences, keys), books.differences.refusal())


def _own_address(settings: Settings) -> str:
    """Return the account of the key that signs reports by the settings."""
    from provenance_oracle.oracle.assembly import reporting_address

    try:
        return reporting_address(settings, os.environ)
    except UsageError as error:
        problem, wanted = "the account of the oracle is not known", "--oracle ADDRESS, as `provenance key` prints it"
        raise UsageError(problem, where="--oracle", got=str(error), wanted=wanted) from error


def _show(output: Output, found: Differences) -> None:
    read = ", ".join(f"{found.read[name]} {name}" for name in ("records", "batches", "rows", "verdicts"))
    if not found.listed:
        output.accepted(f"journal and chain agree; {read} compared")
        return
    output.text(f"{read} compared")
    for one in found.listed:
        output.text(f"{one.kind}  {one.subject}: got {one.got}, wanted {one.wanted}")
        output.text(f"  {'repaired: ' + one.repair if one.repair else 'next: ' + one.step}")
    if found.unlisted:
        output.text(f"and {found.unlisted} more, which are not listed")


@contextmanager
def _progress(output: Output) -> Iterator[Callable[[EventPage], None]]:
    """Show a progress bar over the blocks on standard error."""
    with progress_bar(output, "reading blocks", shows_count=True) as advance:

        def on_page(page: EventPage) -> None:
            if advance is not None:
                advance(page.last - page.first + 1, page.head - page.first + 1)

        yield on_page

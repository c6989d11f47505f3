"""Compare everything once: the chain with the journal, the journal with the chain, the verdicts with their digests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from provenance_oracle.oracle.audit.chain_side import ChainSide
from provenance_oracle.oracle.audit.differences import Differences
from provenance_oracle.oracle.audit.journal_side import JournalSide
from provenance_oracle.oracle.audit.kept_verdicts import KeptVerdicts
from provenance_oracle.oracle.chain.ledger import LedgerOptions, contract_address, open_endpoints
from provenance_oracle.oracle.chain.replay import EventPage, Replay
from provenance_oracle.oracle.journal.pages import JournalPages
from provenance_oracle.oracle.journal.questions import asking
from provenance_oracle.oracle.journal.stores import evidence_folder
from provenance_oracle.verifier.errors import UsageError


@dataclass(frozen=True)
class Books:
    """The chain and the journal that are compared, open."""

    replay: Replay
    pages: JournalPages
    verdicts: KeptVerdicts
    differences: Differences


@contextmanager
def open_books(
    place: str, evidence: Path | None, ledger: LedgerOptions, *, clock: Callable[[], datetime]
) -> Iterator[Books]:
    """Open the journal for reading and the endpoints, and compare the chain with the one that the journal keeps.

    Args:
        place: path or URL of the journal. evidence: its folder of evidence, as for `Journal`.

    Raises:
        UsageError: there is no such journal, or it belongs to another chain or registry.
        TemporaryError: the journal or no endpoint can be read now.
    """
    with asking(place) as ask:
        pages, differences = JournalPages(ask), Differences()
        folder = evidence_folder(place, evidence)
        endpoints, finality, _ = open_endpoints(ledger, pages.pins, clock=clock)
        with closing(Replay(endpoints, finality, contract_address(ledger.registry_address))) as replay:
            yield Books(replay, pages, KeptVerdicts(pages, folder, differences), differences)


def compare_books(books: Books, keys: frozenset[bytes], progress: Callable[[EventPage], object]) -> None:
    """Compare chain, journal and verdicts, and note every difference.

    The journal is read after the chain, so a record that the oracle writes meanwhile makes no difference.

    Args:
        keys: the addresses of our oracle's keys that sign reports, 20 bytes each.
        progress: called after each page of events.

    Raises:
        UsageError: none of the keys is or was an oracle of the registry.
        TemporaryError: a node or the journal fails, or the nodes disagree.
    """
    places = books.replay.places_of(keys)
    if not places:
        raise UsageError(
            "the key is not and was not an oracle of this registry",
            where="--oracle",
            got=", ".join(f"0x{key.hex()}" for key in sorted(keys)),
            wanted="the account of the key that signs reports, as `provenance key` prints it",
        )
    chain = ChainSide(books.replay, books.pages, books.verdicts, places, books.differences)
    chain.compare(progress)
    JournalSide(books.replay, books.pages, books.differences, lambda: chain.compare(progress)).compare()
    books.verdicts.compare()

"""The options by which a command finds a journal and the chain that it belongs to."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from provenance_oracle.oracle.cli.journal_options import JournalPlace, add_journal_options, journal_place
from provenance_oracle.verifier.cli.chain_options import ChainOptions, with_chain

if TYPE_CHECKING:
    from provenance_oracle.oracle.settings.settings import Settings


@dataclass(frozen=True)
class LedgerChoice:
    """The values of the options. Nothing is read before a method is called."""

    journal: str | None
    evidence: Path | None
    file: Path | None
    chain: ChainOptions

    def place(self) -> JournalPlace:
        """Return the place of the journal. Raises UsageError if none is named."""
        return journal_place(self.journal, self.evidence, self.file)

    def settings(self) -> Settings:
        """Return the settings of the oracle, with the chain and the journal that the options name.

        Raises:
            UsageError: journal, node or registry is not named, or the file is wrong.
        """
        from provenance_oracle.oracle.settings.load import load_settings

        place, chain = self.place(), self.chain.place(use_default=self.file is None)
        options: dict[str, object] = {
            "journal": place.journal,
            "evidence": place.evidence,
            "rpc_urls": [chain.rpc_url] if chain.rpc_url else None,
            "registry": chain.registry,
        }
        if self.file is None:
            options["sources"] = ["."]  # none is opened
        return load_settings(self.file, os.environ, options)


def with_ledger(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options of a journal and those of a chain to a command, which gets them as `ledger`."""

    @functools.wraps(command)
    def run(
        *args: Any,
        journal: str | None,
        evidence: Path | None,
        settings_file: Path | None,
        chain: ChainOptions,
        **kwargs: Any,
    ) -> None:
        command(*args, ledger=LedgerChoice(journal, evidence, settings_file, chain), **kwargs)

    return add_journal_options(with_chain()(run))

"""The options by which a command finds the oracle's journal: --journal, or the settings of the oracle."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from provenance_oracle.verifier.cli.completion import complete_files
from provenance_oracle.verifier.cli.options import FILE
from provenance_oracle.verifier.errors import UsageError


@dataclass(frozen=True)
class JournalPlace:
    """Path or URL of a journal, and its folder of evidence; None for the default."""

    journal: str
    evidence: Path | None


def with_journal(command: Callable[..., None]) -> Callable[..., None]:
    """Add --journal, --evidence and --settings to a command.

    The command gets them as `place`: a function of no arguments that returns what they name.
    """

    @functools.wraps(command)
    def run(*args: Any, journal: str | None, evidence: Path | None, settings_file: Path | None, **kwargs: Any) -> None:
        command(*args, place=functools.partial(journal_place, journal, evidence, settings_file), **kwargs)

    return add_journal_options(run)


def add_journal_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add --journal, --evidence and --settings to a command, which gets their values."""
    for option in (_SETTINGS, _EVIDENCE, _JOURNAL):
        option(command)
    return command


_JOURNAL = click.option(
    "--journal",
    metavar="FILE|URL",
    envvar="PROVENANCE_JOURNAL",
    shell_complete=complete_files,
    help="The oracle's journal: a file, or a postgresql:// URL (password in PGPASSWORD or ~/.pgpass).",
)
_EVIDENCE = click.option(
    "--evidence",
    type=FILE,
    envvar="PROVENANCE_EVIDENCE",
    help="The folder with verdicts and evidence. Default: `verdicts` beside the journal, or the database.",
)
_SETTINGS = click.option(
    "--settings", "settings_file", type=FILE, help="The oracle's settings, which name its journal. --journal wins."
)


def journal_place(journal: str | None, evidence: Path | None, settings_file: Path | None) -> JournalPlace:
    """Return the journal that the values of the options name. Raises UsageError if they name none."""
    if journal:
        return JournalPlace(journal, evidence)
    if settings_file is None:
        raise UsageError("no journal is named", where="--journal", got="nothing", wanted="--journal or --settings")
    from provenance_oracle.oracle.settings.load import load_settings

    settings = load_settings(settings_file, os.environ, {})
    return JournalPlace(settings.journal, evidence or settings.evidence)

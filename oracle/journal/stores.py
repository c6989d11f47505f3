"""Open the database that a setting names: a file of SQLite, or a PostgreSQL database by its URL."""

from __future__ import annotations

from pathlib import Path

from provenance_oracle.oracle.journal.evidence import FOLDER_NAME, EvidenceStore, FolderEvidence, TableEvidence
from provenance_oracle.oracle.journal.migrations import POSTGRES_UPGRADES, UPGRADES
from provenance_oracle.oracle.journal.schema import SCHEMA, VERSION
from provenance_oracle.oracle.journal.sqlite import Database
from provenance_oracle.oracle.journal.store import JournalStore

_URLS = ("postgresql://", "postgres://")


def is_url(place: str | Path) -> bool:
    """Return whether a journal is in PostgreSQL."""
    return str(place).startswith(_URLS)


def open_store(place: str | Path, *, is_guest: bool = False) -> JournalStore:
    """Open a journal's database, make it if it is new, and carry it over to the present version.

    Args:
        place: the path of a file, or a URL `postgresql://...`.
        is_guest: work beside the process that holds the file; see `sqlite.Database`. Any number of processes may use a
            PostgreSQL database.
    """
    if is_url(place):
        from provenance_oracle.oracle.journal.postgres import PostgresDatabase

        return PostgresDatabase(str(place), SCHEMA, VERSION, POSTGRES_UPGRADES)
    return Database(Path(place), SCHEMA, VERSION, UPGRADES, is_guest=is_guest)


def evidence_folder(place: str | Path, folder: Path | None) -> Path | None:
    """Return the folder with a journal's verdicts: `folder`, or `verdicts` beside a file; None if they are in tables.

    Args:
        place: path or URL of the journal.
    """
    if folder is not None or is_url(place):
        return folder
    return Path(place).absolute().parent / FOLDER_NAME


def open_evidence(
    place: str | Path, folder: Path | None, database: JournalStore, *, is_guest: bool = False
) -> EvidenceStore:
    """Return the place for verdicts and evidence: a folder, or a table of PostgreSQL if `folder` is None.

    A guest leaves the files that wait for the disk to the process that wrote them.
    """
    found = evidence_folder(place, folder)
    if found is None:
        return TableEvidence(database)
    store = FolderEvidence(found, database)
    if not is_guest:
        store.settle_all()
    return store

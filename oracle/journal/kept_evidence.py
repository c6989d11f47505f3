"""Find a verdict and its evidence by digest: in the folder of evidence, or in a journal that an oracle may be using."""

from __future__ import annotations

import hashlib
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from provenance_oracle.oracle.journal.evidence import evidence_in, verdict_in
from provenance_oracle.oracle.journal.migrations import UPGRADES
from provenance_oracle.oracle.journal.reader import open_read_only
from provenance_oracle.oracle.journal.schema import VERSION
from provenance_oracle.oracle.journal.stores import evidence_folder, is_url, open_store


@dataclass(frozen=True)
class KeptVerdict:
    """A verdict's bytes, and the tar archive of the evidence behind it; None if none was kept."""

    statement: bytes
    archive: bytes | None


def find_verdict(digest: bytes, place: str, evidence: Path | None) -> KeptVerdict | None:
    """Return the verdict with this digest (32 bytes); None if it is in neither place. Its bytes have the digest.

    Args:
        place: path or URL of the journal. A file need not be there any more. evidence: as for `Journal`.

    Raises:
        UsageError: the journal is not one. TemporaryError: it cannot be read now.
    """
    folder = None if is_url(place) and evidence is None else evidence_folder(place, evidence)
    statement, archive = None, None
    if folder is not None:
        statement, archive = verdict_in(folder, digest), evidence_in(folder, digest)
    if statement is None or archive is None:
        kept = _in_journal(digest, place)
        statement, archive = statement or kept[0], archive or kept[1] or None
    if statement is None or hashlib.sha256(statement).digest() != digest:
        return None
    return KeptVerdict(statement, archive)


def _in_journal(digest: bytes, place: str) -> tuple[bytes | None, bytes | None]:
    queries = [
        "SELECT statement AS data FROM verdicts WHERE digest = ?",
        "SELECT archive AS data FROM evidence WHERE digest = ?",
    ]
    if is_url(place):
        with closing(open_store(place)) as store:
            found = [store.rows(sql, (digest,)) for sql in queries]
    elif Path(place).is_file():
        with open_read_only(Path(place), (*UPGRADES, VERSION)) as db:
            (version,) = db.execute("PRAGMA user_version").fetchone()
            found = [db.execute(sql, (digest,)).fetchall() for sql in queries[: 2 if version == VERSION else 1]]
    else:
        found = []
    statement, archive, *_ = [*(bytes(rows[0]["data"]) if rows else None for rows in found), None, None]
    return statement, archive

"""Find what is kept of a verdict by digest: in the folder of evidence, or in a journal that an oracle may be using."""

from __future__ import annotations

import base64
import hashlib
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

from provenance_oracle.oracle.journal.evidence import envelope_in, evidence_in, verdict_in
from provenance_oracle.oracle.journal.migrations import UPGRADES
from provenance_oracle.oracle.journal.reader import open_read_only
from provenance_oracle.oracle.journal.schema import EVIDENCE_VERSION, SIGNATURES_VERSION, VERSION
from provenance_oracle.oracle.journal.store import Ask
from provenance_oracle.oracle.journal.stores import evidence_folder, is_url, open_store
from provenance_oracle.oracle.journal.verdict_signatures import SIGNATURES_OF, signers_of
from provenance_oracle.verifier.registry.signed_verdict import envelope_of


@dataclass(frozen=True)
class KeptVerdict:
    """A verdict's bytes, the tar archive of the evidence behind it, and its signed envelope; None for what is not kept.

    Nobody verified the signatures.
    """

    statement: bytes
    archive: bytes | None
    envelope: bytes | None = None


def find_verdict(digest: bytes, place: str, evidence: Path | None) -> KeptVerdict | None:
    """Return the verdict with this digest (32 bytes); None if it is in neither place. Its bytes have the digest.

    Args:
        place: path or URL of the journal. A file need not be there any more. evidence: as for `Journal`.

    Raises:
        UsageError: the journal is not one. TemporaryError: it cannot be read now.
    """
    folder = evidence_folder(place, evidence)
    kept = _Parts()
    if folder is not None:
        kept = _Parts(verdict_in(folder, digest), evidence_in(folder, digest), envelope_in(folder, digest))
    if kept.envelope is not None and not _is_around(kept.envelope, kept.statement):
        kept = replace(kept, envelope=None)  # a power loss may have emptied it
    if None in (kept.statement, kept.archive, kept.envelope):
        stored = _in_journal(digest, place)
        statement = kept.statement or stored.statement
        kept = _Parts(statement, kept.archive or stored.archive or None, kept.envelope or stored.envelope)
    if kept.statement is None or hashlib.sha256(kept.statement).digest() != digest:
        return None
    return KeptVerdict(kept.statement, kept.archive, kept.envelope)


@dataclass(frozen=True)
class _Parts:
    """What one place has of a verdict."""

    statement: bytes | None = None
    archive: bytes | None = None
    envelope: bytes | None = None


def _is_around(envelope: bytes, statement: bytes | None) -> bool:
    return base64.b64encode(statement or b"") in envelope


def _in_journal(digest: bytes, place: str) -> _Parts:
    if is_url(place):
        with closing(open_store(place)) as store:
            return _asked(store.rows, digest, VERSION)
    if Path(place).is_file():
        with open_read_only(Path(place), (*UPGRADES, VERSION)) as db:
            (version,) = db.execute("PRAGMA user_version").fetchone()
            return _asked(lambda sql, values: db.execute(sql, values).fetchall(), digest, version)
    return _Parts()


def _asked(ask: Ask, digest: bytes, version: int) -> _Parts:
    """Return what a journal of a version has of a verdict."""
    verdicts = ask("SELECT statement FROM verdicts WHERE digest = ?", (digest,))
    archives, signatures = [], []
    if version >= EVIDENCE_VERSION:
        archives = list(ask("SELECT archive FROM evidence WHERE digest = ?", (digest,)))
    if version >= SIGNATURES_VERSION:
        signatures = signers_of(ask(SIGNATURES_OF, (digest,)))
    statement = bytes(verdicts[0]["statement"]) if verdicts else None
    return _Parts(
        statement,
        bytes(archives[0]["archive"]) if archives else None,
        envelope_of(statement, signatures) if statement is not None and signatures else None,
    )

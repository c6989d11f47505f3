"""Verdicts and the evidence behind them, kept by digest, apart from the journal of a file: they outlive its loss.

    verdicts/ab/abcd....json            the verdict; its SHA-256 is its name, and stands in the record on chain
    verdicts/ab/abcd....evidence.tar    the files of the release's `provenance/` that were judged, for a PASSED verdict

A file is on disk, under its name, before the journal commits the row that names it. A journal in PostgreSQL has the
evidence in a table, under the same commit. The evidence of refused releases is not kept, so they fill no disk.
"""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol

from provenance_oracle.oracle.journal.new_file import sync
from provenance_oracle.oracle.journal.store import JournalStore, Session
from provenance_oracle.verifier.judgement.release import KEY_PATH, Release
from provenance_oracle.verifier.manifest.dsse import MANIFEST_PATH

FOLDER_NAME = "verdicts"
_VERDICT, _EVIDENCE, _NEW = ".json", ".evidence.tar", ".new"


class EvidenceStore(Protocol):
    """A place for verdicts and evidence. Digests have 32 bytes.

    Raises (every method):
        OSError, or the journal's own failures: it cannot be read or written.
    """

    def keep(self, db: Session, digest: bytes, statement: bytes, evidence: bytes | None) -> None:
        """Keep a verdict and the archive of its evidence, durably once the transaction `db` is committed."""

    def verdict(self, digest: bytes) -> bytes | None:
        """Return the bytes of a verdict; None if it is not here, or its bytes do not have this digest."""

    def evidence(self, digest: bytes) -> bytes | None:
        """Return the tar archive of the evidence behind a verdict; None if there is none."""


class FolderEvidence:
    """A folder of files. It is made when the first verdict comes.

    Args:
        before_commit: has a step called right before the commit of the transaction that this thread is in.
    """

    def __init__(self, folder: Path, before_commit: Callable[[Callable[[], object]], None]) -> None:
        self._folder = folder
        self._before_commit = before_commit
        self._pending: list[Path] = []

    def keep(self, db: Session, digest: bytes, statement: bytes, evidence: bytes | None) -> None:
        """Write the files beside their names; the commit makes them durable and gives them their names."""
        for suffix, data in ((_VERDICT, statement), (_EVIDENCE, evidence)):
            path = _path(self._folder, digest, suffix)
            if data is None or path.exists():
                continue
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            path.parent.mkdir(mode=0o700, exist_ok=True)
            flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
            with os.fdopen(os.open(f"{path}{_NEW}", flags, 0o600), "wb") as file:
                file.write(data)
            self._pending.append(path)
        if self._pending:
            self._before_commit(self._flush)

    def verdict(self, digest: bytes) -> bytes | None:
        return verdict_in(self._folder, digest)

    def evidence(self, digest: bytes) -> bytes | None:
        return evidence_in(self._folder, digest)

    def _flush(self) -> None:
        pending, self._pending = self._pending, []
        for path in pending:
            new = Path(f"{path}{_NEW}")
            sync(new)
            new.replace(path)
        for folder in {path.parent for path in pending} | {path.parent.parent for path in pending}:
            sync(folder)


class TableEvidence:
    """The journal's own tables."""

    def __init__(self, database: JournalStore) -> None:
        self._database = database

    def keep(self, db: Session, digest: bytes, statement: bytes, evidence: bytes | None) -> None:
        """Store the archive; the journal stores the verdict itself."""
        if evidence is not None:
            db.execute("INSERT INTO evidence VALUES (?, ?) ON CONFLICT DO NOTHING", (digest, evidence))

    def verdict(self, digest: bytes) -> bytes | None:
        found = self._database.rows("SELECT statement FROM verdicts WHERE digest = ?", (digest,))
        return _matching(bytes(found[0]["statement"]), digest) if found else None

    def evidence(self, digest: bytes) -> bytes | None:
        found = self._database.rows("SELECT archive FROM evidence WHERE digest = ?", (digest,))
        return bytes(found[0]["archive"]) if found else None


def verdict_in(folder: Path, digest: bytes) -> bytes | None:
    """Return the bytes of a verdict in a folder; None if it is not there, or its bytes do not have this digest."""
    try:
        return _matching(_path(folder, digest, _VERDICT).read_bytes(), digest)
    except (FileNotFoundError, NotADirectoryError):
        return None


def evidence_in(folder: Path, digest: bytes) -> bytes | None:
    """Return the archive of evidence of a verdict in a folder; None if there is none."""
    try:
        return _path(folder, digest, _EVIDENCE).read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None


def archive(release: Release) -> bytes:
    """Return the files of a release's `provenance/` that were judged as a tar archive: the same for the same bytes."""
    evidence = release.evidence
    files: Mapping[str, bytes | None] = {
        MANIFEST_PATH: release.envelope,
        KEY_PATH: release.key,
        evidence.report_name: evidence.report,
        evidence.vek_name: evidence.vek,
        evidence.chain_name: evidence.chain,
        evidence.crl_name: evidence.crl if evidence.crl is not None else release.own_crl,
    }
    return tar_of({name: data for name, data in files.items() if data is not None})


def tar_of(files: Mapping[str, bytes]) -> bytes:
    """Return a tar archive of files by name, without times and owners."""
    import tarfile

    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name in sorted(files):
            entry = tarfile.TarInfo(name)
            entry.size = len(files[name])
            tar.addfile(entry, io.BytesIO(files[name]))
    return stream.getvalue()


def _matching(statement: bytes, digest: bytes) -> bytes | None:
    return statement if hashlib.sha256(statement).digest() == digest else None


def _path(folder: Path, digest: bytes, suffix: str) -> Path:
    name = digest.hex()
    return folder / name[:2] / f"{name}{suffix}"

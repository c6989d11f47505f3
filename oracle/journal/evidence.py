"""Verdicts and the evidence behind them, kept by digest, apart from the journal of a file: they outlive its loss.

    verdicts/ab/abcd....json            the verdict; its SHA-256 is its name, and stands in the record on chain
    verdicts/ab/abcd....dsse.json       the same verdict in an envelope that the oracle's key signed
    verdicts/ab/abcd....evidence.tar    for a PASSED verdict: the files of the release's `provenance/`, a revocation
                                        list that was fetched, and the policy (`policy.yaml`)

A file is there, under its name, before the journal commits the row that names it, so a kill or the loss of the journal
loses no verdict. Waiting for the disk after each file would cost more than the judgement. So the journal's table
`evidence` has the archive too, under the same durable commit, until many files together are on disk (`settle`): a power
loss loses nothing either. A journal in PostgreSQL has the evidence in that table for good.

The evidence of refused releases is not kept, so they fill no disk.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import threading
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from provenance_oracle.oracle.journal.new_file import sync
from provenance_oracle.oracle.journal.store import Found, JournalStore, Session
from provenance_oracle.verifier.judgement.kept_evidence import (
    ENVELOPE_SUFFIX,
    EVIDENCE_SUFFIX,
    POLICY_NAME,
    VERDICT_SUFFIX,
    kept_name,
)
from provenance_oracle.verifier.judgement.release import Release
from provenance_oracle.verifier.judgement.signed_release import SignedRelease
from provenance_oracle.verifier.policy import Policy
from provenance_oracle.verifier.strict.tar import tar_of

FOLDER_NAME = "verdicts"
_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_NAME = re.compile(r"([0-9a-f]{64})\.json")
_SETTLED_AT_ONCE = 256
_SYNCS_AT_ONCE = 8
_STAGED = "SELECT v.digest, statement, archive FROM evidence AS e JOIN verdicts AS v ON v.digest = e.digest LIMIT ?"


class EvidenceStore(Protocol):
    """A place for verdicts and evidence. Digests have 32 bytes.

    Raises (every method):
        OSError, or the journal's own failures: it cannot be read or written.
    """

    def keep(self, db: Session, digest: bytes, statement: bytes, archived: bytes | None) -> None:
        """Keep a verdict and the archive of its evidence, durably once the transaction `db` is committed."""

    def verdict(self, digest: bytes) -> bytes | None:
        """Return the bytes of a verdict; None if it is not here, or its bytes do not have this digest."""

    def evidence(self, digest: bytes) -> bytes | None:
        """Return the tar archive of the evidence behind a verdict; None if there is none."""

    def keep_envelopes(self, envelopes: Mapping[bytes, bytes]) -> None:
        """Keep the envelopes of verdicts, by digest, durably and in place of earlier ones."""

    def settle(self, *, least: int = 1) -> None:
        """Free the journal from what is in files by now, if `least` verdicts wait for it."""


class FolderEvidence:
    """A folder of files. It is made when the first verdict comes. Threads may share it."""

    def __init__(self, folder: Path, database: JournalStore) -> None:
        self._folder = folder
        self._database = database
        self._settling = threading.Lock()
        self._waiting = 0

    def keep(self, db: Session, digest: bytes, statement: bytes, archived: bytes | None) -> None:
        """Write the files, and store the archive in the journal until `settle`."""
        self._write(digest, statement, archived)
        db.execute("INSERT INTO evidence VALUES (?, ?) ON CONFLICT DO NOTHING", (digest, archived or b""))
        self._waiting += 1

    def verdict(self, digest: bytes) -> bytes | None:
        return verdict_in(self._folder, digest)

    def evidence(self, digest: bytes) -> bytes | None:
        return TableEvidence(self._database).evidence(digest) or evidence_in(self._folder, digest)

    def keep_envelopes(self, envelopes: Mapping[bytes, bytes]) -> None:
        """Write the files, and wait until they are on disk."""
        self._sync([self._put(digest, ENVELOPE_SUFFIX, data) for digest, data in envelopes.items()])

    def settle(self, *, least: int = 1) -> None:
        """Wait until the files of all verdicts in the table are on disk, and empty the table.

        A file that is missing or damaged is written again, so this also unpacks what a restored backup has.
        """
        if self._waiting < least or not self._settling.acquire(blocking=False):
            return
        try:
            while found := self._database.rows(_STAGED, (_SETTLED_AT_ONCE,)):
                self._settle_rows(found)
            self._waiting = 0
        finally:
            self._settling.release()

    def settle_all(self) -> None:
        """Settle what an earlier process left."""
        self._waiting = 1
        self.settle()

    def _settle_rows(self, found: Sequence[Found]) -> None:
        paths: list[Path] = []
        for one in found:
            paths += self._write(one["digest"], one["statement"], one["archive"] or None, is_checked=True)
        self._sync(paths)
        with self._database.transaction() as db:
            for one in found:
                db.execute("DELETE FROM evidence WHERE digest = ?", (one["digest"],))

    def _write(
        self, digest: bytes, statement: bytes, archived: bytes | None, *, is_checked: bool = False
    ) -> list[Path]:
        """Write the files of a verdict that are missing, each whole under its name, and return the paths of all.

        Args:
            is_checked: compare files that are there, because a power loss may have emptied them.
        """
        paths = []
        for suffix, data in ((VERDICT_SUFFIX, statement), (EVIDENCE_SUFFIX, archived)):
            if data is None:
                continue
            path = _path(self._folder, digest, suffix)
            paths.append(path)
            if path.exists() and not (is_checked and path.read_bytes() != data):
                continue
            self._put(digest, suffix, data)
        return paths

    def _put(self, digest: bytes, suffix: str, data: bytes) -> Path:
        """Write a file whole under its name, in place of an earlier one, and return its path."""
        path = _path(self._folder, digest, suffix)
        new = f"{path}.{secrets.token_hex(4)}.new"
        try:
            descriptor = os.open(new, _NEW_FILE, 0o600)
        except FileNotFoundError:  # the first file of its folder
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            path.parent.mkdir(mode=0o700, exist_ok=True)
            descriptor = os.open(new, _NEW_FILE, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
        os.replace(new, path)  # noqa: PTH105 (a `Path` of `new` takes longer than the rename)
        return path

    def _sync(self, paths: Sequence[Path]) -> None:
        folders = {path.parent for path in paths} | {self._folder}
        with ThreadPoolExecutor(_SYNCS_AT_ONCE) as pool:  # a file system writes what several threads wait for at once
            list(pool.map(sync, paths))
            list(pool.map(sync, folders))


class TableEvidence:
    """The journal's own tables."""

    def __init__(self, database: JournalStore) -> None:
        self._database = database

    def keep(self, db: Session, digest: bytes, statement: bytes, archived: bytes | None) -> None:
        """Store the archive; the journal stores the verdict itself."""
        if archived is not None:
            db.execute("INSERT INTO evidence VALUES (?, ?) ON CONFLICT DO NOTHING", (digest, archived))

    def verdict(self, digest: bytes) -> bytes | None:
        found = self._database.rows("SELECT statement FROM verdicts WHERE digest = ?", (digest,))
        return _matching(bytes(found[0]["statement"]), digest) if found else None

    def evidence(self, digest: bytes) -> bytes | None:
        found = self._database.rows("SELECT archive FROM evidence WHERE digest = ?", (digest,))
        return bytes(found[0]["archive"]) or None if found else None

    def keep_envelopes(self, envelopes: Mapping[bytes, bytes]) -> None:
        """Do nothing: the journal stores the signatures themselves."""

    def settle(self, *, least: int = 1) -> None:
        """Do nothing: the table is the place."""


def verdict_in(folder: Path, digest: bytes) -> bytes | None:
    """Return the bytes of a verdict in a folder; None if it is not there, or its bytes do not have this digest."""
    return _matching(stored_in(folder, digest) or b"", digest)


def stored_in(folder: Path, digest: bytes) -> bytes | None:
    """Return the bytes in a folder under the name of a verdict, whatever their digest; None if there are none."""
    return _read(_path(folder, digest, VERDICT_SUFFIX))


def digests_in(folder: Path) -> Iterator[bytes]:
    """Yield the digests that the verdicts of a folder have by their names."""
    for part in range(256):
        with suppress(FileNotFoundError, NotADirectoryError):
            names = os.listdir(folder / f"{part:02x}")  # noqa: PTH208 (the folder is our own)
            for name in sorted(names):
                found = _NAME.fullmatch(name)
                if found and name.startswith(f"{part:02x}"):
                    yield bytes.fromhex(found[1])


def evidence_in(folder: Path, digest: bytes) -> bytes | None:
    """Return the archive of evidence of a verdict in a folder; None if there is none."""
    return _read(_path(folder, digest, EVIDENCE_SUFFIX))


def envelope_in(folder: Path, digest: bytes) -> bytes | None:
    """Return the signed envelope of a verdict in a folder, unverified; None if there is none."""
    return _read(_path(folder, digest, ENVELOPE_SUFFIX))


def archive(release: Release | SignedRelease, policy: Policy) -> bytes:
    """Return the evidence of a judgement as a tar archive, the same for the same bytes.

    Args:
        release: the one that was judged, with the revocation list that was.
        policy: the one that judged it.
    """
    return tar_of({**release.provenance, POLICY_NAME: policy.page})


def _matching(statement: bytes, digest: bytes) -> bytes | None:
    return statement if hashlib.sha256(statement).digest() == digest else None


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None


def _path(folder: Path, digest: bytes, suffix: str) -> Path:
    return folder / kept_name(digest, suffix)

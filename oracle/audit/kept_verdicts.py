"""The verdicts and the evidence that an oracle keeps: in its journal, and by digest in a folder."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from provenance_oracle.oracle.audit.differences import Difference, DifferenceKind, Differences
from provenance_oracle.oracle.journal.evidence import digests_in, evidence_in, stored_in, verdict_in
from provenance_oracle.oracle.journal.pages import JournalPages
from provenance_oracle.verifier.errors import FormatError, ProvenanceError
from provenance_oracle.verifier.manifest.dsse import MANIFEST_PATH, parse_envelope
from provenance_oracle.verifier.strict.tar import files_of_tar

_LOOKED_UP = 500


class KeptVerdicts:
    """Looks verdicts up in both places, and compares both.

    Args:
        folder: the folder with the files; None if the journal has everything.
    """

    def __init__(self, pages: JournalPages, folder: Path | None, differences: Differences) -> None:
        self._pages = pages
        self._folder = folder
        self._differences = differences
        self._prepared: dict[bytes, bytes] = {}

    def prepare(self, digests: Sequence[bytes]) -> None:
        """Read together the verdicts for which `has` will be called."""
        self._prepared = self._pages.statements(digests)

    def has(self, digest: bytes) -> bool:
        """Return whether the bytes of a prepared verdict are kept, with this digest."""
        return self.in_journal(digest) is not None or self.in_folder(digest) is not None

    def in_journal(self, digest: bytes) -> bytes | None:
        """Return the bytes of a prepared verdict in the journal; None if they are not there or have another digest."""
        found = self._prepared.get(digest)
        return found if _is_of(digest, found) else None

    def row_of(self, digest: bytes) -> int | None:
        """Return the id of the row of a verdict in the journal; None if the journal has no such verdict."""
        return self._pages.row_of_verdict(digest)

    def in_folder(self, digest: bytes) -> bytes | None:
        """Return the bytes of a verdict in the folder; None if they are not there or have another digest."""
        return verdict_in(self._folder, digest) if self._folder else None

    def archive(self, digest: bytes) -> bytes | None:
        """Return the archive of the evidence behind a verdict; None if none is kept."""
        return self._pages.archive(digest) or (evidence_in(self._folder, digest) if self._folder else None)

    def compare(self) -> None:
        """Compare each verdict with its digest, with its file, and its evidence with the release.

        Raises:
            TemporaryError: the journal or the folder cannot be read now.
        """
        for page in self._pages.verdicts():
            for digest, statement, content in page:
                self._verdict(digest, statement)
                self._evidence(digest, content)
            self._differences.read["verdicts"] += len(page)
        if self._folder:
            self._orphans(self._folder)

    def _verdict(self, digest: bytes, statement: bytes) -> None:
        if not _is_of(digest, statement):
            self._add(DifferenceKind.ALTERED_VERDICT, digest, f"the journal's bytes have {_digest_of(statement)}")
        if self._folder is None:
            return
        stored = stored_in(self._folder, digest)
        if stored is None:
            self._add(DifferenceKind.MISSING_FILE, digest, "no file of the verdict in the folder of evidence")
        elif not _is_of(digest, stored):
            self._add(DifferenceKind.ALTERED_VERDICT, digest, f"the file's bytes have {_digest_of(stored)}")

    def _evidence(self, digest: bytes, content: bytes) -> None:
        """Compare the manifest in the evidence with that of the release. Its other files are named in the verdict."""
        archive = self.archive(digest)
        if archive is None:
            return
        try:
            envelope = files_of_tar(archive).get(MANIFEST_PATH, b"")
            found = hashlib.sha256(parse_envelope(envelope).payload).digest()
        except (FormatError, ProvenanceError):
            found = b""
        if found != content:
            got = f"evidence with manifest {found.hex()}" if found else "evidence without a manifest"
            self._add(DifferenceKind.ALTERED_EVIDENCE, digest, got, f"manifest {content.hex()}")

    def _orphans(self, folder: Path) -> None:
        """Compare the files of verdicts that the journal does not have, from an earlier journal."""
        waiting: list[bytes] = []
        for digest in digests_in(folder):
            waiting.append(digest)
            if len(waiting) == _LOOKED_UP:
                self._unknown(folder, waiting)
                waiting = []
        self._unknown(folder, waiting)

    def _unknown(self, folder: Path, digests: Sequence[bytes]) -> None:
        known = self._pages.statements(digests)
        for digest in (one for one in digests if one not in known):
            stored = stored_in(folder, digest)
            if stored is not None and not _is_of(digest, stored):
                self._add(DifferenceKind.ALTERED_VERDICT, digest, f"the file's bytes have {_digest_of(stored)}")
            self._differences.read["verdicts"] += 1

    def _add(self, kind: DifferenceKind, digest: bytes, got: str, wanted: str = "") -> None:
        subject = f"verdict {digest.hex()}"
        self._differences.add(Difference(kind, subject, got, wanted or "the bytes with this digest", digest))


def _is_of(digest: bytes, data: bytes | None) -> bool:
    return data is not None and hashlib.sha256(data).digest() == digest


def _digest_of(data: bytes) -> str:
    return f"digest {hashlib.sha256(data).hexdigest()}"

"""What an oracle keeps of its judgements, by digest: verdicts, the evidence behind them, and the records of batches."""

from __future__ import annotations

import hashlib
from pathlib import Path
from urllib.parse import quote

from provenance_oracle.oracle.index.record_reader import RecordIndex
from provenance_oracle.oracle.journal.kept_batches import find_leaves
from provenance_oracle.oracle.journal.kept_evidence import KeptVerdict, find_verdict
from provenance_oracle.oracle.web.api.asking import reading_index, reading_journal
from provenance_oracle.oracle.web.api.schemas import API_EVIDENCE
from provenance_oracle.oracle.web.api.table import Body, json_body
from provenance_oracle.verifier.errors import RecordError
from provenance_oracle.verifier.judgement.evidence_place import ARCHIVE_MAX_BYTES
from provenance_oracle.verifier.record.leaves import Leaves, leaves_of
from provenance_oracle.verifier.record.proof_file import PROOF_SCHEMA, proof_json
from provenance_oracle.verifier.strict.tar import files_of_tar

# A browser that opens the address shows nothing and runs nothing: the bytes are a stranger's.
_AS_FILE = {"X-Content-Type-Options": "nosniff", "Content-Security-Policy": "default-src 'none'; sandbox"}


class KeptThings:
    """Answers from the journal of an oracle and its folder of evidence. Threads may share it.

    Args:
        journal: path or URL of the journal; "" if there is none here.
        evidence: folder of evidence; None for the default.
        index: names the verdicts of a manifest, and has the records of batches that other oracles recorded.
    """

    def __init__(self, journal: str, evidence: Path | None, index: RecordIndex) -> None:
        self._journal = journal
        self._evidence = evidence
        self._index = index

    def verdict(self, sha256: bytes) -> Body:
        """Return the bytes of a verdict as the oracle signed them. Raises RecordError if it is not kept here."""
        kept = self._find(sha256)
        if kept is None:
            raise _absent("verdict", sha256)
        return Body(kept.statement, is_immutable=True)

    def evidence(self, digest: bytes) -> Body:
        """Return the list of kept files. Arguments and errors are those of `evidence_file`."""
        verdict, files = self._files(digest)
        listed = [
            {"path": path, "size": len(data), "sha256": hashlib.sha256(data).hexdigest()}
            for path, data in sorted(files.items())
        ]
        document = {"schema": API_EVIDENCE, "verdict_digest": verdict.hex(), "files": listed}
        return json_body(document, is_immutable=verdict == digest)

    def evidence_file(self, digest: bytes, path: str) -> Body:
        """Return the bytes of one kept file.

        Args:
            digest: of a manifest, or of the verdict on it.

        Raises:
            RecordError: nothing is kept of it here.
            TemporaryError: it cannot be read now.
        """
        verdict, files = self._files(digest)
        if path not in files:
            raise _absent("file", verdict)
        name = quote(path.rpartition("/")[2], safe="")
        headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{name}", **_AS_FILE}
        return Body(files[path], is_immutable=verdict == digest, headers=headers)

    def batch(self, root: bytes) -> Body:
        """Return the leaves document of a batch. Raises RecordError if its records are not here."""
        return Body(self._leaves(root).document(), is_immutable=True)

    def proof(self, root: bytes, index: int) -> Body:
        """Return the proof of one record of a batch. Raises RecordError if it is not here."""
        leaves = self._leaves(root)
        if index >= len(leaves.leaves):
            raise _absent("record of the batch", root)
        return json_body({"schema": PROOF_SCHEMA, **proof_json(leaves, leaves.leaves[index])}, is_immutable=True)

    def _find(self, verdict: bytes) -> KeptVerdict | None:
        if not self._journal:
            return None
        with reading_journal():
            return find_verdict(verdict, self._journal, self._evidence)

    def _files(self, digest: bytes) -> tuple[bytes, dict[str, bytes]]:
        """Return a verdict and the files kept with it."""
        for verdict in (digest, *self._verdicts_of(digest)):
            kept = self._find(verdict)
            if kept is not None and kept.archive is not None and len(kept.archive) <= ARCHIVE_MAX_BYTES:
                with reading_journal():
                    return verdict, files_of_tar(kept.archive)
        raise _absent("evidence", digest)

    def _verdicts_of(self, manifest: bytes) -> list[bytes]:
        """Return the digests of the verdicts on a manifest that stand on chain, the newest first."""
        with reading_index():
            found = self._index.by_digest(manifest).records
        return [one.entry.verdict_digest for one in found if one.entry.manifest_digest == manifest]

    def _leaves(self, root: bytes) -> Leaves:
        """Return the records of a batch: those that the index has, else those of the oracle's own journal."""
        with reading_index():
            batch = self._index.batch(root)
        if batch is not None and batch.leaves is not None:
            return batch.leaves
        if self._journal:
            with reading_journal():
                records, named = find_leaves(self._journal, root=root)
            if records:
                return leaves_of(records, named)
        raise _absent("batch", root)


def _absent(thing: str, digest: bytes) -> RecordError:
    wanted = "another address: this oracle keeps only its own judgements"
    return RecordError(f"no such {thing} is kept here", where=digest.hex(), got="nothing", wanted=wanted)

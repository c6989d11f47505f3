"""The part of the journal about signatures of verdicts.

A verdict that is new waits in the table `unsigned_verdicts`, in the same step that stores it. The step that stores its
signature takes it out, so a verdict is signed once, whenever the process is killed. A verdict keeps every signature: if
the key changes before its record is final, it gets one by the new key as well.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from provenance_oracle.oracle.journal.evidence import EvidenceStore
from provenance_oracle.oracle.journal.leases import Leases
from provenance_oracle.oracle.journal.rows import time_text
from provenance_oracle.oracle.journal.store import Found, JournalStore
from provenance_oracle.verifier.errors import TemporaryError
from provenance_oracle.verifier.registry.signed_verdict import SIGNATURES_MAX, envelope_of

SIGNATURES_OF = "SELECT signer, signature FROM verdict_signatures WHERE digest = ? ORDER BY signed_at DESC, signer"


class VerdictSignatures(Leases):
    """The journal's methods about signatures of verdicts; see `journal.Journal`. Digests have 32 bytes."""

    _database: JournalStore
    _evidence: EvidenceStore

    def queue_for(self, signer: str) -> None:
        """Have the verdicts of open rows signed by a key (address in checksum form) if only other keys signed them."""
        with self._step() as db:
            db.execute(
                "INSERT INTO unsigned_verdicts SELECT DISTINCT verdict_digest FROM releases"
                " WHERE state IN ('judged', 'signed', 'sent', 'mined', 'stuck') AND verdict_digest IN"
                " (SELECT digest FROM verdict_signatures) AND verdict_digest NOT IN"
                " (SELECT digest FROM verdict_signatures WHERE signer = ?) ON CONFLICT DO NOTHING",
                (signer,),
            )

    def unsigned_verdicts(self, most: int) -> list[tuple[bytes, bytes]]:
        """Return verdicts that wait for a signature, `most` at most: digest and bytes of each."""
        sql = (
            "SELECT verdicts.digest, statement FROM unsigned_verdicts"
            " JOIN verdicts ON verdicts.digest = unsigned_verdicts.digest LIMIT ?"
        )
        return [(bytes(one["digest"]), bytes(one["statement"])) for one in self._database.rows(sql, (most,))]

    def leave_unsigned(self, digest: bytes) -> None:
        """Take a verdict out of those that wait for a signature."""
        with self._step() as db:
            db.execute("DELETE FROM unsigned_verdicts WHERE digest = ?", (digest,))

    def keep_verdict_signatures(
        self, signer: str, signatures: Sequence[tuple[bytes, bytes, bytes]], *, at: datetime
    ) -> None:
        """Store signatures of verdicts, in the folder of evidence first.

        Args:
            signer: the address of the key, in checksum form.
            signatures: for each, the verdict's digest, its bytes, and the signature in DER.
        """
        envelopes: dict[bytes, bytes] = {}
        for digest, statement, signature in signatures:
            others = [one for one in signers_of(self._database.rows(SIGNATURES_OF, (digest,))) if one[0] != signer]
            envelopes[digest] = envelope_of(statement, [(signer, signature), *others][:SIGNATURES_MAX])
        try:
            self._evidence.keep_envelopes(envelopes)
        except OSError as error:
            raise TemporaryError(
                "signed verdicts cannot be written", got=str(error), wanted="room on the disk"
            ) from error
        with self._step() as db:
            for digest, _, signature in signatures:
                sql = "INSERT INTO verdict_signatures VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING"
                db.execute(sql, (digest, signer, signature, time_text(at)))
                db.execute("DELETE FROM unsigned_verdicts WHERE digest = ?", (digest,))


def signers_of(found: Sequence[Found]) -> list[tuple[str, bytes]]:
    """Return address and signature of each row that SIGNATURES_OF found, as many as an envelope may have."""
    return [(str(one["signer"]), bytes(one["signature"])) for one in found[:SIGNATURES_MAX]]

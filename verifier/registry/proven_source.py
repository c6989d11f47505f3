"""A registry together with the proof of one record in a batch, for a user's check of that release."""

from __future__ import annotations

from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.errors import RecordError
from provenance_oracle.verifier.record.fields import Entry, Record
from provenance_oracle.verifier.record.proof_file import ProvenRecord
from provenance_oracle.verifier.registry.reader import RegistryReader


class ProvenSource:
    """A `RecordSource` of `verifier.judgement.confirm` that knows one record by its proof.

    The registry's own record of the release decides if there is one; see `BatchProofs.entry`.
    """

    def __init__(self, registry: RegistryReader, proven: ProvenRecord) -> None:
        self._registry = registry
        self._proven = proven

    def entry(self, manifest_digest: bytes) -> Entry:
        """Return the entry of a release. The arguments and errors are those of `RegistryReader.entry`."""
        found = self._registry.proofs.entry(self._proven) if self._is_of(manifest_digest) else None
        return found or self._registry.entry(manifest_digest)

    def match_record(self, record: Record) -> Entry:
        """Return the active entry of a release, as `RegistryReader.match_record` does.

        Raises:
            RecordError: the proof is of another release, too (check `registry-record`).
        """
        if not self._is_of(record.manifest_digest):
            written = self._proven.written
            raise RecordError(
                "the proof is of another release",
                check=Check.REGISTRY_RECORD,
                where="--proof",
                got=f"{written.name} {written.version}, manifest {written.manifest_digest.hex()}",
                wanted=f"the proof of manifest {record.manifest_digest.hex()}",
            )
        return self._registry.match_record(record, proven=self._proven)

    def namespace_owner(self, name: str) -> bytes | None:
        """See `RegistryReader`."""
        return self._registry.namespace_owner(name)

    def _is_of(self, manifest_digest: bytes) -> bool:
        return self._proven.written.manifest_digest == manifest_digest

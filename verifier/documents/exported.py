"""What a bill of materials says of a record: the facts that CycloneDX and SPDX documents share, and their addresses.

Both documents are made of the record on chain, and of the signed manifest where the release is at hand. A field that
neither of them knows is left out: nothing is made up to fill a form.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote

from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.errors import VerificationError
from provenance_oracle.verifier.manifest.statement import FSVERITY, MODEL_DIGEST, Dependency, Manifest
from provenance_oracle.verifier.record.codec import release_id
from provenance_oracle.verifier.record.fields import Entry, product_line_from_code
from provenance_oracle.verifier.strict.timestamps import format_time

MODEL_DIGEST_NAME = "provenance-model-v1"
MODEL_DIGEST_NOTE = (
    "provenance-model-v1: SHA-256 over the fs-verity digest, size and path of every file; not the hash of one file"
)
FSVERITY_NOTE = f"{FSVERITY}: the digest that `fsverity digest` prints"


@dataclass(frozen=True)
class RecordedEvidence:
    """Bytes that the record binds by their SHA-256.

    Attributes:
        key: a word that is unique in the document.
        kind: `attestation` for a statement that somebody signed, `evidence` for what a judgement looked at.
    """

    key: str
    kind: str
    digest: bytes
    note: str

    @property
    def uri(self) -> str:
        """The name of these bytes by RFC 6920 (`ni:///sha-256;...`), which resolves at any place that keeps them."""
        return f"ni:///sha-256;{base64.urlsafe_b64encode(self.digest).decode().rstrip('=')}"


@dataclass(frozen=True)
class Exported:
    """A record that is exported.

    Attributes:
        chain_id: EIP-155 number of the chain.
        registry: address of the registry, 20 bytes.
        parents: the entries of the releases that the record names as parents, in its order.
        manifest: the release's signed manifest, whose digest the record has; None if the release is not at hand.
    """

    entry: Entry
    chain_id: int
    registry: bytes
    parents: tuple[Entry, ...]
    manifest: Manifest | None = None

    def __post_init__(self) -> None:
        """Raise VerificationError if the manifest is not the recorded one (check `registry-record`)."""
        if self.manifest is not None and self.manifest.digest != self.entry.manifest_digest:
            raise VerificationError(
                "the record belongs to another release",
                check=Check.REGISTRY_RECORD,
                where="manifest digest",
                got=self.manifest.digest.hex(),
                wanted=self.entry.manifest_digest.hex(),
            )

    @property
    def registry_account(self) -> str:
        """The registry as CAIP-10 writes a contract of a chain: `eip155:CHAIN:ADDRESS`."""
        return f"eip155:{self.chain_id}:0x{self.registry.hex()}"

    @property
    def uri(self) -> str:
        """The name of the record, a tag URI (RFC 4151)."""
        return self._record_uri(self.entry.record_id)

    def parent_uri(self, parent: Entry) -> str:
        """The name of a parent's release, a tag URI."""
        return self._record_uri(release_id(parent.model_digest, parent.manifest_digest))

    def file_uri(self, path: str) -> str:
        """The name of a file of the release, below that of the record."""
        return f"{self.uri}#file/{quote(path)}"

    def evidence(self) -> Iterator[RecordedEvidence]:
        """Yield the statements and the evidence that the record binds."""
        entry = self.entry
        note = "the signed manifest: the payload of provenance/manifest.dsse.json, an in-toto statement"
        if entry.is_signed_only:
            note = "the signed statement: the payload of the release's OpenSSF model signing bundle"
        yield RecordedEvidence("manifest", "attestation", entry.manifest_digest, note)
        note = "the verdict: a SLSA verification summary, which the oracle keeps"
        yield RecordedEvidence("verdict", "attestation", entry.verdict_digest, note)
        if not entry.is_signed_only:
            note = (
                "the AMD SEV-SNP attestation report: the first 672 bytes of provenance/snp/report.bin, which are signed"
            )
            yield RecordedEvidence("snp-report", "evidence", entry.snp_report_digest, note)

    def dependencies(self) -> tuple[Dependency, ...]:
        """Return the dependencies in the manifest that are none of the recorded parents."""
        if self.manifest is None:
            return ()
        recorded = {parent.model_digest for parent in self.parents}
        return tuple(one for one in self.manifest.dependencies if dict(one.digests).get(MODEL_DIGEST) not in recorded)

    def facts(self) -> Iterator[tuple[str, str]]:
        """Yield the facts of the record for which neither format has a field, as pairs of name and text."""
        entry = self.entry
        yield "registry", self.registry_account
        yield "record-id", entry.record_id.hex()
        yield "release-id", release_id(entry.model_digest, entry.manifest_digest).hex()
        yield "model-digest", f"{MODEL_DIGEST_NAME}:{entry.model_digest.hex()}"
        yield "policy-digest", f"sha256:{entry.policy_digest.hex()}"
        yield "grade", str(entry.grade)
        yield "product-line", product_line_from_code(entry.product_line)
        if not entry.is_signed_only:
            yield "reported-tcb", entry.reported_tcb.hex()
        if any(entry.publisher_identity):
            yield "publisher-identity", entry.publisher_identity.hex()
        for check in entry.passed_checks:
            yield "passed-check", str(check)
        yield "judged-at", format_time(entry.judged_at)
        yield "recorded-at", format_time(entry.recorded_at)
        yield "oracle-set", str(entry.standing.epoch)
        if entry.batch is not None:
            yield "batch", f"{entry.batch.root.hex()}, leaf {entry.batch.leaf}"
        yield "threshold", str(entry.threshold)
        yield "weight", str(entry.weight)
        for signer in entry.signers:
            if signer.counts and signer.address is not None:
                yield "signed-by", f"eip155:{self.chain_id}:0x{signer.address.hex()}"

    def _record_uri(self, record: bytes) -> str:
        return f"tag:provenance-oracle,2026:record/{self.registry_account}/{record.hex()}"


def export_json(form: str, document: dict[str, object]) -> dict[str, object]:
    """Return the body of `provenance-oracle/export/v1`: the format's word and the document in that format."""
    return {"format": form, "document": document}

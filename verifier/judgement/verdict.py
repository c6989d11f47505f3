"""A judgement as a document: SLSA verification summary (VSA) v1 in an in-toto Statement, in RFC 8785 form.

Specification: https://slsa.dev/spec/v1.2/verification_summary. PASSED and FAILED verdicts have the same form. The bytes
depend only on release, policy, moment and version, so a second judgement gives the same digest.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib.metadata import version

from provenance_oracle.verifier.checks import Finding, Outcome
from provenance_oracle.verifier.digest.bookkeeping import GIT_ATTRIBUTES, HUB_FOLDER
from provenance_oracle.verifier.digest.files import FileSet
from provenance_oracle.verifier.digest.tree.fsverity import FileDigest, model_digest
from provenance_oracle.verifier.errors import ProvenanceError
from provenance_oracle.verifier.judgement.appraise import AttestationResult
from provenance_oracle.verifier.judgement.release import Release
from provenance_oracle.verifier.judgement.signature import ReleaseSignature
from provenance_oracle.verifier.judgement.signed_release import FoundName, SignedRelease
from provenance_oracle.verifier.manifest.dsse import MANIFEST_PATH
from provenance_oracle.verifier.policy import Policy
from provenance_oracle.verifier.record.fields import NO_REPORT, NO_TCB, SIGNED_NAME, product_line_label
from provenance_oracle.verifier.strict.timestamps import format_time
from provenance_oracle.verifier.text import printable

VERIFIER_ID = "tag:provenance-oracle,2026:verifier/v1"
EXTENSION = "tag:provenance-oracle,2026:verdict/v1"
# Names of files without the publisher's signature that a verdict lists; `covered` and `files` give the number of all.
_UNCOVERED_MAX = 100
_LEVEL_PREFIX = "PROVENANCE_ORACLE_"


@dataclass(frozen=True)
class Verdict:
    """The bytes of a PASSED or FAILED statement. Its `digest` (SHA-256, 32 bytes) goes on chain."""

    statement: bytes

    @property
    def digest(self) -> bytes:
        """SHA-256 of the statement, 32 bytes."""
        return hashlib.sha256(self.statement).digest()


def make_verdict(release: Release, result: AttestationResult, files: FileSet, findings: tuple[Finding, ...]) -> Verdict:
    """Return the PASSED verdict of a release whose evidence, manifest and files were all accepted."""
    manifest, claims = result.manifest, result.claims
    facts: dict[str, object] = {
        "grade": result.grade,
        "productLine": product_line_label(claims.line, claims.root_kind),
        "reportedTcb": claims.report.reported_tcb.hex(),
        "reportDigest": claims.report.digest.hex(),
        "manifestDigest": manifest.digest.hex(),
    }
    name = FoundName(manifest.name, manifest.version)
    return _passed(release, result.policy, result.at, name, facts, result.signature, files, findings)


def make_signed_verdict(
    release: SignedRelease,
    policy: Policy,
    at: datetime,
    signature: ReleaseSignature,
    files: FileSet,
    findings: tuple[Finding, ...],
) -> Verdict:
    """Return the PASSED verdict of a release that has only its publisher's signature. Its grade is 0."""
    facts: dict[str, object] = {
        "grade": 0,
        "productLine": SIGNED_NAME,
        "reportedTcb": NO_TCB.hex(),
        "reportDigest": NO_REPORT.hex(),
        "manifestDigest": signature.signed.payload_digest.hex(),
    }
    return _passed(release, policy, at, release.found or FoundName("", ""), facts, signature, files, findings)


def _passed(
    release: Release | SignedRelease,
    policy: Policy,
    at: datetime,
    named: FoundName,
    facts: Mapping[str, object],
    signature: ReleaseSignature | None,
    files: FileSet,
    findings: tuple[Finding, ...],
) -> Verdict:
    details: dict[str, object] = {**facts, "findings": _findings_json(findings)}
    if signature is not None:
        details["publisher"] = _publisher_json(signature)
        if signature.signer.sigstore_root is not None:
            details["sigstoreRoot"] = signature.signer.sigstore_root.hex()
    if files.uncovered:
        details["uncovered"] = _uncovered_json(files.uncovered)
    levels = [f"{_LEVEL_PREFIX}GRADE_{facts['grade']}"]
    levels += [_level(f) for f in findings if f.outcome is Outcome.PASSED]
    subject = {
        "name": named.name,
        "digest": {"provenance_model_v1": files.model_digest.hex()},
        "annotations": {"version": named.version},
    }
    resource = f"{named.name}@{named.version}"
    return Verdict(_statement(release, policy, at, subject, resource, "PASSED", levels, details))


def make_failed_verdict(
    envelope: bytes,
    release: Release | SignedRelease | None,
    policy: Policy,
    at: datetime,
    error: ProvenanceError,
    *,
    path: str = MANIFEST_PATH,
) -> Verdict:
    """Return the FAILED verdict of a release that `error` refused. Its subject is that file as received.

    Args:
        envelope: the bytes of the manifest file that could be read.
        release: None if the release was too malformed to be read whole.
        path: the name of that file.
    """
    details = {
        "exitCode": error.exit_code,
        "check": error.check or "",
        "message": str(error),
        "findings": _findings_json(error.findings),
    }
    subject = {"name": path, "digest": {"sha256": _sha256_hex(envelope)}}
    resource = f"sha256:{_sha256_hex(envelope)}"
    return Verdict(_statement(release, policy, at, subject, resource, "FAILED", ["FAILED"], details))


def _statement(
    release: Release | SignedRelease | None,
    policy: Policy,
    at: datetime,
    subject: Mapping[str, object],
    resource: str,
    outcome: str,
    levels: list[str],
    details: Mapping[str, object],
) -> bytes:
    predicate: dict[str, object] = {
        "verifier": {"id": VERIFIER_ID, "version": {"provenance-oracle": _own_version()}},
        "timeVerified": format_time(at),
        "resourceUri": resource,
        "policy": {
            "uri": f"tag:provenance-oracle,2026:policy/{policy.name}/{policy.date.isoformat()}",
            "digest": {"sha256": policy.digest.hex()},
        },
        "verificationResult": outcome,
        "verifiedLevels": levels,
        "slsaVersion": "1.2",
        EXTENSION: details,
    }
    if release is not None:  # the specification asks for all inputs or none
        predicate["inputAttestations"] = _inputs(release)
    statement: dict[str, object] = {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [subject],
        "predicateType": "https://slsa.dev/verification_summary/v1",
        "predicate": predicate,
    }
    # For texts, whole numbers and ASCII keys this is the form of RFC 8785. The package takes ten times as long.
    text = json.dumps(statement, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return text.encode()


def _inputs(release: Release | SignedRelease) -> list[dict[str, object]]:
    return [{"uri": name, "digest": {"sha256": _sha256_hex(data)}} for name, data in release.provenance.items()]


def _publisher_json(signature: ReleaseSignature) -> dict[str, object]:
    """Return who signed, and over what. `named` says whether the manifest names this publisher."""
    signer, signed, coverage = signature.signer, signature.signed, signature.coverage
    found: dict[str, object] = {
        "identity": signature.identity.line,
        "digest": signature.identity.digest.hex(),
        "named": signature.is_named,
        "method": signer.method,
        "payloadDigest": signed.payload_digest.hex(),
        "omsRoot": signed.root.hex(),
        "covered": len(coverage.covered),
        "files": coverage.files,
        "uncovered": sorted((*coverage.allowed, *coverage.gaps))[:_UNCOVERED_MAX],
    }
    if signer.signed_at is not None:
        found["signedAt"] = format_time(signer.signed_at)
    if signer.log_index is not None:
        found["logIndex"] = signer.log_index
    return found


def _uncovered_json(files: tuple[FileDigest, ...]) -> list[dict[str, object]]:
    """Return the files that no signature covers: git's attributes, and the notes of the hub as one digest."""
    attributes = [file for file in files if file.path == GIT_ATTRIBUTES]
    notes = [file for file in files if file.path != GIT_ATTRIBUTES]
    found: list[dict[str, object]] = [
        {"name": file.path, "digest": {"fsverity_sha256_4096": file.fsverity.hex()}} for file in attributes
    ]
    if notes:
        digest = {"provenance_model_v1": model_digest(notes).hex()}
        found.append({"name": HUB_FOLDER, "digest": digest, "annotations": {"files": str(len(notes))}})
    return found


def _findings_json(findings: tuple[Finding, ...]) -> list[dict[str, str]]:
    return [
        {"check": f.check, "outcome": f.outcome, "got": printable(f.got, 2000), "wanted": printable(f.wanted, 2000)}
        for f in findings
    ]


def _level(finding: Finding) -> str:
    return _LEVEL_PREFIX + finding.check.replace("-", "_").upper()


@cache
def _own_version() -> str:
    return version("provenance-oracle")  # it parses the package's metadata at each call


def _sha256_hex(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()

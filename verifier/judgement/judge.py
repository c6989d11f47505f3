"""Judge a whole release: evidence, manifest and every file.

The oracle's pipeline and a user's `check` both call `judge`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from provenance_oracle.verifier.checks import Check, Finding
from provenance_oracle.verifier.digest.files import (
    FileHasher,
    FileSet,
    Limits,
    digest_files,
    list_files,
)
from provenance_oracle.verifier.digest.match_files import match_file_digests, match_file_set, set_aside
from provenance_oracle.verifier.digest.sparse import refuse_sparse
from provenance_oracle.verifier.digest.tree.cpu import CpuHasher
from provenance_oracle.verifier.errors import CrlStaleError, CrlUnavailableError
from provenance_oracle.verifier.gpu_evidence.chain import NVIDIA_DEVICE_ROOTS
from provenance_oracle.verifier.identity.sigstore_root import PinnedRoot
from provenance_oracle.verifier.judgement.appraise import AttestationResult, appraise, roots_of
from provenance_oracle.verifier.judgement.record_of import record_of
from provenance_oracle.verifier.judgement.release import PROVENANCE_PATHS, Release
from provenance_oracle.verifier.judgement.sheet import CheckSheet
from provenance_oracle.verifier.judgement.signature import SignedBytes, enter_signature
from provenance_oracle.verifier.judgement.verdict import Verdict, make_verdict
from provenance_oracle.verifier.policy import Policy
from provenance_oracle.verifier.record.fields import Record
from provenance_oracle.verifier.snp.chain import RevocationStatus
from provenance_oracle.verifier.snp.current_crl import with_current_crl
from provenance_oracle.verifier.snp.kds import Fetcher
from provenance_oracle.verifier.snp.products import TrustedRoot
from provenance_oracle.verifier.strict.files import OnBytes


@dataclass(frozen=True)
class Judgement:
    """An accepted release: the appraisal's result, the file digests, all findings, the verdict, and its record.

    `release` is the one that was judged. It has the revocation list that was fetched, which the release as read lacks.
    """

    release: Release
    result: AttestationResult
    files: FileSet
    findings: tuple[Finding, ...]
    verdict: Verdict
    record: Record


def judge(
    release: Release,
    policy: Policy,
    *,
    at: datetime,
    roots: tuple[TrustedRoot, ...] | None = None,
    gpu_roots: tuple[bytes, ...] = NVIDIA_DEVICE_ROOTS,
    sigstore_root: PinnedRoot | None = None,
    fetcher: Fetcher | None = None,
    now: datetime | None = None,
    hasher: FileHasher | None = None,
    limits: Limits | None = None,
    progress: OnBytes | None = None,
) -> Judgement:
    """Judge a release read from disk against `policy` at moment `at`. Every file is read exactly once.

    Args:
        at: the moment for which certificates and revocation list must be valid; an aware datetime.
        roots: trusted roots; by default the pinned roots that the policy names.
        gpu_roots: SHA-256 of the DER of each root to trust for GPUs; by default NVIDIA's.
        sigstore_root: the trusted root for keyless signatures; by default that of the public instance.
        fetcher: fetches a current revocation list if the release has none; None: nothing is fetched.
        now: the present, needed if `at` lies in the past: a fetched list must be current now.
        hasher: hashes the files; by default a `CpuHasher` on every core.
        limits: the largest release accepted.
        progress: called with (bytes done, bytes in all) while files are hashed, and with (0, 0) between the steps
            before. What it raises ends the judgement.

    Raises:
        ProvenanceError: see `verifier.errors`. `.findings` has the outcome of every check.
    """
    sheet = CheckSheet()
    progress = progress or _ignore
    with sheet:
        # (1) evidence, key and manifest
        progress(0, 0)
        release, result = appraise_fetching(
            release,
            policy,
            at,
            roots_of(policy) if roots is None else roots,
            fetcher,
            sheet,
            now,
            gpu_roots,
            sigstore_root,
        )
        progress(0, 0)
        # (2) the manifest names exactly these files, with these sizes; no byte is read before
        listing = list_files(release.files, limits or Limits())
        listing = set_aside(release.files, listing, {*result.manifest.paths, *PROVENANCE_PATHS})
        match_file_set(result.manifest, listing, release.files)
        refuse_sparse(release.files, listing)
        enter_file_set(sheet, len(listing.files))
        progress(0, 0)
        # (3) one read of every byte
        signed = SignedBytes(result.signature)
        files = digest_files(
            release.files,
            listing,
            sha256_of=result.manifest.sha256_paths | signed.sha256_of,
            also=signed.takers,
            hasher=hasher or CpuHasher(),
            progress=progress,
        )
        match_file_digests(result.manifest, files)
        signed.match(files.files)
        return judgement_of(release, result, files, sheet)


def enter_file_set(sheet: CheckSheet, count: int) -> None:
    """Enter that the manifest names exactly these files, `count` of them."""
    sheet.passed(Check.FILE_SET, f"{count} files", "exactly the files that the manifest names")


def judgement_of(release: Release, result: AttestationResult, files: FileSet, sheet: CheckSheet) -> Judgement:
    """Return the judgement of a release whose evidence and manifest were appraised.

    Args:
        files: the digests of its files. The caller has compared them with the manifest and the signature.
        sheet: has the findings so far.
    """
    sheet.passed(Check.FILE_DIGESTS, f"model digest {files.model_digest.hex()[:16]}…", "the digests in the manifest")
    enter_signature(sheet, result.signature)
    enter_unchecked(sheet)
    findings = sheet.findings()
    verdict = make_verdict(release, result, files, findings)
    return Judgement(release, result, files, findings, verdict, record_of(result, files, findings, verdict.digest))


def appraise_fetching(
    release: Release,
    policy: Policy,
    at: datetime,
    roots: tuple[TrustedRoot, ...],
    fetcher: Fetcher | None,
    sheet: CheckSheet,
    now: datetime | None = None,
    gpu_roots: tuple[bytes, ...] = NVIDIA_DEVICE_ROOTS,
    sigstore_root: PinnedRoot | None = None,
) -> tuple[Release, AttestationResult]:
    """Appraise a release, and fetch a revocation list only if nothing else is missing.

    A release that is refused anyway thus causes no network traffic.

    Returns:
        The release with the list that was used, and the result.
    """
    try:
        result = appraise(
            release, policy, at=at, roots=roots, sheet=sheet, gpu_roots=gpu_roots, sigstore_root=sigstore_root
        )
        if fetcher is None or result.claims.revocation is RevocationStatus.NOT_REVOKED:
            return release, result
    except (CrlUnavailableError, CrlStaleError):
        if fetcher is None:
            raise
    release = replace(release, evidence=with_current_crl(release.evidence, at=at, fetcher=fetcher, now=now))
    return release, appraise(
        release, policy, at=at, roots=roots, sheet=sheet, gpu_roots=gpu_roots, sigstore_root=sigstore_root
    )


def _ignore(_done_bytes: int, _all_bytes: int) -> None:
    pass


def enter_unchecked(sheet: CheckSheet) -> None:
    """Enter the checks that no judgement makes."""
    sheet.not_checked(Check.LINEAGE, "this version does not look ancestors up")
    sheet.not_checked(Check.REGISTRY_RECORD, "the record is written after this judgement")

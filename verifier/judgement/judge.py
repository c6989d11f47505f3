"""One release, whole: evidence, manifest, every file. The oracle's pipeline and a user's `check` both call `judge`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from provenance_oracle.verifier.checks import Check, Finding
from provenance_oracle.verifier.digest.files import (
    FileHasher,
    FileSet,
    Limits,
    Progress,
    digest_files,
    list_files,
    match_file_digests,
    match_file_set,
)
from provenance_oracle.verifier.digest.tree.cpu import CpuHasher
from provenance_oracle.verifier.errors import CrlStaleError, CrlUnavailableError
from provenance_oracle.verifier.judgement.appraise import AttestationResult, appraise, roots_of
from provenance_oracle.verifier.judgement.record_of import record_of
from provenance_oracle.verifier.judgement.release import Release
from provenance_oracle.verifier.judgement.sheet import CheckSheet
from provenance_oracle.verifier.judgement.verdict import Verdict, make_verdict
from provenance_oracle.verifier.policy import Policy
from provenance_oracle.verifier.record.fields import Record
from provenance_oracle.verifier.snp.chain import Revocation
from provenance_oracle.verifier.snp.current_crl import with_current_crl
from provenance_oracle.verifier.snp.kds import Fetcher
from provenance_oracle.verifier.snp.products import TrustedRoot


@dataclass(frozen=True)
class Judgement:
    """An accepted release: what was found, the verdict as written, and the record it earns."""

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
    fetcher: Fetcher | None = None,
    now: datetime | None = None,
    hasher: FileHasher | None = None,
    limits: Limits | None = None,
    progress: Progress | None = None,
) -> Judgement:
    """Judge a release read from disk against `policy` at moment `at`; every file is read exactly once.

    Args:
        roots: trusted roots; by default the pinned ones that the policy names.
        fetcher: asked for a current revocation list if the release has none; None: nothing is fetched.
        now: the present, where `at` lies in the past: what a fetched list has to be current for.
        hasher: how files are hashed; by default on every core.
        limits: what a release may hold at most.
        progress: called with (bytes done, bytes in all) while files are hashed.

    Raises:
        ProvenanceError: see `verifier.errors`; `.findings` tells every check's outcome.
    """
    sheet = CheckSheet()
    with sheet:
        # (1) evidence, key and manifest
        release, result = appraise_fetching(
            release, policy, at, roots_of(policy) if roots is None else roots, fetcher, sheet, now
        )
        # (2) every file named and none unnamed, sizes equal, before any byte is read
        listing = list_files(release.path, limits or Limits())
        match_file_set(result.manifest, listing)
        sheet.passed(Check.FILE_SET, f"{len(listing.files)} files", "exactly the files that the manifest names")
        # (3) one read of every byte
        files = digest_files(
            release.path,
            listing,
            sha256_of=result.manifest.sha256_paths,
            hasher=hasher or CpuHasher(),
            progress=progress,
        )
        match_file_digests(result.manifest, files)
        sheet.passed(
            Check.FILE_DIGESTS, f"model digest {files.model_digest.hex()[:16]}…", "the digests in the manifest"
        )
        _enter_unchecked(release, sheet)
        findings = sheet.findings()
        verdict = make_verdict(release, result, files, findings)
    return Judgement(result, files, findings, verdict, record_of(result, files, findings, verdict.digest))


def appraise_fetching(
    release: Release,
    policy: Policy,
    at: datetime,
    roots: tuple[TrustedRoot, ...],
    fetcher: Fetcher | None,
    sheet: CheckSheet,
    now: datetime | None = None,
) -> tuple[Release, AttestationResult]:
    """Appraise; ask for a list only if nothing but that is missing, so that what is refused anyway reaches no network.

    Returns the release with the list that was used.
    """
    try:
        result = appraise(release, policy, at=at, roots=roots, sheet=sheet)
        if fetcher is None or result.claims.revocation is Revocation.NOT_REVOKED:
            return release, result
    except (CrlUnavailableError, CrlStaleError):
        if fetcher is None:
            raise
    release = replace(release, evidence=with_current_crl(release.evidence, at=at, fetcher=fetcher, now=now))
    return release, appraise(release, policy, at=at, roots=roots, sheet=sheet)


def _enter_unchecked(release: Release, sheet: CheckSheet) -> None:
    bundle = "this version does not check OpenSSF bundles" if release.bundle else "no OpenSSF signing bundle"
    sheet.not_checked(Check.PUBLISHER_SIGNATURE, bundle)
    sheet.not_checked(Check.PUBLISHER_IDENTITY, bundle)
    sheet.not_checked(Check.LINEAGE, "this version does not look ancestors up")
    sheet.not_checked(Check.REGISTRY_RECORD, "the record is written after this judgement")

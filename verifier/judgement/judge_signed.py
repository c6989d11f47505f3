"""Judge a release that has only its publisher's signature. It says who signed the files, and no more.

The result has grade 0 and a product line of its own, "no confidential hardware". Gates for hardware stay shut to it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from provenance_oracle.verifier.checks import HARDWARE_CHECKS, Check, Finding, failed, passed_bits
from provenance_oracle.verifier.digest.files import FileHasher, FileSet, Limits, Listing, digest_files, list_files
from provenance_oracle.verifier.digest.match_files import set_aside
from provenance_oracle.verifier.digest.sparse import refuse_sparse
from provenance_oracle.verifier.digest.tree.cpu import CpuHasher
from provenance_oracle.verifier.errors import AppraisalError, UsageError
from provenance_oracle.verifier.identity.bundle import SignatureBundle, parse_bundle
from provenance_oracle.verifier.identity.certificate_method import own_anchors
from provenance_oracle.verifier.identity.certificates import SigningCertificate
from provenance_oracle.verifier.identity.key_method import PublisherKey
from provenance_oracle.verifier.identity.match import coverage_of, match_names, refuse_gaps
from provenance_oracle.verifier.identity.publisher import PublisherTrust, verify_signer
from provenance_oracle.verifier.identity.signer import match_signer
from provenance_oracle.verifier.identity.sigstore_root import PinnedRoot, load_pinned_root
from provenance_oracle.verifier.judgement.sheet import CheckSheet
from provenance_oracle.verifier.judgement.signature import ReleaseSignature, SignedBytes, check_publisher
from provenance_oracle.verifier.judgement.signed_release import SignedRelease
from provenance_oracle.verifier.judgement.verdict import Verdict, make_signed_verdict
from provenance_oracle.verifier.policy import Policy, Word
from provenance_oracle.verifier.record.fields import Record, signed_record
from provenance_oracle.verifier.strict.files import OnBytes

NO_HARDWARE = "no confidential hardware: the release has only a signature"
_OF_MANIFESTS = (Check.MANIFEST_FORMAT, Check.MANIFEST_SIGNATURE)


@dataclass(frozen=True)
class SignerTrust:
    """What lets a verifier judge signatures that name no publisher.

    Attributes:
        keys: known keys of publishers. A bundle of the method key holds a hint at one of them.
        anchors: CAs given beside the bundle; without any, the last certificate of a bundle is its own anchor, whose key
            is part of the identity.
        root: the trusted root of sigstore; None for that of the public instance.
    """

    keys: Sequence[PublisherKey] = ()
    anchors: Sequence[SigningCertificate] = ()
    root: PinnedRoot | None = None


NO_TRUST = SignerTrust()


@dataclass(frozen=True)
class SignedJudgement:
    """An accepted release that has only a signature: who signed it, its digests, all findings, and the verdict."""

    release: SignedRelease
    policy: Policy
    at: datetime
    signature: ReleaseSignature
    files: FileSet
    findings: tuple[Finding, ...]
    verdict: Verdict

    @property
    def manifest_digest(self) -> bytes:
        """SHA-256 of the signed payload, 32 bytes: it names the files, as a manifest does."""
        return self.signature.signed.payload_digest

    @property
    def record(self) -> Record:
        """The record of the release.

        Raises:
            UsageError: nobody named the release, and its signature binds no name.
        """
        found = self.release.found
        if found is None:
            problem, wanted = "the release has no name to be recorded under", "the place where it was found"
            raise UsageError(problem, where=self.release.files.where, got="no name", wanted=wanted)
        return signed_record(
            manifest_digest=self.manifest_digest,
            model_digest=self.files.model_digest,
            verdict_digest=self.verdict.digest,
            policy_digest=self.policy.digest,
            publisher_identity=self.signature.identity.digest,
            judged_at=self.at.replace(microsecond=0),
            checks=passed_bits(self.findings),
            name=found.name,
            version=found.version,
        )


def judge_signed(
    release: SignedRelease,
    policy: Policy,
    *,
    at: datetime,
    trust: SignerTrust = NO_TRUST,
    hasher: FileHasher | None = None,
    limits: Limits | None = None,
    progress: OnBytes | None = None,
) -> SignedJudgement:
    """Judge a release that has only a signature. Every file is read exactly once.

    Args:
        at: the moment of judgement, an aware datetime.
        trust: the keys, CAs and the root that let the signature be verified.
        hasher, limits, progress: as for `judge.judge`.

    Raises:
        UsageError: the bundle names a key that is not given, or the method needs a package that is not installed.
        FormatError, VerificationError: the bundle or a file is malformed or forged.
        AppraisalError: the policy refuses such releases or this publisher, or the signature leaves files out.
    """
    sheet = CheckSheet()
    with sheet:
        # (1) the signature is genuine, whoever made it
        bundle = parse_bundle(release.bundle, release.bundle_path)
        signer, signed = verify_signer(bundle, _trust(bundle, trust, at))
        identity = match_signer(signer, None, release.bundle_path)
        # (2) it covers exactly the files that are there; no byte is read before
        listing = _listing(release, limits or Limits(), frozenset(signed.paths))
        sizes = {file.path: file.size for file in listing.files}
        match_names(signed, sizes)
        coverage = coverage_of(signed, sizes)
        refuse_gaps(coverage, release.bundle_path)
        refuse_sparse(release.files, listing)
        sheet.passed(Check.FILE_SET, f"{len(sizes)} files", "the files that the signature covers, and none besides")
        signature = ReleaseSignature(signer, identity, True, signed, coverage)
        # (3) refusals by the policy count only now, so that forged input is reported as forged
        _conclude(policy, signature, sheet)
        # (4) one read of every byte
        taken = SignedBytes(signature)
        files = digest_files(
            release.files,
            listing,
            sha256_of=taken.sha256_of,
            also=taken.takers,
            hasher=hasher or CpuHasher(),
            progress=progress,
        )
        taken.match(files.files)
    _enter(sheet, signature, files)
    findings = sheet.findings()
    verdict = make_signed_verdict(release, policy, at, signature, files, findings)
    return SignedJudgement(release, policy, at, signature, files, findings, verdict)


def _trust(bundle: SignatureBundle, trust: SignerTrust, at: datetime) -> PublisherTrust:
    known = [key for key in trust.keys if bundle.key_hint in ("", key.hint)]
    anchors = tuple(trust.anchors) or own_anchors(bundle)
    return PublisherTrust(None, known[0] if known else None, anchors, trust.root or load_pinned_root(), at)


def _listing(release: SignedRelease, limits: Limits, signed: frozenset[str]) -> Listing:
    """List the files of the model. The bundle and files that tools added are set aside, unless they are signed."""
    listing = set_aside(release.files, list_files(release.files, limits), signed)
    bundles = tuple(file for file in listing.files if file.path == release.bundle_path)
    kept = tuple(file for file in listing.files if file.path != release.bundle_path)
    return replace(listing, files=kept, aside=(*listing.aside, *bundles))


def _conclude(policy: Policy, signature: ReleaseSignature, sheet: CheckSheet) -> None:
    if policy.signed_releases is Word.REFUSED:
        wanted = "evidence of confidential hardware; policy `signed` takes releases that have only a signature"
        sheet.add([failed(Check.PRODUCT_LINE, f"{NO_HARDWARE} by {signature.identity.line}", wanted)])
    sheet.add(check_publisher(policy.publisher, signature))
    if failures := sheet.failures:
        first = failures[0]
        problem = f"policy {policy.name} refuses the release"
        raise AppraisalError(problem, check=first.check, where="release", got=first.got, wanted=first.wanted)


def _enter(sheet: CheckSheet, signature: ReleaseSignature, files: FileSet) -> None:
    for check in HARDWARE_CHECKS - {Check.GPU_EVIDENCE}:
        sheet.not_checked(check, NO_HARDWARE)
    for check in _OF_MANIFESTS:
        sheet.not_checked(check, "no manifest: the signature names the files")
    sheet.passed(Check.FILE_DIGESTS, f"model digest {files.model_digest.hex()[:16]}…", "the signed digests")
    covered = f"{len(signature.coverage.covered)} of {signature.coverage.files} files"
    sheet.passed(Check.PUBLISHER_SIGNATURE, covered, "genuine, over every file")
    sheet.passed(Check.PUBLISHER_IDENTITY, signature.identity.line, "the signer")
    sheet.not_checked(Check.LINEAGE, "the signature names no ancestors")
    sheet.not_checked(Check.REGISTRY_RECORD, "the record is written after this judgement")

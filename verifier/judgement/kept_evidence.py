"""A release of which only the evidence is left, as an oracle keeps it beside a verdict.

The files of the release may be gone, so their digests are those that the signed manifest states. The oracle compared
them with the files when it judged.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import datetime

from provenance_oracle.verifier.digest.files import FileSet
from provenance_oracle.verifier.digest.tree.fsverity import FileDigest, model_digest
from provenance_oracle.verifier.errors import UsageError
from provenance_oracle.verifier.identity.sigstore_root import PinnedRoot
from provenance_oracle.verifier.judgement.appraise import appraise, roots_of
from provenance_oracle.verifier.judgement.judge import Judgement, enter_file_set, judgement_of
from provenance_oracle.verifier.judgement.release import Release, release_of
from provenance_oracle.verifier.judgement.sheet import CheckSheet
from provenance_oracle.verifier.manifest.statement import Manifest
from provenance_oracle.verifier.policy import Policy
from provenance_oracle.verifier.snp.crl import parse_crl
from provenance_oracle.verifier.snp.current_crl import FETCHED_CRL
from provenance_oracle.verifier.strict.release_files import OpenRelease
from provenance_oracle.verifier.strict.release_folder import STRICT, Reading

# The ends of the names under which an oracle keeps and serves what it has of a verdict.
VERDICT_SUFFIX, ENVELOPE_SUFFIX, EVIDENCE_SUFFIX = ".json", ".dsse.json", ".evidence.tar"
POLICY_NAME = "policy.yaml"  # the policy's page among the kept files
_BESIDE = (POLICY_NAME, FETCHED_CRL)


def kept_name(verdict_digest: bytes, suffix: str) -> str:
    """Return the name of a file that an oracle keeps, such as `ab/abcd….json`, by the digest of its verdict."""
    name = verdict_digest.hex()
    return f"{name[:2]}/{name}{suffix}"


class _NoFiles:
    """The files of a release of which only the evidence is left."""

    where = "evidence"

    @property
    def reading(self) -> Reading:
        return STRICT

    def session(self) -> AbstractContextManager[OpenRelease]:
        raise UsageError("the files of the release were not kept", where=self.where)


def release_of_evidence(files: Mapping[str, bytes], at: datetime) -> Release:
    """Return a release without its files.

    Args:
        files: its `provenance/` by name, the revocation list that the oracle fetched, if it fetched one, and the
            policy, which is passed over.
        at: the moment for which the oracle judged, an aware datetime.

    Raises:
        IncompleteError, FormatError: a file is missing, too large, or not one that a release may hold; or the list that
            was fetched is malformed.
    """
    own = {name: data for name, data in files.items() if name not in _BESIDE}
    release = release_of(_NoFiles(), own)
    fetched = files.get(FETCHED_CRL)
    if fetched is None:
        return release
    # The oracle fetched the list then or later, when it was current.
    crl_at = max(at, parse_crl(fetched, FETCHED_CRL).this_update)
    return replace(release, evidence=replace(release.evidence, crl=fetched, crl_name=FETCHED_CRL, crl_at=crl_at))


def judge_evidence(
    release: Release, policy: Policy, at: datetime, *, sigstore_root: PinnedRoot | None = None
) -> Judgement:
    """Judge a release by its evidence and the digests in its manifest. No file is read, and nothing is fetched.

    The judgement has the findings and the verdict that it would have with the files, if they are those of the manifest
    and of the publisher's signature, and nobody added any.

    Args:
        sigstore_root: as for `judge.judge`.

    Raises:
        ProvenanceError: as `judge.judge`. UsageError: the manifest does not state the digest of a file.
    """
    sheet = CheckSheet()
    with sheet:
        result = appraise(release, policy, at=at, roots=roots_of(policy), sheet=sheet, sigstore_root=sigstore_root)
        files = _stated_files(result.manifest)
        enter_file_set(sheet, len(files.files))
        return judgement_of(release, result, files, sheet)


def _stated_files(manifest: Manifest) -> FileSet:
    files = []
    for file in sorted(manifest.files, key=lambda one: one.path.encode()):
        if file.fsverity is None:
            problem, wanted = "the manifest does not state the digest of a file", "the files of the release"
            raise UsageError(problem, where=file.path, got="no fs-verity digest", wanted=wanted)
        files.append(FileDigest(file.path, file.size, file.fsverity, file.sha256))
    return FileSet(tuple(files), model_digest(files))

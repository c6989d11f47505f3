"""Judge some files of a release: evidence and manifest as for a whole one, then these files and no others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from provenance_oracle.verifier.checks import Check, Finding
from provenance_oracle.verifier.digest.files import FileSet, digest_some
from provenance_oracle.verifier.digest.match_files import match_some_digests
from provenance_oracle.verifier.digest.tree.cpu import CpuHasher
from provenance_oracle.verifier.digest.tree.fsverity import FileDigest, model_digest
from provenance_oracle.verifier.errors import UsageError, VerificationError
from provenance_oracle.verifier.identity.sigstore_root import PinnedRoot
from provenance_oracle.verifier.judgement.appraise import AttestationResult, roots_of
from provenance_oracle.verifier.judgement.judge import appraise_fetching
from provenance_oracle.verifier.judgement.record_of import record_of
from provenance_oracle.verifier.judgement.release import Release
from provenance_oracle.verifier.judgement.sheet import CheckSheet
from provenance_oracle.verifier.judgement.signature import SignedBytes, enter_signature
from provenance_oracle.verifier.policy import Policy
from provenance_oracle.verifier.record.fields import Record
from provenance_oracle.verifier.snp.kds import Fetcher
from provenance_oracle.verifier.strict.files import OnBytes


@dataclass(frozen=True)
class PartJudgement:
    """Some files of a release, which match its accepted manifest. Nothing is known of the files in `unchecked`."""

    result: AttestationResult
    files: tuple[FileDigest, ...]
    unchecked: tuple[str, ...]
    findings: tuple[Finding, ...]

    def stated_record(self) -> Record:
        """Return the record that the whole release would have, with the digests that the manifest states.

        Its verdict digest is zero, since there is no verdict about a part.

        Raises:
            UsageError: the manifest lacks the fs-verity digest of a file.
        """
        stated = []
        for file in self.result.manifest.files:
            if file.fsverity is None:
                wanted = "fs-verity digests of all files; else check the whole release, or --offline"
                problem = "the record of a part cannot be found"
                raise UsageError(problem, where=file.path, got="a file without one", wanted=wanted)
            stated.append(FileDigest(file.path, file.size, file.fsverity))
        files = FileSet(tuple(stated), model_digest(stated))
        return record_of(self.result, files, self.findings, bytes(32))


def judge_part(
    release: Release,
    policy: Policy,
    paths: Sequence[str],
    *,
    at: datetime,
    fetcher: Fetcher | None = None,
    now: datetime | None = None,
    sigstore_root: PinnedRoot | None = None,
    progress: OnBytes | None = None,
) -> PartJudgement:
    """Judge a release's evidence and manifest, and compare the files at `paths`, each read once, with the manifest.

    Args: as for `judge.judge`.

    Raises:
        VerificationError: the manifest does not name a path, or the file is missing or differs.
        ProvenanceError: as `judge.judge`.
    """
    sheet = CheckSheet()
    with sheet:
        release, result = appraise_fetching(
            release, policy, at, roots_of(policy), fetcher, sheet, now, sigstore_root=sigstore_root
        )
        named = {file.path: file for file in result.manifest.files}
        chosen = sorted(set(paths))
        for path in chosen:
            if path not in named:
                raise VerificationError(
                    "not a file of this release",
                    check=Check.FILE_SET,
                    where=path,
                    got="a path that the manifest does not name",
                    wanted="a file of the manifest",
                )
        signed = SignedBytes(result.signature)
        hashed = (result.manifest.sha256_paths | signed.sha256_of) & set(chosen)
        files = digest_some(
            release.files, chosen, sha256_of=hashed, also=signed.takers, hasher=CpuHasher(), progress=progress
        )
        match_some_digests([named[path] for path in chosen], files)
        signed.match(files)
        enter_signature(sheet, result.signature)
        share = f"{len(chosen)} of {len(named)} files"
        sheet.not_checked(Check.FILE_SET, f"only {share} were looked at")
        sheet.passed(Check.FILE_DIGESTS, share, "their digests in the manifest")
        sheet.not_checked(Check.REGISTRY_RECORD, "the record is looked up after this judgement")
    return PartJudgement(result, files, tuple(sorted(named.keys() - set(chosen))), sheet.findings())

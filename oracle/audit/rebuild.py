"""Make the bytes of a PASSED verdict again from the evidence that was kept with it.

A verdict depends on release, policy, moment and version only. The files of the release may be gone, so their digests
are taken from the signed manifest, with which the first judgement compared them. The bytes count only if they have the
digest that is on chain: then they are the same bytes, however they were made.
"""

from __future__ import annotations

import hashlib
from contextlib import AbstractContextManager
from datetime import datetime

from provenance_oracle.oracle.journal.evidence import files_of_tar
from provenance_oracle.verifier.digest.files import FileSet
from provenance_oracle.verifier.digest.tree.fsverity import FileDigest, model_digest
from provenance_oracle.verifier.errors import ProvenanceError, UsageError
from provenance_oracle.verifier.judgement.appraise import appraise, roots_of
from provenance_oracle.verifier.judgement.judge import enter_file_set, judgement_of
from provenance_oracle.verifier.judgement.release import (
    CHAIN_PATH,
    CRL_PATH,
    GPU_PATHS,
    KEY_PATH,
    REPORT_PATH,
    VEK_DER_PATH,
    VEK_PEM_PATH,
    Release,
)
from provenance_oracle.verifier.judgement.sheet import CheckSheet
from provenance_oracle.verifier.manifest.dsse import MANIFEST_PATH
from provenance_oracle.verifier.manifest.statement import Manifest
from provenance_oracle.verifier.policy import Policy
from provenance_oracle.verifier.snp.evidence import Evidence
from provenance_oracle.verifier.strict.release_files import OpenRelease
from provenance_oracle.verifier.strict.release_folder import STRICT, Reading

_NAMES = (MANIFEST_PATH, KEY_PATH, REPORT_PATH, VEK_PEM_PATH, VEK_DER_PATH, CHAIN_PATH, CRL_PATH, *GPU_PATHS)


def rebuild_verdict(digest: bytes, archive: bytes, policy: Policy, at: datetime) -> bytes | None:
    """Return the bytes of a verdict; None if they cannot be made again.

    Args:
        digest: SHA-256 of the verdict, 32 bytes. archive: its evidence as `evidence.archive` packs it.
        policy, at: those of the judgement.
    """
    sheet = CheckSheet()
    try:
        release = _release(files_of_tar(archive))
        with sheet:
            result = appraise(release, policy, at=at, roots=roots_of(policy), sheet=sheet)
            files = _stated_files(result.manifest)
            enter_file_set(sheet, len(files.files))
            statement = judgement_of(release, result, files, sheet).verdict.statement
    except (ProvenanceError, KeyError):
        return None
    return statement if hashlib.sha256(statement).digest() == digest else None


class _NoFiles:
    """The files of a release of which only the evidence is left."""

    where = "evidence"

    @property
    def reading(self) -> Reading:
        return STRICT

    def session(self) -> AbstractContextManager[OpenRelease]:
        raise UsageError("the files of the release were not kept", where=self.where)


def _release(files: dict[str, bytes]) -> Release:
    """Return a release without its files. Raise KeyError if a part of its evidence is missing."""
    vek_name = VEK_PEM_PATH if VEK_PEM_PATH in files else VEK_DER_PATH
    crl_name = next((name for name in files if name not in _NAMES), CRL_PATH)  # a list that was fetched
    evidence = Evidence(
        report=files[REPORT_PATH],
        vek=files[vek_name],
        chain=files[CHAIN_PATH],
        crl=files.get(crl_name),
        report_name=REPORT_PATH,
        vek_name=vek_name,
        chain_name=CHAIN_PATH,
        crl_name=crl_name,
    )
    gpus = tuple(files[path] for path in GPU_PATHS if path in files)
    return Release(_NoFiles(), files[MANIFEST_PATH], files[KEY_PATH], evidence, files.get(CRL_PATH), gpus)


def _stated_files(manifest: Manifest) -> FileSet:
    """Return the digests that a manifest states. Raise KeyError if it lacks one that the model digest needs."""
    files = []
    for file in sorted(manifest.files, key=lambda one: one.path.encode()):
        if file.fsverity is None:
            raise KeyError(file.path)
        files.append(FileDigest(file.path, file.size, file.fsverity, file.sha256))
    return FileSet(tuple(files), model_digest(files))

"""The part of `provenance check` for releases that have only a signature."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from provenance_oracle.verifier.cli.console import Output
from provenance_oracle.verifier.cli.options import hash_progress, now, read_bounded
from provenance_oracle.verifier.errors import UsageError

if TYPE_CHECKING:
    from provenance_oracle.verifier.judgement.confirm import RecordSource
    from provenance_oracle.verifier.judgement.expected import Expected
    from provenance_oracle.verifier.judgement.judge_signed import SignerTrust
    from provenance_oracle.verifier.judgement.signed_release import SignedRelease
    from provenance_oracle.verifier.policy import Policy


def is_signed_only(folder: Path, bundle: Path | None) -> bool:
    """Return whether a folder is to be checked as a release that has only a signature."""
    from provenance_oracle.verifier.judgement.signed_release import SIGNED_BUNDLE_PATH
    from provenance_oracle.verifier.manifest.names import PROVENANCE_FOLDER
    from provenance_oracle.verifier.strict.release_files import files_of
    from provenance_oracle.verifier.strict.release_folder import Reading

    with files_of(folder, Reading(hub_links=True)).session() as release:
        has_evidence = release.holds(PROVENANCE_FOLDER)
        if bundle is not None and has_evidence:
            got, wanted = f"a folder with {PROVENANCE_FOLDER}/", "the bundle in the release"
            raise UsageError("this release has its own signature", where="--signature", got=got, wanted=wanted)
        return not has_evidence and (bundle is not None or release.holds(SIGNED_BUNDLE_PATH))


def check_signed(
    output: Output,
    folder: Path,
    policy: Policy,
    *,
    ignored: tuple[re.Pattern[str], ...],
    paths: tuple[str, ...],
    bundle: Path | None,
    trust: SignerTrust,
    registry: RecordSource | None,
    at: datetime | None,
    expected: Expected,
) -> None:
    """Check a release that has only a signature, and print the answer.

    Args:
        paths: the single files that the user named. They cannot be checked by themselves.
        bundle: the signature, if it does not lie in the folder.
        trust: the publisher's key, CAs, and a root of sigstore, from the files of the options.
    """
    from provenance_oracle.verifier.cli.words import policy_line, signed_lines
    from provenance_oracle.verifier.documents.signed_release import check_signed_json
    from provenance_oracle.verifier.judgement.confirm_signed import confirm_signed

    if paths:
        problem, wanted = "a signature is checked over all files", "RELEASE alone"
        raise UsageError(problem, where=paths[0], got="FILE", wanted=wanted)
    release = _release(folder, ignored, bundle)
    with hash_progress(output) as progress:
        found = confirm_signed(
            release,
            policy,
            registry=registry,
            at=at,
            now=now(),
            trust=trust,
            progress=progress,
            expected=expected,
        )
    judged = found.judgement
    name = f"{judged.release.found.name} {judged.release.found.version} in " if judged.release.found else ""
    note = f"signed by {judged.signature.identity.line}; nothing is known of where it was made"
    output.accepted(f"{name}{folder}", note)
    for line in signed_lines(found):
        output.text(line)
    output.text(policy_line(policy, judged.at))
    output.checks(found.findings)
    output.document(True, check_signed_json(found))


def _release(folder: Path, ignored: tuple[re.Pattern[str], ...], bundle: Path | None) -> SignedRelease:
    from provenance_oracle.verifier.identity.bundle import BUNDLE_MAX_BYTES
    from provenance_oracle.verifier.judgement.signed_release import read_signed_release
    from provenance_oracle.verifier.strict.release_folder import Reading

    data = read_bounded(bundle, BUNDLE_MAX_BYTES) if bundle else None
    reading = Reading(hub_links=True, ignored=ignored, sparse=True)
    return read_signed_release(folder, None, reading=reading, bundle=data)

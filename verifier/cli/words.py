"""Judgements in words for a terminal. JSON documents are made in `verifier.documents`, records in `record_words`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from provenance_oracle.verifier.cli.record_words import grade_words, record_line
from provenance_oracle.verifier.digest.files import FileSet
from provenance_oracle.verifier.judgement.appraise import AttestationResult
from provenance_oracle.verifier.judgement.confirm import Confirmation, PartConfirmation
from provenance_oracle.verifier.judgement.confirm_signed import SignedConfirmation
from provenance_oracle.verifier.judgement.judge import Judgement
from provenance_oracle.verifier.judgement.part import PartJudgement
from provenance_oracle.verifier.manifest.names import may_hold_code
from provenance_oracle.verifier.policy import Policy
from provenance_oracle.verifier.snp.products import RootKind
from provenance_oracle.verifier.snp.report import SigningKey
from provenance_oracle.verifier.snp.signature import Claims
from provenance_oracle.verifier.strict.timestamps import format_time
from provenance_oracle.verifier.text import first_of

SIMULATED_NOTE = "The hardware was SIMULATED: the simulator's keys are public, so anybody can make such evidence."
UNSAFE_NOTE = "You accepted an UNSAFE ROOT: this result says nothing about AMD hardware."
_NAMES_MAX = 20
_CODE_NOTE = "note             the release has files that can run code: digests cover them, but nobody reviewed them"


def policy_line(policy: Policy, at: datetime, label: str = "policy") -> str:
    """Return the policy of a judgement, and the moment that it is for."""
    return f"{label:<17}{policy.name} of {policy.date}, judged for {format_time(at)}"


def answer_lines(found: Confirmation | PartConfirmation) -> Iterator[str]:
    """Return what `check` says of an accepted release or of some files of one."""
    yield from _origin_lines(found)
    if isinstance(found, PartConfirmation):
        yield from _part_lines(found.judgement)
        if found.entry:
            yield record_line(found.entry)
        return
    yield from judgement_lines(found.judgement)
    yield from confirmation_lines(found)


def _origin_lines(found: Confirmation | PartConfirmation) -> Iterator[str]:
    """Return the publisher and the namespace of a release, and by whom the namespace is claimed."""
    result = found.judgement.result
    namespace = result.manifest.namespace
    yield from _publisher_lines(result)
    if found.entry is None:
        yield f"namespace        {namespace}: not looked up; the name is the publisher's word (--name insists on one)"
    elif found.namespace_owner is None:
        yield f"namespace        {namespace}: claimed by nobody, so anybody can publish under it"
    else:
        yield f"namespace        {namespace}: claimed by 0x{found.namespace_owner.hex()}"


def _publisher_lines(result: AttestationResult) -> Iterator[str]:
    """Return the publisher, and the signer if there is a signature."""
    signature, digest = result.signature, result.publisher.digest.hex()
    if signature is None or not signature.is_named:
        yield f"publisher        {digest} (the launch measurement of the VM that signed)"
    if signature is None:
        return
    covered = f"{len(signature.coverage.covered)} of {signature.coverage.files} files"
    if signature.is_named:
        yield f"publisher        {digest}"
        yield f"signed by        {signature.identity.line}, over {covered}"
    else:
        yield f"signed by        {signature.identity.line}, over {covered}; NOT the publisher: the manifest names none"
    if signature.signer.signed_at:
        yield f"signed at        {format_time(signature.signer.signed_at)}, as a transparency log or a timestamp says"


def signed_lines(found: SignedConfirmation) -> Iterator[str]:
    """Return what `check` says of an accepted release that has only a signature."""
    judged, entry = found.judgement, found.entry
    signature = judged.signature
    yield f"publisher        {signature.identity.digest.hex()}"
    yield f"signed by        {signature.identity.line}, over {len(signature.coverage.covered)} files"
    if signature.signer.signed_at:
        yield f"signed at        {format_time(signature.signer.signed_at)}, as a transparency log or a timestamp says"
    if entry is not None:
        yield f"name             {entry.name} {entry.version}: where an oracle found it; the signature binds no name"
    yield f"model digest     {judged.files.model_digest.hex()}"
    yield f"manifest digest  {judged.manifest_digest.hex()} (of the signed payload)"
    yield "grade            0 (not graded: no confidential hardware)"
    if any(may_hold_code(file.path) for file in judged.files.files):
        yield _CODE_NOTE
    yield from _uncovered_lines(judged.files)
    if entry is not None:
        yield record_line(entry)
        yield _reproduced_line(found.verdict_reproduced)


def _part_lines(part: PartJudgement) -> Iterator[str]:
    yield f"manifest digest  {part.result.manifest.digest.hex()}"
    yield f"grade            {grade_words(part.result.grade)}"
    yield f"checked          {_some_names([file.path for file in part.files])}"
    if part.unchecked:
        yield f"NOT CHECKED      {_some_names(part.unchecked)}"


def _some_names(names: Sequence[str]) -> str:
    return f"{len(names)} {'file' if len(names) == 1 else 'files'}: {first_of(names, _NAMES_MAX)}"


def judgement_lines(judgement: Judgement) -> Iterator[str]:
    """Return the digests and the grade of an accepted release, and the files that it does not cover."""
    yield f"model digest     {judgement.files.model_digest.hex()}"
    yield f"manifest digest  {judgement.result.manifest.digest.hex()}"
    result = judgement.result
    yield f"grade            {grade_found(result.grade, result.claims, result.policy)}"
    if judgement.result.manifest.has_code:
        yield _CODE_NOTE
    yield from _uncovered_lines(judgement.files)


def _uncovered_lines(files: FileSet) -> Iterator[str]:
    if files.uncovered:
        names = _some_names([file.path for file in files.uncovered])
        yield f"not covered      {names} (hub and git add these; their digests are in the verdict)"
    if files.ignored:
        yield f"not covered      {first_of(files.ignored, _NAMES_MAX)} (you said so)"


def confirmation_lines(confirmation: Confirmation) -> Iterator[str]:
    """Return how the record compares with the judgement made here; no line without a record."""
    entry = confirmation.entry
    if entry is None:
        return
    yield record_line(entry)
    if entry.grade != confirmation.judgement.result.grade:
        yield f"grade on record  {grade_words(entry.grade)}, which differs from the grade found here"
    yield _reproduced_line(confirmation.verdict_reproduced)
    if entry.publisher_identity != confirmation.judgement.record.publisher_identity:
        identity = entry.publisher_identity.hex()
        yield f"on record        {identity} is the publisher, which differs from the one found here"


def _reproduced_line(is_reproduced: bool) -> str:
    if is_reproduced:
        return "verdict          reproduced here bit for bit"
    of = "policy, moment, version or added files"
    return f"verdict          differs from the verdict on record, which has another {of}"


def grade_found(grade: int, claims: Claims, policy: Policy) -> str:
    """Return the grade of evidence that was accepted. If it has none, say why, such as `0 (not graded: VLEK, ...)`."""
    if grade:
        return grade_words(grade)
    if claims.root_kind is not RootKind.AMD:
        reason = "simulated hardware" if claims.root_kind is RootKind.SIMULATOR else "another root than AMD's"
    elif claims.vek_kind is SigningKey.VLEK:
        reason = "VLEK, which proves a cloud provider and no chip"
    elif not policy.graded:
        reason = f"policy {policy.name} gives no grade"
    else:
        reason = f"meets {policy.name}, but neither baseline nor strict"
    return f"0 (not graded: {reason})"


def root_note(claims: Claims) -> str:
    """Return the warning for a result whose chain does not end at AMD's root; empty for one that ends there."""
    return {RootKind.AMD: "", RootKind.SIMULATOR: SIMULATED_NOTE, RootKind.UNSAFE: UNSAFE_NOTE}[claims.root_kind]


def limits_note(found: Confirmation | PartConfirmation) -> str:
    """Return what limits the answer "accepted": the root of the evidence, and the files that were not checked."""
    notes = [root_note(found.judgement.result.claims)]
    if isinstance(found, PartConfirmation) and found.judgement.unchecked:
        files, unchecked = len(found.judgement.files), len(found.judgement.unchecked)
        notes.append(f"Only {files} of {files + unchecked} files were checked.")
    return " ".join(filter(None, notes))

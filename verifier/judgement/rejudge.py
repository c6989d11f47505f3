"""Judge a release again from what an oracle kept: for the recorded moment, and for today. The model may be gone.

The record on chain has the digest of the verdict, the verdict those of the evidence and of the policy. So everything is
the oracle's own, whoever hands it over, and the oracle's word is not needed for any of it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass

from provenance_oracle.verifier.checks import Check, Finding, passed_bits
from provenance_oracle.verifier.errors import ProvenanceError, UsageError, VerificationError
from provenance_oracle.verifier.identity.sigstore_root import PinnedRoot, load_pinned_root
from provenance_oracle.verifier.judgement.changes import Change, changes_between
from provenance_oracle.verifier.judgement.judge import Judgement
from provenance_oracle.verifier.judgement.kept_evidence import POLICY_NAME, judge_evidence, release_of_evidence
from provenance_oracle.verifier.judgement.recorded_verdict import RecordedVerdict, match_inputs, parse_verdict
from provenance_oracle.verifier.judgement.release import Release
from provenance_oracle.verifier.policy import SHIPPED_POLICIES, Policy, parse_policy, shipped_policy
from provenance_oracle.verifier.record.fields import Entry, match_entry
from provenance_oracle.verifier.registry.signed_verdict import match_signers, verify_signed_verdict
from provenance_oracle.verifier.strict.tar import files_of_tar
from provenance_oracle.verifier.strict.timestamps import format_time

_CHECK = Check.REGISTRY_RECORD
_NOT_BORNE_OUT = "the verdict is not borne out by its evidence"
_GRADE = "grade"


@dataclass(frozen=True)
class KeptFiles:
    """What an oracle keeps of a verdict, as received from the place `where`.

    `envelope` is None if the verdict is not signed.
    """

    statement: bytes
    archive: bytes
    envelope: bytes | None
    where: str


@dataclass(frozen=True)
class Recorded:
    """A record whose verdict was judged again, and held.

    Attributes:
        signers: addresses (20 bytes) of the keys that signed the verdict; none if it is not signed.
        policy: the policy of the record.
        judgement: the judgement for the recorded moment, made here.
        wording: checks with the same outcome and other words, because another version of this package judged.
        release: the release, of which only the evidence is left.
    """

    entry: Entry
    verdict: RecordedVerdict
    signers: tuple[bytes, ...]
    policy: Policy
    judgement: Judgement
    wording: tuple[Change, ...]
    release: Release

    @property
    def is_reproduced(self) -> bool:
        """Whether the judgement made here has the verdict of the record, bit for bit."""
        return self.judgement.verdict.digest == self.verdict.digest


def judge_recorded(
    entry: Entry, kept: KeptFiles, own_policy: Policy, *, sigstore_root: PinnedRoot | None = None
) -> Recorded:
    """Repeat the judgement of a record from the kept evidence, for its moment and under its policy.

    Args:
        entry: the record, of a PASSED verdict.
        own_policy: the caller's policy, which counts as the record's if it has the digest and none was kept.
        sigstore_root: the trusted root for keyless signatures; None for that of the public instance.

    Raises:
        FormatError: verdict, envelope or archive are malformed.
        VerificationError: they are not those of the record, another key signed, or the verdict is false.
        UsageError: the record's policy or sigstore root is not at hand, or this version cannot read the policy.
    """
    # (1) the verdict is that of the record, and an oracle that signed the record signed it
    verdict = _match_verdict(entry, kept)
    signers = _verify_signers(entry, kept)
    # (2) the evidence and the policy are those that the verdict names
    files = files_of_tar(kept.archive, f"{kept.where}, archive of evidence")
    page = files.pop(POLICY_NAME, None)
    match_inputs(verdict, files, f"{kept.where}, archive of evidence")
    policy = _recorded_policy(verdict, page, own_policy)
    # (3) judged again here, they give the same
    _refuse_signed(entry, verdict)
    _match_root(verdict, sigstore_root)
    release, judgement = _repeated(files, policy, verdict, sigstore_root)
    wording = _match_repeated(verdict, parse_verdict(judgement.verdict.statement, "judged again"))
    # (4) the record says what the verdict says
    _match_record(entry, judgement, verdict)
    return Recorded(entry, verdict, signers, policy, judgement, wording, release)


def _match_verdict(entry: Entry, kept: KeptFiles) -> RecordedVerdict:
    found = hashlib.sha256(kept.statement).digest()
    if found != entry.verdict_digest:
        problem = "the verdict is not that of the record"
        got, wanted = found.hex(), entry.verdict_digest.hex()
        raise VerificationError(problem, check=_CHECK, where=kept.where, got=got, wanted=wanted)
    return parse_verdict(kept.statement, f"{kept.where}, verdict")


def _verify_signers(entry: Entry, kept: KeptFiles) -> tuple[bytes, ...]:
    if kept.envelope is None:
        return ()
    where = f"{kept.where}, envelope"
    signed = verify_signed_verdict(kept.envelope, where)
    if signed.statement != kept.statement:
        got, wanted = f"verdict {signed.digest.hex()}", f"verdict {entry.verdict_digest.hex()}"
        problem = "the envelope is around another verdict"
        raise VerificationError(problem, check=_CHECK, where=where, got=got, wanted=wanted)
    known = [one.address for one in entry.signers if one.address is not None]
    if len(known) == len(entry.signers):  # else a ROFL app has replaced a key, and nobody can tell the old one
        match_signers(signed, known, where)
    return tuple(key.address for key in signed.keys)


def _recorded_policy(verdict: RecordedVerdict, page: bytes | None, own: Policy) -> Policy:
    if page is None:
        for policy in (own, *map(shipped_policy, SHIPPED_POLICIES)):
            if policy.digest == verdict.policy_digest:
                return policy
        wanted = "--policy with the file of that policy"
        got = f"digest {verdict.policy_digest.hex()}, and no such policy in the archive"
        raise UsageError("the policy of the record is not at hand", where="policy", got=got, wanted=wanted)
    found = hashlib.sha256(page).digest()
    if found != verdict.policy_digest:
        problem = "the policy is not that of the verdict"
        got, wanted = found.hex(), verdict.policy_digest.hex()
        raise VerificationError(problem, check=_CHECK, where=POLICY_NAME, got=got, wanted=wanted)
    try:
        return parse_policy(page, POLICY_NAME)
    except UsageError as error:
        problem = "this version cannot read the policy of the record"
        wanted = f"version {verdict.version} of provenance-oracle, which judged"
        raise UsageError(problem, where=error.where, got=error.got or error.problem, wanted=wanted) from error


def _match_root(verdict: RecordedVerdict, root: PinnedRoot | None) -> None:
    """Raise UsageError if the oracle trusted another sigstore root than the caller, who could repeat nothing then."""
    wanted = verdict.facts.get("sigstoreRoot")
    if wanted is not None:
        found = json.dumps((root or load_pinned_root()).digest.hex())
        if found != wanted:
            problem = "the oracle trusted another sigstore root; --sigstore-root FILE gives it"
            raise UsageError(problem, where="--sigstore-root", got=found, wanted=wanted)


def _refuse_signed(entry: Entry, verdict: RecordedVerdict) -> None:
    """Raise UsageError for a release that has only a signature: its judgement is one of the model's own files."""
    if entry.is_signed_only:
        problem = "the release has only a signature, so nothing can be judged again without its files"
        wanted = f"`provenance check RELEASE --policy signed --at {format_time(verdict.at)}`, which judges them"
        raise UsageError(problem, where="--from-record", got="the publisher's signature alone", wanted=wanted)


def _repeated(
    files: Mapping[str, bytes], policy: Policy, verdict: RecordedVerdict, root: PinnedRoot | None
) -> tuple[Release, Judgement]:
    try:
        release = release_of_evidence(files, verdict.at)
        return release, judge_evidence(release, policy, verdict.at, sigstore_root=root)
    except UsageError:
        raise
    except ProvenanceError as error:  # also one that passes with time: nothing here depends on today
        got, wanted = str(error), "acceptance, as the verdict says"
        raise VerificationError(_NOT_BORNE_OUT, check=error.check, got=got, wanted=wanted) from error


def _match_repeated(verdict: RecordedVerdict, own: RecordedVerdict) -> tuple[Change, ...]:
    """Compare a verdict on record with the one made here, and return the checks with other words.

    The shipped policies decide the grade, and a later version has other ones. So a grade counts only between equal
    versions.

    Raises:
        VerificationError: something differs that the evidence decides.
    """
    is_same_version = verdict.version == own.version
    for name in sorted(verdict.facts.keys() | own.facts.keys()):
        if verdict.facts.get(name) != own.facts.get(name) and (name != _GRADE or is_same_version):
            got, wanted = (facts.get(name, "nothing") for facts in (verdict.facts, own.facts))
            raise VerificationError(f"{_NOT_BORNE_OUT}: {name}", check=_CHECK, where="verdict", got=got, wanted=wanted)
    changes = changes_between(verdict.findings, own.findings)
    for change in changes:
        if change.then is not None and change.is_decisive:
            got, wanted = _words(change.then), _words(change.now)
            raise VerificationError(_NOT_BORNE_OUT, check=change.check, where="verdict", got=got, wanted=wanted)
    invented = sorted(verdict.levels - own.levels)
    if invented and is_same_version:
        wanted = ", ".join(sorted(own.levels))
        raise VerificationError(_NOT_BORNE_OUT, check=_CHECK, where="verdict", got=", ".join(invented), wanted=wanted)
    return changes


def _match_record(entry: Entry, judgement: Judgement, verdict: RecordedVerdict) -> None:
    """Compare the record with its verdict, which was borne out.

    Raises:
        VerificationError: a field differs.
    """
    match_entry(judgement.record, entry)
    stated = {
        "policy_digest": verdict.policy_digest.hex(),
        "publisher_identity": judgement.record.publisher_identity.hex(),
        "judged_at": format_time(verdict.at),
        "checks": f"{passed_bits(verdict.findings):#x}",
        "grade": verdict.facts.get(_GRADE, "none"),
    }
    recorded = {
        "policy_digest": entry.policy_digest.hex(),
        "publisher_identity": entry.publisher_identity.hex(),
        "judged_at": format_time(entry.judged_at),
        "checks": f"{entry.checks:#x}",
        "grade": f"{entry.grade}",
    }
    for name, got in recorded.items():
        if got != stated[name]:
            problem = f"the record says otherwise than its verdict ({name})"
            raise VerificationError(problem, check=_CHECK, where="registry", got=got, wanted=stated[name])


def _words(finding: Finding | None) -> str:
    return f"{finding.outcome}: {finding.got}" if finding else "no such check"

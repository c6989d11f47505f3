"""`provenance check --from-record`: judge a release again from its record and what the oracle kept."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from provenance_oracle.verifier.cli.options import hash_progress, now
from provenance_oracle.verifier.errors import ProvenanceError, RecordError, UsageError

if TYPE_CHECKING:
    from provenance_oracle.verifier.checks import Finding
    from provenance_oracle.verifier.cli.console import Output
    from provenance_oracle.verifier.identity.sigstore_root import PinnedRoot
    from provenance_oracle.verifier.judgement.changes import Change
    from provenance_oracle.verifier.judgement.confirm import Confirmation, PartConfirmation
    from provenance_oracle.verifier.judgement.expected import Expected
    from provenance_oracle.verifier.judgement.rejudge import Recorded
    from provenance_oracle.verifier.judgement.rejudge_today import Today
    from provenance_oracle.verifier.policy import Policy
    from provenance_oracle.verifier.record.fields import Entry
    from provenance_oracle.verifier.record.proof_file import ProvenRecord
    from provenance_oracle.verifier.registry.reader import RegistryReader
    from provenance_oracle.verifier.snp.kds import Fetcher
    from provenance_oracle.verifier.strict.release_files import ReleaseFiles

_ENTRIES_SHOWN = 10


@dataclass(frozen=True)
class Wish:
    """What the user asks for besides the record. None where an option was not given.

    Attributes:
        at: the moment of today's judgement.
        files: the model's files.
        crl: the revocation list of --crl.
        sigstore_root: the trusted root of --sigstore-root.
    """

    policy: Policy
    expected: Expected
    at: datetime | None
    files: ReleaseFiles | None
    crl: bytes | None
    fetcher: Fetcher | None
    sigstore_root: PinnedRoot | None


def asked_for(digest: str | None, place: str | None, *, is_offline: bool, has_files: bool) -> tuple[str, str]:
    """Return the values of --from-record and --evidence.

    Raises:
        UsageError: one of them is missing, or another option or argument contradicts them.
    """
    if digest is None:
        raise UsageError("--evidence goes with --from-record", where="--evidence", wanted="--from-record DIGEST")
    if place is None:
        wanted = "--evidence with the folder `verdicts` of an oracle, or its URL"
        raise UsageError("no place with the evidence is named", where="--from-record", got="nothing", wanted=wanted)
    if is_offline:
        raise UsageError("the record is on chain", where="--from-record", got="--offline", wanted="no --offline")
    if has_files:
        raise UsageError("a record is of a whole release", where="--from-record", got="FILE", wanted="RELEASE, or none")
    return digest, place


def check_from_record(
    output: Output, reader: RegistryReader, asked: tuple[str, str], wish: Wish, proven: ProvenRecord | None
) -> None:
    """Find a record, judge its evidence for its moment and for today, and print what differs.

    Args:
        asked: a digest, id or name, as `provenance show` takes; and the folder or URL of the evidence.

    Raises:
        VerificationError, FormatError: what the oracle kept is not that of the record, or the verdict is false.
        RecordError: there is no record or no evidence, or the record is not active.
        AppraisalError: today's judgement refuses, or the release is not the one that the user asks for.
        UsageError, TemporaryError: see `find_page`, `open_place` and `judge_recorded`.
    """
    from provenance_oracle.verifier.judgement.evidence_place import open_place, read_kept
    from provenance_oracle.verifier.judgement.expected import match_expected
    from provenance_oracle.verifier.judgement.rejudge import judge_recorded
    from provenance_oracle.verifier.judgement.rejudge_today import judge_today

    digest, place = asked
    evidence = open_place(place)
    entry = _entry(reader, digest, proven)
    kept = read_kept(evidence, entry.verdict_digest)
    recorded = judge_recorded(entry, kept, wish.policy, sigstore_root=wish.sigstore_root)
    match_expected(recorded.judgement.result, wish.expected)
    present = now()
    with hash_progress(output) as progress:
        today = judge_today(
            recorded,
            wish.policy,
            at=wish.at or present,
            now=present,
            files=wish.files,
            crl=wish.crl,
            fetcher=wish.fetcher,
            sigstore_root=wish.sigstore_root,
            progress=progress,
        )
    refusal, findings = _standing(reader, recorded, today, proven)
    _say(output, recorded, today, findings, refusal, wish)
    output.answer(_document(reader, recorded, today, findings, refusal), refusal)


def _entry(reader: RegistryReader, digest: str, proven: ProvenRecord | None) -> Entry:
    """Return the one record of a PASSED verdict to which the user's text leads."""
    from provenance_oracle.verifier.registry.lookup import find_page, find_proven

    page = find_proven(reader, digest, proven) if proven else find_page(reader, digest, limit=_ENTRIES_SHOWN)
    if page.total > 1:
        got = ", ".join(entry.manifest_digest.hex() for entry in page.entries)
        problem = "several records have this digest or name"
        raise UsageError(problem, where="--from-record", got=got, wanted="one of these manifest digests")
    (entry,) = page.entries
    refusal = reader.refusal(entry)
    if refusal is not None and not entry.passed:
        raise refusal  # oracles keep evidence of PASSED verdicts only
    return entry


def _standing(
    reader: RegistryReader, recorded: Recorded, today: Today, proven: ProvenRecord | None
) -> tuple[ProvenanceError | None, tuple[Finding, ...]]:
    """Return the failure with which the command ends, if any, and today's findings with that of the record."""
    from provenance_oracle.verifier.judgement.confirm import enter_record
    from provenance_oracle.verifier.judgement.sheet import CheckSheet

    sheet = CheckSheet()
    try:
        with sheet:
            sheet.add(today.findings)
            enter_record(sheet, reader.match_record(recorded.judgement.record, proven=proven))
    except RecordError as error:
        return error, error.findings
    if today.refusal is not None:
        today.refusal.findings = sheet.findings()
    return today.refusal, sheet.findings()


def _say(
    output: Output,
    recorded: Recorded,
    today: Today,
    findings: tuple[Finding, ...],
    refusal: ProvenanceError | None,
    wish: Wish,
) -> None:
    from provenance_oracle.verifier.cli.record_words import record_line
    from provenance_oracle.verifier.cli.words import policy_line, root_note

    result = recorded.judgement.result
    name = f"{result.manifest.name} {result.manifest.version}"
    if refusal is None:
        output.accepted(f"{name}, judged again from its record", root_note(result.claims))
    else:
        output.text(f"{name}, judged again from its record")
    output.text(record_line(recorded.entry))
    for line in _recorded_lines(recorded):
        output.text(line)
    output.text(policy_line(today.policy, today.at, "today"))
    if wish.files is None:
        output.text("files            not repeated: they were not given (name the release's folder to hash them)")
    for line in _change_lines(today.changes, verbose=output.verbose):
        output.text(line)
    if refusal is None:
        output.checks(findings)


def _recorded_lines(recorded: Recorded) -> Iterator[str]:
    from provenance_oracle.verifier.cli.record_words import grade_words
    from provenance_oracle.verifier.cli.words import policy_line
    from provenance_oracle.verifier.registry.secp256k1 import checksum_address

    by = ", ".join(map(checksum_address, recorded.signers))
    yield f"verdict          {recorded.verdict.digest.hex()}"
    yield f"                 {f'signed by {by}' if by else 'not signed; its digest is in the record'}"
    yield policy_line(recorded.policy, recorded.verdict.at, "recorded")
    if recorded.is_reproduced:
        yield "repeated         the same verdict bit for bit"
    elif recorded.wording:
        checks = ", ".join(change.check for change in recorded.wording)
        version = recorded.verdict.version
        yield f"repeated         every outcome is the same; version {version} has other words for {checks}"
    else:
        yield "repeated         every finding is the same"
    if recorded.entry.judged_as_of != recorded.entry.judged_at:
        yield "note             the oracle judged for a moment far from the one at which it recorded"
    grade = recorded.judgement.result.grade
    if grade != recorded.entry.grade:
        yield f"grade            on record {grade_words(recorded.entry.grade)}; this version gives {grade_words(grade)}"


def _change_lines(changes: tuple[Change, ...], *, verbose: bool) -> Iterator[str]:
    """Return each check whose outcome changed, with both values; with `verbose` also those with other words."""
    decisive = [change for change in changes if change.is_decisive]
    if not decisive:
        yield "changed          no outcome"
    for change in changes if verbose else decisive:
        then, today = change.then, change.now
        outcomes = [one.outcome if one else "no such check" for one in (then, today)]
        how = f"{outcomes[0]}, now {outcomes[1]}" if change.is_decisive else f"{outcomes[1]}, in other words"
        yield f"changed          {change.check}: {how}"
        for label, one in (("then", then), ("now", today)):
            if one:
                wanted = f", wanted {one.wanted}" if one.wanted else ""
                yield f"                 {label:<4} got {one.got}{wanted}"


def _document(
    reader: RegistryReader,
    recorded: Recorded,
    today: Today,
    findings: tuple[Finding, ...],
    refusal: ProvenanceError | None,
) -> dict[str, object]:
    from provenance_oracle.verifier.documents.judgement import check_json
    from provenance_oracle.verifier.documents.rejudgement import rejudgement_json

    body: dict[str, object] = {"from_record": rejudgement_json(recorded, today)}
    if refusal is None:
        owner = reader.namespace_owner(recorded.judgement.result.manifest.namespace)
        body |= check_json(_confirmation(recorded, today, findings, owner))
    return body


def _confirmation(
    recorded: Recorded, today: Today, findings: tuple[Finding, ...], owner: bytes | None
) -> Confirmation | PartConfirmation:
    from provenance_oracle.verifier.judgement.confirm import Confirmation, PartConfirmation
    from provenance_oracle.verifier.judgement.judge import Judgement

    if isinstance(today.judgement, Judgement):
        return Confirmation(today.judgement, recorded.entry, findings, owner)
    assert today.judgement is not None  # it was accepted
    return PartConfirmation(today.judgement, recorded.entry, findings, owner)

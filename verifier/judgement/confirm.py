"""A user's check: judge the release again on this machine, and compare it with its record in the registry."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from provenance_oracle.verifier.checks import Check, Finding
from provenance_oracle.verifier.errors import RecordError
from provenance_oracle.verifier.identity.sigstore_root import PinnedRoot
from provenance_oracle.verifier.judgement.appraise import AttestationResult
from provenance_oracle.verifier.judgement.expected import ANYTHING, Expected, match_expected
from provenance_oracle.verifier.judgement.judge import Judgement, judge
from provenance_oracle.verifier.judgement.part import PartJudgement, judge_part
from provenance_oracle.verifier.judgement.release import Release
from provenance_oracle.verifier.judgement.sheet import CheckSheet
from provenance_oracle.verifier.policy import Policy
from provenance_oracle.verifier.record.fields import Entry, Record
from provenance_oracle.verifier.snp.kds import Fetcher
from provenance_oracle.verifier.strict.files import OnBytes


class RecordSource(Protocol):
    """The interface that `confirm` needs of a registry. `verifier.registry.reader.RegistryReader` asks a chain."""

    def entry(self, manifest_digest: bytes) -> Entry:
        """Return the entry for the SHA-256 of a manifest, 32 bytes; raise RecordError if there is none."""

    def match_record(self, record: Record) -> Entry:
        """Return the active entry that matches `record`; raise RecordError or VerificationError if there is none."""

    def namespace_owner(self, name: str) -> bytes | None:
        """Return the address of a namespace's owner, 20 bytes; None if nobody claimed it."""


@dataclass(frozen=True)
class Confirmation:
    """A release that was accepted here, with its active record and the owner of its namespace, 20 bytes.

    `entry` is None if no registry was asked. `namespace_owner` is None also if nobody claimed the namespace.
    """

    judgement: Judgement
    entry: Entry | None
    findings: tuple[Finding, ...]
    namespace_owner: bytes | None = None

    @property
    def verdict_reproduced(self) -> bool:
        """Whether the judgement here gives the verdict on chain, bit for bit.

        It does so only with the same policy, moment, version of this package and files that tools added.
        """
        return self.entry is not None and self.entry.verdict_digest == self.judgement.verdict.digest


@dataclass(frozen=True)
class PartConfirmation:
    """Some files of a release that were accepted here. The other fields are those of `Confirmation`."""

    judgement: PartJudgement
    entry: Entry | None
    findings: tuple[Finding, ...]
    namespace_owner: bytes | None = None


def confirm(
    release: Release,
    policy: Policy,
    *,
    registry: RecordSource | None,
    at: datetime | None,
    now: datetime,
    fetcher: Fetcher | None = None,
    sigstore_root: PinnedRoot | None = None,
    progress: OnBytes | None = None,
    expected: Expected = ANYTHING,
) -> Confirmation:
    """Judge a release and match it with its record.

    The moment of judgement is `at` if given, else the record's moment (see `Entry.judged_as_of`), else `now`. The
    record comes before `now` because certificates expire and a record does not. A forged release is reported as forged
    even if it has no record.

    Args:
        registry: None to work offline.
        at, now: aware datetimes.
        fetcher: fetches a current revocation list if the release has none; None: nothing is fetched.
        sigstore_root: the trusted root for keyless signatures; None for that of the public instance.
        progress: called with (bytes done, bytes in all) while files are hashed.
        expected: the facts that the user insists on.

    Raises:
        RecordError: the registry has no active record of the release.
        AppraisalError: the release is not the expected one, or the policy refuses it.
        ProvenanceError: every other failure of `judge` or of the registry.
    """
    moment = at or _moment_of_record(registry, release) or now
    judgement = judge(
        release, policy, at=moment, fetcher=fetcher, now=now, sigstore_root=sigstore_root, progress=progress
    )
    found = (judgement.result, judgement.findings)
    entry, owner, findings = _look_up(registry, *found, lambda: judgement.record, expected)
    return Confirmation(judgement, entry, findings, owner)


def confirm_part(
    release: Release,
    policy: Policy,
    paths: Sequence[str],
    *,
    registry: RecordSource | None,
    at: datetime | None,
    now: datetime,
    fetcher: Fetcher | None = None,
    sigstore_root: PinnedRoot | None = None,
    progress: OnBytes | None = None,
    expected: Expected = ANYTHING,
) -> PartConfirmation:
    """Judge the files of a release at `paths` and match the release with its record; see `confirm` and `judge_part`."""
    moment = at or _moment_of_record(registry, release) or now
    part = judge_part(
        release, policy, paths, at=moment, fetcher=fetcher, now=now, sigstore_root=sigstore_root, progress=progress
    )
    entry, owner, findings = _look_up(registry, part.result, part.findings, part.stated_record, expected)
    return PartConfirmation(part, entry, findings, owner)


def _look_up(
    registry: RecordSource | None,
    result: AttestationResult,
    findings: tuple[Finding, ...],
    record: Callable[[], Record],
    expected: Expected,
) -> tuple[Entry | None, bytes | None, tuple[Finding, ...]]:
    """Return the active record, the owner of its namespace, and the findings with that of the look-up.

    Raises:
        AppraisalError: the release is not the expected one. RecordError: there is no active record.
    """
    sheet = CheckSheet()
    with sheet:
        sheet.add(findings)
        match_expected(result, expected)
        entry, owner = find_record(registry, record, sheet)
    return entry, owner, sheet.findings()


def find_record(
    registry: RecordSource | None, record: Callable[[], Record], sheet: CheckSheet
) -> tuple[Entry | None, bytes | None]:
    """Return the active record of an accepted release and the owner of its namespace; None for both offline.

    Args:
        record: returns the record that the judgement here made.
        sheet: collects the finding.

    Raises:
        RecordError, VerificationError: there is no active record that matches.
    """
    if registry is None:
        sheet.not_checked(Check.REGISTRY_RECORD, "offline: no registry was asked")
        return None, None
    entry = registry.match_record(record())
    owner = registry.namespace_owner(entry.namespace)
    enter_record(sheet, entry)
    return entry, owner


def enter_record(sheet: CheckSheet, entry: Entry) -> None:
    """Enter that the registry has an active record of the release."""
    when = f"recorded {entry.recorded_at:%Y-%m-%d %H:%M:%SZ}"
    sheet.passed(Check.REGISTRY_RECORD, when, "an active record of this release")


def known_entry(registry: RecordSource | None, payload: bytes) -> Entry | None:
    """Return what a registry has of a release, by the payload that its publisher or its VM signed; None without any.

    Nothing in it is trusted yet: `find_record` compares it after the judgement.
    """
    try:
        return registry.entry(hashlib.sha256(payload).digest()) if registry else None
    except RecordError:
        return None


def _moment_of_record(registry: RecordSource | None, release: Release) -> datetime | None:
    """Return the moment at which the record says that it was judged; None without a record or a registry."""
    known = known_entry(registry, release.unverified_payload) if registry else None
    return known.judged_as_of if known else None

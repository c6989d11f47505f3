"""A user's check: judge the release again on this machine, and compare it with its record in the registry."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from provenance_oracle.verifier.checks import Check, Finding
from provenance_oracle.verifier.errors import RecordError
from provenance_oracle.verifier.judgement.judge import Judgement, judge
from provenance_oracle.verifier.judgement.release import Release
from provenance_oracle.verifier.judgement.sheet import CheckSheet
from provenance_oracle.verifier.manifest.dsse import parse_envelope
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


@dataclass(frozen=True)
class Confirmation:
    """A release that was accepted here, with its active record. `entry` is None if no registry was asked."""

    judgement: Judgement
    entry: Entry | None
    findings: tuple[Finding, ...]

    @property
    def verdict_reproduced(self) -> bool:
        """Whether the judgement here gives the verdict on chain, bit for bit.

        It does so only with the same policy, moment and version of this package.
        """
        return self.entry is not None and self.entry.verdict_digest == self.judgement.verdict.digest


def confirm(
    release: Release,
    policy: Policy,
    *,
    registry: RecordSource | None,
    at: datetime | None,
    now: datetime,
    fetcher: Fetcher | None = None,
    progress: OnBytes | None = None,
) -> Confirmation:
    """Judge a release and match it with its record.

    The moment of judgement is `at` if given, else the record's moment (see `Entry.judged_as_of`), else `now`. The
    record comes before `now` because certificates expire and a record does not. A forged release is reported as forged
    even if it has no record.

    Args:
        registry: None to work offline.
        at, now: aware datetimes.
        fetcher: fetches a current revocation list if the release has none; None: nothing is fetched.
        progress: called with (bytes done, bytes in all) while files are hashed.

    Raises:
        RecordError: the registry has no active record of the release.
        ProvenanceError: every other failure of `judge` or of the registry.
    """
    moment = at or (_moment_of_record(registry, release) if registry else None) or now
    judgement = judge(release, policy, at=moment, fetcher=fetcher, now=now, progress=progress)
    sheet, entry = CheckSheet(), None
    with sheet:
        sheet.add(judgement.findings)
        if registry is None:
            sheet.not_checked(Check.REGISTRY_RECORD, "offline: no registry was asked")
        else:
            entry = registry.match_record(judgement.record)
            sheet.passed(
                Check.REGISTRY_RECORD,
                f"recorded {entry.recorded_at:%Y-%m-%d %H:%M:%SZ}",
                "an active record of this release",
            )
    return Confirmation(judgement, entry, sheet.findings())


def _moment_of_record(registry: RecordSource, release: Release) -> datetime | None:
    """Return the moment at which the record says that it was judged; None without a record.

    The record is not trusted yet: `match_record` compares it after the judgement.
    """
    manifest_digest = hashlib.sha256(parse_envelope(release.envelope).payload).digest()
    try:
        return registry.entry(manifest_digest).judged_as_of
    except RecordError:
        return None

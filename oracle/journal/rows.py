"""What the journal's rows say: frozen values, made from SQLite's rows and nothing else."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from provenance_oracle.verifier.errors import UsageError
from provenance_oracle.verifier.text import printable


class State(StrEnum):
    """How far a release got."""

    SEEN = "seen"
    JUDGED = "judged"
    SIGNED = "signed"
    SENT = "sent"
    MINED = "mined"
    FINAL = "final"
    REJECTED = "rejected"
    STUCK = "stuck"

    @property
    def closed(self) -> bool:
        return self in (State.FINAL, State.REJECTED, State.STUCK)


class AttemptState(StrEnum):
    """LIVE: may still be mined, so its bytes are kept on their way. MINED: it wrote. DROPPED: it never will."""

    LIVE = "live"
    MINED = "mined"
    DROPPED = "dropped"


@dataclass(frozen=True)
class ReleaseKey:
    """Which release: the source's name, the release's id in it, and the digest (32 bytes) of what was signed.

    Of a policy that needs a number in the registry: see `policy_key`.
    """

    source: str
    release: str
    content: bytes


def policy_key(policy_digest: bytes) -> ReleaseKey:
    """The row of a policy that gets its number in the registry."""
    return ReleaseKey("registry", f"policy {policy_digest.hex()}", policy_digest)


@dataclass(frozen=True)
class Row:
    """One release in the journal. `record` is what was or will be published, encoded; `problem` the last failure.

    One that is decided and has no record is a policy that gets its number.
    """

    id: int
    key: ReleaseKey
    fingerprint: str
    state: State
    seen_at: datetime
    changed_at: datetime
    retry_at: datetime | None
    vain_attempts: int
    internal_errors: int
    exit_code: int | None
    check: str | None
    problem: str
    verdict_digest: bytes | None
    record: bytes | None

    @property
    def parked(self) -> bool:
        """Whether the row waits for something temporary."""
        return self.retry_at is not None and not self.state.closed

    def waits(self, at: datetime) -> bool:
        """Whether it is too early to look at it again. A clock that was set back ends the wait."""
        return self.retry_at is not None and self.changed_at <= at < self.retry_at


@dataclass(frozen=True)
class SignedTransaction:
    """A transaction as it goes over the wire. `raw` and `hash` (32 bytes) do not change any more.

    It calls the contract at `to` with `data`.
    """

    sender: str
    nonce: int
    hash: bytes
    raw: bytes
    max_fee_wei: int
    priority_fee_wei: int
    to: str
    data: bytes


@dataclass(frozen=True)
class Attempt:
    """A signed transaction for a release, and what became of it."""

    id: int
    release_id: int
    transaction: SignedTransaction
    state: AttemptState
    signed_at: datetime


def release_row(found: sqlite3.Row) -> Row:
    """Raises UsageError if somebody wrote into the journal by hand."""
    with _own_writing():
        return _release_row(found)


def attempt_row(found: sqlite3.Row) -> Attempt:
    """Raises UsageError if somebody wrote into the journal by hand."""
    with _own_writing():
        return _attempt_row(found)


@contextmanager
def _own_writing() -> Iterator[None]:
    try:
        yield
    except (ValueError, TypeError) as error:
        raise UsageError(
            "holds what this program does not write", where="journal", got=printable(str(error)), wanted="its own rows"
        ) from error


def _release_row(found: sqlite3.Row) -> Row:
    return Row(
        id=found["id"],
        key=ReleaseKey(found["source"], found["release"], found["content"]),
        fingerprint=found["fingerprint"],
        state=State(found["state"]),
        seen_at=datetime.fromisoformat(found["seen_at"]),
        changed_at=datetime.fromisoformat(found["changed_at"]),
        retry_at=datetime.fromisoformat(found["retry_at"]) if found["retry_at"] else None,
        vain_attempts=found["vain_attempts"],
        internal_errors=found["internal_errors"],
        exit_code=found["exit_code"],
        check=found["check_id"],
        problem=found["problem"],
        verdict_digest=found["verdict_digest"],
        record=found["record"],
    )


def _attempt_row(found: sqlite3.Row) -> Attempt:
    transaction = SignedTransaction(
        found["sender"],
        found["nonce"],
        found["hash"],
        found["raw"],
        found["max_fee_wei"],
        found["priority_fee_wei"],
        found["call_to"],
        found["call_data"],
    )
    signed_at = datetime.fromisoformat(found["signed_at"])
    return Attempt(found["id"], found["release_id"], transaction, AttemptState(found["state"]), signed_at)


def time_text(moment: datetime) -> str:
    """Fixed width in UTC, so that text order is time order."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")

"""The journal's rows as frozen values, made from rows of the database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from provenance_oracle.oracle.journal.store import Found
from provenance_oracle.verifier.errors import UsageError
from provenance_oracle.verifier.text import printable


class State(StrEnum):
    """The state of a release. `journal.py` draws the way from one to the next."""

    SEEN = "seen"
    JUDGED = "judged"
    SIGNED = "signed"
    SENT = "sent"
    MINED = "mined"
    FINAL = "final"
    REJECTED = "rejected"
    STUCK = "stuck"
    SUPERSEDED = "superseded"

    @property
    def closed(self) -> bool:
        """Whether nothing more happens to the row by itself."""
        return self in (State.FINAL, State.REJECTED, State.STUCK, State.SUPERSEDED)


class AttemptState(StrEnum):
    """The state of a transaction.

    LIVE: it may still be mined, so the oracle sends it again. MINED: it took effect. DROPPED: it never will.
    """

    LIVE = "live"
    MINED = "mined"
    DROPPED = "dropped"


@dataclass(frozen=True)
class ReleaseKey:
    """The key of a row: the source's name, the release's id in that source, and a digest of its content (32 bytes).

    The content is the signed manifest. A policy that needs a number in the registry has the key of `policy_key`.
    """

    source: str
    release: str
    content: bytes

    @property
    def top_folder(self) -> str:
        """The first part of the release's id."""
        return self.release.partition("/")[0]


@dataclass(frozen=True)
class NewRelease:
    """A release that has no row yet: its key, its fingerprint, and when it was found (with a time zone)."""

    key: ReleaseKey
    fingerprint: str
    found_at: datetime


def policy_key(policy_digest: bytes) -> ReleaseKey:
    """Return the key of the row of a policy that needs a number in the registry.

    Args:
        policy_digest: 32 bytes.
    """
    return ReleaseKey("registry", f"policy {policy_digest.hex()}", policy_digest)


@dataclass(frozen=True)
class Row:
    """One release in the journal. Times have a time zone.

    Attributes:
        retry_at: the time before which the row is left alone; None if it does not wait.
        vain_attempts: consecutive failures. internal_errors: failures by a bug since the row was last reopened.
        exit_code, check, problem: the last failure; `problem` may also be a remark of `Journal.advance`.
        verdict_digest: SHA-256 of the last verdict, 32 bytes.
        report_digest: SHA-256 of the report's signed part, 32 bytes; None without a record.
        record: the record to publish, as JSON. A row from `judged` to `final` without one is a policy's.
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
    report_digest: bytes | None
    record: bytes | None

    @property
    def parked(self) -> bool:
        """Return whether the row waits after a temporary failure."""
        return self.retry_at is not None and not self.state.closed

    def waits(self, at: datetime) -> bool:
        """Return whether it is too early for another try. A clock that was set back ends the wait."""
        return self.retry_at is not None and self.changed_at <= at < self.retry_at


@dataclass(frozen=True)
class SignedTransaction:
    """A signed transaction that calls the contract at `to` with `data`.

    `raw` holds the bytes to send and `hash` their hash (32 bytes). Addresses are text with 0x. Fees are in wei per unit
    of gas.
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
    """A signed transaction for a publication (`publication_id`), with its state."""

    id: int
    publication_id: int
    transaction: SignedTransaction
    state: AttemptState
    signed_at: datetime


def release_row(found: Found) -> Row:
    """Return a row of the table `releases` as a value.

    Raises:
        UsageError: the row holds a value that this program does not write.
    """
    with own_writing():
        return _release_row(found)


def attempt_row(found: Found) -> Attempt:
    """Return a row of the table `transactions` as a value.

    Raises:
        UsageError: the row holds a value that this program does not write.
    """
    with own_writing():
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
        return Attempt(found["id"], found["publication_id"], transaction, AttemptState(found["state"]), signed_at)


@contextmanager
def own_writing() -> Iterator[None]:
    """Raise UsageError if a row read in the block holds a value that this program does not write."""
    try:
        yield
    except (ValueError, TypeError) as error:
        raise UsageError(
            "the journal holds a value that this program does not write",
            where="journal",
            got=printable(str(error)),
            wanted="its own rows",
        ) from error


def _release_row(found: Found) -> Row:
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
        report_digest=found["report_digest"],
        record=found["record"],
    )


def time_text(moment: datetime) -> str:
    """Return a time as text of fixed width in UTC, so that the order of texts is the order of times."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")

"""The oracle's global troubles: those that hold up every release, such as a node that is down or an empty account.

Each trouble has one value that stands from its beginning to its end. The log has one line when it begins and one when
it ends, not one for each release. While one stands, `/readyz` and `provenance status` name it.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Collection, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from enum import StrEnum

from provenance_oracle.oracle.metrics import SILENT, Meter
from provenance_oracle.verifier.errors import TemporaryError, UsageError
from provenance_oracle.verifier.strict.timestamps import format_time
from provenance_oracle.verifier.text import printable

_log = logging.getLogger(__name__)
_REASON_MAX_CHARS = 500


class Trouble(StrEnum):
    """The kinds of global trouble. One of SOURCE exists for each source."""

    NODE = "node"
    SIGNER = "signer"
    KEY = "key"
    QUORUM = "quorum"
    PAUSED = "paused"
    FUNDS = "funds"
    FEES = "fees"
    POLICY = "policy"
    JOURNAL = "journal"
    SOURCE = "source"
    INTERNAL = "internal"
    START = "start"


# The next step for the operator. docs/operating.md has more about each.
NEXT_STEPS = {
    Trouble.NODE: "check the node and the setting rpc_urls; the oracle goes on by itself when the node answers",
    Trouble.SIGNER: "check the token, service or daemon that holds the key; the oracle goes on when it answers",
    Trouble.KEY: "have the owner announce an oracle set with this key, or name another key; see docs/operating.md",
    Trouble.QUORUM: "name the other oracles in the setting peers, or check that they run",
    Trouble.PAUSED: "ask the guardian why; the oracle goes on when the registry's owner allows writes again",
    Trouble.FUNDS: "send money to the paying account; the oracle goes on when it has arrived",
    Trouble.FEES: "wait until fees fall, or raise the setting that the reason names",
    Trouble.POLICY: "remove the cause that the reason names; the oracle asks for the policy's number again by itself",
    Trouble.JOURNAL: "make room on the journal's disk, or mend it",
    Trouble.SOURCE: "check that the source can be read; the other sources go on",
    Trouble.START: "wait for the first pass",
    Trouble.INTERNAL: "please report the line of the log with this problem; the oracle tries again",
}
# While one of these stands, nothing can be recorded.
BLOCKING = frozenset(Trouble) - {Trouble.SOURCE, Trouble.FEES}
# While one of these stands, nothing new is sent. Signing a report for other oracles stays safe, and goes on.
SENDING = frozenset({Trouble.FUNDS, Trouble.FEES})
# Those that a pass finds or finds over.
RECORDING_TROUBLES = (
    Trouble.SIGNER,
    Trouble.KEY,
    Trouble.QUORUM,
    Trouble.PAUSED,
    Trouble.FUNDS,
    Trouble.FEES,
    Trouble.POLICY,
)


@dataclass(frozen=True)
class Condition:
    """A trouble that stands.

    Attributes:
        subject: the name of the source; empty for other kinds.
        since: when it began, with a time zone.
        reason: the problem, safe to show.
        next_step: what the operator can do.
    """

    kind: Trouble
    subject: str
    since: datetime
    reason: str
    next_step: str

    @property
    def name(self) -> str:
        """The kind, and the source's name if it is about a source."""
        return f"{self.kind} {self.subject}" if self.subject else str(self.kind)


def condition_json(condition: Condition) -> dict[str, object]:
    """Return a trouble as a JSON object."""
    return {**asdict(condition), "since": format_time(condition.since)}


class TroubleError(TemporaryError):
    """A failure by a global trouble: it concerns every release, and says nothing about the one at hand."""

    def __init__(self, trouble: Trouble, problem: str, *, where: str, got: str = "", wanted: str = "") -> None:
        super().__init__(problem, where=where, got=got, wanted=wanted)
        self.trouble = trouble


class TroubleUsageError(UsageError):
    """A failure by a global trouble that lies in the settings, such as a key that is not in the oracle set."""

    def __init__(self, trouble: Trouble, problem: str, *, where: str, got: str = "", wanted: str = "") -> None:
        super().__init__(problem, where=where, got=got, wanted=wanted)
        self.trouble = trouble


def trouble_of(error: BaseException) -> Trouble | None:
    """Return the global trouble by which a step failed; None if the failure is about one release."""
    return error.trouble if isinstance(error, TroubleError | TroubleUsageError) else None


class Conditions:
    """The troubles that stand now. Threads may share it.

    Args:
        clock: returns the time now, with a time zone.
        meter: gets every beginning and end.
    """

    def __init__(self, clock: Callable[[], datetime], meter: Meter = SILENT) -> None:
        self._clock = clock
        self._meter = meter
        self._turn = threading.Lock()
        self._standing: dict[tuple[Trouble, str], Condition] = {}
        self.since = clock()
        for kind in Trouble:
            if kind not in (Trouble.SOURCE, Trouble.START):
                meter.condition(kind, stands=False)

    def begin(self, kind: Trouble, reason: object, subject: str = "", next_step: str = "") -> Condition:
        """Note that a trouble stands. If it stood before, its beginning stays and its reason is replaced.

        Args:
            reason: the problem as text, or an error.
            subject: the name of the source, for a SOURCE.
            next_step: words for the operator; empty for those of NEXT_STEPS.
        """
        shown = printable(str(reason), _REASON_MAX_CHARS)
        with self._turn:
            known = self._standing.get((kind, subject))
            if known is not None:
                known = self._standing[kind, subject] = replace(known, reason=shown)
                return known
            made = Condition(kind, printable(subject), self._clock(), shown, next_step or NEXT_STEPS[kind])
            self._standing[kind, subject] = made
        self._meter.condition(made.name, stands=True)
        _log.error("trouble begins (%s): %s; next: %s", made.name, made.reason, made.next_step)
        return made

    def end(self, kind: Trouble, subject: str = "") -> None:
        """Note that a trouble is over; do nothing if it did not stand."""
        with self._turn:
            known = self._standing.pop((kind, subject), None)
        if known is None:
            return
        self._meter.condition(known.name, stands=False)
        seconds = max(0.0, (self._clock() - known.since).total_seconds())
        _log.warning("trouble ends (%s) after %.0f s: %s", known.name, seconds, known.reason)

    def replace(self, kinds: Collection[Trouble], found: Mapping[Trouble, str]) -> None:
        """Begin each trouble that was found, and end all others of these kinds.

        Args:
            kinds: the kinds that were looked for.
            found: reasons by kind.
        """
        for kind, reason in found.items():
            self.begin(kind, reason)
        for kind in kinds:
            if kind not in found:
                self.end(kind)

    def stands(self, kind: Trouble, subject: str = "") -> bool:
        """Return whether a trouble stands."""
        with self._turn:
            return (kind, subject) in self._standing

    def standing(self) -> tuple[Condition, ...]:
        """Return every trouble that stands, the oldest first."""
        with self._turn:
            return tuple(sorted(self._standing.values(), key=lambda one: one.since))

    def blocking(self, sources: int) -> tuple[Condition, ...]:
        """Return the troubles for which the oracle is not ready, the oldest first.

        Args:
            sources: the number of sources. Troubles of sources count only if every source has one.
        """
        standing = self.standing()
        down = [one for one in standing if one.kind is Trouble.SOURCE]
        all_down = bool(down) and len(down) >= sources
        return tuple(one for one in standing if one.kind in BLOCKING or (all_down and one.kind is Trouble.SOURCE))


@dataclass(frozen=True)
class Status:
    """Whether the oracle works, and the problem if it does not."""

    ready: bool
    problem: str


class Readiness:
    """Whether records reach the chain and a source can be read. Threads may share it.

    Args:
        records: the name of the work on records.
        sources: the name of each source.
    """

    def __init__(self, conditions: Conditions, records: str, sources: Collection[str]) -> None:
        self._conditions = conditions
        self._records = records
        self._sources = tuple(sources)
        self._unseen = {records: "no pass yet"} | dict.fromkeys(sources, "no scan yet")

    def seen(self, work: str) -> None:
        """Note that a work went through once."""
        self._unseen.pop(work, None)

    @property
    def status(self) -> Status:
        """Whether the oracle works now."""
        blocking = self._conditions.blocking(len(self._sources))
        if blocking:
            return Status(ready=False, problem=blocking[0].reason)
        unseen = dict(self._unseen)
        sources = [unseen.get(source, "") for source in self._sources]
        problem = unseen.get(self._records) or (sources[0] if sources and all(sources) else "")
        return Status(ready=not problem, problem=problem)

    @property
    def blocking(self) -> tuple[Condition, ...]:
        """The troubles for which the oracle is not ready, among them that it has only begun."""
        status, blocking = self.status, self._conditions.blocking(len(self._sources))
        if status.ready or blocking:
            return blocking
        return (Condition(Trouble.START, "", self._conditions.since, status.problem, NEXT_STEPS[Trouble.START]),)

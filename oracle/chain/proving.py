"""Decide which releases are proven on chain, and follow their proofs, after the records of a pass and never before."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from provenance_oracle.oracle.backoff import Backoff
from provenance_oracle.oracle.chain.release_proofs import ReleaseProofs
from provenance_oracle.oracle.chain.transactions import Publishing
from provenance_oracle.oracle.journal.journal import Journal
from provenance_oracle.oracle.journal.proof_book import OpenProof
from provenance_oracle.oracle.journal.publications import PublicationState
from provenance_oracle.oracle.journal.rows import AttemptState, State
from provenance_oracle.oracle.logs import log_about
from provenance_oracle.oracle.metrics import SILENT, Meter
from provenance_oracle.oracle.outcomes import log_id_of, shown
from provenance_oracle.verifier.errors import ProvenanceError, UsageError
from provenance_oracle.verifier.record.fields import Record
from provenance_oracle.verifier.text import printable

_log = logging.getLogger(__name__)
# Proofs on their way at once. Each takes the place of several records in a block.
_IN_FLIGHT_MAX = 2
# New proofs that a pass looks at: each costs several requests to the node.
_LOOKS_MAX = 4
_READ_MAX = 100
# A proof that only waits, for lower fees or its turn, is looked at again as soon as after so many failures.
_PATIENT_TRIES = 4
_STATES = {
    State.JUDGED: PublicationState.OPEN,
    State.SENT: PublicationState.SENT,
    State.MINED: PublicationState.MINED,
    State.FINAL: PublicationState.FINAL,
}


class Prove(StrEnum):
    """The values of the setting `prove`: which recorded releases are proven on chain."""

    NEVER = "never"
    GRADED = "graded"
    ALWAYS = "always"

    def wants(self, record: Record) -> bool:
        """Return whether the release of a record is to be proven. One without SEV-SNP evidence cannot be."""
        if self is Prove.NEVER or record.is_signed_only:
            return False
        return self is Prove.ALWAYS or record.grade > 0


@dataclass
class _Wait:
    """How often a proof could not go on, and until when it is left alone."""

    tries: int
    until: datetime


class Proving:
    """Takes the proofs of final records on their way. It lives as long as the process.

    How long a proof waits after a failure is not stored, so a restarted oracle tries once more at once.

    Args:
        backoff: the waits after failures.
        clock: returns the time now, with a time zone.
        on_step: called before each proof. What it raises ends `settle`.
        meter: times the steps and counts how proofs ended.
    """

    def __init__(
        self,
        journal: Journal,
        backoff: Backoff,
        *,
        clock: Callable[[], datetime],
        on_step: Callable[[], object] = lambda: None,
        meter: Meter = SILENT,
    ) -> None:
        self._journal = journal
        self._backoff = backoff
        self._clock = clock
        self._on_step = on_step
        self._meter = meter
        self._waits: dict[int, _Wait] = {}

    def settle(self, proofs: ReleaseProofs, *, begins: bool) -> None:
        """Take every proof that is on its way one step further, then begin others.

        Args:
            begins: whether a proof may begin now. No record waits for its place among the transactions then.

        Raises:
            UsageError, TemporaryError: the journal fails.
        """
        found = self._journal.open_proofs(most=_READ_MAX)
        self._waits = {one.publication.id: wait for one in found if (wait := self._waits.get(one.publication.id))}
        under_way = [one for one in found if one.publication.state is not PublicationState.OPEN]
        free = _IN_FLIGHT_MAX - sum(self._is_under_way(self._stepped(proofs, one)) for one in under_way)
        if not begins:
            return
        for one in [one for one in found[len(under_way) :] if not self._is_waiting(one)][:_LOOKS_MAX]:
            if free > 0:
                free -= self._is_under_way(self._stepped(proofs, one))

    def _is_waiting(self, one: OpenProof) -> bool:
        wait = self._waits.get(one.publication.id)
        return wait is not None and self._clock() < wait.until

    def _is_under_way(self, state: PublicationState) -> bool:
        return state in (PublicationState.SIGNED, PublicationState.SENT)

    def _stepped(self, proofs: ReleaseProofs, one: OpenProof) -> PublicationState:
        """Take a proof one step further, write how that ended, and return the state of the proof."""
        self._on_step()
        with log_about(log_id_of(one.row)), self._meter.step("prove"):
            try:
                progress = proofs.step(one)
            except ProvenanceError as error:
                if error.retry or isinstance(error, UsageError):  # a UsageError is about our settings
                    return self._wait(one, str(error))
                return self._moved(one, PublicationState.DROPPED, str(error))
            except Exception as error:
                _log.debug("traceback", exc_info=error)
                return self._wait(one, f"internal error, please report it: {type(error).__name__}: {error}")
            return self._went(one, progress)

    def _went(self, one: OpenProof, progress: Publishing) -> PublicationState:
        state = _STATES[progress.state]
        if state is not PublicationState.OPEN:
            self._waits.pop(one.publication.id, None)
            return self._moved(one, state, progress.note)
        if not progress.is_alone:  # for a place among the transactions, at the next pass
            return self._moved(one, state, "")
        return self._wait(one, progress.note, tries_max=_PATIENT_TRIES)

    def _wait(self, one: OpenProof, note: str, *, tries_max: int | None = None) -> PublicationState:
        known = self._waits.get(one.publication.id)
        tries = (known.tries if known else 0) + 1
        seconds = self._backoff.delay_seconds(min(tries, tries_max or tries))
        self._waits[one.publication.id] = _Wait(tries, self._clock() + timedelta(seconds=seconds))
        # What was signed may have been stored before the failure, and given up before it too.
        is_sent = any(attempt.state is AttemptState.LIVE for attempt in self._journal.attempts_of(one.publication.id))
        stored = self._journal.publication(one.publication.id).state
        return self._moved(one, stored if is_sent else PublicationState.OPEN, note, is_looked_at=not is_sent)

    def _moved(
        self, one: OpenProof, state: PublicationState, note: str, *, is_looked_at: bool = False
    ) -> PublicationState:
        """Store the state and the remark of a proof, and tell the log if either is new."""
        before, stored, note = one.publication, self._journal.publication(one.publication.id), printable(note)
        if is_looked_at or (state, note) != (stored.state, stored.note):
            self._journal.advance_publication(before.id, state, note=note, at=self._clock())
        if (state, note) != (before.state, before.note):
            self._tell(one, state, note)
        return state

    def _tell(self, one: OpenProof, state: PublicationState, note: str) -> None:
        words, level = f"its proof is {state}", logging.INFO
        if state is PublicationState.FINAL:
            words = "is proven on chain"
            self._meter.proved("found" if note else "proven")
        elif state is PublicationState.DROPPED:
            words, level = "cannot be proven on chain", logging.WARNING
            self._meter.proved("refused")
        elif state is PublicationState.OPEN and note:
            words, level = "its proof waits", logging.WARNING
        _log.log(level, "%s: %s%s", shown(one.row), words, f": {note}" if note else "")

"""Sign the verdicts that wait in the journal with the reporting key, PASSED and FAILED alike, each once."""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Callable
from datetime import datetime

from provenance_oracle.oracle.conditions import Trouble, TroubleError
from provenance_oracle.oracle.journal.verdict_signatures import VerdictSignatures
from provenance_oracle.oracle.signers.base import Signer
from provenance_oracle.verifier.errors import UsageError
from provenance_oracle.verifier.registry.signed_verdict import digest_to_sign

_log = logging.getLogger(__name__)
_AT_ONCE = 32  # stored together
_SECONDS = 5.0  # in one pass over the records, which must not wait for a long queue of verdicts


class VerdictSigning:
    """Signs verdicts. One thread at a time, of the one process that records.

    Args:
        clock: returns the time now, with a time zone.
        on_step: called before each signature. What it raises ends the work.
        timer: returns monotonic seconds.
    """

    def __init__(
        self,
        journal: VerdictSignatures,
        signer: Signer,
        *,
        clock: Callable[[], datetime],
        on_step: Callable[[], object] = lambda: None,
        timer: Callable[[], float] = time.monotonic,
    ) -> None:
        self._journal = journal
        self._signer = signer
        self._clock = clock
        self._on_step = on_step
        self._timer = timer
        self._queued_for = ""

    def __call__(self) -> dict[Trouble, str]:
        """Sign what waits, for a few seconds, and return the trouble that stands with its reason, if one does.

        Raises:
            TemporaryError: the journal's disk is full or fails.
        """
        until = self._timer() + _SECONDS
        try:
            self._queue()
            while self._timer() < until and (waiting := self._journal.unsigned_verdicts(_AT_ONCE)):
                self._sign(waiting)
        except TroubleError as error:
            return {error.trouble: str(error)}
        except UsageError as error:
            return {Trouble.SIGNER: str(error)}
        return {}

    def _queue(self) -> None:
        address = self._signer.address
        if self._queued_for != address:
            self._journal.queue_for(address)
            self._queued_for = address

    def _sign(self, waiting: list[tuple[bytes, bytes]]) -> None:
        signed = []
        try:
            for digest, statement in waiting:
                self._on_step()
                if hashlib.sha256(statement).digest() != digest:
                    self._journal.leave_unsigned(digest)
                    _log.error("verdict %s was altered in the journal; it is not signed", digest.hex())
                    continue
                signed.append((digest, statement, self._signer.sign_der(digest_to_sign(statement))))
        finally:  # what was signed before a failure is kept
            if signed:
                self._journal.keep_verdict_signatures(self._signer.address, signed, at=self._clock())

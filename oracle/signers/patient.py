"""A signer that waits for the token, service or daemon that holds its key, also if that is down at the start."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, TypeVar

from provenance_oracle.oracle.backoff import Backoff
from provenance_oracle.oracle.conditions import Trouble, TroubleError
from provenance_oracle.oracle.signers.base import Signer
from provenance_oracle.verifier.errors import TemporaryError

_log = logging.getLogger(__name__)
_T = TypeVar("_T")
_WAIT_MAX_SECONDS = 60.0


class PatientSigner:
    """A key that is opened when its holder answers, at once if possible.

    A temporary failure of the holder is a global trouble (SIGNER), since no release can be recorded without the key.
    After a failure the holder is left alone for a wait that grows up to a minute. Until it is over, every method raises
    the same trouble and asks nothing.

    Args:
        opening: opens the key.
        backoff: the waits.
        clock: returns monotonic seconds.

    Raises (constructor and every method):
        UsageError: as for `Signer`.
        TroubleError: the holder of the key does not answer now (every method, not the constructor).
    """

    def __init__(
        self, opening: Callable[[], Signer], backoff: Backoff, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._opening = opening
        self._backoff = backoff
        self._clock = clock
        self._signer: Signer | None = None
        self._failure: TemporaryError | None = None
        self._failures = 0
        self._retry_at = 0.0
        with suppress(TroubleError):
            self.open()

    def open(self) -> Signer:
        """Return the key itself, opened now if it was not before."""
        if self._signer is None:
            self._signer = self._asked(self._opening)
        return self._signer

    @property
    def address(self) -> str:
        """See `Signer`."""
        return self.open().address

    @property
    def for_development(self) -> bool:
        """See `Signer`."""
        return self.open().for_development

    def sign_transaction(self, fields: Mapping[str, Any]) -> tuple[bytes, bytes]:
        """See `Signer`."""
        signer = self.open()
        return self._asked(lambda: signer.sign_transaction(fields))

    def call_of(self, raw: bytes) -> tuple[str, bytes]:
        """See `Signer`."""
        return self.open().call_of(raw)

    def sign_digest(self, digest: bytes) -> bytes:
        """See `Signer`."""
        signer = self.open()
        return self._asked(lambda: signer.sign_digest(digest))

    def sign_der(self, digest: bytes) -> bytes:
        """See `Signer`."""
        signer = self.open()
        return self._asked(lambda: signer.sign_der(digest))

    def _asked(self, ask: Callable[[], _T]) -> _T:
        if self._failure is not None and self._clock() < self._retry_at:
            raise _trouble(self._failure)
        try:
            answer = ask()
        except TemporaryError as error:
            self._failure = error
            self._failures += 1
            self._retry_at = self._clock() + min(_WAIT_MAX_SECONDS, self._backoff.delay_seconds(self._failures))
            raise _trouble(error) from error
        self._failure, self._failures = None, 0
        return answer


def _trouble(error: TemporaryError) -> TroubleError:
    return TroubleError(Trouble.SIGNER, error.problem, where=error.where, got=error.got, wanted=error.wanted)

"""Places for answers that are made in threads: a few at once, and a few that wait for a place."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from provenance_oracle.verifier.errors import TemporaryError


class AnswerPlaces:
    """The places of one kind of answers. A browser asks for several things at once, so a short wait is no failure.

    Args:
        at_once: the number of places.
        waiting_max: how many requests may wait for a place.
        wait_seconds: how long one waits.
    """

    def __init__(self, at_once: int, *, waiting_max: int, wait_seconds: float) -> None:
        self._free = asyncio.Semaphore(at_once)
        self._room = waiting_max
        self._wait_seconds = wait_seconds

    @asynccontextmanager
    async def place(self) -> AsyncIterator[None]:
        """Hold a place within the block. Raises TemporaryError if too many requests wait, or none becomes free."""
        await self._wait()
        try:
            yield
        finally:
            self._free.release()

    async def _wait(self) -> None:
        if self._room == 0:
            raise _too_many()
        self._room -= 1
        try:
            async with asyncio.timeout(self._wait_seconds):
                await self._free.acquire()
        except TimeoutError:
            raise _too_many() from None
        finally:
            self._room += 1


def _too_many() -> TemporaryError:
    return TemporaryError("too many requests at once", where="server")

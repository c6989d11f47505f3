"""Answers in threads wait for a place, for a short time and in a short queue."""

from __future__ import annotations

import asyncio

import pytest

from provenance_oracle.oracle.web.api.places import AnswerPlaces
from provenance_oracle.verifier.errors import TemporaryError


async def _hold(places: AnswerPlaces, until: asyncio.Event) -> str:
    async with places.place():
        await until.wait()
    return "answered"


def test_a_request_waits_until_a_place_is_free() -> None:
    async def run() -> list[str]:
        places, until = AnswerPlaces(1, waiting_max=3, wait_seconds=30), asyncio.Event()
        asked = [asyncio.create_task(_hold(places, until)) for _ in range(3)]
        await asyncio.sleep(0)
        until.set()
        return list(await asyncio.gather(*asked))

    assert asyncio.run(run()) == ["answered"] * 3


def test_a_request_is_refused_if_too_many_wait_already() -> None:
    async def run() -> None:
        places, until = AnswerPlaces(1, waiting_max=1, wait_seconds=30), asyncio.Event()
        asked = [asyncio.create_task(_hold(places, until)) for _ in range(3)]
        done, waiting = await asyncio.wait(asked, return_when=asyncio.FIRST_EXCEPTION)
        until.set()
        await asyncio.gather(*waiting)
        assert len(waiting) == 2
        done.pop().result()

    with pytest.raises(TemporaryError, match="too many requests at once"):
        asyncio.run(run())


def test_a_request_waits_no_longer_than_its_time_and_leaves_the_queue() -> None:
    async def run() -> None:
        places, until = AnswerPlaces(1, waiting_max=1, wait_seconds=0.01), asyncio.Event()
        first = asyncio.create_task(_hold(places, until))
        await asyncio.sleep(0)
        for _ in range(2):
            with pytest.raises(TemporaryError, match="too many requests at once"):
                await _hold(places, until)
        until.set()
        assert await first == "answered"
        assert await _hold(places, until) == "answered"

    asyncio.run(run())

"""Serve kept verdicts with their signatures and evidence: the folder of evidence, file by file, under /verdicts/.

GET /verdicts/ab/abcd....json            a verdict, by its SHA-256
GET /verdicts/ab/abcd....dsse.json       the same in the envelope that the oracle's key signed
GET /verdicts/ab/abcd....evidence.tar    the evidence behind it

An archive can have many megabytes, so few requests at once are answered here; the others are told to come back.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from provenance_oracle.oracle.journal.kept_evidence import KeptVerdict
from provenance_oracle.oracle.web.problems import problem_answer
from provenance_oracle.verifier.judgement.kept_evidence import ENVELOPE_SUFFIX, EVIDENCE_SUFFIX, VERDICT_SUFFIX

VERDICTS_AT_ONCE = 4
_TYPES = {
    VERDICT_SUFFIX: "application/json",
    ENVELOPE_SUFFIX: "application/json",
    EVIDENCE_SUFFIX: "application/x-tar",
}
_NAME = re.compile(rf"([0-9a-f]{{2}})/(\1[0-9a-f]{{62}})({'|'.join(map(re.escape, _TYPES))})")
_ABSENT = "this oracle keeps nothing of this name"


def verdict_route(find: Callable[[bytes], KeptVerdict | None]) -> Route:
    """Return the route.

    Args:
        find: returns the verdict with a digest (32 bytes); None if there is none. It is called in a thread.
    """
    return Route("/verdicts/{name:path}", _Verdicts(find), methods=["GET"])


class _Verdicts:
    def __init__(self, find: Callable[[bytes], KeptVerdict | None]) -> None:
        self._find = find
        self._turn = asyncio.Semaphore(VERDICTS_AT_ONCE)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request. The memory of the answer is free again before another one is begun."""
        if self._turn.locked():
            await problem_answer(503, "too many requests at once", {"Retry-After": "1"})(scope, receive, send)
            return
        async with self._turn:
            answer = await run_in_threadpool(self._answer, Request(scope).path_params["name"])
            await answer(scope, receive, send)

    def _answer(self, name: str) -> Response:
        named = _NAME.fullmatch(name)
        kept = self._find(bytes.fromhex(named[2])) if named else None
        if named is None or kept is None:
            return problem_answer(404, _ABSENT)
        parts = {VERDICT_SUFFIX: kept.statement, ENVELOPE_SUFFIX: kept.envelope, EVIDENCE_SUFFIX: kept.archive}
        data = parts[named[3]]
        return problem_answer(404, _ABSENT) if data is None else Response(data, media_type=_TYPES[named[3]])

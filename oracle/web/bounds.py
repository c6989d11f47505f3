"""The limits of a request: the size of its address and body, the time of its answer, and how many are answered at once.

One address gets only a part of the answers that are made at once, so that its slow readers leave room for others.
"""

from __future__ import annotations

import asyncio
from collections import Counter

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from provenance_oracle.oracle.web.problems import problem_answer
from provenance_oracle.verifier.errors import FormatError

BODY_MAX_BYTES = 1 << 20
ANSWER_SECONDS = 10.0
ANSWERS_MAX = 32
ANSWERS_OF_ONE_MAX = 12
TARGET_MAX_BYTES = 512


class BodyTooLargeError(FormatError):
    """A request has a larger body than any route takes."""

    http_status = 413


def refuse_body(scope: Scope) -> None:
    """Raise BodyTooLargeError if a request of a route that takes no body has one."""
    for name, value in scope["headers"]:
        if name == b"transfer-encoding" or (name == b"content-length" and value.strip(b"0 ")):
            raise BodyTooLargeError("the request has a body", where="request", got="a body", wanted="none")


class Bounded:
    """Answers with a problem if a request exceeds a limit; otherwise as `app` does."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        body_max_bytes: int,
        answer_seconds: float,
        answers_max: int,
        answers_of_one_max: int = ANSWERS_OF_ONE_MAX,
    ) -> None:
        self._app = app
        self._body_max_bytes = body_max_bytes
        self._answer_seconds = answer_seconds
        self._free = answers_max
        self._of_one_max = answers_of_one_max
        self._of_one: Counter[str] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; see the ASGI specification (https://asgi.readthedocs.io/en/latest/specs/www.html)."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        address = (scope.get("client") or ("", 0))[0]
        if len(scope.get("raw_path") or b"") + len(scope["query_string"]) > TARGET_MAX_BYTES:
            await problem_answer(414, f"the address has more than {TARGET_MAX_BYTES} bytes")(scope, receive, send)
        elif self._free == 0 or self._of_one[address] >= self._of_one_max:
            await problem_answer(503, "too many requests at once", {"Retry-After": "1"})(scope, receive, send)
        else:
            self._free -= 1
            self._of_one[address] += 1
            try:
                await self._answer(scope, receive, send)
            finally:
                self._free += 1
                self._of_one[address] -= 1
                if not self._of_one[address]:
                    del self._of_one[address]

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        has_begun, left = False, self._body_max_bytes

        async def counted_receive() -> Message:
            nonlocal left
            message = await receive()
            left -= len(message.get("body", b""))
            if left < 0:
                raise BodyTooLargeError(
                    "the body is too large", where="request", got="more", wanted=f"at most {self._body_max_bytes} bytes"
                )
            return message

        async def noted_send(message: Message) -> None:
            nonlocal has_begun
            has_begun = True
            await send(message)

        try:
            async with asyncio.timeout(self._answer_seconds):
                await self._app(scope, counted_receive, noted_send)
        except TimeoutError:
            if has_begun:
                raise
            await problem_answer(408, "the request took too long", {"Connection": "close"})(scope, receive, send)

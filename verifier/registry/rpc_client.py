"""Send JSON-RPC requests over HTTP: one by one or together, with a bound on each answer, number and pause of repeats.

A user's command sends each request once. The oracle lets the client repeat a request that failed, and keeps the answers
of one look at the chain, so that all its questions are about one moment and none is asked twice.
"""

from __future__ import annotations

import json
import logging
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from provenance_oracle.verifier.errors import TemporaryError
from provenance_oracle.verifier.registry.answers import Answers
from provenance_oracle.verifier.registry.json_rpc import ANSWER_MAX_BYTES, LOGS_ANSWER_MAX_BYTES, parse_answer
from provenance_oracle.verifier.strict.exchange import Answer, HttpClient, Server
from provenance_oracle.verifier.strict.patient_socket import STEP_SECONDS, TooMuchError

if TYPE_CHECKING:
    from web3.providers.base import JSONBaseProvider

_log = logging.getLogger(__name__)

# How often a request is repeated because the node asked for a pause, and the longest pause.
REPEATS_MAX = 3
PAUSE_MAX_SECONDS = 20
# The most requests that go to a node in one HTTP request. Providers allow 100 to 1000.
TOGETHER_MAX = 100
# Parts of the endpoint's path and query that are this long may be keys, and are not shown if a node repeats them.
_KEY_MIN_CHARS = 8
_FIRST_PAUSE_SECONDS = 0.1
_LOGS = "eth_getLogs"
# JSON-RPC errors that may pass by themselves: an internal error, and too many requests (EIP-1474).
_PASSING_CODES = (-32603, -32005)
_BUSY = (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE)

# A method with its parameters, in the form of JSON.
Asked = tuple[str, Sequence[Any]]


@dataclass(frozen=True)
class Repeating:
    """How often a request that fails is sent in all (`tries`), and for how many seconds at most.

    The pauses between tries are those for which the node asks, or double from a tenth of a second.
    """

    tries: int = 1
    seconds: float = 0.0


ONCE = Repeating()


class RpcEvent(StrEnum):
    """An event of one HTTP request: it is SENT, and then it fails in one of the other ways, or the node answers.

    SILENT: no whole answer came. BUSY: status 429 or 503. STATUS: another status than 200. TOO_LARGE: the answer has
    too many bytes or values. MALFORMED: it is not JSON. FAILED: the node says that it failed or has too much to do.
    """

    SENT = "sent"
    SILENT = "silent"
    BUSY = "busy"
    STATUS = "status"
    TOO_LARGE = "too-large"
    MALFORMED = "malformed"
    FAILED = "failed"


def ignore_event(_event: RpcEvent) -> None:
    """Do nothing."""


class RpcClient:
    """Asks one node. It is not for use by several threads at once.

    Args:
        target: path and query of the endpoint.
        headers: sent with each request.
        where: names the node in messages.
        keys: texts that no message may repeat.
        on_wait: called at least twice a second while a request or a pause lasts. What it raises ends the request.
        on_event: called with the events of each HTTP request.
        clock: returns monotonic seconds.

    Attributes:
        answers: answers that are kept; empty and closed unless `answers.open` was called.
    """

    def __init__(
        self,
        client: HttpClient,
        target: str,
        headers: Mapping[str, str],
        *,
        where: str,
        keys: Sequence[str],
        on_wait: Callable[[], object],
        repeating: Repeating,
        on_event: Callable[[RpcEvent], object],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client = client
        self._target = target
        self._headers = headers
        self._where = where
        self._keys = keys
        self._on_wait = on_wait
        self._repeating = repeating
        self._on_event = on_event
        self._clock = clock
        self._takes_batches = True
        self._together = TOGETHER_MAX
        self.answers = Answers()

    def ask(self, method: str, params: Any, request: bytes) -> Any:
        """Return the node's JSON-RPC answer to one encoded request, or the kept answer to the same question.

        Raises:
            TooMuchError: the answer has too many bytes or values.
            TemporaryError: the node does not answer, or its HTTP status says that it failed.
            ValueError: the answer is not JSON.
        """
        kept = self.answers.find(method, params)
        if kept is not None:
            return kept
        most = LOGS_ANSWER_MAX_BYTES if method == _LOGS else ANSWER_MAX_BYTES
        answer = self._repeated(request, most, may_pass=method != _LOGS)
        self.answers.keep(method, params, answer)
        return answer

    def ask_together(self, questions: Sequence[Asked]) -> list[Any]:
        """Return the node's JSON-RPC answers to several questions, in their order, and keep them if `answers` is open.

        Up to TOGETHER_MAX questions share an HTTP request. A node that takes no such request is asked one by one.

        Raises as `ask` does.
        """
        found: list[Any] = [self.answers.find(*question) for question in questions]
        missing = [place for place, answer in enumerate(found) if answer is None]
        while missing:
            places = missing[: self._together]
            answers = self._batch([questions[at] for at in places])
            if answers is None:  # fewer are likelier to pass; one alone is repeated, and its error is raised
                self._together = max(1, len(places) // 2)
                continue
            self._together = min(TOGETHER_MAX, self._together + 1 + self._together // 8)
            missing = missing[len(places) :]
            for place, answer in zip(places, answers, strict=True):
                found[place] = answer if answer is not None else self._single(*questions[place])
                self.answers.keep(*questions[place], found[place])
        return found

    def _batch(self, questions: Sequence[Asked]) -> Sequence[Any] | None:
        """Return the answers to questions that share a request, and None for each that must be asked alone.

        Return None if the request failed.
        """
        alone = [None] * len(questions)
        if not self._takes_batches or len(questions) == 1:
            return alone
        body = json.dumps([_request(*question, number) for number, question in enumerate(questions)]).encode()
        try:
            value = self._parsed(self._patiently(body, ANSWER_MAX_BYTES))
            if _passes(value):
                return None
        except (TemporaryError, TooMuchError, ValueError) as error:
            _log.debug("%s does not answer %d requests together: %s", self._where, len(questions), error)
            return None
        if not isinstance(value, list):
            self._takes_batches = False  # it said so; a node that is down or busy said nothing
            return alone
        by_number = {one.get("id"): one for one in value if isinstance(one, dict) and "result" in one}
        return [by_number.get(number) for number in range(len(questions))]

    def _single(self, method: str, params: Sequence[Any]) -> Any:
        return self.ask(method, params, json.dumps(_request(method, params, 0)).encode())

    def _repeated(self, request: bytes, most: int, *, may_pass: bool) -> Any:
        """Return the answer to a request. Send it again after a failure that may pass, within the limits."""
        started, tries = self._clock(), 1
        while True:
            try:
                value: Any = self._parsed(self._patiently(request, most))
                if not (may_pass and _passes(value)):
                    return value
            except TooMuchError:
                raise
            except TemporaryError as error:
                value = error
            wait = _FIRST_PAUSE_SECONDS * 2 ** (tries - 1)
            is_late = self._clock() - started + wait > self._repeating.seconds
            if tries >= self._repeating.tries or is_late:
                if isinstance(value, TemporaryError):
                    raise value
                return value
            tries += 1
            _pause(wait, self._on_wait)

    def _patiently(self, request: bytes, most: int) -> Answer:
        """Send a request, and again after each pause for which the node asks."""
        answer = self._send(request, most)
        for _ in range(REPEATS_MAX):
            seconds = _asked_pause(answer, self._repeating.tries > 1)
            if seconds is None:
                break
            _log.info("the node asks for fewer requests: waiting for %d s", seconds)
            _pause(seconds, self._on_wait)
            answer = self._send(request, most)
        return answer

    def _send(self, request: bytes, most: int) -> Answer:
        self._on_event(RpcEvent.SENT)
        try:
            answer = self._client.exchange("POST", self._target, self._headers, request, body_max_bytes=most)
        except TooMuchError:
            self._on_event(RpcEvent.TOO_LARGE)
            raise
        except TemporaryError:
            self._on_event(RpcEvent.SILENT)
            raise
        if answer.status != HTTPStatus.OK:
            self._on_event(RpcEvent.BUSY if answer.status in _BUSY else RpcEvent.STATUS)
        return answer

    def _parsed(self, answer: Answer) -> Any:
        """Return the JSON of an answer to one question or several, and tell the event if it is a failure."""
        on_event = self._on_event if answer.status == HTTPStatus.OK else ignore_event  # another status was one already
        try:
            value = parse_answer(answer, self._where, self._keys)
        except TooMuchError:
            on_event(RpcEvent.TOO_LARGE)
            raise
        except ValueError:
            on_event(RpcEvent.MALFORMED)
            raise
        if _passes(value):
            on_event(RpcEvent.FAILED)
        return value


def open_provider(
    server: Server,
    target: str,
    headers: dict[str, str],
    on_wait: Callable[[], object],
    repeating: Repeating = ONCE,
    on_event: Callable[[RpcEvent], object] = ignore_event,
) -> tuple[JSONBaseProvider, RpcClient]:
    """Return a provider for web3, and the client through which it asks. No network yet.

    It sends each request once, except that it repeats a request after the pause for which the node asked (status 429
    with `Retry-After`, at most REPEATS_MAX times and PAUSE_MAX_SECONDS each), and as `repeating` says.

    Args:
        on_event: called with the events of each HTTP request.
    """
    from web3.providers.base import JSONBaseProvider

    sent = {"Content-Type": "application/json", "User-Agent": "provenance-oracle", **headers}
    keys = [part for part in re.split("[/?&=]", target) if len(part) >= _KEY_MIN_CHARS]
    client = RpcClient(
        HttpClient(server, on_wait),
        target,
        sent,
        where=server.who,
        keys=keys,
        on_wait=on_wait,
        repeating=repeating,
        on_event=on_event,
    )

    class BoundedProvider(JSONBaseProvider):
        """Raises TooMuchError for an answer that is too large, and TemporaryError for one that does not come."""

        def make_request(self, method: Any, params: Any) -> Any:
            return client.ask(method, params, self.encode_rpc_request(method, params))

    return BoundedProvider(), client


def _request(method: str, params: Sequence[Any], number: int) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": number, "method": method, "params": list(params)}


def _passes(value: Any) -> bool:
    error = value.get("error") if isinstance(value, dict) else None
    return isinstance(error, dict) and error.get("code") in _PASSING_CODES


def _asked_pause(answer: Answer, also_if_unavailable: bool) -> int | None:
    """Return for how many seconds the node asks the client to wait; None if it does not, or for too long."""
    text = answer.headers.get("retry-after", "")
    statuses = _BUSY if also_if_unavailable else _BUSY[:1]
    if answer.status not in statuses or not (text.isascii() and text.isdecimal() and len(text) <= 9):
        return None
    return int(text) if int(text) <= PAUSE_MAX_SECONDS else None


def _pause(seconds: float, on_wait: Callable[[], object]) -> None:
    left = seconds
    while left > 0:
        on_wait()
        time.sleep(min(left, STEP_SECONDS))
        left -= STEP_SECONDS

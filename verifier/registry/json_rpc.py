"""Ask a node by JSON-RPC over HTTP, with a bound on everything that it may answer.

A small answer can need far more memory once it is parsed: 64 MiB of `{},{},…` take 4.8 GB. The number of values and
their depth are therefore counted in the text, before anything is built.
"""

from __future__ import annotations

import json
import logging
import re
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from provenance_oracle.verifier.errors import TemporaryError
from provenance_oracle.verifier.strict.exchange import Answer, HttpClient, Server
from provenance_oracle.verifier.strict.parse_json import RefusedJsonError, refuse_structure
from provenance_oracle.verifier.strict.patient_socket import STEP_SECONDS, TooMuchError
from provenance_oracle.verifier.text import printable

if TYPE_CHECKING:
    from web3.exceptions import Web3RPCError
    from web3.providers.base import JSONBaseProvider

_log = logging.getLogger(__name__)

ANSWER_MAX_BYTES = 2 << 20
LOGS_ANSWER_MAX_BYTES = 4 << 20
# Strings, brackets and commas. A log has about 45, so that logs are some 4,000 at once.
ANSWER_MAX_TOKENS = 200_000
_ANSWER_MAX_DEPTH = 32
_WORDS_MAX_CHARS = 200
# How often a request is repeated because the node asked for a pause, and the longest pause.
REPEATS_MAX = 3
PAUSE_MAX_SECONDS = 20
# Parts of the endpoint's path and query that are this long may be keys, and are not shown if a node repeats them.
_KEY_MIN_CHARS = 8
# What the user can do about a status.
_ADVICE: dict[int, str] = {
    HTTPStatus.UNAUTHORIZED: "a key that the provider knows, in the endpoint's URL",
    HTTPStatus.FORBIDDEN: "a key that may use this chain and method; ask the provider",
    HTTPStatus.NOT_FOUND: "the endpoint's whole URL: its path is wrong",
    HTTPStatus.TOO_MANY_REQUESTS: "fewer requests: wait, or use another plan or node",
}
_TAG = re.compile("<[^>]*>")


def open_provider(
    server: Server, target: str, headers: dict[str, str], on_wait: Callable[[], object]
) -> JSONBaseProvider:
    """Return a provider for web3. No network yet.

    It sends each request once, except that it repeats a request after the pause for which the node asked (status 429
    with `Retry-After`, at most REPEATS_MAX times and PAUSE_MAX_SECONDS each).
    """
    from web3.providers.base import JSONBaseProvider

    client = HttpClient(server, on_wait)
    sent = {"Content-Type": "application/json", "User-Agent": "provenance-oracle", **headers}
    keys = [part for part in re.split("[/?&=]", target) if len(part) >= _KEY_MIN_CHARS]

    class BoundedProvider(JSONBaseProvider):
        """Raises TooMuchError for an answer that is too large, and TemporaryError for one that does not come."""

        def make_request(self, method: Any, params: Any) -> Any:
            most = LOGS_ANSWER_MAX_BYTES if method == "eth_getLogs" else ANSWER_MAX_BYTES
            request = self.encode_rpc_request(method, params)
            answer = client.exchange("POST", target, sent, request, body_max_bytes=most)
            for _ in range(REPEATS_MAX):
                seconds = _asked_pause(answer)
                if seconds is None:
                    break
                _pause(seconds, on_wait)
                answer = client.exchange("POST", target, sent, request, body_max_bytes=most)
            return parse_answer(answer, server.who, keys)

    return BoundedProvider()


def parse_answer(answer: Answer, where: str, keys: Iterable[str] = ()) -> Any:
    """Return the JSON value of an answer. It is not checked further.

    An answer with a failing HTTP status counts if it has an error in JSON-RPC, because some nodes answer so. Its
    message then names the status. A status that is about the user's access counts as a failure in any case.

    Args:
        keys: texts that no message may repeat.

    Raises:
        TooMuchError: it has too many values or levels, or the status says that the answer would be too large.
        TemporaryError: the status is another failure. The message has the status and the node's own words.
        ValueError: it is not JSON.
    """
    if answer.status == HTTPStatus.OK:
        return _parse_json(answer.body, where)
    value: Any = None
    with suppress(ValueError, TooMuchError):  # most often it is a page for people
        value = _parse_json(answer.body, where)
    error = value.get("error") if isinstance(value, dict) else None
    status = f"HTTP status {answer.status}"
    if isinstance(error, dict) and answer.status not in _ADVICE:
        message = _without(keys, str(error.get("message", "no message")))
        return {**value, "error": {**error, "message": f"{message} ({status})"}}
    words = _words(answer.body, error, keys)
    pause = answer.headers.get("retry-after", "")
    got = f"{status}: {words}" if words else status
    got += f" (the node asks for a pause of {printable(pause, 30)} s)" if pause else ""
    failure = TooMuchError if answer.status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE else TemporaryError
    raise failure("the node failed", where=where, got=got, wanted=_ADVICE.get(answer.status, "status 200"))


def error_words(error: Web3RPCError) -> str:
    """Return the node's own words in an error of JSON-RPC, with its code."""
    response: Any = error.rpc_response
    found = response.get("error") if isinstance(response, dict) else None
    if not isinstance(found, dict):
        return printable(str(error), _WORDS_MAX_CHARS)
    return printable(f"{found.get('message')} (code {found.get('code')})", _WORDS_MAX_CHARS)


def _words(body: bytes, error: object, keys: Iterable[str]) -> str:
    """Return a node's words in a refusal: the message of a JSON-RPC error, or the beginning of the text or page."""
    text = error.get("message") if isinstance(error, dict) else error
    if not isinstance(text, str):
        text = " ".join(_TAG.sub(" ", body[: 20 * _WORDS_MAX_CHARS].decode("utf-8", "replace")).split())
    return printable(_without(keys, text), _WORDS_MAX_CHARS)


def _without(keys: Iterable[str], text: str) -> str:
    for key in keys:
        text = text.replace(key, "…")
    return text


def _asked_pause(answer: Answer) -> int | None:
    """Return for how many seconds the node asks the client to wait; None if it does not, or for too long."""
    text = answer.headers.get("retry-after", "")
    if answer.status != HTTPStatus.TOO_MANY_REQUESTS or not (text.isascii() and text.isdecimal() and len(text) <= 9):
        return None
    return int(text) if int(text) <= PAUSE_MAX_SECONDS else None


def _pause(seconds: int, on_wait: Callable[[], object]) -> None:
    _log.info("the node asks for fewer requests: waiting for %d s", seconds)
    for _ in range(round(seconds / STEP_SECONDS)):
        on_wait()
        time.sleep(STEP_SECONDS)


def _parse_json(data: bytes, where: str) -> Any:
    text = data.decode("utf-8")
    try:
        refuse_structure(text, max_depth=_ANSWER_MAX_DEPTH, max_tokens=ANSWER_MAX_TOKENS)
    except RefusedJsonError as error:
        wanted = f"at most {ANSWER_MAX_TOKENS} strings, brackets and commas, and {_ANSWER_MAX_DEPTH} levels"
        raise TooMuchError(
            "the node's answer has too many values", where=where, got=str(error), wanted=wanted
        ) from error
    return json.loads(text)

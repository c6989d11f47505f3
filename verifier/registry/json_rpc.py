"""Parse what a node answers to JSON-RPC over HTTP, with a bound on everything.

A small answer can need far more memory once it is parsed: 64 MiB of `{},{},…` take 4.8 GB. The number of values and
their depth are therefore counted in the text, before anything is built.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from contextlib import suppress
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from provenance_oracle.verifier.errors import TemporaryError
from provenance_oracle.verifier.strict.exchange import Answer
from provenance_oracle.verifier.strict.parse_json import RefusedJsonError, refuse_structure
from provenance_oracle.verifier.strict.patient_socket import TooMuchError
from provenance_oracle.verifier.text import printable

if TYPE_CHECKING:
    from web3.exceptions import Web3RPCError

ANSWER_MAX_BYTES = 2 << 20
LOGS_ANSWER_MAX_BYTES = 4 << 20
# Strings, brackets and commas. A log has about 45, so that logs are some 4,000 at once.
ANSWER_MAX_TOKENS = 200_000
_ANSWER_MAX_DEPTH = 32
_WORDS_MAX_CHARS = 200
# What the user can do about a status.
_ADVICE: dict[int, str] = {
    HTTPStatus.UNAUTHORIZED: "a key that the provider knows, in the endpoint's URL",
    HTTPStatus.FORBIDDEN: "a key that may use this chain and method; ask the provider",
    HTTPStatus.NOT_FOUND: "the endpoint's whole URL: its path is wrong",
    HTTPStatus.TOO_MANY_REQUESTS: "fewer requests: wait, or use another plan or node",
}
_TAG = re.compile("<[^>]*>")


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

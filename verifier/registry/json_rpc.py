"""Ask a node by JSON-RPC over HTTP, with a bound on everything that it may answer.

A small answer can need far more memory once it is parsed: 64 MiB of `{},{},…` take 4.8 GB. The number of values and
their depth are therefore counted in the text, before anything is built.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from provenance_oracle.verifier.errors import TemporaryError
from provenance_oracle.verifier.strict.exchange import Answer, HttpClient, Server
from provenance_oracle.verifier.strict.parse_json import RefusedJsonError, refuse_structure
from provenance_oracle.verifier.strict.patient_socket import TooMuchError

if TYPE_CHECKING:
    from web3.providers.base import JSONBaseProvider

ANSWER_MAX_BYTES = 2 << 20
LOGS_ANSWER_MAX_BYTES = 4 << 20
# Strings, brackets and commas. A log has about 45, so that logs are some 4,000 at once.
ANSWER_MAX_TOKENS = 200_000
_ANSWER_MAX_DEPTH = 32


def open_provider(
    server: Server, target: str, headers: dict[str, str], on_wait: Callable[[], object]
) -> JSONBaseProvider:
    """Return a provider for web3 that sends each request once. No network yet."""
    from web3.providers.base import JSONBaseProvider

    client = HttpClient(server, on_wait)
    sent = {"Content-Type": "application/json", "User-Agent": "provenance-oracle", **headers}

    class BoundedProvider(JSONBaseProvider):
        """Raises TooMuchError for an answer that is too large, and TemporaryError for one that does not come."""

        def make_request(self, method: Any, params: Any) -> Any:
            most = LOGS_ANSWER_MAX_BYTES if method == "eth_getLogs" else ANSWER_MAX_BYTES
            request = self.encode_rpc_request(method, params)
            return parse_answer(client.exchange("POST", target, sent, request, body_max_bytes=most), server.who)

    return BoundedProvider()


def parse_answer(answer: Answer, where: str) -> Any:
    """Return the JSON value of an answer. It is not checked further.

    An answer with a failing HTTP status counts if it has an error in JSON-RPC, because some nodes answer so.

    Raises:
        TooMuchError: it has too many values or levels, or the status says that the answer would be too large.
        TemporaryError: the status is another failure. ValueError: it is not JSON.
    """
    if answer.status == HTTPStatus.OK:
        return _parse_json(answer.body, where)
    value = None
    with suppress(ValueError, TooMuchError):  # most often it is a page for people
        value = _parse_json(answer.body, where)
    if isinstance(value, dict) and isinstance(value.get("error"), dict):
        return value
    failure = TooMuchError if answer.status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE else TemporaryError
    raise failure("the node failed", where=where, got=f"HTTP status {answer.status}", wanted="status 200")


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

"""Failures as HTTP answers of the type application/problem+json (RFC 9457). The error's class gives the status."""

from __future__ import annotations

import logging
from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse

from provenance_oracle.verifier.errors import ProvenanceError, TemporaryError
from provenance_oracle.verifier.text import printable

MEDIA_TYPE = "application/problem+json"
_DETAIL_MAX_CHARS = 500
_RETRY_SECONDS = 1
_log = logging.getLogger(__name__)


class TooOftenError(TemporaryError):
    """A client sends more requests than it may. `retry_after_seconds` is a whole number, at least 1."""

    http_status = 429

    def __init__(self, problem: str, *, retry_after_seconds: int, got: str = "", wanted: str = "") -> None:
        super().__init__(problem, where="client", got=got, wanted=wanted)
        self.retry_after_seconds = retry_after_seconds


def problem_answer(
    status: int, detail: str = "", headers: dict[str, str] | None = None, **members: object
) -> JSONResponse:
    """Return a problem document.

    Args:
        status: the HTTP status; its phrase is the title.
        detail: the problem in words.
        members: further members of the document.
    """
    body = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status}
    if detail:
        body["detail"] = printable(detail, _DETAIL_MAX_CHARS)
    return JSONResponse(body | members, status, headers, MEDIA_TYPE)


async def answer_failed(_request: Request, error: Exception) -> JSONResponse:
    """Return the answer to a request that failed on purpose: by a `ProvenanceError` or by Starlette itself."""
    if isinstance(error, ProvenanceError):
        seconds = error.retry_after_seconds if isinstance(error, TooOftenError) else _RETRY_SECONDS
        headers = {"Retry-After": str(seconds)} if error.retry else None
        return problem_answer(error.http_status, str(error), headers, check=error.check, retry=error.retry)
    assert isinstance(error, HTTPException)
    return problem_answer(error.status_code, headers=dict(error.headers or {}))


async def answer_broken(request: Request, error: Exception) -> JSONResponse:
    """Return the answer to a request that failed by a bug, and log the bug. The answer does not describe it."""
    _log.error("%s: internal error: %s: %s", printable(request.url.path), type(error).__name__, error, exc_info=error)
    return problem_answer(500)

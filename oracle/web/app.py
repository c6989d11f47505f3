"""The application behind the oracle's HTTP server.

GET  /healthz            200 while the process answers
GET  /readyz             200 while records can be written; otherwise 503 with the troubles that stand
GET  /metrics            the figures for Prometheus
GET  /status             the document of `provenance status`
POST /hooks/huggingface  a hint from the Hub, see `hooks`

Other routes: `batches`, `verdicts`, and `proposals` with the other oracles of a quorum.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp

from provenance_oracle.oracle.conditions import Condition, condition_json
from provenance_oracle.oracle.web.bounds import ANSWER_SECONDS, ANSWERS_MAX, BODY_MAX_BYTES, Bounded
from provenance_oracle.oracle.web.hooks import HubHook
from provenance_oracle.oracle.web.open_headers import OpenApiHeaders
from provenance_oracle.oracle.web.problems import answer_broken, answer_failed, problem_answer
from provenance_oracle.verifier.errors import ProvenanceError

_METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_KEPT_SECONDS = 1.0
_T = TypeVar("_T")


@dataclass(frozen=True)
class Views:
    """The parts of the oracle that the routes show. Each is called in a thread of the server.

    Attributes:
        blocking: returns the troubles for which the oracle is not ready.
        metrics: returns the text for Prometheus.
        status: returns the document of `provenance status`.
    """

    blocking: Callable[[], Sequence[Condition]]
    metrics: Callable[[], bytes]
    status: Callable[[], Mapping[str, object]]


def make_app(views: Views, hook: HubHook | None = None, routes: Sequence[BaseRoute] = ()) -> ASGIApp:
    """Return the application.

    Args:
        hook: answers webhooks of the Hub; None if there is no secret for it.
        routes: routes of other rooms.
    """
    metrics, status = _kept(views.metrics), _kept(views.status)

    def healthz(_request: Request) -> Response:
        return JSONResponse({"alive": True})

    def readyz(_request: Request) -> Response:
        troubles = views.blocking()
        if not troubles:
            return JSONResponse({"ready": True})
        named = ", ".join(one.name for one in troubles)
        return problem_answer(503, named, ready=False, conditions=[condition_json(one) for one in troubles])

    def show_metrics(_request: Request) -> Response:
        return Response(metrics(), media_type=_METRICS_TYPE)

    def show_status(_request: Request) -> Response:
        return JSONResponse(dict(status()))

    own: list[BaseRoute] = [
        Route("/healthz", healthz),
        Route("/readyz", readyz),
        Route("/metrics", show_metrics),
        Route("/status", show_status),
    ]
    if hook is not None:
        own.append(Route("/hooks/huggingface", hook.answer, methods=["POST"]))
    app = Starlette(
        routes=[*own, *routes],
        exception_handlers={ProvenanceError: answer_failed, HTTPException: answer_failed, Exception: answer_broken},
    )
    app.router.redirect_slashes = False
    bounded = Bounded(app, body_max_bytes=BODY_MAX_BYTES, answer_seconds=ANSWER_SECONDS, answers_max=ANSWERS_MAX)
    return OpenApiHeaders(bounded)


def _kept(make: Callable[[], _T]) -> Callable[[], _T]:
    """Return a function that makes a value anew at most once in _KEPT_SECONDS, however many threads ask."""
    turn, kept = threading.Lock(), list[tuple[float, _T]]()

    def value() -> _T:
        with turn:
            if not kept or time.monotonic() - kept[0][0] > _KEPT_SECONDS:
                kept[:] = [(time.monotonic(), make())]
            return kept[0][1]

    return value

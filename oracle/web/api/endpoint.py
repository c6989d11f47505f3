"""Make Starlette's routes of the API's table: limits first, then parameters, then the answer with its entity tag.

Point reads are answered in the server's own thread: a thread of a pool would cost more than the read. The slow routes
have threads and few places, so that no search delays a point read.
"""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import parse_qsl

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope, Send

from provenance_oracle.oracle.web.api.parameters import values_of_query
from provenance_oracle.oracle.web.api.places import AnswerPlaces
from provenance_oracle.oracle.web.api.rate import RateLimit
from provenance_oracle.oracle.web.api.recent_bodies import RecentBodies
from provenance_oracle.oracle.web.api.table import API_PREFIX, ApiRoute, Body
from provenance_oracle.oracle.web.bounds import refuse_body
from provenance_oracle.verifier.errors import UsageError

SLOW_AT_ONCE = 4
QUICK_AT_ONCE = 16
WAITING_MAX = 24  # with the places of slow answers fewer than the server makes at once, and more than two clients have
WAIT_SECONDS = 5.0  # one page of the explorer has more slow requests than there are places
_QUERY_FIELDS_MAX = 8
_IMMUTABLE = "public, max-age=31536000, immutable"
_FRESH = "public, max-age=5"


def starlette_routes(table: Sequence[ApiRoute], rate: RateLimit, *, is_remote: bool = False) -> list[BaseRoute]:
    """Return the routes of a table. GET and HEAD are answered, and no other method.

    Args:
        is_remote: whether the index is in a database of another process, so that a point read waits in a thread too.
    """
    recent = RecentBodies()
    slow, quick = _places(SLOW_AT_ONCE), _places(QUICK_AT_ONCE) if is_remote else None
    return [
        Route(API_PREFIX + _pattern(one), _Endpoint(one, rate, recent, slow if one.is_slow else quick), methods=["GET"])
        for one in table
    ]


def _places(at_once: int) -> AnswerPlaces:
    return AnswerPlaces(at_once, waiting_max=WAITING_MAX, wait_seconds=WAIT_SECONDS)


def body_answer(body: Body, request: Request, media_type: str) -> Response:
    """Return a body as an answer: 304 without it if the client has it (RFC 9110, section 13.1.2)."""
    etag = body.etag
    headers = {"ETag": etag, "Cache-Control": _IMMUTABLE if body.is_immutable else _FRESH, **body.headers}
    known = request.headers.get("if-none-match", "")
    if known and (known.strip() == "*" or etag in (one.strip().removeprefix("W/") for one in known.split(","))):
        return Response(status_code=304, headers=headers)
    return Response(body.data, media_type=media_type, headers=headers)


class _Endpoint:
    """Answers the requests of one route, in threads if it has places."""

    def __init__(self, route: ApiRoute, rate: RateLimit, recent: RecentBodies, places: AnswerPlaces | None) -> None:
        self._route = route
        self._rate = rate
        self._recent = recent
        self._places = places

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request; see the ASGI specification. Raises ProvenanceError."""
        self._rate.take((scope["client"] or ("", 0))[0])
        refuse_body(scope)
        request = Request(scope)
        address = scope["raw_path"] + b"?" + scope["query_string"]  # decoded, a path may hold what looks like a query
        body = self._recent.find(address)
        if body is None:
            body = await self._made(request)
            self._recent.keep(address, body)
        await body_answer(body, request, self._route.media_type)(scope, receive, send)

    async def _made(self, request: Request) -> Body:
        """Return the body of an answer. Raises ProvenanceError."""
        values = {one.name: one.parse(request.path_params[one.name]) for one in self._route.in_path}
        values |= values_of_query(self._route.in_query, _pairs(request.scope["query_string"]))
        if self._places is None:
            return self._route.handler(**values)
        async with self._places.place():
            return await run_in_threadpool(self._route.handler, **values)


def _pattern(route: ApiRoute) -> str:
    path = route.path
    for one in route.in_path:
        if one.kind.has_slashes:
            path = path.replace(f"{{{one.name}}}", f"{{{one.name}:path}}")
    return path


def _pairs(query: bytes) -> list[tuple[str, str]]:
    try:
        return parse_qsl(
            query.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=_QUERY_FIELDS_MAX
        )
    except ValueError:
        raise UsageError("the query cannot be read", where="query", wanted="a few NAME=VALUE in UTF-8") from None

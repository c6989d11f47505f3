"""Serve our own proposals to the other oracles of a quorum; `quorum.http_exchange` describes the pages."""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from provenance_oracle.oracle.quorum.http_exchange import OwnProposals

_ID_BYTES = 32


def proposals_route(own: OwnProposals) -> Route:
    """Return the route that serves pages of our proposals of one kind. They are signed for a public contract."""

    def page(request: Request) -> Response:
        after = request.query_params.get("after", "")
        try:
            start = bytes.fromhex(after)
        except ValueError:
            start = b"?"
        if len(start) not in (0, _ID_BYTES) or start.hex() != after:
            raise HTTPException(400, "after is not a key of 64 lower-case hex digits")
        return Response(own.page(start), media_type="application/json")

    return Route(own.kind.path, page)

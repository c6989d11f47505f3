"""Serve the leaves document of each batch: GET /batches/ROOT.json, the address that `batch_uri` names."""

from __future__ import annotations

import re
from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from provenance_oracle.oracle.web.problems import problem_answer

_ROOT = re.compile(r"[0-9a-f]{64}\.json")


def batch_route(document_of: Callable[[bytes], bytes | None]) -> Route:
    """Return the route.

    Args:
        document_of: returns the leaves document of the batch with a root (32 bytes); None if there is none. It is
            called in a thread of the server.
    """

    def answer(request: Request) -> Response:
        name = request.path_params["name"]
        document = document_of(bytes.fromhex(name[:64])) if _ROOT.fullmatch(name) else None
        if document is None:
            return problem_answer(404, "no batch of this oracle has this root")
        return Response(document, media_type="application/json")

    return Route("/batches/{name}", answer)

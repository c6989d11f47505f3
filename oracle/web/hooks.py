"""Webhooks: hints that a source may have something new. A hint brings the next scan forward, and decides nothing."""

from __future__ import annotations

import hmac
import json
from collections.abc import Callable, Sequence

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from provenance_oracle.oracle.sources.hub import SCHEME, parse_hub_source
from provenance_oracle.oracle.web.problems import problem_answer
from provenance_oracle.verifier.errors import FormatError

_RINGS_MAX = 10  # at once; then one in each _RING_SECONDS
_RING_SECONDS = 2.0


class HubHook:
    """`POST /hooks/huggingface` (https://huggingface.co/docs/hub/webhooks): wakes the scan of a Hub source.

    Args:
        secret: the secret of the webhook, which the Hub sends in the header X-Webhook-Secret.
        sources: the names of the sources. Those of other kinds are left out.
        wake: brings the scan of a source forward, by its name.
        clock: returns monotonic seconds.
    """

    def __init__(
        self, secret: bytes, sources: Sequence[str], wake: Callable[[str], object], clock: Callable[[], float]
    ) -> None:
        self._secret = secret
        self._sources = [source for source in sources if source.startswith(SCHEME)]
        self._wake = wake
        self._clock = clock
        self._rings = {source: (float(_RINGS_MAX), clock()) for source in self._sources}

    async def answer(self, request: Request) -> Response:
        """Answer a request: 202 if it was taken, 401 without the secret, 422 for another body, 429 if it is too early.

        Raises:
            HTTPException, FormatError: as above.
        """
        given = request.headers.get("x-webhook-secret", "").encode("utf-8", "replace")
        if not hmac.compare_digest(given, self._secret):
            raise HTTPException(401)
        repository = _repository_of(await request.body())
        sources = [source for source in self._sources if concerns(source, repository)]
        ready = [source for source in sources if self._may_ring(source)]
        for source in ready:
            self._wake(source)
        if sources and not ready:
            return problem_answer(429, "the next scan is near", {"Retry-After": str(round(_RING_SECONDS))})
        return JSONResponse({"accepted": True}, 202)

    def _may_ring(self, source: str) -> bool:
        """Take one of the source's rings; return False if there is none left."""
        left, since = self._rings[source]
        now = self._clock()
        left = min(float(_RINGS_MAX), left + (now - since) / _RING_SECONDS)
        self._rings[source] = (left - 1 if left >= 1 else left, now)
        return left >= 1


def _repository_of(body: bytes) -> str:
    """Return `repo.name` of a webhook's payload.

    Raises:
        FormatError: the payload has no such member.
    """
    try:
        name = json.loads(body)["repo"]["name"]
    except (ValueError, TypeError, KeyError, RecursionError):
        name = None
    if not isinstance(name, str):
        raise FormatError("not a webhook of the Hub", where="request", wanted="an object with repo.name")
    return name


def concerns(source: str, repository: str) -> bool:
    """Return whether a repository (ORG/NAME) belongs to a source on the Hub, at any revision. Case does not count."""
    owner, _, name = repository.lower().partition("/")
    return any(part.owner.lower() == owner and part.name.lower() in ("", name) for part in parse_hub_source(source))

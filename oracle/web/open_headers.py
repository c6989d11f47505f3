"""Headers that let pages of any origin read the public API, also its problems."""

from __future__ import annotations

from starlette.types import ASGIApp, Message, Receive, Scope, Send

_OPEN_PATHS = "/api/"
# Every page may read them: they are public, and no cookie goes with a request.
_OPEN = [
    (b"access-control-allow-origin", b"*"),
    (b"access-control-expose-headers", b"etag, retry-after"),
    (b"x-content-type-options", b"nosniff"),
]


class OpenApiHeaders:
    """Adds to every answer of the API, also to a problem, that any page may read it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; see the ASGI specification."""

        async def open_send(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *_OPEN]
            await send(message)

        is_ours = scope["type"] == "http" and scope["path"].startswith(_OPEN_PATHS)
        await self._app(scope, receive, open_send if is_ours else send)

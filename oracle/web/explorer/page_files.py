"""Serve the explorer's page: a few files of `oracle/web/page/`, read once at the start.

The page runs under a policy that lets it load nothing but its own files and ask nothing but this server and the chain's
nodes that the operator names. `index.html` has the place of the chain in a block of data.

GET /                        the page
GET /app.js, ...             its files
GET /r/MODEL/MANIFEST        the page with a title and a picture of that release for those who share the address
GET /r/MODEL/app.js, ...     its files again: the page names them relative to itself
"""

from __future__ import annotations

import gzip
import html
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from provenance_oracle.oracle.web.api.endpoint import body_answer
from provenance_oracle.oracle.web.api.table import Body
from provenance_oracle.oracle.web.problems import problem_answer

_TYPES = {
    "html": "text/html; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "svg": "image/svg+xml",
    "png": "image/png",
    "ico": "image/x-icon",
    "woff2": "font/woff2",
    "json": "application/json",
}
_CONFIG = re.compile(rb'(<script type="application/json" id="config">).*?(</script>)', re.DOTALL)
_INDEX = "index.html"
_DIGEST = re.compile("[0-9a-f]{64}")
_HOST = re.compile(r"[A-Za-z0-9.-]{1,253}(:[0-9]{1,5})?|\[[0-9a-fA-F:.]{2,45}\](:[0-9]{1,5})?")
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}


@dataclass(frozen=True)
class SharedRelease:
    """What those see who get the address of a release: three texts, which may be hostile, and the id of its record."""

    title: str
    text: str
    record_id: bytes


class PageFiles:
    """The files of the page, ready to send.

    Args:
        config: the block of data in `index.html`.
        origins: origins of nodes that the page may ask, such as `https://node.example`.
        share: returns what to show of a release, by model and manifest digest (32 bytes each); None if there is none.
            It is called in a thread, since its database may be slow.
    """

    def __init__(
        self,
        config: Mapping[str, Any],
        origins: Sequence[str],
        share: Callable[[bytes, bytes], SharedRelease | None] = lambda _model, _manifest: None,
    ) -> None:
        self._headers = {"Content-Security-Policy": content_policy(origins), **_HEADERS}
        self._share = share
        self._files: dict[str, bytes] = {}
        for file in resources.files("provenance_oracle.oracle.web").joinpath("page").iterdir():
            if file.name.rpartition(".")[2] in _TYPES:
                self._files[file.name] = file.read_bytes()
        self._files[_INDEX] = with_config(self._files[_INDEX], config)
        self._zipped = {name: gzip.compress(data, 9, mtime=0) for name, data in self._files.items()}

    def routes(self) -> list[BaseRoute]:
        """Return the routes of the page."""
        return [
            Route("/", self._index),
            Route("/{name}", self._file),
            Route("/r/{model}/{name}", self._release),
        ]

    async def _index(self, request: Request) -> Response:
        return self._answer(request, _INDEX)

    async def _file(self, request: Request) -> Response:
        return self._answer(request, request.path_params["name"])

    async def _release(self, request: Request) -> Response:
        model, name = request.path_params["model"], request.path_params["name"]
        if name in self._files:
            return self._answer(request, name)
        if not (_DIGEST.fullmatch(model) and _DIGEST.fullmatch(name)):
            return problem_answer(404)
        shared = await run_in_threadpool(self._share, bytes.fromhex(model), bytes.fromhex(name))
        if shared is None:
            return self._answer(request, _INDEX)
        page = self._files[_INDEX].replace(b"</head>", _tags(shared, _origin(request)).encode() + b"</head>", 1)
        return body_answer(Body(page, headers={**self._headers, "Vary": "Host"}), request, _TYPES["html"])

    def _answer(self, request: Request, name: str) -> Response:
        if name not in self._files:
            return problem_answer(404)
        headers = {**self._headers, "Vary": "Accept-Encoding"}
        data = self._files[name]
        if "gzip" in request.headers.get("accept-encoding", ""):
            data = self._zipped[name]
            headers["Content-Encoding"] = "gzip"
        return body_answer(Body(data, headers=headers), request, _TYPES[name.rpartition(".")[2]])


def content_policy(origins: Sequence[str]) -> str:
    """Return the page's Content-Security-Policy (https://www.w3.org/TR/CSP3/), with the nodes that it may ask."""
    connect = " ".join(("'self'", *origins))
    return (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        f"connect-src {connect}; worker-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
        "require-trusted-types-for 'script'; trusted-types worker"
    )


def with_config(page: bytes, config: Mapping[str, Any]) -> bytes:
    """Return the page with another block of data. No text in it ends the block."""
    text = json.dumps(config).replace("<", "\\u003c").encode()
    return _CONFIG.sub(lambda found: found[1] + text + found[2], page, count=1)


def _origin(request: Request) -> str:
    """Return the origin under which the client asked; empty if it named none that can be one."""
    host = request.headers.get("host", "")
    return f"{request.url.scheme}://{host}" if _HOST.fullmatch(host) else ""


def _tags(shared: SharedRelease, origin: str) -> str:
    """Return the tags of the Open Graph protocol (https://ogp.me/) for a release."""
    picture = f"{origin}/api/v1/card/{shared.record_id.hex()}.png"
    properties = {
        "og:type": "website",
        "og:title": shared.title,
        "og:description": shared.text,
        "og:image": picture,
        "og:image:width": "1200",
        "og:image:height": "630",
        "twitter:card": "summary_large_image",
    }
    return "".join(
        f'<meta {"name" if name.startswith("twitter") else "property"}="{name}" content="{html.escape(text)}">\n'
        for name, text in properties.items()
    )

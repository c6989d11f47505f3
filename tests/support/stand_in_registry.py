"""A stand-in for an OCI registry on the loopback: the shapes of the distribution API, and faults as a test asks.

Blobs are redirects to a store on another port, which refuses a request with an Authorization header. With a password
the registry asks for a token of its own realm, as the token specification has it.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from provenance_oracle.oracle.sources.oci import ARTIFACT_TYPE, FILEPATH
from tests.support.fake_nodes import QuietHandler, serving

WEIGHT = "application/vnd.cncf.model.weight.v1.raw"
NAME = "acme/model"


def digest_of(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


@dataclass
class StandInRegistry:
    """The state of the stand-in.

    Attributes:
        blobs, manifests: bytes by digest. Tests can put other bytes there.
        tags: the digest of each tag's manifest.
        password: of the user `user`; "" for none.
        page_tags: tags on a page.
        breaks_after: the store ends each answer after so many bytes; None: never.
        next_page: the link to the next page of tags, with {} for the last tag.
        status: may return a status with which the registry refuses a path.
        asked: server (`registry` or `store`), path with query, and header Authorization of each request.
    """

    blobs: dict[str, bytes] = field(default_factory=dict)
    manifests: dict[str, bytes] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    password: str = ""
    page_tags: int = 1000
    breaks_after: int | None = None
    ranges: bool = True
    next_page: str = f"</v2/{NAME}/tags/list?n=1000&last={{}}>"
    status: Callable[[str], int | None] = lambda _path: None
    asked: list[tuple[str, str, str]] = field(default_factory=list)
    url: str = ""
    store: str = ""

    @property
    def host(self) -> str:
        return self.url.removeprefix("http://")

    def push(self, tag: str, files: dict[str, bytes], **changes: Any) -> str:
        """Push an artifact with a layer for each file; `changes` are members of its manifest. Return its digest."""
        layers = [self.layer(path, data) for path, data in files.items()]
        config = self.layer("config", b"{}") | {"mediaType": "application/vnd.cncf.model.config.v1+json"}
        manifest = {"schemaVersion": 2, "artifactType": ARTIFACT_TYPE, "config": config, "layers": layers, **changes}
        data = json.dumps(manifest).encode()
        self.manifests[digest_of(data)] = data
        self.tags[tag] = digest_of(data)
        return digest_of(data)

    def push_folder(self, tag: str, folder: Path) -> str:
        paths = sorted(path for path in folder.rglob("*") if path.is_file())
        return self.push(tag, {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths})

    def layer(self, path: str, data: bytes, kind: str = WEIGHT) -> dict[str, Any]:
        self.blobs[digest_of(data)] = data
        return {"mediaType": kind, "digest": digest_of(data), "size": len(data), "annotations": {FILEPATH: path}}


class _Handler(QuietHandler):
    def send(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


def _store(state: StandInRegistry) -> type[_Handler]:
    class Store(_Handler):
        def do_GET(self) -> None:
            state.asked.append(("store", self.path, self.headers.get("Authorization", "")))
            if self.headers.get("Authorization"):
                return self.send(400)
            data, start, headers = state.blobs[self.path.removeprefix("/")], 0, {}
            wanted = self.headers.get("Range", "") if state.ranges else ""
            if wanted:
                start = int(wanted.removeprefix("bytes=").removesuffix("-"))
                headers["Content-Range"] = f"bytes {start}-{len(data) - 1}/{len(data)}"
            headers["Content-Length"] = str(len(data) - start)
            self.close_connection = True
            return self.send(206 if wanted else 200, data[start:][: state.breaks_after], **headers)

    return Store


def _registry(state: StandInRegistry) -> type[_Handler]:
    class Registry(_Handler):
        def do_GET(self) -> None:
            header, parts = self.headers.get("Authorization", ""), urlsplit(self.path)
            state.asked.append(("registry", self.path, header))
            if parts.path == "/token":
                return self.token(header, parse_qs(parts.query))
            if state.password and header != "Bearer opaque":
                words = f'realm="{state.url}/token",service="here",scope="repository:{NAME}:pull"'
                return self.send(401, **{"WWW-Authenticate": f"Bearer {words}"})
            if (status := state.status(parts.path)) is not None:
                return self.send(status)
            return self.answer(parts.path.removeprefix(f"/v2/{NAME}/"), parse_qs(parts.query))

        def token(self, header: str, query: dict[str, list[str]]) -> None:
            basic = f"Basic {base64.b64encode(f'user:{state.password}'.encode()).decode()}"
            if header == basic and query == {"service": ["here"], "scope": [f"repository:{NAME}:pull"]}:
                return self.send(200, b'{"token": "opaque"}')
            return self.send(401)

        def answer(self, path: str, query: dict[str, list[str]]) -> None:
            kind, _, name = path.partition("/")
            if kind == "tags":
                return self.tags(query.get("last", [""])[0])
            if kind == "manifests":
                data = state.manifests.get(state.tags.get(name, name))
                return self.send(404) if data is None else self.send(200, data)
            return self.send(307, Location=f"{state.store}/{name}") if name in state.blobs else self.send(404)

        def tags(self, after: str) -> None:
            tags = [tag for tag in sorted(state.tags) if tag > after][: state.page_tags]
            more = bool(tags) and tags[-1] != max(state.tags)
            link = {"Link": f'{state.next_page.format(tags[-1])}; rel="next"'} if more else {}
            self.send(200, json.dumps({"name": NAME, "tags": tags}).encode(), **link)

    return Registry


@contextmanager
def running_registry() -> Iterator[StandInRegistry]:
    """Run the registry and its store."""
    state = StandInRegistry()
    with serving(_registry(state)) as url, serving(_store(state)) as store:
        state.url, state.store = url, store
        yield state

"""A stand-in for the Hugging Face Hub on the loopback: the shapes of its API, and as many faults as a test asks for.

It serves the paths that `oracle.sources.hub_api` names, with pages and the header Link, limits and the header
RateLimit. It serves files as the hub does: small ones through a redirect on the same host, LFS and Xet files from a
store on another port with a signed address. The store refuses a request that carries an Authorization header.
"""

from __future__ import annotations

import hashlib
import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlsplit

LARGE_BYTES = 1000  # files from this size on lie in the store
_NOT_FOUND = {"X-Error-Code": "RepoNotFound", "X-Error-Message": "Repository not found"}
CHANGED_AT = "2026-01-02T03:04:05.000Z"


@dataclass(frozen=True)
class Asked:
    """A request that arrived: the server (`hub` or `store`), its path and query, and its headers in lower case."""

    server: str
    path: str
    headers: dict[str, str]


@dataclass
class Reply:
    """An answer. `body` is cut to the range that the request asks for, unless `is_whole`."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    is_whole: bool = True


@dataclass
class StandInHub:
    """The state of the stand-in.

    Attributes:
        commits: the files of each commit of each repository.
        heads: the commit at the head of the branch `main`.
        page_items: items on a page.
        limit: requests that the API allows in a window; None: no limit and no headers.
        token: the token that private repositories need.
        before: may answer a request in place of the stand-in.
        asked: all requests.
    """

    commits: dict[str, dict[str, dict[str, bytes]]] = field(default_factory=dict)
    heads: dict[str, str] = field(default_factory=dict)
    private: set[str] = field(default_factory=set)
    page_items: int = 1000
    limit: int | None = None
    token: str = ""
    before: Callable[[Asked], Reply | None] = lambda _asked: None
    asked: list[Asked] = field(default_factory=list)
    url: str = ""
    store_url: str = ""

    def push(self, repository: str, files: dict[str, bytes]) -> str:
        """Make a commit with these files the head of a repository, and return its number."""
        text = json.dumps([repository, *((name, hashlib.sha1(data).hexdigest()) for name, data in files.items())])
        commit = hashlib.sha1(text.encode()).hexdigest()
        self.commits.setdefault(repository, {})[commit] = dict(files)
        self.heads[repository] = commit
        return commit

    def push_folder(self, repository: str, folder: Path) -> str:
        """Push all files of a folder."""
        paths = sorted(path for path in folder.rglob("*") if path.is_file())
        return self.push(repository, {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths})

    def paths(self, start: str = "/") -> list[str]:
        """Return the paths of the requests that begin so, without queries."""
        return [urlsplit(one.path).path for one in self.asked if one.path.startswith(start)]

    def answer(self, asked: Asked) -> Reply:
        """Return the answer to a request."""
        reply = self.before(asked)
        if reply is None:
            reply = self._of_store(asked) if asked.server == "store" else self._of_hub(asked)
        return reply if reply.is_whole else _cut(reply, asked.headers.get("range", ""))

    def _of_hub(self, asked: Asked) -> Reply:
        parts = urlsplit(asked.path)
        if found := re.fullmatch(r"/api/resolve-cache/models/([^/]+/[^/]+)/([0-9a-f]{40})/(.+)", parts.path):
            return self._file(found[1], found[2], unquote(found[3]), asked, is_cache=True)
        if parts.path.startswith("/api/"):
            if self.limit is not None:
                self.limit -= 1
                if self.limit < 0:
                    return Reply(429, b"{}", {"RateLimit": '"api";r=0;t=7', "Retry-After": "7"})
            reply = self._of_api(parts.path, parse_qs(parts.query), asked)
            if self.limit is not None:
                reply.headers |= {
                    "RateLimit": f'"api";r={self.limit};t=55',
                    "RateLimit-Policy": '"fixed window";"api";q=500;w=300',
                }
            return reply
        found = re.fullmatch(r"/([^/]+/[^/]+)/resolve/([0-9a-f]{40})/(.+)", parts.path)
        if found is None:
            return Reply(404)
        return self._file(found[1], found[2], unquote(found[3]), asked)

    def _of_api(self, path: str, query: dict[str, list[str]], asked: Asked) -> Reply:
        if path == "/api/models":
            owner = query["author"][0].lower()
            names = [name for name in self.heads if name.lower().startswith(f"{owner}/") and self._may(name, asked)]
            return self._page(path, query, [self._described(name) for name in names])
        if found := re.fullmatch(r"/api/models/([^/]+/[^/]+)(?:/revision/(.+))?", path):
            if found[1] not in self.heads or not self._may(found[1], asked):
                return Reply(404 if self.token else 401, b'{"error":"Repository not found"}', _NOT_FOUND)
            return Reply(200, json.dumps(self._described(found[1])).encode())
        if found := re.fullmatch(r"/api/models/([^/]+/[^/]+)/tree/([0-9a-f]{40})(?:/(.*))?", path):
            files = self.commits.get(found[1], {}).get(found[2])
            if files is None or not self._may(found[1], asked):
                return Reply(404, b'{"error":"Repository not found"}')
            folder = unquote(found[3] or "")
            items = _tree(files, f"{folder}/" if folder else "")
            if not items and folder:
                return Reply(404, b'{"error":"not found"}', {"X-Error-Code": "EntryNotFound"})
            return self._page(path, query, items)
        return Reply(404)

    def _may(self, repository: str, asked: Asked) -> bool:
        return repository not in self.private or asked.headers.get("authorization") == f"Bearer {self.token}"

    def _described(self, repository: str) -> dict[str, object]:
        files = self.commits[repository][self.heads[repository]]
        used = sum(map(len, files.values()))
        names = {"_id": "6", "id": repository, "sha": self.heads[repository], "lastModified": CHANGED_AT}
        return {**names, "usedStorage": used, "trendingScore": 0.5}

    def _page(self, path: str, query: dict[str, list[str]], items: list[Any]) -> Reply:
        start = int(query.get("cursor", ["0"])[0])
        end = start + self.page_items
        rest = "&".join(f"{name}={quote(one)}" for name, many in query.items() for one in many if name != "cursor")
        link = {"Link": f'<{self.url}{path}?{rest}&cursor={end}>; rel="next"'} if end < len(items) else {}
        return Reply(200, json.dumps(items[start:end]).encode(), link)

    def _file(self, repository: str, commit: str, path: str, asked: Asked, *, is_cache: bool = False) -> Reply:
        data = self.commits.get(repository, {}).get(commit, {}).get(path)
        if data is None or not self._may(repository, asked):
            return Reply(404, b"Entry not found")
        oid = hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()
        stated = {"X-Repo-Commit": commit, "Accept-Ranges": "bytes", "ETag": f'"{oid}"'}
        if is_cache:
            return Reply(200, data, stated, is_whole=False)
        if len(data) < LARGE_BYTES:
            place = f"/api/resolve-cache/models/{quote(repository)}/{commit}/{quote(path)}"
            return Reply(307, b"Temporary Redirect", {**stated, "Location": place})
        digest = hashlib.sha256(data).hexdigest()
        stated |= {"X-Linked-Size": str(len(data)), "X-Linked-Etag": f'"{digest}"'}
        signed = f"{self.store_url}/{quote(repository)}/{commit}/{quote(path)}?X-Amz-Signature={digest}"
        if path.endswith(".xet"):
            stated["X-Xet-Hash"] = digest
        return Reply(302, b"Found. Redirecting", {**stated, "Location": signed})

    def _of_store(self, asked: Asked) -> Reply:
        if "authorization" in asked.headers:
            return Reply(400, b"only one authorization is allowed")
        found = re.fullmatch(r"/([^/]+/[^/]+)/([0-9a-f]{40})/(.+)", urlsplit(asked.path).path)
        assert found
        return Reply(200, self.commits[found[1]][found[2]][unquote(found[3])], is_whole=False)


@contextmanager
def stand_in_hub() -> Iterator[StandInHub]:
    """Run the hub and its store until the block ends."""
    hub = StandInHub()
    servers = [ThreadingHTTPServer(("127.0.0.1", 0), _handler(hub, name)) for name in ("hub", "store")]
    hub.url, hub.store_url = (f"http://127.0.0.1:{server.server_port}" for server in servers)
    threads = [threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True) for server in servers]
    for thread in threads:
        thread.start()
    try:
        yield hub
    finally:
        for server in servers:
            server.shutdown()
            server.server_close()


def _tree(files: dict[str, bytes], below: str) -> list[dict[str, object]]:
    folders: dict[str, dict[str, object]] = {}
    items: list[dict[str, object]] = []
    for path, data in files.items():
        if not path.startswith(below):
            continue
        segments = path.removeprefix(below).split("/")[:-1]
        for depth in range(len(segments)):
            name = below + "/".join(segments[: depth + 1])
            folders[name] = {"type": "directory", "oid": "0" * 40, "size": 0, "path": name}
        oid = hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()
        item: dict[str, object] = {"type": "file", "oid": oid, "size": len(data), "path": path}
        if len(data) >= LARGE_BYTES:
            digest = hashlib.sha256(data).hexdigest()
            item["lfs"] = {"oid": digest, "size": len(data), "pointerSize": 134}
            item |= {"xetHash": digest} if path.endswith(".xet") else {}
        items.append(item)
    return [*folders.values(), *items]


def _cut(reply: Reply, wanted: str) -> Reply:
    found = re.fullmatch(r"bytes=(\d+)-(\d+)", wanted)
    if found is None or reply.status != 200:
        return reply
    first, last = int(found[1]), min(int(found[2]), len(reply.body) - 1)
    headers = {**reply.headers, "Content-Range": f"bytes {first}-{last}/{len(reply.body)}"}
    return Reply(206, reply.body[first : last + 1], headers)


def _handler(hub: StandInHub, name: str) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = 1 << 16  # head and body leave together, so no acknowledgement is waited for

        def do_GET(self) -> None:
            asked = Asked(name, self.path, {key.lower(): value for key, value in self.headers.items()})
            hub.asked.append(asked)
            reply = hub.answer(asked)
            self.send_response(reply.status)
            headers = {"Content-Length": str(len(reply.body)), **reply.headers}
            for key, value in headers.items():
                if value:
                    self.send_header(key, value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(reply.body)

        def do_HEAD(self) -> None:
            self.do_GET()

        def log_message(self, *_arguments: object) -> None:
            pass

    return Handler

"""The calls to the Hugging Face Hub that a source of releases needs: heads, listings and files of model repositories.

Source: huggingface.co/docs/hub/api, and huggingface_hub 2.4 (`hf_api.py`, `utils/_pagination.py`, `file_download.py`):

    GET /api/models?author=ORG&expand=sha&expand=lastModified&limit=1000       a page; the next one in the header Link
    GET /api/models/ORG/NAME/revision/REV?expand=sha&expand=lastModified
    GET /api/models/ORG/NAME/tree/SHA/FOLDER?recursive=true                    a page of files and folders
    GET /ORG/NAME/resolve/SHA/PATH                                             the bytes, or a redirect to them

LFS and Xet files are redirects to another host with a signed address, which takes range requests like the hub itself.
Every answer is bounded in bytes, tokens and depth, and the number of pages is bounded by the caller.
"""

from __future__ import annotations

import http
import json
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode, urljoin, urlsplit

from provenance_oracle.oracle.sources.request_budget import RequestBudget
from provenance_oracle.oracle.sources.web_client import WebClient, status_error
from provenance_oracle.verifier.errors import ChangedError, TemporaryError
from provenance_oracle.verifier.strict.exchange import OpenAnswer
from provenance_oracle.verifier.strict.parse_json import RefusedJsonError, refuse_structure
from provenance_oracle.verifier.strict.patient_socket import TooMuchError
from provenance_oracle.verifier.text import printable

HUB_URL = "https://huggingface.co"
_API, _RESOLVERS = "api", "resolvers"
_PAGE_ITEMS = 1000
_JSON_MAX_BYTES = 8 << 20  # a page of 1,000 files has some 300 KB
_JSON_TOKENS_MAX = 200_000
_JSON_DEPTH_MAX = 32
_PIECE_BYTES = 256 * 1024
_TRIES_MAX = 3  # of a request that the hub answers with status 429
_HEADERS = {"User-Agent": "provenance-oracle", "Accept": "*/*"}
_NEXT = re.compile(r'<([^<>"\s]{1,4096})>\s*;\s*rel="?next"?')
_LEGAL = http.HTTPStatus.UNAVAILABLE_FOR_LEGAL_REASONS
_NOT_SHOWN = frozenset({http.HTTPStatus.UNAUTHORIZED, http.HTTPStatus.FORBIDDEN, _LEGAL})
_NONE = frozenset({http.HTTPStatus.NOT_FOUND, http.HTTPStatus.GONE})


class NothingThereError(TemporaryError):
    """The hub has nothing at an address."""


class NotShownError(NothingThereError):
    """The hub does not show an address to this token, and perhaps has nothing there."""


@dataclass(frozen=True)
class HubPlace:
    """A commit of a repository: `repository` is ORG/NAME, `commit` has 40 hex digits."""

    repository: str
    commit: str

    def __str__(self) -> str:
        return f"hf://{self.repository}@{self.commit}"


class HubApi:
    """A client of one hub. Several threads may use it at once.

    Args:
        web: the client of the hub's site.
        clock: returns monotonic seconds.
        sleep: sleeps for some seconds, to keep to the hub's limits. What it raises ends the wait.
    """

    def __init__(
        self,
        web: WebClient,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self._web = web
        self._budget = RequestBudget(web.url, clock, sleep)

    def models_of(self, owner: str, *, pages_max: int) -> Iterator[Mapping[str, Any]]:
        """Yield the descriptions of an owner's models, the last changed one first.

        Raises:
            NothingThereError: there is no such owner. TemporaryError: the hub does not answer, or not in its format.
        """
        query = [("author", owner), ("sort", "lastModified"), ("direction", "-1"), ("limit", str(_PAGE_ITEMS))]
        yield from self._pages("/api/models", [*query, *_EXPAND], pages_max)

    def model(self, repository: str, revision: str) -> Mapping[str, Any]:
        """Return the description of a repository's revision. Raises as `models_of` does."""
        path = f"/api/models/{_quoted(repository)}/revision/{quote(revision, safe='')}"
        found, _ = self._json(f"{path}?{urlencode(_EXPAND)}")
        if not isinstance(found, dict):
            raise self._malformed("a list")
        return found

    def tree(self, place: HubPlace, folder: str, *, pages_max: int) -> Iterator[Mapping[str, Any]]:
        """Yield every file and folder below a folder of a commit; "" is its root. Raises as `models_of` does."""
        path = f"/api/models/{_quoted(place.repository)}/tree/{place.commit}"
        query = [("recursive", "true"), ("expand", "false")]
        yield from self._pages(f"{path}/{_quoted(folder)}".rstrip("/"), query, pages_max)

    @contextmanager
    def file(self, place: HubPlace, path: str, *, size: int, offset: int) -> Iterator[Iterator[bytes]]:
        """Open a file of a commit and yield its bytes from `offset` on, in pieces.

        Args:
            size: the file's size in bytes, more than `offset`.

        Raises (call and iterator):
            ChangedError: the hub has the file no longer, or with another size, or from another commit.
            TemporaryError: the hub or its store does not answer.
        """
        url = f"{self._web.url}/{_quoted(place.repository)}/resolve/{place.commit}/{_quoted(path)}"
        headers = {**_HEADERS, "Range": f"bytes={offset}-{size - 1}"}
        with self._asked(_RESOLVERS, url, headers, lambda answer: _refuse_other(answer, place, path, size)) as answer:
            if answer.status in _NONE | _NOT_SHOWN:
                got = f"status {answer.status}"
                problem = "the hub no longer gives the file"
                raise ChangedError(problem, where=f"{place}: {printable(path)}", got=got, wanted="its bytes")
            if answer.status not in (http.HTTPStatus.OK, http.HTTPStatus.PARTIAL_CONTENT):
                raise status_error(answer, f"{place}: {printable(path)}")
            _refuse_other_range(answer, f"{place}: {printable(path)}", size, offset)
            yield iter(lambda: answer.read(_PIECE_BYTES), b"")

    def _pages(self, path: str, query: list[tuple[str, str]], pages_max: int) -> Iterator[Mapping[str, Any]]:
        """Yield the items of all pages of a list.

        Raises:
            TooMuchError: there are more than `pages_max` pages.
        """
        address = f"{path}?{urlencode(query)}"
        seen = {address}
        for _ in range(pages_max):
            items, link = self._json(address)
            if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
                raise self._malformed("no list of objects")
            yield from items
            if not link:
                return
            address = self._next(link, path)
            if address in seen:
                raise self._malformed("a page that leads back to itself")
            seen.add(address)
        wanted = f"at most {pages_max} pages"
        raise TooMuchError("the list has too many pages", where=self._web.url, got="more", wanted=wanted)

    def _next(self, link: str, path: str) -> str:
        """Return the address of the next page: on the same site and of the same list."""
        parts = urlsplit(urljoin(f"{self._web.url}{path}", link))
        if f"{parts.scheme}://{parts.netloc}" != self._web.url or parts.path != path:
            raise self._malformed("a page that leads elsewhere")
        return f"{parts.path}?{parts.query}"

    def _json(self, address: str) -> tuple[Any, str]:
        """Return the parsed body of an answer, and the address of the next page, if there is one."""
        where = f"{self._web.url}{address.partition('?')[0]}"
        with self._asked(_API, f"{self._web.url}{address}", _HEADERS) as answer:
            if answer.status in _NONE | _NOT_SHOWN:
                error = NotShownError if answer.status in _NOT_SHOWN else NothingThereError
                raise error("the hub shows nothing here", where=where, got=f"status {answer.status}")
            if answer.status != http.HTTPStatus.OK:
                raise status_error(answer, where)
            body = b""
            while piece := answer.read(_PIECE_BYTES):
                body += piece
                if len(body) > _JSON_MAX_BYTES:
                    wanted = f"at most {_JSON_MAX_BYTES} bytes"
                    raise TooMuchError("the answer is too large", where=where, got="more", wanted=wanted)
        link = _NEXT.search(answer.headers.get("link", ""))
        try:
            text = body.decode("utf-8")
            refuse_structure(text, max_depth=_JSON_DEPTH_MAX, max_tokens=_JSON_TOKENS_MAX)
            return json.loads(text), link[1] if link else ""
        except (ValueError, RecursionError, RefusedJsonError):
            raise self._malformed("no such JSON") from None

    @contextmanager
    def _asked(
        self,
        group: str,
        url: str,
        headers: Mapping[str, str],
        on_answer: Callable[[OpenAnswer], object] = lambda _answer: None,
    ) -> Iterator[OpenAnswer]:
        """Send a request within the budget; one that the hub refuses with status 429 is sent again after the wait."""

        def noted(answer: OpenAnswer) -> None:
            self._budget.note(group, answer.status, answer.headers)
            on_answer(answer)

        for tried in range(1, _TRIES_MAX + 1):
            self._budget.take(group)
            with self._web.get(url, headers, noted) as answer:
                if answer.status != http.HTTPStatus.TOO_MANY_REQUESTS or tried == _TRIES_MAX:
                    yield answer
                    return
                self._budget.note(group, answer.status, answer.headers)  # it may be the store's

    def _malformed(self, got: str) -> TemporaryError:
        problem, wanted = "the hub's answer is malformed", "an answer in the format of the hub's API"
        return TemporaryError(problem, where=self._web.url, got=got, wanted=wanted)


_EXPAND = (("expand", "sha"), ("expand", "lastModified"), ("expand", "usedStorage"))


def _quoted(path: str) -> str:
    return quote(path, safe="/", errors="surrogatepass")


def _refuse_other(answer: OpenAnswer, place: HubPlace, path: str, size: int) -> None:
    """Refuse an answer of the hub for another commit, or for a file of another size."""
    commit, linked = answer.headers.get("x-repo-commit", ""), answer.headers.get("x-linked-size", "")
    where = f"{place}: {printable(path)}"
    if commit and commit != place.commit:
        got = printable(commit)
        raise ChangedError("the hub answers for another commit", where=where, got=got, wanted=place.commit)
    if linked and linked != str(size):
        got = f"{printable(linked)} bytes"
        raise ChangedError("the hub states another size", where=where, got=got, wanted=f"{size} bytes")


def _refuse_other_range(answer: OpenAnswer, where: str, size: int, offset: int) -> None:
    """Refuse an answer with other bytes than were asked for."""
    encoding = answer.headers.get("content-encoding", "identity")
    if encoding != "identity":
        problem, wanted = "the store sends encoded bytes", "the bytes themselves"
        raise TemporaryError(problem, where=where, got=printable(encoding), wanted=wanted)
    if answer.status == http.HTTPStatus.OK:
        got, wanted = f"0-/{answer.headers.get('content-length', size)}", f"0-/{size}"
        is_right = offset == 0 and got == wanted
    else:
        got, wanted = answer.headers.get("content-range", ""), f"bytes {offset}-{size - 1}/{size}"
        is_right = got == wanted
    if not is_right:
        got = printable(got)
        raise ChangedError("the store sends other bytes than asked for", where=where, got=got, wanted=wanted)

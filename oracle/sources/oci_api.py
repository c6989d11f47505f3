"""The calls to an OCI registry that a source of releases needs: tags, manifests and blobs of one repository.

Source: the OCI Distribution Specification 1.1.

    GET /v2/NAME/tags/list?n=1000            {"tags": [...]}, a page; the next one in the header Link
    GET /v2/NAME/manifests/TAG or DIGEST     the manifest, whose SHA-256 is its digest
    GET /v2/NAME/blobs/DIGEST                the bytes, or a redirect to them

The header Authorization goes to the registry only, and never to a host to which it redirects. Every answer is bounded.
"""

from __future__ import annotations

import hashlib
import http
import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import urljoin, urlsplit

from provenance_oracle.oracle.sources.oci_login import RegistryLogin
from provenance_oracle.oracle.sources.web_client import WebClient, status_error
from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.errors import ChangedError, TemporaryError
from provenance_oracle.verifier.strict.exchange import OpenAnswer
from provenance_oracle.verifier.strict.parse_json import RefusedJsonError, refuse_structure
from provenance_oracle.verifier.text import printable

MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json"
_PAGE_TAGS = 1000
_TAGS_MAX_BYTES = 1 << 20
_MANIFEST_MAX_BYTES = 4 << 20  # the least that a registry must take, and the most that many do
_PIECE_BYTES = 256 * 1024
_NEXT = re.compile(r'<([^<>"\s]{1,4096})>\s*;\s*rel="?next"?')
_TAG = re.compile("[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}")
DIGEST = re.compile("sha256:[0-9a-f]{64}")


class GoneError(ChangedError):
    """The registry has a manifest or blob no longer."""


class OciRepository:
    """A client of one repository of a registry. Several threads may use it at once.

    Args:
        web: the client of the registry's site, which sends the header of `login`.
        name: the repository's name in the registry.
    """

    def __init__(self, web: WebClient, login: RegistryLogin, name: str, where: str) -> None:
        self._web = web
        self._login = login
        self._name = name
        self.where = where

    def tags(self, *, pages_max: int) -> Iterator[str]:
        """Yield the tags, at most `pages_max` pages of a thousand. A tag of another form is left out.

        Raises:
            TemporaryError: the registry does not answer, or not in its format.
        """
        path = f"/v2/{self._name}/tags/list"
        address = f"{path}?n={_PAGE_TAGS}"
        for _ in range(pages_max):
            with self._asked(address) as answer:
                found = self._json(self._body(answer, _TAGS_MAX_BYTES))
            tags = found.get("tags") or []
            if not isinstance(tags, list):
                raise self._malformed("no list of tags")
            yield from (tag for tag in tags if isinstance(tag, str) and _TAG.fullmatch(tag))
            link = _NEXT.search(answer.headers.get("link", ""))
            if link is None:
                return
            parts = urlsplit(urljoin(f"{self._web.url}{path}", link[1]))
            following = f"{parts.path}?{parts.query}"
            if f"{parts.scheme}://{parts.netloc}" != self._web.url or parts.path != path or following == address:
                raise self._malformed("a page that leads elsewhere")
            address = following

    def manifest(self, reference: str) -> tuple[str, Mapping[str, Any]]:
        """Return the digest of a manifest and its content.

        Args:
            reference: a tag, or a digest, which is then compared.

        Raises:
            GoneError: there is none any more. ChangedError: its bytes have another digest.
            TemporaryError: the registry does not answer, or not in its format.
        """
        with self._asked(f"/v2/{self._name}/manifests/{reference}", {"Accept": MANIFEST_TYPE}) as answer:
            if answer.status == http.HTTPStatus.NOT_FOUND:
                raise GoneError("the registry no longer has the manifest", where=f"{self.where}@{reference}")
            body = self._body(answer, _MANIFEST_MAX_BYTES)
        digest = f"sha256:{hashlib.sha256(body).hexdigest()}"
        if DIGEST.fullmatch(reference) and digest != reference:
            raise _other_bytes(f"{self.where}@{reference}", digest, reference)
        return digest, self._json(body)

    @contextmanager
    def blob(self, digest: str, offset: int) -> Iterator[Iterator[bytes]]:
        """Open a blob and yield its bytes from `offset` on, in pieces. The caller compares the digest.

        Raises:
            GoneError: there is none any more. TemporaryError: the registry does not answer.
        """
        headers = {"Range": f"bytes={offset}-"} if offset else {}
        with self._asked(f"/v2/{self._name}/blobs/{digest}", headers) as answer:
            if answer.status == http.HTTPStatus.NOT_FOUND:
                raise GoneError("the registry no longer has the blob", where=f"{self.where}: {digest}")
            if answer.status not in (http.HTTPStatus.OK, http.HTTPStatus.PARTIAL_CONTENT):
                raise status_error(answer, f"{self.where}: {digest}")
            if offset and answer.status == http.HTTPStatus.OK:
                _skip(answer, offset)
            elif offset and not answer.headers.get("content-range", "").startswith(f"bytes {offset}-"):
                raise self._malformed("another range than was asked for")
            yield iter(lambda: answer.read(_PIECE_BYTES), b"")

    @contextmanager
    def _asked(self, address: str, headers: Mapping[str, str] | None = None) -> Iterator[OpenAnswer]:
        """Send a request; if the registry asks for a login, log in and send it once more."""
        url, sent = f"{self._web.url}{address}", {"User-Agent": "provenance-oracle", **(headers or {})}
        with self._web.get(url, sent) as answer:
            if answer.status != http.HTTPStatus.UNAUTHORIZED or not answer.headers.get("www-authenticate"):
                yield answer
                return
            challenge = answer.headers["www-authenticate"]
        self._login.answer(challenge, self._web.url)
        with self._web.get(url, sent) as answer:
            yield answer

    def _body(self, answer: OpenAnswer, most: int) -> bytes:
        if answer.status != http.HTTPStatus.OK:
            raise status_error(answer, self.where)
        body = b""
        while piece := answer.read(_PIECE_BYTES):
            body += piece
            if len(body) > most:
                raise self._malformed(f"more than {most} bytes")
        return body

    def _json(self, body: bytes) -> Mapping[str, Any]:
        try:
            text = body.decode("utf-8")
            refuse_structure(text, max_depth=32, max_tokens=1_000_000)
            found = json.loads(text)
        except (ValueError, RecursionError, RefusedJsonError):
            found = None
        if not isinstance(found, dict):
            raise self._malformed("no JSON object")
        return found

    def _malformed(self, got: str) -> TemporaryError:
        problem, wanted = "the registry's answer is malformed", "an answer as the OCI Distribution Specification has it"
        return TemporaryError(problem, where=self.where, got=printable(got, 200), wanted=wanted)


def match_blob(where: str, got: str, wanted: str) -> None:
    """Compare the digest of a blob's bytes with its name.

    Raises:
        ChangedError: they differ (check `file-digests`).
    """
    if got != wanted:
        raise _other_bytes(where, got, wanted)


def _other_bytes(where: str, got: str, wanted: str) -> ChangedError:
    problem = "the registry sends other bytes than the digest names"
    return ChangedError(problem, check=Check.FILE_DIGESTS, where=where, got=got, wanted=wanted)


def _skip(answer: OpenAnswer, size: int) -> None:
    """Read past the first bytes of an answer: the server knows no ranges."""
    while size > 0 and (piece := answer.read(min(size, _PIECE_BYTES))):
        size -= len(piece)

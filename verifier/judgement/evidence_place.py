"""Read a verdict with its evidence from where an oracle keeps it: a folder, or the same files behind a URL.

    PLACE/ab/abcd....json   PLACE/ab/abcd....dsse.json   PLACE/ab/abcd....evidence.tar

Everything is read bounded, and nothing is believed: the caller compares it with the record on chain.
"""

from __future__ import annotations

import http
from collections.abc import Callable
from pathlib import Path
from typing import Protocol
from urllib.parse import quote, urlsplit

from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.errors import FormatError, RecordError, TemporaryError, UsageError
from provenance_oracle.verifier.judgement.kept_evidence import (
    ENVELOPE_SUFFIX,
    EVIDENCE_SUFFIX,
    VERDICT_SUFFIX,
    kept_name,
)
from provenance_oracle.verifier.judgement.rejudge import KeptFiles
from provenance_oracle.verifier.manifest.dsse import MAX_ENVELOPE_BYTES
from provenance_oracle.verifier.registry.signed_verdict import ENVELOPE_MAX_BYTES, VERDICT_MAX_BYTES
from provenance_oracle.verifier.strict.exchange import HttpClient, Server, default_port, environment_proxy
from provenance_oracle.verifier.strict.files import open_folder, open_root, read_start
from provenance_oracle.verifier.strict.release_folder import followed, holds
from provenance_oracle.verifier.text import printable

ARCHIVE_MAX_BYTES = MAX_ENVELOPE_BYTES + 8 * 1024 * 1024
_SECONDS = 60.0  # for each 4 MiB
_PIECE_BYTES = 256 * 1024
_HEADERS = {"Accept": "*/*", "User-Agent": "provenance-oracle"}
_CHECK = Check.REGISTRY_RECORD


class EvidencePlace(Protocol):
    """A place with files by name."""

    @property
    def where(self) -> str:
        """The place in messages."""

    def read(self, name: str, most: int) -> bytes | None:
        """Return the bytes of a file; None if it is not there.

        Raises:
            FormatError: it has more than `most` bytes, or is no file. TemporaryError: it cannot be read now.
        """


def open_place(text: str, on_wait: Callable[[], object] = lambda: None) -> EvidencePlace:
    """Return the place that a text names: a URL, http or https, or else a folder.

    Args:
        on_wait: called at least twice a second while a server is waited for.

    Raises:
        UsageError: the URL is malformed, has another scheme, or names a user, a query or a fragment.
    """
    return _Url(text, on_wait) if "://" in text else _Folder(Path(text))


def read_kept(place: EvidencePlace, verdict_digest: bytes) -> KeptFiles:
    """Read what a place has of a PASSED verdict with this digest (32 bytes).

    Raises:
        RecordError: the place does not have the verdict or its evidence.
        UsageError: there is no such folder. Otherwise as `EvidencePlace.read`.
    """

    def read(suffix: str, most: int) -> bytes | None:
        return place.read(kept_name(verdict_digest, suffix), most)

    statement = read(VERDICT_SUFFIX, VERDICT_MAX_BYTES)
    archive = None if statement is None else read(EVIDENCE_SUFFIX, ARCHIVE_MAX_BYTES)
    if statement is None or archive is None:
        missing = "verdict" if statement is None else "evidence of the verdict"
        wanted = "the folder or the server of an oracle that signed the record"
        got = f"no {kept_name(verdict_digest, VERDICT_SUFFIX if statement is None else EVIDENCE_SUFFIX)}"
        raise RecordError(f"the {missing} is not here", check=_CHECK, where=place.where, got=got, wanted=wanted)
    return KeptFiles(statement, archive, read(ENVELOPE_SUFFIX, ENVELOPE_MAX_BYTES), place.where)


class _Folder:
    def __init__(self, path: Path) -> None:
        self._path = followed(path)

    @property
    def where(self) -> str:
        return printable(str(self._path))

    def read(self, name: str, most: int) -> bytes | None:
        with open_root(self._path) as root:
            if not holds(root, name):
                return None
            part, _, file = name.partition("/")
            with open_folder(root, part) as folder:
                data = read_start(folder, file, most + 1)
        if len(data) > most:
            raise _too_large(f"{self.where}/{name}", most)
        return data


class _Url:
    def __init__(self, url: str, on_wait: Callable[[], object]) -> None:
        self._server, self._path = _parse_url(url)
        self._client = HttpClient(self._server, on_wait)

    @property
    def where(self) -> str:
        return self._server.who

    def read(self, name: str, most: int) -> bytes | None:
        where = f"{self.where}/{name}"
        with self._client.opened("GET", f"{self._path}/{name}", _HEADERS) as answer:
            if answer.status == http.HTTPStatus.NOT_FOUND:
                return None
            if answer.status != http.HTTPStatus.OK:
                got = f"status {answer.status}"
                raise TemporaryError("the server gave no usable answer", where=where, got=got, wanted="status 200")
            data = bytearray()
            while piece := answer.read(min(_PIECE_BYTES, most + 1 - len(data))):
                data += piece
                if len(data) > most:
                    raise _too_large(where, most)
            return bytes(data)


def _parse_url(url: str) -> tuple[Server, str]:
    """Return the server of a URL, and the path without a slash at its end."""
    shown = printable(url, 200)
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
        is_plain = not (parts.query or parts.fragment or "@" in parts.netloc)
    except ValueError:
        host, port, is_plain = "", None, False
    if not (host and is_plain and url.isascii() and url.isprintable() and " " not in url):
        wanted = "https://HOST/PATH, without a user, a query or a fragment"
        raise UsageError(
            "the text is not the URL of a place with evidence", where="--evidence", got=shown, wanted=wanted
        )
    if parts.scheme not in ("http", "https"):
        raise UsageError("this kind of URL is not supported", where="--evidence", got=shown, wanted="http or https")
    scheme, path = parts.scheme, parts.path.rstrip("/")
    proxy = environment_proxy(scheme, host)
    server = Server(scheme, host, port or default_port(scheme), shown.rstrip("/"), _SECONDS, proxy=proxy)
    return server, quote(path, safe="/%")


def _too_large(where: str, most: int) -> FormatError:
    return FormatError("too large", check=_CHECK, where=where, got="more", wanted=f"at most {most} bytes")

"""The oracle's log: one line for each event, as text or as JSON, with one id for everything about one release.

The lines about a batch have the batch's number. The lines of its releases name that number when they go into the batch
and when they leave it, so both ways can be followed.

No character of a release, a node or a client acts on the terminal that shows the log. An URL is shown without user,
path and query, which often hold a key.
"""

from __future__ import annotations

import hashlib
import json
import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import IO, Any
from urllib.parse import urlsplit

from provenance_oracle.verifier.errors import UsageError
from provenance_oracle.verifier.text import printable

FORMATS = ("text", "json")
LEVELS = ("error", "warning", "info", "debug")
_OURS = "provenance_oracle"
_LINE_MAX_CHARS = 4000
_TRACE_MAX_CHARS = 20_000
_ID_DIGITS = 8
_URL = re.compile(r"\b[a-z][a-z0-9+.-]{1,20}://[^\s'\"<>]+", re.IGNORECASE)
_WEB = ("http", "https", "ws", "wss", "postgresql", "postgres")
_RELEASE: ContextVar[str] = ContextVar("release", default="")
_BATCH: ContextVar[int | None] = ContextVar("batch", default=None)


def log_id(source: str, release: str, content: bytes = b"") -> str:
    """Return the id of a release in the log: the same at every start, and for every manifest of the release.

    Args:
        source, release: as in the key of the journal's row.
        content: the digest of the signed manifest (32 bytes), if it is known. It adds a second part to the id.
    """
    place = hashlib.sha256(json.dumps([source, release]).encode()).hexdigest()[:_ID_DIGITS]
    return f"{place}-{content.hex()[:_ID_DIGITS]}" if content else place


@contextmanager
def log_about(tag: str) -> Iterator[None]:
    """Give every line that this thread logs within the block the id of a release.

    A thread that the block starts has the id too if it runs in a copy of the context (`contextvars.copy_context`).
    """
    token = _RELEASE.set(tag)
    try:
        yield
    finally:
        _RELEASE.reset(token)


@contextmanager
def log_about_batch(number: int) -> Iterator[None]:
    """Give every line that this thread logs within the block the number of a batch: the id of its publication."""
    token = _BATCH.set(number)
    try:
        yield
    finally:
        _BATCH.reset(token)


def current_release() -> str:
    """Return the id of the release that this thread works on; empty if there is none."""
    return _RELEASE.get()


def configure_logs(stream: IO[str], *, level: str, log_format: str) -> None:
    """Send the log to a stream. A second call replaces the first.

    Args:
        level: one of LEVELS. It holds for this program; the log of a library begins at `warning`, because libraries
            log requests with their keys below that.
        log_format: one of FORMATS.

    Raises:
        UsageError: `level` or `log_format` is another text.
    """
    _check("log_format", log_format, FORMATS)
    set_level(level)
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonLines() if log_format == "json" else TextLines())
    root = logging.getLogger()
    for old in [one for one in root.handlers if isinstance(one.formatter, TextLines | JsonLines)]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(logging.WARNING)


def set_level(level: str) -> None:
    """Set the least level of this program's lines, also while it runs.

    Raises:
        UsageError: `level` is not one of LEVELS.
    """
    _check("log_level", level, LEVELS)
    logging.getLogger(_OURS).setLevel(level.upper())


class TextLines(logging.Formatter):
    """Formats an event as `TIME LEVEL [RELEASE, batch N] MESSAGE`, with the time in UTC, and an indented traceback."""

    def format(self, record: logging.LogRecord) -> str:
        batch = _BATCH.get()
        subjects = ", ".join(one for one in (current_release(), "" if batch is None else f"batch {batch}") if one)
        trace = "".join(f"\n    {line}" for line in _trace_of(self, record))
        about = f"[{subjects}] " if subjects else ""
        return f"{_time_of(record)} {record.levelname:<7} {about}{_message_of(record)}{trace}"


class JsonLines(logging.Formatter):
    """Formats an event as one JSON object in one line.

    Its members are `time` (RFC 3339, UTC), `level`, `logger`, `message`; `release` and `batch`, if the event is about
    one; and `trace`, the lines of a traceback.
    """

    def format(self, record: logging.LogRecord) -> str:
        event: dict[str, Any] = {
            "time": _time_of(record),
            "level": record.levelname.lower(),
            "logger": record.name.removeprefix(f"{_OURS}."),
            "message": _message_of(record),
        }
        if current_release():
            event["release"] = current_release()
        if _BATCH.get() is not None:
            event["batch"] = _BATCH.get()
        trace = _trace_of(self, record)
        if trace:
            event["trace"] = trace
        return json.dumps(event)


def _message_of(record: logging.LogRecord) -> str:
    return printable(_without_secrets(record.getMessage()), _LINE_MAX_CHARS)


def _trace_of(formatter: logging.Formatter, record: logging.LogRecord) -> list[str]:
    """Return the lines of the traceback of an event, without secrets; none if the event has no exception."""
    if not record.exc_info:
        return []
    text = _without_secrets(formatter.formatException(record.exc_info)[:_TRACE_MAX_CHARS])
    return [printable(line, _LINE_MAX_CHARS) for line in text.splitlines()]


def _time_of(record: logging.LogRecord) -> str:
    moment = datetime.fromtimestamp(record.created, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _without_secrets(text: str) -> str:
    """Return a text whose web addresses have neither user nor path nor query, as `shown_url` does."""
    return _URL.sub(lambda found: _shown(found.group()), text)


def _shown(found: str) -> str:
    """Return an address as it may be shown, with the punctuation that follows it in a sentence."""
    url = found.rstrip(".,;:)}" if "[" in found else ".,;:)}]")
    return _origin(url) + found[len(url) :]


def _origin(url: str) -> str:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return "(an address that cannot be shown)"
    if parts.scheme.lower() not in _WEB:
        return url if not parts.username and not parts.query else f"{parts.scheme}://{host}{parts.path}"
    host = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{host}:{port}" if port else f"{parts.scheme}://{host}"


def _check(name: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise UsageError(
            f"the setting {name} has a wrong value", where=name, got=printable(repr(value)), wanted=" or ".join(known)
        )

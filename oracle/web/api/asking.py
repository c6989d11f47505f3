"""What the API's functions share: reading without telling a client paths of this machine, and cursors of pages."""

from __future__ import annotations

import base64
import hashlib
import logging
from collections.abc import Iterator
from contextlib import contextmanager

from provenance_oracle.verifier.errors import ProvenanceError, TemporaryError, UsageError

_log = logging.getLogger(__name__)
_CHECK_BYTES = 4


@contextmanager
def reading_index() -> Iterator[None]:
    """Turn a failure of the index in the block into one that tells the client no path. The log has it."""
    try:
        yield
    except TemporaryError as error:
        raise _unreadable("index", error) from error


@contextmanager
def reading_journal() -> Iterator[None]:
    """Turn a failure of the journal in the block into one that tells the client no path. The log has it."""
    try:
        yield
    except ProvenanceError as error:  # a client is to blame for none of them
        raise _unreadable("journal", error) from error


def cursor_of(question: str, place: object) -> str:
    """Return the cursor of the page that begins after a place in the answer to a question."""
    data = _check_of(question) + str(place).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def place_of_cursor(question: str, cursor: str | None) -> str | None:
    """Return the place that a cursor of this question names; None for no cursor.

    Raises:
        UsageError: the cursor is one of another question, or none.
    """
    if cursor is None:
        return None
    try:
        data = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        check, place = data[:_CHECK_BYTES], data[_CHECK_BYTES:].decode()
    except ValueError:
        check, place = b"", ""
    if check != _check_of(question) or not place:
        wanted = "the member next_cursor of an earlier answer to the same question"
        raise UsageError("not a cursor of this question", where="cursor", got="another text", wanted=wanted)
    return place


def number_of_cursor(question: str, cursor: str | None) -> int | None:
    """Return the number that a cursor of this question names, as `place_of_cursor` does."""
    place = place_of_cursor(question, cursor)
    if place is None:
        return None
    if not (place.isascii() and place.isdecimal() and len(place) < 19):
        raise UsageError("not a cursor of this question", where="cursor", got="another text", wanted="a next_cursor")
    return int(place)


def _check_of(question: str) -> bytes:
    """Return bytes that keep a cursor from being taken for one of another question. They are no secret."""
    return hashlib.sha256(question.encode()).digest()[:_CHECK_BYTES]


def _unreadable(place: str, error: ProvenanceError) -> TemporaryError:
    _log.warning("the %s cannot be read: %s", place, error)
    return TemporaryError(f"the {place} cannot be read now", where=place)

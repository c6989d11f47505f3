"""Moments: aware datetimes inside, RFC 3339 in UTC at the edges."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from provenance_oracle.verifier.errors import UsageError

# Python reads more as a moment, and each version something else.
_DAY = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MOMENT = re.compile(_DAY.pattern + r"[T ][0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,6})?(?:Z|[+-][0-9]{2}:[0-9]{2})")


def parse_time(text: str) -> datetime:
    """Read `2026-11-21` (midnight UTC) or an RFC 3339 moment with an offset.

    Raises:
        UsageError: anything else, a moment without an offset among it.
    """
    try:
        if _DAY.fullmatch(text):
            return datetime.fromisoformat(f"{text}T00:00:00Z").astimezone(UTC)
        if _MOMENT.fullmatch(text):
            return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        pass  # well formed, but no such day, hour or offset
    raise UsageError("not a moment", where="time", got=text, wanted="2026-11-21 or 2026-11-21T10:00:00Z")


def format_time(moment: datetime) -> str:
    """Write a moment as RFC 3339 in UTC, whole seconds."""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="seconds") + "Z"


def from_unix_seconds(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)

"""Moments: aware datetimes inside, RFC 3339 in UTC at the edges."""

from __future__ import annotations

from datetime import UTC, date, datetime

from verifier.errors import UsageError


def parse_time(text: str) -> datetime:
    """Read `2026-11-21` (midnight UTC) or an RFC 3339 moment with an offset.

    Raises:
        UsageError: anything else, a moment without an offset among it.
    """
    try:
        if len(text) == len("2026-11-21"):
            day = date.fromisoformat(text)
            return datetime(day.year, day.month, day.day, tzinfo=UTC)
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is not None:
            return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise UsageError("not a moment", where="time", got=text, wanted="2026-11-21 or 2026-11-21T10:00:00Z")


def format_time(moment: datetime) -> str:
    """Write a moment as RFC 3339 in UTC, whole seconds."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def from_unix_seconds(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)

"""Timestamps: aware datetimes inside the project, RFC 3339 text in UTC at its edges."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from provenance_oracle.verifier.errors import UsageError

# `datetime.fromisoformat` accepts more forms than these, and the set differs between Python versions.
_DAY = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MOMENT = re.compile(_DAY.pattern + r"[T ][0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,6})?(?:Z|[+-][0-9]{2}:[0-9]{2})")


def parse_time(text: str) -> datetime:
    """Parse a date such as `2026-11-21` (midnight UTC) or an RFC 3339 date and time with an offset.

    `T` or a space separates date and time. A fraction of a second may have up to 6 digits. The result is in UTC.

    Raises:
        UsageError: the text has any other form, for example no offset, or names a day or hour that does not exist.
    """
    try:
        if _DAY.fullmatch(text):
            return datetime.fromisoformat(f"{text}T00:00:00Z").astimezone(UTC)
        if _MOMENT.fullmatch(text):
            return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        pass  # the form is right, but there is no such day, hour or offset
    raise UsageError(
        "not a date or a time with an offset", where="time", got=text, wanted="2026-11-21 or 2026-11-21T10:00:00Z"
    )


def format_time(moment: datetime) -> str:
    """Return an aware datetime as RFC 3339 text in UTC, cut to whole seconds."""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="seconds") + "Z"

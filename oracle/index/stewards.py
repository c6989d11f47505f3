"""What the registry says of itself: whether writes are paused, its guardian, and the announced oracle set."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from provenance_oracle.oracle.index.event_kinds import THE_REGISTRY, KeyRole, parsed
from provenance_oracle.oracle.index.shelf import Shelf
from provenance_oracle.verifier.registry.event_types import Log
from provenance_oracle.verifier.registry.registry_events import (
    SetAnnouncement,
    parse_guardian,
    parse_pause,
    parse_set_announcement,
)

_T = TypeVar("_T")
_NO_SET = SetAnnouncement(bytes(32), 0)


def writes_are_paused(shelf: Shelf) -> bool:
    """Return whether the registry takes no records now."""
    return bool(_last(shelf, KeyRole.PAUSED, parse_pause))


def guardian_of(shelf: Shelf) -> bytes:
    """Return the guardian's address, 20 bytes: zeros if none was appointed."""
    return _last(shelf, KeyRole.GUARDIAN, parse_guardian) or bytes(20)


def announced_set(shelf: Shelf) -> SetAnnouncement:
    """Return the oracle set that is announced: zeros if none is."""
    ends = [
        shelf.places([(THE_REGISTRY, role)], after=None, limit=1)
        for role in (KeyRole.SET_CANCELLED, KeyRole.SET_STARTED)
    ]
    announced = shelf.places([(THE_REGISTRY, KeyRole.SET_ANNOUNCED)], after=None, limit=1)
    if not announced or any(end > announced for end in ends):
        return _NO_SET
    return _last(shelf, KeyRole.SET_ANNOUNCED, parse_set_announcement) or _NO_SET


def _last(shelf: Shelf, role: KeyRole, parse: Callable[[Log, str], _T]) -> _T | None:
    places = shelf.places([(THE_REGISTRY, role)], after=None, limit=1)
    if not places:
        return None
    event = shelf.event(places[0])
    return parsed(event.emitter, event.log, parse, shelf.where)

"""Tests of the bodies that are kept for a second."""

from __future__ import annotations

import pytest

from provenance_oracle.oracle.web.api import recent_bodies
from provenance_oracle.oracle.web.api.recent_bodies import KEPT_SECONDS, RecentBodies
from provenance_oracle.oracle.web.api.table import Body


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_body_is_kept_for_a_second_by_its_whole_address() -> None:
    clock, body = Clock(), Body(b"{}")
    kept = RecentBodies(clock)
    kept.keep(b"/recent?limit=1", body)
    assert kept.find(b"/recent?limit=1") is body
    assert kept.find(b"/recent?limit=2") is None
    clock.now += KEPT_SECONDS
    assert kept.find(b"/recent?limit=1") is None


def test_a_large_body_is_not_kept_and_the_oldest_makes_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recent_bodies, "_BODIES_MAX", 2)
    monkeypatch.setattr(recent_bodies, "_BODY_MAX_BYTES", 3)
    kept = RecentBodies(Clock())
    kept.keep(b"large", Body(b"1234"))
    assert kept.find(b"large") is None
    for name in (b"a", b"b", b"a", b"c"):
        kept.keep(name, Body(name))
    assert [kept.find(name) is not None for name in (b"a", b"b", b"c")] == [True, False, True]

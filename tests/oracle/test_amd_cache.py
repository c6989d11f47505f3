"""Tests of the cache for AMD's answers: how long it keeps one, and how many."""

from __future__ import annotations

import pytest

from provenance_oracle.oracle.amd_cache import KEEP_SECONDS, KeptAnswers
from provenance_oracle.verifier.errors import TemporaryError


class Counting:
    """A fetcher whose answer holds the URL and the number of requests so far. It fails while `fails` is set."""

    def __init__(self) -> None:
        self.asked = 0
        self.fails = False

    def fetch(self, url: str) -> bytes:
        if self.fails:
            raise TemporaryError("down", where=url)
        self.asked += 1
        return f"{url} {self.asked}".encode()


def test_an_answer_is_kept_for_an_hour_and_no_longer() -> None:
    now, source = [0.0], Counting()
    kept = KeptAnswers(source, clock=lambda: now[0])
    assert kept.fetch("a") == b"a 1"
    now[0] = KEEP_SECONDS - 1
    assert kept.fetch("a") == b"a 1"
    now[0] = KEEP_SECONDS
    assert kept.fetch("a") == b"a 2"


def test_a_failure_is_not_kept() -> None:
    source = Counting()
    kept = KeptAnswers(source)
    source.fails = True
    with pytest.raises(TemporaryError):
        kept.fetch("a")
    source.fails = False
    assert kept.fetch("a") == b"a 1"


def test_what_is_kept_is_bounded() -> None:
    kept = KeptAnswers(Counting())
    for number in range(100):
        kept.fetch(str(number))
    assert len(kept._answers) <= 16

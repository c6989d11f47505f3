"""Tests of the cache for AMD's answers: how long it keeps one, and how many."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from provenance_oracle.oracle.amd_cache import KEEP_SECONDS, KeptAnswers
from provenance_oracle.publisher.simulator import FakeAmd, FakeGuest
from provenance_oracle.verifier.errors import CrlUnavailableError, TemporaryError
from provenance_oracle.verifier.snp.current_crl import with_current_crl
from provenance_oracle.verifier.snp.products import ProductLine


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


def test_an_answer_that_is_forgotten_is_asked_for_again() -> None:
    kept = KeptAnswers(Counting())
    kept.forget("a")
    assert [kept.fetch("a"), kept.fetch("b")] == [b"a 1", b"b 2"]
    kept.forget("a")
    assert [kept.fetch("a"), kept.fetch("b")] == [b"a 3", b"b 2"]


_AT = datetime(2026, 11, 21, 12, tzinfo=UTC)
_GUEST = FakeGuest.on(FakeAmd.load(ProductLine.GENOA), at=_AT)
_GOOD = _GUEST.crl()


class Answering:
    """Gives its answers one after the other, then the last one for ever."""

    def __init__(self, *answers: bytes) -> None:
        self.answers = list(answers)
        self.asked = 0

    def fetch(self, url: str) -> bytes:
        self.asked += 1
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@pytest.mark.parametrize(
    ("bad", "kept_out"),
    [
        (b"<html>sign in to this network</html>", True),
        (_GOOD[:-1] + bytes([_GOOD[-1] ^ 1]), True),
        (FakeGuest.on(FakeAmd.load(ProductLine.MILAN), at=_AT).crl(), True),
        (_GUEST.crl(next_update=_AT - timedelta(seconds=1)), False),
    ],
    ids=["no list", "signature does not verify", "another root's", "out of date"],
)
def test_an_answer_that_failed_to_verify_is_not_kept(bad: bytes, kept_out: bool) -> None:
    """The next release is judged with a new answer, not with the bad one for an hour."""
    source = Answering(bad, _GOOD)
    kept = KeptAnswers(source)
    bare = replace(_GUEST.evidence(bytes(64)), crl=None)
    if kept_out:
        with pytest.raises(CrlUnavailableError):
            with_current_crl(bare, at=_AT, fetcher=kept)
    else:
        with_current_crl(bare, at=_AT, fetcher=kept)
    assert with_current_crl(bare, at=_AT, fetcher=kept).crl == _GOOD
    assert with_current_crl(bare, at=_AT, fetcher=kept).crl == _GOOD
    assert source.asked == 2  # the good answer is kept


def test_what_is_kept_is_bounded() -> None:
    kept = KeptAnswers(Counting())
    for number in range(100):
        kept.fetch(str(number))
    assert len(kept._answers) <= 16

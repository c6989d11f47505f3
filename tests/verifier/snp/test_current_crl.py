"""Tests that a revocation list is fetched only if none is current, and that a bad answer is a temporary error."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest

from provenance_oracle.publisher.simulator import CaRole, FakeAmd, FakeGuest, Name
from provenance_oracle.verifier.errors import CrlUnavailableError, FormatError, TemporaryError, UsageError
from provenance_oracle.verifier.snp.current_crl import with_current_crl
from provenance_oracle.verifier.snp.kds import crl_url
from provenance_oracle.verifier.snp.products import ProductLine
from provenance_oracle.verifier.snp.report import SigningKey

_AT = datetime(2026, 11, 21, 12, tzinfo=UTC)
_SECOND = timedelta(seconds=1)
_GUEST = FakeGuest.on(FakeAmd.load(ProductLine.GENOA), at=_AT)
_VLEK = replace(_GUEST, csp_id="CN=cc-us-east-2.amazonaws.com")
_EVIDENCE = _GUEST.evidence(bytes(64))
_FRESH = _GUEST.crl(number=7)


@dataclass
class _Service:
    """A fetcher that always gives the same answer or error and records the addresses."""

    answer: bytes | Exception
    asked: list[str] = field(default_factory=list)

    def fetch(self, url: str) -> bytes:
        self.asked.append(url)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def test_a_list_for_the_moment_is_kept_and_nobody_asked() -> None:
    service = _Service(_FRESH)
    for at in (_AT, _AT - timedelta(days=1), _AT + timedelta(days=364)):  # both ends of its window included
        assert with_current_crl(_EVIDENCE, at=at, fetcher=service) is _EVIDENCE
    assert service.asked == []


@pytest.mark.parametrize(
    "own",
    [None, _GUEST.crl(next_update=_AT - _SECOND), _GUEST.crl(this_update=_AT + _SECOND)],
    ids=["no", "old", "new"],
)
def test_a_list_is_fetched_where_there_is_none_for_the_moment(own: bytes | None) -> None:
    service = _Service(_FRESH)
    completed = with_current_crl(replace(_EVIDENCE, crl=own), at=_AT, fetcher=service)
    assert completed == replace(_EVIDENCE, crl=_FRESH, crl_name="fetched CRL", crl_at=_AT)
    assert service.asked == [crl_url(ProductLine.GENOA, SigningKey.VCEK)]


def test_the_list_asked_for_is_of_the_line_and_kind() -> None:
    service = _Service(_FRESH)
    for line in ProductLine:
        guest = FakeGuest.on(FakeAmd.load(line), at=_AT)
        service.answer = guest.crl()
        for vlek in (None, _VLEK.csp_id):
            evidence = replace(guest, csp_id=vlek).evidence(bytes(64))
            with_current_crl(replace(evidence, crl=None), at=_AT, fetcher=service)
    assert service.asked == [crl_url(line, kind) for line in ProductLine for kind in SigningKey]


@pytest.mark.parametrize("answer", [b"", b"<html>busy</html>", _FRESH[:-1], _FRESH + b"\0", _EVIDENCE.vek])
def test_an_answer_that_is_no_list_is_a_fault_of_the_moment(answer: bytes) -> None:
    with pytest.raises(CrlUnavailableError) as caught:
        with_current_crl(replace(_EVIDENCE, crl=None), at=_AT, fetcher=_Service(answer))
    assert caught.value.where == "fetched CRL"
    assert "endorsements-format" in caught.value.got


_OTHER_ROOT = replace(_GUEST, amd=FakeAmd.load(ProductLine.MILAN))
_BROKEN = _FRESH[:-1] + bytes([_FRESH[-1] ^ 1])


@pytest.mark.parametrize("answer", [_BROKEN, _OTHER_ROOT.crl()], ids=["changed", "of another root"])
def test_an_answer_that_the_root_did_not_sign_is_a_fault_of_the_moment(answer: bytes) -> None:
    """AMD's service or the way to it is at fault, not the release: it is not called forged."""
    with pytest.raises(CrlUnavailableError, match="not signed by its root") as caught:
        with_current_crl(replace(_EVIDENCE, crl=None), at=_AT, fetcher=_Service(answer))
    assert "vek-revocation" in caught.value.got
    assert caught.value.wanted == "a revocation list signed by ARK-Genoa"


def test_a_service_that_fails_is_a_fault_of_the_moment() -> None:
    with pytest.raises(TemporaryError, match="cannot be reached"):
        service = _Service(TemporaryError("cannot be reached"))
        with_current_crl(replace(_EVIDENCE, crl=None), at=_AT, fetcher=service)


def test_for_malformed_evidence_nobody_is_asked() -> None:
    service = _Service(_FRESH)
    with pytest.raises(FormatError):
        with_current_crl(replace(_EVIDENCE, crl=b"not a list"), at=_AT, fetcher=service)
    with pytest.raises(FormatError):
        with_current_crl(replace(_EVIDENCE, vek=b"", crl=None), at=_AT, fetcher=service)
    rome = Name("ARK-Rome")
    elsewhere = replace(_GUEST, amd=_GUEST.amd.reissue(CaRole.ARK, subject=rome, issuer=rome)).evidence(bytes(64))
    with pytest.raises(FormatError, match="unknown root certificate"):
        with_current_crl(replace(elsewhere, crl=None), at=_AT, fetcher=service)
    assert service.asked == []


def test_a_moment_without_a_time_zone_is_refused() -> None:
    with pytest.raises(UsageError, match="time zone"):
        with_current_crl(_EVIDENCE, at=_AT.replace(tzinfo=None), fetcher=_Service(_FRESH))

"""Tests of a signer whose holder is down: it asks with growing waits, and every failure is a global trouble."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from provenance_oracle.oracle.backoff import Backoff
from provenance_oracle.oracle.conditions import Trouble, TroubleError
from provenance_oracle.oracle.signers.base import Signer
from provenance_oracle.oracle.signers.patient import PatientSigner
from provenance_oracle.verifier.errors import TemporaryError, UsageError
from tests.support.fakes import ADDRESS, FakeSigner

DOWN = TemporaryError("the token does not answer", where="token", got="CKR_TOKEN_NOT_PRESENT", wanted="a session")
DIGEST = bytes(32)


@dataclass
class Holder:
    """The holder of a key. It answers while `problem` is None."""

    problem: Exception | None = None
    asked: int = 0
    seconds: float = 0.0
    opened: list[FakeSigner] = field(default_factory=list)

    def open(self) -> Signer:
        self._answer()
        self.opened.append(FakeSigner())
        self.opened[0].sign_digest = self.sign  # type: ignore[method-assign]
        self.opened[0].sign_transaction = self.sign_all  # type: ignore[method-assign]
        return self.opened[0]

    def sign(self, digest: bytes) -> bytes:
        self._answer()
        return digest + digest

    def sign_all(self, fields: Mapping[str, Any]) -> tuple[bytes, bytes]:
        self._answer()
        return b"raw", bytes(32)

    def _answer(self) -> None:
        self.asked += 1
        if self.problem:
            raise self.problem

    def signer(self) -> PatientSigner:
        return PatientSigner(self.open, Backoff(5, 3600, lambda: 0.0), lambda: self.seconds)


def test_a_key_that_answers_is_opened_at_once_and_only_once() -> None:
    holder = Holder()
    signer = holder.signer()
    assert holder.asked == 1
    assert (signer.address, signer.for_development, signer.sign_digest(DIGEST)) == (ADDRESS, False, bytes(64))
    assert signer.open() is holder.opened[0]
    assert len(holder.opened) == 1


def test_a_holder_that_is_down_at_the_start_is_asked_again_after_waits_that_grow_up_to_a_minute() -> None:
    holder = Holder(DOWN)
    signer, waits, last = holder.signer(), [], 0.0
    for _ in range(300):
        holder.seconds += 1
        before = holder.asked
        with pytest.raises(TroubleError, match=r"does not answer.*CKR_TOKEN_NOT_PRESENT") as caught:
            _ = signer.address
        assert caught.value.trouble is Trouble.SIGNER
        if holder.asked > before:
            waits.append(holder.seconds - last)
            last = holder.seconds
    assert waits == [5, 10, 20, 40, 60, 60, 60]
    holder.problem = None
    holder.seconds += 60
    assert signer.address == ADDRESS


@pytest.mark.parametrize("method", ["sign_digest", "sign_transaction"])
def test_a_holder_that_goes_down_later_is_a_trouble_and_no_failure_of_a_release(method: str) -> None:
    holder = Holder()
    signer = holder.signer()
    holder.problem = DOWN
    argument: Any = DIGEST if method == "sign_digest" else {}
    for _ in range(3):
        with pytest.raises(TroubleError):
            getattr(signer, method)(argument)
    assert holder.asked == 2, "it is left alone for a while"
    assert signer.address == ADDRESS
    holder.problem, holder.seconds = None, 5.0
    getattr(signer, method)(argument)
    holder.problem = DOWN
    with pytest.raises(TroubleError):
        getattr(signer, method)(argument)
    assert holder.asked == 4, "after a success the waits begin anew"


def test_a_key_that_needs_a_person_is_refused_at_once() -> None:
    with pytest.raises(UsageError, match="wrong PIN"):
        Holder(UsageError("wrong PIN")).signer()


def test_the_call_of_a_transaction_is_read_by_the_key() -> None:
    raw, _ = FakeSigner().sign_transaction({"to": "0xaa", "data": b"x"})
    assert Holder().signer().call_of(raw) == ("0xaa", b"x")

"""Tests of the signing of verdicts: what waits is signed once with the reporting key, and what was altered is not."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from provenance_oracle.oracle.conditions import Trouble, TroubleError
from provenance_oracle.oracle.journal.journal import Journal
from provenance_oracle.oracle.journal.rows import ReleaseKey
from provenance_oracle.oracle.signers.environment import EnvironmentSigner
from provenance_oracle.oracle.signers.signatures import full_signature, recovered_address
from provenance_oracle.oracle.signers.verdicts import VerdictSigning
from provenance_oracle.verifier.errors import UsageError
from provenance_oracle.verifier.registry.secp256k1 import checksum_address
from provenance_oracle.verifier.registry.signed_verdict import (
    digest_to_sign,
    envelope_of,
    verify_signed_verdict,
)

AT = datetime(2026, 1, 1, tzinfo=UTC)


class Signer(EnvironmentSigner):
    """A key that counts its signatures, and fails before the one with the number `fails_at`."""

    def __init__(self, key: str = "11", fails_at: int = -1, error: Exception | None = None) -> None:
        super().__init__("KEY", {"KEY": key * 32})
        self.signed: list[bytes] = []
        self._fails_at, self._error = fails_at, error

    def sign_der(self, digest: bytes) -> bytes:
        if self._error is not None and len(self.signed) == self._fails_at:
            raise self._error
        self.signed.append(digest)
        return super().sign_der(digest)


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    with Journal(tmp_path / "journal.db") as journal:
        yield journal


def accept(journal: Journal, number: int) -> bytes:
    statement = b"verdict %d" % number
    row = journal.open(ReleaseKey("folder", f"{number}", bytes([number]) * 32), "f", at=AT)
    journal.accept(row.id, statement, b"record", b"report", at=AT)
    return statement


def signing(journal: Journal, signer: Signer, timer: Iterator[float] | None = None) -> VerdictSigning:
    if timer is None:
        return VerdictSigning(journal, signer, clock=lambda: AT)
    return VerdictSigning(journal, signer, clock=lambda: AT, timer=lambda: next(timer))


def envelope(journal: Journal, statement: bytes) -> bytes | None:
    (row,) = journal._database.rows(
        "SELECT signer, signature FROM verdict_signatures WHERE digest = ?", (hashlib.sha256(statement).digest(),)
    )
    return envelope_of(statement, [(row["signer"], row["signature"])])


def test_each_verdict_is_signed_once_by_the_reporting_key(journal: Journal) -> None:
    statements, signer = [accept(journal, number) for number in range(3)], Signer()
    sign = signing(journal, signer)
    assert (sign(), sign()) == ({}, {})
    assert sorted(signer.signed) == sorted(map(digest_to_sign, statements))
    for statement in statements:
        signed = verify_signed_verdict(envelope(journal, statement) or b"", "envelope")
        assert signed.statement == statement
        assert [checksum_address(key.address) for key in signed.keys] == [signer.address]
    assert signing(journal, Signer())() == {}, "a new process signs nothing again"


def test_the_signature_of_a_verdict_is_none_over_anything_that_the_contract_takes(journal: Journal) -> None:
    statement, signer = accept(journal, 1), Signer()
    compact = signer.sign_digest(digest_to_sign(statement))
    for other in (hashlib.sha256(statement).digest(), statement.ljust(32)[:32]):
        assert recovered_address(other, compact) != signer.address
    assert len(full_signature(compact)) == 65


def test_a_key_that_does_not_answer_is_a_trouble_and_loses_nothing(journal: Journal) -> None:
    for number in range(3):
        accept(journal, number)
    down = TroubleError(Trouble.SIGNER, "the token is gone", where="token")
    signer = Signer(fails_at=1, error=down)
    assert signing(journal, signer)() == {Trouble.SIGNER: str(down)}
    assert len(journal.unsigned_verdicts(10)) == 2, "the first signature is kept"
    refused = UsageError("the service refuses this key")
    assert signing(journal, Signer(fails_at=0, error=refused))() == {Trouble.SIGNER: str(refused)}
    assert signing(journal, Signer())() == {}
    assert journal.unsigned_verdicts(10) == []


def test_a_long_queue_does_not_hold_up_the_records(journal: Journal) -> None:
    for number in range(40):
        accept(journal, number)
    signer = Signer()
    assert signing(journal, signer, iter([0.0, 0.0, 100.0]))() == {}
    assert (len(signer.signed), len(journal.unsigned_verdicts(100))) == (32, 8)


def test_a_new_key_signs_the_verdicts_of_open_rows_anew(journal: Journal) -> None:
    accept(journal, 1)
    signing(journal, Signer())()
    new = Signer("22")
    assert signing(journal, new)() == {}
    assert len(new.signed) == 1
    rows = journal._database.rows("SELECT signer FROM verdict_signatures")
    assert {row["signer"] for row in rows} == {Signer().address, new.address}


def test_a_verdict_that_was_altered_is_not_signed(journal: Journal, caplog: pytest.LogCaptureFixture) -> None:
    accept(journal, 1)
    with journal._database.transaction() as db:
        db.execute("UPDATE verdicts SET statement = ?", (b"altered",))
    signer = Signer()
    with caplog.at_level(logging.ERROR):
        assert signing(journal, signer)() == {}
    assert (signer.signed, journal.unsigned_verdicts(10)) == ([], [])
    assert "was altered in the journal; it is not signed" in caplog.text

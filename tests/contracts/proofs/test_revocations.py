"""AMD's revocation lists on chain: submitted by anybody, they shut new proofs at once and old ones by a recheck."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from provenance_oracle.publisher.simulator import FakeAmd
from provenance_oracle.verifier.proofs.evidence_calls import evidence_of
from provenance_oracle.verifier.snp.crl import parse_crl
from provenance_oracle.verifier.snp.products import ProductLine
from tests.contracts.proofs.conftest import Stage
from tests.support.proofs import NOW, RULES, Proofs, Refusal, digests_of, id_of, make_provable, refused
from tests.support.real_sets import CRLS, crl

pytestmark = pytest.mark.chain

_MILAN, _GENOA, _TURIN = 1, 2, 3
_SERIALS = {(1, 0): 0x10001, (1, 1): 0x10101, (2, 0): 0x20002, (2, 1): 0x20101, (3, 0): 0x30001, (3, 1): 0x30101}
_LINES = {1: ProductLine.MILAN, 2: ProductLine.GENOA, 3: ProductLine.TURIN}


@pytest.fixture
def proofs(stage: Stage) -> Proofs:
    """Return a contract of the test's own, since nothing takes a revocation back."""
    return Proofs.deploy(stage.evm, stage.verifier, stage.registry.address)


def _submit(proofs: Proofs, data: bytes) -> Refusal | None:
    refusal = refused(proofs.ask("submitCrl(bytes)", data))
    if refusal is None:
        proofs.send("submitCrl(bytes)", data)
    return refusal


def _revoked(proofs: Proofs) -> list[tuple[int, int]]:
    asked = "isRevoked(uint256,uint256)"
    return [(line, kind) for (line, kind), serial in _SERIALS.items() if proofs.ask(asked, line, serial).number]


def _current_until(proofs: Proofs, line: int) -> int:
    return proofs.ask("listsCurrentUntil(uint256)", line).number


def _list(line: int, revoked: tuple[int, ...] = (), **dates: Any) -> bytes:
    return FakeAmd.load(_LINES[line]).current_crl(NOW, revoked=revoked, **dates)


@pytest.mark.parametrize("which", _SERIALS)
def test_each_intermediate_is_revoked_by_its_own_serial_number(proofs: Proofs, which: tuple[int, int]) -> None:
    line, _ = which
    assert _submit(proofs, _list(line)) is None
    assert _revoked(proofs) == []
    assert _submit(proofs, _list(line, (7, _SERIALS[which], 0x99999))) is None
    assert _revoked(proofs) == [which]
    # a later list without it takes nothing back
    assert _submit(proofs, _list(line)) is None
    assert _revoked(proofs) == [which]


def test_a_list_of_another_line_revokes_nothing_here(proofs: Proofs) -> None:
    assert _submit(proofs, _list(_MILAN, tuple(_SERIALS.values()))) is None
    assert _revoked(proofs) == [(1, 0), (1, 1)]


def test_a_list_is_current_until_the_latest_of_its_line_ends(proofs: Proofs) -> None:
    assert [_current_until(proofs, line) for line in range(5)] == [0] * 5
    first = _list(_GENOA)
    assert _submit(proofs, first) is None
    until = int(parse_crl(first, "first").next_update.timestamp())
    assert [_current_until(proofs, line) for line in range(5)] == [0, 0, until, 0, 0]
    older = FakeAmd.load(ProductLine.GENOA).current_crl(NOW - timedelta(days=30), revoked=(0x20101,))
    assert _submit(proofs, older) is None
    assert _current_until(proofs, _GENOA) == until
    assert _revoked(proofs) == [(2, 1)], "revoked is revoked, however old the list is"
    assert _submit(proofs, _list(_TURIN)) is None
    assert _current_until(proofs, _TURIN) == until
    early = FakeAmd.load(ProductLine.GENOA).current_crl(NOW + timedelta(days=90))
    refusal = _submit(proofs, early)
    assert refusal is not None
    assert refusal.error == "NotInTime"


def test_a_list_that_the_root_did_not_sign_is_refused(proofs: Proofs, stage: Stage) -> None:
    data = _list(_GENOA)
    assert _submit(proofs, data[:-1] + bytes((data[-1] ^ 1,))) == Refusal("CrlNotSigned")
    refusal = refused(stage.genuine.ask("submitCrl(bytes)", data))
    assert refusal is not None
    assert refusal.error == "DerMalformed", "its authority key identifier is that of the simulator's root"
    own = bytes.fromhex("5677d2453d51428b8d388c468acb148d012a0a37")
    assert data.count(own) == 1
    forged = data.replace(own, bytes.fromhex("9f5df9fe0dd8f35ad0331a25ef81294fbe31a85b"))
    assert refused(stage.genuine.ask("submitCrl(bytes)", forged)) == Refusal("CrlNotSigned")


@pytest.mark.parametrize("name", CRLS)
def test_a_genuine_list_is_taken_and_revokes_none_of_the_pinned_keys(stage: Stage, vectors: Path, name: str) -> None:
    proofs = Proofs.deploy(stage.evm, stage.amd_verifier, stage.registry.address)
    assert _submit(proofs, crl(vectors, name)) is None
    assert _revoked(proofs) == []
    line = {"Milan": 1, "Genoa": 2}[name.split("-")[1]]
    assert _current_until(proofs, line) == int(parse_crl(crl(vectors, name), name).next_update.timestamp())


def test_a_revocation_shuts_new_proofs_at_once_and_old_ones_by_a_recheck(proofs: Proofs, tmp_path: Path) -> None:
    release = make_provable(tmp_path / "genoa", name="acme/to-be-revoked")
    other = make_provable(tmp_path / "milan", line=ProductLine.MILAN, name="acme/of-another-line")
    for one in (release, other):
        proofs.prove(evidence_of(one))
    evidence = evidence_of(release)
    digests, release_id = digests_of(evidence.payload), id_of(evidence.payload)
    rules = (0, 0, 1 << 255, 0, 0, 0, bytes(32), 2**40 - 1, True)
    asked = (f"requireProvenAs(bytes32,bytes32,{RULES})", *digests)
    assert refused(proofs.ask("recheck(bytes32)", release_id)) == Refusal("NothingToRecheck", (release_id,))
    assert refused(proofs.ask("recheck(bytes32)", bytes(32))) == Refusal("NotProven", (bytes(32),))
    word = proofs.word(release_id)
    assert refused(proofs.ask(*asked, rules)) == Refusal("ProofNotEnough", (release_id, 6, word))
    assert _submit(proofs, _list(_GENOA)) is None
    assert refused(proofs.ask(*asked, rules)) is None
    # AMD revokes the ASK of Genoa
    assert _submit(proofs, _list(_GENOA, (0x20002,))) is None
    assert proofs.refusal_to(evidence) == Refusal("IntermediateIsRevoked", (2, 0x20002))
    assert refused(proofs.ask(*asked, rules)) == Refusal("ProofNotEnough", (release_id, 7, word))
    assert proofs.gate(*digests) is None, "the plain gate reads one slot, and waits for the recheck"
    proofs.send("recheck(bytes32)", release_id)
    shut = word | 1 << 255
    assert proofs.word(release_id) == shut
    assert proofs.gate(*digests) == Refusal("ProofNotEnough", (release_id, 7, shut))
    assert refused(proofs.ask("recheck(bytes32)", release_id)) == Refusal("NothingToRecheck", (release_id,))
    # the other line is as it was
    assert proofs.refusal_to(evidence_of(other)) is None
    other_id = id_of(evidence_of(other).payload)
    assert refused(proofs.ask("recheck(bytes32)", other_id)) == Refusal("NothingToRecheck", (other_id,))

"""AMD's genuine ASK and ASVK, added by their certificates on a chain whose clock is in the time of AMD's genuine lists.

Their keys are pinned in the contract too. Here it must take them from the certificates, as it will take a later key.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from provenance_oracle.verifier.proofs.evidence_calls import vek_facts_of
from provenance_oracle.verifier.proofs.intermediates import PINNED
from provenance_oracle.verifier.record.keccak import keccak256
from tests.support.evm import Evm, creation_code, run_evm
from tests.support.proofs import Proofs, Refusal, refused
from tests.support.real_sets import RealSet, crl, real_set

pytestmark = pytest.mark.chain

_AT = datetime(2025, 7, 1, tzinfo=UTC)
_LISTS = ("ARK-Milan-crl6-2025", "ARK-Genoa-crl4-2024")
_SETS = ("milan-v3-scitt-aci", "milan-v3-VLEK-trustee-aws", "genoa-v3-scitt-aci")
_IS_ENDORSED = "isEndorsed(bytes32,uint256,bytes32,bytes32)"


@pytest.fixture(scope="module")
def evm(anvil_program: Path) -> Iterator[Evm]:
    options = ("--hardfork", "osaka", "--enable-tx-gas-limit", "--timestamp", str(int(_AT.timestamp())))
    with run_evm(*options) as found:
        yield found


@pytest.fixture
def proofs(evm: Evm) -> Proofs:
    """Return contracts that know no list and no intermediate but the pinned ones. No registry is asked here."""
    verifier = evm.deploy(creation_code("AmdVerifier"))
    return Proofs.deploy(evm, verifier, verifier)


@pytest.mark.parametrize("name", _SETS)
def test_a_genuine_certificate_is_endorsed_under_its_added_intermediate(
    proofs: Proofs, vectors: Path, name: str
) -> None:
    genuine = real_set(vectors, name)
    vek, digest = genuine.evidence.vek, keccak256(genuine.intermediate)
    add = ("addIntermediate(bytes)", genuine.intermediate)
    # (1) only with a current list of AMD
    refusal = refused(proofs.ask(*add))
    assert isinstance(refusal, Refusal)
    assert refusal.error == "NoCurrentList"
    for one in _LISTS:
        proofs.send("submitCrl(bytes)", crl(vectors, one))
    # (2) then by anybody
    assert refused(proofs.ask("endorse(bytes,bytes32)", vek, digest)) == Refusal("IntermediateUnknown", (digest,))
    assert proofs.ask(*add).number == 1
    proofs.send(*add)
    assert proofs.ask("numberOf(bytes32)", digest).number == 1
    # (3) and its key, not the pinned one, endorses the chip's
    assert _endorsed(proofs, genuine) == {PINNED: 0, digest: 0}
    proofs.send("endorse(bytes,bytes32)", vek, digest)
    assert _endorsed(proofs, genuine) == {PINNED: 0, digest: 1}
    forged = vek[:-1] + bytes((vek[-1] ^ 1,))
    assert refused(proofs.ask("endorse(bytes,bytes32)", forged, digest)) == Refusal("CertificateNotSigned")


def test_an_added_intermediate_endorses_no_chip_that_another_one_signed_for(proofs: Proofs, vectors: Path) -> None:
    sets = [real_set(vectors, name) for name in _SETS]
    for one in _LISTS:
        proofs.send("submitCrl(bytes)", crl(vectors, one))
    for of in sets:
        proofs.send("addIntermediate(bytes)", of.intermediate)
    for of in sets:
        for other in sets:
            answer = refused(proofs.ask("endorse(bytes,bytes32)", of.evidence.vek, keccak256(other.intermediate)))
            assert answer == (None if of is other else Refusal("CertificateNotSigned"))


def _endorsed(proofs: Proofs, genuine: RealSet) -> dict[bytes, int]:
    """Return whether the contract knows the chip's key under the pinned intermediates, and under the set's own."""
    facts = vek_facts_of(genuine.evidence.report, genuine.evidence.vek)
    asked = (_IS_ENDORSED, facts.key_digest, facts.facts, facts.chip)
    return {one: proofs.ask(*asked, one).number for one in (PINNED, keccak256(genuine.intermediate))}

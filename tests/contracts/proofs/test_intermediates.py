"""Proofs over an intermediate that somebody added: AMD's name and root, but none of the keys in the contracts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey, RSAPublicNumbers

from provenance_oracle.publisher.simulator import CaRole, FakeAmd, forms
from provenance_oracle.verifier.judgement.release import Release
from provenance_oracle.verifier.proofs.evidence_calls import EvidenceCall, evidence_of, vek_facts_of, with_endorsed_key
from provenance_oracle.verifier.proofs.intermediates import PINNED, added_intermediate
from provenance_oracle.verifier.record.keccak import keccak256
from provenance_oracle.verifier.snp.products import ProductLine
from tests.contracts.proofs.conftest import Stage
from tests.support.proofs import NOW, RULES, Proofs, Refusal, digests_of, encode_function, id_of, make_provable, refused
from tests.support.real_sets import anchor

pytestmark = pytest.mark.chain

_SERIAL = 0x20003
_ADDED = "IntermediateAdded(uint256,uint256,uint256,bytes)"
_DAY = timedelta(days=1)


def _key(line: ProductLine = ProductLine.MILAN, role: CaRole = CaRole.ASK) -> rsa.RSAPrivateKey:
    """Return a key that signs for Genoa nowhere else: a new one of 4096 bits takes seconds."""
    return FakeAmd.load(line).authorities[role].key


def _later_amd(line: ProductLine = ProductLine.GENOA, role: CaRole = CaRole.ASK, **changes: Any) -> FakeAmd:
    key = _key(ProductLine.MILAN if line is not ProductLine.MILAN else ProductLine.TURIN)
    return FakeAmd.load(line).replaced(role, key, **{"serial": _SERIAL, **changes})


def _list(line: ProductLine = ProductLine.GENOA, revoked: tuple[int, ...] = (), **dates: Any) -> bytes:
    return FakeAmd.load(line).current_crl(NOW, revoked=revoked, **dates)


@dataclass(frozen=True)
class Later:
    """A release under a later intermediate, and the contract that is to prove it."""

    proofs: Proofs
    release: Release
    certificate: bytes

    @property
    def digest(self) -> bytes:
        return keccak256(self.certificate)

    @property
    def evidence(self) -> EvidenceCall:
        return evidence_of(self.release)

    def add(self, certificate: bytes | None = None) -> Refusal | int:
        """Add an intermediate, by default the release's; return its number, or the refusal."""
        answer = self.proofs.ask("addIntermediate(bytes)", certificate or self.certificate)
        if refusal := refused(answer):
            return refusal
        self.proofs.send("addIntermediate(bytes)", certificate or self.certificate)
        return answer.number

    def submit(self, *lists: bytes) -> None:
        for one in lists:
            self.proofs.send("submitCrl(bytes)", one)


def _new(stage: Stage, folder: Path, amd: FakeAmd | None = None, **options: Any) -> Later:
    amd = amd or _later_amd()
    release = make_provable(folder, amd=amd, name=f"acme/{keccak256(str(folder).encode()).hex()[:12]}", **options)
    role = CaRole.ASK if "csp_id" not in options else CaRole.ASVK
    proofs = Proofs.deploy(stage.evm, stage.verifier, stage.registry.address)
    return Later(proofs, release, amd.authorities[role].certificate)


@pytest.fixture
def later(stage: Stage, tmp_path: Path) -> Later:
    return _new(stage, tmp_path)


def _logs(receipt: dict[str, Any], event: str) -> list[dict[str, Any]]:
    return [log for log in receipt["logs"] if log["topics"][0] == "0x" + keccak256(event.encode()).hex()]


def test_the_releases_evidence_names_an_intermediate_only_if_it_is_not_pinned(later: Later, p256: Release) -> None:
    assert evidence_of(p256).intermediate == PINNED
    assert added_intermediate(p256.evidence) is None
    assert later.evidence.intermediate == later.digest
    found = added_intermediate(later.release.evidence)
    assert found is not None
    assert (found.certificate, found.name, found.line) == (later.certificate, f"SEV-Genoa {_SERIAL}", 2)


def test_a_release_is_proven_under_an_intermediate_that_anybody_added(later: Later) -> None:
    proofs, evidence = later.proofs, later.evidence
    assert proofs.refusal_to(evidence) == Refusal("IntermediateUnknown", (later.digest,))
    assert proofs.refusal_to(evidence._replace(intermediate=PINNED)) == Refusal("CertificateNotSigned")
    later.submit(_list())
    receipt = proofs.send("addIntermediate(bytes)", later.certificate)
    (added,) = _logs(receipt, _ADDED)
    assert [int(topic, 16) for topic in added["topics"][1:]] == [1, 2]
    assert later.certificate.hex() in added["data"]
    proofs.prove(evidence)
    word = proofs.word(id_of(evidence.payload))
    assert (word >> 183 & 0xFF, word >> 191 & 0xFFFF, word >> 207) == (2, 1, 0)
    assert proofs.ask("numberOf(bytes32)", later.digest).number == 1
    # once more: the same number, and nothing happens
    assert later.add() == 1
    assert _logs(proofs.send("addIntermediate(bytes)", later.certificate), _ADDED) == []
    assert refused(proofs.ask("intermediateAt(uint256)", 2)) == Refusal("IntermediateUnknown", (bytes(31) + b"\2",))
    assert refused(proofs.ask("intermediateAt(uint256)", 0)) == Refusal("IntermediateUnknown", (bytes(32),))


def test_what_is_kept_of_an_intermediate_is_what_its_certificate_says(stage: Stage, tmp_path: Path) -> None:
    from eth_abi.abi import decode

    for number, line in enumerate(ProductLine, 1):
        later = _new(stage, tmp_path / line, _later_amd(line, CaRole.ASVK), line=line, csp_id="CN=cloud.example")
        later.submit(_list(line))
        assert later.add() == 1
        answer = later.proofs.ask("intermediateAt(uint256)", 1)
        ((key, not_before, not_after, *facts),) = decode(("(address,uint40,uint40,uint8,uint8,uint256)",), answer.data)
        template = _later_amd(line, CaRole.ASVK).authorities[CaRole.ASVK].template
        assert (not_before, not_after) == (template.not_before.timestamp(), template.not_after.timestamp())
        assert facts == [number, 1, _SERIAL]
        modulus = _later_amd(line, CaRole.ASVK).authorities[CaRole.ASVK].key.public_key().public_numbers().n
        assert stage.evm.code(key) == b"\0" + modulus.to_bytes(512, "big")
        later.proofs.prove(later.evidence)


def test_a_list_an_intermediate_and_a_proof_fit_into_one_transaction(later: Later) -> None:
    calls = [
        encode_function("submitCrl(bytes)", _list()),
        encode_function("addIntermediate(bytes)", later.certificate),
        later.proofs.prove_call(later.evidence),
    ]
    later.proofs.send("multicall(bytes[])", calls)
    assert later.proofs.word(id_of(later.evidence.payload)) >> 191 == 1
    # all or nothing: the first call of a refused transaction leaves nothing behind
    other = Proofs.deploy(later.proofs.evm, _verifier(later), _registry(later))
    refusal = refused(other.ask("multicall(bytes[])", [calls[0], calls[2]]))
    assert refusal == Refusal("IntermediateUnknown", (later.digest,))
    assert other.ask("listsCurrentUntil(uint256)", 2).number == 0


def _verifier(later: Later) -> str:
    return "0x" + later.proofs.ask("verifier()").data[12:].hex()


def _registry(later: Later) -> str:
    return "0x" + later.proofs.ask("registry()").data[12:].hex()


# What is not taken in


def test_only_a_current_list_lets_an_intermediate_in(later: Later) -> None:
    assert later.add() == Refusal("NoCurrentList", (2,))
    later.submit(_list(ProductLine.MILAN))
    assert later.add() == Refusal("NoCurrentList", (2,)), "a list of another line"
    later.submit(_list(this_update=NOW - 60 * _DAY, next_update=NOW - 30 * _DAY))
    assert later.add() == Refusal("NoCurrentList", (2,)), "a list out of date"
    later.submit(_list())
    assert later.add() == 1


def test_what_amd_revoked_before_is_not_taken_in(later: Later) -> None:
    later.submit(_list(revoked=(_SERIAL,), this_update=NOW - 60 * _DAY, next_update=NOW - 30 * _DAY), _list())
    assert later.add() == Refusal("IntermediateIsRevoked", (2, _SERIAL))


def test_what_no_root_signed_is_not_taken_in(later: Later, stage: Stage, vectors: Path) -> None:
    later.submit(_list())
    changed = later.certificate[:-1] + bytes((later.certificate[-1] ^ 1,))
    assert later.add(changed) == Refusal("IntermediateNotSigned")
    malformed = later.add(later.certificate + b"\0")
    assert isinstance(malformed, Refusal) and malformed.error == "DerMalformed"
    # AMD's are none of the simulator's, and the simulator's none of AMD's
    genuine = later.add(anchor(vectors, "SEV-Genoa"))
    assert isinstance(genuine, Refusal) and genuine.error == "DerMalformed"
    refusal = refused(stage.genuine.ask("addIntermediate(bytes)", later.certificate))
    assert refusal is not None and refusal.error == "DerMalformed"


def test_a_key_that_begins_as_the_evm_forbids_code_to_begin_is_kept(later: Later) -> None:
    """EIP-3541. Nobody has the private key of this number; the root signs what it is shown."""
    modulus = int.from_bytes(b"\xef" + bytes(510) + b"\x01", "big")
    key: RSAPublicKey = RSAPublicNumbers(65537, modulus).public_key()
    ark = FakeAmd.load(ProductLine.GENOA).ark
    template = forms.authority_template(ProductLine.GENOA, CaRole.ASK, key, ark.key.public_key())
    later.submit(_list())
    assert later.add(template.sign(ark.key)) == 1


def test_there_are_as_many_as_a_proofs_word_has_numbers(later: Later) -> None:
    later.submit(_list())
    assert later.add() == 1
    evm, address = later.proofs.evm, later.proofs.address
    slots = [hex(n) for n in range(10) if int(evm.ask("eth_getStorageAt", address, hex(n), "latest"), 16) == 1]
    assert len(slots) == 1, "the length of the list of intermediates"
    for length, wanted in ((0xFFFF, Refusal("TooManyIntermediates")), (0xFFFE, 0xFFFF)):
        evm.ask("anvil_setStorageAt", address, slots[0], "0x" + length.to_bytes(32, "big").hex())
        assert later.add(_later_amd(serial=0x20004).authorities[CaRole.ASK].certificate) == wanted


# What an intermediate does not prove


def test_an_intermediate_signs_only_for_its_own_line_and_kind(stage: Stage, tmp_path: Path) -> None:
    """One key in three certificates: then only line and kind tell them apart."""
    later = _new(stage, tmp_path)
    later.submit(_list(), _list(ProductLine.TURIN))
    key = _key()
    others = [
        FakeAmd.load(line).replaced(role, key, serial=7).authorities[role].certificate
        for line, role in ((ProductLine.GENOA, CaRole.ASVK), (ProductLine.TURIN, CaRole.ASK))
    ]
    for number, other in enumerate(others, 1):
        assert later.add(other) == number
        digest = keccak256(other)
        refusal = later.proofs.refusal_to(later.evidence._replace(intermediate=digest))
        assert refusal == Refusal("IntermediateDiffers", (digest,))
        answer = later.proofs.ask("endorse(bytes,bytes32)", later.evidence.vek, digest)
        assert refused(answer) == Refusal("IntermediateDiffers", (digest,))
    assert later.add() == 3
    later.proofs.prove(later.evidence)


def test_an_intermediate_with_another_key_did_not_sign(later: Later) -> None:
    later.submit(_list())
    other = FakeAmd.load(ProductLine.GENOA).replaced(CaRole.ASK, _key(ProductLine.TURIN), serial=8)
    certificate = other.authorities[CaRole.ASK].certificate
    assert later.add(certificate) == 1
    evidence = later.evidence._replace(intermediate=keccak256(certificate))
    assert later.proofs.refusal_to(evidence) == Refusal("CertificateNotSigned")


@pytest.mark.parametrize(
    ("dates", "packed_after"),
    [({"not_after": NOW - _DAY}, -2 * _DAY), ({"not_before": NOW + 200 * _DAY}, 201 * _DAY)],
    ids=["ended", "to begin"],
)
def test_an_intermediate_counts_for_its_own_time(
    stage: Stage, tmp_path: Path, dates: dict[str, Any], packed_after: timedelta
) -> None:
    later = _new(stage, tmp_path, _later_amd(**dates), packed_at=NOW + packed_after)
    later.submit(_list())
    assert later.add() == 1
    refusal = later.proofs.refusal_to(later.evidence)
    assert refusal is not None
    assert refusal.error == "NotInTime"
    template = _later_amd(**dates).authorities[CaRole.ASK].template
    assert refusal.arguments[1:] == (template.not_before.timestamp(), template.not_after.timestamp())


def test_what_one_intermediate_endorsed_another_did_not(later: Later, tmp_path: Path) -> None:
    """The simulator's chips have the same key under both, as AMD's have."""
    proofs, evidence = later.proofs, later.evidence
    old = make_provable(tmp_path / "old", name="acme/old")
    facts = vek_facts_of(evidence.report, evidence.vek)
    assert facts == vek_facts_of(old.evidence.report, old.evidence.vek)
    later.submit(_list())
    assert later.add() == 1
    proofs.send("endorse(bytes,bytes32)", old.evidence.vek, PINNED)
    asked = ("isEndorsed(bytes32,uint256,bytes32,bytes32)", facts.key_digest, facts.facts, facts.chip)
    assert [proofs.ask(*asked, one).number for one in (PINNED, later.digest)] == [1, 0]
    assert proofs.refusal_to(with_endorsed_key(evidence)) == Refusal("KeyNotEndorsed", (facts.key_digest,))
    proofs.send("endorse(bytes,bytes32)", evidence.vek, later.digest)
    proofs.prove(with_endorsed_key(evidence))
    assert proofs.word(id_of(evidence.payload)) >> 191 == 1
    assert refused(proofs.ask("endorse(bytes,bytes32)", evidence.vek, PINNED)) == Refusal("CertificateNotSigned")
    unknown = refused(proofs.ask("endorse(bytes,bytes32)", evidence.vek, b"\x07" * 32))
    assert unknown == Refusal("IntermediateUnknown", (b"\x07" * 32,))


def test_a_revocation_shuts_an_added_intermediate_and_leaves_the_pinned_one(later: Later, tmp_path: Path) -> None:
    proofs, evidence = later.proofs, later.evidence
    old = evidence_of(make_provable(tmp_path / "old", name="acme/pinned"))
    later.submit(_list())
    assert later.add() == 1
    for one in (evidence, old):
        proofs.prove(one)
    release_id, word = id_of(evidence.payload), proofs.word(id_of(evidence.payload))
    rules = (0, 0, 1 << 255, 0, 0, 0, bytes(32), 2**40 - 1, True)
    asked = (f"requireProvenAs(bytes32,bytes32,{RULES})", *digests_of(evidence.payload), rules)
    assert refused(proofs.ask(*asked)) is None
    # AMD revokes the pinned ASK: the added one of the same name stands
    later.submit(_list(revoked=(0x20002,)))
    assert refused(proofs.ask(*asked)) is None
    assert refused(proofs.ask("recheck(bytes32)", release_id)) == Refusal("NothingToRecheck", (release_id,))
    assert proofs.refusal_to(old) == Refusal("IntermediateIsRevoked", (2, 0x20002))
    # and then the added one
    later.submit(_list(ProductLine.MILAN, revoked=(_SERIAL,)))
    assert proofs.refusal_to(evidence) is None, "the serial number of another line"
    later.submit(_list(revoked=(_SERIAL,)))
    assert proofs.refusal_to(evidence) == Refusal("IntermediateIsRevoked", (2, _SERIAL))
    assert refused(proofs.ask(*asked)) == Refusal("ProofNotEnough", (release_id, 7, word))
    assert proofs.gate(*digests_of(evidence.payload)) is None
    proofs.send("recheck(bytes32)", release_id)
    assert proofs.word(release_id) == word | 1 << 255
    shut = Refusal("ProofNotEnough", (release_id, 7, word | 1 << 255))
    assert proofs.gate(*digests_of(evidence.payload)) == shut
    assert later.add() == 1, "it has its number, which proves nothing now"

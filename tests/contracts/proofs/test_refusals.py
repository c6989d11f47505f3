"""Every refusal of a proof has a name, and a test in which nothing else is wrong. So has every trick of an attacker."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from provenance_oracle.publisher.manifest import public_key_of
from provenance_oracle.publisher.simulator import FakeAmd, FakeGuest
from provenance_oracle.verifier.judgement.binding import bound_report_data
from provenance_oracle.verifier.judgement.release import Release
from provenance_oracle.verifier.proofs.evidence_calls import EvidenceCall, evidence_of, with_endorsed_key
from provenance_oracle.verifier.record.keccak import keccak256
from provenance_oracle.verifier.snp.products import ProductLine
from tests.contracts.proofs.conftest import Stage
from tests.support.evm import TRANSACTION_GAS_MAX
from tests.support.proofs import (
    NOW,
    P256_KEY,
    P384_KEY,
    RULES,
    Refusal,
    digests_of,
    id_of,
    make_provable,
    refused,
    signed_again,
)

pytestmark = pytest.mark.chain

P256_N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
P384_N = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFC7634D81F4372DDF581A0DB248B0A77AECEC196ACCC52973


@pytest.fixture(scope="module")
def good(stage: Stage, p256: Release) -> EvidenceCall:
    """Return evidence that the contract takes; its key is endorsed, so that each try costs less."""
    evidence = evidence_of(p256)
    stage.proofs.prove(evidence)
    return with_endorsed_key(evidence)


@pytest.fixture(scope="module")
def other(stage: Stage, tmp_path_factory: pytest.TempPathFactory) -> EvidenceCall:
    """Return evidence of another release by the same chip, with another key of the VM."""
    release = make_provable(tmp_path_factory.mktemp("other"), P384_KEY, name="acme/other")
    stage.proofs.prove(evidence_of(release))
    return with_endorsed_key(evidence_of(release))


def _flipped(data: bytes, at: int) -> bytes:
    return data[:at] + bytes((data[at] ^ 1,)) + data[at + 1 :]


# The evidence


def test_a_changed_report_is_not_signed(stage: Stage, good: EvidenceCall) -> None:
    for at in (0x010, 0x090, 0x29F):
        refusal = stage.proofs.refusal_to(good._replace(report=_flipped(good.report, at)))
        assert refusal in (Refusal("ReportNotSigned"), Refusal("ReportMalformed", (0x208,)))
    assert stage.proofs.refusal_to(good._replace(report=good.report[:-1])) == Refusal("ReportMalformed", (1183,))
    assert stage.proofs.refusal_to(good._replace(report=b"")) == Refusal("ReportMalformed", (0,))


def test_a_certificate_of_another_root_is_refused(stage: Stage, p256: Release) -> None:
    assert stage.genuine.refusal_to(evidence_of(p256)) == Refusal("CertificateNotSigned")


def test_a_key_that_amd_endorsed_for_another_contract_is_unknown_here(stage: Stage, good: EvidenceCall) -> None:
    digest = keccak256(good.vek_key)
    assert stage.genuine.refusal_to(good) == Refusal("KeyNotEndorsed", (digest,))


@pytest.mark.parametrize("part", ["report", "key", "signature", "payload"])
def test_no_part_of_another_release_fits(stage: Stage, good: EvidenceCall, other: EvidenceCall, part: str) -> None:
    wanted = {
        "report": "ManifestMalformed",  # it names another report
        "key": "KeyNotBound",
        "signature": "KeyAlgorithmUnknown",  # 96 bytes for a key on P-256
        "payload": "ManifestMalformed",
    }
    for one, another in ((good, other), (other, good)):
        refusal = stage.proofs.refusal_to(one._replace(**{part: getattr(another, part)}))
        assert refusal is not None
        assert refusal.error == wanted[part]


def test_the_owner_of_a_vm_cannot_sign_the_manifest_of_a_stranger(
    stage: Stage, good: EvidenceCall, tmp_path: Path
) -> None:
    """His own report binds his own key, which signs the stranger's payload: but that names the stranger's report."""
    his = evidence_of(make_provable(tmp_path, P384_KEY, name="acme/his"))
    stolen = signed_again(
        his._replace(internal_at=good.internal_at, subjects_at=good.subjects_at), good.payload, P384_KEY
    )
    assert stage.proofs.refusal_to(stolen) == Refusal("ManifestMalformed", (good.internal_at + 22,))


# The VM's key


def test_all_64_bytes_of_report_data_bind_the_key(stage: Stage, good: EvidenceCall) -> None:
    guest = FakeGuest.on(FakeAmd.load(ProductLine.GENOA), at=NOW)
    bound = bound_report_data(public_key_of(P256_KEY)[1])
    for data in (_flipped(bound, 0), _flipped(bound, 31), _flipped(bound, 32), _flipped(bound, 63), bytes(64)):
        report = guest.report(data)
        payload = good.payload.replace(_digest_hex(good.report), _digest_hex(report))
        evidence = signed_again(good._replace(report=report), payload)
        assert stage.proofs.refusal_to(evidence) == Refusal("KeyNotBound"), data.hex()


def test_a_key_is_accepted_in_one_form(stage: Stage, good: EvidenceCall, other: EvidenceCall) -> None:
    guest = FakeGuest.on(FakeAmd.load(ProductLine.GENOA), at=NOW)
    ed25519 = public_key_of(Ed25519PrivateKey.from_private_bytes(bytes(32)))[1].spki
    tries: list[tuple[bytes, bytes]] = [
        (ed25519, good.signature),
        (_flipped(good.key, 3), good.signature),
        (good.key[:-1], good.signature),
        (good.key + b"\0", good.signature),
        (good.key, good.signature + b"\0"),
        (good.key, b""),
        (_flipped(other.key, 3), other.signature),
        (other.key, other.signature[:64]),
        (good.key, other.signature),
    ]
    for key, signature in tries:
        report = guest.report(sha256(key).digest().ljust(64, b"\0"))
        payload = good.payload.replace(_digest_hex(good.report), _digest_hex(report))
        evidence = good._replace(report=report, key=key, payload=payload, signature=signature)
        wanted = Refusal("KeyAlgorithmUnknown", (len(key), len(signature)))
        assert stage.proofs.refusal_to(evidence) == wanted, key.hex()


def test_both_of_s_and_n_minus_s_sign_and_nothing_else_does(
    stage: Stage, good: EvidenceCall, other: EvidenceCall
) -> None:
    for evidence, order in ((good, P256_N), (other, P384_N)):
        size = len(evidence.signature) // 2
        r, s = (int.from_bytes(evidence.signature[at : at + size], "big") for at in (0, size))

        def signature(r: int, s: int, size: int = size) -> bytes:
            return r.to_bytes(size, "big") + s.to_bytes(size, "big")

        twin = evidence._replace(signature=signature(r, order - s))
        release = stage.proofs.word(id_of(evidence.payload))
        stage.proofs.prove(twin)
        assert stage.proofs.word(id_of(evidence.payload)) >> 40 == release >> 40
        for wrong in ((r, 0), (0, s), (r, order), (order, s), (r, 2 ** (8 * size) - 1), (s, r), (r ^ 1, s), (r, s ^ 1)):
            refusal = stage.proofs.refusal_to(evidence._replace(signature=signature(*wrong)))
            assert refusal == Refusal("ManifestNotSigned"), wrong


def test_the_payload_is_what_was_signed(stage: Stage, good: EvidenceCall) -> None:
    changed = good.payload.replace(b'"name":"acme/tiny"', b'"name":"evil/tiny"')
    assert changed != good.payload
    assert stage.proofs.refusal_to(good._replace(payload=changed)) == Refusal("ManifestNotSigned")


# The places in the manifest


def test_a_place_that_is_none_is_refused_by_name(stage: Stage, good: EvidenceCall) -> None:
    size = len(good.payload)
    for at in (0, good.internal_at + 1, size - 1, size, size + 1, 2**64, 2**256 - 1):
        assert stage.proofs.refusal_to(good._replace(internal_at=at)) == Refusal("ManifestMalformed", (at,))
        assert stage.proofs.refusal_to(good._replace(subjects_at=at)) == Refusal("ManifestMalformed", (at,))


def test_a_publisher_is_one_line(stage: Stage, good: EvidenceCall) -> None:
    head = b'"internalParameters":{'
    for line in (b'key "x', b"key \\u0041", b"key \n", b"key"):
        payload = good.payload.replace(head, head + b'"publisher":{"identity":"' + line + b'"},')
        at = good.internal_at
        refusal = stage.proofs.refusal_to(
            signed_again(good, payload)._replace(subjects_at=payload.rfind(b'"predicateType"'))
        )
        assert (refusal is None) == (line == b"key"), line
        assert refusal is None or refusal == Refusal("ManifestMalformed", (refusal.arguments[0],))
        assert refusal is None or at < refusal.arguments[0] < at + 70
    unended = good.payload[: good.internal_at + len(head)] + b'"publisher":{"identity":"x'
    refusal = stage.proofs.refusal_to(signed_again(good, unended))
    assert refusal == Refusal("ManifestMalformed", (len(unended),))


# Calldata


def test_parts_may_overlap_and_prove_no_more_for_it(stage: Stage, good: EvidenceCall) -> None:
    """An encoder may let two members share bytes, and their offsets may stand in any order."""
    data = bytearray(stage.proofs.prove_call(good))
    struct = 4 + int.from_bytes(data[4:36], "big")
    members = {name: struct + 32 * n for n, name in enumerate(EvidenceCall._fields)}
    signature = int.from_bytes(data[members["signature"] : members["signature"] + 32], "big")
    for name in ("vek", "key", "payload"):
        changed = bytearray(data)
        changed[members[name] : members[name] + 32] = signature.to_bytes(32, "big")
        assert refused(stage.evm.call(stage.proofs.address, bytes(changed))) is not None, name
    # the empty certificate shares the place of nothing at all
    changed = data + bytes(32)
    changed[members["vek"] : members["vek"] + 32] = (len(data) - struct).to_bytes(32, "big")
    assert refused(stage.evm.call(stage.proofs.address, bytes(changed))) is None


def test_calldata_that_ends_early_or_points_away_reverts(stage: Stage, good: EvidenceCall) -> None:
    data = stage.proofs.prove_call(good)
    for end in (4, 36, 68, 100, 400, 1000, len(data) - 33):
        assert stage.evm.call(stage.proofs.address, data[:end]).reverted, end
    struct = 4 + int.from_bytes(data[4:36], "big")
    for member in (0, 1, 2, 5, 6, 7):
        for place in (len(data), 2**64, 2**256 - 32, 2**256 - 1):
            at = struct + 32 * member
            changed = data[:at] + place.to_bytes(32, "big") + data[at + 32 :]
            assert stage.evm.call(stage.proofs.address, changed).reverted, (member, place)


def test_dirty_bytes_between_the_parts_change_nothing(stage: Stage, good: EvidenceCall) -> None:
    data = bytearray(stage.proofs.prove_call(good))
    key_end = data.find(good.key) + len(good.key)
    assert data[key_end] == 0
    data[key_end] = 0xFF
    assert refused(stage.evm.call(stage.proofs.address, bytes(data))) is None


def test_with_too_little_gas_nothing_is_proven(stage: Stage, tmp_path: Path) -> None:
    """Less gas never makes a refusal of evidence out of good evidence, and never a proof."""
    release = make_provable(tmp_path, name="acme/short-of-gas")
    evidence = with_endorsed_key(evidence_of(release))
    data = stage.proofs.prove_call(evidence)
    for gas in range(300_000, 2_700_000, 300_000):
        answer = stage.evm.call(stage.proofs.address, data, gas)
        assert answer.reverted, gas
        assert refused(answer) in (None, Refusal(""), Refusal("ModexpFailed")), gas
    assert stage.proofs.word(id_of(evidence.payload)) == 0
    assert not stage.evm.call(stage.proofs.address, data, TRANSACTION_GAS_MAX).reverted


# The gates


def _rules(**changes: Any) -> tuple[Any, ...]:
    rules: dict[str, Any] = {
        "required": 0,
        "forbidden": 0,
        "lines": 1 << 255,
        "milan_floor": 0,
        "genoa_floor": 0,
        "turin_floor": 0,
        "identity": bytes(32),
        "maximum_age": 2**40 - 1,
        "fresh_lists": False,
    }
    return tuple((rules | changes).values())


def test_the_plain_gate(stage: Stage, good: EvidenceCall) -> None:
    model, manifest = digests_of(good.payload)
    word, release = stage.proofs.word(id_of(good.payload)), id_of(good.payload)
    assert stage.proofs.gate(model, manifest) is None
    assert stage.proofs.gate(model, manifest, required=word, forbidden=~word & 2**256 - 1) is None
    assert stage.proofs.gate(model, manifest, required=word | 1 << 240) == Refusal("ProofNotEnough", (release, 0, word))
    assert stage.proofs.gate(model, manifest, forbidden=1 << 86) == Refusal("ProofNotEnough", (release, 1, word))
    assert stage.proofs.gate(manifest, model) == Refusal("NotProven", (keccak256(manifest + model),))


def test_the_gate_with_rules(stage: Stage, good: EvidenceCall) -> None:
    model, manifest = digests_of(good.payload)
    release = id_of(good.payload)
    word, identity = stage.proofs.word(release), stage.proofs.ask("identityOf(bytes32)", release).data

    def ask(**changes: Any) -> Refusal | None:
        signature = f"requireProvenAs(bytes32,bytes32,{RULES})"
        return refused(stage.proofs.ask(signature, model, manifest, _rules(**changes)))

    def lacks(what: int) -> Refusal:
        return Refusal("ProofNotEnough", (release, what, word))

    assert ask() is None
    assert ask(required=1 << 240) == lacks(0)
    assert ask(forbidden=1 << 86) == lacks(1)
    assert ask(lines=0b1110) == lacks(2)
    assert ask(genoa_floor=2**64 - 1) is None, "simulated hardware has no floor"
    assert ask(fresh_lists=True) == lacks(6)
    assert ask(identity=identity) is None
    assert ask(identity=b"\x01" * 32) == lacks(4)
    stage.evm.ask("evm_increaseTime", 100)
    stage.evm.ask("evm_mine")
    assert ask(maximum_age=99) == lacks(5)
    assert ask(maximum_age=3600) is None
    # a later proof of the same release shows a later time
    stage.proofs.prove(good)
    assert ask(maximum_age=99) is None


def test_a_contract_of_another_kind_is_no_gate(stage: Stage) -> None:
    for interface, known in ((0x01FFC9A7, 1), (0xFFFFFFFF, 0)):
        assert stage.proofs.ask("supportsInterface(bytes4)", interface.to_bytes(4, "big")).number == known


def _digest_hex(report: bytes) -> bytes:
    return sha256(report[:0x2A0]).hexdigest().encode()

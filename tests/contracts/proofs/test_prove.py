"""A proof on a real EVM says what the Python verifier reads, with a record of the registry and without."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from provenance_oracle.verifier.identity.names import PublisherIdentity
from provenance_oracle.verifier.judgement.judge import judge
from provenance_oracle.verifier.judgement.release import Release
from provenance_oracle.verifier.policy import load_policy
from provenance_oracle.verifier.proofs.evidence_calls import evidence_of, vek_facts_of, with_endorsed_key
from provenance_oracle.verifier.record.codec import record_id
from provenance_oracle.verifier.record.fields import PRODUCT_LINE_CODES, workload_identity
from provenance_oracle.verifier.record.keccak import keccak256
from provenance_oracle.verifier.snp.products import ProductLine
from provenance_oracle.verifier.snp.report import parse_report
from tests.contracts.proofs.conftest import Stage
from tests.support.chain_fixtures import deploy_registry
from tests.support.proofs import NOW, P256_KEY, P384_KEY, Refusal, digests_of, id_of, make_provable, make_simulated

pytestmark = pytest.mark.chain

DEMO = load_policy("demo")
GUESTS: dict[str, dict[str, Any]] = {
    "milan": {"line": ProductLine.MILAN, "version": 3},
    "milan-v2": {"line": ProductLine.MILAN, "version": 2},
    "genoa": {"line": ProductLine.GENOA},
    "genoa-vlek": {"line": ProductLine.GENOA, "csp_id": "CN=cc-us-east-2.amazonaws.com"},
    "turin": {"line": ProductLine.TURIN, "vmpl": 2, "policy": 0xB0000},
    "turin-p384": {"line": ProductLine.TURIN, "key": P384_KEY},
    "sha384-spki": {"binding": "sha384-spki"},
    "publisher": {"publisher": "key " + "ab" * 32, "with_sha256": True},
}
_LOW_40 = 2**40 - 1


def _logs(receipt: dict[str, Any], event: str) -> list[dict[str, Any]]:
    return [log for log in receipt["logs"] if log["topics"][0] == "0x" + keccak256(event.encode()).hex()]


@pytest.mark.parametrize("name", GUESTS)
def test_a_proof_says_what_the_python_verifier_reads(stage: Stage, tmp_path: Path, name: str) -> None:
    options = dict(GUESTS[name])
    release = make_provable(tmp_path, options.pop("key", P256_KEY), name=f"acme/{name}", **options)
    evidence, report = evidence_of(release), parse_report(release.evidence.report)
    receipt = stage.proofs.prove(evidence)
    # (1) the release
    (proven,) = _logs(receipt, "ReleaseProven(bytes32,bytes32,bytes32,uint256,bytes32)")
    assert tuple(bytes.fromhex(topic[2:]) for topic in proven["topics"][1:]) == (
        *digests_of(evidence.payload),
        report.digest,
    )
    word, identity = (int(proven["data"][2 + 64 * n :][:64], 16) for n in (0, 1))
    assert identity.to_bytes(32, "big") == workload_identity(report.measurement, simulated=True)
    assert stage.proofs.ask("identityOf(bytes32)", id_of(evidence.payload)).number == identity
    # (2) the word
    assert stage.proofs.word(id_of(evidence.payload)) == word
    block = stage.evm.ask("eth_getBlockByNumber", receipt["blockNumber"], False)
    assert word & _LOW_40 == int(block["timestamp"], 16)
    assert word >> 40 & (2**26 - 1) == report.policy
    assert word >> 66 & 0xFF == report.platform_info & 0xFF
    assert word >> 74 & 3 == report.vmpl
    assert word >> 76 & 1 == 0
    assert word >> 77 & 1 == (not any(report.chip_id))
    assert word >> 78 & 1 == report.signing_key
    assert word >> 79 & 0xFF == 255
    assert word >> 87 & 0xFF == report.version
    assert word >> 95 & (2**64 - 1) == int.from_bytes(report.reported_tcb, "little")
    cpuid = report.cpuid
    assert word >> 159 & 0xFFFFFF == (cpuid.family | cpuid.model << 8 | cpuid.stepping << 16 if cpuid else 0)
    assert word >> 191 == 0
    assert word >> 183 & 0xFF == PRODUCT_LINE_CODES[options.get("line", ProductLine.GENOA)]
    # (3) the whole report stays public
    (genuine,) = _logs(receipt, "ReportProven(bytes32,bytes32,uint256,bytes)")
    assert release.evidence.report.hex() in genuine["data"]
    # (4) the key is endorsed now, so the same release costs less to prove
    facts = vek_facts_of(evidence.report, evidence.vek)
    assert facts.facts >> 144 & 0xFF == PRODUCT_LINE_CODES[options.get("line", ProductLine.GENOA)]
    again = stage.proofs.prove(with_endorsed_key(evidence))
    assert int(again["gasUsed"], 16) < int(receipt["gasUsed"], 16) - 400_000


def test_an_endorsement_alone_makes_the_key_known(stage: Stage, tmp_path: Path) -> None:
    release = make_provable(tmp_path, line=ProductLine.MILAN, at=NOW - timedelta(hours=1), name="acme/endorsed")
    evidence = evidence_of(release)
    facts = vek_facts_of(evidence.report, evidence.vek)
    known = with_endorsed_key(evidence)
    asked = ("isEndorsed(bytes32,uint256,bytes32,bytes32)", facts.key_digest, facts.facts, facts.chip, bytes(32))
    assert stage.proofs.ask(*asked).number == 0
    assert stage.proofs.refusal_to(known) == Refusal("KeyNotEndorsed", (facts.key_digest,))
    receipt = stage.proofs.send("endorse(bytes,bytes32)", evidence.vek, bytes(32))
    (endorsed,) = _logs(receipt, "KeyEndorsed(bytes32,uint256,bytes32,bytes32,bytes32)")
    assert bytes.fromhex(endorsed["topics"][1][2:]) == facts.key_digest
    assert stage.proofs.ask(*asked).number == 1
    stage.proofs.prove(known)
    assert (
        _logs(
            stage.proofs.send("endorse(bytes,bytes32)", evidence.vek, bytes(32)),
            "KeyEndorsed(bytes32,uint256,bytes32,bytes32,bytes32)",
        )
        == []
    )
    for other in (known._replace(vek_facts=facts.facts ^ 1), known._replace(vek_chip=bytes(32))):
        assert stage.proofs.refusal_to(other) == Refusal("KeyNotEndorsed", (facts.key_digest,))


def test_a_record_is_confirmed(stage: Stage, p256: Release) -> None:
    record = judge(p256, DEMO, at=NOW).record
    evidence, encoded = evidence_of(p256), stage.registry.encode(record)
    unknown = Refusal("RecordUnknown", (record_id(record),))
    assert stage.proofs.refusal_to(evidence, encoded) == unknown
    # the same record in another registry is none of this one's
    elsewhere = deploy_registry(stage.registry.chain)
    elsewhere.publish(encoded)
    assert stage.proofs.refusal_to(evidence, encoded) == unknown
    stage.registry.publish(encoded)
    receipt = stage.proofs.prove(evidence, encoded)
    (confirmed,) = _logs(receipt, "RecordConfirmed(bytes32,address)")
    assert bytes.fromhex(confirmed["topics"][1][2:]) == record_id(record) == id_of(evidence.payload)
    changed = encoded[:-1] + bytes((encoded[-1] ^ 1,))
    assert stage.proofs.refusal_to(evidence, changed) == unknown


def test_a_record_of_a_release_that_names_its_publisher_has_that_identity(stage: Stage, tmp_path: Path) -> None:
    line = "key " + "cd" * 32
    release = make_provable(tmp_path, publisher=line, name="acme/named")
    model, manifest = digests_of(evidence_of(release).payload)
    report = parse_report(release.evidence.report)
    identity = PublisherIdentity(line).digest
    record = make_simulated(report, model, manifest, publisher_identity=identity)
    stage.registry.publish(record)
    stage.proofs.prove(evidence_of(release), stage.registry.encode(record))


def test_every_field_that_follows_from_the_evidence_is_compared(stage: Stage, tmp_path: Path) -> None:
    release = make_provable(tmp_path, name="acme/lied-about")
    evidence, report = evidence_of(release), parse_report(release.evidence.report)
    honest = make_simulated(report, *digests_of(evidence.payload))
    lies: list[tuple[int, dict[str, Any]]] = [
        (3, {"snp_report_digest": b"\x07" * 32}),
        (5, {"publisher_identity": b"\x07" * 32}),
        (6, {"reported_tcb": bytes(8)}),
        (7, {"product_line": 2}),
        (0, {"model_digest": b"\x07" * 32}),
        (1, {"manifest_digest": b"\x07" * 32}),
        (8, {"passed": False, "grade": 0}),
    ]
    revision = 0
    for field, change in lies:
        is_other_release = field in (0, 1, 8)
        lie = replace(honest, revision=0 if is_other_release else revision, verdict_digest=bytes((field + 9,)) * 32)
        lie = replace(lie, **change)
        revision += not is_other_release
        stage.registry.publish(lie)
        encoded = stage.registry.encode(lie)
        assert stage.proofs.refusal_to(evidence, encoded) == Refusal("RecordDiffers", (field,)), change
    truth = replace(honest, revision=revision, verdict_digest=b"\x55" * 32)
    stage.registry.publish(truth)
    stage.proofs.prove(evidence, stage.registry.encode(truth))


def test_a_certificate_counts_for_its_own_time(stage: Stage, tmp_path: Path) -> None:
    day = timedelta(days=1)
    early = make_provable(tmp_path / "early", at=NOW + 40 * day, name="acme/early")
    late = make_provable(tmp_path / "late", at=NOW - 9 * 365 * day, packed_at=NOW - 4 * 365 * day, name="acme/late")
    for release in (early, late):
        refusal = stage.proofs.refusal_to(evidence_of(release))
        assert refusal is not None
        assert refusal.error == "NotInTime"
        moment, not_before, not_after = refusal.arguments
        facts = vek_facts_of(release.evidence.report, release.evidence.vek).facts
        assert (not_before, not_after) == (facts >> 64 & _LOW_40, facts >> 104 & _LOW_40)
        assert abs(moment - NOW.timestamp()) < 7 * 86_400
    record = make_simulated(parse_report(late.evidence.report), *digests_of(evidence_of(late).payload))
    stage.registry.publish(record)
    refusal = stage.proofs.refusal_to(evidence_of(late), stage.registry.encode(record))
    assert refusal is not None
    assert refusal.error == "NotInTime"


def test_a_record_shows_that_a_report_was_there_while_its_certificate_held(later_stage: Stage, tmp_path: Path) -> None:
    stage, release = later_stage, make_provable(tmp_path, name="acme/aged")
    evidence = evidence_of(release)
    record = make_simulated(parse_report(release.evidence.report), *digests_of(evidence.payload))
    stage.registry.publish(record)
    stage.evm.ask("evm_increaseTime", 8 * 365 * 86_400)
    stage.evm.ask("evm_mine")
    assert stage.proofs.refusal_to(evidence, stage.registry.encode(record)) is None
    refusal = stage.proofs.refusal_to(evidence)
    assert refusal is not None
    assert refusal.error == "NotInTime"

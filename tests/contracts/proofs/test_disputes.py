"""A record that its own evidence disproves is marked, and ends its signers' keys where the contract is the guardian.

An honest record is never marked: not for what this contract does not understand, and not for the fault of another.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from provenance_oracle.publisher.simulator import CaRole, FakeAmd, FakeGuest
from provenance_oracle.verifier.judgement.judge import Judgement, judge
from provenance_oracle.verifier.judgement.release import REPORT_PATH, VEK_DER_PATH, VEK_PEM_PATH, Release
from provenance_oracle.verifier.policy import load_policy
from provenance_oracle.verifier.proofs.evidence_calls import evidence_of
from provenance_oracle.verifier.record.codec import record_id, release_id
from provenance_oracle.verifier.record.fields import Record
from provenance_oracle.verifier.snp.products import ProductLine
from tests.contracts.proofs.conftest import Stage
from tests.support.chain_fixtures import DeployedRegistry, checksummed, deploy_registry
from tests.support.evm import creation_code
from tests.support.proofs import CITED, NOW, Proofs, Refusal, encode_function, make_provable, refused

pytestmark = pytest.mark.chain

_NOWHERE = 2**256 - 1
_DAY = 86_400
_PRICE = 10**9


@dataclass(frozen=True)
class Case:
    """A release that an oracle judged, and what it cites. `verdict` is what the record's digest is of."""

    record: Record
    verdict: bytes
    report: bytes
    vek: bytes

    @property
    def cited(self) -> tuple[Any, ...]:
        at = self.verdict.find(b'"productLine":')
        places = [
            _place(self.verdict, data, name) for data, name in ((self.report, "report.bin"), (self.vek, "vek.der"))
        ]
        return self.verdict, self.report, places[0], self.vek, places[1], at

    def lying(self, **changes: Any) -> Case:
        """Return the same with another record."""
        return replace(self, record=replace(self.record, **changes))

    def citing(self, *, report: bytes | None = None, vek: bytes | None = None, **changes: Any) -> Case:
        """Return the case of an oracle that judged and cited other files, and says so in verdict and record."""
        verdict = self.verdict
        for old, new in ((self.report, report), (self.vek, vek)):
            if new is not None:
                verdict = verdict.replace(_hex(old), _hex(new))
        new_report = self.report if report is None else report
        digest = hashlib.sha256(new_report[:0x2A0]).digest()
        verdict = verdict.replace(self.record.snp_report_digest.hex().encode(), digest.hex().encode())
        facts = {"snp_report_digest": digest, "verdict_digest": hashlib.sha256(verdict).digest()}
        record = replace(self.record, **facts | changes)
        return Case(record, verdict, new_report, self.vek if vek is None else vek)


@dataclass(frozen=True)
class Court:
    """A registry, its proofs and its disputes."""

    registry: DeployedRegistry
    proofs: Proofs
    address: str

    def ask(self, signature: str, *arguments: Any) -> Refusal | None:
        return refused(replace(self.proofs, address=self.address).ask(signature, *arguments))

    def disprove(self, case: Case, cited: tuple[Any, ...] | None = None) -> Refusal | int:
        """Return the refusal, or the reason with which the record is disproved; nothing is sent."""
        signature = f"disprove(bytes,{CITED})"
        answer = replace(self.proofs, address=self.address).ask(
            signature, self.registry.encode(case.record), cited or case.cited
        )
        return refused(answer) or answer.number

    def send(self, signature: str, *arguments: Any) -> dict[str, Any]:
        return replace(self.proofs, address=self.address).send(signature, *arguments)

    def appoint(self) -> None:
        functions = self.registry.contract.functions
        self.registry.send(functions.appointGuardian(_checksum(self.address)), self.registry.owner)

    def gate(self, record: Record) -> bool:
        """Return whether the registry has a record of the release in good standing, whatever its hardware."""
        standing = self.registry.contract.functions.standingOf(record.model_digest, record.manifest_digest).call()
        return bool(standing[0]) and not standing[1]


def _place(verdict: bytes, data: bytes, name: str) -> int:
    at = verdict.find(b'{"digest":{"sha256":"' + _hex(data) + b'"},"uri":"provenance/snp/' + name.encode())
    return at if at >= 0 else _NOWHERE


def _hex(data: bytes) -> bytes:
    return hashlib.sha256(data).hexdigest().encode()


def _checksum(address: str) -> Any:
    from eth_utils.address import to_checksum_address

    return to_checksum_address(address)


@pytest.fixture(scope="module")
def court(stage: Stage) -> Court:
    return _court_on(stage)


def _court_on(stage: Stage) -> Court:
    registry = deploy_registry(stage.registry.chain, oracles=3, threshold=2)
    proofs = Proofs.deploy(stage.evm, stage.verifier, registry.address)
    words = b"".join(bytes.fromhex(one[2:]).rjust(32, b"\0") for one in (proofs.address, registry.guardian.address))
    address = stage.evm.deploy(creation_code("Disputes") + words + _PRICE.to_bytes(32, "big"))
    return Court(registry, proofs, address)


@pytest.fixture
def case(tmp_path: Path) -> Case:
    release = make_provable(tmp_path, name=f"acme/{hashlib.sha256(str(tmp_path).encode()).hexdigest()[:12]}")
    return _case(release, judge(release, load_policy("demo"), at=NOW))


def _case(release: Release, judged: Judgement) -> Case:
    assert release.evidence.vek_name == VEK_DER_PATH
    assert release.evidence.report_name == REPORT_PATH
    return Case(judged.record, judged.verdict.statement, release.evidence.report, release.evidence.vek)


def _published(court: Court, case: Case, signers: tuple[int, ...] = (0, 2)) -> Case:
    court.registry.publish(case.record, signers)
    return case


def _flipped(data: bytes, at: int) -> bytes:
    return data[:at] + bytes((data[at] ^ 1,)) + data[at + 1 :]


def _other_report(case: Case, **changes: Any) -> bytes:
    """Return a report of the same guest with other fields, as its chip signs it."""
    guest = FakeGuest.on(FakeAmd.load(ProductLine.GENOA), at=NOW)
    return guest.report(case.report[0x50:0x90], **changes)


LIES: dict[str, tuple[int, Callable[[Case], Case]]] = {
    "another report's digest": (1, lambda case: case.lying(snp_report_digest=b"\x07" * 32)),
    "another TCB": (3, lambda case: case.lying(reported_tcb=bytes(8))),
    "another workload": (4, lambda case: case.lying(publisher_identity=b"\x07" * 32)),
    "the host's report": (6, lambda case: case.citing(report=_other_report(case, vmpl=0xFFFFFFFF))),
    "a changed measurement": (4, lambda case: case.citing(report=_flipped(case.report, 0x90))),
    "a changed signature": (7, lambda case: case.citing(report=_flipped(case.report, 0x2A1))),
    "the certificate of another chip": (8, lambda case: case.citing(vek=_another_chip())),
    "the certificate of another TCB": (8, lambda case: case.citing(vek=_another_tcb())),
}


def _another_chip() -> bytes:
    return FakeGuest.on(FakeAmd.load(ProductLine.GENOA), at=NOW, chip_id=b"\x05" * 64).vek().certificate


def _of_another_chip_by_a_later_ask() -> bytes:
    """Return a certificate that does not fit the report, and that none of the keys in the contracts signed."""
    key = FakeAmd.load(ProductLine.MILAN).authorities[CaRole.ASK].key
    amd = FakeAmd.load(ProductLine.GENOA).replaced(CaRole.ASK, key, serial=0x20003)
    return FakeGuest.on(amd, at=NOW, chip_id=b"\x05" * 64).vek().certificate


def _another_tcb() -> bytes:
    guest = FakeGuest.on(FakeAmd.load(ProductLine.GENOA), at=NOW)
    return replace(guest, tcb=replace(guest.tcb, microcode=1)).vek().certificate


@pytest.mark.parametrize("lie", LIES)
def test_each_lie_is_disproved_by_its_own_evidence(court: Court, case: Case, lie: str) -> None:
    reason, change = LIES[lie]
    lied = _published(court, change(case))
    assert court.disprove(lied) == reason
    release = release_id(lied.record.model_digest, lied.record.manifest_digest)
    court.send(f"disprove(bytes,{CITED})", court.registry.encode(lied.record), lied.cited)
    asked = ("requireUndisputed(bytes32,bytes32)", lied.record.model_digest, lied.record.manifest_digest)
    assert court.ask(*asked) == Refusal("IsDisproved", (release, reason))
    assert court.gate(lied.record), "the contract is not appointed, so it flags and no more"


# What convicts nobody


UNDERSTOOD_ELSEWHERE: dict[str, Callable[[Case], Case]] = {
    "an honest record": lambda case: case,
    "a report of another length": lambda case: case.citing(report=case.report + b"\0"),
    "a report of a later version": lambda case: case.citing(report=_other_report(case, version=6)),
    "a report in another form": lambda case: case.citing(
        report=_other_report(case, platform_info=1, version=5, key_info=8)
    ),
    "a certificate by a later intermediate": lambda case: case.citing(vek=_of_another_chip_by_a_later_ask()),
    "a certificate by another key": lambda case: case.citing(vek=_flipped(case.vek, len(case.vek) - 1)),
    "a certificate in another form": lambda case: case.citing(vek=case.vek + b"\0"),
    "an unsigned certificate of another chip": lambda case: case.citing(vek=_flipped(_another_chip(), -1 % 1200)),
    "a processor that is not known": lambda case: case.citing(report=_other_report(case, cpuid_model=0x50)),
}


@pytest.mark.parametrize("name", UNDERSTOOD_ELSEWHERE)
def test_what_the_contract_does_not_understand_convicts_nobody(court: Court, case: Case, name: str) -> None:
    honest = _published(court, UNDERSTOOD_ELSEWHERE[name](case))
    assert court.disprove(honest) == Refusal("NotDisproved", (record_id(honest.record),))


def test_a_publisher_whom_the_manifest_may_name_convicts_nobody(court: Court, case: Case) -> None:
    """The record has the publisher's identity then, and the verdict shows one between the two members looked at."""
    member = b'","reportDigest":"'
    verdict = case.verdict.replace(member, b'","publisher":{"named":true},' + member[2:])
    facts = {"verdict_digest": hashlib.sha256(verdict).digest(), "publisher_identity": b"\x07" * 32}
    named = _published(court, Case(replace(case.record, **facts), verdict, case.report, case.vek))
    for at in (named.cited[5], 0, _NOWHERE):
        cited = (*named.cited[:5], at)
        assert court.disprove(named, cited) == Refusal("NotDisproved", (record_id(named.record),))


def test_too_little_gas_convicts_nobody(court: Court, case: Case) -> None:
    """Somebody may choose the gas so that a precompile or an inner call fails: that is no reason against an oracle."""
    honest = _published(court, case)
    data = encode_function(f"disprove(bytes,{CITED})", court.registry.encode(honest.record), honest.cited)
    for gas in range(450_000, 3_600_000, 35_000):
        answer = court.proofs.evm.call(court.address, data, gas)
        assert refused(answer) == Refusal("NotDisproved", (record_id(honest.record),)), gas


def test_evidence_counts_only_as_the_verdict_of_the_record_cites_it(court: Court, case: Case) -> None:
    unknown = Refusal("RecordUnknown", (record_id(case.record),))
    assert court.disprove(case) == unknown
    lied = _published(court, case.citing(report=_flipped(case.report, 0x2A1)))
    verdict, report, report_at, vek, vek_at, line_at = lied.cited
    assert court.disprove(lied, (verdict + b" ", *lied.cited[1:])) == Refusal(
        "NotTheVerdict", (record_id(lied.record),)
    )
    for cited, at in (
        ((verdict, _flipped(report, 0), report_at, vek, vek_at, line_at), report_at),
        ((verdict, report, report_at + 1, vek, vek_at, line_at), report_at + 1),
        ((verdict, report, _NOWHERE, vek, vek_at, line_at), _NOWHERE),
        ((verdict, report, report_at, _flipped(vek, 9), vek_at, line_at), vek_at),
        ((verdict, report, report_at, vek, report_at, line_at), report_at),
    ):
        assert court.disprove(lied, cited) == Refusal("NotCited", (at,))


def test_a_certificate_in_pem_hides_a_forgery_and_nothing_else(court: Court, case: Case) -> None:
    """The contract reads DER. docs/proofs.md says so; what the report alone shows counts however the key is cited."""

    def in_pem(found: Case) -> Case:
        verdict = found.verdict.replace(VEK_DER_PATH.encode(), VEK_PEM_PATH.encode())
        return replace(found.lying(verdict_digest=hashlib.sha256(verdict).digest()), verdict=verdict)

    for number, (lie, (reason, change)) in enumerate(LIES.items()):
        found = in_pem(change(case.lying(model_digest=bytes((number + 1,)) * 32)))
        lied = _published(court, found)
        cited = (*lied.cited[:3], b"", _NOWHERE, lied.cited[5])
        assert court.disprove(lied, cited) == (reason if reason < 7 else Refusal("NotCited", (_NOWHERE,))), lie


@pytest.mark.parametrize(
    "changes",
    [{"passed": False, "grade": 0}, {"product_line": 2, "grade": 1}],
    ids=["a FAILED record", "hardware of other keys"],
)
def test_some_records_are_not_disputed_here(court: Court, case: Case, changes: dict[str, Any]) -> None:
    lied = _published(court, case.lying(reported_tcb=bytes(8), **changes))
    assert court.disprove(lied) == Refusal("NotDisputable", (record_id(lied.record),))


# The effect


def test_the_appointed_contract_ends_release_and_keys_in_one_transaction(stage: Stage, case: Case) -> None:
    registry = deploy_registry(stage.registry.chain, oracles=3, threshold=2)
    proofs = Proofs.deploy(stage.evm, stage.verifier, registry.address)
    words = b"".join(bytes.fromhex(one[2:]).rjust(32, b"\0") for one in (proofs.address, registry.guardian.address))
    court = Court(registry, proofs, stage.evm.deploy(creation_code("Disputes") + words + bytes(32)))
    court.appoint()
    honest, lied = case, _published(court, case.citing(report=_flipped(case.report, 0x2A1), revision=0))
    assert honest.record != lied.record
    # the guardian ended one of the keys before: that must not stand in the way
    registry.send(registry.contract.functions.revokeKey(1, 0, 0, "stolen"), registry.owner)
    court.send(f"disprove(bytes,{CITED})", registry.encode(lied.record), lied.cited)
    assert not court.gate(lied.record)
    seats = [registry.contract.functions.oracleAt(1, index).call() for index in range(3)]
    recorded = registry.contract.functions.standingOf(lied.record.model_digest, lied.record.manifest_digest).call()[0]
    assert [seat[3] for seat in seats] == [0, 2**40 - 1, recorded]
    # the rights of the guardian stay in a person's hands
    keeper, stranger = registry.guardian, registry.stranger
    contract: Any = registry.contract.w3.eth.contract(_checksum(court.address), abi=_disputes_abi())
    assert registry.contract.functions.guardian().call() == contract.address
    calls = [
        contract.functions.pauseWrites(),
        contract.functions.revokeAllOf(b"\x31" * 32, "a backdoor"),
        contract.functions.revokeKey(1, 1, 7, "stolen"),
    ]
    for call in calls:
        assert _refusal(call, stranger) == Refusal("NotKeeper", (stranger.address.lower(),))
        registry.send(call, keeper)
    assert registry.contract.functions.writesPaused().call()
    assert registry.contract.functions.revokedModelTime(b"\x31" * 32).call() > 0
    assert registry.contract.functions.oracleAt(1, 1).call()[3] == 7
    again = contract.functions.revoke(record_id(lied.record), 1, "once more")
    assert _refusal(again, stranger) == Refusal("NotKeeper", (stranger.address.lower(),))
    # the owner of the registry names another keeper
    naming = contract.functions.appointKeeper(checksummed(stranger))
    assert _refusal(naming, keeper) == Refusal("NotKeeper", (keeper.address.lower(),))
    registry.send(naming, registry.owner)
    assert contract.functions.keeper().call() == checksummed(stranger)


def _refusal(call: Any, sender: Any) -> Refusal | None:
    from web3.exceptions import ContractCustomError

    from tests.support.evm import Answer

    try:
        call.call({"from": checksummed(sender)})
    except ContractCustomError as error:
        return refused(Answer(bytes.fromhex(str(error.data)[2:]), reverted=True))
    return None


def _disputes_abi() -> Any:
    from provenance_oracle.verifier.registry.contract import load_artifact

    return load_artifact("Disputes").abi


# Evidence that is withheld


def test_a_challenge_is_answered_by_a_proof(court: Court, tmp_path: Path, stage: Stage) -> None:
    release = make_provable(tmp_path, name="acme/challenged")
    case = _case(release, judge(release, load_policy("demo"), at=NOW))
    encoded, contract = _published(court, case) and court.registry.encode(case.record), _contract(court)
    one, other = court.registry.stranger, court.registry.guardian
    deposit = contract.functions.deposit().call()
    assert deposit == 7_000_000 * _PRICE
    release_key = record_id(case.record)
    challenge = contract.functions.challenge(encoded)
    assert _paid_refusal(challenge, one, deposit - 1) == Refusal("WrongDeposit", (deposit - 1, deposit))
    receipt = _pay(court, challenge, one, deposit)
    until = contract.functions.challengeOf(release_key).call()[1]
    assert until == stage_time(stage, receipt) + 7 * _DAY
    assert _paid_refusal(challenge, other, deposit) == Refusal("AlreadyChallenged", (release_key,))
    assert court.ask("close(bytes32)", release_key) == Refusal("NotYet", (until,))
    answer = contract.functions.answer(record_id(case.record), tuple(evidence_of(release)), encoded)
    court.registry.send(answer, other)
    assert contract.functions.creditOf(checksummed(other)).call() == deposit
    assert court.ask("close(bytes32)", release_key) == Refusal("NotChallenged", (release_key,))
    assert _paid_refusal(challenge, one, deposit) == Refusal("AlreadyProven", (release_key,))
    court.registry.send(contract.functions.withdraw(), other)
    assert _refusal(contract.functions.withdraw(), other) == Refusal("NothingToWithdraw", (other.address.lower(),))
    assert (
        court.ask("requireUndisputed(bytes32,bytes32)", case.record.model_digest, case.record.manifest_digest) is None
    )


def test_a_challenge_without_an_answer_flags_and_revokes_nothing(later_stage: Stage, tmp_path: Path) -> None:
    court, release = _court_on(later_stage), make_provable(tmp_path, name="acme/late")
    case = _case(release, judge(release, load_policy("demo"), at=NOW))
    encoded, contract = _published(court, case) and court.registry.encode(case.record), _contract(court)
    one, release_key = court.registry.stranger, record_id(case.record)
    deposit = contract.functions.deposit().call()
    _pay(court, contract.functions.challenge(encoded), one, deposit)
    later_stage.evm.ask("evm_increaseTime", 7 * _DAY)
    later_stage.evm.ask("evm_mine")
    court.send("close(bytes32)", release_key)
    digests = (case.record.model_digest, case.record.manifest_digest)
    assert court.ask("requireUndisputed(bytes32,bytes32)", *digests) == Refusal("IsUnanswered", (release_key,))
    assert court.ask("close(bytes32)", release_key) == Refusal("NotChallenged", (release_key,))
    assert court.gate(case.record)
    assert contract.functions.creditOf(checksummed(one)).call() == deposit
    # an answer that comes late is one too
    court.proofs.prove(evidence_of(release))
    assert court.ask("requireUndisputed(bytes32,bytes32)", *digests) is None


def test_a_proof_by_somebody_else_answers_too(court: Court, tmp_path: Path) -> None:
    release = make_provable(tmp_path, name="acme/answered-elsewhere")
    case = _case(release, judge(release, load_policy("demo"), at=NOW))
    encoded, contract = _published(court, case) and court.registry.encode(case.record), _contract(court)
    one, deposit = court.registry.stranger, contract.functions.deposit().call()
    before = contract.functions.creditOf(checksummed(one)).call()
    _pay(court, contract.functions.challenge(encoded), one, deposit)
    court.proofs.prove(evidence_of(release))
    court.send("close(bytes32)", record_id(case.record))
    assert contract.functions.creditOf(checksummed(one)).call() == before + deposit
    answer = contract.functions.answer(record_id(case.record), tuple(evidence_of(release)), encoded)
    assert _refusal(answer, one) == Refusal("NotChallenged", (record_id(case.record),))


def test_a_proof_that_amd_took_back_answers_nothing(stage: Stage, tmp_path: Path) -> None:
    """Else a forger could prove a release with a stolen key of AMD's, and nobody could challenge it ever after."""
    court, release = _court_on(stage), make_provable(tmp_path, line=ProductLine.MILAN, name="acme/taken-back")
    case = _case(release, judge(release, load_policy("demo"), at=NOW))
    encoded, contract = _published(court, case) and court.registry.encode(case.record), _contract(court)
    one, deposit, key = court.registry.stranger, contract.functions.deposit().call(), record_id(case.record)
    challenge = contract.functions.challenge(encoded)
    court.proofs.prove(evidence_of(release))
    assert _paid_refusal(challenge, one, deposit) == Refusal("AlreadyProven", (key,))
    court.proofs.send("submitCrl(bytes)", FakeAmd.load(ProductLine.MILAN).current_crl(NOW, revoked=(0x10001,)))
    court.proofs.send("recheck(bytes32)", key)
    until = stage_time(stage, _pay(court, challenge, one, deposit)) + 7 * _DAY
    assert court.ask("close(bytes32)", key) == Refusal("NotYet", (until,))


def stage_time(stage: Stage, receipt: Any) -> int:
    return int(stage.evm.ask("eth_getBlockByNumber", hex(receipt["blockNumber"]), False)["timestamp"], 16)


def _contract(court: Court) -> Any:
    return court.registry.contract.w3.eth.contract(_checksum(court.address), abi=_disputes_abi())


def _pay(court: Court, call: Any, sender: Any, wei: int) -> Any:
    sent = call.transact({"from": checksummed(sender), "value": wei})
    receipt = court.registry.contract.w3.eth.wait_for_transaction_receipt(sent, poll_latency=0.01)
    assert receipt["status"] == 1
    return receipt


def _paid_refusal(call: Any, sender: Any, wei: int) -> Refusal | None:
    from web3.exceptions import ContractCustomError

    from tests.support.evm import Answer

    try:
        call.call({"from": checksummed(sender), "value": wei})
    except ContractCustomError as error:
        return refused(Answer(bytes.fromhex(str(error.data)[2:]), reverted=True))
    return None

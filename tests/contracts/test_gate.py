"""Revocation, and what a gate sees: never existed, revoked, simulated and too low are told apart."""

from __future__ import annotations

import pytest

from tests.chain_fixtures import DeployedRegistry, make_record
from verifier.record import SIMULATED_CODE

pytestmark = pytest.mark.chain

MODEL = make_record().model_digest
NOT_FOUND, ACTIVE, REVOKED = 0, 1, 2


def _gate(registry: DeployedRegistry, minimum_grade: int) -> tuple[str, tuple[object, ...]]:
    """The gate's refusal; the bool flavour must agree with it."""
    refusal = registry.refusal(registry.contract.functions.requireRecorded(MODEL, minimum_grade))
    assert registry.contract.functions.isRecorded(MODEL, minimum_grade).call() is (refusal == ("", ()))
    return refusal


def _publish(registry: DeployedRegistry, number: int, *, grade: int, product_line: int = 2) -> bytes:
    manifest = bytes([number]) * 32
    registry.publish(make_record(manifest_digest=manifest, grade=grade, product_line=product_line))
    return manifest


@pytest.mark.parametrize("minimum", [0, 1, 2, 3, 255])
def test_an_unknown_model_is_not_found(registry: DeployedRegistry, minimum: int) -> None:
    assert _gate(registry, minimum) == ("RecordNotFound", (MODEL,))


@pytest.mark.parametrize("grade", [0, 1, 2])
@pytest.mark.parametrize("minimum", [0, 1, 2, 3])
def test_a_record_opens_the_gates_up_to_its_grade(registry: DeployedRegistry, grade: int, minimum: int) -> None:
    _publish(registry, 1, grade=grade)
    wanted = ("", ()) if minimum <= grade else ("GradeTooLow", (MODEL, grade, minimum))
    assert _gate(registry, minimum) == wanted


def test_the_best_active_record_decides(registry: DeployedRegistry) -> None:
    _publish(registry, 1, grade=0)
    best = _publish(registry, 2, grade=2)
    _publish(registry, 3, grade=1)
    assert _gate(registry, 2) == ("", ())
    registry.revoke(best)
    assert _gate(registry, 2) == ("GradeTooLow", (MODEL, 1, 2))
    assert _gate(registry, 1) == ("", ())


def test_revoked_is_told_from_never_recorded(registry: DeployedRegistry) -> None:
    registry.revoke(_publish(registry, 1, grade=2))
    assert _gate(registry, 0) == ("RecordIsRevoked", (MODEL,))


def test_a_simulated_record_opens_no_gate_but_the_one_that_asks(registry: DeployedRegistry) -> None:
    functions = registry.contract.functions
    assert not functions.isRecordedSimulated(MODEL).call()
    manifest = _publish(registry, 1, grade=0, product_line=SIMULATED_CODE)
    assert functions.isRecordedSimulated(MODEL).call()
    assert _gate(registry, 0) == ("RecordIsSimulated", (MODEL,))
    registry.revoke(manifest)
    assert not functions.isRecordedSimulated(MODEL).call()
    assert _gate(registry, 0) == ("RecordIsRevoked", (MODEL,))


def test_a_real_record_does_not_count_as_simulated(registry: DeployedRegistry) -> None:
    _publish(registry, 1, grade=0)
    assert not registry.contract.functions.isRecordedSimulated(MODEL).call()


def test_a_revoked_record_stays_readable_with_its_time(registry: DeployedRegistry) -> None:
    functions = registry.contract.functions
    manifest = _publish(registry, 1, grade=1)
    before = functions.entryOf(manifest).call()
    receipt = registry.revoke(manifest, "key leaked")
    *same, revoked_at = functions.entryOf(manifest).call()
    assert same == list(before[:-1])
    assert revoked_at == registry.contract.w3.eth.get_block(receipt["blockNumber"])["timestamp"]


def test_status_goes_one_way(registry: DeployedRegistry) -> None:
    status = registry.contract.functions.statusOf(b"\x01" * 32)
    assert status.call() == NOT_FOUND
    manifest = _publish(registry, 1, grade=1)
    assert status.call() == ACTIVE
    registry.revoke(manifest)
    assert status.call() == REVOKED


@pytest.mark.parametrize("party", ["admin", "oracle", "stranger"])
def test_only_the_guardian_may_revoke(registry: DeployedRegistry, party: str) -> None:
    manifest = _publish(registry, 1, grade=1)
    account = getattr(registry, party)
    role = registry.contract.functions.GUARDIAN_ROLE().call()
    wanted = ("AccessControlUnauthorizedAccount", (account.address, role))
    assert registry.refusal(registry.revoking(manifest), account) == wanted


def test_revoking_nothing_or_twice_is_refused(registry: DeployedRegistry) -> None:
    call = registry.revoking(b"\x01" * 32)
    assert registry.refusal(call, registry.guardian) == ("RecordNotFound", (b"\x01" * 32,))
    registry.revoke(_publish(registry, 1, grade=1))
    assert registry.refusal(call, registry.guardian) == ("RecordIsRevoked", (b"\x01" * 32,))


@pytest.mark.parametrize("reason", ["", "r" * 257])
def test_a_reason_is_given_and_bounded(registry: DeployedRegistry, reason: str) -> None:
    call = registry.revoking(_publish(registry, 1, grade=1), reason)
    assert registry.refusal(call, registry.guardian) == ("TextLength", ("reason", len(reason)))


def test_records_of_a_model_are_listed_oldest_first(registry: DeployedRegistry) -> None:
    functions = registry.contract.functions
    assert registry.refusal(functions.latestManifestOf(MODEL)) == ("RecordNotFound", (MODEL,))
    assert registry.refusal(functions.manifestOf(MODEL, 0)) == ("IndexOutOfBounds", (MODEL, 0, 0))
    manifests = [_publish(registry, number, grade=1) for number in (1, 2, 3)]
    registry.revoke(manifests[2])
    assert functions.recordCountOf(MODEL).call() == 3
    assert [functions.manifestOf(MODEL, index).call() for index in range(3)] == manifests
    assert functions.latestManifestOf(MODEL).call() == manifests[2]
    assert registry.refusal(functions.manifestOf(MODEL, 3)) == ("IndexOutOfBounds", (MODEL, 3, 3))


def test_a_report_leads_to_the_first_manifest_that_used_it(registry: DeployedRegistry) -> None:
    by_report = registry.contract.functions.manifestByReport(make_record().report_digest)
    assert by_report.call() == bytes(32)
    first = _publish(registry, 1, grade=1)
    _publish(registry, 2, grade=1)
    assert by_report.call() == first
    registry.revoke(first)
    assert by_report.call() == first


def test_an_entry_that_is_not_there_is_a_typed_error(registry: DeployedRegistry) -> None:
    call = registry.contract.functions.entryOf(b"\x09" * 32)
    assert registry.refusal(call) == ("RecordNotFound", (b"\x09" * 32,))

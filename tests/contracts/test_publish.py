"""Publishing: who may, what is refused, and that a record is written once."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.chain_fixtures import DeployedRegistry, make_record
from verifier.record import SIMULATED_CODE, Record

pytestmark = pytest.mark.chain

OTHER = b"\xee" * 32


def _entry(registry: DeployedRegistry, record: Record) -> Any:
    return registry.contract.functions.entryOf(record.manifest_digest).call()


def test_keeps_what_was_published_and_adds_who_and_when(registry: DeployedRegistry) -> None:
    record = make_record()
    receipt = registry.publish(record)
    web3 = registry.contract.w3
    fields, release_digest, oracle, recorded_at, revoked_at = _entry(registry, record)
    assert fields == record.publish_arguments()[1]
    assert release_digest == web3.keccak(web3.codec.encode(["string", "string"], [record.name, record.version]))
    assert oracle.lower() == registry.oracle.address
    assert recorded_at == web3.eth.get_block(receipt["blockNumber"])["timestamp"]
    assert revoked_at == 0


@pytest.mark.parametrize("party", ["admin", "guardian", "stranger"])
def test_only_the_oracle_may_publish(registry: DeployedRegistry, party: str) -> None:
    account = getattr(registry, party)
    role = registry.contract.functions.ORACLE_ROLE().call()
    wanted = ("AccessControlUnauthorizedAccount", (account.address, role))
    assert registry.refusal(registry.publishing(make_record()), account) == wanted


def test_an_identical_publication_is_a_no_op_without_event(registry: DeployedRegistry) -> None:
    record = make_record()
    call = registry.publishing(record)
    oracle = {"from": registry.contract.w3.to_checksum_address(registry.oracle.address)}
    assert call.call(oracle) is True
    registry.publish(record)
    before = _entry(registry, record)
    assert call.call(oracle) is False
    assert registry.publish(record)["logs"] == []
    assert _entry(registry, record) == before
    assert registry.contract.functions.recordCountOf(record.model_digest).call() == 1


def test_another_oracle_repeating_a_publication_changes_nothing(registry: DeployedRegistry) -> None:
    record = make_record()
    registry.publish(record)
    before = _entry(registry, record)
    role = registry.contract.functions.ORACLE_ROLE().call()
    other = registry.contract.w3.to_checksum_address(registry.stranger.address)
    registry.send(registry.contract.functions.grantRole(role, other), registry.admin)
    receipt = registry.send(registry.publishing(record), registry.stranger)
    assert receipt["logs"] == []
    assert _entry(registry, record) == before


def test_repeating_a_revoked_publication_does_not_revive_it(registry: DeployedRegistry) -> None:
    record = make_record()
    registry.publish(record)
    registry.revoke(record.manifest_digest)
    before = _entry(registry, record)
    assert registry.publish(record)["logs"] == []
    assert _entry(registry, record) == before


@pytest.mark.parametrize(
    "change",
    [
        {"model_digest": OTHER},
        {"verdict_digest": OTHER},
        {"report_digest": OTHER},
        {"policy_digest": OTHER},
        {"judged_at": datetime(2025, 6, 1, 12, 0, 1, tzinfo=UTC)},
        {"reported_tcb": bytes.fromhex("04000000000018dc")},
        {"checks": 0b1010},
        {"grade": 2},
        {"product_line": 2},
        {"name": "example/modem"},
        {"version": "1.1"},
        {"name": "example/model1", "version": ".0"},
    ],
    ids=lambda change: ",".join(change),
)
def test_a_second_publication_with_other_content_is_refused(registry: DeployedRegistry, change: dict[str, Any]) -> None:
    record = make_record()
    registry.publish(record)
    before = _entry(registry, record)
    refusal = registry.refusal(registry.publishing(make_record(**change)), registry.oracle)
    assert refusal == ("RecordExists", (record.manifest_digest,))
    assert _entry(registry, record) == before


_DIGESTS = {
    "manifest_digest": "manifestDigest",
    "model_digest": "modelDigest",
    "verdict_digest": "verdictDigest",
    "report_digest": "reportDigest",
    "policy_digest": "policyDigest",
}


@pytest.mark.parametrize("field", _DIGESTS)
def test_refuses_a_zero_digest(registry: DeployedRegistry, field: str) -> None:
    call = registry.publishing(make_record(**{field: bytes(32)}))
    assert registry.refusal(call, registry.oracle) == ("ZeroDigest", (_DIGESTS[field],))


@pytest.mark.parametrize(
    ("change", "error", "arguments"),
    [
        ({"checks": 0}, "NothingChecked", ()),
        ({"grade": 3}, "UnknownGrade", (3,)),
        ({"grade": 255}, "UnknownGrade", (255,)),
        ({"product_line": 0}, "UnknownProductLine", (0,)),
        ({"product_line": SIMULATED_CODE, "grade": 1}, "SimulatedGrade", (1,)),
        ({"product_line": SIMULATED_CODE, "grade": 2}, "SimulatedGrade", (2,)),
        ({"name": ""}, "TextLength", ("name", 0)),
        ({"name": "n" * 257}, "TextLength", ("name", 257)),
        ({"name": "ü" * 129}, "TextLength", ("name", 258)),
        ({"version": ""}, "TextLength", ("version", 0)),
        ({"version": "1" * 257}, "TextLength", ("version", 257)),
    ],
)
def test_refuses_what_no_record_can_be(
    registry: DeployedRegistry, change: dict[str, Any], error: str, arguments: tuple[Any, ...]
) -> None:
    assert registry.refusal(registry.publishing(make_record(**change)), registry.oracle) == (error, arguments)


@pytest.mark.parametrize(
    "change",
    [
        {"name": "n", "version": "1"},
        {"name": "n" * 256, "version": "ü" * 128},
        {"grade": 0},
        {"grade": 2},
        {"product_line": 254},
        {"product_line": SIMULATED_CODE, "grade": 0},
        {"reported_tcb": bytes(8), "checks": 2**32 - 1},
    ],
)
def test_accepts_the_ends_of_every_range(registry: DeployedRegistry, change: dict[str, Any]) -> None:
    record = make_record(**change)
    registry.publish(record)
    assert _entry(registry, record)[0] == record.publish_arguments()[1]


def test_a_judgement_may_be_five_minutes_ahead_of_the_chain_and_no_more(registry: DeployedRegistry) -> None:
    now = datetime.fromtimestamp(int(time.time()), UTC)
    late = make_record(judged_at=now + timedelta(minutes=10))
    error, (judged_at, block_time) = registry.refusal(registry.publishing(late), registry.oracle)
    assert (error, judged_at) == ("JudgedInFuture", int(late.judged_at.timestamp()))
    assert abs(block_time - now.timestamp()) < 60
    registry.publish(make_record(judged_at=now + timedelta(minutes=4)))


def test_an_undefined_value_is_never_truncated(registry: DeployedRegistry) -> None:
    # Words wider than their fields: the ABI decoder must refuse, or two calls would mean one record.
    data = bytearray(bytes.fromhex(registry.publishing(make_record())._encode_transaction_data()[2:]))
    data[4 + 32 * 8 + 30] = 1  # grade, second lowest byte
    web3 = registry.contract.w3
    call = {"from": web3.to_checksum_address(registry.oracle.address), "to": registry.address, "data": bytes(data)}
    with pytest.raises(Exception, match="execution reverted"):
        web3.eth.call(call)

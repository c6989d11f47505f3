"""Tests that read records from a real node: one, several, by name, by report, and with their ancestors."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.errors import RecordError, UsageError, VerificationError
from provenance_oracle.verifier.record.closure import Closure
from provenance_oracle.verifier.record.codec import namespace_id, record_id, release_id
from provenance_oracle.verifier.record.fields import Record, RecordSigner
from provenance_oracle.verifier.record.keccak import keccak256
from provenance_oracle.verifier.registry import json_rpc, rpc_client
from provenance_oracle.verifier.registry.listings import ENTRIES_MAX
from provenance_oracle.verifier.registry.reader import RegistryReader
from tests.support.chain_fixtures import (
    DeployedRegistry,
    checksummed,
    deploy_registry,
    make_failure,
    make_record,
)
from tests.support.fake_nodes import lying

pytestmark = pytest.mark.chain


def numbered(number: int, **changes: Any) -> Record:
    return make_record(**{"manifest_digest": bytes([number]) * 32, "version": f"{number}.0"} | changes)


# One record


def test_reads_what_was_published(registry: DeployedRegistry) -> None:
    record = make_record()
    receipt = registry.publish(record)
    reader = registry.reader()
    entry = reader.entry(record.manifest_digest)
    assert reader.refusal(entry) is None
    assert reader.match_record(record) == entry == reader.entry_of(record.model_digest, record.manifest_digest)
    assert all(getattr(entry, name) == value for name, value in vars(record).items() if name != "named_parents")
    assert entry.record_id == record_id(record)
    assert int(entry.recorded_at.timestamp()) == registry.contract.w3.eth.get_block(receipt["blockNumber"])["timestamp"]
    assert entry.signers == (RecordSigner(0, bytes.fromhex(registry.oracle.address[2:]), 1, True),)
    assert (entry.standing.epoch, entry.weight, entry.threshold, entry.closure) == (1, 1, 1, None)


def test_no_record_is_a_record_error(registry: DeployedRegistry) -> None:
    reader = registry.reader()
    reads: tuple[Callable[[bytes], object], ...] = (
        reader.entry,
        lambda digest: reader.entry_of(digest, digest),
        lambda digest: reader.match_record(make_record(manifest_digest=digest)),
    )
    for read in reads:
        with pytest.raises(RecordError) as caught:
            read(b"\x09" * 32)
        assert caught.value.check is Check.REGISTRY_RECORD
    with pytest.raises(RecordError):
        reader.match_record(make_record())
    assert reader.entries_of_model(b"\x09" * 32) == reader.entries_of_manifest(b"\x09" * 32) == ()
    for name in ("nobody/nothing", "", "nobody", "nobody/", "\udcff"):
        assert reader.entries_of_name(name) == ()
    assert reader.manifest_of_report(b"\x77" * 32) is None
    assert reader.records([b"\x09" * 32]) == {}


def test_a_record_is_read_as_of_a_block(registry: DeployedRegistry) -> None:
    record = make_record()
    block = registry.publish(record)["blockNumber"]
    registry.revoke(record)
    reader = registry.reader()
    assert reader.entry(record.manifest_digest, block=block).revoked_at is None
    assert reader.entry(record.manifest_digest).revoked_at is not None
    for read in (reader.entry(record.manifest_digest), reader.entry_of(record.model_digest, record.manifest_digest)):
        assert read.closure is Closure.REVOKED
    with pytest.raises(RecordError):
        reader.entry(record.manifest_digest, block=block - 1)
    with pytest.raises(RecordError):
        reader.entry_of(record.model_digest, record.manifest_digest, block=block - 1)


@pytest.mark.parametrize("change", [{"name": "example/other"}, {"version": "9"}, {"snp_report_digest": b"\xee" * 32}])
def test_what_follows_from_the_release_must_match(registry: DeployedRegistry, change: dict[str, Any]) -> None:
    registry.publish(make_record())
    with pytest.raises(VerificationError, match=f"another release \\({next(iter(change))} differs\\)"):
        registry.reader().match_record(make_record(**change))


def test_a_manifest_that_is_recorded_for_another_model_is_forged_not_unknown(registry: DeployedRegistry) -> None:
    registry.publish(make_record())
    with pytest.raises(VerificationError, match="model_digest"):
        registry.reader().match_record(make_record(model_digest=b"\xee" * 32))


def test_a_manifest_recorded_for_two_models_names_neither(registry: DeployedRegistry) -> None:
    record, other = make_record(), make_record(model_digest=b"\xee" * 32)
    registry.publish(record)
    registry.publish(other)
    reader = registry.reader()
    with pytest.raises(VerificationError, match="the manifest is recorded for several models"):
        reader.entry(record.manifest_digest)
    assert reader.entry_of(other.model_digest, other.manifest_digest).model_digest == other.model_digest
    assert len(reader.entries_of_manifest(record.manifest_digest)) == 2


def test_the_latest_judgement_stands_for_the_release(registry: DeployedRegistry) -> None:
    record = make_record()
    for revision in range(3):
        registry.publish(replace(record, revision=revision, grade=revision, verdict_digest=bytes([revision + 1]) * 32))
    entry = registry.reader().entry(record.manifest_digest)
    assert (entry.revision, entry.grade, entry.standing.revisions, entry.closure) == (2, 2, 2, None)
    assert entry.record_id == record_id(replace(record, revision=2))
    assert registry.reader().match_record(record) == entry
    assert registry.reader().entries_of_model(record.model_digest) == (entry,)
    # a revocation concerns the release, so its latest judgement too
    registry.revoke(record)
    assert registry.reader().entry(record.manifest_digest).revoked_at is not None


def test_a_failed_verdict_is_shown_and_is_no_record(registry: DeployedRegistry) -> None:
    failure = make_failure()
    registry.publish(failure)
    reader = registry.reader()
    with pytest.raises(RecordError, match="nothing but FAILED verdicts"):
        reader.entry(failure.manifest_digest)
    (entry,) = reader.entries_of_manifest(failure.manifest_digest)
    assert (entry.passed, entry.closure) == (False, Closure.FAILED)
    assert reader.entries_of_name(failure.name) == ()
    assert reader.manifest_of_report(failure.snp_report_digest) is None
    # the failed verdict does not prevent a record
    registry.publish(make_record())
    entry = reader.entry(failure.manifest_digest)
    assert (entry.passed, reader.refusal(entry)) == (True, None)
    assert [found.passed for found in reader.entries_of_model(failure.model_digest)] == [True, False]


def test_a_report_leads_to_the_first_manifest_that_used_it(registry: DeployedRegistry) -> None:
    first, second = numbered(1), numbered(2)
    registry.publish(first)
    registry.publish(second)
    assert registry.reader().manifest_of_report(first.snp_report_digest) == first.manifest_digest


def test_a_policy_has_a_number(registry: DeployedRegistry) -> None:
    registry.publish(make_record())
    reader = registry.reader()
    assert reader.policy_id(make_record().policy_digest) == 1 == reader.entry(make_record().manifest_digest).policy_id
    assert reader.policy_id(b"\x77" * 32) == 0


# Several


def test_lists_by_model_revoked_ones_first_then_the_newest(registry: DeployedRegistry) -> None:
    records = [numbered(1), numbered(2), numbered(3, model_digest=b"\x33" * 32), numbered(4)]
    for record in records:
        registry.publish(record)
    registry.publish(replace(records[0], revision=1))  # judged again, so it is the newest
    registry.revoke(records[1])
    of_model = registry.reader().entries_of_model(records[0].model_digest)
    assert [(entry.version, entry.closure is not None) for entry in of_model] == [
        ("2.0", True),
        ("1.0", False),
        ("4.0", False),
    ]


def test_an_unclaimed_name_leads_to_whatever_calls_itself_so(registry: DeployedRegistry) -> None:
    for record in (numbered(1), numbered(2), numbered(3, name="example/other"), numbered(4, name="other/model")):
        registry.publish(record)
    reader = registry.reader()
    assert [entry.version for entry in reader.entries_of_name("example/model")] == ["2.0", "1.0"]
    assert [entry.version for entry in reader.entries_of_name("example/model@1.0")] == ["1.0"]
    for other in ("example/mode", "example/model@", "example", "model"):
        assert reader.entries_of_name(other) == ()


def test_a_release_goes_by_the_name_of_its_latest_judgement(registry: DeployedRegistry) -> None:
    registry.publish(numbered(1))
    registry.publish(numbered(1, revision=1, name="example/renamed"))
    reader = registry.reader()
    assert reader.entries_of_name("example/model") == ()
    assert [entry.revision for entry in reader.entries_of_name("example/renamed")] == [1]


def test_a_claimed_name_leads_to_what_the_namespace_took_in_or_holds(registry: DeployedRegistry) -> None:
    registry.publish(numbered(1))  # before the claim, so nobody vouches for its name
    registry.claim("example", registry.stranger, limit=1)
    registry.publish(numbered(2))
    registry.publish(numbered(3, publisher_identity=b"\x61" * 32))
    found = registry.reader().entries_of_name("example/model")
    assert [(entry.version, entry.standing.named, entry.standing.held) for entry in found] == [
        ("3.0", False, True),
        ("2.0", True, False),
    ]


def test_a_long_list_is_refused_not_cut(registry: DeployedRegistry, monkeypatch: pytest.MonkeyPatch) -> None:
    assert ENTRIES_MAX == 100
    monkeypatch.setattr("provenance_oracle.verifier.registry.lists.ENTRIES_MAX", 2)
    for number in (1, 2, 3):
        registry.publish(numbered(number))
    reader = registry.reader()
    with pytest.raises(UsageError, match="got 3 records, wanted at most 2; read them in pages"):
        reader.entries_of_model(make_record().model_digest)
    page = reader.lists.page(reader.lists.of_model(make_record().model_digest), limit=2)
    assert [entry.version for entry in page.entries] == ["3.0", "2.0"]


def test_a_node_that_allows_few_blocks_at_once_is_asked_in_pieces(registry: DeployedRegistry) -> None:
    for number in (1, 2, 3):
        registry.publish(numbered(number))
    refused = {"error": {"code": -32005, "message": "range too large"}}

    def answer(method: str, params: list[Any], _truth: Any) -> Any:
        too_many = method == "eth_getLogs" and int(params[0]["toBlock"], 16) - int(params[0]["fromBlock"], 16) >= 2
        return refused if too_many else None

    with lying(registry, answer) as (url, _):
        found = RegistryReader(url, registry.address).entries_of_name("example/model")
    assert [entry.version for entry in found] == ["3.0", "2.0", "1.0"]


@pytest.mark.parametrize(("limit", "most"), [("LOGS_ANSWER_MAX_BYTES", 3500), ("ANSWER_MAX_TOKENS", 100)])
def test_an_answer_too_large_is_asked_for_in_pieces(
    limit: str, most: int, registry: DeployedRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in (1, 2, 3):
        registry.publish(numbered(number))
    reader = registry.reader()
    monkeypatch.setattr(
        rpc_client if limit.endswith("BYTES") else json_rpc, limit, most
    )  # enough for two events of some 1,700 bytes and 45 tokens
    assert len(reader.entries_of_model(make_record().model_digest)) == 3


def test_only_blocks_since_the_first_are_asked_for(registry: DeployedRegistry) -> None:
    registry.publish(make_record())
    asked: list[int] = []

    def answer(method: str, params: list[Any], _truth: Any) -> None:
        if method == "eth_getLogs":
            asked.append(int(params[0]["fromBlock"], 16))

    with lying(registry, answer) as (url, _):
        reader = RegistryReader(url, registry.address, from_block=registry.block_number)
        assert reader.entry(make_record().manifest_digest)
        assert asked == [registry.block_number]
        beyond = RegistryReader(url, registry.address, from_block=10**9)
        assert beyond.entries_of_model(make_record().model_digest) == ()
        assert asked == [registry.block_number]


# Ancestors


def test_ancestors_are_told_with_how_they_stand(registry: DeployedRegistry) -> None:
    base, data, tuned = (numbered(number, model_digest=bytes([number + 16]) * 32) for number in (1, 2, 3))
    ids = {one.version: release_id(one.model_digest, one.manifest_digest) for one in (base, data, tuned)}
    registry.publish(base)
    registry.publish(data, parents=(ids["1.0"],))
    registry.claim("example", registry.stranger, limit=1)
    registry.publish(tuned, parents=(ids["2.0"],))
    registry.revoke(base)
    reader = registry.reader()
    entry = reader.entry(tuned.manifest_digest)
    assert entry.parents == (ids["2.0"],)
    found = [(one.release_id, one.child, one.depth, one.is_attested, one.is_open) for one in reader.ancestors(entry)]
    assert found == [(ids["2.0"], ids["3.0"], 1, True, True), (ids["1.0"], ids["2.0"], 2, True, False)]
    other = numbered(4, model_digest=b"\x24" * 32)
    registry.publish(other)
    other_id = release_id(other.model_digest, other.manifest_digest)
    named = keccak256(tuned.name.partition("/")[2].encode() + b"@3.0")
    stating = registry.lineage.functions.stateParent(namespace_id("example"), named, ids["3.0"], other_id)
    registry.send(stating, registry.stranger)
    assert [(one.depth, one.is_attested) for one in reader.ancestors(entry)] == [(1, True), (2, True), (1, False)]
    assert len(reader.ancestors(entry, include_stated=False)) == 2
    assert {key: one.version for key, one in reader.records(ids.values()).items()} == {
        key: version for version, key in ids.items()
    }


def test_a_lineage_too_deep_for_the_contract_is_said(registry: DeployedRegistry) -> None:
    parents: tuple[bytes, ...] = ()
    for number in range(1, 19):
        record = numbered(number)
        registry.publish(record, parents=parents)
        parents = (release_id(record.model_digest, record.manifest_digest),)
    reader = registry.reader()
    assert len(reader.ancestors(reader.entry(numbered(17).manifest_digest))) == 16
    with pytest.raises(RecordError, match="too many ancestors") as caught:
        reader.ancestors(reader.entry(numbered(18).manifest_digest))
    assert caught.value.check is Check.LINEAGE


# Which registry


def test_refuses_another_chain_an_empty_address_and_another_contract(registry: DeployedRegistry) -> None:
    url, web3 = registry.chain.rpc_url, registry.contract.w3
    with pytest.raises(UsageError, match="the node has another chain: got 31337, wanted 1"):
        RegistryReader(url, registry.address, chain_id=1)
    with pytest.raises(UsageError, match="no contract"):
        RegistryReader(url, "0x" + "77" * 20)
    code = bytearray(web3.eth.get_code(registry.address))
    code[-1] ^= 1
    web3.provider.make_request("anvil_setCode", ["0x" + "78" * 20, "0x" + code.hex()])
    with pytest.raises(UsageError, match=f"a contract of {len(code)} bytes"):
        RegistryReader(url, "0x" + "78" * 20)


def test_refuses_names_that_another_registry_keeps(registry: DeployedRegistry) -> None:
    """Change the storage slot with the address of the namespaces, which no contract can do."""
    other = deploy_registry(registry.chain)
    web3, wanted = registry.contract.w3, registry.namespaces.address
    slots = [
        slot for slot in range(32) if web3.eth.get_storage_at(registry.address, slot)[12:].hex() == wanted[2:].lower()
    ]
    assert len(slots) == 1
    value = "0x" + bytes.fromhex(other.namespaces.address[2:]).rjust(32, b"\0").hex()
    web3.provider.make_request("anvil_setStorageAt", [registry.address, hex(slots[0]), value])
    assert checksummed(registry.owner)
    with pytest.raises(UsageError, match="the contract belongs to another registry"):
        registry.reader().namespace("example")

"""Tests of reports: the oracle signs the record's bytes for this registry and oracle set, with the recorded parents."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest

from provenance_oracle.oracle.chain.calls import number_policy_call, refusal_name
from provenance_oracle.oracle.chain.finality import Endpoint, Finality
from provenance_oracle.oracle.chain.reports import Reporter
from provenance_oracle.oracle.chain.signers import EnvironmentSigner, full_signature
from provenance_oracle.verifier.errors import FormatError, UsageError
from provenance_oracle.verifier.record.codec import decode_record, record_id
from provenance_oracle.verifier.record.fields import Entry, Record
from provenance_oracle.verifier.record.signing import publication_digest
from provenance_oracle.verifier.record.standing import SIMULATED_CODE
from provenance_oracle.verifier.registry.contract import load_artifact
from provenance_oracle.verifier.registry.node import keeping_recursion_limit
from provenance_oracle.verifier.registry.oracle_sets import Seat
from tests.support.chain_fixtures import make_entry, make_failure, make_record
from tests.support.fakes import FakeChain

REGISTRY = bytes(range(20))
SIGNER = EnvironmentSigner("K", {"K": "11" * 32})


@dataclass
class Ledger:
    """A registry with the methods that the reporter calls."""

    place: Seat | None = field(default_factory=lambda: Seat(epoch=3, index=4, weight=2, threshold=2))
    models: dict[bytes, list[Entry]] = field(default_factory=dict)

    def entries_of_model(self, model_digest: bytes, *, block: int) -> tuple[Entry, ...]:
        return tuple(self.models.get(model_digest, ()))

    def seat(self, key: str, *, block: int) -> Seat | None:
        assert (key, block) == (SIGNER.address, 7)
        return self.place


def publication(ledger: Ledger, record: Record) -> tuple[bytes, tuple[int, int, bytes]]:
    """Return record and quorum of the call that the reporter makes."""
    with keeping_recursion_limit():
        from web3 import Web3
    finality = Finality((Endpoint(FakeChain(), ledger, "node"),), 0)
    reporter = Reporter(SIGNER, ledger, finality=finality, chain_id=5, address=REGISTRY)
    data = reporter.publication(record, policy_id=9, head=7)
    function, arguments = Web3().eth.contract(abi=load_artifact().abi).decode_function_input(data)
    assert function.fn_name == "publish"
    quorum = arguments["quorum"]
    return bytes(arguments["record"]), (quorum["epoch"], quorum["signers"], bytes(quorum["signatures"]))


def test_the_report_is_signed_for_this_registry_and_epoch() -> None:
    record = make_record()
    data, (epoch, signers, signature) = publication(Ledger(), record)
    assert (epoch, signers, len(signature)) == (3, 1 << 4, 64)
    written = decode_record(data, "record")
    assert (written.model_digest, written.policy_id, written.parents) == (record.model_digest, 9, ())
    with keeping_recursion_limit():
        from eth_account import Account
    digest = publication_digest(5, REGISTRY, 3, data)
    assert Account._recover_hash(digest, signature=full_signature(signature)) == SIGNER.address


def test_signing_twice_gives_the_same_bytes() -> None:
    assert publication(Ledger(), make_record()) == publication(Ledger(), make_record())


def test_a_key_that_is_not_in_the_set_signs_nothing() -> None:
    with pytest.raises(UsageError, match="the key is not an oracle of this registry"):
        publication(Ledger(place=None), make_record())


def test_a_key_that_alone_is_not_enough_says_what_is_missing() -> None:
    with pytest.raises(UsageError, match="a record needs signatures of other oracles") as caught:
        publication(Ledger(place=Seat(epoch=1, index=0, weight=2, threshold=3)), make_record())
    assert (caught.value.got, caught.value.wanted) == ("weight 2", "the threshold, 3")


def _parents(ledger: Ledger, *models: bytes, **changes: Any) -> tuple[bytes, ...]:
    data, _ = publication(ledger, make_record(parent_models=models, **changes))
    return decode_record(data, "record").parents


def _release(number: int, **changes: Any) -> Record:
    return make_record(model_digest=b"\x20" * 32, manifest_digest=bytes([number]) * 32, **changes)


def test_parents_that_are_recorded_are_named_in_the_manifest_s_order(caplog: pytest.LogCaptureFixture) -> None:
    first, second = _release(1), replace(_release(2), model_digest=b"\x21" * 32)
    ledger = Ledger(models={record.model_digest: [make_entry(record)] for record in (first, second)})
    named = (second.model_digest, b"\x22" * 32, first.model_digest)
    assert _parents(ledger, *named) == (record_id(second), record_id(first))
    assert [record.getMessage() for record in caplog.records] == [
        f"example/model 1.0: parent model {'22' * 32} is left out, because it has no record"
    ]


def test_a_release_of_the_model_in_good_standing_is_the_parent_or_else_the_first() -> None:
    oldest = make_entry(_release(1), recorded_at=make_record().judged_at - timedelta(days=2))
    simulated = replace(oldest, product_line=SIMULATED_CODE)
    revoked = make_entry(_release(2), revoked_at=make_record().judged_at)
    good = make_entry(_release(3))
    better = make_entry(_release(4, grade=2), recorded_at=make_record().judged_at)
    worse = make_entry(_release(5, grade=0), recorded_at=make_record().judged_at - timedelta(days=3))
    failed = make_entry(make_failure(model_digest=b"\x20" * 32, manifest_digest=b"\x09" * 32))
    wanted = {
        (good, oldest): _release(1),
        (worse, better, oldest): _release(4),
        (worse, oldest): _release(1),
        (failed, good, simulated): _release(3),
        (good, revoked): _release(3),
        (revoked, failed): _release(2),
    }
    for entries, parent in wanted.items():
        ledger = Ledger(models={b"\x20" * 32: list(entries)})
        assert _parents(ledger, b"\x20" * 32) == (record_id(parent),)
    assert _parents(Ledger(models={b"\x20" * 32: [failed]}), b"\x20" * 32) == ()


def test_a_later_judgement_of_a_parent_is_the_same_release() -> None:
    ledger = Ledger(models={b"\x20" * 32: [make_entry(_release(1, revision=3))]})
    assert _parents(ledger, b"\x20" * 32) == (record_id(_release(1)),)


def test_a_release_is_not_its_own_parent() -> None:
    record = make_record()
    ledger = Ledger(models={record.model_digest: [make_entry(record)]})
    assert _parents(ledger, record.model_digest) == ()


def test_more_parents_than_a_record_holds_are_refused_not_left_out() -> None:
    models = [bytes([0x40 + number]) * 32 for number in range(9)]
    ledger = Ledger(models={model: [make_entry(make_record(model_digest=model))] for model in models})
    assert len(_parents(ledger, *models[:8])) == 8
    with pytest.raises(FormatError, match="9 parents"):
        _parents(ledger, *models)


def test_refusals_have_names() -> None:
    assert refusal_name(bytes.fromhex("deadbeef") + bytes(32)) == "deadbeef" + "00" * 32
    assert refusal_name(b"") == "no reason"
    with keeping_recursion_limit():
        from web3 import Web3
    paused, taken = (
        bytes(Web3.keccak(text=text))[:4] for text in ("WritesArePaused()", "NamespaceTaken(bytes32,address)")
    )
    assert (refusal_name(paused), refusal_name(taken, "Namespaces")) == ("WritesArePaused", "NamespaceTaken")


def test_the_call_that_numbers_a_policy_is_what_the_abi_says() -> None:
    with keeping_recursion_limit():
        from web3 import Web3
    data = number_policy_call(b"\x05" * 32)
    function, arguments = Web3().eth.contract(abi=load_artifact().abi).decode_function_input(data)
    assert (function.fn_name, arguments) == ("numberPolicy", {"policyDigest": b"\x05" * 32})

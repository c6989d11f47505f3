"""Tests of reports: the oracle signs the record's bytes for this registry and oracle set, with the recorded parents."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from provenance_oracle.oracle.chain.calls import number_policy_call, refusal_name
from provenance_oracle.oracle.chain.finality import Endpoint, Finality
from provenance_oracle.oracle.chain.reports import Council, Reporter
from provenance_oracle.oracle.chain.transactions import Publishing
from provenance_oracle.oracle.journal.rows import State
from provenance_oracle.oracle.quorum.batch_table import BatchTable
from provenance_oracle.oracle.quorum.collector import TURN, Collector
from provenance_oracle.oracle.quorum.moments import Moments
from provenance_oracle.oracle.quorum.proposal import Proposal, encode_proposal, parse_proposal
from provenance_oracle.oracle.signers.environment import EnvironmentSigner
from provenance_oracle.oracle.signers.signatures import full_signature, recovered_address
from provenance_oracle.verifier.errors import FormatError, UsageError
from provenance_oracle.verifier.record.codec import decode_record, encode_record, record_id
from provenance_oracle.verifier.record.fields import Entry, NamedParent, Record
from provenance_oracle.verifier.record.signing import publication_digest
from provenance_oracle.verifier.record.standing import SIMULATED_CODE
from provenance_oracle.verifier.registry.contract import load_artifact
from provenance_oracle.verifier.registry.light_imports import light_imports
from provenance_oracle.verifier.registry.oracle_sets import Seat
from tests.support.chain_fixtures import make_entry, make_failure, make_record, make_signed
from tests.support.fakes import START, Clock, FakeChain

REGISTRY = bytes(range(20))
SIGNER = EnvironmentSigner("K", {"K": "11" * 32})


@dataclass
class Ledger:
    """A registry with the methods that the reporter calls."""

    place: Seat | None = field(default_factory=lambda: Seat(epoch=3, index=4, weight=2, threshold=2))
    models: dict[bytes, list[Entry]] = field(default_factory=dict)
    read: int = 0

    def is_recorded(self, model_digest: bytes, manifest_digest: bytes, *, block: int) -> bool:
        found = (one for one in self.models.get(model_digest, ()) if one.passed)
        return any(one.manifest_digest == manifest_digest for one in found)

    def standing_releases(self, model_digest: bytes, *, block: int) -> Iterator[Entry]:
        for one in self.models.get(model_digest, ()):
            self.read += 1
            if one.passed and one.revoked_at is None:
                yield one

    def seats(self, *, block: int, at: datetime) -> dict[str, Seat]:
        assert (block, at) == (7, START)
        return {SIGNER.address: self.place} if self.place else {}


def publication(ledger: Ledger, record: Record) -> tuple[bytes, tuple[int, int, bytes]]:
    """Return record and quorum of the call that the reporter makes."""
    with light_imports():
        from web3 import Web3
    finality = Finality((Endpoint(FakeChain(), ledger, "node"),), 0)
    reporter = Reporter(SIGNER, finality=finality, chain_id=5, address=REGISTRY, clock=Clock())
    data = reporter.publication(record, policy_id=9, head=7)
    assert isinstance(data, bytes)
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
    with light_imports():
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


def _parents(ledger: Ledger, *models: bytes, manifest: bytes | None = None, **changes: Any) -> tuple[bytes, ...]:
    named = tuple(NamedParent(model, manifest) for model in models)
    data, _ = publication(ledger, make_record(named_parents=named, **changes))
    return decode_record(data, "record").parents


NO_ONLY_ONE = "there is no release of it in good standing, or not only one, and the manifest names none"


def _release(number: int, **changes: Any) -> Record:
    return make_record(model_digest=b"\x20" * 32, manifest_digest=bytes([number]) * 32, **changes)


def test_parents_that_are_recorded_are_named_in_the_manifest_s_order(caplog: pytest.LogCaptureFixture) -> None:
    first, second = _release(1), replace(_release(2), model_digest=b"\x21" * 32)
    ledger = Ledger(models={record.model_digest: [make_entry(record)] for record in (first, second)})
    named = (second.model_digest, b"\x22" * 32, first.model_digest)
    assert _parents(ledger, *named) == (record_id(second), record_id(first))
    assert [record.getMessage() for record in caplog.records] == [
        f"example/model 1.0: parent model {'22' * 32} is left out, because {NO_ONLY_ONE}"
    ]


def test_a_model_digest_alone_names_only_the_only_release_in_good_standing() -> None:
    """An attacker can have the parent's files recorded again, and must not become the parent, or shut its gate."""
    good, again = make_entry(_release(3)), make_entry(_release(4, grade=2))
    simulated = make_entry(_release(1, product_line=SIMULATED_CODE, grade=0))
    revoked = make_entry(_release(2), revoked_at=make_record().judged_at)
    doubtful = make_entry(_release(5), doubtful=True)
    failed = make_entry(make_failure(model_digest=b"\x20" * 32, manifest_digest=b"\x09" * 32))
    signed = make_entry(make_signed(model_digest=b"\x20" * 32, manifest_digest=b"\x08" * 32))
    shut = (revoked, simulated, signed, doubtful, failed)
    for others in ((), *((one,) for one in shut), shut):
        ledger = Ledger(models={b"\x20" * 32: [*others, good]})
        assert _parents(ledger, b"\x20" * 32) == (record_id(_release(3)),)
        ledger = Ledger(models={b"\x20" * 32: [*others, good, again]})
        assert _parents(ledger, b"\x20" * 32) == ()
        ledger = Ledger(models={b"\x20" * 32: list(others)})
        assert _parents(ledger, b"\x20" * 32) == ()
    ledger = Ledger(models={b"\x20" * 32: [simulated]})
    wanted = (record_id(_release(1)),)
    assert _parents(ledger, b"\x20" * 32, product_line=SIMULATED_CODE, grade=0) == wanted


def test_both_digests_name_one_release_however_many_have_its_files(caplog: pytest.LogCaptureFixture) -> None:
    entries = [make_entry(_release(number)) for number in range(1, 5)]
    entries[1] = make_entry(_release(2), revoked_at=make_record().judged_at)
    ledger = Ledger(models={b"\x20" * 32: entries})
    for number in (1, 2, 3, 4):
        found = _parents(ledger, b"\x20" * 32, manifest=bytes([number]) * 32)
        assert found == (record_id(_release(number)),), "a revoked parent is named too, since it shuts the gate"
    assert _parents(ledger, b"\x20" * 32, manifest=b"\x09" * 32) == ()
    assert "is left out, because it has no record" in caplog.text


def test_a_flood_of_recordings_costs_a_bounded_number_of_reads() -> None:
    doubtful = [make_entry(_release(1), doubtful=True)] * 500
    ledger = Ledger(models={b"\x20" * 32: [*doubtful, make_entry(_release(2))]})
    assert _parents(ledger, b"\x20" * 32) == ()
    assert ledger.read < 250


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
    with light_imports():
        from web3 import Web3
    paused, taken = (
        bytes(Web3.keccak(text=text))[:4] for text in ("WritesArePaused()", "NamespaceTaken(bytes32,address)")
    )
    assert (refusal_name(paused), refusal_name(taken, "Namespaces")) == ("WritesArePaused", "NamespaceTaken")


def test_the_call_that_numbers_a_policy_is_what_the_abi_says() -> None:
    with light_imports():
        from web3 import Web3
    data = number_policy_call(b"\x05" * 32)
    function, arguments = Web3().eth.contract(abi=load_artifact().abi).decode_function_input(data)
    assert (function.fn_name, arguments) == ("numberPolicy", {"policyDigest": b"\x05" * 32})


OTHER = EnvironmentSigner("K", {"K": "22" * 32})
PLACES = {SIGNER.address: Seat(3, 4, 1, 2), OTHER.address: Seat(3, 1, 1, 2)}


@dataclass
class Together(Ledger):
    """A registry whose records need two oracles."""

    def seats(self, *, block: int, at: datetime) -> dict[str, Seat]:
        return PLACES


class Shelf:
    """A place on which the test puts the other oracle's proposals."""

    where = "shelf"

    def __init__(self) -> None:
        self.has: list[bytes] = []

    def read(self) -> Iterator[bytes]:
        yield from self.has

    def offer(self, proposals: Mapping[bytes, bytes]) -> None:
        self.offered = dict(proposals)


class Pair:
    """Our reporter, beside another oracle that signs what the test says."""

    def __init__(self) -> None:
        self.shelf, self.moments, self.clock = Shelf(), Moments(), Clock()
        finality = Finality((Endpoint(FakeChain(), Together(), "node"),), 0)
        place: Any = {"chain_id": 5, "registry": REGISTRY, "clock": self.clock}
        self.collector = Collector([self.shelf], **place)
        council = Council(self.collector, self.moments, BatchTable([], **place))
        facts: Any = {"finality": finality, "chain_id": 5, "address": REGISTRY, "clock": self.clock}
        self.reporter = Reporter(SIGNER, **facts, council=council)

    def other_signs(self, record: Record) -> None:
        data = encode_record(record, policy_id=9, parents=())
        signature = OTHER.sign_digest(publication_digest(5, REGISTRY, 3, data))
        self.shelf.has.append(encode_proposal(Proposal(5, REGISTRY, 3, data, signature)))

    def publication(self, record: Record) -> bytes | Publishing:
        self.reporter.exchange(7)
        return self.reporter.publication(record, policy_id=9, head=7)


def test_a_record_waits_for_the_other_oracles_and_is_offered_to_them() -> None:
    pair = Pair()
    waiting = pair.publication(make_record())
    assert waiting == Publishing(State.JUDGED, "waits for other oracles: weight 1 of 2", is_alone=True)
    pair.reporter.exchange(7)
    (offered,) = pair.shelf.offered.values()
    assert parse_proposal(offered, "test").record == encode_record(make_record(), policy_id=9, parents=())


def test_with_enough_signatures_one_oracle_submits_and_the_next_one_later() -> None:
    pair = Pair()
    pair.other_signs(make_record())
    assert pair.publication(make_record()) == Publishing(
        State.JUDGED, "has its signatures; another oracle submits it first", is_alone=True
    )
    pair.clock.advance(TURN.total_seconds())
    data = pair.publication(make_record())
    assert isinstance(data, bytes)
    with light_imports():
        from web3 import Web3
    _, arguments = Web3().eth.contract(abi=load_artifact().abi).decode_function_input(data)
    quorum = arguments["quorum"]
    assert (quorum["signers"], len(quorum["signatures"])) == (1 << 4 | 1 << 1, 128)
    digest = publication_digest(5, REGISTRY, 3, bytes(arguments["record"]))
    signed_by = [recovered_address(digest, bytes(quorum["signatures"])[start : start + 64]) for start in (0, 64)]
    assert signed_by == [OTHER.address, SIGNER.address], "the lowest number first"


def test_a_release_is_judged_again_at_the_earlier_moment_of_another_oracle() -> None:
    pair = Pair()
    record = make_record(judged_at=START)
    earlier = replace(record, judged_at=START - timedelta(minutes=5), verdict_digest=b"v" * 32)
    pair.other_signs(earlier)
    again = pair.publication(record)
    assert isinstance(again, Publishing)
    assert again.state is State.SEEN
    assert pair.moments.of(record.manifest_digest) == earlier.judged_at
    assert isinstance(pair.publication(earlier), Publishing | bytes)


def test_another_record_of_the_other_oracle_is_named_and_not_signed() -> None:
    pair = Pair()
    pair.other_signs(make_record(grade=0))
    waiting = pair.publication(make_record())
    assert isinstance(waiting, Publishing)
    assert f"oracle {OTHER.address} signed another record: grade 0 not 1" in waiting.note


def test_in_its_turn_an_oracle_submits_a_record_first_whatever_its_number() -> None:
    pair = Pair()
    pair.other_signs(make_record())
    pair.reporter.exchange(7)
    pair.collector.take_turn(record_id(make_record()))
    assert isinstance(pair.reporter.publication(make_record(), policy_id=9, head=7), bytes)
    assert isinstance(pair.publication(make_record()), Publishing), "only in the pass in which it is told"
    assert pair.collector.asked_for() == {make_record().manifest_digest}

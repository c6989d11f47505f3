"""Tests of the exchange of signatures: what counts, what differs, whose turn it is, and what a liar can cost."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from provenance_oracle.oracle.quorum.ballot import MOMENT_AGE_MAX, Ballot, count_ballot
from provenance_oracle.oracle.quorum.collector import TURN, Collector
from provenance_oracle.oracle.quorum.exchange import BATCHES, OFFERED_MAX, RECORDS
from provenance_oracle.oracle.quorum.folder_exchange import FolderExchange
from provenance_oracle.oracle.quorum.moments import Moments
from provenance_oracle.oracle.quorum.proposal import (
    Proposal,
    SignedProposal,
    encode_proposal,
    parse_proposal,
    verify_proposal,
)
from provenance_oracle.oracle.signers.base import Signer
from provenance_oracle.oracle.signers.environment import EnvironmentSigner
from provenance_oracle.verifier.errors import FormatError, ProvenanceError, TemporaryError, VerificationError
from provenance_oracle.verifier.record.codec import encode_record
from provenance_oracle.verifier.record.fields import Record
from provenance_oracle.verifier.record.signing import publication_digest
from provenance_oracle.verifier.registry.oracle_sets import Seat
from tests.support.chain_fixtures import make_record
from tests.support.fakes import Clock

CHAIN, REGISTRY, EPOCH = 31337, b"\xbb" * 20, 1
SIGNERS = [EnvironmentSigner("K", {"K": f"{number:02x}" * 32}) for number in range(1, 5)]
SEATS = {signer.address: Seat(EPOCH, index, 1, 2) for index, signer in enumerate(SIGNERS[:3])}
RECORD = make_record(passed=True)


def propose(signer: Signer, record: Record = RECORD, *, epoch: int = EPOCH, registry: bytes = REGISTRY) -> Proposal:
    data = encode_record(record, policy_id=1, parents=())
    return Proposal(CHAIN, registry, epoch, data, signer.sign_digest(publication_digest(CHAIN, registry, epoch, data)))


def signed(signer: Signer, record: Record = RECORD, **changes: Any) -> SignedProposal:
    return verify_proposal(propose(signer, record, **changes), chain_id=CHAIN, registry=REGISTRY, where="test")


def count(*others: SignedProposal, own: Record = RECORD) -> Ballot:
    return count_ballot(signed(SIGNERS[0], own), others, SEATS, now=own.judged_at + timedelta(minutes=1))


@dataclass
class Place:
    """A place of which the test is the other side."""

    where: str = "place"
    has: list[bytes] = field(default_factory=list)
    offered: Mapping[bytes, bytes] = field(default_factory=dict)
    fails: bool = False
    asked: int = 0

    def read(self) -> Iterator[bytes]:
        self.asked += 1
        if self.fails:
            raise TemporaryError("down", where=self.where)
        yield from self.has

    def offer(self, proposals: Mapping[bytes, bytes]) -> None:
        self.offered = dict(proposals)


def collector(*places: Place, clock: Clock | None = None) -> Collector:
    return Collector(places, chain_id=CHAIN, registry=REGISTRY, clock=clock or Clock())


def test_a_proposal_proves_its_signer() -> None:
    found = parse_proposal(encode_proposal(propose(SIGNERS[1])), "test")
    assert verify_proposal(found, chain_id=CHAIN, registry=REGISTRY, where="test").signer == SIGNERS[1].address


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        ({"schema": "x"}, FormatError),
        ({"chainId": 1}, VerificationError),
        ({"registry": "aa" * 20}, VerificationError),
        ({"record": "00"}, FormatError),
        ({"record": ""}, FormatError),
        ({"record": "AB" * 300}, FormatError),
        ({"signature": "ff" * 64}, VerificationError),
        ({"signature": "00" * 64}, VerificationError),
        ({"signature": "00" * 63}, FormatError),
        ({"epoch": 65536}, FormatError),
        ({"more": 1}, FormatError),
    ],
)
def test_a_malformed_or_forged_proposal_is_refused(change: dict[str, object], kind: type[ProvenanceError]) -> None:
    data = json.dumps(json.loads(encode_proposal(propose(SIGNERS[1]))) | change).encode()
    with pytest.raises(kind):
        verify_proposal(parse_proposal(data, "test"), chain_id=CHAIN, registry=REGISTRY, where="test")


def test_another_epoch_in_a_proposal_is_another_signer() -> None:
    proposal = replace(propose(SIGNERS[1]), epoch=2)
    assert verify_proposal(proposal, chain_id=CHAIN, registry=REGISTRY, where="test").signer not in SEATS


def test_equal_records_add_up_to_the_threshold() -> None:
    assert (count().weight, count().is_enough) == (1, False)
    ballot = count(signed(SIGNERS[1]), signed(SIGNERS[2]))
    assert (ballot.weight, ballot.is_enough, sorted(ballot.signatures)) == (3, True, [0, 1, 2])


def test_one_oracle_counts_once_and_a_stranger_never() -> None:
    ballot = count(signed(SIGNERS[1]), signed(SIGNERS[1]), signed(SIGNERS[0]), signed(SIGNERS[3]))
    assert (ballot.weight, ballot.differences) == (2, ())


def test_a_signature_for_another_epoch_does_not_count() -> None:
    assert count(signed(SIGNERS[1], epoch=2)).weight == 1


def test_an_oracle_that_signs_another_record_is_named_with_what_differs() -> None:
    ballot = count(signed(SIGNERS[1], replace(RECORD, grade=2, policy_digest=b"p" * 32)))
    (line,) = ballot.differences
    assert not ballot.is_enough
    assert line.startswith(f"oracle {SIGNERS[1].address} signed another record: policy_digest {b'p'.hex() * 32} not ")
    assert f"grade 2 not {RECORD.grade}" in line
    assert "weight 1 of 2" in ballot.words


def test_an_earlier_moment_with_the_same_judgement_is_taken() -> None:
    earlier = [RECORD.judged_at - timedelta(seconds=seconds) for seconds in (60, 90)]
    others = [replace(RECORD, judged_at=at, verdict_digest=bytes([n]) * 32) for n, at in enumerate(earlier)]
    assert count(signed(SIGNERS[1], others[0]), signed(SIGNERS[2], others[1])).earlier == earlier[1]
    assert count(signed(SIGNERS[1], others[0]), own=others[1]).earlier is None, "ours is the earlier one"


@pytest.mark.parametrize(
    "other",
    [
        replace(RECORD, judged_at=RECORD.judged_at - timedelta(minutes=1), model_digest=b"x" * 32),
        replace(RECORD, judged_at=RECORD.judged_at - MOMENT_AGE_MAX),
    ],
)
def test_a_moment_with_another_judgement_or_from_long_ago_is_not_taken(other: Record) -> None:
    assert count(signed(SIGNERS[1], other)).earlier is None


def test_a_release_is_judged_again_for_others_a_few_times_only() -> None:
    moments = Moments()
    taken = [moments.take(b"m" * 32, RECORD.judged_at - timedelta(seconds=number)) for number in range(5)]
    assert taken == [True, True, True, False, False]
    assert moments.of(b"m" * 32) == RECORD.judged_at - timedelta(seconds=2)
    assert moments.of(b"n" * 32) is None


def test_own_proposals_are_offered_until_a_pass_has_none() -> None:
    place = Place()
    one = collector(place)
    one.ballot(propose(SIGNERS[0]), SEATS)
    one.exchange(SEATS)
    (data,) = place.offered.values()
    assert parse_proposal(data, "test") == propose(SIGNERS[0])
    one.exchange(SEATS)
    assert place.offered == {}


def test_a_place_that_fails_or_lies_leaves_the_others_to_count(caplog: pytest.LogCaptureFixture) -> None:
    junk = [
        b"junk",
        b"{}",
        encode_proposal(propose(SIGNERS[3])),
        encode_proposal(propose(SIGNERS[1], registry=bytes(20))),
    ]
    down, liar, good = (
        Place("down", fails=True),
        Place("liar", junk),
        Place("good", [encode_proposal(propose(SIGNERS[1]))]),
    )
    clock = Clock()
    one = collector(down, liar, good, clock=clock)
    for _ in range(2):
        one.exchange(SEATS)
        clock.advance(20)
    assert one.ballot(propose(SIGNERS[0]), SEATS).is_enough
    assert list(one._places.problems) == ["down"]
    assert caplog.text.count("down: down") == 1
    down.fails = False
    clock.advance(20)
    one.exchange(SEATS)
    assert one._places.problems == {}


def test_a_place_that_fails_is_asked_less_and_less_often() -> None:
    place, clock = Place(fails=True), Clock()
    one = collector(place, clock=clock)
    asked_at = []
    for second in range(700):
        before = place.asked
        one.exchange(SEATS)
        asked_at += [second] * (place.asked - before)
        clock.advance(1)
    assert asked_at == [0, 10, 30, 70, 150, 310, 610]


def test_a_member_that_floods_has_a_bounded_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("provenance_oracle.oracle.quorum.collector.OFFERED_MAX", 3)
    flood = [encode_proposal(propose(SIGNERS[1], replace(RECORD, model_digest=bytes([n]) * 32))) for n in range(9)]
    one = collector(Place(has=flood), Place(has=[encode_proposal(propose(SIGNERS[2]))]))
    one.exchange(SEATS)
    assert [len(kept) for kept in one._others.values()] == [3, 1]
    assert one.ballot(propose(SIGNERS[0]), SEATS).is_enough


def test_oracles_submit_in_turns() -> None:
    clock = Clock()
    place = Place(has=[encode_proposal(propose(SIGNERS[index])) for index in (1, 2)])
    one = collector(place, clock=clock)

    def is_turn(index: int) -> bool:
        one.exchange(SEATS)
        ballot = one.ballot(propose(SIGNERS[0]), SEATS)
        return one.is_our_turn(signed(SIGNERS[0]).record_id, ballot, index)

    assert [is_turn(index) for index in range(3)] == [True, False, False]
    clock.advance(TURN.total_seconds())
    assert [is_turn(index) for index in range(3)] == [True, True, False]


def test_a_shared_folder_carries_proposals_and_withdraws_them(tmp_path: Path) -> None:
    ours, theirs = (FolderExchange(tmp_path, signer.address) for signer in SIGNERS[:2])
    key, data = signed(SIGNERS[0]).record_id, encode_proposal(propose(SIGNERS[0]))
    ours.offer({key: data})
    assert list(theirs.read()) == [data]
    assert list(ours.read()) == [], "our own folder is not read"
    ours.offer({})
    assert list(theirs.read()) == []


def test_a_restarted_oracle_withdraws_what_it_offered_before(tmp_path: Path) -> None:
    FolderExchange(tmp_path, SIGNERS[0].address).offer({b"a" * 32: b"old", b"b" * 32: b"stays"})
    FolderExchange(tmp_path, SIGNERS[0].address).offer({b"b" * 32: b"stays"})
    assert list(FolderExchange(tmp_path, SIGNERS[1].address).read()) == [b"stays"]


def test_records_and_batches_share_a_folder_and_leave_each_other_alone(tmp_path: Path) -> None:
    records, batches = (FolderExchange(tmp_path, SIGNERS[0].address, kind) for kind in (RECORDS, BATCHES))
    other = [FolderExchange(tmp_path, SIGNERS[1].address, kind) for kind in (RECORDS, BATCHES)]
    records.offer({b"a" * 32: b"record"})
    batches.offer({b"b" * 32: b"batch"})
    assert [list(one.read()) for one in other] == [[b"record"], [b"batch"]]
    FolderExchange(tmp_path, SIGNERS[0].address, BATCHES).offer({})
    assert [list(one.read()) for one in other] == [[b"record"], []]


def test_a_hostile_folder_is_read_within_bounds(tmp_path: Path) -> None:
    other = tmp_path / SIGNERS[1].address
    other.mkdir()
    (other / "link.json").symlink_to("/etc/passwd")
    (other / "large.json").write_bytes(bytes(10**6))
    (other / "deep").mkdir()
    (other / "deep" / "a.json").write_bytes(b"deep")
    for number in range(OFFERED_MAX + 10):
        (other / f"{number:05}.json").touch()
    found = list(FolderExchange(tmp_path, SIGNERS[0].address).read())
    assert len(found) == OFFERED_MAX
    assert max(map(len, found)) <= 4097
    assert b"root" not in b"".join(found)
    assert b"deep" not in found


def test_a_folder_that_is_gone_is_temporary(tmp_path: Path) -> None:
    exchange = FolderExchange(tmp_path / "gone", SIGNERS[0].address)
    with pytest.raises(TemporaryError, match="cannot be read"):
        list(exchange.read())
    with pytest.raises(TemporaryError, match="cannot be written"):
        exchange.offer({})


def test_our_folder_that_became_a_link_is_not_written(tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / SIGNERS[0].address).symlink_to(tmp_path / "outside")
    with pytest.raises(TemporaryError, match="cannot be written"):
        FolderExchange(tmp_path, SIGNERS[0].address).offer({b"k" * 32: b"data"})
    assert list((tmp_path / "outside").iterdir()) == []

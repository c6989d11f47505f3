"""Several oracles over the same releases, each with a journal and a key of its own, on a real chain and one clock."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from provenance_oracle.oracle.backoff import Backoff
from provenance_oracle.oracle.chain.batches import Batching
from provenance_oracle.oracle.chain.fees import FeeLimits
from provenance_oracle.oracle.chain.ledger import LedgerOptions, Peers, open_writer
from provenance_oracle.oracle.chain.writer import RegistryWriter
from provenance_oracle.oracle.conditions import Conditions
from provenance_oracle.oracle.deadline import Deadline
from provenance_oracle.oracle.journal.journal import Journal
from provenance_oracle.oracle.journal.pages import JournalPages
from provenance_oracle.oracle.journal.publications import StoredPublication
from provenance_oracle.oracle.journal.rows import Row, State
from provenance_oracle.oracle.judging.judges import ThreadJudge
from provenance_oracle.oracle.outcomes import Outcomes, Patience
from provenance_oracle.oracle.pipeline import Pipeline
from provenance_oracle.oracle.quorum.batch_proposal import BatchProposal, encode_batch_proposal, parse_batch_proposal
from provenance_oracle.oracle.quorum.exchange import BATCHES
from provenance_oracle.oracle.quorum.folder_exchange import FolderExchange
from provenance_oracle.oracle.quorum.turns import PROPOSING, proposer_at
from provenance_oracle.oracle.recording import Recording
from provenance_oracle.oracle.signers.environment import EnvironmentSigner
from provenance_oracle.oracle.sources.folder import FolderSource
from provenance_oracle.verifier.errors import VerificationError
from provenance_oracle.verifier.judgement.judge import Judgement
from provenance_oracle.verifier.judgement.release import Release
from provenance_oracle.verifier.policy import Policy, load_policy
from provenance_oracle.verifier.record.batch import seal_batch
from provenance_oracle.verifier.record.codec import decode_record, record_id
from provenance_oracle.verifier.registry.oracle_sets import Seat
from tests.support.chain_fixtures import JUDGED_AT, DeployedRegistry
from tests.support.drops import believe, drop

GWEI = 10**9
LIMITS = FeeLimits(max_fee_wei=100 * GWEI, priority_fee_max_wei=5 * GWEI, gas_max=8_000_000, bump_after_seconds=90)
URI = "https://oracle.example/batches/"


class Member:
    """One oracle of a council.

    Attributes:
        facts: fields of every record that this oracle judges otherwise than the others.
        rejects: names of releases that it rejects.
        skew: how far its clock is ahead.
        uri, most, after_seconds: its settings for batches; see `Batching`.
    """

    def __init__(self, council: Council, number: int) -> None:
        self.council, self.number = council, number
        self.folder = council.folder / f"oracle{number}"
        self.folder.mkdir(exist_ok=True)
        self.account = council.registry.oracles[number]
        self.signer = EnvironmentSigner("KEY", {"KEY": self.account.key.hex()})
        self.facts: dict[str, Any] = {}
        self.rejects: set[str] = set()
        self.skew = timedelta(0)
        self.uri = URI
        self.most, self.after_seconds = 128, 5.0
        self.open()

    def open(self) -> None:
        """Open the journal and the connections, as a process does that starts."""
        self.journal = Journal(self.folder / "journal.db")
        self.source = FolderSource(self.council.drop, releases_max=1000)
        self.conditions = Conditions(self.clock)
        patience = Patience(Backoff(1, 1, lambda: 0.0), internal_errors_max=3, recordings_per_day_max=1000)
        self.outcomes = Outcomes(self.journal, self.council.policy, patience, self.clock)
        places = {"exchanges": (self._exchange(),), "batch_exchanges": (self._exchange(BATCHES),)}
        self.peers = Peers(**places)  # type: ignore[arg-type]
        self.pipeline = Pipeline(
            self.source,
            self.journal,
            self.council.policy,
            self.outcomes,
            patience=patience,
            clock=self.clock,
            deadline=lambda: Deadline(None, lambda: None, lambda: 0.0),
            moment_of=self.peers.moments.of,
        )
        self.writer: RegistryWriter = self._writer()

    def close(self) -> None:
        self.journal.close()

    def restart(self) -> None:
        """Lose everything that is only in memory."""
        self.close()
        self.open()

    def step(self) -> None:
        """Judge what is due, and do one pass over the chain."""
        for handle in self.pipeline.due(list(self.source.releases())):
            self.pipeline.process(handle, ThreadJudge(self.judge, self.council.policy))
        self.writer.check_chain()
        self.recording().settle()

    def recording(self) -> Recording:
        return Recording(
            {self.source.name: self.source},
            self.journal,
            self.writer,
            self.council.policy,
            self.outcomes,
            clock=self.clock,
            conditions=self.conditions,
            batching=Batching(self.most, self.after_seconds, self.uri),
        )

    def judge(self, release: Release, policy: Policy, *, at: datetime, **_: object) -> Judgement:
        if release.path.name in self.rejects:
            raise VerificationError("forged", where=release.path.name)
        return believe(release, policy, at=at, **self.facts)

    def clock(self) -> datetime:
        return self.council.now + self.skew

    def rows(self) -> tuple[Row, ...]:
        """Return the rows of releases."""
        return tuple(row for row in self.journal.rows() if row.record is not None)

    def states(self) -> set[State]:
        return {row.state for row in self.rows()}

    def batch(self, root: bytes) -> StoredPublication | None:
        """Return the newest batch with a root in this oracle's journal."""
        return JournalPages(self.journal._database.rows).batch_of_root(root)

    def offered(self) -> list[BatchProposal]:
        """Return the batch proposals that this oracle offers now."""
        place = self.council.shared / self.signer.address
        return [parse_batch_proposal(path.read_bytes(), "test") for path in sorted(place.glob("*.batch"))]

    def offer(self, *proposals: BatchProposal) -> None:
        """Offer these batch proposals in the name of this oracle, which runs no process now."""
        self._exchange(BATCHES).offer({one.digest: encode_batch_proposal(one) for one in proposals})

    def _exchange(self, *kind: Any) -> FolderExchange:
        return FolderExchange(self.council.shared, self.signer.address, *kind)

    def _writer(self) -> RegistryWriter:
        options = LedgerOptions(
            rpc_urls=(self.council.registry.chain.rpc_url,),
            registry_address=self.council.registry.address,
            chain_id=None,
            first_block=0,
            confirmations=self.council.confirmations,
            limits=LIMITS,
            rpc_timeout_seconds=10.0,
            allow_development_key=False,
            batching=Batching(self.most, self.after_seconds, self.uri),
        )
        payer = EnvironmentSigner("KEY", {"KEY": self.account.key.hex()})
        return open_writer(options, payer, self.signer, self.journal, clock=self.clock, peers=self.peers)


class Council:
    """The oracles, their releases, and the folder that they share.

    The registry's set must be that of `deploy_registry`, with `size` oracles.
    """

    def __init__(self, registry: DeployedRegistry, folder: Path, size: int, confirmations: int = 0) -> None:
        self.registry, self.folder, self.confirmations = registry, folder, confirmations
        self.drop, self.shared = folder / "drop", folder / "shared"
        for made in (self.drop, self.shared):
            made.mkdir(exist_ok=True)
        self.policy = load_policy("demo")
        registry.policy_id(self.policy.digest)
        self.web3: Any = registry.contract.w3
        self.first_block = registry.block_number
        self.now = datetime.fromtimestamp(self.web3.eth.get_block("latest")["timestamp"], JUDGED_AT.tzinfo)
        self.members = [Member(self, number) for number in range(size)]
        self.seats = {
            member.signer.address: Seat(1, member.number, 1, 0) for member in self.members
        }  # the threshold plays no part in turns

    def close(self) -> None:
        for member in self.members:
            member.close()

    def release(self, *numbers: int) -> None:
        """Drop small releases."""
        for number in numbers:
            content = {"place": str(self.folder), "number": number}
            drop(self.drop / f"model{number}", content, report=json.dumps(content).encode())

    def advance(self, seconds: float) -> None:
        """Advance the clock of the oracles, and that of the chain."""
        self.now += timedelta(seconds=seconds)
        self.rpc("evm_increaseTime", int(seconds))
        self.rpc("evm_mine")

    def turn_of(self, number: int) -> None:
        """Advance the clocks to the begin of a turn of this oracle."""
        turn = PROPOSING.total_seconds()
        self.advance(turn - self.now.timestamp() % turn + 1)
        while proposer_at(self.now, self.seats) != self.members[number].signer.address:
            self.advance(turn)

    def steps(self, count: int, members: Sequence[Member] = (), seconds: float = 2.0) -> None:
        """Let these oracles (default: all) take passes in turns."""
        for _ in range(count):
            for member in members or self.members:
                member.step()
            self.advance(seconds)

    def until(self, condition: Callable[[], bool], members: Sequence[Member] = (), most: int = 200) -> None:
        for _ in range(most):
            if condition():
                return
            self.steps(1, members)
        raise AssertionError([(m.number, [(r.state, r.problem) for r in m.rows()]) for m in self.members])

    def rpc(self, method: str, *params: object) -> Any:
        answer = self.web3.provider.make_request(method, list(params))
        assert "error" not in answer, answer
        return answer["result"]

    # What the registry has

    def singles(self) -> list[bytes]:
        """Return the manifest digest of each record that was published by itself."""
        events = self.registry.contract.events.RecordPublished().get_logs(from_block=0)
        return [decode_record(bytes(one["args"]["record"]), "event").manifest_digest for one in events]

    def batches(self) -> list[tuple[bytes, int]]:
        """Return root and count of each recorded batch."""
        events = self.registry.contract.events.BatchRecorded().get_logs(from_block=0)
        return [(bytes(one["args"]["root"]), int(one["args"]["count"])) for one in events]

    def leaves(self) -> list[bytes]:
        """Return the manifest digest of each leaf of the recorded batches, as the members' journals have them."""
        found: list[bytes] = []
        for root, count in self.batches():
            kept = [m.journal.members(b.id) for m in self.members if (b := m.batch(root))]
            whole = next(rows for rows in kept if len(rows) == count)
            records = tuple(row.record or b"" for row in whole)
            assert seal_batch(records).root == root
            found += [decode_record(data, "leaf").manifest_digest for data in records]
        return found

    def transactions(self) -> list[int]:
        """Return the gas of each transaction that the oracles sent to the registry."""
        accounts = {member.account.address.lower() for member in self.members}
        last = self.web3.eth.block_number
        blocks = (self.web3.eth.get_block(number, True) for number in range(self.first_block, last + 1))
        found = [one for block in blocks for one in block["transactions"] if one["from"].lower() in accounts]
        to_registry = [one for one in found if (one["to"] or "").lower() == self.registry.address.lower()]
        return [int(self.web3.eth.get_transaction_receipt(one["hash"])["gasUsed"]) for one in to_registry]

    def recorded(self) -> list[bytes]:
        """Return the manifest digest of everything that was recorded, as often as it was."""
        return sorted([*self.singles(), *self.leaves()])


def signed_by(proposal: BatchProposal, *signers: EnvironmentSigner) -> BatchProposal:
    """Return a proposal with signatures of these keys, and no others."""
    return replace(proposal, signatures=tuple(one.sign_digest(proposal.digest) for one in signers))


def with_records(proposal: BatchProposal, records: Sequence[bytes]) -> BatchProposal:
    """Return a proposal with other records, in their order and with their root."""
    ordered = tuple(sorted(records, key=lambda data: record_id(decode_record(data, "test"))))
    root = seal_batch(ordered).root
    return replace(proposal, records=ordered, root=root, uri=f"{URI}{root.hex()}.json")

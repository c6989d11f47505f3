"""Tests of proofs that the oracle sends for its records, on a real node with the simulator's contracts."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from provenance_oracle.oracle.backoff import Backoff
from provenance_oracle.oracle.chain import prove_release, release_proofs
from provenance_oracle.oracle.chain.anvil import EmbeddedChain, run_anvil
from provenance_oracle.oracle.chain.ledger import Peers
from provenance_oracle.oracle.chain.prove_release import plan_proof
from provenance_oracle.oracle.chain.proving import Prove, Proving
from provenance_oracle.oracle.chain.release_proofs import ProvingOptions, ReleaseProofs
from provenance_oracle.oracle.chain.writer import RegistryWriter
from provenance_oracle.oracle.cli.main import main
from provenance_oracle.oracle.journal.evidence import archive
from provenance_oracle.oracle.journal.journal import Journal
from provenance_oracle.oracle.journal.publications import (
    Member,
    PublicationKind,
    PublicationState,
    StoredPublication,
)
from provenance_oracle.oracle.journal.rows import ReleaseKey, State
from provenance_oracle.oracle.journal.stored_record import from_json, to_json
from provenance_oracle.oracle.metrics import SILENT, Meter, Metrics
from provenance_oracle.oracle.quorum.turns import proving_rank
from provenance_oracle.publisher.simulator import FakeAmd
from provenance_oracle.verifier.errors import AppraisalError, TemporaryError
from provenance_oracle.verifier.judgement.judge import judge
from provenance_oracle.verifier.policy import load_policy
from provenance_oracle.verifier.proofs.reader import ProofReader
from provenance_oracle.verifier.registry.deployment import parse_deployment
from provenance_oracle.verifier.registry.oracle_sets import Seat
from tests.support.batches import sealing
from tests.support.chain_fixtures import DeployedRegistry, make_record, make_signed
from tests.support.proofs import NOW, later_amd, make_provable
from tests.support.proving_chain import OSAKA, deploy_with_proofs, events_of, provers_of, registry_in
from tests.support.world import GWEI, World, fresh_record

pytestmark = pytest.mark.chain


@pytest.fixture(scope="module")
def chain(anvil_program: Path) -> Iterator[EmbeddedChain]:
    with run_anvil(options=OSAKA) as found:
        yield found


@pytest.fixture(scope="module")
def file(chain: EmbeddedChain, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return deploy_with_proofs(chain, tmp_path_factory.mktemp("deployments"))


@pytest.fixture
def registry(chain: EmbeddedChain, file: Path) -> DeployedRegistry:
    return registry_in(file, chain)


class ProvingWorld(World):
    """A world whose oracle proves releases. `cost_max_gwei` is the cap of one proof."""

    def __init__(self, registry: DeployedRegistry, folder: Path, file: Path) -> None:
        self.folder, self.file = folder, file
        self.deployment = parse_deployment(file.read_bytes(), "file")
        self.cost_max_gwei = 10**9
        self.meter: Meter = SILENT
        super().__init__(registry, folder)
        self.renew()

    def connected(self, peers: Peers | None = None, meter: Meter | None = None, **changes: Any) -> RegistryWriter:
        options = ProvingOptions(self.deployment, self.cost_max_gwei * GWEI)
        return super().connected(peers, meter or self.meter, proving=options, **changes)

    def renew(self) -> None:
        """Forget all waits, as a restart does."""
        self.proving = Proving(self.journal, Backoff(1, 3600, lambda: 0.0), clock=lambda: self.now, meter=self.meter)

    def restart(self) -> None:
        super().restart()
        self.renew()

    def recorded(
        self,
        name: str,
        *,
        files: dict[str, bytes] | None = None,
        key: Any = None,
        amd: FakeAmd | None = None,
        batched: bool = False,
        is_recorded: bool = False,
        **changes: Any,
    ) -> int:
        """Record a release that is to be proven, by itself or in a batch, and return its row's id.

        With `is_recorded`, another oracle has recorded it. `amd` endorses its guest.
        """
        options: dict[str, Any] = {"key": key} if key else {}
        if files:
            options["files"] = files
        if amd:
            options |= {"amd": amd, "line": amd.line}
        release = make_provable(self.folder / name, name=f"acme/{name}", **options)
        policy = load_policy("demo")
        judged = judge(release, policy, at=NOW)
        record = replace(judged.record, **changes)
        if not batched and not is_recorded:
            self.registry.publish(record)
        row = self.journal.open(ReleaseKey("test", name, record.manifest_digest), "f", at=self.now)
        self.journal.accept(
            row.id,
            judged.verdict.statement,
            to_json(record),
            record.snp_report_digest,
            evidence=archive(judged.release, policy),
            proves=True,
            at=self.now,
        )
        if batched:
            others = [fresh_record(grade=0)]
            encoded, _, call = sealing(self.registry, [record, *others], (0,))
            self.registry.send(call, self.registry.stranger)
            members = [Member(row.id, encoded[0])]
            batch = self.journal.open_publication(PublicationKind.BATCH, members, at=self.now)
            self.journal.advance_publication(batch.id, PublicationState.FINAL, at=self.now)
            return row.id
        return self.journal.advance(row.id, State.FINAL, at=self.now).id

    def settle(self, *, begins: bool = True) -> None:
        proofs = self.looking().proofs
        assert proofs is not None
        self.proving.settle(proofs, begins=begins)

    def proof(self, row_id: int) -> StoredPublication:
        sql = (
            "SELECT publication_id AS id FROM publication_rows JOIN publications ON publications.id = publication_id"
            " WHERE release_id = ? AND kind = 'proof' ORDER BY publication_id DESC"
        )
        return self.journal.publication(self.journal._database.rows(sql, (row_id,))[0]["id"])

    def settle_until(self, row_id: int, state: PublicationState) -> StoredPublication:
        """Settle until a proof has a state. anvil mines a transaction a moment after it accepted it."""
        deadline = time.monotonic() + 20
        while (found := self.proof(row_id)).state is not state:
            assert time.monotonic() < deadline, found
            self.settle()
            time.sleep(0.01)
        return found

    def events(self, name: str) -> list[Any]:
        return events_of(self.file, self.registry.chain.rpc_url, name)

    def provers(self, row_id: int) -> list[str]:
        """Return the hashes of the transactions that proved the release of a row."""
        return provers_of(self.file, self.registry.chain.rpc_url, self.journal.row(row_id).key.content)


@pytest.fixture
def world(registry: DeployedRegistry, file: Path, tmp_path: Path) -> Iterator[ProvingWorld]:
    made = ProvingWorld(registry, tmp_path, file)
    yield made
    made.journal.close()


def test_a_final_record_is_proven_once_and_confirmed(world: ProvingWorld) -> None:
    row = world.recorded("one")
    confirmed = len(world.events("RecordConfirmed"))
    found = world.settle_until(row, PublicationState.FINAL)
    assert found.note == ""
    (attempt,) = world.journal.attempts_of(found.id)
    assert world.provers(row) == [attempt.transaction.hash.hex()]
    assert len(world.events("RecordConfirmed")) == confirmed + 1
    for _ in range(3):
        world.settle()
    world.restart()
    world.settle()
    assert len(world.provers(row)) == 1
    assert world.journal.row(row).state is State.FINAL


def test_the_transaction_of_a_proof_adds_a_later_intermediate_first(world: ProvingWorld) -> None:
    before, amd = len(world.events("IntermediateAdded")), later_amd()
    first, second = (world.recorded(name, amd=amd) for name in ("later", "next"))
    for row in (first, second):
        world.settle_until(row, PublicationState.FINAL)
        assert len(world.provers(row)) == 1
    assert len(world.events("IntermediateAdded")) == before + 1


def test_only_releases_that_the_setting_names_are_proven(world: ProvingWorld) -> None:
    graded, ungraded, signed = make_record(grade=2), make_record(grade=0), make_signed()
    wanted = {Prove.NEVER: (False, False), Prove.GRADED: (True, False), Prove.ALWAYS: (True, True)}
    for prove, found in wanted.items():
        assert (prove.wants(graded), prove.wants(ungraded)) == found
        assert not prove.wants(signed), "it has no evidence of AMD"


def test_a_release_that_a_stranger_proved_costs_nothing(world: ProvingWorld) -> None:
    row = world.recorded("strange")
    before = world.rpc("eth_getTransactionCount", world.payer.address, "latest")
    prove_as_stranger(world, "strange")
    found = world.settle_until(row, PublicationState.FINAL)
    assert found.note == "somebody else proved it"
    assert world.journal.attempts_of(found.id) == ()
    assert world.rpc("eth_getTransactionCount", world.payer.address, "latest") == before
    assert len(world.provers(row)) == 1


def prove_as_stranger(world: ProvingWorld, name: str) -> None:
    environment = {"PAYER": world.registry.chain.accounts[7].key.hex(), "XDG_CONFIG_HOME": "/nonexistent"}
    place = ("--rpc", world.registry.chain.rpc_url, "--registry", str(world.file), "--policy", "demo")
    command = ["prove", str(world.folder / name), *place, "--key-variable", "PAYER", "--json"]
    result = CliRunner().invoke(main, command, env=environment)
    assert result.exit_code == 0, result.output


def test_a_proof_above_its_cap_waits_and_goes_on_when_the_cap_is_raised(world: ProvingWorld) -> None:
    row = world.recorded("dear")
    world.cost_max_gwei = 1
    world.restart()
    world.settle()
    waiting = world.proof(row)
    assert (waiting.state, world.journal.attempts_of(waiting.id)) == (PublicationState.OPEN, ())
    assert "it costs too much now" in waiting.note
    assert "at most 1 gwei; raise the setting prove_fee_max_gwei" in waiting.note
    assert not world.journal.is_moving(), "watch --once does not wait for it"
    # a record goes on meanwhile
    record = make_record(manifest_digest=b"\x0d" * 32, snp_report_digest=b"\x0e" * 32)
    world.finish(world.row(record), record)
    world.cost_max_gwei = 10**9
    world.restart()
    world.settle_until(row, PublicationState.FINAL)
    assert len(world.provers(row)) == 1


def test_a_failing_proof_waits_longer_each_time(world: ProvingWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    row = world.recorded("fails")
    tries: list[int] = []

    def fails(*_: object) -> None:
        tries.append(1)
        raise TemporaryError("the node is down", where="node")

    with monkeypatch.context() as patch:
        patch.setattr(ReleaseProofs, "step", fails)
        for seconds, wanted in ((0, 1), (0, 1), (1, 2), (1, 2), (1, 3), (3, 3), (1, 4)):
            world.now += timedelta(seconds=seconds)
            world.settle()
            assert len(tries) == wanted
        assert "the node is down" in world.proof(row).note
    world.now += timedelta(hours=1)
    world.settle_until(row, PublicationState.FINAL)


@pytest.mark.parametrize(
    ("name", "options", "reason"),
    [
        ("edwards", {"key": Ed25519PrivateKey.from_private_bytes(b"\x07" * 32)}, "algorithm of the VM's key"),
        ("named", {"files": {"caf\u00e9.json": b"{}"}}, "cannot read a file of the manifest"),
        ("lied", {"reported_tcb": bytes(8)}, "RecordDiffers"),
    ],
)
def test_what_cannot_be_proven_is_noted_once(
    world: ProvingWorld, name: str, options: dict[str, Any], reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = world.recorded(name, **options)
    world.settle()
    refused = world.proof(row)
    assert refused.state is PublicationState.DROPPED
    assert reason in refused.note
    assert world.journal.attempts_of(refused.id) == ()
    assert world.journal.row(row).state is State.FINAL, "it is no failure of the release"
    monkeypatch.setattr(ReleaseProofs, "step", lambda *_: pytest.fail("it is tried again"))
    world.restart()
    world.settle()
    told = CliRunner().invoke(main, ["status", "--journal", str(world.path)]).output
    assert "proofs on chain: 1 refused" in told
    assert f"cannot be proven, test:{name}, " in told


def test_a_record_in_a_batch_is_proven_without_being_confirmed(world: ProvingWorld) -> None:
    row = world.recorded("batched", batched=True)
    confirmed = len(world.events("RecordConfirmed"))
    world.settle_until(row, PublicationState.FINAL)
    assert len(world.provers(row)) == 1
    assert len(world.events("RecordConfirmed")) == confirmed


def test_a_revoked_record_is_not_proven(world: ProvingWorld) -> None:
    row = world.recorded("revoked")
    world.registry.revoke(from_json(world.journal.row(row).record or b""))
    found = world.settle_until(row, PublicationState.DROPPED)
    assert "its record is revoked" in found.note


def test_evidence_that_is_lost_and_bugs_of_ours_are_waited_for(
    world: ProvingWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = world.recorded("lost")
    with monkeypatch.context() as patch:
        patch.setattr(Journal, "evidence", lambda *_: None)
        world.settle()
        assert (world.proof(row).state, "evidence is not there" in world.proof(row).note) == ("open", True)
    with monkeypatch.context() as patch:
        patch.setattr(ReleaseProofs, "step", lambda *_: {}["bug"])  # type: ignore[index]
        world.renew()
        world.settle()
        assert "internal error, please report it: KeyError" in world.proof(row).note
    world.renew()
    world.settle_until(row, PublicationState.FINAL)


def test_a_proof_too_large_for_a_transaction_is_noted(world: ProvingWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prove_release, "TRANSACTION_GAS_MAX", 2_000_000)
    row = world.recorded("large")
    world.settle()
    found = world.proof(row)
    assert (found.state, "does not fit into a transaction" in found.note) == (PublicationState.DROPPED, True)


def test_one_node_alone_does_not_decide_that_the_chain_refuses(
    world: ProvingWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = world.recorded("disputed")
    world.writer = world.connected(
        rpc_urls=(world.registry.chain.rpc_url, world.registry.chain.rpc_url.replace("127.0.0.1", "localhost"))
    )
    real, asked = plan_proof, list[object]()

    def plan(reader: ProofReader, *arguments: Any, **options: Any) -> Any:
        asked.append(reader)
        if reader is asked[0]:
            raise AppraisalError("the chain refuses the proof", where="node", got="NotInTime", wanted="another")
        return real(reader, *arguments, **options)

    with monkeypatch.context() as patch:
        patch.setattr(release_proofs, "plan_proof", plan)
        world.settle()
        found = world.proof(row)
        assert (found.state, "the nodes disagree" in found.note) == (PublicationState.OPEN, True)
        patch.setattr(release_proofs, "plan_proof", lambda *_, **__: plan(asked[0]))  # type: ignore[arg-type]
        world.renew()
        world.settle()
    assert world.proof(row).state is PublicationState.DROPPED


def test_the_same_bytes_are_sent_again_after_a_restart(world: ProvingWorld) -> None:
    row = world.recorded("forgotten")
    world.rpc("evm_setAutomine", False)
    try:
        world.settle()
        sent = world.proof(row)
        assert sent.state is PublicationState.SENT
        world.rpc("anvil_dropAllTransactions")
    finally:
        world.rpc("evm_setAutomine", True)
    world.restart()
    world.settle_until(row, PublicationState.FINAL)
    (attempt,) = world.journal.attempts_of(sent.id)
    assert world.provers(row) == [attempt.transaction.hash.hex()]


def test_a_proof_that_waits_too_long_gets_higher_fees_and_is_paid_once(world: ProvingWorld) -> None:
    row = world.recorded("slow")
    world.rpc("evm_setAutomine", False)
    try:
        world.settle()
        world.now += timedelta(seconds=91)
        world.settle()
        attempts = world.journal.attempts_of(world.proof(row).id)
    finally:
        world.rpc("evm_setAutomine", True)
    assert len(attempts) == 2
    assert attempts[0].transaction.nonce == attempts[1].transaction.nonce
    assert attempts[0].transaction.max_fee_wei < attempts[1].transaction.max_fee_wei
    world.settle_until(row, PublicationState.FINAL)
    assert len(world.provers(row)) == 1


def test_the_cap_holds_for_higher_fees_unless_a_record_waits_behind(world: ProvingWorld) -> None:
    row = world.recorded("behind")
    record = make_record(manifest_digest=b"\x1d" * 32, snp_report_digest=b"\x1e" * 32)
    world.rpc("evm_setAutomine", False)
    try:
        world.settle()
        (first,) = world.journal.attempts_of(world.proof(row).id)
        gas = int(world.web3.eth.get_transaction(first.transaction.hash)["gas"])
        world.cost_max_gwei = first.transaction.max_fee_wei * gas // GWEI + 1
        world.restart()
        world.now += timedelta(seconds=91)
        world.settle()
        held = world.proof(row)
        assert len(world.journal.attempts_of(held.id)) == 1
        assert "prove_fee_max_gwei allows no higher fee" in held.note
        record_row = world.row(record)
        assert world.publish(record_row, record) is State.SENT
        world.settle()
        assert len(world.journal.attempts_of(held.id)) == 2
    finally:
        world.rpc("evm_setAutomine", True)
    world.settle_until(row, PublicationState.FINAL)
    assert len(world.provers(row)) == 1


def test_no_transaction_is_sent_that_fits_into_no_block(world: ProvingWorld) -> None:
    """It would be mined never, and every record would wait for its nonce."""
    world.settle_until(world.recorded("block-0"), PublicationState.FINAL)  # the chain has seen the certificate
    usual = int(world.rpc("eth_getBlockByNumber", "latest", False)["gasLimit"], 16)
    try:
        for gas_max, state in ((2_000_000, "dropped"), (3_000_000, "final")):
            row = world.recorded(f"block-{gas_max}")
            world.rpc("evm_setBlockGasLimit", hex(gas_max))
            world.rpc("evm_mine")
            found = world.settle_until(row, PublicationState(state))
            assert ("at most 2000000" in found.note) == (state == "dropped")
    finally:
        world.rpc("evm_setBlockGasLimit", hex(usual))
        world.rpc("evm_mine")


def test_a_poor_account_keeps_its_money_for_records(world: ProvingWorld) -> None:
    row = world.recorded("poor")
    balance = int(world.rpc("eth_getBalance", world.payer.address, "latest"), 16)
    try:
        world.rpc("anvil_setBalance", world.payer.address, hex(5 * 10**15))
        world.settle()
    finally:
        world.rpc("anvil_setBalance", world.payer.address, hex(balance))
    found = world.proof(row)
    assert (found.state, world.journal.attempts_of(found.id)) == (PublicationState.OPEN, ())
    assert "so that enough is left for records" in found.note


def test_records_come_first_and_few_proofs_are_on_their_way(world: ProvingWorld) -> None:
    rows = [world.recorded(f"many-{number}") for number in range(3)]
    world.settle(begins=False)
    assert [world.proof(row).state for row in rows] == [PublicationState.OPEN] * 3
    world.rpc("evm_setAutomine", False)
    try:
        for _ in range(3):
            world.settle()
        assert [world.proof(row).state for row in rows] == ["sent", "sent", "open"]
        assert world.proof(rows[2]).note == ""
    finally:
        world.rpc("evm_setAutomine", True)
    for row in rows:
        world.settle_until(row, PublicationState.FINAL)


def test_a_proof_without_effect_is_not_paid_again_and_again(world: ProvingWorld) -> None:
    row = world.recorded("vain")
    for state in (PublicationState.OPEN, PublicationState.DROPPED):
        world.cost_max_gwei = 10**9
        world.restart()
        world.rpc("evm_setAutomine", False)
        try:
            world.settle()
            (*_, newest) = world.journal.attempts_of(world.proof(row).id)
            world.rpc("anvil_dropAllTransactions")
            use_nonce(world, newest.transaction.nonce)  # by another transaction of the account
        finally:
            world.rpc("evm_setAutomine", True)
        world.rpc("evm_mine")
        world.cost_max_gwei = 1
        world.restart()
        world.settle()
        found = world.proof(row)
        assert (found.state, world.journal.is_moving()) == (state, False), "it is no longer on its way"
    assert "its transactions had no effect" in found.note
    assert len(world.journal.attempts_of(found.id)) == 2


def use_nonce(world: ProvingWorld, nonce: int) -> None:
    payer = world.payer.address
    fields = {"from": payer, "to": payer, "nonce": hex(nonce), "gas": "0x5208", "gasPrice": hex(100 * GWEI)}
    world.rpc("eth_sendTransaction", fields)


def test_the_oracle_whose_turn_it_is_proves_and_others_wait(
    world: ProvingWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = world.recorded("turns")
    monkeypatch.setattr(release_proofs, "proving_rank", lambda *_: 1)
    world.settle()
    left = world.proof(row)
    assert (left.state, left.note.startswith("is left to another oracle until")) == (PublicationState.OPEN, True)
    world.now += timedelta(minutes=10)
    world.settle_until(row, PublicationState.FINAL)


def test_one_of_two_oracles_pays(chain: EmbeddedChain, tmp_path: Path) -> None:
    file = deploy_with_proofs(chain, tmp_path, oracles=2)
    registry, people = registry_in(file, chain), chain.accounts[4:6]
    worlds = []
    for person in people:
        (tmp_path / person.address).mkdir()
        worlds.append(ProvingWorld(replace(registry, oracles=(person,)), tmp_path / person.address, file))
    try:
        rows = [world.recorded("shared", is_recorded=world is worlds[1]) for world in worlds]
        for world in worlds:
            world.settle()
        states = [world.proof(row).state for world, row in zip(worlds, rows, strict=True)]
        assert sorted(states) == [PublicationState.OPEN, PublicationState.SENT]
        payer = states.index(PublicationState.SENT)
        worlds[payer].settle_until(rows[payer], PublicationState.FINAL)
        worlds[1 - payer].renew()
        found = worlds[1 - payer].settle_until(rows[1 - payer], PublicationState.FINAL)
        assert found.note == "somebody else proved it"
        assert len(worlds[0].provers(rows[0])) == 1
    finally:
        for world in worlds:
            world.journal.close()


def test_each_release_has_one_oracle_that_begins_and_all_have_their_share() -> None:
    seats = {f"0x{number}": Seat(1, number, 1, 1) for number in range(3)}
    for number in range(6):
        ranks = {proving_rank(number.to_bytes(32), own, seats): own for own in seats}
        assert sorted(ranks) == [0, 1, 2]
        assert ranks[0] == f"0x{number % 3}"


def test_the_gas_of_proofs_and_their_ends_are_counted(world: ProvingWorld) -> None:
    world.meter = metrics = Metrics(tuple, world.journal.open_batches, lambda: world.now, "1")
    world.writer = world.connected()
    world.renew()
    row, refused = world.recorded("counted"), world.recorded("uncounted", reported_tcb=bytes(8))
    world.settle_until(row, PublicationState.FINAL)
    world.settle_until(refused, PublicationState.DROPPED)
    world.settle()  # anvil shows the state of a block a moment before its receipts
    world.looking().push_orphans()
    samples = {
        line.split()[0]: float(line.split()[1]) for line in metrics.text().decode().splitlines() if line[0] != "#"
    }
    gas = world.web3.eth.get_transaction_receipt(f"0x{world.provers(row)[0]}")["gasUsed"]
    wanted = {"proof_gas_total": gas, "gas_total": gas, 'transactions_total{effect="effect"}': 1}
    wanted |= {
        f'proofs_total{{outcome="{name}"}}': count for name, count in (("proven", 1), ("refused", 1), ("found", 0))
    }
    assert {name: samples[f"provenance_oracle_{name}"] for name in wanted} == wanted
    assert samples['provenance_oracle_step_seconds_count{step="prove"}'] > 0

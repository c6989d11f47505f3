"""The ledger against a real node: one event, the same bytes, whatever the node forgets."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from oracle.journal import Journal
from oracle.ledger.anvil import EmbeddedChain
from oracle.ledger.signers import EnvironmentSigner
from oracle.ledger.transactions import FeeLimits
from oracle.ledger.writer import LedgerOptions, RegistryWriter, open_writer
from oracle.rows import AttemptState, ReleaseKey, State
from tests.chain_fixtures import DeployedRegistry, make_record
from verifier.errors import TemporaryError, UsageError, VerificationError
from verifier.record import Record
from verifier.registry import Publication

pytestmark = pytest.mark.chain
GWEI = 10**9
LIMITS = FeeLimits(max_fee_wei=100 * GWEI, priority_fee_max_wei=5 * GWEI, gas_max=2_000_000, bump_after_seconds=90)


class World:
    """A registry, a journal file, and a writer that can be made anew as a restart would."""

    def __init__(self, registry: DeployedRegistry, folder: Path) -> None:
        self.registry = registry
        self.web3: Any = registry.contract.w3
        self.path = folder / "journal.db"
        self.now = datetime(2026, 1, 1, tzinfo=UTC)
        self.journal = Journal(self.path)
        self.confirmations = 0
        self.writer = self.connected()

    def connected(self, **changes: Any) -> RegistryWriter:
        options: dict[str, Any] = {
            "rpc_url": self.registry.chain.rpc_url,
            "registry_address": self.registry.address,
            "confirmations": self.confirmations,
            "limits": LIMITS,
            "rpc_timeout_seconds": 10.0,
            "allow_development_key": False,
        }
        signer = EnvironmentSigner("KEY", {"KEY": self.registry.oracle.key.hex()})
        return open_writer(LedgerOptions(**options | changes), signer, self.journal, clock=lambda: self.now)

    def restart(self) -> None:
        self.journal.close()
        self.journal = Journal(self.path)
        self.writer = self.connected()

    def row(self, record: Record) -> int:
        key = ReleaseKey("test", "release", record.manifest_digest)
        row = self.journal.open(key, "f", at=self.now)
        self.journal.accept(row.id, b"{}", b"{}", record.report_digest, at=self.now)
        return row.id

    def publish(self, row_id: int, record: Record) -> State:
        state = self.writer.publish(row_id, record).state
        self.journal.advance(row_id, state, at=self.now)
        return state

    def rpc(self, method: str, *params: object) -> Any:
        answer = self.web3.provider.make_request(method, list(params))
        assert "error" not in answer, answer
        return answer["result"]

    def events(self, record: Record) -> list[Publication]:
        return [
            event for event in self.registry.reader().history(record.manifest_digest) if isinstance(event, Publication)
        ]


@pytest.fixture
def world(registry: DeployedRegistry, tmp_path: Path) -> Iterator[World]:
    made = World(registry, tmp_path)
    yield made
    made.rpc("evm_setAutomine", True)
    made.rpc("evm_mine")
    made.journal.close()


def fresh_record(**changes: Any) -> Record:
    return make_record(manifest_digest=secrets.token_bytes(32), report_digest=secrets.token_bytes(32), **changes)


def test_a_record_is_published_once_and_becomes_final(world: World) -> None:
    record = fresh_record()
    row_id = world.row(record)
    assert world.publish(row_id, record) is State.SENT
    assert world.publish(row_id, record) is State.FINAL
    assert world.publish(row_id, record) is State.FINAL
    (attempt,) = world.journal.attempts(row_id)
    assert attempt.state is AttemptState.MINED
    (event,) = world.events(record)
    assert event.transaction_hash == attempt.transaction.hash

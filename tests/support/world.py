"""A writer over a registry on a real node, with a journal file, that a test can restart."""

from __future__ import annotations

import secrets
import time
from pathlib import Path
from typing import Any

from provenance_oracle.oracle.chain.fees import FeeLimits
from provenance_oracle.oracle.chain.ledger import LedgerOptions, Peers, open_writer
from provenance_oracle.oracle.chain.writer import RegistryWriter
from provenance_oracle.oracle.journal.journal import Journal
from provenance_oracle.oracle.journal.rows import ReleaseKey, State
from provenance_oracle.oracle.metrics import SILENT, Meter
from provenance_oracle.oracle.signers.environment import EnvironmentSigner
from provenance_oracle.verifier.record.fields import Record
from provenance_oracle.verifier.registry.events import Publication
from tests.support.chain_fixtures import JUDGED_AT, DeployedRegistry, make_record

GWEI = 10**9
LIMITS = FeeLimits(max_fee_wei=100 * GWEI, priority_fee_max_wei=5 * GWEI, gas_max=2_000_000, bump_after_seconds=90)


class World:
    """A registry that knows the policy, a journal file, and a writer that `restart` opens again.

    The oracle's own account pays, unless a test changes `payer`.
    """

    def __init__(self, registry: DeployedRegistry, folder: Path) -> None:
        self.registry = registry
        registry.policy_id(make_record().policy_digest)
        self.payer = registry.oracle
        self.web3: Any = registry.contract.w3
        self.path = folder / "journal.db"
        self.now = JUDGED_AT
        self.journal = Journal(self.path)
        self.confirmations: int | None = 0
        try:
            self.writer = self.connected()
        except BaseException:
            self.journal.close()
            raise

    def connected(self, peers: Peers | None = None, meter: Meter = SILENT, **changes: Any) -> RegistryWriter:
        options: dict[str, Any] = {
            "rpc_urls": (self.registry.chain.rpc_url,),
            "registry_address": self.registry.address,
            "chain_id": None,
            "first_block": 0,
            "confirmations": self.confirmations,
            "limits": LIMITS,
            "rpc_timeout_seconds": 10.0,
            "allow_development_key": False,
        }
        payer, reporter = (
            EnvironmentSigner("KEY", {"KEY": account.key.hex()}) for account in (self.payer, self.registry.oracle)
        )
        place = LedgerOptions(**options | changes)
        return open_writer(place, payer, reporter, self.journal, clock=lambda: self.now, peers=peers, meter=meter)

    def looking(self) -> RegistryWriter:
        """Return the writer after a look at the newest block."""
        self.writer.check_chain()
        return self.writer

    def restart(self) -> None:
        self.journal.close()
        self.journal = Journal(self.path)
        self.writer = self.connected()

    def row(self, record: Record) -> int:
        key = ReleaseKey("test", "release", record.manifest_digest)
        row = self.journal.open(key, "f", at=self.now)
        self.journal.accept(row.id, b"{}", b"{}", record.snp_report_digest, at=self.now)
        return row.id

    def publish(self, row_id: int, record: Record) -> State:
        state = self.looking().publish(row_id, record).state
        self.journal.advance(row_id, state, at=self.now)
        return state

    def finish(self, row_id: int, record: Record) -> None:
        """Publish until the record is final. anvil mines a transaction a moment after it accepted it."""
        deadline = time.monotonic() + 10
        while self.publish(row_id, record) is not State.FINAL:
            assert time.monotonic() < deadline
            time.sleep(0.01)

    def rpc(self, method: str, *params: object) -> Any:
        answer = self.web3.provider.make_request(method, list(params))
        assert "error" not in answer, answer
        return answer["result"]

    def writers(self, record: Record) -> list[bytes]:
        """Return the hashes of the transactions that wrote a record. There should be one at most."""
        reader = self.registry.reader()
        entry = reader.entry_of(record.model_digest, record.manifest_digest)
        return [event.place.transaction_hash for event in reader.history(entry) if isinstance(event, Publication)]


def fresh_record(**changes: Any) -> Record:
    return make_record(manifest_digest=secrets.token_bytes(32), snp_report_digest=secrets.token_bytes(32), **changes)

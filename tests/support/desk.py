"""A writer over a chain, a registry and a journal that a test controls."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from provenance_oracle.oracle.chain.fees import FeeLimits
from provenance_oracle.oracle.chain.finality import Endpoint, Finality
from provenance_oracle.oracle.chain.transactions import TransactionSender
from provenance_oracle.oracle.chain.writer import RegistryWriter
from provenance_oracle.oracle.journal.journal import Journal
from provenance_oracle.oracle.journal.rows import ReleaseKey
from provenance_oracle.verifier.record.fields import Record
from provenance_oracle.verifier.registry.contract import load_artifact
from tests.support.fakes import (
    GWEI,
    REGISTRY,
    START,
    Clock,
    FakeChain,
    FakeRegistry,
    FakeSigner,
    numbered_record,
    surveying,
)

RECORD = numbered_record(1, judged_at=START)
LIMITS = FeeLimits(max_fee_wei=100 * GWEI, priority_fee_max_wei=5 * GWEI, gas_max=2_000_000, bump_after_seconds=90)


class Desk:
    def __init__(self, path: Path, confirmations: int) -> None:
        self.journal = Journal(path)
        self.chain = FakeChain()
        self.registry = FakeRegistry(self.chain)
        self.clock = Clock()
        self.writer = self.open(confirmations)
        self.mine(confirmations)  # so that the registry itself is deep enough

    def open(self, confirmations: int, *others: Endpoint[Any]) -> RegistryWriter:
        """Return a writer that asks the desk's chain first, and `others` before anything counts as final."""
        endpoints: Any = (Endpoint(self.chain, self.registry, "first"), *others)
        facts: Any = {"finality": Finality(endpoints, confirmations, min(2, len(endpoints))), "clock": self.clock}
        sender = TransactionSender(FakeSigner(), self.journal, LIMITS, chain_id=31337, **facts)
        survey = surveying(self.journal, self.clock, *endpoints)
        return RegistryWriter(self.registry, sender, self.journal, endpoints=survey, address=REGISTRY, **facts)

    def mine(self, count: int) -> None:
        for _ in range(count):
            self.chain.mine()

    def row(self, record: Record) -> int:
        row = self.journal.open(ReleaseKey("test", record.name, record.manifest_digest), "f", at=START)
        return self.journal.accept(row.id, b"{}", b"{}", record.snp_report_digest, at=START).id


def reverting_with(name: str) -> bytes:
    """Return the revert data of one of the registry's errors."""
    from eth_utils.abi import abi_to_signature
    from web3 import Web3

    (item,) = (item for item in load_artifact().abi if item["type"] == "error" and item["name"] == name)
    return bytes(Web3.keccak(text=abi_to_signature(item)))[:4] + bytes(64)  # type: ignore[arg-type]

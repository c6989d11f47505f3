"""A chain in memory that can lie, forget and fork, and a signer whose transactions it can read."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from provenance_oracle.oracle.chain.calls import number_policy_call
from provenance_oracle.oracle.chain.rpc import Call, Prices, RevertedError
from provenance_oracle.verifier.errors import RecordError, TemporaryError
from provenance_oracle.verifier.record.fields import Entry, Record
from tests.support.chain_fixtures import make_entry, make_record

GWEI = 10**9
ADDRESS = "0x00000000000000000000000000000000000000AA"
REGISTRY = "0x00000000000000000000000000000000000000bb"
START = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass
class Clock:
    now: datetime = START

    def __call__(self) -> datetime:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


class FakeSigner:
    """Signs by writing the fields down; deterministic, as RFC 6979 signatures are."""

    address = ADDRESS
    for_development = False

    def sign_transaction(self, fields: Mapping[str, Any]) -> tuple[bytes, bytes]:
        raw = json.dumps({**fields, "data": fields["data"].hex()}).encode()
        return raw, hashlib.sha256(raw).digest()

    def sign_digest(self, digest: bytes) -> bytes:
        return digest + digest[::-1]


@dataclass
class FakeChain:
    """One account, one registry. `blocks[n]` holds the transactions of block n+1; `taken` what the node keeps ready.

    `answers` are played one per `send`: a function that may refuse, lie or raise; none left means an honest node.
    """

    blocks: list[list[bytes]] = field(default_factory=lambda: [[]])
    taken: dict[int, bytes] = field(default_factory=dict)
    sent: list[bytes] = field(default_factory=list)
    answers: list[Callable[[FakeChain, bytes], str]] = field(default_factory=list)
    prices_now: Prices = field(default_factory=lambda: Prices(GWEI, GWEI))
    gas: int = 300_000
    reverting: bytes | None = None
    facts: dict[str, str] = field(default_factory=lambda: {"chain id": "31337", "registry": REGISTRY})
    before_send: Callable[[bytes], None] = lambda raw: None
    foreign: set[bytes] = field(default_factory=set)

    # What the oracle sees

    def identity(self, contract: str) -> dict[str, str]:
        return dict(self.facts)

    def head(self) -> int:
        return len(self.blocks)

    def nonce(self, address: str, block: int) -> int:
        if block > self.head():
            raise TemporaryError("no such block")
        return sum(len(block) for block in self.blocks[:block])

    def prices(self) -> Prices:
        return self.prices_now

    def simulate(self, call: Call) -> None:
        if self.reverting is not None:
            raise RevertedError("call reverts", where=call.to, data=self.reverting)

    def estimate_gas(self, call: Call) -> int:
        return self.gas

    def succeeded(self, transaction_hash: bytes) -> bool | None:
        for block in self.blocks:
            for raw in block:
                if hashlib.sha256(raw).digest() == transaction_hash:
                    return raw not in self.foreign
        return None

    def send(self, raw: bytes) -> str:
        self.before_send(raw)
        self.sent.append(raw)
        return self.answers.pop(0)(self, raw) if self.answers else take(self, raw)

    # What happens to the chain

    def mine(self) -> None:
        block = []
        while (nonce := self.nonce(ADDRESS, self.head()) + len(block)) in self.taken:
            block.append(self.taken.pop(nonce))
        self.blocks.append(block)
        self.taken = {n: raw for n, raw in self.taken.items() if n >= self.nonce(ADDRESS, self.head())}

    def reorg(self, depth: int) -> None:
        """Replace the newest blocks by as many empty ones; what was in them is forgotten."""
        depth = min(depth, len(self.blocks) - 1)
        self.blocks[len(self.blocks) - depth :] = [[] for _ in range(depth)]

    def forget(self) -> None:
        self.taken.clear()

    def use_nonce(self) -> None:
        """Mine somebody else's transaction of the same account, as a second program with the key would."""
        raw = b"foreign %d" % sum(map(len, self.blocks))
        self.foreign.add(raw)
        self.blocks.append([raw])
        self.taken = {n: kept for n, kept in self.taken.items() if n >= self.nonce(ADDRESS, self.head())}

    def effects(self, block: int | None = None) -> dict[str, int]:
        """Call data of every own transaction up to `block`, with how often it was mined."""
        counts: dict[str, int] = {}
        for mined in self.blocks[: self.head() if block is None else block]:
            for raw in mined:
                if raw not in self.foreign:
                    data = json.loads(raw)["data"]
                    counts[data] = counts.get(data, 0) + 1
        return counts


def take(chain: FakeChain, raw: bytes) -> str:
    """An honest node: keeps a transaction ready, or says why not."""
    fields = json.loads(raw)
    nonce, old = fields["nonce"], chain.taken.get(fields["nonce"])
    if nonce < chain.nonce(ADDRESS, chain.head()):
        return "nonce too low"
    if old == raw:
        return "already known"
    if old is not None and fields["maxFeePerGas"] * 10 < json.loads(old)["maxFeePerGas"] * 11:
        return "replacement transaction underpriced"
    chain.taken[nonce] = raw
    return ""


def take_and_lose_reply(chain: FakeChain, raw: bytes) -> str:
    take(chain, raw)
    raise TemporaryError("reply lost")


def lose(chain: FakeChain, raw: bytes) -> str:
    raise TemporaryError("connection refused")


def ignore(chain: FakeChain, raw: bytes) -> str:
    return ""


def say(words: str, *, taking: bool) -> Callable[[FakeChain, bytes], str]:
    def answer(chain: FakeChain, raw: bytes) -> str:
        if taking:
            take(chain, raw)
        return words

    return answer


@dataclass
class FakeRegistry:
    """Reads records and numbers of policies off a FakeChain, by the call data of its transactions.

    `numbers` are policies that had one before; `reports` says which call data publishes which record.
    """

    chain: FakeChain
    existing: dict[bytes, Entry] = field(default_factory=dict)
    reports: dict[bytes, bytes] = field(default_factory=dict)
    known: dict[str, Record] = field(default_factory=dict)
    numbers: dict[bytes, int] = field(default_factory=lambda: {make_record().policy_digest: 1})
    signed: list[tuple[bytes, int]] = field(default_factory=list)

    def entry_of(self, model_digest: bytes, manifest_digest: bytes, *, block: int) -> Entry:
        if manifest_digest in self.existing:
            return self.existing[manifest_digest]
        for data in self.chain.effects(block):
            record = self.known.get(data)
            if record and (record.model_digest, record.manifest_digest) == (model_digest, manifest_digest):
                return make_entry(record)
        raise RecordError("no record")

    def manifest_of_report(self, report_digest: bytes) -> bytes | None:
        return self.reports.get(report_digest)

    def policy_id(self, policy_digest: bytes, *, block: int) -> int:
        if policy_digest in self.numbers:
            return self.numbers[policy_digest]
        return 2 if number_policy_call(policy_digest).hex() in self.chain.effects(block) else 0

    def publication(self, record: Record, *, policy_id: int, block: int) -> bytes:
        """Another one every time, as if the oracle set had changed in between."""
        self.signed.append((record.manifest_digest, policy_id))
        data = record.manifest_digest + record.verdict_digest + bytes([len(self.signed)])
        self.known[data.hex()] = record
        return data


def numbered_record(number: int, **changes: Any) -> Record:
    digest = hashlib.sha256(b"%d" % number).digest()
    return make_record(manifest_digest=digest, report_digest=digest[::-1], **changes)

"""A chain in memory that can give wrong answers, lose transactions and fork, and a signer that it can read."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from provenance_oracle.oracle.chain.calls import number_policy_call
from provenance_oracle.oracle.chain.endpoints import EndpointPlace, Endpoints
from provenance_oracle.oracle.chain.finality import Endpoint
from provenance_oracle.oracle.chain.rpc import Call, ChainIdentity, NewestBlock, Prices, Receipt, RevertedError
from provenance_oracle.oracle.journal.journal import Journal
from provenance_oracle.verifier.errors import RecordError, TemporaryError
from provenance_oracle.verifier.record.fields import Entry, Record
from provenance_oracle.verifier.registry.rpc_client import Asked
from tests.support.chain_fixtures import make_entry, make_record

GWEI = 10**9
ADDRESS = "0x00000000000000000000000000000000000000AA"
REGISTRY = "0x00000000000000000000000000000000000000bb"
START = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass
class Clock:
    """A clock that only tests advance."""

    now: datetime = START

    def __call__(self) -> datetime:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


class FakeSigner:
    """A signer that writes the fields as JSON. It is deterministic, like RFC 6979 signatures."""

    address = ADDRESS
    for_development = False

    def sign_transaction(self, fields: Mapping[str, Any]) -> tuple[bytes, bytes]:
        raw = json.dumps({**fields, "data": fields["data"].hex()}).encode()
        return raw, hashlib.sha256(raw).digest()

    def call_of(self, raw: bytes) -> tuple[str, bytes]:
        fields = json.loads(raw)
        return fields["to"], bytes.fromhex(fields["data"])

    def sign_digest(self, digest: bytes) -> bytes:
        return digest + digest[::-1]

    def sign_der(self, digest: bytes) -> bytes:
        return b"der" + digest


class FreshSigner(FakeSigner):
    """A signer whose bytes differ each time, like those of a KMS or a token, which choose a random nonce."""

    def __init__(self) -> None:
        self._signed = 0

    def sign_transaction(self, fields: Mapping[str, Any]) -> tuple[bytes, bytes]:
        self._signed += 1
        return super().sign_transaction({**fields, "salt": self._signed})


@dataclass
class FakeChain:
    """A chain with one account and one registry.

    `blocks[n]` holds the transactions of block n+1. `taken` holds pending transactions by nonce. `answers` has one
    function per `send`, which may refuse, give a wrong answer or raise; if none is left, the node is honest.
    """

    blocks: list[list[bytes]] = field(default_factory=lambda: [[]])
    taken: dict[int, bytes] = field(default_factory=dict)
    sent: list[bytes] = field(default_factory=list)
    answers: list[Callable[[FakeChain, bytes], str]] = field(default_factory=list)
    prices_now: Prices = field(default_factory=lambda: Prices(GWEI, GWEI))
    gas: int = 300_000
    money: int = 10**18
    reverting: bytes | None = None
    facts: ChainIdentity = field(default_factory=lambda: ChainIdentity(31337, bytes(32), REGISTRY, bytes(32)))
    before_send: Callable[[bytes], None] = lambda raw: None
    foreign: set[bytes] = field(default_factory=set)

    # Methods that the oracle calls

    def identity(self, contract: str) -> ChainIdentity:
        return self.facts

    def head(self) -> int:
        return len(self.blocks)

    def balance(self, address: str, block: int) -> int:
        return self.money

    def nonce(self, address: str, block: int) -> int:
        if block > self.head():
            raise TemporaryError("no such block")
        return sum(len(block) for block in self.blocks[:block])

    def look(self) -> NewestBlock:
        return NewestBlock(self.head(), bytes(32), START)

    def read_ahead(self, questions: Sequence[Asked]) -> None:
        pass

    def finalized(self) -> int:
        return self.head() - 2

    def prices(self) -> Prices:
        return self.prices_now

    def simulate(self, call: Call, block: int | None = None) -> None:
        if self.reverting is not None:
            raise RevertedError("call reverts", call=call, data=self.reverting)

    def estimate_gas(self, call: Call) -> int:
        return self.gas

    def receipt(self, transaction_hash: bytes) -> Receipt | None:
        for block in self.blocks:
            for raw in block:
                if hashlib.sha256(raw).digest() == transaction_hash:
                    return Receipt(raw not in self.foreign, self.gas, GWEI)
        return None

    def send(self, raw: bytes) -> str:
        self.before_send(raw)
        self.sent.append(raw)
        return self.answers.pop(0)(self, raw) if self.answers else take(self, raw)

    # Events on the chain

    def mine(self) -> None:
        """Add a block with all pending transactions whose turn it is."""
        block = []
        while (nonce := self.nonce(ADDRESS, self.head()) + len(block)) in self.taken:
            block.append(self.taken.pop(nonce))
        self.blocks.append(block)
        self.taken = {n: raw for n, raw in self.taken.items() if n >= self.nonce(ADDRESS, self.head())}

    def reorg(self, depth: int) -> None:
        """Replace the newest blocks by the same number of empty ones. Their transactions are lost."""
        depth = min(depth, len(self.blocks) - 1)
        self.blocks[len(self.blocks) - depth :] = [[] for _ in range(depth)]

    def forget(self) -> None:
        """Drop all pending transactions."""
        self.taken.clear()

    def use_nonce(self) -> None:
        """Mine a foreign transaction of the same account, as if a second program used the key."""
        raw = b"foreign %d" % sum(map(len, self.blocks))
        self.foreign.add(raw)
        self.blocks.append([raw])
        self.taken = {n: kept for n, kept in self.taken.items() if n >= self.nonce(ADDRESS, self.head())}

    def effects(self, block: int | None = None) -> dict[str, int]:
        """Return the call data of every own transaction up to `block`, and the number of times that it was mined."""
        counts: dict[str, int] = {}
        for mined in self.blocks[: self.head() if block is None else block]:
            for raw in mined:
                if raw not in self.foreign:
                    data = json.loads(raw)["data"]
                    counts[data] = counts.get(data, 0) + 1
        return counts


def take(chain: FakeChain, raw: bytes) -> str:
    """Answer like an honest node: keep the transaction pending, or return the reason of the refusal."""
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
    """Keep the transaction pending, but lose the answer."""
    take(chain, raw)
    raise TemporaryError("reply lost")


def lose(chain: FakeChain, raw: bytes) -> str:
    """Lose the transaction and fail."""
    raise TemporaryError("connection refused")


def ignore(chain: FakeChain, raw: bytes) -> str:
    """Claim success, but lose the transaction."""
    return ""


def say(words: str, *, taking: bool) -> Callable[[FakeChain, bytes], str]:
    """Return a node's answer `words`; with `taking`, the node keeps the transaction pending as well."""

    def answer(chain: FakeChain, raw: bytes) -> str:
        if taking:
            take(chain, raw)
        return words

    return answer


@dataclass
class FakeRegistry:
    """A registry that reads records and policy numbers from the call data of a FakeChain's transactions.

    `numbers` holds policies that have a number from the start, `known` the record of each call data, `reports` the
    manifest digest of each report digest, and `existing` entries that are already recorded.
    """

    chain: FakeChain
    existing: dict[bytes, Entry] = field(default_factory=dict)
    reports: dict[bytes, bytes] = field(default_factory=dict)
    known: dict[str, Record] = field(default_factory=dict)
    numbers: dict[bytes, int] = field(default_factory=lambda: {make_record().policy_digest: 1})
    signed: list[tuple[bytes, int]] = field(default_factory=list)
    claimed: set[str] = field(default_factory=set)
    has_peers: bool = False

    def entry_of(self, model_digest: bytes, manifest_digest: bytes, *, block: int) -> Entry:
        if manifest_digest in self.existing:
            return self.existing[manifest_digest]
        for data in self.chain.effects(block):
            record = self.known.get(data)
            if record and (record.model_digest, record.manifest_digest) == (model_digest, manifest_digest):
                return make_entry(record)
        raise RecordError("no record")

    def is_recorded(self, model_digest: bytes, manifest_digest: bytes, *, block: int) -> bool:
        try:
            return bool(self.entry_of(model_digest, manifest_digest, block=block))
        except RecordError:
            return False

    def is_claimed(self, namespace: str, *, block: int) -> bool:
        return namespace in self.claimed

    def manifest_of_report(self, report_digest: bytes, *, block: int) -> bytes | None:
        return self.reports.get(report_digest)

    def policy_id(self, policy_digest: bytes, *, block: int) -> int:
        if policy_digest in self.numbers:
            return self.numbers[policy_digest]
        return 2 if number_policy_call(policy_digest).hex() in self.chain.effects(block) else 0

    def exchange(self, head: int) -> None:
        pass

    def publication(self, record: Record, *, policy_id: int, head: int) -> bytes:
        """Return call data that differs each time, as if the oracle set had changed in between."""
        self.signed.append((record.manifest_digest, policy_id))
        data = record.manifest_digest + record.verdict_digest + bytes([len(self.signed)])
        self.known[data.hex()] = record
        return data


def surveying(journal: Journal, clock: Callable[[], datetime], *endpoints: Endpoint[Any]) -> Endpoints[Any]:
    """Return a watch over endpoints that are open."""
    places = [EndpointPlace(one.where, partial(lambda found: found, one)) for one in endpoints]
    return Endpoints(places, contract=REGISTRY, pinned=journal.pins, head_age_max_seconds=900, clock=clock)


def numbered_record(number: int, **changes: Any) -> Record:
    """Return a record with manifest and report digests derived from a number."""
    digest = hashlib.sha256(b"%d" % number).digest()
    return make_record(manifest_digest=digest, snp_report_digest=digest[::-1], **changes)

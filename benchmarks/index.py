"""The index from 2,000 to 200,000 records: time to write it, its size, and the time of look-ups. Part of `make bench`.

A generator makes the events of a registry and writes them as `provenance index` does, without a node. Times are those
of the processor, so that other programs on the machine change them little. Nothing is asserted.
"""

from __future__ import annotations

import argparse
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

from eth_abi.abi import encode

from provenance_oracle.oracle.index.database import open_index_database
from provenance_oracle.oracle.index.event_kinds import Emitter, event_kinds
from provenance_oracle.oracle.index.index_writer import BlockHeader, ChainPiece, IndexWriter
from provenance_oracle.oracle.index.record_reader import RecordIndex
from provenance_oracle.verifier.record.codec import encode_record, record_id
from provenance_oracle.verifier.record.fields import Record
from provenance_oracle.verifier.registry.raw_logs import Place, RawLog

RECORDS = (2_000, 20_000, 200_000)
LOOKUPS = 1_000
PIECE_BLOCKS = 500
PER_BLOCK = 4
START = datetime(2026, 1, 1, tzinfo=UTC)
ORGS, MODELS = 2_000, 20_000
WORDS = ("tiny", "large", "chat", "code", "vision", "embed", "rerank", "audio", "base", "instruct", "distil", "math")
POLICY = b"\x05" * 32
FACTS = {"chain_id": "1", "registry": "01" * 20, "namespaces": "02" * 20, "lineage": "03" * 20, "deployed_block": "0"}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--records", type=int, nargs="*", default=list(RECORDS))
    print("| records | written in s | ms a record | size in MB | bytes a record | look-up | median ms | p99 ms |")
    print("|---:|---:|---:|---:|---:|---|---:|---:|")
    for count in parser.parse_args().records:
        with tempfile.TemporaryDirectory(prefix="provenance-bench-") as folder:
            measure(count, Path(folder) / "index.sqlite")


def measure(count: int, path: Path) -> None:
    records = [made(number) for number in range(count)]
    with closing(open_index_database(str(path))) as database:
        started = time.thread_time()
        for piece in pieces(records):
            with database.writing() as session:
                writer = IndexWriter(session, "bench")
                writer.adopt(FACTS)
                writer.append(piece)
        seconds = time.thread_time() - started
    size = path.stat().st_size
    with closing(open_index_database(str(path), read_only=True)) as database:
        found = RecordIndex(database, clock=lambda: datetime.now(UTC))
        facts = f"{count:,} | {seconds:.1f} | {1000 * seconds / count:.2f} | {size / 1e6:.1f} | {size // count:,}"
        for name, look_up in lookups(found, records).items():
            median, p99 = timed(look_up)
            print(f"| {facts} | {name} | {median:.2f} | {p99:.2f} |", flush=True)
            facts = "| | | | "


def lookups(found: RecordIndex, records: Sequence[Record]) -> dict[str, Callable[[], object]]:
    chosen = random.Random(1)

    def of_one(look_up: Callable[[Record], object]) -> Callable[[], object]:
        return lambda: look_up(chosen.choice(records))

    def history(record: Record) -> object:
        return [found.history(hit) for hit in found.by_digest(record.manifest_digest).records]

    return {
        "a record by its id": of_one(lambda one: found.record(record_id(one))),
        "by the model's digest": of_one(lambda one: found.by_digest(one.model_digest)),
        "by name@version": of_one(lambda one: found.by_name(f"{one.name}@{one.version}")),
        "a record with its history": of_one(history),
        "10 of a name": of_one(lambda one: found.by_name(one.name, limit=10)),
        "10 of a publisher": of_one(lambda one: found.by_identity(one.publisher_identity, limit=10)),
        "10 newest": lambda: found.recent(limit=10),
        "10 names with two words": of_one(lambda one: found.search(f"{one.name.partition('/')[2][:3]} chat", limit=10)),
    }


def timed(look_up: Callable[[], object]) -> tuple[float, float]:
    """Return median and 99th percentile of the processor time of a look-up, in ms."""
    taken = []
    for _ in range(LOOKUPS):
        started = time.thread_time()
        look_up()
        taken.append(1000 * (time.thread_time() - started))
    return statistics.median(taken), statistics.quantiles(taken, n=100)[98]


def made(number: int) -> Record:
    chosen = random.Random(number)
    org, model = chosen.randrange(ORGS), chosen.randrange(MODELS)
    words = random.Random(model)
    return Record(
        manifest_digest=chosen.randbytes(32),
        model_digest=chosen.randbytes(32),
        verdict_digest=chosen.randbytes(32),
        snp_report_digest=chosen.randbytes(32),
        policy_digest=POLICY,
        publisher_identity=random.Random(org).randbytes(32),
        judged_at=START + timedelta(seconds=12 * (number // PER_BLOCK)),
        reported_tcb=bytes((4, 0, 0, 0, 0, 0, chosen.choice((24, 25, 26)), 0xDB)),
        checks=0b1011,
        grade=1,
        product_line=chosen.choice((1, 2, 3)),
        passed=True,
        revision=0,
        name=f"org-{org}/{words.choice(WORDS)}-{words.choice(WORDS)}-{model}",
        version=f"{chosen.randrange(10)}.{number}",
        named_parents=(),
    )


def pieces(records: Sequence[Record]) -> Iterator[ChainPiece]:
    """Yield the events of the records in pieces, as a node tells them."""
    yield ChainPiece([event("EpochStarted", 0, 0, _EPOCH, b"epoch")], [header(0)], {b"epoch": 1})
    for start in range(0, len(records), PIECE_BLOCKS * PER_BLOCK):
        events, blocks, gas = [], dict[int, BlockHeader](), dict[bytes, int]()
        for number, record in enumerate(records[start : start + PIECE_BLOCKS * PER_BLOCK], start):
            block, index = 1 + number // PER_BLOCK, number % PER_BLOCK
            blocks[block], sent = header(block), number.to_bytes(32, "big")
            gas[sent] = 110_000
            events.append(event("RecordPublished", block, index, published(record), sent))
        yield ChainPiece(events, list(blocks.values()), gas)


def published(record: Record) -> tuple[list[bytes], bytes]:
    """Return the topics after the first, and the data, of the event RecordPublished."""
    seconds = int(record.judged_at.timestamp())
    word = seconds | 1 << 40 | 1 << 72 | 1 << 88 | seconds << 152 | 1 << 192
    word |= record.grade << 240 | record.product_line << 248
    topics = [record.model_digest, record.manifest_digest, record.snp_report_digest]
    return topics, encode(["uint256", "bytes"], [word, encode_record(record, policy_id=1, parents=())])


def event(name: str, block: int, index: int, told: tuple[list[bytes], bytes], sent: bytes) -> tuple[Emitter, RawLog]:
    emitter, topic = next(key for key, kind in event_kinds().items() if kind.name == name)
    topics, data = told
    return emitter, RawLog(b"", (topic, *topics), data, Place(block, index, sent.rjust(32, b"\0")))


def header(number: int) -> BlockHeader:
    seconds = int(START.timestamp()) + 12 * number
    return BlockHeader(number, number.to_bytes(32, "big"), seconds)


_ORACLES = [("0x" + "0a" * 20, 1, 0, 2**40 - 1, bytes(21))]
_EPOCH = (
    [(1).to_bytes(32, "big")],
    encode(["(address,uint16,uint40,uint40,bytes21)[]", "uint16", "uint40"], [_ORACLES, 1, 0]),
)

if __name__ == "__main__":
    main()

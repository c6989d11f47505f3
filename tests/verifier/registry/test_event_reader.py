"""Reading events: in few requests, each block once, and without starting over."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from provenance_oracle.verifier.errors import FormatError, TemporaryError
from provenance_oracle.verifier.registry import event_reader
from provenance_oracle.verifier.registry.event_cache import EventCache
from provenance_oracle.verifier.registry.event_reader import EventReader
from provenance_oracle.verifier.registry.node import NodeConnection
from provenance_oracle.verifier.registry.raw_logs import Question, parse_raw_logs

web3 = pytest.importorskip("web3")

ADDRESS = b"\x11" * 20
TOPICS = [bytes([number]) * 32 for number in range(4)]
ALL = Question(ADDRESS, (TOPICS[0],))
BLOCKS = 10_000
EVENTS = {5: 1, 500: 2, 3000: 1, 9000: 2, 9990: 1}  # the second topic by block


class Node:
    """A node with EVENTS that gives `span` blocks at once, as a web3 provider. It fails after `lasts` requests."""

    def __init__(self, span: int = 1000, salt: str = "aa", lasts: int = 10**6) -> None:
        self.span, self.salt, self.lasts = span, salt, lasts
        self.asked: list[tuple[int, int]] = []
        self.hashes = 0

    def make_request(self, method: str, params: Any) -> Any:
        if method == "eth_getBlockByNumber":
            self.hashes += 1
            return {"jsonrpc": "2.0", "id": 0, "result": {"hash": "0x" + self.salt + f"{int(params[0], 16):062x}"}}
        first, last = (int(params[0][end], 16) for end in ("fromBlock", "toBlock"))
        if last - first >= self.span:
            return {"jsonrpc": "2.0", "id": 0, "error": {"code": -32005, "message": "too many blocks"}}
        if len(self.asked) == self.lasts:
            raise TemporaryError("the node failed")
        self.asked.append((first, last))
        wanted = [{column} if isinstance(column, str) else set(column or ()) for column in params[0]["topics"]]
        logs = [log_of(block, second) for block, second in EVENTS.items() if first <= block <= last]
        fitting = [
            log
            for log in logs
            if all(not column or topic in column for column, topic in zip(wanted, log["topics"], strict=False))
        ]
        return {"jsonrpc": "2.0", "id": 0, "result": fitting}

    def reader(self, folder: Path | None = None) -> EventReader:
        cache = EventCache(folder)
        cache.open(1, ADDRESS, "node")
        return EventReader(self.connection(), cache)

    def connection(self) -> NodeConnection:
        never_asked: Any = None  # a reader of events asks through web3
        return NodeConnection(self.web3(), "node", never_asked)

    def web3(self) -> Any:
        provider = web3.providers.base.JSONBaseProvider()
        provider.make_request = self.make_request
        return web3.Web3(provider)

    def blocks(self) -> list[int]:
        return sorted(block for first, last in self.asked for block in range(first, last + 1))


def log_of(block: int, second: int) -> dict[str, Any]:
    topics = [f"0x{TOPICS[0].hex()}", f"0x{TOPICS[second].hex()}"]
    return {
        "address": f"0x{ADDRESS.hex()}",
        "topics": topics,
        "data": "0x",
        "blockNumber": hex(block),
        "logIndex": "0x0",
        "transactionHash": "0x" + "77" * 32,
    }


def blocks_of(reader: EventReader, question: Question = ALL, last: int = BLOCKS) -> list[int]:
    return sorted(log.place.block_number for log in reader.read(question, 0, last, "contract"))


def with_second(number: int) -> Question:
    return Question(ADDRESS, (TOPICS[0], TOPICS[number]))


def test_each_block_is_read_once() -> None:
    node = Node()
    reader = node.reader()
    assert blocks_of(reader) == sorted(EVENTS)
    assert node.blocks() == list(range(BLOCKS + 1))
    assert blocks_of(reader) == sorted(EVENTS)
    assert blocks_of(reader, with_second(2)) == [500, 9000]
    assert node.blocks() == list(range(BLOCKS + 1))


def test_the_next_command_reads_the_blocks_that_were_not_final(tmp_path: Path) -> None:
    blocks_of(Node().reader(tmp_path / "events"))
    node = Node()
    assert blocks_of(node.reader(tmp_path / "events"), last=BLOCKS + 10) == sorted(EVENTS)
    assert node.asked == [(BLOCKS - 64 + 1, BLOCKS + 10)]
    assert node.hashes == 1


def test_after_a_reorg_all_blocks_are_read_again(tmp_path: Path) -> None:
    blocks_of(Node().reader(tmp_path / "events"))
    node = Node(salt="bb")
    assert blocks_of(node.reader(tmp_path / "events")) == sorted(EVENTS)
    assert node.blocks() == list(range(BLOCKS + 1))


def test_a_block_that_the_node_lacks_is_no_anchor(tmp_path: Path) -> None:
    blocks_of(Node().reader(tmp_path / "events"))
    node = Node()
    truth = node.make_request

    def lacking(method: str, params: Any) -> Any:
        return truth(method, params) if method == "eth_getLogs" else {"jsonrpc": "2.0", "id": 0, "result": None}

    node.make_request = lacking  # type: ignore[method-assign]
    assert blocks_of(node.reader(tmp_path / "events")) == sorted(EVENTS)
    assert node.blocks() == list(range(BLOCKS + 1))


def test_a_reading_that_fails_goes_on_where_it_stopped(tmp_path: Path) -> None:
    failing = Node(lasts=4)
    with pytest.raises(TemporaryError):
        blocks_of(failing.reader(tmp_path / "events"))
    node = Node()
    assert blocks_of(node.reader(tmp_path / "events")) == sorted(EVENTS)
    assert failing.blocks() + node.blocks() == list(range(BLOCKS + 1))


def test_too_many_requests_end_a_command_and_the_next_one_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_reader, "LOG_REQUESTS_MAX", 8)
    with pytest.raises(TemporaryError, match="run the command again") as caught:
        blocks_of(Node().reader(tmp_path / "events"))
    assert "1000 at a time" in str(caught.value)
    node = Node()
    assert blocks_of(node.reader(tmp_path / "events")) == sorted(EVENTS)
    without = EventReader(Node().connection())
    with pytest.raises(TemporaryError, match="deployment file"):
        blocks_of(without)


def test_events_have_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_reader, "LOGS_MAX", 4)
    with pytest.raises(TemporaryError, match="too many events"):
        blocks_of(Node().reader())


def test_several_questions_cost_one_reading(tmp_path: Path) -> None:
    node = Node()
    reader = node.reader(tmp_path / "events")
    questions = [with_second(number) for number in (1, 2, 3)]
    found = reader.read_all(questions, 0, BLOCKS, "contract")
    assert [sorted(log.place.block_number for log in found[one]) for one in questions] == [
        [5, 3000, 9990],
        [500, 9000],
        [],
    ]
    assert node.blocks() == list(range(BLOCKS + 1))
    again = Node()
    assert blocks_of(again.reader(tmp_path / "events"), with_second(2)) == [500, 9000]
    assert len(again.asked) == 1


def test_without_a_cache_nothing_is_kept() -> None:
    node = Node(span=10**9)
    reader = EventReader(node.connection())
    assert blocks_of(reader) == blocks_of(reader) == sorted(EVENTS)
    assert len(node.asked) == 2
    assert node.hashes == 0


def test_the_events_of_a_contradiction_are_read_again(tmp_path: Path) -> None:
    node = Node(span=10**9)
    reader = node.reader(tmp_path / "events")
    blocks_of(reader)
    reader.forget()
    blocks_of(reader)
    assert node.asked == 2 * [(0, BLOCKS)]


LOG = log_of(5, 1)


@pytest.mark.parametrize(
    "wrong",
    [
        None,
        {},
        [1],
        [{}],
        [LOG | {"topics": None}],
        [LOG | {"topics": ["0x11"]}],
        [LOG | {"topics": 5 * LOG["topics"]}],
        [LOG | {"data": "0x1"}],
        [LOG | {"data": "00"}],
        [LOG | {"blockNumber": None}],
        [LOG | {"blockNumber": 5}],
        [LOG | {"blockNumber": "0x" + "f" * 17}],
        [LOG | {"logIndex": "1"}],
        [LOG | {"transactionHash": "0x" + "7" * 63}],
        [LOG | {"address": "0x" + "11" * 19}],
    ],
)
def test_answers_of_another_form_are_refused(wrong: object) -> None:
    with pytest.raises(FormatError):
        parse_raw_logs(wrong, "node")

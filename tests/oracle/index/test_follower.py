"""Tests of how the index follows a chain that forks, a node that lies, and a process that is killed."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from provenance_oracle.oracle.chain.anvil import EmbeddedChain
from provenance_oracle.oracle.index.database import open_index_database
from provenance_oracle.oracle.index.follower import Follower
from provenance_oracle.verifier.errors import TemporaryError, UsageError
from tests.support.busy_registry import BusyRegistry, busy_registry, record_number
from tests.support.chain_fixtures import DeployedRegistry, deploy_registry, make_record
from tests.support.fake_nodes import Answer, lying, telling_calls, topic, with_word
from tests.support.indices import content_of, open_index, source_of

_KILLS = 50


@pytest.fixture(scope="module")
def busy(anvil: EmbeddedChain) -> BusyRegistry:
    return busy_registry(deploy_registry(anvil, oracles=3, threshold=2))


def from_nothing(registry: DeployedRegistry, folder: Path) -> dict[str, list[tuple[object, ...]]]:
    """Return the content of an index that is read at once into a new file."""
    place = folder / f"new-{random.getrandbits(32):08x}.sqlite"
    with open_index(registry, str(place)) as index:
        index.follower.follow()
        return content_of(index.database)


@pytest.fixture(scope="module")
def truth(busy: BusyRegistry, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[tuple[object, ...]]]:
    """Return the content of the busy registry's index."""
    return from_nothing(busy.registry, tmp_path_factory.mktemp("truth"))


# Forks


@contextmanager
def forked(registry: DeployedRegistry) -> Iterator[None]:
    """Take back all that the block does to the chain, when it ends."""
    provider: Any = registry.contract.w3.provider
    before = provider.make_request("evm_snapshot", [])["result"]
    yield
    assert provider.make_request("evm_revert", [before])["result"]


def test_forks_of_one_to_ten_blocks_are_undone(registry: DeployedRegistry, place: str, tmp_path: Path) -> None:
    number = 1
    registry.publish(record_number(number))
    with open_index(registry, place) as index:
        for depth in range(1, 11):
            with forked(registry):
                for _ in range(depth):
                    number += 1
                    registry.publish(record_number(number, name=f"lost/model-{number}"))
                if depth % 2:
                    registry.revoke(record_number(1))
                index.follower.follow()
                assert index.found.by_namespace("lost").records
            number += 1
            registry.publish(record_number(number))  # the other branch, shorter or as long
            index.follower.follow()
            assert not index.found.by_namespace("lost").records
            assert not index.found.search("lost").results
            assert content_of(index.database) == from_nothing(registry, tmp_path)


def test_a_fork_deeper_than_the_known_blocks_has_all_read_again(
    registry: DeployedRegistry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("provenance_oracle.oracle.index.follower._KNOWN_BLOCKS", 2)
    with open_index(registry, str(tmp_path / "index.sqlite")) as index:
        with forked(registry):
            for number in range(1, 4):
                registry.publish(record_number(number, name=f"lost/model-{number}"))
            index.follower.follow()
        registry.publish(record_number(9))
        index.follower.follow()
        assert content_of(index.database) == from_nothing(registry, tmp_path)


def test_a_fork_between_the_events_and_the_end_of_a_piece_keeps_nothing_of_it(
    registry: DeployedRegistry, tmp_path: Path
) -> None:
    registry.publish(record_number(1))
    source = source_of(registry)
    with closing(open_index_database(str(tmp_path / "index.sqlite"))) as database:
        follower = Follower(database, source)
        follower.follow()
        before = content_of(database)
        with pytest.raises(TemporaryError, match="the chain changed"), forked_in_between(registry, source):
            follower.follow()
        assert content_of(database) == before
        registry.publish(record_number(3))
        follower.follow()
        assert content_of(database) == from_nothing(registry, tmp_path)


@contextmanager
def forked_in_between(registry: DeployedRegistry, source: Any) -> Iterator[None]:
    """Publish a record, and replace its block by another one after its events were read and compared."""
    provider: Any = registry.contract.w3.provider
    before = provider.make_request("evm_snapshot", [])["result"]
    registry.publish(record_number(2))
    honest, looks = source.look, list[int]()

    def look() -> Any:
        if len(looks) == 1:  # the second look of a pass is the one before the commit
            provider.make_request("evm_revert", [before])
            provider.make_request("evm_mine", [])
        looks.append(honest())
        return looks[-1]

    source.look = look
    try:
        yield
    finally:
        source.look = honest


# A process that is killed

_DRIVER = """
import os, signal, sys
from provenance_oracle.oracle.index.chain_source import ChainSource
from provenance_oracle.oracle.index.database import open_index_database
from provenance_oracle.oracle.index.follower import Follower
from provenance_oracle.verifier.registry.node import open_node

url, address, first, place = sys.argv[1:]
ChainSource(open_node(url), address, chain_id=None, first=int(first))  # imports web3, once for all children
for line in sys.stdin:
    child = os.fork()
    if child == 0:
        signal.signal(signal.SIGPROF, signal.SIG_DFL)  # ends the process wherever it is
        signal.setitimer(signal.ITIMER_PROF, float(line))
        source = ChainSource(open_node(url), address, chain_id=None, first=int(first))
        Follower(open_index_database(place), source, piece_blocks=2).follow()
        os._exit(0)
    _, status, used = os.wait4(child, 0)
    print(os.waitstatus_to_exitcode(status), used.ru_utime + used.ru_stime, flush=True)
"""


def test_an_index_killed_at_any_moment_ends_as_one_made_at_once(
    busy: BusyRegistry, truth: dict[str, list[tuple[object, ...]]], tmp_path: Path
) -> None:
    registry, place = busy.registry, tmp_path / "index.sqlite"
    wanted = truth
    chosen, ends, sizes = random.Random(13), [], set()
    with driver(registry, place) as run:
        end, whole_seconds = run(60.0)
        assert end == 0
        for kill in range(_KILLS):
            if kill % 10 == 0 or ends[-1] == 0:
                for left in tmp_path.glob("index.sqlite*"):
                    left.unlink()
            ends.append(run(chosen.uniform(0.03, 0.8) * whole_seconds)[0])
            with closing(open_index_database(str(place))) as database:
                events = content_of(database)["events"]
            assert events == wanted["events"][: len(events)]  # a whole prefix of the chain
            sizes.add(len(events))
        assert ends.count(-signal.SIGPROF) > _KILLS // 2
        assert len(sizes) > 5
        assert run(60.0)[0] == 0
    with closing(open_index_database(str(place))) as database:
        assert content_of(database) == wanted


@contextmanager
def driver(registry: DeployedRegistry, place: Path) -> Iterator[Callable[[float], tuple[int, float]]]:
    """Yield a function that reads the chain in a process of its own, until that has used so many seconds of processor.

    It returns how the process ended, and the seconds that it used.
    """
    arguments = [registry.chain.rpc_url, registry.address, str(registry.block_number), str(place)]
    command = [sys.executable, "-c", _DRIVER, *arguments]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None and process.stdout is not None
        stdin, stdout = process.stdin, process.stdout

        def run(seconds: float) -> tuple[int, float]:
            stdin.write(f"{seconds}\n")
            stdin.flush()
            end, used = stdout.readline().split()
            return int(end), float(used)

        yield run
        stdin.close()
        assert process.wait(10) == 0


# A node that lies


def kept_back(event: str, contract: str = "ProvenanceRegistry") -> Answer:
    """Return the answers of a node that keeps back the events of a kind."""
    return dropping(topic(event, contract))


def dropping(dropped: str) -> Answer:
    """Return the answers of a node that keeps back the events with a first topic."""

    def answer(method: str, _params: list[Any], truth: Any) -> Any:
        if method != "eth_getLogs":
            return None
        return [log for log in truth if log["topics"][0] != dropped]

    return answer


def altered(event: str, word: int, value: int) -> Answer:
    """Return the answers of a node that replaces a word in the data of the events of a kind."""

    def answer(method: str, _params: list[Any], truth: Any) -> Any:
        if method != "eth_getLogs":
            return None
        return [
            {**log, "data": with_word(log["data"], word, value)} if log["topics"][0] == topic(event) else log
            for log in truth
        ]

    return answer


_LIES = {
    **{
        f"no {event}": kept_back(event)
        for event in (
            "LeafClosed",
            "RecordRevoked",
            "ModelRevocationApplied",
            "Recounted",
            "EpochStarted",
            "OracleRevoked",
            "LeafRevoked",
            "BatchRecorded",
        )
    },
    "no NamespaceEntry": kept_back("NamespaceEntry", "Namespaces"),
    "no NamespaceClaimed": kept_back("NamespaceClaimed", "Namespaces"),
    "no ParentStated": kept_back("ParentStated", "Lineage"),
    "no ParentWithdrawn": kept_back("ParentWithdrawn", "Lineage"),
    "another standing": altered("RecordPublished", 0, 1),
    "another weight": altered("Recounted", 1, 9),
    "another content": telling_calls("contentOf", lambda data: with_word(data, 0, 7)),
    "another state": telling_calls("standingById", lambda data: with_word(data, 4, 31)),
}


@pytest.mark.parametrize(
    ("lie", "piece_blocks"), [*((lie, 10_000) for lie in _LIES), ("no Recounted", 9), ("another content", 9)]
)
def test_a_node_that_lies_makes_no_row_and_the_truth_is_read_after_it(
    busy: BusyRegistry, truth: dict[str, list[tuple[object, ...]]], tmp_path: Path, lie: str, piece_blocks: int
) -> None:
    registry, place = busy.registry, str(tmp_path / "index.sqlite")
    with (
        lying(registry, _LIES[lie]) as (url, _),
        open_index(registry, place, url, piece_blocks=piece_blocks) as index,
    ):
        with pytest.raises(TemporaryError):
            index.follower.follow()
        status = index.found.status()
        assert status.until < status.head or status.unchecked
    with open_index(registry, place) as index:
        index.follower.follow()
        assert content_of(index.database) == truth


def test_a_revocation_that_a_node_kept_back_is_found_by_the_sweep(registry: DeployedRegistry, tmp_path: Path) -> None:
    place = str(tmp_path / "index.sqlite")
    record = make_record()
    registry.publish(record)
    lies = list[Answer]()

    def answer(method: str, params: list[Any], truth: Any) -> Any:
        return lies[0](method, params, truth) if lies else None

    with lying(registry, answer) as (url, _), open_index(registry, place, url) as index:
        index.follower.follow()
        registry.revoke(record)
        lies.append(kept_back("RecordRevoked"))
        with pytest.raises(TemporaryError, match="does not fit the contract's state"):
            index.follower.follow()
        lies.clear()
        index.follower.follow()
        assert index.found.recent().records[0].entry.revoked_at is not None


def test_a_node_that_lags_far_behind_changes_nothing(registry: DeployedRegistry, tmp_path: Path) -> None:
    place = str(tmp_path / "index.sqlite")
    registry.publish(make_record())
    provider: Any = registry.contract.w3.provider
    provider.make_request("anvil_mine", [hex(100)])
    lags = False

    def answer(method: str, _params: list[Any], truth: Any) -> Any:
        return hex(int(truth, 16) - 90) if lags and method == "eth_blockNumber" else None

    with lying(registry, answer) as (url, _), open_index(registry, place, url) as index:
        index.follower.follow()
        before = content_of(index.database)
        lags = True
        with pytest.raises(TemporaryError, match="lags behind"):
            index.follower.follow()
        assert content_of(index.database) == before


def test_an_index_of_another_registry_is_refused(anvil: EmbeddedChain, tmp_path: Path) -> None:
    place = str(tmp_path / "index.sqlite")
    with open_index(deploy_registry(anvil), place) as index:
        index.follower.follow()
    with pytest.raises(UsageError, match="another chain or registry"), open_index(deploy_registry(anvil), place):
        pass


def test_a_damaged_index_is_made_anew(registry: DeployedRegistry, tmp_path: Path) -> None:
    path = tmp_path / "index.sqlite"
    registry.publish(make_record())
    with open_index(registry, str(path)) as index:
        index.follower.follow()
        wanted = content_of(index.database)
    data = bytearray(path.read_bytes())
    data[100:4096] = bytes(3996)
    path.write_bytes(data)
    with open_index(registry, str(path)) as index:
        index.follower.follow()
        assert content_of(index.database) == wanted

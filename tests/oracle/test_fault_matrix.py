"""Every fault at every step: no release is lost, none is recorded twice, and at most one transaction is wasted.

`make test` runs a seeded sample of the cells; `make prove` sets PROVENANCE_FAULT_CELLS to run more, up to all.
"""

from __future__ import annotations

import itertools
import json
import os
import random
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from provenance_oracle.oracle.chain.anvil import run_anvil
from provenance_oracle.verifier.policy import load_policy
from tests.support.chain_fixtures import DeployedRegistry, deploy_registry
from tests.support.fake_nodes import topic
from tests.support.fault_driver import OF_THE_DISK
from tests.support.faulty_node import (
    FaultyNode,
    fake_receipt,
    faulty_node,
    half_body,
    lost_reply,
    lost_request,
    objecting,
    other_genesis,
    saying,
    shifted,
    stale_blocks,
    status,
    swallowed,
)

pytestmark = [pytest.mark.chain, pytest.mark.timeout(4 * 3600)]
_ROOT = Path(__file__).parents[2]
_CELLS = int(os.environ.get("PROVENANCE_FAULT_CELLS", "8"))
_SEED = int(os.environ.get("PROVENANCE_FAULT_SEED", "11"))
_GWEI = 10**9
_SEND, _HEAD, _BLOCK = "eth_sendRawTransaction", "eth_blockNumber", "eth_getBlockByNumber"
_RECEIPT, _NONCE, _LOGS, _CODE = "eth_getTransactionReceipt", "eth_getTransactionCount", "eth_getLogs", "eth_getCode"
_TIMES = 6
_REPEATS = 6


def _stale(node: FaultyNode, by: int) -> None:
    node.inject(shifted(-by), _HEAD, times=_TIMES)
    node.inject(stale_blocks(by), _BLOCK, times=_TIMES)


# What each fault does to the node. The others (kill, disk, clock) are the driver's.
OF_THE_NODE: dict[str, Callable[[FaultyNode], object]] = {
    "lost request": lambda node: node.inject(lost_request, times=_TIMES),
    "lost reply": lambda node: node.inject(lost_reply, times=_TIMES),
    "lost reply to a send": lambda node: node.inject(lost_reply, _SEND, times=_TIMES),
    "half an answer": lambda node: node.inject(half_body, times=_TIMES),
    "status 429": lambda node: node.inject(status(429), times=_TIMES),
    "status 429 with a pause": lambda node: node.inject(status(429, retry_after="1"), times=_TIMES),
    "status 503": lambda node: node.inject(status(503), times=_TIMES),
    "wrong chain id": lambda node: node.inject(saying("0x1"), "eth_chainId", times=1),
    "wrong genesis": lambda node: node.inject(other_genesis, _BLOCK, times=1),
    "no contract": lambda node: node.inject(saying("0x"), _CODE, times=1),
    "fake receipt": lambda node: node.inject(fake_receipt, _RECEIPT, times=_TIMES),
    "withheld receipt": lambda node: node.inject(saying(None), _RECEIPT, times=_TIMES),
    "stale head": lambda node: _stale(node, 5),
    "future head": lambda node: node.inject(shifted(5), _HEAD, times=_TIMES),
    "high nonce": lambda node: node.inject(shifted(1), _NONCE, times=1),
    "low nonce": lambda node: node.inject(shifted(-1), _NONCE, times=_TIMES),
    "hidden logs": lambda node: node.inject(saying([]), _LOGS, times=_TIMES),
    "swallowed send": lambda node: node.inject(swallowed, _SEND, times=3),
    "fake already known": lambda node: node.inject(objecting("already known", taking=False), _SEND, times=3),
    "reorg of 1": lambda node: node.ask("anvil_reorg", 1, []),
    "reorg of 5": lambda node: node.ask("anvil_reorg", 5, []),
    "reorg of 10": lambda node: node.ask("anvil_reorg", 10, []),
    "dropped transaction": lambda node: node.ask("anvil_dropAllTransactions"),
    "base fee times ten": lambda node: node.ask("anvil_setNextBlockBaseFeePerGas", hex(10 * _GWEI)),
}
FAULTS = ("kill", "clock a year ahead", "clock a year behind", *OF_THE_DISK, *OF_THE_NODE)


class Matrix:
    """Runs cells on one chain, one after the other, and compares the contract's events after each."""

    def __init__(self, node: FaultyNode, registry: DeployedRegistry, folder: Path) -> None:
        self.node, self.registry, self.folder = node, registry, folder
        self.table: Counter[tuple[str, str]] = Counter()
        self.problems: list[str] = []
        self._count = 0
        self._driver = subprocess.Popen(
            [sys.executable, "-m", "tests.support.fault_driver"],
            cwd=_ROOT,
            env={**os.environ, "CRASH_KEY": registry.oracle.key.hex(), "LD_PRELOAD": str(_failing_disk(folder))},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def close(self) -> None:
        assert self._driver.stdin is not None
        self._driver.stdin.close()
        self._driver.wait(60)
        assert self._driver.stdout is not None
        self._driver.stdout.close()

    def run(self, fault: str, step: str, *, releases: int, batch_max: int) -> dict[str, Any]:
        """Run one cell, note its problems, and return what the driver says."""
        self._count += 1
        folder = self.folder / f"{self._count}"
        first = int(self.node.ask(_HEAD), 16) + 1
        cell = {
            "folder": str(folder),
            "rpc_url": self.node.url,
            "registry": self.registry.address,
            "fault": fault,
            "step": step,
            "releases": releases,
            "batch_max": batch_max,
        }
        assert self._driver.stdin is not None
        assert self._driver.stdout is not None
        self._driver.stdin.write(json.dumps(cell) + "\n")
        self._driver.stdin.flush()
        found: dict[str, Any] = json.loads(self._driver.stdout.readline())
        self.node.heal()
        self.table[fault, step.rpartition(" ")[0] if found["struck"] or not fault else "not reached"] += 1
        self.problems += [f"{fault} at {step}: {text}" for text in self._problems(cell, found, first)]
        print(f"{self._count:>4} {fault or 'none':<26}{step:<36}{'' if found['struck'] else 'not reached'}", flush=True)
        self.node.ask("anvil_mine", hex(13))  # the next cell's reorg does not reach this one
        return found

    def _problems(self, cell: dict[str, Any], found: dict[str, Any], first: int) -> Iterator[str]:
        releases = cell["releases"]
        if found["states"] != {"final": releases}:
            yield f"lost: {found['states']} {found['ends']}"
        restarts = len(found["ends"]) - 1
        if restarts != (found["struck"] and cell["fault"] == "kill") or any(found["ends"][-1:]):
            yield f"ended early: {found['ends']}"
        recorded, effective, sent = self._events(first)
        if recorded != releases:
            yield f"{recorded} records of {releases} releases"
        if sent - effective > 1:
            yield f"{sent - effective} transactions wasted"

    def _events(self, first: int) -> tuple[int, int, int]:
        """Return the records since a block, the oracle's transactions that wrote one, and all of its transactions."""
        eth = self.registry.contract.w3.eth
        sender = self.registry.oracle.address.lower()
        logs = eth.get_logs({"fromBlock": first, "address": self.registry.address})
        sent = sum(
            transaction["from"].lower() == sender
            for number in range(first, eth.block_number + 1)
            for transaction in eth.get_block(number, full_transactions=True)["transactions"]
        )
        singles = [log for log in logs if log["topics"][0].to_0x_hex() == topic("RecordPublished")]
        batches = [log for log in logs if log["topics"][0].to_0x_hex() == topic("BatchRecorded")]
        events = self.registry.contract.events
        leaves = sum(int(events.BatchRecorded().process_log(log)["args"]["count"]) for log in batches)
        return len(singles) + leaves, len({log["transactionHash"] for log in singles + batches}), sent


def _failing_disk(folder: Path) -> Path:
    """Compile the library that lets the disk fail, and return its path."""
    if not shutil.which("cc"):
        pytest.skip("needs a C compiler")
    library = folder / "failing_disk.so"
    source = _ROOT / "tests/support/failing_disk.c"
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-o", library, source, "-ldl"], check=True)
    return library


@pytest.fixture(scope="module")
def matrix(anvil_program: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Matrix]:
    with run_anvil(options=("--hardfork", "prague", "--accounts", "10")) as chain, faulty_node(chain.rpc_url) as node:
        registry = deploy_registry(chain)
        registry.policy_id(load_policy("baseline").digest)
        node.named |= OF_THE_NODE
        node.ask("anvil_mine", hex(30))
        node.ask("evm_setAutomine", False)
        node.exchanges_a_block = 2
        made = Matrix(node, registry, tmp_path_factory.mktemp("matrix"))
        try:
            yield made
        finally:
            made.close()


@pytest.mark.parametrize("fault", ["wrong chain id", "wrong genesis", "no contract"])
def test_one_wrong_answer_to_the_first_questions_ends_nothing(matrix: Matrix, fault: str) -> None:
    for step in ("ask eth_getCode 0", "answer eth_getCode 0", "ask eth_chainId 0", "ask batch 0"):
        matrix.run(fault, step, releases=1, batch_max=1)
    assert not matrix.problems, "\n".join(matrix.problems)


@pytest.mark.parametrize(("releases", "batch_max"), [(1, 1), (3, 3)], ids=["single", "batch"])
def test_no_fault_at_any_step_loses_or_repeats_a_record(matrix: Matrix, releases: int, batch_max: int) -> None:
    profile = {"releases": releases, "batch_max": batch_max}
    steps = matrix.run("", "", **profile)["steps"]
    assert not matrix.problems
    for fault, step in itertools.islice(_cells(steps, random.Random(f"{_SEED} {batch_max}")), _CELLS):
        matrix.run(fault, step, **profile)
    _print(matrix)
    assert not matrix.problems, "\n".join(matrix.problems)


def _cells(steps: list[str], chance: random.Random) -> Iterator[tuple[str, str]]:
    """Yield every fault at every step once, the faults in turns and the steps in a seeded order.

    A step that recurs in each pass counts for its first times only.
    """
    points = [step for step in dict.fromkeys(steps) if int(step.rpartition(" ")[2]) < _REPEATS]
    orders = {fault: chance.sample(points, len(points)) for fault in chance.sample(FAULTS, len(FAULTS))}
    for number in range(len(points)):
        for fault, order in orders.items():
            yield fault, order[number]


def _print(matrix: Matrix) -> None:
    by_fault: Counter[str] = Counter()
    for (fault, _), count in matrix.table.items():
        by_fault[fault or "none"] += count
    for fault, count in sorted(by_fault.items()):
        kinds = [f"{words} {many}" for (one, words), many in sorted(matrix.table.items()) if (one or "none") == fault]
        print(f"{fault:<26}{count:>5}  {', '.join(kinds)}")

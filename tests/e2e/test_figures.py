"""One run of the whole oracle over three releases that share a batch: every figure, and the log of each release.

All parts are real, with a node that answers one request with status 503. Each figure has a test of its own.
"""

from __future__ import annotations

import io
import json
import socket
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from provenance_oracle.oracle.assembly import open_oracle
from provenance_oracle.oracle.bell import Bell
from provenance_oracle.oracle.chain.anvil import EmbeddedChain
from provenance_oracle.oracle.logs import configure_logs, log_id
from provenance_oracle.oracle.metrics import METRIC_PREFIX, STEPS
from provenance_oracle.oracle.settings.load import load_settings
from tests.support.chain_fixtures import DeployedRegistry, checksummed, deploy_registry
from tests.support.faulty_node import faulty_node, status
from tests.support.figures import all_figures, shapes, values
from tests.support.log_settings import keeping_log_settings
from tests.support.oracle_process import small_release

pytestmark = pytest.mark.chain
NAMES = ("a", "b", "c")
FORGED = "forged"
BYTES = 5000


class QuickBell(Bell):
    """A bell whose pauses are short."""

    def sleep(self, seconds: float) -> None:
        super().sleep(min(seconds, 0.02))


@dataclass(frozen=True)
class Run:
    """The figures and the log of an oracle after its run, and the facts to compare them with."""

    figures: Mapping[str, float]
    lines: tuple[Mapping[str, Any], ...]
    exchanges: int
    registry: DeployedRegistry

    def sum(self, name: str) -> float:
        """Return the sum of a figure over all labels."""
        return sum(value for sample, value in self.figures.items() if sample.partition("{")[0] == name)

    def said(self, name: str) -> list[Mapping[str, Any]]:
        """Return the lines that have a release's id."""
        return [line for line in self.lines if line.get("release", "").startswith(log_id("folder", name))]

    def lines_of_batch(self) -> list[Mapping[str, Any]]:
        """Return the lines that have a batch's number and no release's id."""
        return [line for line in self.lines if "batch" in line and "release" not in line]

    @property
    def root(self) -> bytes:
        """The root of the only batch in the registry."""
        (event,) = self.registry.contract.events.BatchRecorded().get_logs(from_block=self.registry.block_number)
        return bytes(event["args"]["root"])

    @property
    def account(self) -> str:
        """The paying account."""
        return str(checksummed(self.registry.oracle))

    @property
    def receipts(self) -> list[Any]:
        """The receipts of the paying account's transactions."""
        eth = self.registry.contract.w3.eth
        blocks = [eth.get_block(number, full_transactions=True) for number in range(eth.block_number + 1)]
        sent = [one["hash"] for block in blocks for one in block["transactions"] if one["from"] == self.account]
        return [eth.get_transaction_receipt(one) for one in sent]


@contextmanager
def logged() -> Iterator[io.StringIO]:
    """Collect the oracle's log as JSON within the block."""
    with keeping_log_settings():
        stream = io.StringIO()
        configure_logs(stream, level="info", log_format="json")
        yield stream


@pytest.fixture(scope="module")
def run(anvil: EmbeddedChain, tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("figures")
    registry = deploy_registry(anvil)
    for name in (*NAMES, FORGED):
        small_release(folder / "drop", name, {"model.bin": name[:1].encode() * BYTES})
    (folder / "drop" / FORGED / "model.bin").write_bytes(bytes(BYTES))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        place = f"127.0.0.1:{probe.getsockname()[1]}"
    options = {
        "sources": [str(folder / "drop")],
        "journal": str(folder / "journal.db"),
        "registry": registry.address,
        "key_variable": "KEY",
        "policy": "demo",
        "watch": "scan-only",
        "confirmations": 0,
        "batch_max": len(NAMES),
        "batch_after_seconds": 600,
        "batch_uri": "https://oracle.example/",
        "listen": place,
    }
    with faulty_node(anvil.rpc_url) as node, logged() as log:
        node.inject(status(503), "eth_estimateGas", times=1)
        settings = load_settings(None, {}, options | {"rpc_urls": [node.url]})
        with open_oracle(settings, QuickBell(), {"KEY": registry.oracle.key.hex()}) as service:
            service.run_once(deadline_seconds=60)
            text = urllib.request.urlopen(f"http://{place}/metrics", timeout=30).read().decode()
        exchanges = node.exchanges
    lines = tuple(json.loads(line) for line in log.getvalue().splitlines())
    return Run(values(text), lines, exchanges, registry)


def newest(run: Run) -> Any:
    return run.registry.contract.w3.eth.get_block("latest")


# For each metric: its figure after the run, and the value that it must have.
FIGURES: dict[str, Callable[[Run], tuple[object, object]]] = {
    "balance_wei": lambda run: (
        run.sum("balance_wei"),
        pytest.approx(run.registry.contract.w3.eth.get_balance(run.account), rel=1e-12),
    ),
    "batch_records": lambda run: (run.sum("batch_records_sum"), 3),
    "build_info": lambda run: (run.sum("build_info"), 1),
    "condition": lambda run: (run.figures['condition{kind="node"}'], 0),
    "decisions_total": lambda run: (
        [run.figures[f'decisions_total{{outcome="{one}"}}'] for one in ("accepted", "rejected", "parked")],
        [3, 1, 0],
    ),
    "fees_wei_total": lambda run: (
        run.sum("fees_wei_total"),
        pytest.approx(sum(one["gasUsed"] * one["effectiveGasPrice"] for one in run.receipts), rel=1e-12),
    ),
    "gas_total": lambda run: (run.sum("gas_total"), sum(one["gasUsed"] for one in run.receipts)),
    "hashed_bytes_total": lambda run: (run.sum("hashed_bytes_total"), 4 * BYTES),
    "head_timestamp_seconds": lambda run: (run.sum("head_timestamp_seconds"), newest(run)["timestamp"]),
    "oldest_open_batch_seconds": lambda run: (run.sum("oldest_open_batch_seconds"), 0),
    "oldest_waiting_seconds": lambda run: (run.sum("oldest_waiting_seconds"), 0),
    "open_batch_records": lambda run: (run.sum("open_batch_records"), 0),
    "open_batches": lambda run: (run.sum("open_batches"), 0),
    "parked_releases": lambda run: (run.sum("parked_releases"), 0),
    # This run proves nothing on chain; oracle/chain/test_proving.py counts proofs, their gas and their step.
    "proof_gas_total": lambda run: (run.sum("proof_gas_total"), 0),
    "proofs_total": lambda run: (run.sum("proofs_total"), 0),
    "queued_releases": lambda run: (run.sum("queued_releases"), 0),
    "releases": lambda run: (
        [run.figures[f'releases{{state="{state}"}}'] for state in ("final", "rejected")],
        [4, 1],  # the policy's row is final too
    ),
    "rpc_errors_total": lambda run: (
        {sample for sample, value in run.figures.items() if "rpc_errors_total" in sample and value == 1},
        {sample for sample in run.figures if "rpc_errors_total" in sample and 'kind="busy"' in sample},
    ),
    "rpc_requests_total": lambda run: (run.sum("rpc_requests_total"), run.exchanges),
    "scan_timestamp_seconds": lambda run: (run.figures['scan_timestamp_seconds{source="folder"}'] > 0, True),
    "step_seconds": lambda run: (run.figures['step_seconds_count{step="sign"}'], 3),  # a batch and two transactions
    "transactions_total": lambda run: (run.figures['transactions_total{effect="effect"}'], len(run.receipts)),
}


@pytest.mark.parametrize("metric", FIGURES)
def test_a_figure_is_that_of_the_run(run: Run, metric: str) -> None:
    got, wanted = FIGURES[metric](run)
    assert got == wanted


def test_no_metric_is_left_out() -> None:
    assert {METRIC_PREFIX + name for name in FIGURES} == set(shapes(all_figures()))


@pytest.mark.parametrize("step", [step for step in STEPS if step != "prove"])
def test_a_step_was_timed(run: Run, step: str) -> None:
    assert run.figures[f'step_seconds_count{{step="{step}"}}'] > 0


@pytest.mark.parametrize("name", NAMES)
def test_a_release_has_one_id_in_the_log_from_its_judgement_to_its_end(run: Run, name: str) -> None:
    batch = run.lines_of_batch()[0]["batch"]
    own = run.said(name)
    told = [line["message"].partition(f"folder:{name}: ")[2] for line in own]
    assert told[0].startswith("accepted as")
    assert told[-2:] == [f"goes into batch {batch}", f"final, batch {batch} is final"]
    assert len({line["release"] for line in own}) == 1


def test_a_rejected_release_has_its_id_in_the_log(run: Run) -> None:
    (line,) = run.said(FORGED)
    assert "rejected" in line["message"]


def test_no_line_names_a_release_without_its_id(run: Run) -> None:
    for line in run.lines:
        for name in (*NAMES, FORGED):
            if f"folder:{name}" in line["message"]:
                assert line["release"].startswith(log_id("folder", name))


def test_each_line_about_a_batch_has_its_number_and_the_first_one_the_ids_of_its_releases(run: Run) -> None:
    own = run.lines_of_batch()
    ids = {run.said(name)[0]["release"] for name in NAMES}
    assert set(own[0]["message"].partition(": ")[2].split()) == ids
    assert len({line["batch"] for line in own}) == 1
    assert own[-1]["message"].endswith(f"final, in batch {run.root.hex()}")

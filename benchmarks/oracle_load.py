"""The oracle under load: small releases dropped as fast as the file system takes them, on an embedded chain.

    python -m benchmarks.oracle_load [--releases 100 1000] [--failing 0 20] [--block-seconds 1]

It runs the real `provenance watch` as a process of its own against anvil, behind a proxy that fails a share of all
calls. A request with several calls fails if one of them does. It prints one row for each run. Nothing is asserted
except that every release is recorded once: a row that lacks records says so. docs/performance.md shows the figures.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec

from provenance_oracle.oracle.chain.anvil import run_anvil
from provenance_oracle.publisher.manifest import public_key_of
from provenance_oracle.publisher.pack import pack_release
from provenance_oracle.publisher.simulator import FakeAmd, FakeGuest
from provenance_oracle.verifier.judgement.binding import bound_report_data
from provenance_oracle.verifier.snp.evidence import Evidence
from provenance_oracle.verifier.snp.products import ProductLine
from tests.support.chain_fixtures import DeployedRegistry, deploy_registry
from tests.support.faulty_node import FaultyNode, failing, faulty_node

_LOOK_SECONDS = 0.5
_LIMIT_SECONDS = 3600.0
_TOPS = 10
_SEED = 11


@dataclass
class Load:
    """What one run showed. Seconds count from the drop of the first release."""

    dropped: int
    failing_percent: float
    judged_seconds: float = 0.0
    recorded_seconds: float = 0.0
    recorded: int = 0
    rows: Counter[str] = field(default_factory=Counter)
    transactions: int = 0
    gas: int = 0
    calls: Counter[str] = field(default_factory=Counter)
    exchanges: int = 0
    memory_bytes: list[int] = field(default_factory=list)
    descriptors: list[int] = field(default_factory=list)
    processor_seconds: float = 0.0

    def row(self) -> str:
        """Return the figures as a row of a Markdown table."""
        settled = self.memory_bytes[len(self.memory_bytes) // 5 :] or [0]
        growth = 100 * (settled[-1] / max(1, settled[0]) - 1)
        count = max(1, self.recorded)
        cells = (
            f"{self.dropped}",
            f"{self.failing_percent:g} %",
            f"{self.dropped / max(self.judged_seconds, 0.01):.1f}",
            f"{self.recorded / max(self.recorded_seconds, 0.01):.1f}",
            f"{self.recorded_seconds:.0f}",
            f"{self.recorded}",
            f"{self.transactions / count:.3f}",
            f"{self.gas / count:.0f}",
            f"{sum(self.calls.values()) / count:.1f}",
            f"{self.exchanges / count:.1f}",
            f"{max(settled) / 1e6:.0f} ({growth:+.0f} %)",
            f"{min(self.descriptors, default=0)} to {max(self.descriptors, default=0)}",
            f"{self.processor_seconds / count * 1000:.1f}",
        )
        return f"| {' | '.join(cells)} |"


HEAD = (
    "| releases | failing calls | judged a second | recorded a second | seconds | recorded | transactions a record |"
    " gas a record | calls a record | HTTP requests a record | MB of memory (growth) | descriptors |"
    " ms of processor a record |\n" + "|---:" * 13 + "|"
)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--releases", type=int, nargs="+", default=[100, 1000])
    parser.add_argument("--failing", type=float, nargs="+", default=[0.0, 20.0], help="percent of all calls")
    parser.add_argument("--block-seconds", type=int, default=1)
    parser.add_argument("--limit-seconds", type=float, default=_LIMIT_SECONDS)
    parser.add_argument("--batch-uri", default="https://example.org/batches/", help="empty for no batches")
    parser.add_argument("--wrap", default="", help="a command that runs the oracle, such as a profiler")
    parser.add_argument("--log", type=Path, default=None, help="file for the oracle's log")
    options = parser.parse_args(arguments)
    print(HEAD, flush=True)
    with tempfile.TemporaryDirectory(prefix="provenance-load-") as made:
        staged = Path(made) / "staged"
        make_releases(staged, max(options.releases))
        for count in options.releases:
            for percent in options.failing:
                folder = Path(made) / f"run-{count}-{percent:g}"
                load = run(folder, staged, count, percent, options)
                print(load.row(), flush=True)
                print(f"<!-- {dict(load.rows)} {load.calls.most_common()} -->", flush=True)


def make_releases(folder: Path, count: int) -> None:
    """Make small releases by one simulated VM image, each with a key and a report of its own."""
    at = datetime.now(UTC).replace(microsecond=0)
    guest = FakeGuest.on(FakeAmd.load(ProductLine.GENOA), at=at)
    vek, chain, crl = guest.vek(), guest.amd.chain_pem(guest.vek_kind), guest.crl()
    for number in range(count):
        release = folder / f"top{number % _TOPS}-{number}"
        release.mkdir(parents=True)
        (release / "model.bin").write_bytes(os.urandom(1000))
        key = ec.generate_private_key(ec.SECP256R1())
        report = guest.report(bound_report_data(public_key_of(key)[1]), key=vek.key)
        evidence = Evidence(report=report, vek=vek.certificate, chain=chain, crl=crl)
        pack_release(release, evidence, key, name=f"load/model-{number}", version="1.0", at=at)


def run(folder: Path, staged: Path, count: int, percent: float, options: Any) -> Load:
    """Run the oracle over `count` releases until all are final, and return the figures."""
    load = Load(count, percent)
    drop = folder / "drop"
    drop.mkdir(parents=True)
    with (
        run_anvil(options=("--block-time", str(options.block_seconds), "--accounts", "10")) as chain,
        faulty_node(chain.rpc_url) as node,
    ):
        registry = deploy_registry(chain)
        node.inject(failing(percent, _SEED))
        with _oracle(folder, node, registry, options) as process:
            for number in range(_TOPS):
                (drop / f"top{number}").mkdir()
            started = time.monotonic()
            for release in sorted(staged.iterdir())[:count]:
                top, _, name = release.name.partition("-")
                shutil.copytree(release, drop / top / f".{name}")
                (drop / top / f".{name}").rename(drop / top / name)
            try:
                _follow(load, folder / "journal.db", process, started, options.limit_seconds)
                process.send_signal(signal.SIGTERM)
                process.wait(30)
            finally:
                process.kill()
        load.calls, load.exchanges = node.calls, node.exchanges
        _read_chain(load, registry)
    return load


def _oracle(folder: Path, node: FaultyNode, registry: DeployedRegistry, options: Any) -> subprocess.Popen[bytes]:
    log = (options.log or folder / "log").open("wb")
    command = [
        *options.wrap.split(),
        *(sys.executable, "-m", "provenance_oracle.oracle.cli.main", "watch", str(folder / "drop")),
        *("--journal", str(folder / "journal.db"), "--rpc", node.url, "--registry", registry.address),
        *("--policy", "demo", "--key-variable", "LOAD_KEY", "--confirmations", "1", "--scan-seconds", "5"),
    ]
    environ = {"LOAD_KEY": registry.oracle.key.hex()}
    if options.batch_uri:
        environ["PROVENANCE_BATCH_URI"] = options.batch_uri
    return subprocess.Popen(command, env={**os.environ, **environ}, stderr=log, stdout=log)


def _follow(load: Load, journal: Path, process: subprocess.Popen[bytes], started: float, limit: float) -> None:
    while time.monotonic() - started < limit and process.poll() is None:
        time.sleep(_LOOK_SECONDS)
        load.rows = _states(journal)
        seconds = time.monotonic() - started
        _sample(load, process.pid)
        decided = sum(load.rows.values()) - load.rows["seen"]
        if not load.judged_seconds and decided >= load.dropped:
            load.judged_seconds = seconds
        load.recorded_seconds = seconds
        load.recorded = load.rows["final"]
        if load.recorded >= load.dropped:
            return


def _states(journal: Path) -> Counter[str]:
    """Return the number of releases in each state, read beside the oracle without a lock."""
    try:
        db = sqlite3.connect(f"file:{journal}?mode=ro", uri=True, timeout=5)
        try:
            return Counter(dict(db.execute("SELECT state, COUNT(*) FROM releases WHERE record IS NOT NULL GROUP BY 1")))
        finally:
            db.close()
    except sqlite3.OperationalError:  # it does not exist yet
        return Counter()


def _sample(load: Load, pid: int) -> None:
    """Add the figures of the oracle and its judge processes at this moment."""
    try:
        children = [one for task in os.listdir(f"/proc/{pid}/task") for one in _children(pid, task)]
        memory, descriptors, processor = 0, 0, 0.0
        for one in {str(pid), *children}:
            status = Path(f"/proc/{one}/status").read_text()
            fields = Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()
            memory += sum(1024 * int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS"))
            processor += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
            descriptors += len(os.listdir(f"/proc/{one}/fd"))
    except OSError:
        return
    load.memory_bytes.append(memory)
    load.processor_seconds = max(processor, load.processor_seconds)
    load.descriptors.append(descriptors)


def _children(pid: int, task: str) -> list[str]:
    return Path(f"/proc/{pid}/task/{task}/children").read_text().split()


def _read_chain(load: Load, registry: DeployedRegistry) -> None:
    """Count the oracle's transactions and their gas in all blocks."""
    eth = registry.contract.w3.eth
    for number in range(registry.block_number, eth.block_number + 1):
        for transaction in eth.get_block(number, full_transactions=True)["transactions"]:
            if transaction["from"].lower() == registry.oracle.address.lower():
                load.transactions += 1
                load.gas += int(eth.get_transaction_receipt(transaction["hash"])["gasUsed"])


if __name__ == "__main__":
    main()

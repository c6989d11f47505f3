"""Two oracle processes on one PostgreSQL journal: they share the work, and one that is killed is replaced."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from tests.support.chain_fixtures import EmbeddedChain, deploy_registry
from tests.support.postgres_server import PostgresServer, postgres
from tests.support.releases import make_release

__all__ = ["postgres"]  # the fixture


def _watch(folder: Path, place: str, options: list[str], environ: dict[str, str], log: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "provenance_oracle.oracle.cli.main", "watch", str(folder), "--journal", place]
    with log.open("wb") as file:
        return subprocess.Popen([*command, *options], env={**os.environ, **environ}, stderr=file, stdout=file)


def _wait_for(postgres: PostgresServer, place: str, final: int, processes: list[subprocess.Popen[bytes]]) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        assert any(process.poll() is None for process in processes), "every oracle has ended"
        try:
            rows = postgres.execute("SELECT state FROM releases", place=place)
        except Exception:  # the tables are not there yet
            rows = []
        if [state for (state,) in rows].count("final") >= final:
            return
        time.sleep(0.2)
    pytest.fail(f"not {final} final rows: {rows}")


@pytest.mark.chain
def test_two_processes_share_the_work_and_one_that_is_killed_is_replaced(
    anvil: EmbeddedChain, postgres: PostgresServer, tmp_path: Path
) -> None:
    registry = deploy_registry(anvil)
    folder, place = tmp_path / "releases", postgres.new_place()
    for number in range(4):
        make_release(folder / f"early-{number}")
    options = ["--rpc", anvil.rpc_url, "--registry", registry.address, "--policy", "demo", "--key-variable", "KEY"]
    options += ["--confirmations", "0", "--watch", "scan-only", "--scan-seconds", "1", "--settle-seconds", "1"]
    options += ["--batch-max", "1", "--recordings-per-day-max", "100"]
    options += ["--retry-first-seconds", "1", "--retry-max-seconds", "2"]
    logs = [tmp_path / "first.log", tmp_path / "second.log"]
    environ = {"KEY": registry.oracle.key.hex()}
    processes = [_watch(folder, place, options, environ, logs[0])]
    try:
        _wait_for(postgres, place, 5, processes)
        processes.append(_watch(folder, place, options, environ, logs[1]))
        while b"takes it over when that ends" not in logs[1].read_bytes():
            assert processes[1].poll() is None, logs[1].read_text()
            time.sleep(0.1)
        for number in range(4):
            make_release(folder / f"later-{number}")
        _wait_for(postgres, place, 9, processes)  # a row more is the policy's
        processes[0].kill()
        for number in range(2):
            make_release(folder / f"last-{number}")
        _wait_for(postgres, place, 11, processes[1:])
        processes[1].send_signal(signal.SIGTERM)
        assert processes[1].wait(30) == 0
    finally:
        for process in processes:
            process.kill()
            process.wait()
    events = registry.contract.events.RecordPublished.get_logs(from_block=registry.block_number)
    assert len(events) == 10
    assert set(Counter(event["args"]["manifestDigest"] for event in events).values()) == {1}

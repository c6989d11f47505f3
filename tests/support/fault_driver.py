"""Run the whole oracle with one fault at one named step. test_fault_matrix.py runs this as a process of its own.

A step is a boundary behind which something lasts: a request to the node and its answer, a commit of the journal. It is
named by what it does and by how often that was done before, such as `answer eth_sendRawTransaction 0`. A fault of the
node itself is asked for from the proxy (see `faulty_node`), with the method `faulty`. A fault of the disk comes from
`failing_disk.c`, which must be preloaded.

For each line of JSON on standard input (a cell), it forks a child that runs the oracle until all releases are final,
with another child if the first one ended early, and prints a line of JSON.
"""

from __future__ import annotations

import ctypes
import errno
import json
import os
import signal
import sqlite3
import sys
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import provenance_oracle.oracle.assembly as assembly
import provenance_oracle.verifier.registry.rpc_client as rpc_client
from provenance_oracle.oracle.assembly import open_oracle
from provenance_oracle.oracle.backoff import Backoff
from provenance_oracle.oracle.bell import Bell, Ring
from provenance_oracle.oracle.journal.sqlite import Database
from provenance_oracle.oracle.settings.load import load_settings
from provenance_oracle.verifier.strict.exchange import HttpClient
from tests.support.crash_driver import accept_all_releases
from tests.support.drops import drop

RUNS_MAX = 3
_REST_SECONDS = 0.01
_CHILD_SECONDS = 120.0  # the end of a run that hangs; a slow machine needs some of it
_CLOCK_STEPS = 30
_YEAR = timedelta(days=365)
# The error, the number of calls that fail, and whether they are syncs only.
OF_THE_DISK = {"disk full": (errno.ENOSPC, 4, 0), "I/O error": (errno.EIO, 4, 0), "failing sync": (errno.EIO, 3, 1)}


class ImpatientBell(Bell):
    """A bell whose waits end soon."""

    def new_ring(self) -> Ring:
        self._rings.append(_ImpatientRing())
        return self._rings[-1]

    def sleep(self, seconds: float) -> None:
        super().sleep(min(seconds, _REST_SECONDS))


class _ImpatientRing(Ring):
    def wait(self, seconds: float) -> bool:
        return super().wait(min(seconds, _REST_SECONDS))


class Steps:
    """Counts the steps of this process by name, and causes a fault at one of them."""

    def __init__(self, cell: dict[str, Any]) -> None:
        self._cell = cell
        self._lock = threading.Lock()
        self._seen: Counter[str] = Counter()
        self.names: list[str] = []
        self._wrong_clock_until = -1
        self._offset = timedelta(0)
        self._note = Path(cell["folder"], "struck")

    def clock(self) -> datetime:
        """Return the time now, or another one for a while after a fault of the clock."""
        is_wrong = len(self.names) < self._wrong_clock_until
        return datetime.now(UTC) + (self._offset if is_wrong else timedelta(0))

    def install(self) -> None:
        exchange, commit = HttpClient.exchange, Database._commit

        def asked(client: HttpClient, method: str, target: str, headers: Any, body: Any = None, **rest: Any) -> Any:
            words = _words(body)
            self._pass(f"ask {words}")
            answer = exchange(client, method, target, headers, body, **rest)
            self._pass(f"answer {words}")
            return answer

        def committed(database: Database) -> None:
            self._pass("before commit")
            commit(database)
            self._pass("after commit")

        HttpClient.exchange = asked  # type: ignore[method-assign]
        Database._commit = committed  # type: ignore[method-assign]

    def _pass(self, words: str) -> None:
        with self._lock:
            name = f"{words} {self._seen[words]}"
            self._seen[words] += 1
            self.names.append(name)
        if name == self._cell["step"] and not self._note.exists():
            self._note.write_text(name)
            self._strike(self._cell["fault"])

    def _strike(self, fault: str) -> None:
        if fault == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        elif fault in OF_THE_DISK:
            ctypes.CDLL(None).fail_disk(*OF_THE_DISK[fault])  # of failing_disk.c, which is preloaded
        elif fault in ("clock a year ahead", "clock a year behind"):
            self._offset = _YEAR if fault.endswith("ahead") else -_YEAR
            self._wrong_clock_until = len(self.names) + _CLOCK_STEPS
        elif fault:
            request = {"jsonrpc": "2.0", "id": 1, "method": "faulty", "params": [fault]}
            asked = urllib.request.Request(self._cell["rpc_url"], json.dumps(request).encode())
            urllib.request.urlopen(asked, timeout=30).close()


def _words(body: bytes | None) -> str:
    asked = json.loads(body or b"{}")
    return "batch" if isinstance(asked, list) else str(asked.get("method"))


def run_oracle(cell: dict[str, Any]) -> None:
    """Run the whole oracle until all releases of a cell are final, or the time is up."""
    steps = Steps(cell)
    folder = Path(cell["folder"])
    options = {
        "sources": [str(folder / "drop")],
        "journal": str(folder / "journal.db"),
        "rpc_urls": [cell["rpc_url"]],
        "registry": cell["registry"],
        "key_variable": "CRASH_KEY",
        "watch": "scan-only",
        "judge_processes": 1,  # for `judge_kindly`, which a process does not know
        "confirmations": 12,
        "bump_after_seconds": 1,
        "batch_max": cell["batch_max"],
        "batch_after_seconds": 1,
        **({"batch_uri": "https://example.org/batches/"} if cell["batch_max"] > 1 else {}),
    }
    accept_all_releases()
    assembly._now = steps.clock
    Backoff.delay_seconds = lambda _self, _attempts: _REST_SECONDS  # type: ignore[method-assign]
    rpc_client._pause = lambda _seconds, on_wait: on_wait()
    steps.install()
    bell = ImpatientBell()
    threading.Thread(target=_stop_when_final, args=(folder, cell["releases"], bell), daemon=True).start()
    try:
        with open_oracle(load_settings(None, {}, options), bell) as service:
            service.run()
    finally:
        (folder / "steps").write_text(json.dumps(steps.names))


def _stop_when_final(folder: Path, releases: int, bell: Bell) -> None:
    until = time.monotonic() + _CHILD_SECONDS
    while time.monotonic() < until and states(folder).get("final", 0) < releases:
        time.sleep(0.02)
    bell.stop()


def states(folder: Path) -> dict[str, int]:
    """Return the number of rows in each state, read beside the oracle."""
    try:
        db = sqlite3.connect(f"file:{folder / 'journal.db'}?mode=ro", uri=True, timeout=5)
        try:
            return dict(db.execute("SELECT state, COUNT(*) FROM releases GROUP BY state"))
        finally:
            db.close()
    except sqlite3.OperationalError:
        return {}


def in_child(work: Callable[[], None], log: Path) -> str:
    """Run `work` in a forked child; return "" if it ended well, else how it ended."""
    child = os.fork()
    if child == 0:
        code = 0
        try:
            descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            os.dup2(descriptor, 2)
            work()
        except BaseException as error:
            print(f"{type(error).__name__}: {error}", file=sys.stderr, flush=True)
            code = 1
        os._exit(code)
    status = os.waitpid(child, 0)[1]
    if os.WIFSIGNALED(status):
        return f"signal {os.WTERMSIG(status)}"
    return (log.read_text().strip().splitlines() or ["an error"])[-1] if os.WEXITSTATUS(status) else ""


def run_cell(cell: dict[str, Any]) -> dict[str, Any]:
    """Drop the releases, run the oracle with the fault, and again if it ended before all were final."""
    folder = Path(cell["folder"])
    (folder / "drop").mkdir(parents=True)
    for number in range(cell["releases"]):
        content = {"cell": cell["folder"], "number": number}
        drop(folder / "drop" / f"model{number}", content, report=json.dumps(content).encode())
    ends: list[str] = []
    while len(ends) < RUNS_MAX and (not ends or states(folder).get("final", 0) < cell["releases"]):
        ends.append(in_child(lambda: run_oracle(cell), folder / "log"))
    steps = folder / "steps"
    return {
        "struck": (folder / "struck").exists(),
        "ends": ends,
        "states": states(folder),
        "steps": json.loads(steps.read_text()) if steps.exists() else [],
    }


if __name__ == "__main__":
    for line in sys.stdin:
        print(json.dumps(run_cell(json.loads(line))), flush=True)

"""The real `provenance watch` as a process over a folder and a registry, with small releases of the simulator."""

from __future__ import annotations

import os
import secrets
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec

from provenance_oracle.publisher.manifest import public_key_of
from provenance_oracle.publisher.pack import pack_release
from provenance_oracle.publisher.simulator import FakeAmd, FakeGuest
from provenance_oracle.verifier.judgement.binding import bound_report_data
from provenance_oracle.verifier.snp.products import ProductLine
from tests.support.chain_fixtures import DeployedRegistry

_PATIENCE_SECONDS = 60.0
_STATES = "SELECT state FROM releases WHERE release NOT LIKE 'policy %' ORDER BY id"
_PROGRAM = "from provenance_oracle.oracle.cli.main import main; main()"


def small_release(folder: Path, name: str, files: Mapping[str, bytes] | None = None) -> Path:
    """Make a small release with a key, a report and a model of its own, and put it in place by a rename."""
    at = datetime.now(UTC).replace(microsecond=0)
    guest = FakeGuest.on(FakeAmd.load(ProductLine.GENOA), at=at)
    made = folder / f".{name}"
    made.mkdir(parents=True)
    for path, data in (files or {"model.bin": secrets.token_bytes(1000)}).items():
        (made / path).write_bytes(data)
    key = ec.generate_private_key(ec.SECP256R1())
    pack_release(
        made, guest.evidence(bound_report_data(public_key_of(key)[1])), key, name=f"test/{name}", version="1", at=at
    )
    return made.rename(folder / name)


class OracleProcess:
    """`provenance watch` over `folder/drop`, with its journal beside it."""

    def __init__(self, folder: Path, registry: DeployedRegistry, *, rpc_url: str = "") -> None:
        self.drop, self.journal, self.log = folder / "drop", folder / "journal.db", folder / "log"
        self.drop.mkdir(parents=True, exist_ok=True)
        self.registry = registry
        self.rpc_url = rpc_url or registry.chain.rpc_url

    @contextmanager
    def running(
        self, *options: str, environ: dict[str, str] | None = None, **more: Any
    ) -> Iterator[subprocess.Popen[str]]:
        """Run the command within the block, and kill it at the end."""
        place = ("--rpc", self.rpc_url, "--registry", self.registry.address, "--key-variable", "ORACLE_KEY")
        rest = ("--policy", "demo", "--confirmations", "0", "--scan-seconds", "1", *options)
        command = (
            sys.executable,
            "-c",
            _PROGRAM,
            "watch",
            str(self.drop),
            "--journal",
            str(self.journal),
            *place,
            *rest,
        )
        variables = {**os.environ, "ORACLE_KEY": self.registry.oracle.key.hex(), "PROVENANCE_RETRY_MAX_SECONDS": "1"}
        with self.log.open("a") as log:
            started: subprocess.Popen[str] = subprocess.Popen(
                command, env=variables | (environ or {}), stdout=subprocess.PIPE, stderr=log, text=True, **more
            )
        with started as process:
            try:
                yield process
            finally:
                process.kill()

    def states(self) -> list[str]:
        """Return the states of the releases, read beside the process."""
        try:
            db = sqlite3.connect(f"file:{self.journal}?mode=ro", uri=True, timeout=5)
            try:
                return [state for (state,) in db.execute(_STATES)]
            finally:
                db.close()
        except sqlite3.OperationalError:
            return []

    def said(self, words: str) -> bool:
        """Return whether the log has these words."""
        return self.log.exists() and words in self.log.read_text()

    def recorded(self) -> int:
        """Return the number of records in the registry, those in batches included."""
        events = self.registry.contract.events
        batches = events.BatchRecorded().get_logs(from_block=0)
        return len(events.RecordPublished().get_logs(from_block=0)) + sum(log["args"]["count"] for log in batches)


def wait_for(
    condition: Callable[[], bool],
    process: subprocess.Popen[str] | None = None,
    *,
    seconds: float = _PATIENCE_SECONDS,
) -> None:
    """Wait until the condition holds; fail if it does not in time (by default a minute), or the process ends before."""
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "it did not come"
        assert process is None or process.poll() is None or condition(), "the process ended"
        time.sleep(0.05)

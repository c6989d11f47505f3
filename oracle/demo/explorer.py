"""The demo's explorer: `provenance serve` in a process of its own, which stops when the demo's chain does."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path

from provenance_oracle.oracle.demo.chain import DemoChain, is_alive
from provenance_oracle.oracle.demo.stage import command_of
from provenance_oracle.verifier.errors import TemporaryError

_START_SECONDS = 60.0
_STOP_SECONDS = 10.0
_ANSWER_SECONDS = 5.0
_STATUS_MAX_BYTES = 64 * 1024


def start_explorer(folder: Path, chain: DemoChain, words: tuple[str, ...], environment: Mapping[str, str]) -> str:
    """Serve the explorer until the chain's process ends, and return the page's address once the index has every block.

    Args:
        folder: gets the address (`explorer.json`) and the log (`explorer.log`).
        words: the command and its options.
        environment: the variables of the command.

    Raises:
        TemporaryError: the server does not start, or does not read the chain in time.
    """
    ready, log_path = folder / "explorer.json", folder / "explorer.log"
    keeper = [sys.executable, "-P", "-m", "provenance_oracle.oracle.demo.explorer", str(ready), str(chain.process_id)]
    with log_path.open("wb") as log:
        process = subprocess.Popen(
            [*keeper, *words],
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        if ready.exists():
            address = str(json.loads(ready.read_text("utf-8"))["address"])
            if _is_complete(address):
                return address
        time.sleep(0.1)
    lines = log_path.read_text("utf-8", errors="replace").strip().splitlines() or ["nothing"]
    raise TemporaryError("the explorer did not start", where="explorer", got=lines[-1], wanted="a running server")


def _is_complete(address: str) -> bool:
    """Return whether the explorer's index has the chain's newest block."""
    try:
        with urllib.request.urlopen(f"{address}api/v1/status", timeout=_ANSWER_SECONDS) as answer:  # noqa: S310
            return bool(json.loads(answer.read(_STATUS_MAX_BYTES))["lag_blocks"] == 0)
    except (urllib.error.URLError, TimeoutError):
        return False


def _keep(ready: Path, chain_process: int, words: list[str]) -> None:
    """Run the server until the chain's process ends, or until another demo deletes the file `ready`."""
    command = command_of(tuple(words))
    with subprocess.Popen(command, stdout=subprocess.PIPE, encoding="utf-8", errors="replace") as server:
        assert server.stdout
        try:
            line = server.stdout.readline()  # "the page is at http://HOST:PORT/"
            if not line:
                return  # the log says why
            partial = ready.with_suffix(".partial")
            partial.write_text(json.dumps({"address": line.split()[-1]}), "utf-8")
            partial.replace(ready)
            while is_alive(chain_process) and ready.exists() and server.poll() is None:
                time.sleep(0.2)
        finally:
            server.terminate()
            try:
                server.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                server.kill()


if __name__ == "__main__":
    _keep(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3:])

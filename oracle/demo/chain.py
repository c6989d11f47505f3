"""The demo's chain: anvil in a process of its own, which outlives the demo for a while and then stops."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from provenance_oracle.oracle.chain.anvil import find_anvil, run_anvil
from provenance_oracle.verifier.errors import TemporaryError

ORACLES = 7
_START_SECONDS = 30.0
# The chain stops after this time and `keep_seconds`, even if the demo still runs (while it hashes a large model, say).
_DEMO_MAX_SECONDS = 4 * 3600


@dataclass(frozen=True)
class DemoChain:
    """A running chain, with the keys of its parties. anvil funds their accounts; the keys are public.

    `oracles` holds the addresses of ORACLES oracles, and `oracle_keys_hex` their keys. `keep_seconds` is the time that
    the chain goes on after the demo, in the process `process_id`.
    """

    rpc_url: str
    owner_key_hex: str
    oracle_keys_hex: tuple[str, ...]
    publisher_key_hex: str
    oracles: tuple[str, ...]
    keep_seconds: int
    process_id: int


def start_chain(folder: Path, keep_seconds: int) -> DemoChain:
    """Start a chain that runs until `keep_seconds` after the end of this process.

    Args:
        folder: gets the chain's facts (`chain.json`) and its log (`chain.log`).

    Raises:
        UsageError: anvil is not installed.
        TemporaryError: the chain does not start.
    """
    find_anvil()  # raises here if there is none; the process below could only write it to its log
    ready = folder / "chain.json"
    with (folder / "chain.log").open("wb") as log:
        process = subprocess.Popen(
            [
                sys.executable,
                "-P",  # not the working directory: it may be a stranger's model folder
                "-m",
                "provenance_oracle.oracle.demo.chain",
                str(ready),
                str(keep_seconds),
                str(os.getpid()),
            ],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        if ready.exists():
            started = json.loads(ready.read_text("utf-8"))
            return DemoChain(
                rpc_url=started["rpc_url"],
                owner_key_hex=started["owner_key_hex"],
                oracle_keys_hex=tuple(started["oracle_keys_hex"]),
                publisher_key_hex=started["publisher_key_hex"],
                oracles=tuple(started["oracles"]),
                keep_seconds=keep_seconds,
                process_id=started["pid"],
            )
        time.sleep(0.05)
    words = (folder / "chain.log").read_text("utf-8", errors="replace").strip().splitlines() or ["nothing"]
    raise TemporaryError("the embedded chain did not start", where="anvil", got=words[-1], wanted="a running chain")


def _serve(ready: Path, keep_seconds: float, demo_process: int) -> None:
    """Run anvil until `keep_seconds` after the end of the demo, or until another demo deletes the file `ready`."""
    end = time.monotonic() + _DEMO_MAX_SECONDS + keep_seconds
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with run_anvil() as chain:
        owner, publisher, *oracles = chain.accounts[: 2 + ORACLES]
        started = {
            "rpc_url": chain.rpc_url,
            "owner_key_hex": owner.key.hex(),
            "oracle_keys_hex": [oracle.key.hex() for oracle in oracles],
            "publisher_key_hex": publisher.key.hex(),
            "oracles": [oracle.address for oracle in oracles],
            "pid": os.getpid(),
        }
        partial = ready.with_suffix(".partial")
        partial.write_text(json.dumps(started), "utf-8")
        partial.replace(ready)
        while is_alive(demo_process) and time.monotonic() < end:
            time.sleep(0.2)
        end = min(end, time.monotonic() + keep_seconds)
        while ready.exists() and time.monotonic() < end:
            time.sleep(0.2)


def is_alive(process_id: int) -> bool:
    """Return whether there is a process with this number."""
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    return True


if __name__ == "__main__":
    _serve(Path(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3]))

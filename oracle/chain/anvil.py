"""The embedded chain of the demo and the tests: anvil on this machine's loopback address."""

from __future__ import annotations

import json
import os
import platform
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from provenance_oracle.verifier.errors import TemporaryError, UsageError

CHAIN_ID = 31337
_START_SECONDS = 20.0
_STOP_SECONDS = 10.0
_NPM_FOLDER = Path(__file__).resolve().parents[2] / "hardhat" / "node_modules" / "@foundry-rs"
_MACHINES = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}
# A shell that ends anvil when our end of its standard input closes, which also happens if this process is killed.
_LEASH = 'exec 3<&0; { cat <&3 >/dev/null; kill $$; } 2>/dev/null & exec "$@" </dev/null 3<&-'
_LISTENING = re.compile(r"^Listening on 127\.0\.0\.1:(\d+)$", re.MULTILINE)


@dataclass(frozen=True)
class DevAccount:
    """An account that anvil funds. Its private key (32 bytes) is public."""

    address: str
    key: bytes


@dataclass(frozen=True)
class EmbeddedChain:
    """A running chain: its endpoint, its id and its funded accounts."""

    rpc_url: str
    chain_id: int
    accounts: tuple[DevAccount, ...]


def find_anvil() -> Path:
    """Return the path of anvil: $PROVENANCE_ANVIL, else the one that npm installed in this checkout, else from PATH.

    Raises:
        UsageError: anvil is not installed, or PROVENANCE_ANVIL does not name a program.
    """
    named = os.environ.get("PROVENANCE_ANVIL")
    if named:
        if not os.access(named, os.X_OK):
            raise UsageError(
                "the path is not a program", where="PROVENANCE_ANVIL", got=named, wanted="the path of anvil"
            )
        return Path(named)
    machine = _MACHINES.get(platform.machine().lower(), platform.machine())
    installed = _NPM_FOLDER / f"anvil-{platform.system().lower()}-{machine}" / "bin" / "anvil"
    on_path = shutil.which("anvil")
    if os.access(installed, os.X_OK):
        return installed
    if on_path:
        return Path(on_path)
    raise UsageError(
        "the embedded chain needs anvil",
        got="none on PATH",
        wanted="npm install -g @foundry-rs/anvil, or PROVENANCE_ANVIL=the path of anvil; "
        "in a checkout: python tools/npm.py ci --omit=dev --prefix hardhat",
    )


@contextmanager
def run_anvil(*, state: Path | None = None, port: int = 0, options: tuple[str, ...] = ()) -> Iterator[EmbeddedChain]:
    """Run a chain on 127.0.0.1 within the block. It stops at the block's end, also if the process is killed.

    Args:
        state: file from which anvil loads the chain, and to which it saves the chain every 5 seconds and at the end.
        port: 0 for any free port.
        options: more options of anvil.

    Raises:
        UsageError: anvil is not installed.
        TemporaryError: anvil does not start.
    """
    program = find_anvil()
    with tempfile.TemporaryDirectory(prefix="provenance-anvil-") as folder:
        log, config = Path(folder, "log"), Path(folder, "config.json")
        command = [str(program), "--host", "127.0.0.1", "--port", str(port), "--config-out", str(config), *options]
        if state is not None:
            command += ["--state", str(state), "--state-interval", "5"]
        with log.open("wb") as output:
            leashed = ["/bin/sh", "-c", _LEASH, "sh", *command]
            process = subprocess.Popen(leashed, stdin=subprocess.PIPE, stdout=output, stderr=output)
        try:
            listening_port = _wait_until_listening(process, log)
            yield EmbeddedChain(f"http://127.0.0.1:{listening_port}", CHAIN_ID, _read_accounts(config))
        finally:
            _stop(process)


def _wait_until_listening(process: subprocess.Popen[bytes], log: Path) -> int:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        found = _LISTENING.search(log.read_text("utf-8", errors="replace"))
        if found:
            return int(found[1])
        if process.poll() is not None:
            break
        time.sleep(0.02)
    last_line = (log.read_text("utf-8", errors="replace").strip().splitlines() or ["nothing"])[-1]
    raise TemporaryError("anvil did not start", where="anvil", got=last_line, wanted=f"ready in {_START_SECONDS:.0f} s")


def _read_accounts(config: Path) -> tuple[DevAccount, ...]:
    started = json.loads(config.read_text("utf-8"))
    pairs = zip(started["available_accounts"], started["private_keys"], strict=True)
    return tuple(DevAccount(address, bytes.fromhex(key.removeprefix("0x"))) for address, key in pairs)


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Close our end of the standard input. The shell then sends SIGTERM, and anvil saves its state."""
    if process.stdin:
        process.stdin.close()
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()

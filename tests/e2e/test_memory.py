"""No command takes more than 300 MB of memory, whatever a node answers. Each runs in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.support.fake_nodes import babbling
from tests.support.live_releases import lay_out

pytestmark = pytest.mark.chain

MOST_KB = 300_000
DIGEST = "ab" * 32
ADDRESS = "0x" + "12" * 20
# The peak of the process's own memory; `ru_maxrss` may be that of the test, which started the process.
PROGRAM = """
import atexit, resource, sys
from provenance_oracle.oracle.cli.main import main
def peak():
    try:
        with open("/proc/self/status") as status:
            return next(line.split()[1] for line in status if line.startswith("VmHWM"))
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
atexit.register(lambda: print("peak", peak(), file=sys.stderr))
main()
"""
MIB = 1 << 20
BEGIN, END = b'{"jsonrpc":"2.0","id":0,"result":', b"}"
ANSWERS = {
    "64 MiB of lists": BEGIN + b"[" + b"[]," * (64 * MIB // 3) + b"[]]" + END,
    "64 MiB of objects": BEGIN + b"[" + b"{}," * (64 * MIB // 3) + b"{}]" + END,
    "64 MiB of one text": BEGIN + b'"0x' + b"0" * (64 * MIB) + b'"' + END,
    "as many objects as are allowed": BEGIN + b"[" + b'{"a":1},' * 39_990 + b"{}]" + END,
    "as many different keys as are allowed": BEGIN
    + b"{"
    + b",".join(b'"k%d":9999' % n for n in range(99_990))
    + b"}"
    + END,
    "as many numbers as are allowed": BEGIN + b"[" + b"12345678," * 199_980 + b"1]" + END,
    "as much text as is allowed": BEGIN + ('"\U0001f600' + "x" * (2 * MIB - 200) + '"').encode() + END,
    "as many digits as are allowed": BEGIN + b'"0x' + b"f" * (2 * MIB - 200) + b'"' + END,
    "a long error": b'{"jsonrpc":"2.0","id":0,"error":{"code":-1,"message":"' + b"x" * (2 * MIB - 200) + b'"}}',
}
COMMANDS = {
    "show": ["show", DIGEST, "--registry", ADDRESS, "--rpc"],
    "claim": ["claim", "acme", "--registry", ADDRESS, "--key-variable", "K", "--rpc"],
    "revoke": ["revoke", DIGEST, "--apply", "--registry", ADDRESS, "--key-variable", "K", "--rpc"],
    "deploy": ["deploy", "--key-variable", "K", "--rpc"],
    "check": ["check", "RELEASE", "--policy", "demo", "--registry", ADDRESS, "--rpc"],
}


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("release")
    lay_out(folder, {"config.json": b"{}"}, table=False, at=datetime.now(UTC))
    return folder


def run(arguments: list[str]) -> tuple[int, int, str]:
    """Return exit code, peak of the memory in kB, and the last words of a command."""
    command = [sys.executable, "-c", PROGRAM, *arguments]
    done = subprocess.run(command, env=os.environ | {"K": "11" * 32}, capture_output=True, text=True, check=False)
    words, _, peak = done.stderr.rpartition("peak ")
    return done.returncode, int(peak), words[-400:]


@pytest.mark.parametrize("answer", ANSWERS)
@pytest.mark.parametrize("command", COMMANDS)
def test_no_answer_takes_more(answer: str, command: str, release: Path) -> None:
    words_of = [str(release) if word == "RELEASE" else word for word in COMMANDS[command]]
    with babbling(200, ANSWERS[answer]) as (url, seen):
        exit_code, peak, words = run([*words_of, url])
    assert seen
    assert exit_code == 7, words
    assert peak < MOST_KB, f"{peak} kB: {words}"

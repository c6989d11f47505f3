"""No command takes more than 300 MB of memory, whatever a node answers. Each command has a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.support.fake_nodes import babbling
from tests.support.live_releases import lay_out

pytestmark = pytest.mark.chain

MOST_KB = 300_000
DIGEST = "ab" * 32
ADDRESS = "0x" + "12" * 20
# Runs a command once for each of the URLs in NODES. Prints exit code, peak of the memory in kB since the run began, and
# last words of each run. The peak is the process's own; `ru_maxrss` may be that of the test, which started it.
PROGRAM = """
import contextlib, io, json, os, resource, sys
from provenance_oracle.oracle.cli.main import main

def run(arguments):
    with contextlib.suppress(OSError), open("/proc/self/clear_refs", "w") as references:
        references.write("5")  # the peak begins anew, see proc(5)
    said, exit_code = io.StringIO(), 0
    with contextlib.redirect_stderr(said):
        try:
            main(arguments)
        except SystemExit as ended:
            exit_code = ended.code
    return exit_code, peak(), said.getvalue()[-400:]

def peak():
    try:
        with open("/proc/self/status") as status:
            return next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

print("outcomes", json.dumps([run([*sys.argv[1:], url]) for url in os.environ["NODES"].split()]))
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


class Outcome(NamedTuple):
    """How a command ended with one answer; `peak` is in kB."""

    exit_code: int
    peak: int
    words: str
    requests: int


@pytest.fixture(scope="module")
def outcomes(release: Path) -> Callable[[str], dict[str, Outcome]]:
    """Return a function that runs a command with every answer and returns the outcomes by answer."""
    known: dict[str, dict[str, Outcome]] = {}

    def run(command: str) -> dict[str, Outcome]:
        if command not in known:
            words = [str(release) if word == "RELEASE" else word for word in COMMANDS[command]]
            with ExitStack() as nodes:
                places = [nodes.enter_context(babbling(200, answer)) for answer in ANSWERS.values()]
                environment = os.environ | {"K": "11" * 32, "NODES": " ".join(url for url, _ in places)}
                started = [sys.executable, "-c", PROGRAM, *words]
                done = subprocess.run(started, env=environment, capture_output=True, text=True, check=False)
            assert "outcomes " in done.stdout, done.stderr
            found = zip(ANSWERS, json.loads(done.stdout.rpartition("outcomes ")[2]), places, strict=True)
            known[command] = {name: Outcome(*told, len(seen)) for name, told, (_, seen) in found}
        return known[command]

    return run


@pytest.mark.parametrize("answer", ANSWERS)
@pytest.mark.parametrize("command", COMMANDS)
def test_no_answer_takes_more(answer: str, command: str, outcomes: Callable[[str], dict[str, Outcome]]) -> None:
    found = outcomes(command)[answer]
    assert found.requests
    assert found.exit_code == 7, found.words
    assert found.peak < MOST_KB, f"{found.peak} kB: {found.words}"

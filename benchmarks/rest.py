"""Point reads of the REST API a second on one core, beside a bare route on the same server. Part of `make bench`.

The server has one core and the clients another, if `taskset` is there. On a machine that does other work too, the
figure for a second of processor counts (Linux). The index has records that a real node recorded. Nothing is asserted.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from provenance_oracle.oracle.chain.anvil import run_anvil
from provenance_oracle.oracle.index.chain_source import ChainSource
from provenance_oracle.oracle.index.database import open_index_database
from provenance_oracle.oracle.index.follower import Follower
from provenance_oracle.oracle.web.server import serving
from provenance_oracle.verifier.registry.node import open_node
from tests.support.chain_fixtures import deploy_registry, make_record

RECORDS = 200
CONNECTIONS = 16
SECONDS = 4.0
ROUNDS = 3
GOAL = 2_000
_BODY_BYTES = 1_700  # of an answer with one record


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="provenance-bench-") as root:
        index = str(Path(root, "index.sqlite"))
        paths = [f"/api/v1/records/{one}" for one in make_index(index)]
        serve = ["-P", "-m", "provenance_oracle.oracle.cli.main", "serve", "--database", index, "--no-follow"]
        serve += ["--rate", "0", "--listen", "127.0.0.1:0"]
        servers = {
            "a bare route": (["-m", "benchmarks.rest", "bare"], ["/"]),
            "one record": (serve, paths[:1]),  # of which the answer is kept for a second
            "other records": (serve, [f"{one}?limit={number}" for number in range(1, 101) for one in paths]),
        }
        figures: dict[str, list[Figure]] = {name: [] for name in servers}
        for _ in range(ROUNDS):  # in turns, so that other load meets both
            for name, (command, asked) in servers.items():
                figures[name].append(measure(command, asked))
    print(f"\n{'requests on one core':<24}{'a second':>10}{'a second of processor':>24}")
    for name, found in figures.items():
        best = max(one.per_second for one in found)
        print(f"{name:<24}{best:>10,.0f}{max(one.per_processor_second for one in found):>24,.0f}")
    print(f"{'goal':<24}{GOAL:>10,}")


@dataclass(frozen=True)
class Figure:
    """Requests in a second of the clock, and in a second of the server's processor."""

    per_second: float
    per_processor_second: float


def make_index(place: str) -> list[str]:
    """Record releases on an embedded chain, index them, and return their ids in hex."""
    with run_anvil() as chain:
        registry = deploy_registry(chain)
        for number in range(RECORDS):
            registry.publish(make_record(manifest_digest=(number + 1).to_bytes(32, "big"), version=str(number)))
        source = ChainSource(open_node(chain.rpc_url), registry.address, chain_id=None, first=registry.block_number)
        with closing(open_index_database(place)) as database:
            Follower(database, source).follow()
    return [(number + 1).to_bytes(32, "big").hex() for number in range(RECORDS)]


def measure(command: Sequence[str], paths: Sequence[str]) -> Figure:
    """Run a server on core 0, and ask it from core 1."""
    is_pinned = shutil.which("taskset") and (os.cpu_count() or 1) > 1
    pinned = ["taskset", "-c", "0"] if is_pinned else []
    if is_pinned:
        os.sched_setaffinity(0, {1})
    with subprocess.Popen([*pinned, sys.executable, *command], stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            line = next(text for text in process.stdout if "http://" in text)
            host, _, port = line.rpartition("http://")[2].strip().rstrip("/").rpartition(":")
            requests = [f"GET {one} HTTP/1.1\r\nHost: a\r\n\r\n".encode() for one in paths]
            return asyncio.run(_asked((host, int(port)), requests, process.pid))
        finally:
            process.terminate()


def processor_seconds(process: int) -> float:
    """Return the processor time of a process so far, by proc(5)."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def _asked(address: tuple[str, int], requests: Sequence[bytes], process: int) -> Figure:
    loop = asyncio.get_running_loop()
    clients = [_Client(requests, number) for number in range(CONNECTIONS)]
    for one in clients:
        await loop.create_connection(lambda one=one: one, *address)
    await asyncio.sleep(1.0)  # until everything is warm
    before, started, used = sum(one.answers for one in clients), time.monotonic(), processor_seconds(process)
    await asyncio.sleep(SECONDS)
    done = sum(one.answers for one in clients) - before
    figure = Figure(done / (time.monotonic() - started), done / (processor_seconds(process) - used))
    for one in clients:
        one.transport.abort()
    return figure


class _Client(asyncio.Protocol):
    """Asks again as soon as an answer is whole."""

    transport: asyncio.Transport

    def __init__(self, requests: Sequence[bytes], first: int) -> None:
        self._requests = requests
        self._next = first * len(requests) // CONNECTIONS
        self._buffer = b""
        self.answers = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self._ask()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, end, body = self._buffer.partition(b"\r\n\r\n")
        if not end:
            return
        assert head.startswith(b"HTTP/1.1 200 "), head
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        if len(body) >= length:
            self._buffer = b""
            self.answers += 1
            self._ask()

    def _ask(self) -> None:
        self.transport.write(self._requests[self._next % len(self._requests)])
        self._next += 1


def bare() -> None:
    """Serve one route that answers with constant bytes."""
    body = b"x" * _BODY_BYTES

    async def answer(_request: Request) -> Response:
        return Response(body, media_type="application/json")

    with serving(Starlette(routes=[Route("/", answer)]), "127.0.0.1:0") as (host, port):
        print(f"http://{host}:{port}/", flush=True)
        while True:
            time.sleep(60)


if __name__ == "__main__":
    bare() if sys.argv[1:] == ["bare"] else main()

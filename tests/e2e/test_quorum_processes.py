"""Three real oracles that speak HTTP with each other: batches are recorded once, and those who signed one serve it."""

from __future__ import annotations

import socket
from contextlib import ExitStack
from pathlib import Path

import pytest

from provenance_oracle.oracle.chain.anvil import EmbeddedChain
from provenance_oracle.verifier.record.leaves import parse_leaves
from provenance_oracle.verifier.strict.exchange import Answer, HttpClient, Server
from tests.support.chain_fixtures import deploy_registry
from tests.support.oracle_process import OracleProcess, small_release, wait_for

pytestmark = pytest.mark.chain
_RELEASES = 6
_THRESHOLD = 2
_URI = "https://oracle.example/batches/"


def free_ports(count: int) -> list[int]:
    with ExitStack() as stack:
        held = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in held:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in held]


def test_batches_are_agreed_over_http_and_recorded_once(anvil: EmbeddedChain, tmp_path: Path) -> None:
    registry = deploy_registry(anvil, oracles=3, threshold=_THRESHOLD)
    oracles = [OracleProcess(tmp_path / str(number), registry) for number in range(3)]
    for number in range(_RELEASES):
        small_release(oracles[0].drop, f"model{number}")
    ports = free_ports(3)
    with ExitStack() as stack:
        for number, (one, account) in enumerate(zip(oracles, registry.oracles, strict=True)):
            one.drop = oracles[0].drop
            peers = [
                word for port in ports if port != ports[number] for word in ("--peers", f"http://127.0.0.1:{port}")
            ]
            place = (
                "--listen",
                f"127.0.0.1:{ports[number]}",
                "--batch-uri",
                _URI,
                "--batch-after-seconds",
                "8",
                *peers,
            )
            environ = {"ORACLE_KEY": account.key.hex()}
            stack.enter_context(one.running("--settle-seconds", "1", *place, environ=environ))
        # an oracle whose peers are not up yet asks them again after 10, 20, 40 seconds; a turn takes a minute
        wait_for(lambda: all(one.states() == ["final"] * _RELEASES for one in oracles), seconds=240)
        events = registry.contract.events.BatchRecorded().get_logs(from_block=0)
        singles = registry.contract.events.RecordPublished().get_logs(from_block=0)
        counts = [int(one["args"]["count"]) for one in events]
        assert sum(counts) + len(singles) == _RELEASES
        assert max(counts) > 1
        for event in events:
            root = bytes(event["args"]["root"])
            answers = [_document(port, root) for port in ports]
            served = [answer for answer in answers if answer.status == 200]
            # Two signed it, and have all its leaves. The third may follow a part of it: the releases that it still had.
            assert len(served) >= _THRESHOLD, [answer.body for answer in answers]
            assert {parse_leaves(answer.body, "served").root for answer in served} == {root}


def _document(port: int, root: bytes) -> Answer:
    server = HttpClient(Server("http", "127.0.0.1", port, "oracle", 10.0))
    return server.exchange("GET", f"/batches/{root.hex()}.json", {}, body_max_bytes=1 << 20)

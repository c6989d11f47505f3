"""Tests of proposals over HTTP: pages, and peers that lie, repeat themselves or answer slowly."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import parse_qs, urlsplit

import pytest

from provenance_oracle.oracle.quorum.exchange import BATCHES, OFFERED_MAX, RECORDS, DocumentKind
from provenance_oracle.oracle.quorum.http_exchange import OwnProposals, Peer
from provenance_oracle.verifier.errors import TemporaryError
from provenance_oracle.verifier.strict.exchange import HttpClient, Server
from tests.support.slow_servers import ENDLESS, stubborn

Answer = Callable[[bytes], tuple[int, bytes]]


@contextmanager
def serving(answer: Answer, kind: DocumentKind = RECORDS) -> Iterator[tuple[Peer, list[str]]]:
    """Yield a peer that answers a request for the page after an id as `answer` says, and the targets asked for."""
    targets: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            targets.append(self.path)
            after = parse_qs(urlsplit(self.path).query).get("after", [""])[0]
            status, body = answer(bytes.fromhex(after))
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield peer_at(server.server_port, kind=kind), targets
    finally:
        server.shutdown()
        server.server_close()


def peer_at(port: int, seconds: float = 20.0, kind: DocumentKind = RECORDS) -> Peer:
    return Peer(HttpClient(Server("http", "127.0.0.1", port, "peer", seconds)), "peer", kind)


def page(*ids: int) -> bytes:
    listed = [{"recordId": f"{number:064x}", "proposal": f"p{number}"} for number in ids]
    return json.dumps({"schema": RECORDS.schema, "proposals": listed}).encode()


def test_every_page_is_read() -> None:
    own = OwnProposals()
    offered = {number.to_bytes(32, "big"): b"p%d" % number for number in range(250)}
    own.offer(offered)
    with serving(lambda after: (200, own.page(after))) as (peer, targets):
        assert list(peer.read()) == list(offered.values())
    assert len(targets) == 3
    assert targets[0] == f"{RECORDS.path}?after="
    assert list(own.read()) == []


def test_batches_have_pages_of_their_own() -> None:
    own = OwnProposals(BATCHES)
    large = b'"' * BATCHES.document_max_bytes
    offered = {number.to_bytes(32, "big"): large for number in range(BATCHES.most)}
    own.offer(offered)
    with serving(lambda after: (200, own.page(after)), BATCHES) as (peer, targets):
        assert list(peer.read()) == list(offered.values())
    assert len(targets) == BATCHES.most // BATCHES.page_max
    assert targets[0] == "/quorum/v1/batches?after="


def test_a_peer_without_end_is_left_after_a_bounded_number_of_pages() -> None:
    def endless(after: bytes) -> tuple[int, bytes]:
        first = int.from_bytes(after, "big") + 1
        return 200, page(*range(first, first + RECORDS.page_max))

    with serving(endless) as (peer, targets):
        assert len(list(peer.read())) == OFFERED_MAX
    assert len(targets) == OFFERED_MAX // RECORDS.page_max


def test_a_peer_that_repeats_a_page_is_left() -> None:
    with serving(lambda after: (200, page(*range(1, RECORDS.page_max + 1)))) as (peer, targets):
        list(peer.read())
    assert len(targets) == 2


@pytest.mark.parametrize(
    "answer",
    [
        (404, b"{}"),
        (302, b""),
        (200, b"not json"),
        (200, json.dumps({"schema": "another", "proposals": []}).encode()),
        (200, page(*range(RECORDS.page_max + 1))),
        (200, json.dumps({"schema": RECORDS.schema, "proposals": [{"recordId": "zz", "proposal": ""}]}).encode()),
        (200, b" " * 10**6),
    ],
)
def test_an_answer_that_makes_no_sense_is_temporary(answer: tuple[int, bytes]) -> None:
    with serving(lambda after: answer) as (peer, _), pytest.raises(TemporaryError):
        list(peer.read())


def test_a_peer_that_drips_is_left_after_the_time_of_one_exchange() -> None:
    with stubborn(ENDLESS["drips the body"][0]) as (port, _), pytest.raises(TemporaryError):
        list(peer_at(port, seconds=0.5).read())

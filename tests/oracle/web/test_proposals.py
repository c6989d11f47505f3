"""Tests of the page of our proposals: another oracle reads it over a real connection."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient

from provenance_oracle.oracle.quorum.exchange import BATCHES, RECORDS
from provenance_oracle.oracle.quorum.http_exchange import OwnProposals, Peer
from provenance_oracle.oracle.web.app import Views, make_app
from provenance_oracle.oracle.web.proposals import proposals_route
from provenance_oracle.oracle.web.server import serving
from provenance_oracle.verifier.strict.exchange import HttpClient, Server

VIEWS = Views(blocking=tuple, metrics=bytes, status=dict)


def offered(count: int) -> OwnProposals:
    own = OwnProposals()
    own.offer({number.to_bytes(32, "big"): b"p%d" % number for number in range(count)})
    return own


def test_another_oracle_reads_all_of_them() -> None:
    app = make_app(VIEWS, routes=[proposals_route(offered(230))])
    with serving(app, "127.0.0.1:0") as (host, port):
        peer = Peer(HttpClient(Server("http", host, port, "peer", 20.0)), "peer")
        assert list(peer.read()) == [b"p%d" % number for number in range(230)]


def test_batches_have_a_route_of_their_own() -> None:
    batches = OwnProposals(BATCHES)
    batches.offer({bytes(32): b"a batch"})
    client = TestClient(make_app(VIEWS, routes=[proposals_route(offered(1)), proposals_route(batches)]))
    assert client.get(BATCHES.path).json() == {
        "schema": "provenance-oracle/batch-proposals/v1",
        "batches": [{"digest": "00" * 32, "batch": "a batch"}],
    }
    assert [one["proposal"] for one in client.get(RECORDS.path).json()["proposals"]] == ["p0"]


@pytest.mark.parametrize("after", ["zz", "00", "AB" * 32, "00" * 33, " " * 64])
def test_a_place_that_is_no_record_id_is_refused(after: str) -> None:
    client = TestClient(make_app(VIEWS, routes=[proposals_route(offered(1))]))
    answer = client.get(RECORDS.path, params={"after": after})
    assert (answer.status_code, answer.headers["content-type"]) == (400, "application/problem+json")
    assert client.get(RECORDS.path, params={"after": "00" * 32}).json()["proposals"] == []


def test_nobody_can_write_there() -> None:
    client = TestClient(make_app(VIEWS, routes=[proposals_route(offered(1))]))
    assert client.post(RECORDS.path, content=b"{}").status_code == 405

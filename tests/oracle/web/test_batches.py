"""Tests of the address at which users find the records of a batch."""

from __future__ import annotations

import urllib.error
import urllib.request

import pytest

from provenance_oracle.oracle.web.app import Views, make_app
from provenance_oracle.oracle.web.batches import batch_route
from provenance_oracle.oracle.web.server import serving


def test_the_document_of_a_known_root_is_served_and_no_other() -> None:
    views = Views(blocking=tuple, metrics=bytes, status=dict)
    documents = {b"\xab" * 32: b'{"root": "ab"}'}
    with serving(make_app(views, routes=[batch_route(documents.get)]), "127.0.0.1:0") as (host, port):
        at = f"http://{host}:{port}/batches/"
        with urllib.request.urlopen(f"{at}{'ab' * 32}.json", timeout=10) as answer:
            assert (answer.read(), answer.headers["content-type"]) == (b'{"root": "ab"}', "application/json")
        for name in ("cd" * 32 + ".json", "ab" * 32, "AB" * 32 + ".json", "x.json"):
            with pytest.raises(urllib.error.HTTPError, match="404"):
                urllib.request.urlopen(at + name, timeout=10)

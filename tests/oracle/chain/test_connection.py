"""Tests of the reader with which a ROFL app's key is looked after: its requests are counted too."""

from __future__ import annotations

import pytest

from provenance_oracle.oracle.chain.connection import open_ledger_reader
from provenance_oracle.oracle.chain.ledger import LedgerOptions
from provenance_oracle.oracle.metrics import Meter
from provenance_oracle.verifier.errors import TemporaryError
from provenance_oracle.verifier.registry.rpc_client import RpcEvent
from tests.support.fake_nodes import babbling
from tests.support.world import LIMITS


class Requests(Meter):
    """The events of requests, by endpoint."""

    def __init__(self) -> None:
        self.told: list[tuple[str, RpcEvent]] = []

    def rpc(self, endpoint: str, event: RpcEvent) -> None:
        self.told.append((endpoint, event))


def test_each_endpoint_is_tried_and_its_requests_are_counted() -> None:
    requests = Requests()
    with babbling(503, b"") as (first, _), babbling(500, b"") as (second, _):
        options = LedgerOptions(
            rpc_urls=(f"{first}/key", second),
            registry_address="0x" + "12" * 20,
            chain_id=None,
            first_block=0,
            confirmations=0,
            limits=LIMITS,
            rpc_timeout_seconds=5,
            allow_development_key=False,
        )
        with pytest.raises(TemporaryError):
            open_ledger_reader(options, requests)
    assert requests.told == [
        (first, RpcEvent.SENT),
        (first, RpcEvent.BUSY),
        (second, RpcEvent.SENT),
        (second, RpcEvent.STATUS),
    ]

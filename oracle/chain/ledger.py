"""Open the connections to a chain, and the writer of one registry on it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from provenance_oracle.oracle.chain.batch_reader import BatchReader
from provenance_oracle.oracle.chain.batched_parents import BatchedParents
from provenance_oracle.oracle.chain.batches import SINGLE, Batching, BatchPublisher
from provenance_oracle.oracle.chain.endpoints import EndpointPlace, Endpoints
from provenance_oracle.oracle.chain.fees import FeeLimits
from provenance_oracle.oracle.chain.finality import Endpoint, Finality
from provenance_oracle.oracle.chain.obstacles import Obstacles
from provenance_oracle.oracle.chain.other_batches import OtherBatches, fetching
from provenance_oracle.oracle.chain.quorum_batches import QuorumBatches
from provenance_oracle.oracle.chain.release_proofs import ProvingOptions, ReleaseProofs
from provenance_oracle.oracle.chain.reports import Council, Reporter
from provenance_oracle.oracle.chain.rpc import ChainIdentity, Web3Chain
from provenance_oracle.oracle.chain.transactions import IN_FLIGHT_MAX, TransactionSender
from provenance_oracle.oracle.chain.writer import RegistryWriter
from provenance_oracle.oracle.index.leaf_index import LeafIndex
from provenance_oracle.oracle.index.report_index import ReportIndex
from provenance_oracle.oracle.journal.journal import Journal
from provenance_oracle.oracle.metrics import SILENT, Meter
from provenance_oracle.oracle.quorum.batch_table import BatchTable
from provenance_oracle.oracle.quorum.collector import Collector
from provenance_oracle.oracle.quorum.exchange import BATCHES, Exchange
from provenance_oracle.oracle.quorum.http_exchange import OwnProposals
from provenance_oracle.oracle.quorum.moments import Moments
from provenance_oracle.oracle.signers.base import LOCAL_CHAIN_IDS, Signer, check_keys
from provenance_oracle.verifier.registry.node import open_node, parse_address, shown_url
from provenance_oracle.verifier.registry.rpc_client import Repeating
from provenance_oracle.verifier.registry.secp256k1 import checksum_address

_TRIES = 6
_DECIDERS = 2  # as many endpoints must give an answer that decides, if there are as many


@dataclass(frozen=True)
class LedgerOptions:
    """The registry for the records, the nodes to reach it, and the limits of transactions.

    Attributes:
        rpc_urls: one or more endpoints, best first. If there are two or more, two must agree before anything counts as
            final.
        registry_address: 0x and 40 hex digits.
        chain_id: the chain that the node must have; None to accept any.
        first_block: a block before which the registry has no events.
        confirmations: number of blocks on top of a record that make it final; 0 on a chain with instant finality; None
            if the chain's own tag `finalized` says it.
        allow_development_key: accept a key from the environment on a chain that is not local.
        in_flight_max: transactions on their way at once.
        batching: when records share a transaction.
        proving: how releases are proven on chain; None if they are not.
        index: the file of the index of events; None for a temporary one. The index of other oracles' batches lies
            beside it, with the ending `.leaves`.
        head_age_max_seconds: age of the newest block from which an endpoint counts as lagging.
    """

    rpc_urls: tuple[str, ...]
    registry_address: str
    chain_id: int | None
    first_block: int
    confirmations: int | None
    limits: FeeLimits
    rpc_timeout_seconds: float
    allow_development_key: bool
    in_flight_max: int = IN_FLIGHT_MAX
    batching: Batching = SINGLE
    proving: ProvingOptions | None = None
    index: Path | None = None
    head_age_max_seconds: float = 900.0


@dataclass(frozen=True)
class Peers:
    """What we share with the other oracles of a quorum.

    Attributes:
        exchanges, batch_exchanges: the places where proposals of single records and of batches are exchanged.
        moments: those that they proposed.
        own, own_batches: our proposals, for the web server.
    """

    exchanges: tuple[Exchange, ...] = ()
    batch_exchanges: tuple[Exchange, ...] = ()
    moments: Moments = field(default_factory=Moments)
    own: OwnProposals = field(default_factory=OwnProposals)
    own_batches: OwnProposals = field(default_factory=partial(OwnProposals, BATCHES))


def open_writer(
    options: LedgerOptions,
    payer: Signer,
    reporter: Signer,
    journal: Journal,
    *,
    clock: Callable[[], datetime],
    on_wait: Callable[[], object] = lambda: None,
    peers: Peers | None = None,
    meter: Meter = SILENT,
) -> RegistryWriter:
    """Connect to the endpoints that serve, and compare chain and registry with the journal.

    Args:
        payer: signs transactions. reporter: signs reports.
        clock: returns the time now, with a time zone.
        on_wait: called at least twice a second while a request waits. What it raises ends the request.
        peers: the other oracles of a quorum; None if there are none.
        meter: gets the account's balance, and counts requests, signatures, batches, gas and fees.

    Raises:
        UsageError: all endpoints have another chain or contract, or a development key would be used on a chain that is
            not local.
        TemporaryError: no endpoint serves now.
    """
    address = contract_address(options.registry_address)
    endpoints, finality, identity = open_endpoints(options, journal.pins, clock=clock, on_wait=on_wait, meter=meter)
    check_keys(payer, reporter, identity.chain_id, allow_development_key=options.allow_development_key)
    journal.pin(identity.pins())
    facts: dict[str, Any] = {"finality": finality, "chain_id": identity.chain_id, "clock": clock, "meter": meter}
    in_flight = options.in_flight_max
    registry = finality.first.registry.address
    council = _council(peers, chain_id=identity.chain_id, registry=registry, clock=clock) if peers else None
    reports = Reporter(reporter, address=registry, council=council, **facts)
    sender = TransactionSender(payer, journal, options.limits, in_flight_max=in_flight, **facts)
    parts: dict[str, Any] = {"finality": finality, "address": address, "clock": clock}
    addresses: dict[str, Any] = {"payer": payer.address, "reporter": reporter.address}
    watch: dict[str, Any] = {"is_alone": council is None, "clock": clock, "meter": meter}
    obstacles = Obstacles(finality, options.limits, **addresses, **watch)
    of_batches: dict[str, Any] = {"uri": options.batching.uri, "meter": meter, **parts}
    batches = (
        QuorumBatches(reports, sender, journal, council=council, **of_batches)
        if council
        else BatchPublisher(reports, sender, journal, **of_batches)
    )
    proofs = None
    if options.proving:
        watched: dict[str, Any] = {"finality": finality, "reporter": reporter.address, "clock": clock}
        proofs = ReleaseProofs(options.proving, sender, journal, **watched)
    return RegistryWriter(
        reports,
        sender,
        journal,
        batches=batches,
        proofs=proofs,
        parents=BatchedParents(journal, _others(options, identity.chain_id, journal, clock, on_wait), clock),
        finality=finality,
        endpoints=endpoints,
        address=address,
        clock=clock,
        obstacles=obstacles.find,
    )


def _others(
    options: LedgerOptions,
    chain_id: int,
    journal: Journal,
    clock: Callable[[], datetime],
    on_wait: Callable[[], object],
) -> OtherBatches:
    """Return the look into the batches of other oracles."""
    path = options.index.with_suffix(".leaves") if options.index else None
    index = LeafIndex(path, f"{chain_id}:{options.registry_address.lower()}")
    fetch = fetching(on_wait, is_local=chain_id in LOCAL_CHAIN_IDS)
    return OtherBatches(index, fetch, knows=journal.has_batch, clock=clock)


def _council(peers: Peers, **facts: Any) -> Council:
    collector = Collector((*peers.exchanges, peers.own), **facts)
    return Council(collector, peers.moments, BatchTable((*peers.batch_exchanges, peers.own_batches), **facts))


def open_endpoints(
    options: LedgerOptions,
    pinned: Callable[[], Mapping[str, str]],
    *,
    clock: Callable[[], datetime],
    on_wait: Callable[[], object] = lambda: None,
    meter: Meter = SILENT,
) -> tuple[Endpoints[BatchReader], Finality[BatchReader], ChainIdentity]:
    """Connect to the endpoints that serve, and compare chain and registry with the facts that the journal keeps.

    Args:
        pinned: returns these facts; see `endpoints.Endpoints`. The other arguments and the errors: `open_writer`.
    """
    address = contract_address(options.registry_address)
    opening: dict[str, Any] = {"address": address, "options": options, "on_wait": on_wait, "meter": meter}
    places = [EndpointPlace(shown_url(url), partial(_open, url, **opening)) for url in options.rpc_urls]
    age = options.head_age_max_seconds
    endpoints = Endpoints(places, contract=address, pinned=pinned, head_age_max_seconds=age, clock=clock)
    serving, identity = endpoints.survey()
    return endpoints, Finality(serving, options.confirmations, min(_DECIDERS, len(places))), identity


def _open(
    url: str, *, address: str, options: LedgerOptions, on_wait: Callable[[], object], meter: Meter
) -> Endpoint[BatchReader]:
    seconds = options.rpc_timeout_seconds
    counting = partial(meter.rpc, shown_url(url))
    node = open_node(url, seconds, on_wait, Repeating(_TRIES, seconds), counting)
    index = ReportIndex(options.index, f"{address} at {hashlib.sha256(url.encode()).hexdigest()[:16]}")
    facts: dict[str, Any] = {"chain_id": options.chain_id, "from_block": options.first_block}
    registry = BatchReader(node, address, index=index, **facts)
    return Endpoint(Web3Chain(node), registry, node.where)


def contract_address(text: str) -> str:
    """Return a registry's address in checksum form, which transactions need.

    Raises:
        UsageError: the text is not an address.
    """
    return checksum_address(parse_address(text, "registry"))

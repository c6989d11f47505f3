"""Open a registry for the index, from the options of a command."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from provenance_oracle.oracle.chain.batch_reader import BatchReader
from provenance_oracle.oracle.chain.other_batches import Fetch, fetching
from provenance_oracle.oracle.index.chain_source import ChainSource
from provenance_oracle.oracle.index.follower import FollowedTo
from provenance_oracle.oracle.index.index_service import IndexService
from provenance_oracle.oracle.index.index_store import IndexDatabase
from provenance_oracle.oracle.signers.base import LOCAL_CHAIN_IDS
from provenance_oracle.verifier.cli.options import read_bounded
from provenance_oracle.verifier.errors import UsageError
from provenance_oracle.verifier.registry.deployment import FILE_MAX_BYTES, Deployment, parse_deployment
from provenance_oracle.verifier.registry.node import TIMEOUT_SECONDS, open_node
from provenance_oracle.verifier.registry.rpc_client import Repeating

_REPEATING = Repeating(tries=3, seconds=10.0)


def read_registry(text: str) -> str | Deployment:
    """Return the address of a registry as it is, or the deployment in the file that a text names.

    Raises:
        UsageError: there is no such file. FormatError: the file is not a deployment file.
    """
    if text.startswith("0x"):
        return text
    return parse_deployment(read_bounded(Path(text), FILE_MAX_BYTES), text)


def open_index_source(
    rpc_url: str, registry: str | Deployment, *, on_wait: Callable[[], object] = lambda: None
) -> ChainSource:
    """Open a registry at a node, after comparing chain and contracts.

    Args:
        registry: its address, 0x and 40 hex digits; or its deployment, which saves the search for its first block.
        on_wait: called at least twice a second while a request waits. What it raises ends the request.

    Raises:
        UsageError: the endpoint or address is malformed, or chain or contracts are others.
        TemporaryError: the node fails.
    """
    node = open_node(rpc_url, TIMEOUT_SECONDS, on_wait, _REPEATING)
    if isinstance(registry, str):
        reader = BatchReader(node, registry)
        first = reader.first_block(reader.node.web3.eth.block_number)
        return ChainSource(node, registry, chain_id=None, first=first)
    address = f"0x{registry.registry.hex()}"
    source = ChainSource(node, address, chain_id=registry.chain_id, first=registry.block)
    for name in ("namespaces", "lineage"):
        got, wanted = source.facts[name], getattr(registry, name).hex()
        if got != wanted:
            where = f"deployment, {name}"
            raise UsageError("the chain differs from the deployment file", where=where, got=got, wanted=wanted)
    return source


def open_index_service(
    database: IndexDatabase,
    rpc_url: str,
    registry: str | Deployment,
    *,
    on_wait: Callable[[], object],
    clock: Callable[[], float],
    progress: Callable[[FollowedTo], object] = lambda _: None,
) -> IndexService:
    """Return what keeps an index up to date. No network yet.

    Args:
        registry, on_wait: as for `open_index_source`.
        clock: returns the time now, in seconds since 1970.
        progress: called after each piece.
    """

    known = list[int]()

    def open_source() -> ChainSource:
        source = open_index_source(rpc_url, registry, on_wait=on_wait)
        known[:] = [source.chain_id]
        return source

    def fetch(address: str) -> bytes:  # called only after the source was opened
        return fetching_documents(known[0], on_wait)(address)

    return IndexService(database, open_source, fetch, clock=clock, progress=progress)


def fetching_documents(chain_id: int, on_wait: Callable[[], object]) -> Fetch:
    """Return a function that fetches the documents of batches; see `fetching`."""
    return fetching(on_wait, is_local=chain_id in LOCAL_CHAIN_IDS)

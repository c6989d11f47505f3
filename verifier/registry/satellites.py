"""The two contracts that a registry made: Namespaces and Lineage."""

from __future__ import annotations

from provenance_oracle.verifier.errors import UsageError
from provenance_oracle.verifier.registry.contract import DeployedContract
from provenance_oracle.verifier.registry.event_reader import EventReader
from provenance_oracle.verifier.registry.namespaces import NamespaceReader
from provenance_oracle.verifier.registry.node import NodeConnection
from provenance_oracle.verifier.strict.abi_values import parse_account


class Satellites:
    """Opens the contracts that one registry made, each at first use.

    Args:
        from_block: a block before which they have no events.

    Raises:
        UsageError: a contract is not the one of this version, or belongs to another registry.
        TemporaryError: from every method, if the node fails.
    """

    def __init__(self, registry: DeployedContract, node: NodeConnection, events: EventReader, from_block: int) -> None:
        self._registry = registry
        self._node = node
        self._events = events
        self._from_block = from_block
        self._addresses: dict[str, bytes] = {}
        self._opened: dict[str, DeployedContract] = {}

    def addresses(self, block: int) -> dict[str, bytes]:
        """Return the addresses of both contracts by the registry's names for them. Does not open the contracts."""
        return {name: self._address(name, block) for name in ("namespaces", "lineage")}

    def namespaces(self, block: int) -> NamespaceReader:
        """Return a reader of the contract Namespaces."""
        return NamespaceReader(self._open("namespaces", "Namespaces", block), self._from_block)

    def lineage(self, block: int) -> DeployedContract:
        """Return the contract Lineage."""
        return self._open("lineage", "Lineage", block)

    def _address(self, function: str, block: int) -> bytes:
        if function not in self._addresses:
            self._addresses[function] = self._registry.call(function, parse=parse_account, block=block)
        return self._addresses[function]

    def _open(self, function: str, artifact: str, block: int) -> DeployedContract:
        """Return a contract after checking its code, and that it names the registry too."""
        if artifact not in self._opened:
            address = self._address(function, block)
            where = f"{self._registry.where}, {artifact}"
            found = DeployedContract(self._node, artifact, address, where, self._events)
            if found.call("registry", parse=parse_account, block=block) != self._registry.address:
                got, wanted = self._node.web3.to_checksum_address(address), "one of this registry's"
                raise UsageError("the contract belongs to another registry", where=where, got=got, wanted=wanted)
            self._opened[artifact] = found
        return self._opened[artifact]

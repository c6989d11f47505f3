"""What an oracle has to know of the registry before it signs: whether its key counts, and its policy's number."""

from __future__ import annotations

from dataclasses import dataclass

from provenance_oracle.verifier.registry.contract import DeployedContract
from provenance_oracle.verifier.registry.node import connect, node_errors, parse_address, shown_url


@dataclass(frozen=True)
class Seat:
    """A key's place in the oracle set in force. `threshold` is the weight that a record needs in all."""

    epoch: int
    index: int
    weight: int
    threshold: int


class RegistryState:
    """Views of one registry, as of given blocks.

    Raises:
        UsageError: another contract or none is there.
        TemporaryError: the node does not answer, or not sensibly. Every method may raise this too.
    """

    def __init__(self, rpc_url: str, address: str, *, timeout_seconds: float) -> None:
        where = f"registry {address} at {shown_url(rpc_url)}"
        self._where = where
        web3 = connect(rpc_url, timeout_seconds)
        self._contract = DeployedContract(web3, "ProvenanceRegistry", parse_address(address, "registry"), where)

    def policy_id(self, policy_digest: bytes, *, block: int) -> int:
        """The number of a policy, 0 if it has none."""
        return int(self._contract.call("policyIdOf", policy_digest, block=block))

    def seat(self, key: str, *, block: int) -> Seat | None:
        """The place of a key (an address) in the set in force; None if it has none."""
        epoch = self._contract.call("currentEpoch", block=block)
        threshold, size, _ = self._contract.call("epochOf", epoch, block=block)
        for index in range(min(size, 32)):
            oracle = self._contract.call("oracleAt", epoch, index, block=block)
            with node_errors(self._where):
                if oracle[0].lower() == key.lower():
                    return Seat(epoch, index, oracle[1], threshold)
        return None

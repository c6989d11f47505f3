"""Read the oracle sets of a registry: each epoch's threshold, its keys, and the oracles that signed a record."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from provenance_oracle.verifier.record.fields import RecordSigner
from provenance_oracle.verifier.record.standing import SIGNERS_MAX, Standing, signer_numbers
from provenance_oracle.verifier.registry.contract import DeployedContract
from provenance_oracle.verifier.registry.structs import Epoch, OracleKey, parse_epoch, parse_oracle_key
from provenance_oracle.verifier.strict.abi_values import parse_number


@dataclass(frozen=True)
class Seat:
    """A key's place in the oracle set in force.

    `index` is the oracle's number in the set, `weight` that of its signature, `threshold` the weight that a record
    needs.
    """

    epoch: int
    index: int
    weight: int
    threshold: int


@dataclass(frozen=True)
class AppSeat:
    """A ROFL app's place in the oracle set in force: the epoch, the oracle's number, and its key.

    `key` is an address of 20 bytes: zeros if the app has bound none yet. Its signatures count from the Unix time
    `valid_from` on.
    """

    epoch: int
    index: int
    key: bytes
    valid_from: int


class OracleSets:
    """Reads the oracle sets of one registry at given blocks.

    Raises:
        TemporaryError: from every method, if the node fails.
    """

    def __init__(self, contract: DeployedContract) -> None:
        self._contract = contract

    def threshold(self, number: int, block: int) -> int:
        """Return the weight that a record of an epoch needs. It never changes."""
        return self._contract.call("epochOf", number, parse=parse_epoch, block=block, is_lasting=True).threshold

    def epoch(self, number: int, block: int) -> Epoch:
        """Return the epoch with this number."""
        return self._contract.call("epochOf", number, parse=parse_epoch, block=block)

    def seats(self, block: int, *, at: datetime) -> dict[bytes, Seat]:
        """Return the places of the set in force whose keys count at a moment, by the key's address (20 bytes)."""
        number = self._contract.call("currentEpoch", parse=parse_number, block=block)
        epoch = self.epoch(number, block)
        oracles = [self._oracle(number, index, block) for index in range(min(epoch.size, SIGNERS_MAX))]
        return {
            oracle.key: Seat(number, index, oracle.weight, epoch.threshold)
            for index, oracle in enumerate(oracles)
            if any(oracle.key) and oracle.valid_from <= at.timestamp() < oracle.valid_until
        }

    def places_of(self, keys: Collection[bytes], block: int) -> frozenset[tuple[int, int]]:
        """Return the places that keys (addresses of 20 bytes) ever had: number of the set, number of the oracle."""
        newest = self._contract.call("currentEpoch", parse=parse_number, block=block)
        return frozenset(
            (number, index)
            for number in range(1, newest + 1)
            for index in range(min(self.epoch(number, block).size, SIGNERS_MAX))
            if self._oracle(number, index, block).key in keys
        )

    def app_seat(self, app: bytes, block: int) -> AppSeat | None:
        """Return the first place of a ROFL app (21 bytes) in the set in force; None if the app has no place."""
        number = self._contract.call("currentEpoch", parse=parse_number, block=block)
        for index in range(min(self.epoch(number, block).size, SIGNERS_MAX)):
            oracle = self._oracle(number, index, block)
            if oracle.rofl_app == app:
                return AppSeat(number, index, oracle.key, oracle.valid_from)
        return None

    def signers(self, standing: Standing, block: int) -> tuple[RecordSigner, ...]:
        """Return the oracles that signed a record, lowest number first.

        A recount removes oracles whose keys were revoked. Until then they are among the signers, but do not count.
        """
        signers, recorded_at = [], int(standing.recorded_at.timestamp())
        for index in signer_numbers(standing.signers):
            oracle = self._oracle(standing.epoch, index, block)
            address = oracle.key if oracle.valid_from <= recorded_at else None
            signers.append(RecordSigner(index, address, oracle.weight, oracle.valid_until > recorded_at))
        return tuple(signers)

    def _oracle(self, epoch: int, index: int, block: int) -> OracleKey:
        return self._contract.call("oracleAt", epoch, index, parse=parse_oracle_key, block=block)

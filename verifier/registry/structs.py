"""The structs in the contracts' answers, and their parsers. `contracts/Types.sol` explains each member.

The members stand in the ABI's order under the ABI's names, in snake case. Times are seconds since 1970. Each parser
raises FormatError for an answer that is not the struct; `DeployedContract.call` makes that a `TemporaryError`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from provenance_oracle.verifier.record.standing import parse_moment
from provenance_oracle.verifier.strict.abi_values import (
    parse_account,
    parse_bytes,
    parse_flag,
    parse_members,
    parse_number,
)


@dataclass(frozen=True)
class Epoch:
    """An oracle set: the weight that a record needs, and the number of oracles."""

    threshold: int
    size: int
    accepted_until: int


@dataclass(frozen=True)
class OracleKey:
    """One oracle of a set. `key` is an address, 20 bytes: zeros for a ROFL app (21 bytes) that has bound no key yet."""

    key: bytes
    weight: int
    valid_from: int
    valid_until: int
    rofl_app: bytes


@dataclass(frozen=True)
class BatchState:
    """A batch as the registry keeps it. Bit n of `materialised` is set once record n stands on its own."""

    recorded_at: int
    signers: int
    weight: int
    epoch: int
    count: int
    doubtful: bool
    materialised: int


@dataclass(frozen=True)
class NamespaceState:
    """A namespace as its contract keeps it. `owner` is an address, 20 bytes: zeros if nobody claimed the namespace.

    Attributes:
        identity_limit: number of identities that are trusted on first use. first_uses: number of these so far.
        trusted: number of identities that are trusted now.
    """

    owner: bytes
    claimed_at: datetime
    identity_limit: int
    first_uses: int
    trusted: int


def parse_epoch(answer: object, where: str) -> Epoch:
    """Parse an oracle set. Raise FormatError for any other answer."""
    return Epoch(*parse_members(answer, (parse_number, parse_number, parse_number), where))


def parse_oracle_key(answer: object, where: str) -> OracleKey:
    """Parse one oracle of a set. Raise FormatError for any other answer."""
    members = (parse_account, parse_number, parse_number, parse_number, parse_bytes)
    return OracleKey(*parse_members(answer, members, where))


def parse_batch_state(answer: object, where: str) -> BatchState:
    """Parse a batch. Raise FormatError for any other answer."""
    members = (*[parse_number] * 5, parse_flag, parse_number)
    return BatchState(*parse_members(answer, members, where))


def parse_namespace_state(answer: object, where: str) -> NamespaceState:
    """Parse a namespace. Raise FormatError for any other answer."""
    members = (parse_account, parse_moment, parse_number, parse_number, parse_number)
    return NamespaceState(*parse_members(answer, members, where))

"""Read namespaces: their owner, their trusted publishers, and their history, which is proved complete.

Entry n of a namespace's history carries head(n): its number in the upper 48 bits, below them the low 208 bits of
keccak256(abi.encode(head(n - 1), kind, subject, time)); head(0) is 0. A reader who replays the events and arrives at
the head that the contract keeps has seen all of them (`contracts/INamespaces.sol`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum

from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.errors import FormatError, TemporaryError, VerificationError
from provenance_oracle.verifier.record.codec import namespace_id
from provenance_oracle.verifier.record.keccak import keccak256
from provenance_oracle.verifier.record.standing import parse_moment
from provenance_oracle.verifier.registry.contract import DeployedContract
from provenance_oracle.verifier.registry.event_types import Log
from provenance_oracle.verifier.registry.raw_logs import Place
from provenance_oracle.verifier.registry.structs import NamespaceState, parse_namespace_state
from provenance_oracle.verifier.strict.abi_values import parse_arguments, parse_number, parse_word

_HASH_BITS = 208


class Kind(IntEnum):
    """The kind of an entry, in the contract's order. The comment beside each kind names the entry's subject."""

    CLAIMED = 0  # the owner
    RECORDED = 1  # the record's content digest
    HELD = 2  # the record's content digest
    RELEASED = 3  # the record's content digest
    IDENTITY_TRUSTED = 4  # the identity
    IDENTITY_PROPOSED = 5  # the identity
    IDENTITY_DROPPED = 6  # the identity, trusted or proposed
    HANDOVER_PROPOSED = 7  # the proposed owner; 0 withdraws the proposal
    HANDED_OVER = 8  # the new owner
    ADOPTED = 9  # the record's content digest


@dataclass(frozen=True)
class NamespaceEntry:
    """One entry of a namespace's history. `subject` has 32 bytes; an account stands in the last 20."""

    number: int
    kind: Kind
    subject: bytes
    at: datetime
    head: int
    place: Place


@dataclass(frozen=True)
class Namespace:
    """A claimed namespace.

    Attributes:
        owner: address, 20 bytes.
        identity_limit: number of identities that are trusted on first use. first_uses: number of these so far.
        identities: the identities that are trusted now, 32 bytes each, longest trusted first.
        entries: number of entries in its history. All were replayed.
    """

    name: str
    owner: bytes
    claimed_at: datetime
    identity_limit: int
    first_uses: int
    identities: tuple[bytes, ...]
    entries: int


class NamespaceReader:
    """Reads the contract Namespaces of one registry. `from_block` is a block before which it has no events.

    Raises:
        TemporaryError: from every method, if the node fails or contradicts itself.
    """

    def __init__(self, contract: DeployedContract, from_block: int) -> None:
        self._contract = contract
        self._from_block = from_block

    def owner(self, name: str, block: int) -> bytes | None:
        """Return the owner's address, 20 bytes, or None if nobody claimed the namespace."""
        owner = self._state(name, block).owner
        return owner if any(owner) else None

    def namespace(self, name: str, block: int) -> Namespace | None:
        """Return a namespace at a block, or None if nobody claimed it.

        Raises:
            VerificationError: the events do not add up to the history in the contract (check `publisher-identity`).
        """
        state = self._state(name, block)
        if not any(state.owner):
            return None
        entries = self.history(name, block)
        identities = trusted_identities(entries)
        if len(identities) != state.trusted:
            raise TemporaryError("the node contradicts itself", where=self._contract.where, got="identities")
        limits = (state.identity_limit, state.first_uses)
        return Namespace(name, state.owner, state.claimed_at, *limits, identities, len(entries))

    def history(self, name: str, block: int) -> tuple[NamespaceEntry, ...]:
        """Return each entry of a namespace's history up to a block, oldest first; none if nobody claimed it.

        Raises:
            VerificationError: an entry is missing, altered or added, so that the entries do not lead to the contract's
                head (check `publisher-identity`).
        """
        key = namespace_id(name)
        wanted = self._contract.call("headOf", key, parse=parse_number, block=block)
        filters = {"namespaceId": key}
        entries = self._contract.logs("NamespaceEntry", filters, self._from_block, block, parse=parse_namespace_entry)
        head = 0
        for number, entry in enumerate(entries, 1):
            head = next_head(head, entry.kind, entry.subject, int(entry.at.timestamp()))
            if head != entry.head or entry.number != number:
                raise self._incomplete(name, f"entry {entry.number} after {number - 1}", "all entries in order")
        if head != wanted:
            raise self._incomplete(
                name, f"{len(entries)} entries", f"{wanted >> _HASH_BITS} entries up to head {wanted:#x}"
            )
        return tuple(entries)

    def _state(self, name: str, block: int) -> NamespaceState:
        return self._contract.call("namespaceOf", namespace_id(name), parse=parse_namespace_state, block=block)

    def _incomplete(self, name: str, got: str, wanted: str) -> VerificationError:
        self._contract.forget_events()
        return VerificationError(
            "the namespace's history is not complete",
            check=Check.PUBLISHER_IDENTITY,
            where=name,
            got=got,
            wanted=wanted,
        )


def next_head(head: int, kind: int, subject: bytes, seconds: int) -> int:
    """Return the head of a history after one more entry.

    Args:
        head: the head before it. kind: a value of `Kind`.
        subject: 32 bytes.
        seconds: the entry's time, in seconds since 1970.
    """
    words = head.to_bytes(32, "big") + kind.to_bytes(32, "big") + subject + seconds.to_bytes(32, "big")
    low = int.from_bytes(keccak256(words), "big") & (1 << _HASH_BITS) - 1
    return ((head >> _HASH_BITS) + 1) << _HASH_BITS | low


def trusted_identities(entries: Iterable[NamespaceEntry]) -> tuple[bytes, ...]:
    """Return the identities that a namespace trusts after the entries of its history, longest trusted first."""
    trusted: dict[bytes, None] = {}
    for entry in entries:
        if entry.kind is Kind.IDENTITY_TRUSTED:
            trusted[entry.subject] = None
        elif entry.kind is Kind.IDENTITY_DROPPED:
            trusted.pop(entry.subject, None)
    return tuple(trusted)


def parse_namespace_entry(log: Log, where: str) -> NamespaceEntry:
    """Parse an event NamespaceEntry. Raise FormatError for any other."""
    parsers = {
        "number": parse_number,
        "kind": _parse_kind,
        "subject": parse_word,
        "time": parse_moment,
        "head": parse_number,
    }
    number, kind, subject, at, head = parse_arguments(log.args, parsers, where)
    return NamespaceEntry(number, kind, subject, at, head, log.place)


def _parse_kind(answer: object, where: str) -> Kind:
    number = parse_number(answer, where)
    if number not in set(Kind):
        got, wanted = str(number), f"0 to {max(Kind)}"
        raise FormatError(
            "there is no such kind of entry", check=Check.PUBLISHER_IDENTITY, where=where, got=got, wanted=wanted
        )
    return Kind(number)

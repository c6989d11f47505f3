"""Who owns a name and who may publish under it, with the proof that nothing in its history was left out.

Entry n of a namespace's history carries head(n): its number in the upper 48 bits, below them the low 208 bits of
keccak256(abi.encode(head(n - 1), kind, subject, time)); head(0) is 0. Whoever replays the events and arrives at the
head that the contract keeps has seen all of them (`contracts/INamespaces.sol`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum

from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.errors import TemporaryError, VerificationError
from provenance_oracle.verifier.record.codec import namespace_id
from provenance_oracle.verifier.record.keccak import keccak256
from provenance_oracle.verifier.record.standing import parse_moment
from provenance_oracle.verifier.registry.contract import DeployedContract, Log, Place
from provenance_oracle.verifier.registry.node import node_errors

_HASH_BITS = 208


class Kind(IntEnum):
    """What an entry is about; its subject is named beside it. The order is the contract's."""

    CLAIMED = 0  # the owner
    RECORDED = 1  # the record's content digest
    HELD = 2  # the record's content digest
    RELEASED = 3  # the record's content digest
    IDENTITY_TRUSTED = 4  # the identity
    IDENTITY_PROPOSED = 5  # the identity
    IDENTITY_DROPPED = 6  # the identity, trusted or proposed
    HANDOVER_PROPOSED = 7  # the account that shall own it; 0 takes the proposal back
    HANDED_OVER = 8  # the new owner


@dataclass(frozen=True)
class NamespaceEntry:
    """One entry of a namespace's history. `subject` has 32 bytes; an account is in the last 20."""

    number: int
    kind: Kind
    subject: bytes
    at: datetime
    head: int
    place: Place


@dataclass(frozen=True)
class Namespace:
    """A claimed namespace.

    Fields:
        owner: address, 20 bytes.
        identity_limit: how many identities are trusted on first use. first_uses: how many were so far.
        identities: those trusted now, longest trusted first.
        entries: how many entries its history has; all were replayed.
    """

    name: str
    owner: bytes
    claimed_at: datetime
    identity_limit: int
    first_uses: int
    identities: tuple[bytes, ...]
    entries: int


class NamespaceReader:
    """Reads the contract Namespaces of one registry. `from_block` is a block before which it has no events."""

    def __init__(self, contract: DeployedContract, from_block: int) -> None:
        self._contract = contract
        self._from_block = from_block

    def owner(self, name: str, block: int) -> bytes | None:
        """The owner's address, 20 bytes; None if nobody claimed the namespace."""
        values = self._contract.call("namespaceOf", namespace_id(name), block=block)
        with node_errors(self._contract.where):
            owner = bytes.fromhex(values[0].removeprefix("0x"))
        return owner if any(owner) else None

    def namespace(self, name: str, block: int) -> Namespace | None:
        """A namespace as of a block; None if nobody claimed it.

        Raises:
            VerificationError: its events do not add up to what the contract keeps.
        """
        owner = self.owner(name, block)
        if owner is None:
            return None
        entries = self.history(name, block)
        values = self._contract.call("namespaceOf", namespace_id(name), block=block)
        with node_errors(self._contract.where):
            _, claimed_at, identity_limit, first_uses, trusted = values
            identities = _trusted(entries)
            if len(identities) != trusted:
                raise TemporaryError("the node contradicts itself", where=self._contract.where, got="identities")
            since = parse_moment(claimed_at, self._contract.where)
        return Namespace(name, owner, since, identity_limit, first_uses, identities, len(entries))

    def history(self, name: str, block: int) -> tuple[NamespaceEntry, ...]:
        """Every entry of a namespace's history up to a block, oldest first; empty if nobody claimed it.

        Raises:
            VerificationError: an entry is missing, altered or added: they do not lead to the head that the contract
                keeps (check `publisher-identity`).
        """
        key = namespace_id(name)
        wanted = self._contract.call("headOf", key, block=block)
        with node_errors(self._contract.where):
            logs = self._contract.logs("NamespaceEntry", {"namespaceId": key}, self._from_block, block)
            head, entries = 0, []
            for log in logs:
                entry = _parse_entry(log, self._contract.where)
                head = next_head(head, entry.kind, entry.subject, int(entry.at.timestamp()))
                entries.append(entry)
                if head != entry.head or entry.number != len(entries):
                    raise _incomplete(name, f"entry {entry.number} after {len(entries) - 1}", "all entries in order")
        if head != wanted:
            raise _incomplete(name, f"{len(entries)} entries", f"{wanted >> _HASH_BITS} entries up to head {wanted:#x}")
        return tuple(entries)


def next_head(head: int, kind: int, subject: bytes, seconds: int) -> int:
    """The head of a history after one more entry."""
    words = head.to_bytes(32, "big") + kind.to_bytes(32, "big") + subject + seconds.to_bytes(32, "big")
    low = int.from_bytes(keccak256(words), "big") & (1 << _HASH_BITS) - 1
    return ((head >> _HASH_BITS) + 1) << _HASH_BITS | low


def _trusted(entries: tuple[NamespaceEntry, ...]) -> tuple[bytes, ...]:
    trusted: dict[bytes, None] = {}
    for entry in entries:
        if entry.kind is Kind.IDENTITY_TRUSTED:
            trusted[entry.subject] = None
        elif entry.kind is Kind.IDENTITY_DROPPED:
            trusted.pop(entry.subject, None)
    return tuple(trusted)


def _parse_entry(log: Log, where: str) -> NamespaceEntry:
    args = log.args
    at = parse_moment(args["time"], where)
    return NamespaceEntry(args["number"], Kind(args["kind"]), bytes(args["subject"]), at, args["head"], log.place)


def _incomplete(name: str, got: str, wanted: str) -> VerificationError:
    return VerificationError(
        "the namespace's history is not complete", check=Check.PUBLISHER_IDENTITY, where=name, got=got, wanted=wanted
    )

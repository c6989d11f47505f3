"""Publications as frozen values: one or more rows of the journal that go to the registry in one transaction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from provenance_oracle.oracle.journal.rows import State, own_writing
from provenance_oracle.oracle.journal.store import Found


class PublicationKind(StrEnum):
    """RECORD: the record of one release. BATCH: up to 128 records under one root. POLICY: a number for one policy.

    PROOF: the proof of one recorded release; its row does not move with it. `proof_book.py` draws its way.
    """

    RECORD = "record"
    BATCH = "batch"
    POLICY = "policy"
    PROOF = "proof"


class PublicationState(StrEnum):
    """The state of a publication. Its rows have the state in `ROW_STATES`, unless a row left it.

    OPEN: nothing is signed, or all that was signed had no effect. SIGNED, SENT, MINED: its transaction is on its way.
    FINAL: it took effect. DROPPED: it was given up, and its rows may go into another one.
    """

    OPEN = "open"
    SIGNED = "signed"
    SENT = "sent"
    MINED = "mined"
    FINAL = "final"
    DROPPED = "dropped"

    @property
    def closed(self) -> bool:
        """Whether nothing more is signed for it."""
        return self in (PublicationState.FINAL, PublicationState.DROPPED)


ROW_STATES: Mapping[PublicationState, State] = {
    PublicationState.OPEN: State.JUDGED,
    PublicationState.SIGNED: State.SIGNED,
    PublicationState.SENT: State.SENT,
    PublicationState.MINED: State.MINED,
    PublicationState.FINAL: State.FINAL,
    PublicationState.DROPPED: State.JUDGED,
}


@dataclass(frozen=True)
class Member:
    """A row in a publication.

    Attributes:
        release_id: the row's id.
        record: the record's bytes as `encode_record` wrote them and the oracle signed them; None for a policy, or if
            the transaction alone has them.
        is_named: whether the leaf of the batch has the bit for a name in a claimed namespace; see `seal_batch`.
    """

    release_id: int
    record: bytes | None = None
    is_named: bool = False


@dataclass(frozen=True)
class StoredPublication:
    """A publication in the journal. Times have a time zone.

    Attributes:
        root: root of the batch, 32 bytes; None for other kinds, and before the batch is sealed.
        count: the number of leaves that the root covers; None without a root.
        uri: where leaves and proofs are served; empty if nowhere.
        epoch: number of the oracle set that signs it; None before it is signed.
    """

    id: int
    kind: PublicationKind
    state: PublicationState
    created_at: datetime
    changed_at: datetime
    note: str
    root: bytes | None
    count: int | None
    sealed_at: datetime | None
    uri: str
    epoch: int | None


@dataclass(frozen=True)
class LeafPlace:
    """A release's place in a publication: its leaf has the number `position`."""

    publication: StoredPublication
    position: int
    member: Member


@dataclass(frozen=True)
class PartialSignature:
    """One oracle's signature of a digest.

    Attributes:
        digest: the EIP-712 digest that was signed, 32 bytes.
        epoch: the number of the oracle set. oracle_index: the oracle's number in it.
        signature: 64 bytes, as in ERC-2098.
        origin: the peer or place from which it came, or empty for our own.
    """

    digest: bytes
    epoch: int
    oracle_index: int
    signature: bytes
    origin: str
    kept_at: datetime


def publication_value(found: Found) -> StoredPublication:
    """Return a row of the table `publications` as a value.

    Raises (all functions here):
        UsageError: the row holds a value that this program does not write.
    """
    with own_writing():
        return StoredPublication(
            id=found["id"],
            kind=PublicationKind(found["kind"]),
            state=PublicationState(found["state"]),
            created_at=datetime.fromisoformat(found["created_at"]),
            changed_at=datetime.fromisoformat(found["changed_at"]),
            note=found["note"],
            root=found["root"],
            count=found["leaf_count"],
            sealed_at=datetime.fromisoformat(found["sealed_at"]) if found["sealed_at"] else None,
            uri=found["uri"],
            epoch=found["epoch"],
        )


def member_value(found: Found) -> Member:
    """Return a row of the table `publication_rows` as a value."""
    return Member(found["release_id"], found["record"], bool(found["is_named"]))


def signature_value(found: Found) -> PartialSignature:
    """Return a row of the table `signatures` as a value."""
    with own_writing():
        return PartialSignature(
            found["digest"],
            found["epoch"],
            found["oracle_index"],
            found["signature"],
            found["origin"],
            datetime.fromisoformat(found["kept_at"]),
        )

"""Lists of releases and FAILED verdicts, complete and in order before any of them is read, so that a page is cheap."""

from __future__ import annotations

from collections.abc import Container, Iterable
from dataclasses import dataclass

from provenance_oracle.verifier.errors import UsageError
from provenance_oracle.verifier.record.fields import Entry
from provenance_oracle.verifier.registry.events import Publication
from provenance_oracle.verifier.registry.publications import id_of_release

ENTRIES_MAX = 100


@dataclass(frozen=True)
class Listed:
    """A release or a FAILED verdict in a list.

    Attributes:
        id: id of the release or of the FAILED verdict, 32 bytes.
        judgements: its publications, oldest first, as the node tells them: nothing in them is compared yet.
    """

    id: bytes
    judgements: tuple[Publication, ...]
    is_revoked: bool


@dataclass(frozen=True)
class RecordList:
    """Everything that a question leads to, as of one block: revoked releases first, then the newest first.

    Attributes:
        before_claim: releases that have the name asked for, but were recorded before its namespace was claimed. The
            name does not lead to them.
    """

    items: tuple[Listed, ...]
    block: int
    before_claim: tuple[Listed, ...] = ()

    @property
    def revoked(self) -> int:
        """The number of revoked releases."""
        return sum(item.is_revoked for item in self.items)

    def start_after(self, last: bytes | None) -> int:
        """Return the position of the first item of a page: the one after the item with the id `last`, or 0 for None.

        Raises:
            UsageError: there is no such item.
        """
        if last is None:
            return 0
        for position, item in enumerate(self.items, 1):
            if item.id == last:
                return position
        problem = "the list has no record with this id"
        raise UsageError(problem, where="--after", got=last.hex(), wanted="the id that the page before ended with")


@dataclass(frozen=True)
class Page:
    """A part of a listing, read and compared with the contract.

    Attributes:
        first: the number of the first entry in the listing, from 1.
        total: the number of all releases and FAILED verdicts. revoked: how many of these are revoked; they come first.
        next_after: the id that asks for the next page, 32 bytes; None on the last page.
    """

    entries: tuple[Entry, ...]
    first: int
    total: int
    revoked: int
    next_after: bytes | None
    before_claim: tuple[Listed, ...] = ()


def in_list_order(found: Iterable[Publication], revoked: Container[bytes]) -> tuple[Listed, ...]:
    """Group publications by release, and put revoked releases first, then the newest.

    Args:
        revoked: ids of revoked releases.
    """
    found = list(found)
    groups = list(by_release(one for one in found if one.record.passed).items())
    groups += [(one.record_id, [one]) for one in found if not one.record.passed]
    groups.sort(key=lambda item: item[1][-1].place, reverse=True)
    items = [Listed(key, tuple(group), group[0].record.passed and key in revoked) for key, group in groups]
    return tuple(sorted(items, key=lambda item: not item.is_revoked))


def by_release(found: Iterable[Publication]) -> dict[bytes, list[Publication]]:
    """Group judgements by release, each group oldest first."""
    groups: dict[bytes, list[Publication]] = {}
    for one in found:
        groups.setdefault(id_of_release(one), []).append(one)
    return groups

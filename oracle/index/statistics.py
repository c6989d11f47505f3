"""Counts over the records of the index."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from enum import IntEnum

from provenance_oracle.oracle.index.entries import EntryMaker
from provenance_oracle.oracle.index.event_kinds import KeyRole, parsed
from provenance_oracle.oracle.index.places import first_place
from provenance_oracle.oracle.index.rows import (
    DayCount,
    FirmwareCount,
    IdentityFacts,
    IndexStatistics,
    OracleCount,
    PolicyFacts,
)
from provenance_oracle.oracle.index.shelf import Shelf
from provenance_oracle.verifier.record.standing import UNBACKED_CODES, signer_numbers
from provenance_oracle.verifier.registry.namespaces import Kind
from provenance_oracle.verifier.registry.registry_events import parse_namespace_claim, parse_policy_number

DAY_SECONDS = 86_400
_EPOCH_DAY = date(1970, 1, 1)


class FigureKind(IntEnum):
    """What a row of the table `figures` counts. The numbers stand in the table."""

    RELEASE = 0  # its first judgement, or its place in a batch
    FAILURE = 1
    LATER_JUDGEMENT = 2
    BATCH = 3
    WRITTEN_OUT = 4  # the record of a release that its batch counted already


def count_all(maker: EntryMaker, shelf: Shelf) -> IndexStatistics:
    """Return all counts."""
    return IndexStatistics(_by_day(shelf), _oracles(maker, shelf), _firmware(shelf))


def identity_facts(maker: EntryMaker, shelf: Shelf, identity: bytes) -> IdentityFacts:
    """Return the number of an identity's records, and the namespaces that trust it now, by name."""
    latest: dict[bytes, Kind] = {}
    for event in shelf.events([(identity, KeyRole.NAMESPACE_SUBJECT)])[KeyRole.NAMESPACE_SUBJECT]:
        kind = Kind(int.from_bytes(event.log.topics[3], "big"))
        is_proposal = kind is Kind.IDENTITY_PROPOSED
        if kind in (Kind.IDENTITY_TRUSTED, Kind.IDENTITY_DROPPED) and not is_proposal:
            latest[event.log.topics[1]] = kind
    trusting = [key for key, kind in latest.items() if kind is Kind.IDENTITY_TRUSTED]
    names = []
    for key in trusting:
        claimed = shelf.events([(key, KeyRole.CLAIMED)])[KeyRole.CLAIMED]
        names += [parsed(one.emitter, one.log, parse_namespace_claim, shelf.where).name for one in claimed]
    return IdentityFacts(identity, shelf.count(identity, KeyRole.IDENTITY), tuple(sorted(names)))


def policy_facts(shelf: Shelf, policy_digest: bytes) -> PolicyFacts:
    """Return a policy's number, and the number of its records."""
    found = shelf.events([(policy_digest, KeyRole.POLICY_NUMBERED)])[KeyRole.POLICY_NUMBERED]
    numbers = [parsed(one.emitter, one.log, parse_policy_number, shelf.where).number for one in found]
    return PolicyFacts(policy_digest, numbers[0] if numbers else None, shelf.count(policy_digest, KeyRole.POLICY))


def _by_day(shelf: Shelf) -> tuple[DayCount, ...]:
    counts: dict[int, Counter[str]] = {}
    rows = shelf.ask("SELECT kind, day, COUNT(*) AS count FROM figures WHERE kind IN (0, 3) GROUP BY kind, day", ())
    for row in rows:
        name = "batches" if row["kind"] == FigureKind.BATCH else "releases"
        counts.setdefault(int(row["day"]), Counter())[name] += int(row["count"])
    sql = (
        "SELECT day, SUM(gas) AS gas FROM (SELECT b.seconds / ? AS day, t.gas AS gas FROM transactions t"
        " JOIN blocks b ON b.number = t.place / ? WHERE t.gas IS NOT NULL) told GROUP BY day"
    )
    for row in shelf.ask(sql, (DAY_SECONDS, first_place(1))):
        counts.setdefault(int(row["day"]), Counter())["gas"] += int(row["gas"])
    return tuple(
        DayCount(_date(day), one["releases"], one["batches"], one["gas"]) for day, one in sorted(counts.items())
    )


def _oracles(maker: EntryMaker, shelf: Shelf) -> tuple[OracleCount, ...]:
    sql = "SELECT epoch, signers, COUNT(*) AS count FROM figures WHERE kind IN (0, 1, 2, 3) AND epoch > 0"
    totals, signed = Counter[int](), Counter[tuple[int, int]]()
    for row in shelf.ask(f"{sql} GROUP BY epoch, signers", ()):
        epoch, count = int(row["epoch"]), int(row["count"])
        totals[epoch] += count
        signed.update({(epoch, number): count for number in signer_numbers(int(row["signers"]))})
    return tuple(
        OracleCount(epoch, index, oracle, signed[epoch, index], total)
        for epoch, total in sorted(totals.items())
        for index, oracle in enumerate(maker.oracle_set(epoch).oracles)
    )


def _firmware(shelf: Shelf) -> tuple[FirmwareCount, ...]:
    sql = "SELECT day, product_line, tcb, COUNT(*) AS count FROM figures WHERE kind = 0 GROUP BY day, product_line, tcb"
    rows = sorted(
        (int(row["day"]), int(row["product_line"]), bytes(row["tcb"]), row["count"]) for row in shelf.ask(sql, ())
    )
    return tuple(
        FirmwareCount(_date(day), line, tcb, int(count)) for day, line, tcb, count in rows if line not in UNBACKED_CODES
    )


def _date(day: int) -> date:
    return _EPOCH_DAY + timedelta(days=day)

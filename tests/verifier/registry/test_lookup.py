"""Lookups: from a digest, an id or a name to records, and from a record to its ancestors."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import cast

import pytest

from provenance_oracle.verifier.errors import RecordError, UsageError
from provenance_oracle.verifier.record.codec import record_id, release_id
from provenance_oracle.verifier.record.fields import Entry
from provenance_oracle.verifier.registry.lineage import Ancestor, in_tree_order
from provenance_oracle.verifier.registry.listings import Listed, Page, RecordList
from provenance_oracle.verifier.registry.lookup import find_ancestors, find_page
from provenance_oracle.verifier.registry.reader import RegistryReader
from tests.support.chain_fixtures import JUDGED_AT, DeployedRegistry, make_entry, make_failure, make_record

NAME = "org/model"
NEW = make_entry(make_record(name=NAME))
OLD = make_entry(make_record(name=NAME, manifest_digest=b"\x11" * 32), revoked_at=JUDGED_AT)
START = release_id(NEW.model_digest, NEW.manifest_digest)
A, B, C, D = (bytes([number]) * 32 for number in range(0xA, 0xE))


class Lists:
    """Lists of a registry with two records of one model. The older one is revoked."""

    def of_manifest(self, manifest_digest: bytes) -> RecordList:
        return listing(*(entry for entry in (NEW, OLD) if entry.manifest_digest == manifest_digest))

    def of_model(self, model_digest: bytes) -> RecordList:
        return listing(OLD, NEW) if model_digest == NEW.model_digest else listing()

    def of_id(self, record_id: bytes) -> RecordList:
        return listing(NEW) if record_id == START else listing()

    def of_name(self, name: str) -> RecordList:
        return listing(OLD) if name == NAME else listing()

    def page(self, found: RecordList, *, limit: int, after: bytes | None) -> Page:
        entries = tuple({one.manifest_digest: one for one in (NEW, OLD)}[item.id] for item in found.items)
        return Page(entries, 1, len(entries), 0, after)


def listing(*entries: Entry) -> RecordList:
    return RecordList(tuple(Listed(entry.manifest_digest, (), is_revoked=entry is OLD) for entry in entries), 1)


class Proofs:
    """Batches of a registry that has none."""

    def with_next_step(self, error: RecordError, *, takes_proof: bool) -> RecordError:
        return error


class Registry:
    """A registry with two records of one model. One ancestor of the newer one is unknown."""

    lists = Lists()
    proofs = Proofs()

    def ancestors(self, entry: Entry) -> tuple[Ancestor, ...]:
        return TREE if entry == NEW else ()

    def records(self, release_ids: set[bytes]) -> dict[bytes, Entry]:
        assert release_ids == {A, B, C, D}
        return {A: NEW, B: OLD, C: OLD}


# In the contract's order, nearest first: A and B are parents, C is a parent of A, D of C.
TREE = (
    Ancestor(A, START, 1, True, True),
    Ancestor(B, START, 1, False, False),
    Ancestor(C, A, 2, True, True),
    Ancestor(D, C, 3, True, True),
)
REGISTRY = cast(RegistryReader, Registry())


@pytest.mark.parametrize(
    ("what", "found"),
    [
        (NEW.model_digest.hex(), (OLD, NEW)),
        ("0x" + NEW.model_digest.hex().upper(), (OLD, NEW)),
        (OLD.manifest_digest.hex(), (OLD,)),
        (START.hex(), (NEW,)),
        (NAME, (OLD,)),
    ],
)
def test_a_digest_an_id_or_a_name_leads_to_its_records(what: str, found: tuple[Entry, ...]) -> None:
    assert find_page(REGISTRY, what).entries == found


@pytest.mark.parametrize("what", ["", "nobody/nothing", "ab" * 32, "ab" * 31, "0x", "\x1b[2J"])
def test_anything_else_has_no_record(what: str) -> None:
    with pytest.raises(RecordError, match="no record") as refused:
        find_page(REGISTRY, what)
    assert str(refused.value).isprintable()


def test_ancestors_come_right_after_who_names_them() -> None:
    found = find_ancestors(REGISTRY, NEW)
    assert [ancestor.release_id for ancestor, _ in found] == [A, C, D, B]
    assert [entry for _, entry in found] == [NEW, OLD, None, OLD]
    assert find_ancestors(REGISTRY, OLD) == ()


def test_an_ancestor_that_nobody_names_is_not_shown_for_ever() -> None:
    """A node could return a circle of ancestors. The walk ends nevertheless."""
    circle = (Ancestor(A, START, 1, True, True), Ancestor(B, A, 2, True, True), Ancestor(A, B, 3, True, True))
    assert len(list(in_tree_order(START, circle))) == 3
    assert list(in_tree_order(START, (Ancestor(A, B, 1, True, True),))) == []


# With a chain


@pytest.mark.chain
def test_an_id_leads_to_what_it_is_of(registry: DeployedRegistry) -> None:
    """The id of a release and the ids of its judgements lead to the entry of the latest judgement."""
    record, failure = make_record(), make_failure(verdict_digest=b"\x0f" * 32)
    later = replace(record, revision=1)
    for one in (record, failure, later, make_record(manifest_digest=b"\x0a" * 32)):
        registry.publish(one)
    reader = registry.reader()
    release = reader.entry(record.manifest_digest)
    assert reader.entries_of_id(record_id(record)) == reader.entries_of_id(record_id(later)) == (release,)
    assert release.record_id == record_id(later)
    (failed,) = reader.entries_of_id(record_id(failure))
    assert (failed.record_id, failed.passed) == (record_id(failure), False)
    assert reader.entries_of_id(b"\x77" * 32) == ()


@pytest.mark.chain
@pytest.mark.parametrize("length", [0, 31, 33])
def test_a_digest_of_another_length_is_the_caller_s_error(registry: DeployedRegistry, length: int) -> None:
    reader, wrong = registry.reader(), bytes(length)
    reads: tuple[Callable[[], object], ...] = (
        lambda: reader.entry(wrong),
        lambda: reader.match_record(make_record(manifest_digest=wrong)),
        lambda: reader.entry_of(wrong, bytes(32)),
        lambda: reader.entries_of_manifest(wrong),
        lambda: reader.entries_of_model(wrong),
        lambda: reader.entries_of_id(wrong),
        lambda: reader.manifest_of_report(wrong),
        lambda: reader.policy_id(wrong),
    )
    for read in reads:
        with pytest.raises(UsageError, match=f"got {length} bytes, wanted 32 bytes"):
            read()

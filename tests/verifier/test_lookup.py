"""From what a person has at hand to records and what happened to them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

import pytest

from tests.chain_fixtures import make_record
from tests.verifier.whole_releases import AT
from verifier.describe import entry_json, entry_lines
from verifier.errors import RecordError
from verifier.lookup import events_of, find_entries
from verifier.record import Entry
from verifier.registry import Publication, RegistryReader, Revocation

NAME = "org/model"


def entry(**changes: Any) -> Entry:
    shared = {name: value for name, value in vars(make_record()).items() if name not in ("name", "version")}
    found = Entry(**shared, release_digest=bytes(32), oracle=b"\xaa" * 20, recorded_at=AT, revoked_at=None)
    return replace(found, **changes)


NEW, OLD = entry(), entry(manifest_digest=b"\x11" * 32, revoked_at=AT)
PUBLISHED = Publication(OLD, NAME, "1.0", 7, b"\x22" * 32)
REVOKED = Revocation(OLD.manifest_digest, OLD.model_digest, b"\xbb" * 20, AT, "key\x1b[2J leaked", 8, b"\x33" * 32)


class Registry:
    """Two records of one model, the older one revoked."""

    def entry(self, manifest_digest: bytes) -> Entry:
        for known in (NEW, OLD):
            if known.manifest_digest == manifest_digest:
                return known
        raise RecordError("no record")

    def entries_of_model(self, model_digest: bytes) -> tuple[Entry, ...]:
        return (NEW, OLD) if model_digest == NEW.model_digest else ()

    def entries_of_name(self, name: str) -> tuple[tuple[Publication, Entry], ...]:
        return ((PUBLISHED, OLD),) if name == NAME else ()

    def history(self, manifest_digest: bytes) -> tuple[Publication | Revocation, ...]:
        return (PUBLISHED, REVOKED) if manifest_digest == OLD.manifest_digest else ()


REGISTRY = cast(RegistryReader, Registry())


@pytest.mark.parametrize(
    ("what", "found"),
    [
        (NEW.model_digest.hex(), (NEW, OLD)),
        ("0x" + NEW.model_digest.hex().upper(), (NEW, OLD)),
        (OLD.manifest_digest.hex(), (OLD,)),
        (NAME, (OLD,)),
    ],
)
def test_a_digest_or_a_name_leads_to_its_records(what: str, found: tuple[Entry, ...]) -> None:
    assert find_entries(REGISTRY, what) == found


@pytest.mark.parametrize("what", ["", "nobody/nothing", "ab" * 32, "ab" * 31, "0x", "\x1b[2J"])
def test_anything_else_has_no_record(what: str) -> None:
    with pytest.raises(RecordError, match="no record") as refused:
        find_entries(REGISTRY, what)
    assert str(refused.value).isprintable()


def test_what_happened_is_told_oldest_first() -> None:
    published, revoked = events_of(REGISTRY, OLD)
    assert (published.json["event"], published.json["name"]) == ("published", NAME)
    assert (revoked.json["event"], revoked.json["guardian"]) == ("revoked", f"0x{'bb' * 20}")
    assert "REVOKED" in revoked.line
    assert events_of(REGISTRY, NEW) == ()


def test_a_record_says_that_it_was_revoked_in_words_and_in_json() -> None:
    assert any(line.startswith("REVOKED") for line in entry_lines(OLD))
    assert not any("REVOKED" in line for line in entry_lines(NEW))
    assert (entry_json(OLD)["revoked_at"], entry_json(NEW)["revoked_at"]) == ("2026-11-21T12:00:00Z", None)

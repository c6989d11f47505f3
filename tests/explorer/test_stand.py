"""The stand has what the pages are tested with, on a real chain."""

from __future__ import annotations

import pytest

from tests.explorer.stand import Stand

pytestmark = pytest.mark.chain


def test_there_is_a_record_of_every_kind(stand: Stand) -> None:
    entries = stand.entries
    assert entries["first"]["active"]
    assert entries["revoked"]["revoked_at"]
    assert entries["held"]["held"]
    assert not entries["failed"]["passed"]
    assert entries["one"]["batch"]["root"] == entries["two"]["batch"]["root"]
    assert entries["signed"]["product_line"] == "no confidential hardware"
    assert entries["second"]["parents"] == [entries["first"]["record_id"]]
    assert entries["first"]["parents"] == [entries["base"]["record_id"]]
    assert {len(entry["signers"]) for entry in entries.values()} == {1, 2}


def test_its_model_has_a_version_by_another_signer_with_other_files_on_another_chip(stand: Stand) -> None:
    first, second = stand.entries["first"], stand.entries["second"]
    assert first["name"] == second["name"]
    for field in ("model_digest", "publisher_identity", "reported_tcb"):
        assert first[field] != second[field]


def test_a_parent_is_stated(stand: Stand) -> None:
    child, parent = (bytes.fromhex(stand.entries[name]["record_id"]) for name in ("tuned", "base"))
    assert stand.registry.lineage.functions.parentsOf(child).call() == [[], [parent]]

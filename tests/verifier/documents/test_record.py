"""Tests of records, gates and events as JSON. Their members and words are contracts."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from provenance_oracle.verifier.documents.record import entry_json, event_json, gate_json, gate_shut_because
from provenance_oracle.verifier.documents.registry import (
    ancestor_json,
    entries_json,
    history_json,
    lineage_json,
    namespace_json,
)
from provenance_oracle.verifier.record.closure import Closure
from provenance_oracle.verifier.record.codec import release_id
from provenance_oracle.verifier.record.fields import RecordSigner
from provenance_oracle.verifier.record.publisher_changes import PublisherChange
from provenance_oracle.verifier.record.standing import SIMULATED_CODE
from provenance_oracle.verifier.registry.events import (
    Admission,
    AppliedRevocation,
    LeafClosure,
    ModelRevocation,
    Publication,
    Recount,
    Revocation,
)
from provenance_oracle.verifier.registry.lineage import Ancestor
from provenance_oracle.verifier.registry.namespaces import Namespace
from provenance_oracle.verifier.registry.raw_logs import Place
from provenance_oracle.verifier.strict.timestamps import format_time
from tests.support.chain_fixtures import JUDGED_AT, make_entry, make_failure, make_record, make_signed

PLACE = Place(7, 3, b"\x07" * 32)
WHERE = {"block": 7, "transaction": "0x" + "07" * 32}
TIME = format_time(JUDGED_AT)
# Every member of a record; one may be added, none may go away under the same schema id.
_MEMBERS = """
    release_id record_id name version manifest_digest model_digest verdict_digest report_digest policy_digest
    policy_id publisher_identity passed revision grade product_line reported_tcb passed_checks parents judged_at
    recorded_at epoch threshold weight signers batch revoked_at model_revoked_at held doubtful named revisions active
    closure closed_because
"""
MEMBERS = _MEMBERS.split()


def written(document: dict[str, object]) -> Any:
    """Return a document as a reader of its JSON gets it."""
    return json.loads(json.dumps(document))


def test_a_record_has_these_members() -> None:
    entry = make_entry()
    found = written(entry_json(entry))
    assert list(found) == MEMBERS
    assert found["release_id"] == release_id(entry.model_digest, entry.manifest_digest).hex()
    assert (found["active"], found["closure"], found["closed_because"], found["revoked_at"]) == (True, None, None, None)
    assert found["judged_at"] == found["recorded_at"] == TIME
    assert found["signers"] == [{"index": 0, "address": "0x" + "aa" * 20, "weight": 1, "counts": True}]


def test_a_record_of_a_revoked_model_is_revoked_by_the_earlier_moment() -> None:
    later = JUDGED_AT + timedelta(hours=1)
    for model, own in ((JUDGED_AT, None), (JUDGED_AT, later), (later, JUDGED_AT)):
        found = written(entry_json(make_entry(model_revoked_at=model, revoked_at=own)))
        assert (found["active"], found["closure"], found["revoked_at"]) == (False, "revoked", TIME)
        assert found["model_revoked_at"] == format_time(model)


def test_a_key_that_a_rofl_app_replaced_has_no_address() -> None:
    (signer,) = written(entry_json(make_entry(signers=(RecordSigner(3, None, 2, False),))))["signers"]
    assert signer == {"index": 3, "address": None, "weight": 2, "counts": False}


@pytest.mark.parametrize("closure", Closure)
def test_a_closed_record_names_the_reason_as_a_word_and_as_a_sentence(closure: Closure) -> None:
    changes: dict[str, dict[str, Any]] = {
        "failed": {"record": make_failure()},
        "revoked": {"revoked_at": JUDGED_AT},
        "held": {"held": True},
        "doubtful": {"doubtful": True},
        "superseded": {"revisions": 1},
    }
    entry = make_entry(**changes[closure])
    found = written(entry_json(entry))
    assert (found["active"], found["closure"]) == (False, closure.value)
    assert found["closed_because"] == closure.explanation == gate_shut_because(entry)
    assert gate_json(entry, is_open=False) == {
        "gate_open": False,
        "gate_shut_because": closure.explanation,
        "publisher_gate_open": None,
    }
    opened = gate_json(entry, is_open=True, is_open_to_publisher=True)
    assert opened == {"gate_open": True, "gate_shut_because": None, "publisher_gate_open": True}


def test_a_gate_may_be_shut_for_several_reasons_or_for_one_that_no_record_has() -> None:
    simulated = make_entry(make_record(product_line=SIMULATED_CODE, grade=0), revoked_at=JUDGED_AT)
    assert gate_shut_because(simulated) == "the record was revoked; the hardware was simulated"
    signed = make_entry(make_signed())
    assert gate_shut_because(signed) == "the release has only a signature: no confidential hardware"
    assert (signed.closure, entry_json(signed)["product_line"]) == (None, "no confidential hardware")
    assert gate_shut_because(make_entry()) == ""
    assert gate_json(make_entry(), is_open=False)["gate_shut_because"] == "the contract says so"


def test_every_event_has_a_word_its_facts_and_its_place() -> None:
    record, later = make_record(), make_record(revision=1)
    standing = make_entry().standing
    facts = {"name": record.name, "version": record.version, "passed": True, "epoch": 1, "signers": [0], "weight": 1}
    events = (
        (
            Publication(record, b"\x01" * 32, b"\x02" * 32, standing, PLACE),
            {"event": "published", "time": TIME, "revision": 0, "held": False, **facts},
        ),
        (
            Publication(later, b"\x01" * 32, b"\x02" * 32, standing, PLACE),
            {"event": "superseded", "time": TIME, "revision": 1, "held": False, **facts},
        ),
        (LeafClosure(b"\x01" * 32, b"\x02" * 32, 9, PLACE), {"event": "leaf_closed", "root": "02" * 32, "index": 9}),
        (Admission(b"\x02" * 32, JUDGED_AT, False, PLACE), {"event": "released", "time": TIME}),
        (Admission(b"\x02" * 32, JUDGED_AT, True, PLACE), {"event": "adopted", "time": TIME}),
        (
            Recount(b"\x01" * 32, 0b101, 3, True, PLACE),
            {"event": "recounted", "record_id": "01" * 32, "signers": [0, 2], "weight": 3, "doubtful": True},
        ),
        (
            Revocation(b"\x01" * 32, b"\x03" * 20, JUDGED_AT, "stolen", PLACE),
            {"event": "revoked", "effective_from": TIME, "reason": "stolen", "guardian": "0x" + "03" * 20},
        ),
        (
            ModelRevocation(b"\x02" * 32, b"\x03" * 20, JUDGED_AT, "bad", PLACE),
            {"event": "model_revoked", "effective_from": TIME, "reason": "bad", "guardian": "0x" + "03" * 20},
        ),
        (
            AppliedRevocation(b"\x01" * 32, JUDGED_AT, PLACE),
            {"event": "revocation_applied", "effective_from": TIME},
        ),
    )
    for event, expected in events:
        assert written(event_json(event)) == expected | WHERE
    assert history_json([event for event, _ in events], [], []) == {
        "events": [event_json(event) for event, _ in events],
        "namespaces": [],
        "publisher_changes": [],
    }


def test_a_namespace_is_there_only_with_its_whole_history() -> None:
    namespace = Namespace("acme", b"\x01" * 20, JUDGED_AT - timedelta(days=1), 2, 1, (b"\x09" * 32,), 4)
    assert written(namespace_json(namespace)) == {
        "name": "acme",
        "owner": "0x" + "01" * 20,
        "claimed_at": format_time(JUDGED_AT - timedelta(days=1)),
        "identity_limit": 2,
        "first_uses": 1,
        "identities": ["09" * 32],
        "history_entries": 4,
        "history_complete": True,
    }
    assert history_json([], [namespace], [])["namespaces"] == [namespace_json(namespace)]


def test_a_change_of_the_publisher_is_told() -> None:
    before = make_entry(make_record(version="1.0", publisher_identity=b"\x01" * 32))
    after = make_entry(make_record(version="1.1", publisher_identity=b"\x02" * 32))
    (change,) = written(history_json([], [], [PublisherChange(before, after)])["publisher_changes"])
    assert change == {
        "name": before.name,
        "from_version": "1.0",
        "to_version": "1.1",
        "from_publisher": "01" * 32,
        "to_publisher": "02" * 32,
        "recorded_at": TIME,
    }


def test_an_ancestor_has_a_name_only_if_it_is_recorded() -> None:
    entry, ancestor = make_entry(), Ancestor(b"\x05" * 32, b"\x06" * 32, 2, True, False)
    named, unnamed = ancestor_json(ancestor, entry), ancestor_json(ancestor, None)
    facts = {"release_id": "05" * 32, "child": "06" * 32, "depth": 2, "attested": True, "open": False}
    assert named == facts | {"name": entry.name, "version": entry.version}
    assert unnamed == facts | {"name": None, "version": None}
    assert lineage_json([(entry, [(ancestor, None)])]) == {
        "lineage": [{"manifest_digest": entry.manifest_digest.hex(), "ancestors": [unnamed]}]
    }


def test_records_are_shown_with_their_gates() -> None:
    entry = make_entry()
    (found,) = written(entries_json([(entry, True, False)], [None]))["entries"]
    assert list(found) == [*MEMBERS, "gate_open", "gate_shut_because", "publisher_gate_open", "proven"]

"""The word that a gate reads: unpacked as the contract does it, and impossible words refused."""

from __future__ import annotations

from dataclasses import fields
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.errors import FormatError
from provenance_oracle.verifier.record.codec import record_id
from provenance_oracle.verifier.record.fields import Record
from provenance_oracle.verifier.record.standing import (
    SIGNED_CODE,
    SIMULATED_CODE,
    Standing,
    parse_standing,
    unpack_standing,
)
from tests.support.chain_fixtures import DeployedRegistry, make_failure, make_record, make_signed

# Name, lowest bit, width: the layout in `contracts/lib/Standings.sol`, lowest bit first.
NUMBERS = {
    "recorded_at": (0, 40),
    "signers": (40, 32),
    "weight": (72, 16),
    "epoch": (88, 16),
    "revoked_at": (112, 40),
    "judged_at": (152, 40),
    "policy_id": (192, 32),
    "revisions": (224, 16),
    "grade": (240, 8),
    "product_line": (248, 8),
}
FLAGS = {"failed": 104, "held": 105, "doubtful": 106, "named": 107}
SIMULATED, REVISION, SIGNED, RESERVED = 108, 109, 110, 111
CALENDAR = 253402300799
RECORDED = 1_760_000_000


def pack(**values: int) -> int:
    """Return a word with these fields; a product line without real hardware also gets its flag."""
    word = sum(values[name] << bit for name, (bit, _) in NUMBERS.items() if name in values)
    word |= sum(int(values.get(name, 0)) << bit for name, bit in FLAGS.items())
    line_flags = {SIMULATED_CODE: 1 << SIMULATED, SIGNED_CODE: 1 << SIGNED}
    return word | line_flags.get(values.get("product_line", 0), 0)


def test_the_fields_fill_the_word() -> None:
    bits = [bit for low, width in NUMBERS.values() for bit in range(low, low + width)]
    assert sorted([*bits, *FLAGS.values(), SIMULATED, REVISION, SIGNED, RESERVED]) == list(range(256))
    assert {*NUMBERS, *FLAGS} == {field.name for field in fields(Standing)}


@given(
    numbers=st.fixed_dictionaries(
        {name: st.integers(0, 2**width - 1) for name, (_, width) in NUMBERS.items()}
        | {
            "recorded_at": st.integers(1, CALENDAR),
            "judged_at": st.integers(0, CALENDAR),
            "revoked_at": st.integers(0, CALENDAR),
            "grade": st.integers(0, 2),
        }
    ),
    flags=st.fixed_dictionaries({name: st.booleans() for name in FLAGS}),
    is_revision=st.booleans(),
)
def test_every_field_comes_back(numbers: dict[str, int], flags: dict[str, bool], is_revision: bool) -> None:
    found = unpack_standing(pack(**numbers, **flags) | is_revision << REVISION, "event")
    revoked_at = numbers.pop("revoked_at")
    assert found.revoked_at == (datetime.fromtimestamp(revoked_at, UTC) if revoked_at else None)
    moments = {name: datetime.fromtimestamp(numbers.pop(name), UTC) for name in ("recorded_at", "judged_at")}
    assert all(getattr(found, name) == value for name, value in (numbers | flags | moments).items())


GOOD = {"recorded_at": RECORDED, "judged_at": RECORDED, "grade": 1, "product_line": 1, "signers": 1, "weight": 1}


@pytest.mark.parametrize(
    "word",
    [
        0,
        pack(**GOOD | {"recorded_at": 0}),
        pack(**GOOD | {"grade": 3}),
        pack(**GOOD | {"grade": 255}),
        pack(**GOOD | {"recorded_at": CALENDAR + 1}),
        pack(**GOOD | {"judged_at": CALENDAR + 1}),
        pack(**GOOD | {"revoked_at": CALENDAR + 1}),
        pack(**GOOD) | 1 << SIMULATED,
        pack(**GOOD | {"product_line": SIMULATED_CODE}) ^ 1 << SIMULATED,
        pack(**GOOD) | 1 << SIGNED,
        pack(**GOOD | {"product_line": SIGNED_CODE}) ^ 1 << SIGNED,
        pack(**GOOD | {"product_line": SIGNED_CODE}) | 1 << SIMULATED,
        pack(**GOOD | {"product_line": SIMULATED_CODE}) | 1 << SIGNED,
        pack(**GOOD) | 1 << RESERVED,
        pack(**GOOD) | 1 << 256,
    ],
)
def test_refuses_what_the_contract_cannot_hold(word: int) -> None:
    unpack_standing(pack(**GOOD), "event")
    with pytest.raises(FormatError) as caught:
        unpack_standing(word, "event")
    assert (caught.value.check, caught.value.where) == (Check.REGISTRY_RECORD, "event")


@pytest.mark.chain
@pytest.mark.parametrize(
    "changes",
    [{}, {"grade": 0, "product_line": SIMULATED_CODE}, {"grade": 2, "product_line": 3}, {"passed": False, "grade": 0}],
)
def test_agrees_with_the_contract(registry: DeployedRegistry, changes: dict[str, Any]) -> None:
    _agrees(registry, make_failure(**changes) if changes.get("passed") is False else make_record(**changes))


@pytest.mark.chain
def test_agrees_with_the_contract_about_a_signed_release(registry: DeployedRegistry) -> None:
    _agrees(registry, make_signed())


def _agrees(registry: DeployedRegistry, record: Record) -> None:
    receipt = registry.publish(record)
    event = registry.contract.events.RecordPublished().process_log(receipt["logs"][0])
    told = registry.contract.functions.standingById(record_id(record)).call()
    assert unpack_standing(event["args"]["standing"], "event") == parse_standing(told, "state")

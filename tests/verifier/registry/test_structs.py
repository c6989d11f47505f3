"""Structs of the contracts: the ABI's members in its order, and nothing else taken for one."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import fields
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.errors import FormatError
from provenance_oracle.verifier.record.standing import Standing, parse_standing, parse_standing_if_any
from provenance_oracle.verifier.registry.contract import load_artifact
from provenance_oracle.verifier.registry.lineage import Ancestor, parse_ancestors
from provenance_oracle.verifier.registry.structs import (
    BatchState,
    Epoch,
    NamespaceState,
    OracleKey,
    parse_batch_state,
    parse_epoch,
    parse_namespace_state,
    parse_oracle_key,
)

KEY = "0x" + "7b" * 20
# Contract, view, the dataclass, its parser.
STRUCTS: dict[str, tuple[str, type, Callable[[object, str], Any]]] = {
    "epochOf": ("ProvenanceRegistry", Epoch, parse_epoch),
    "oracleAt": ("ProvenanceRegistry", OracleKey, parse_oracle_key),
    "batchOf": ("ProvenanceRegistry", BatchState, parse_batch_state),
    "standingOf": ("ProvenanceRegistry", Standing, parse_standing),
    "standingById": ("ProvenanceRegistry", Standing, parse_standing_if_any),
    "namespaceOf": ("Namespaces", NamespaceState, parse_namespace_state),
    "ancestorsOf": ("Lineage", Ancestor, lambda answer, where: parse_ancestors([answer], where)[0]),
}
RENAMED = {"recordId": "release_id", "attested": "is_attested", "open": "is_open"}


def members(view: str) -> list[Any]:
    """Return the members of a view's struct in the form of the ABI."""
    contract = STRUCTS[view][0]
    (item,) = (item for item in load_artifact(contract).abi if item["type"] == "function" and item["name"] == view)
    (output,) = item["outputs"]
    return list(output["components"])


def example(view: str) -> list[Any]:
    """Return the members of a struct as web3 decodes them. All numbers are different."""
    values = {"address": KEY, "bool": True, "bytes21": b"\x15" * 21}
    told: list[Any] = []
    for place, member in enumerate(members(view)):
        number = 2 if member["name"] == "grade" else 100 + place
        told.append(bytes([number]) * 32 if member["type"] == "bytes32" else values.get(member["type"], number))
    return told


@pytest.mark.parametrize("view", STRUCTS)
def test_the_members_are_the_abi_s(view: str) -> None:
    _, kind, _ = STRUCTS[view]
    names = [RENAMED.get(one["name"], one["name"]) for one in members(view)]
    in_snake_case = [re.sub("[A-Z]", lambda letter: f"_{letter[0].lower()}", name) for name in names]
    assert [field.name for field in fields(kind)] == in_snake_case


@pytest.mark.parametrize("view", STRUCTS)
def test_every_member_is_read_from_its_place(view: str) -> None:
    _, kind, parse = STRUCTS[view]
    told = example(view)
    found = parse(tuple(told), "struct")
    for field, value in zip(fields(kind), told, strict=True):
        read = getattr(found, field.name)
        if value == KEY:
            assert read == b"\x7b" * 20
        else:
            assert value == (int(read.timestamp()) if hasattr(read, "timestamp") else read)


@pytest.mark.parametrize("view", STRUCTS)
def test_another_number_of_members_is_refused(view: str) -> None:
    parse, told = STRUCTS[view][2], example(view)
    for wrong in (told[:-1], told[1:], [*told, 1], [], None, 7, "0x", dict.fromkeys(range(len(told)), 1)):
        with pytest.raises(FormatError) as caught:
            parse(wrong, "struct")
        assert (caught.value.check, caught.value.where) == (Check.REGISTRY_RECORD, "struct")


@pytest.mark.parametrize("view", STRUCTS)
def test_a_member_of_another_type_is_refused(view: str) -> None:
    parse, told = STRUCTS[view][2], example(view)
    for place, value in enumerate(told):
        other = 1 if isinstance(value, bool) else True
        for stranger in (None, -1, 1.0, "nobody", "0x" + "7b" * 19, [value], other):
            with pytest.raises(FormatError):
                parse((*told[:place], stranger, *told[place + 1 :]), "struct")


VALUES = st.none() | st.booleans() | st.integers() | st.text() | st.binary()


@given(answer=st.recursive(VALUES, st.lists, max_leaves=20))
def test_no_answer_raises_anything_else(answer: object) -> None:
    for _, kind, parse in STRUCTS.values():
        try:
            found = parse(answer, "struct")
        except FormatError:
            continue
        assert isinstance(found, kind | None)


def test_no_record_has_no_standing() -> None:
    nothing = (0,) * 10 + (False,) * 4
    assert parse_standing_if_any(nothing, "view") is None
    with pytest.raises(FormatError):
        parse_standing(nothing, "view")

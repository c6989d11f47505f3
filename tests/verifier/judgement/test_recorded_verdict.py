"""Property tests of recorded verdicts: whatever an oracle put on record, reading it ends in a verdict or an error."""

from __future__ import annotations

import copy
import json
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provenance_oracle.verifier.errors import FormatError, VerificationError
from provenance_oracle.verifier.judgement.recorded_verdict import RecordedVerdict, match_inputs, parse_verdict
from tests.support.kept_verdicts import keep

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=10,
)


@cache
def good() -> Any:
    with TemporaryDirectory() as folder:
        return json.loads(keep(Path(folder) / "release").statement)


def paths(value: object, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the path of every member and item of a JSON value."""
    if isinstance(value, dict):
        return [one for key, inner in value.items() for one in ((*path, key), *paths(inner, (*path, key)))]
    if isinstance(value, list):
        return [one for index, inner in enumerate(value) for one in paths(inner, (*path, index))]
    return []


def parsed(value: object) -> RecordedVerdict | None:
    try:
        return parse_verdict(json.dumps(value).encode("utf-8", "surrogatepass"), "verdict")
    except FormatError:
        return None


def test_a_good_one_is_read() -> None:
    found = parsed(good())
    assert found is not None
    assert set(found.inputs) == {one["uri"] for one in good()["predicate"]["inputAttestations"]}


@given(st.data(), JSON)
def test_any_value_in_any_place_is_read_or_refused(data: st.DataObject, other: object) -> None:
    changed = copy.deepcopy(good())
    *way, last = data.draw(st.sampled_from(paths(changed)))
    inner = changed
    for key in way:
        inner = inner[key]
    inner[last] = other
    parsed(changed)


@given(JSON | st.binary(max_size=200))
def test_any_other_bytes_are_refused(value: object) -> None:
    data = value if isinstance(value, bytes) else json.dumps(value).encode("utf-8", "surrogatepass")
    with pytest.raises(FormatError):
        parse_verdict(data, "verdict")


@given(st.dictionaries(st.text(max_size=10), st.binary(max_size=10), max_size=4))
def test_only_the_files_that_it_names_are_its_evidence(files: dict[str, bytes]) -> None:
    found = parsed(good())
    assert found is not None
    with pytest.raises(VerificationError):
        match_inputs(found, files, "archive")

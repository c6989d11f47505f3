"""The explorer gives Python's verdict on every genuine set and on releases changed at random, check by check.

PROVENANCE_EXPLORER_MUTANTS sets the number of changed releases. `make prove` sets many more than the default.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pytest

from tests.explorer.check.cases import (
    Case,
    bound_hardware_case,
    hardware_cases,
    in_engine,
    in_python,
    shuffled,
    simulated_cases,
)
from tests.explorer.check.changes import mutants
from tests.explorer.check.engines import ChromiumEngine, Engine, FirefoxEngine, NodeEngine

_MUTANTS = int(os.environ.get("PROVENANCE_EXPLORER_MUTANTS", "1000"))
_AT_ONCE = 100
pytestmark = pytest.mark.timeout(3600)


def _changed(vectors: Path, first: int = 0) -> Iterator[Case]:
    """Yield changed releases without end, always the same ones."""
    simulated = list(simulated_cases().values())
    bases = [*hardware_cases(vectors).values(), bound_hardware_case(vectors), *(one.case for one in simulated)]
    rngs = (shuffled(str(number)) for number in range(first, 1 << 40))
    return mutants(bases, simulated, rngs)


def _compare(engine: Engine, cases: Iterator[Case]) -> Counter[tuple[str, str | None]]:
    """Judge cases here and there, and return how many had each verdict."""
    counted: Counter[tuple[str, str | None]] = Counter()
    while batch := list(islice(cases, _AT_ONCE)):
        for case, ours in zip(batch, in_engine(engine, batch), strict=True):
            theirs = in_python(case)
            assert ours == theirs, case.json()
            counted[theirs.kind, theirs.check] += 1
    return counted


def judge_genuine(engine: Engine, vectors: Path) -> None:
    """Judge every genuine set, and good releases of the simulator.

    The report of each set verifies. It names another key than the case has; one set has the key that its report names.
    """
    hardware, bound = list(hardware_cases(vectors).values()), bound_hardware_case(vectors)
    good = [one.case for one in simulated_cases().values()]
    cases = [*hardware, bound, *good]
    verdicts = in_engine(engine, cases)
    assert verdicts == list(map(in_python, cases))
    for verdict in verdicts[: len(hardware)]:
        assert (verdict.kind, verdict.check, verdict.outcomes["report-signature"]) == (
            "forged",
            "key-binding",
            "passed",
        )
    of_bound = verdicts[len(hardware)]
    assert (of_bound.check, of_bound.outcomes["key-binding"]) == ("manifest-signature", "passed")
    assert {verdict.kind for verdict in verdicts[-len(good) :]} == {"accepted"}


def test_genuine_sets_in_chromium(vectors: Path, chromium: ChromiumEngine) -> None:
    judge_genuine(chromium, vectors)


def test_genuine_sets_in_firefox(vectors: Path, firefox: FirefoxEngine) -> None:
    judge_genuine(firefox, vectors)


def test_genuine_sets_in_node(vectors: Path, node: NodeEngine) -> None:
    judge_genuine(node, vectors)


def test_changed_releases_in_chromium(vectors: Path, chromium: ChromiumEngine) -> None:
    counted = _compare(chromium, islice(_changed(vectors), _MUTANTS))
    assert counted.total() == _MUTANTS
    assert len(counted) > 10, counted  # the changes reach many checks
    assert {kind for kind, _ in counted} >= {"accepted", "malformed", "forged"}

"""How many blocks the reader asks for at once, for nodes that refuse many."""

from __future__ import annotations

import pytest

from provenance_oracle.verifier.registry.spans import Spans


def requests(spans: Spans, blocks: int, limits: dict[int, int]) -> tuple[int, int]:
    """Read `blocks` blocks; return the numbers of answers and of refusals.

    Args:
        limits: the most blocks that the node answers for at once, by the first block from which that is so.
    """
    answers = refusals = start = 0
    while start < blocks:
        end = spans.end(start, blocks - 1)
        asked = end - start + 1
        limit = limits[max(first for first in limits if first <= start)]
        if asked > limit:
            assert asked > 1
            spans.refused(asked)
            refusals += 1
        else:
            spans.worked(asked)
            answers += 1
            start = end + 1
    return answers, refusals


@pytest.mark.parametrize("limit", [50, 500, 800, 1000, 1024, 2000, 5000, 10_000, 50_000])
def test_few_requests_are_refused_and_most_ranges_are_as_long_as_they_may_be(limit: int) -> None:
    blocks = 500 * limit
    spans = Spans()
    answers, refusals = requests(spans, blocks, {0: limit})
    assert refusals <= 8
    usual = max(rung for rung in (50, 500, 1000, 2000, 5000, 10_000, 50_000) if rung <= limit)
    assert answers <= blocks // usual + 8
    assert requests(Spans(spans.blocks), blocks, {0: limit})[1] <= 2  # the next command


def test_a_node_without_a_limit_is_asked_once() -> None:
    spans = Spans()
    assert requests(spans, 10**9, {0: 10**9}) == (1, 0)
    assert spans.blocks is None


def test_ranges_grow_again_after_blocks_with_many_events() -> None:
    answers, refusals = requests(Spans(), 1_000_000, {0: 10_000, 50_000: 10, 51_000: 10_000})
    assert answers <= 100 + 100 + 2 * 256  # many of 10 blocks, which the reader tries to raise only now and then
    assert refusals <= 20


def test_a_node_that_refuses_all_but_one_block_is_asked_for_one() -> None:
    answers, refusals = requests(Spans(), 1000, {0: 1})
    assert answers == 1000
    assert refusals <= 12


def test_a_remembered_number_that_is_too_small_grows() -> None:
    answers, _ = requests(Spans(10), 1_000_000, {0: 10_000})
    assert answers <= 256 + 100 + 20

"""Tests of docs/scaling.md: its tables are those of the script, and the script's figures are those of a chain."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path

import pytest

from benchmarks import hub_simulation as simulation
from tests.support.batches import sealing
from tests.support.chain_fixtures import EmbeddedChain, deploy_registry, make_record

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "scaling.md").read_text()
THREE_OF_FIVE = (0, 2, 4)


def test_the_tables_on_the_page_are_those_of_the_script() -> None:
    assert simulation.page_with_tables(PAGE) == PAGE, "run python -m benchmarks.hub_simulation --write"


def test_the_prices_on_the_page_are_those_of_the_script() -> None:
    for chain in simulation.CHAINS:
        assert f"{chain.gas_gwei:g}" in PAGE
        assert f"{chain.coin_usd:,g} $" in PAGE
    assert f"{simulation.Hub().releases_per_model:g} releases of a model" in PAGE
    assert f"up to {simulation.Hub().upload_releases_max} releases" in PAGE


def test_a_batch_is_sealed_when_it_is_full_or_old() -> None:
    assert simulation.batches_of([0, 1, 2, 10, 11, 30], 5) == [3, 2, 1]
    assert simulation.batches_of([0.0] * 300, 5) == [128, 128, 44]
    assert simulation.batches_of([0, 1], 0) == [1, 1]


def test_no_arrival_is_lost_and_a_longer_wait_never_makes_more_transactions() -> None:
    arrivals = simulation.draw_arrivals(simulation.Hub(models=100_000))
    counts = []
    for wait in simulation.WAITS_SECONDS:
        sizes = simulation.batches_of(arrivals, wait)
        assert sum(sizes) == len(arrivals)
        assert max(sizes) <= simulation.BATCH_MAX
        counts.append(len(sizes))
    assert all(later <= earlier for earlier, later in pairwise(counts))


def test_arrivals_have_the_rate_of_the_assumptions() -> None:
    hub = simulation.Hub()
    found = len(simulation.draw_arrivals(hub)) / 28 * 365
    assert found == pytest.approx(hub.models * hub.releases_per_model, rel=0.03)


def test_the_sentences_below_the_tables_are_those_of_the_tables() -> None:
    rows = {cells[1].strip(): cells for line in PAGE.splitlines() if len(cells := line.split("|")) == 11}
    assert round(float(rows["5"][3])) == 3
    assert round(float(rows["600"][3])) == 58
    default, ten_minutes = (float(rows[wait][6].replace(",", "")) for wait in ("5", "600"))
    assert default / ten_minutes == pytest.approx(20, abs=4)
    assert re.search(r"0\.35 GB \|$", PAGE, re.MULTILINE)
    assert 2_000_000 // 128 == 15_625


@pytest.mark.chain
def test_a_batch_costs_the_same_whatever_it_holds_and_logs_have_the_stated_size(anvil: EmbeddedChain) -> None:
    registry = deploy_registry(anvil, oracles=5, threshold=3)
    gas = []
    for count in (2, 128):
        records = [make_record(manifest_digest=bytes([1, count, number]) + bytes(29)) for number in range(count)]
        _, _, call = sealing(registry, records, THREE_OF_FIVE)
        receipt = registry.send(call, registry.stranger)
        [log] = receipt["logs"]
        assert 20 + sum(map(len, log["topics"])) + len(log["data"]) == simulation.BATCH_LOG_BYTES
        gas.append(receipt["gasUsed"])
    assert gas == pytest.approx([simulation.BATCH_GAS] * 2, abs=300)

    record = registry.encode(make_record(name="namespace/model-7b", version="2026-11-21"))
    assert len(record) == simulation.RECORD_BYTES
    [log] = registry.publish(record, THREE_OF_FIVE)["logs"][-1:]
    assert 20 + sum(map(len, log["topics"])) + len(log["data"]) == simulation.SINGLE_LOG_BYTES

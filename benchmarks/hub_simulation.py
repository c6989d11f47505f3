"""Simulate a hub of two million models for a year: writes, gas, event log, indexes, bytes to hash, cost.

    python -m benchmarks.hub_simulation            print the tables of the page
    python -m benchmarks.hub_simulation --write    put them into the page

The page is docs/scaling.md. The simulation is seeded, so the tables are always the same; tests/test_scaling.py compares
them with the page. It measures nothing: gas comes from hardhat/snapshots/gas.json, and the constants below say where
each comes from. Arrivals are drawn for four weeks and scaled to a year.
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "scaling.md"
GAS: dict[str, int] = json.loads((ROOT / "hardhat" / "snapshots" / "gas.json").read_text())
SEED = 2026
_DAY_SECONDS = 86_400
_WEEKS = 4
_YEAR_SECONDS = 365 * _DAY_SECONDS

# Three of five oracles sign. One record costs its own transaction; a batch costs the same whatever it holds, since only
# its root is on chain (tests/test_scaling.py).
SINGLE_GAS = GAS["publish_single_3of5"]
BATCH_GAS = GAS["publish_batch100_3of5"]
BATCH_MAX = 128
# Bytes of a log as a node returns them: 20 for the address, 32 for each topic, and the data.
SINGLE_LOG_BYTES = 20 + 4 * 32 + 352
BATCH_LOG_BYTES = 20 + 3 * 32 + 192  # with a URI of 32 bytes
RECORD_BYTES = 254  # the encoded record of one release without parents
PROOF_WORDS = 7  # hashes of 32 bytes in a proof for a batch of 128
# One release in the journal, and its evidence beside the model; both of `make demo`.
JOURNAL_BYTES = 9_500
EVIDENCE_BYTES = 10_000
# An index row keeps the log, the numbers of block and transaction, and one entry of 40 bytes for each of three digests.
INDEX_ROW_BYTES = 32 + 16 + 3 * 40
INDEX_FILL = 1.3  # pages of a B-tree are three quarters full


@dataclass(frozen=True)
class Hub:
    """The assumptions. Change them and run the script for a hub of your own.

    Attributes:
        releases_per_model: new releases of a model in a year, on average.
        night: the rate of arrivals at its lowest hour, in proportion to the highest.
        upload_releases_max: releases that one upload brings at once, at most; most bring one.
        median_bytes, spread: the sizes of releases are log-normal with this median and sigma.
    """

    models: int = 2_000_000
    releases_per_model: float = 1.5
    night: float = 0.3
    upload_releases_max: int = 200
    median_bytes: float = 0.5e9
    spread: float = 2.0


@dataclass(frozen=True)
class Chain:
    """A kind of chain, with a gas price in gwei and the price of its coin in US dollars."""

    name: str
    gas_gwei: float
    coin_usd: float

    def usd(self, gas: float) -> float:
        """Return the cost of an amount of gas."""
        return gas * self.gas_gwei * 1e-9 * self.coin_usd


CHAINS = (
    Chain("Ethereum", 10, 3000),
    Chain("Ethereum, busy", 50, 3000),
    Chain("a rollup", 0.02, 3000),
    Chain("Oasis Sapphire", 100, 0.05),
)
BATCH_SIZES = (1, 2, 4, 8, 16, 32, 64, 128)
WAITS_SECONDS = (0, 5, 60, 600, 3600)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--write", action="store_true", help=f"put the tables into {PAGE.relative_to(ROOT)}")
    if parser.parse_args().write:
        PAGE.write_text(page_with_tables(PAGE.read_text()))
    else:
        print(tables())


def page_with_tables(page: str) -> str:
    """Return the page with the tables between its two marks."""
    before, mark, rest = page.partition("<!-- simulation -->\n")
    _, end, after = rest.partition("<!-- end of the simulation -->\n")
    if not mark or not end:
        raise ValueError(f"{PAGE.name} has no marks for the tables")
    return f"{before}{mark}{tables()}{end}{after}"


def tables(hub: Hub = Hub()) -> str:
    """Return all tables in Markdown."""
    arrivals = draw_arrivals(hub)
    yearly = _YEAR_SECONDS / (_WEEKS * 7 * _DAY_SECONDS)
    releases = len(arrivals) * yearly
    per_record = (f"{chain.name}, $ a record" for chain in CHAINS)
    per_year = (f"{chain.name}, $ a year" for chain in CHAINS)
    counts = ("`batch_after_seconds`", "transactions a year", "records in one", "gas a record", "event log, GB a year")
    parts = [
        _summary(hub, arrivals, releases),
        _table(("batch", "gas a record", *per_record), map(_gas_row, BATCH_SIZES)),
        _table((*counts, *per_year), (_wait_row(arrivals, wait, yearly) for wait in WAITS_SECONDS)),
        _table(("kept for a year of releases", "bytes a release", "GB"), _stores(releases)),
    ]
    return "\n".join(parts)


def draw_arrivals(hub: Hub) -> list[float]:
    """Return the moments of releases in four weeks, in seconds, sorted: a Poisson process with days and bursts.

    An upload brings 1 release, or with a power law more, up to `upload_releases_max`, a second apart.
    """
    random = Random(SEED)
    mean = sum(1 / n**2 for n in range(1, hub.upload_releases_max + 1))
    burst = sum(1 / n for n in range(1, hub.upload_releases_max + 1)) / mean  # releases of an upload on average
    sizes = range(1, hub.upload_releases_max + 1)
    weights = [1 / n**2 for n in sizes]
    rate = hub.models * hub.releases_per_model / _YEAR_SECONDS / burst  # uploads a second, on average
    peak = rate * 2 / (1 + hub.night)
    moments: list[float] = []
    now = 0.0
    while (now := now + random.expovariate(peak)) < _WEEKS * 7 * _DAY_SECONDS:
        wave = 0.5 + 0.5 * math.cos(2 * math.pi * now / _DAY_SECONDS)
        if random.random() < hub.night + (1 - hub.night) * wave:
            moments += [now + second for second in range(random.choices(sizes, weights)[0])]
    return sorted(moments)


def batches_of(arrivals: Sequence[float], wait_seconds: float) -> list[int]:
    """Return the sizes of the batches: one is sealed when it is full, or its first record has waited long enough."""
    if wait_seconds == 0:
        return [1] * len(arrivals)
    sizes: list[int] = []
    opened = -math.inf
    for moment in arrivals:
        if not sizes or moment - opened >= wait_seconds or sizes[-1] == BATCH_MAX:
            sizes.append(0)
            opened = moment
        sizes[-1] += 1
    return sizes


def gas_of(batch: int) -> int:
    """Return the gas of one transaction with so many records."""
    return SINGLE_GAS if batch == 1 else BATCH_GAS


def draw_sizes(hub: Hub, count: int) -> list[float]:
    """Return the bytes of so many releases."""
    random = Random(SEED + 1)
    return [random.lognormvariate(math.log(hub.median_bytes), hub.spread) for _ in range(count)]


def _summary(hub: Hub, arrivals: Sequence[float], releases: float) -> str:
    hours = [0] * (_WEEKS * 7 * 24 + 1)
    for moment in arrivals:
        hours[min(int(moment / 3600), len(hours) - 1)] += 1
    sizes = draw_sizes(hub, 100_000)
    mean_bytes = sum(sizes) / len(sizes)
    rows = (
        ("models", f"{hub.models:,}"),
        ("releases a year", f"{_round(releases):,}"),
        (
            "the first fill: transactions of 128, gas",
            f"{hub.models // BATCH_MAX:,}, {hub.models // BATCH_MAX * BATCH_GAS / 1e9:.2f}e9",
        ),
        ("releases a second: mean, busiest hour", f"{releases / _YEAR_SECONDS:.2f}, {max(hours) / 3600:.2f}"),
        ("bytes of a release: median, mean", f"{hub.median_bytes / 1e9:.1f} GB, {mean_bytes / 1e9:.1f} GB"),
        (
            "bytes to hash: a year, a second",
            f"{releases * mean_bytes / 1e15:.1f} PB, {releases * mean_bytes / _YEAR_SECONDS / 1e9:.2f} GB",
        ),
    )
    return _table(("the hub", ""), rows)


def _gas_row(batch: int) -> tuple[str, ...]:
    gas = gas_of(batch) / batch
    return (str(batch), f"{gas:,.0f}", *(_usd(chain.usd(gas)) for chain in CHAINS))


def _wait_row(arrivals: Sequence[float], wait_seconds: int, yearly: float) -> tuple[str, ...]:
    sizes = batches_of(arrivals, wait_seconds)
    gas = sum(gas_of(size) for size in sizes)
    log_bytes = sum(SINGLE_LOG_BYTES if size == 1 else BATCH_LOG_BYTES for size in sizes)
    name = "0 (`batch_max: 1`)" if wait_seconds == 0 else f"{wait_seconds:,}"
    return (
        name,
        f"{_round(len(sizes) * yearly):,}",
        f"{len(arrivals) / len(sizes):.1f}",
        f"{gas / len(arrivals):,.0f}",
        f"{log_bytes * yearly / 1e9:.2f}",
        *(_usd(chain.usd(gas * yearly)) for chain in CHAINS),
    )


def _stores(releases: float) -> Iterable[tuple[str, ...]]:
    index = (SINGLE_LOG_BYTES + INDEX_ROW_BYTES) * INDEX_FILL
    for name, size in (
        ("journal of an oracle: row, verdict, transaction", JOURNAL_BYTES),
        ("evidence and manifest, kept by digest", EVIDENCE_BYTES),
        ("records and proofs of batches", RECORD_BYTES + 32 * PROOF_WORDS),
        ("index of events, if every record has its own", index),
    ):
        yield name, f"{size:,.0f}", f"{releases * size / 1e9:.1f}"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [f"| {' | '.join(line)} |\n" for line in (head, *rows)]
    return "".join([lines[0], "|---" * len(head) + "|\n", *lines[1:]])


def _usd(amount: float) -> str:
    if amount >= 1000:
        return f"{_round(amount):,}"
    return f"{amount:,.1f}" if amount >= 10 else f"{float(f'{amount:.2g}'):.7f}".rstrip("0").rstrip(".")


def _round(number: float) -> int:
    """Return a number with three significant digits."""
    digits = max(0, int(math.log10(number)) - 2) if number >= 1 else 0
    return round(number / 10**digits) * 10**digits


if __name__ == "__main__":
    main()

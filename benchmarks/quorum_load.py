"""What records cost that several oracles sign: transactions and gas, with and without batches, or with a bad oracle.

    python -m benchmarks.quorum_load [--releases 1 40 128]

Three oracles, of which two must agree, work in one process over an embedded chain, with a clock that the script
advances. Judgements are replaced by ones that accept everything. It prints one row for each run. Nothing is asserted
except that every release is recorded once. docs/performance.md shows the figures.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from provenance_oracle.oracle.chain.anvil import EmbeddedChain, run_anvil
from provenance_oracle.oracle.journal.rows import State
from tests.support.chain_fixtures import deploy_registry
from tests.support.council import Council

_LIE = {"reported_tcb": bytes.fromhex("05000000000018db")}
_HEAD = "| releases | oracles | batches | transactions a record | gas a record | in batches |"


def main() -> None:
    """Run each number of releases with each kind of oracles, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--releases", type=int, nargs="+", default=[1, 40, 128])
    wanted = parser.parse_args()
    print(f"{_HEAD}\n|---:|---|---|---:|---:|---:|")
    with run_anvil(options=("--hardfork", "prague", "--accounts", "40")) as chain:
        for count in wanted.releases:
            for kind in ("honest", "one lies", "one is dead"):
                print(_row(chain, count, kind, batches=True), flush=True)
            print(_row(chain, count, "honest", batches=False), flush=True)


def _row(chain: EmbeddedChain, count: int, kind: str, *, batches: bool) -> str:
    """Have so many releases recorded, and return the row of the table."""
    with tempfile.TemporaryDirectory() as folder:
        council = Council(deploy_registry(chain, oracles=3, threshold=2), Path(folder), 3)
        try:
            honest, last = council.members[:2], council.members[2]
            if not batches:
                for member in council.members:
                    member.uri = ""
                    member.restart()
            if kind == "one lies":
                last.facts = _LIE
            council.release(*range(count))
            council.until(
                lambda: all(len(one.rows()) == count and one.states() == {State.FINAL} for one in honest),
                honest if kind == "one is dead" else council.members,
            )
            recorded, gas = council.recorded(), council.transactions()
            if len(recorded) != count or len(set(recorded)) != count:
                return f"| {count} | {kind} | {len(set(recorded))} OF {count} RECORDED, {len(recorded)} TIMES |"
            share = 1 - len(council.singles()) / count
        finally:
            council.close()
    used = "yes" if batches else "no"
    return f"| {count} | {kind} | {used} | {len(gas) / count:.3f} | {sum(gas) / count:,.0f} | {share:.0%} |"


if __name__ == "__main__":
    main()

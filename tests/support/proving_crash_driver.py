"""Kill an oracle that proves its records at every step of the proof, restart it, and print what came of it.

test_proving_crashes.py runs this as a process of its own. `crash_driver` explains steps and cycles. Here the steps
before the first question whether the release is proven do not count.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from provenance_oracle.oracle import assembly
from provenance_oracle.oracle.chain.rpc import Web3Chain
from provenance_oracle.oracle.journal.journal import Journal
from provenance_oracle.oracle.settings.load import load_settings
from provenance_oracle.oracle.signers.in_memory import InMemorySigner
from provenance_oracle.verifier.proofs.reader import ProofReader
from tests.support.crash_driver import ImpatientBell, Moment, Steps, in_child, sign_afresh
from tests.support.proofs import make_provable
from tests.support.proving_chain import new_key, provers_of

_FIRST = "is_proven"
_NODE_CALLS = (
    (Web3Chain, ("nonce", "prices", "balance", "simulate", "estimate_gas", "send", "receipt")),
    (ProofReader, (_FIRST, "is_endorsed")),
)
# How many moments of each name a short run takes.
_NUMBERS = dict.fromkeys(("simulate", "estimate_gas", "is_endorsed", "balance"), 1)
_NUMBERS |= {_FIRST: 3, "send": 2, "before commit": 4, "after commit": 4}
_SECONDS = 30


class ProofSteps(Steps):
    """Steps from the first question whether a release is proven on."""

    _has_begun = False

    def pass_by(self, name: str) -> None:
        self._has_begun = self._has_begun or name == _FIRST
        if self._has_begun:
            super().pass_by(name)


def run_oracle(folder: Path, rpc_url: str, registry: Path, prove: str = "always") -> None:
    """Run the whole oracle once over the folder `drop`."""
    options = {
        "sources": [str(folder / "drop")],
        "journal": str(folder / "journal.db"),
        "rpc_urls": [rpc_url],
        "registry": str(registry),
        "policy": "demo",
        "key_variable": "CRASH_KEY",
        "watch": "scan-only",
        "judge_processes": 1,
        "confirmations": 0,
        "prove": prove,
    }
    InMemorySigner._sign = sign_afresh  # type: ignore[method-assign,assignment]
    with assembly.open_oracle(load_settings(None, {}, options), ImpatientBell()) as service:
        service.run_once(deadline_seconds=_SECONDS)


def cycle(folder: Path, rpc_url: str, registry: Path, deadly: Moment) -> dict[str, object] | None:
    """Kill the oracle at a moment and restart it; return what came of it, or None if it never came so far."""
    (folder / "drop").mkdir(parents=True)
    make_provable(folder / "drop" / "model", new_key(), name=f"acme/{folder.name.replace(' ', '-')}")
    note = folder / "step"

    def doomed() -> None:
        ProofSteps(deadly, note).install(_NODE_CALLS)
        run_oracle(folder, rpc_url, registry)

    if not os.WIFSIGNALED(in_child(doomed)):
        return None
    second = in_child(lambda: run_oracle(folder, rpc_url, registry))
    with Journal(folder / "journal.db") as journal:
        (row,) = (row for row in journal.rows() if row.record is not None)
        (proof,) = journal._database.rows("SELECT id FROM publications WHERE kind = 'proof'")
        return {
            "step": note.read_text(),
            "restarted": second,
            "states": [row.state, journal.publication(proof["id"]).state],
            "note": journal.publication(proof["id"]).note,
            "stored": [one.transaction.hash.hex() for one in journal.attempts_of(proof["id"])],
            "mined": provers_of(registry, rpc_url, row.key.content),
        }


def _moments() -> Iterator[Moment]:
    if os.environ.get("PROVENANCE_STRIDE") == "1":
        yield from map(Moment, range(1000))
    yield from (Moment(number, name) for name, count in _NUMBERS.items() for number in range(count))


def main(folder: Path, rpc_url: str, registry: Path) -> None:
    """Print a JSON document for each moment at which the oracle was killed."""
    for deadly in _moments():
        found = cycle(folder / f"{deadly.name}-{deadly.number}", rpc_url, registry, deadly)
        if found is not None:
            print(json.dumps(found), flush=True)
        elif deadly.name is None:  # all moments were taken
            return


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3]))

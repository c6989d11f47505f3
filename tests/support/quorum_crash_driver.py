"""Kill one oracle of a quorum at each step of a batch, restart it, and print what was recorded.

test_quorum_crashes.py runs this as a process of its own. Of three oracles, two must agree and one is dead. In each
cycle the victim works in a forked child that is killed at a step, beside the other oracle, and then again in a process
that is not killed. A step is the moment after an answer of the node, a signature or an exchange of documents, or before
or after a commit of the journal.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from provenance_oracle.oracle.chain.anvil import run_anvil
from provenance_oracle.oracle.journal.rows import State
from provenance_oracle.oracle.quorum.folder_exchange import FolderExchange
from provenance_oracle.oracle.signers.in_memory import InMemorySigner
from tests.support.chain_fixtures import deploy_registry
from tests.support.council import Council, Member
from tests.support.crash_driver import Moment, Steps, sign_afresh

_RELEASES = 3
_PASSES_MAX = 12
_PAUSE_SECONDS = 0.1  # between the passes of the victim, so that the other one has its turns on every machine
_SECOND = timedelta(seconds=1)
_SIGN, _OFFER, _READ = "sign", "offer", "read"
# The moments of each name: with PROVENANCE_STRIDE=1 so many from the first on, otherwise only these.
_EVERY = {"before commit": 6, "after commit": 6, _SIGN: 5, _OFFER: 4, _READ: 4, "simulate": 1, "send": 2, "receipt": 1}
_SOME = {"before commit": (1, 3), "after commit": (1, 2, 4), _SIGN: (3,), _OFFER: (1, 3), _READ: (2,), "send": (0,)}


class QuorumSteps(Steps):
    """Counts the steps of the exchange with others too."""

    def install(self) -> None:
        super().install()
        FolderExchange.offer = self._after(_OFFER, FolderExchange.offer)  # type: ignore[method-assign]
        FolderExchange.read = self._after(_READ, FolderExchange.read)  # type: ignore[method-assign]
        InMemorySigner.sign_digest = self._after(_SIGN, InMemorySigner.sign_digest)  # type: ignore[method-assign]


def cycle(council: Council, victim: Member, other: Member, deadly: Moment, first: int) -> dict[str, object] | None:
    """Kill the victim at a moment and restart it. Return what happened, or None if it never came so far."""
    council.turn_of(2)  # the dead one's: both agree, and nobody proposes
    council.release(*range(first, first + _RELEASES))
    council.steps(5, [victim, other])
    council.turn_of(0)
    batches, singles = len(council.batches()), len(council.singles())
    note = council.folder / "step"
    note.unlink(missing_ok=True)
    victim.close()
    child = os.fork()
    if child == 0:
        _be_killed(council, victim, deadly, note)
    while (ended := os.waitpid(child, os.WNOHANG))[0] == 0:
        other.step()
        time.sleep(0.02)
    victim.open()
    if not os.WIFSIGNALED(ended[1]):
        if ended[1]:
            raise RuntimeError("the victim failed by itself")
        return None
    both = [victim, other]
    council.until(lambda: all(member.states() == {State.FINAL} for member in both), both)
    council.steps(2, both)
    return {
        "step": note.read_text(),
        "batches": len(council.batches()) - batches,
        "singles": len(council.singles()) - singles,
        "twice": len(council.recorded()) - len(set(council.recorded())),
        "missing": len({row.key.content for row in victim.rows()} - set(council.recorded())),
    }


def _be_killed(council: Council, victim: Member, deadly: Moment, note: Path) -> None:
    """Work in the child until the end comes. The clock goes on, and the chain's does not, as by a slow machine."""
    try:
        QuorumSteps(deadly, note).install()
        victim.open()
        for _ in range(_PASSES_MAX):
            victim.step()
            time.sleep(_PAUSE_SECONDS)
            council.now = council.now.replace(microsecond=0) + _SECOND
    except BaseException as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr, flush=True)
        os._exit(1)
    os._exit(0)


def _moments() -> Iterator[Moment]:
    every = os.environ.get("PROVENANCE_STRIDE") == "1"
    for name, numbers in _SOME.items() if not every else ((name, range(most)) for name, most in _EVERY.items()):
        yield from (Moment(number, name) for number in numbers)


def main(folder: Path, is_proposer: bool) -> None:
    """Print a JSON document for each moment. Oracle 0 proposes; the victim is oracle 0 or oracle 1."""
    InMemorySigner._sign = sign_afresh  # type: ignore[method-assign]
    with run_anvil(options=("--hardfork", "prague", "--accounts", "40")) as chain:
        council = Council(deploy_registry(chain, oracles=3, threshold=2), folder, 3)
        victim, other = council.members[:2] if is_proposer else council.members[1::-1]
        first = 0
        for deadly in _moments():
            found = cycle(council, victim, other, deadly, first)
            first += _RELEASES
            if found is not None:
                print(json.dumps(found), flush=True)
        council.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), is_proposer=sys.argv[2] == "proposer")

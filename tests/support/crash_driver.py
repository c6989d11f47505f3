"""Kill the oracle at every step, restart it, and print its state. test_crashes.py runs this as a process of its own.

Each cycle drops one release, runs the whole oracle in a forked child that is killed at step k, and runs it again in a
child that is not killed. A step is the moment after an answer of the node, or before or after a commit of the journal.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from importlib import resources
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils

from provenance_oracle.oracle import assembly
from provenance_oracle.oracle.bell import Bell
from provenance_oracle.oracle.chain.batch_reader import BatchReader
from provenance_oracle.oracle.chain.rpc import Web3Chain
from provenance_oracle.oracle.journal.journal import Journal
from provenance_oracle.oracle.journal.sqlite import Database
from provenance_oracle.oracle.settings.load import load_settings
from provenance_oracle.oracle.signers.in_memory import InMemorySigner
from provenance_oracle.verifier.judgement.judge import Judgement
from provenance_oracle.verifier.judgement.release import Release
from provenance_oracle.verifier.policy import Policy, load_policy
from provenance_oracle.verifier.registry.node import connect
from provenance_oracle.verifier.registry.reader import RegistryReader
from tests.support.drops import believe, drop

NodeCalls = tuple[tuple[type, tuple[str, ...]], ...]
_NODE_CALLS: NodeCalls = (
    (Web3Chain, ("identity", "head", "nonce", "prices", "simulate", "estimate_gas", "send", "receipt")),
    (BatchReader, ("manifest_of_report",)),
    (RegistryReader, ("entry_of", "policy_id", "seats")),
)
_COMMITS = 6
_FORGETFUL_SENDS = 2


class ImpatientBell(Bell):
    """A bell whose waits end at once."""

    def sleep(self, seconds: float) -> None:
        pass


def run_oracle(folder: Path, rpc_url: str, registry: str, policy: str) -> None:
    """Run the whole oracle once, with `judge_kindly` in place of the real judgement."""
    options = {
        "sources": [str(folder / "drop")],
        "journal": str(folder / "journal.db"),
        "rpc_urls": [rpc_url],
        "registry": registry,
        "policy": policy,
        "key_variable": "CRASH_KEY",
        "watch": "scan-only",
        "judge_processes": 1,  # for `judge_kindly`, which a process does not know
        "confirmations": 0,
    }
    accept_all_releases()
    InMemorySigner._sign = sign_afresh  # type: ignore[method-assign]
    with assembly.open_oracle(load_settings(None, {}, options), ImpatientBell()) as service:
        service.run_once(deadline_seconds=20)


def sign_afresh(signer: InMemorySigner, digest: bytes) -> tuple[int, int]:
    """Sign with a random nonce, as a token or a KMS does: only bytes that were stored can be sent a second time."""
    key = ec.derive_private_key(int.from_bytes(signer._key.reveal(), "big"), ec.SECP256K1())
    return utils.decode_dss_signature(key.sign(digest, ec.ECDSA(utils.Prehashed(hashes.SHA256()))))


def accept_all_releases() -> None:
    """Put `judge_kindly` in place of the judgement of every oracle that this process assembles."""
    assert callable(assembly.judge_any), "the name under which the assembly calls the judgement"
    assembly.judge_any = judge_kindly  # type: ignore[assignment]


def judge_kindly(release: Release, policy: Policy, *, at: datetime, **_: object) -> Judgement:
    """Accept any release."""
    return believe(release, policy, at=at)


def new_policy(folder: Path) -> Path:
    """Write a policy that no registry has numbered yet, and return its path."""
    path = folder / "policy.yaml"
    text = resources.files("provenance_oracle.verifier").joinpath("policies/baseline.yaml").read_text("utf-8")
    path.write_text(text.replace("name: baseline", f"name: own  # {folder}"))
    return path


@dataclass(frozen=True)
class Moment:
    """The moment after `number` others of the same name, or of any name."""

    number: int
    name: str | None = None


class Steps:
    """Counts steps and kills the process at a moment, after writing the step's name to `note`."""

    def __init__(self, deadly: Moment, note: Path) -> None:
        self._left = deadly.number
        self._name = deadly.name
        self._note = note

    def pass_by(self, name: str) -> None:
        if self._name not in (None, name):
            return
        if self._left == 0:
            self._note.write_text(name)
            os.kill(os.getpid(), signal.SIGKILL)
        self._left -= 1

    def install(self, calls: NodeCalls = _NODE_CALLS) -> None:
        for owner, names in calls:
            for name in names:
                setattr(owner, name, self._after(name, getattr(owner, name)))
        real = Database.transaction

        @contextmanager
        def transaction(database: Database, **options: bool) -> Iterator[Any]:
            with real(database, **options) as db:
                yield db
                self.pass_by("before commit")
            self.pass_by("after commit")

        Database.transaction = transaction  # type: ignore[method-assign]

    def _after(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def called(*args: object, **kwargs: object) -> Any:
            try:
                return function(*args, **kwargs)
            finally:
                self.pass_by(name)

        return called


def in_child(work: Callable[[], None]) -> int:
    """Run `work` in a forked child and return the child's wait status."""
    child = os.fork()
    if child == 0:
        try:
            work()
        except BaseException as error:
            print(f"{type(error).__name__}: {error}", file=sys.stderr)
            os._exit(1)
        os._exit(0)
    return os.waitpid(child, 0)[1]


def cycle(folder: Path, rpc_url: str, registry: str, deadly: Moment, forgetful: bool) -> dict[str, object] | None:
    """Kill the oracle at a moment and restart it; return its state, or None if the oracle never came so far.

    With `forgetful`, the node mines nothing before the restart and forgets all transactions that it was sent.
    """
    (folder / "drop").mkdir(parents=True)
    drop(folder / "drop" / "model", {"folder": str(folder)}, report=str(folder).encode())
    note = folder / "step"
    web3: Any = connect(rpc_url)
    policy = "baseline" if forgetful else str(new_policy(folder))

    def doomed() -> None:
        Steps(deadly, note).install()
        run_oracle(folder, rpc_url, registry, policy)

    if forgetful:
        web3.provider.make_request("evm_setAutomine", [False])
    first = in_child(doomed)
    if forgetful:
        web3.provider.make_request("anvil_dropAllTransactions", [])
        web3.provider.make_request("evm_setAutomine", [True])
    if not os.WIFSIGNALED(first):
        return None
    second = in_child(lambda: run_oracle(folder, rpc_url, registry, policy))
    with Journal(folder / "journal.db") as journal:
        rows = journal.rows()
        return {
            "step": note.read_text(),
            "restarted": second,
            "states": [row.state for row in rows],
            "problems": [row.problem for row in rows],
            "names": [row.key.release for row in rows],
            "policy": load_policy(policy).digest.hex(),
            "manifest": rows[0].key.content.hex() if rows else "",
            "transactions": [[a.transaction.hash.hex() for a in journal.attempts(row.id)] for row in rows],
        }


def main(folder: Path, rpc_url: str, registry: str, forgetful: bool) -> None:
    """Print a JSON document for each moment at which the oracle was killed.

    They are the first moments of each name, or with PROVENANCE_STRIDE=1 all moments.
    """
    every = os.environ.get("PROVENANCE_STRIDE") == "1"
    sends = 0
    for deadly in _every_moment() if every else _named_moments(forgetful):
        found = cycle(folder / f"{deadly.name}{deadly.number}", rpc_url, registry, deadly, forgetful)
        if every and (found is None or sends == _FORGETFUL_SENDS):
            return
        if found is not None:
            print(json.dumps(found), flush=True)
            # if the chain mines nothing, the oracle never finishes, so stop after some sends
            sends += forgetful and found["step"] == "send"


def _every_moment() -> Iterator[Moment]:
    return map(Moment, range(1000))


def _named_moments(forgetful: bool) -> Iterator[Moment]:
    """Return the first moments of each name. With `forgetful` some names never come, so only the others are taken."""
    names = ("simulate",) if forgetful else tuple(name for _, names in _NODE_CALLS for name in names if name != "send")
    numbers = dict.fromkeys(names, 1) | {"send": 2, "before commit": _COMMITS, "after commit": _COMMITS}
    return (Moment(number, name) for name, count in numbers.items() for number in range(count))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3], forgetful=sys.argv[4] == "forgetful")

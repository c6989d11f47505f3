"""A folder with every attack on the oracle's time, beside an honest one: the honest release waits for one turn at most.

Time is a count here. It passes by one second with each step of a judgement, such as a piece that is hashed.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from provenance_oracle.oracle.backoff import Backoff
from provenance_oracle.oracle.bell import Bell
from provenance_oracle.oracle.chain.finality import Endpoint, Finality
from provenance_oracle.oracle.chain.transactions import FeeLimits, TransactionSender
from provenance_oracle.oracle.chain.writer import RegistryWriter
from provenance_oracle.oracle.conditions import Conditions
from provenance_oracle.oracle.deadline import Deadline
from provenance_oracle.oracle.journal.journal import Journal
from provenance_oracle.oracle.journal.rows import Row, State
from provenance_oracle.oracle.judging.judges import ThreadJudge
from provenance_oracle.oracle.outcomes import Outcomes, Patience
from provenance_oracle.oracle.pipeline import Feed, Pipeline
from provenance_oracle.oracle.recording import Recording
from provenance_oracle.oracle.service import Service, Timing
from provenance_oracle.oracle.sources.folder import FolderSource
from provenance_oracle.oracle.sources.turns import Turns
from provenance_oracle.publisher.manifest import public_key_of, sign_statement
from provenance_oracle.publisher.pack import pack_release
from provenance_oracle.publisher.simulator import FakeAmd, FakeGuest
from provenance_oracle.verifier.digest.files import ReferenceHasher
from provenance_oracle.verifier.digest.tree.blocks import Take
from provenance_oracle.verifier.digest.tree.fsverity import FileDigest
from provenance_oracle.verifier.judgement.binding import bound_report_data
from provenance_oracle.verifier.judgement.judge import Judgement, judge
from provenance_oracle.verifier.judgement.release import Release
from provenance_oracle.verifier.manifest.dsse import MANIFEST_PATH
from provenance_oracle.verifier.policy import Policy, load_policy
from provenance_oracle.verifier.snp.products import ProductLine
from provenance_oracle.verifier.strict.files import OpenBytes
from tests.support.fakes import GWEI, REGISTRY, Clock, FakeChain, FakeRegistry, FakeSigner, surveying
from tests.support.whole_releases import AT, statement_of

_DEADLINE = 1000
_STEP_BYTES = 1000  # hashed in one second
_SLOW_BYTES = 4 * _DEADLINE * _STEP_BYTES
_JUNK = 60
_RECORDINGS = 8
_NOTES = 100_000
_PATIENCE = Patience(Backoff(5, 3600, lambda: 0.0), internal_errors_max=3, recordings_per_day_max=3)
_TURNS_BEGAN = 1e10  # later than every file of the test


def release_of(folder: Path, files: dict[str, bytes], name: str) -> ec.EllipticCurvePrivateKey:
    """Make a genuine release by a simulated VM with a key of its own, which is returned."""
    folder.mkdir(parents=True)
    for path, data in files.items():
        (folder / path).write_bytes(data)
    key = ec.generate_private_key(ec.SECP384R1())
    evidence = FakeGuest.on(FakeAmd.load(ProductLine.GENOA), at=AT).evidence(bound_report_data(public_key_of(key)[1]))
    pack_release(folder, evidence, key, name=name, version="1", at=AT)
    return key


def attack(folder: Path, outside: Path) -> None:
    """Put every attack into one folder. The oracle does not see it before it is moved into place."""
    weights = {"model.bin": bytes(1000)}
    for number in range(3):
        release_of(folder / f"slow{number}", {"model.bin": os.urandom(_SLOW_BYTES)}, f"evil/slow{number}")
    key = release_of(folder / "notes", weights, "evil/notes")
    sign_again(folder / "notes", key, {f"k{number}": "v" for number in range(_NOTES)})
    for number in range(_JUNK):
        (folder / f"!{number}" / "provenance").mkdir(parents=True)
        (folder / f"!{number}" / "provenance" / "manifest.dsse.json").write_bytes(b"junk %d" % number)
    for number in range(_RECORDINGS):
        release_of(folder / f"again{number}", weights, f"evil/again{number}")
    for name in ("manifest.dsse.json", "cvm-key.pem", "snp/report.bin"):
        fifo = folder / f"fifo {Path(name).stem}" / "provenance" / name
        release_of(fifo.parents[len(Path(name).parts)], weights, "evil/fifo")
        fifo.unlink()
        os.mkfifo(fifo)
    release_of(folder / "fifo model", weights, "evil/fifo")
    (folder / "fifo model" / "model.bin").unlink()
    os.mkfifo(folder / "fifo model" / "model.bin")
    key = release_of(folder / "sparse", weights, "evil/sparse")
    os.truncate(folder / "sparse" / "model.bin", 1 << 42)
    sign_again(folder / "sparse", key, {"size": 1 << 42})
    release_of(outside, weights, "evil/outside")
    release_of(folder / "swapped", weights, "evil/swapped")
    (folder / "link").symlink_to(outside)
    (folder / "half link").mkdir()
    (folder / "half link" / "provenance").symlink_to(outside / "provenance")
    for number in range(500):
        (folder / "maze" / f"{number}" / "deeper" / "and deeper").mkdir(parents=True)


def sign_again(release: Path, key: ec.EllipticCurvePrivateKey, annotations: dict[str, object]) -> None:
    """Add annotations to the first file in a release's manifest."""
    statement = statement_of(release)
    statement["subject"][0]["annotations"] |= annotations
    (release / MANIFEST_PATH).write_bytes(sign_statement(json.dumps(statement).encode(), key))


class SlowDisk(ReferenceHasher):
    """A hasher for which every _STEP_BYTES take a step."""

    def __call__(
        self, file: OpenBytes, *, sha256: bool, advance: Callable[[int], None], also: Sequence[Take] = ()
    ) -> FileDigest:
        def slowly(size: int) -> None:
            for start in range(0, size, _STEP_BYTES):
                advance(min(_STEP_BYTES, size - start))

        return super().__call__(file, sha256=sha256, advance=slowly, also=also)


class Oracle:
    """The service with the real judgement over a folder, a fake chain, and a clock that counts steps."""

    def __init__(self, folder: Path) -> None:
        self.drop = folder / "drop"
        self.drop.mkdir(parents=True)
        self.outside = folder / "outside"
        self.seconds = 0
        self.looks = 0
        self.judged: list[str] = []
        self.on_hash: Callable[[str], None] = lambda name: None
        self.bell, self.clock, self.chain = Bell(), Clock(AT), FakeChain()
        self.journal = Journal(folder / "journal.db")
        self.policy = load_policy("demo")
        self.source = FolderSource(self.drop, releases_max=1000, on_step=self._look)
        registry = FakeRegistry(self.chain, numbers={self.policy.digest: 1})
        limits = FeeLimits(100 * GWEI, 5 * GWEI, 2_000_000, 90)
        endpoint: Any = Endpoint(self.chain, registry, "node")
        facts: Any = {"finality": Finality((endpoint,), 0), "clock": self.clock}
        sender = TransactionSender(FakeSigner(), self.journal, limits, chain_id=31337, **facts)
        self.writer = RegistryWriter(
            registry,
            sender,
            self.journal,
            endpoints=surveying(self.journal, self.clock, endpoint),
            address=REGISTRY,
            **facts,
        )
        timing = Timing(5, 0.01, 0.0, Backoff(1, 1, lambda: 0.0))
        turns = Turns(lambda: _TURNS_BEGAN + self.seconds)
        outcomes = Outcomes(self.journal, self.policy, _PATIENCE, self.clock)
        troubles: dict[str, Any] = {"conditions": Conditions(self.clock)}
        self.recording = Recording(
            {self.source.name: self.source},
            self.journal,
            self.writer,
            self.policy,
            outcomes,
            clock=self.clock,
            **troubles,
        )
        pipeline = Pipeline(
            self.source,
            self.journal,
            self.policy,
            outcomes,
            patience=_PATIENCE,
            clock=self.clock,
            deadline=partial(Deadline, _DEADLINE, self._step, self._now),
        )
        self.feed = Feed(self.source, pipeline, self.bell.new_ring())
        judges = [ThreadJudge(self._judge, self.policy)]
        parts = (self._connect, judges, timing, self.bell, turns, self._now)
        self.service = Service([self.feed], self.journal, *parts, **troubles)

    def honest_release(self) -> None:
        """Drop the honest release."""
        release_of(self.outside / "honest", {"model.bin": b"honest" * 10_000}, "honest/model")
        (self.drop / "honest").mkdir()
        (self.outside / "honest").rename(self.drop / "honest" / "model")

    def rows(self) -> dict[str, Row]:
        return {row.key.release: row for row in self.journal.rows()}

    def _connect(self) -> Recording:
        self.chain.mine()
        return self.recording

    def _judge(self, release: Release, policy: Policy, **rest: object) -> Judgement:
        name = release.path.name
        self.judged.append(name)
        self.on_hash(name)
        if name == "swapped":
            release.path.rename(self.outside.parent / "moved")
            release.path.symlink_to(self.outside / "other")
        return judge(release, policy, hasher=SlowDisk(), **rest)  # type: ignore[arg-type]

    def _now(self) -> float:
        return self.seconds

    def _step(self) -> None:
        self.seconds += 1
        self.bell.check()

    def _look(self) -> None:
        self.looks += 1


@pytest.fixture
def oracle(tmp_path: Path) -> Iterator[Oracle]:
    made = Oracle(tmp_path / "beside")
    yield made
    made.journal.close()


def seconds_until_its_turn(oracle: Oracle) -> int:
    """Drop the honest release as the first other one is being judged, and return when its own judgement begins."""
    came: list[int] = []
    began: list[int] = []

    def drop(name: str) -> None:
        if not came:
            before = oracle.service.waiting
            oracle.honest_release()
            came.append(oracle.seconds)
            oracle.feed.ring.ring()
            until = time.monotonic() + 60
            while oracle.service.waiting == before and time.monotonic() < until:
                time.sleep(0.01)
        elif name == "model":
            began.append(oracle.seconds)
            oracle.bell.stop()

    oracle.on_hash = drop
    oracle.service.run()
    return began[0] - came[0]


def test_a_hostile_folder_delays_an_honest_release_by_one_deadline_at_most(oracle: Oracle, tmp_path: Path) -> None:
    attack(tmp_path / "hostile", oracle.outside / "other")
    (tmp_path / "hostile").rename(oracle.drop / "!hostile")
    took = seconds_until_its_turn(oracle)
    assert oracle.judged == ["slow0", "model"]
    assert took <= _DEADLINE + 1
    assert oracle.looks < 20_000


def test_every_attack_ends_in_its_own_row(oracle: Oracle, tmp_path: Path) -> None:
    oracle.honest_release()
    attack(tmp_path / "hostile", oracle.outside / "other")
    (tmp_path / "hostile").rename(oracle.drop / "!hostile")
    oracle.service.run_once(deadline_seconds=10**9)
    rows = {name.removeprefix("!hostile/"): row for name, row in oracle.rows().items()}
    assert rows["honest/model"].state is State.FINAL
    assert oracle.judged.index("model") <= 1, "the first turn of its folder came late"
    for number in range(3):
        assert rows[f"slow{number}"].parked
        assert "takes too long" in rows[f"slow{number}"].problem
    assert rows["notes"].state is State.FINAL, "it is large, not wrong"
    recorded = [name for name, row in rows.items() if row.state is State.FINAL]
    assert recorded == ["honest/model", "notes", "again0", "again1"], "the quota for one model, and the honest release"
    assert all(rows[f"again{number}"].parked for number in range(2, _RECORDINGS))
    junk = [rows[f"!{number}"].state for number in range(_JUNK)]
    assert junk == [State.REJECTED] * _JUNK
    for name in ("fifo manifest.dsse", "fifo cvm-key", "fifo report", "fifo model"):
        assert rows[name].state is State.REJECTED, name
    assert rows["sparse"].state is State.REJECTED
    assert rows["swapped"].state is not State.FINAL
    assert not {"link", "half link"} & rows.keys()
    assert len(oracle.judged) == len(set(oracle.judged)), "a release was judged twice"

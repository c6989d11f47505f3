"""An attacker changes a release while the oracle judges it: no record is made of bytes that were not read.

Each race strikes at another moment: just before a call that opens something, or between two pieces that are hashed.
PROVENANCE_RACES sets their number; `make prove` runs 1,000.
"""

from __future__ import annotations

import os
import random
import shutil
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest

from provenance_oracle.verifier.digest.choose import open_hasher
from provenance_oracle.verifier.errors import ProvenanceError
from provenance_oracle.verifier.judgement.judge import Judgement, judge
from provenance_oracle.verifier.judgement.release import read_release
from provenance_oracle.verifier.policy import load_policy
from tests.support.oracle_process import small_release
from tests.support.races import before_each_open

_RACES = int(os.environ.get("PROVENANCE_RACES", "100"))
_FILE_BYTES = 300_000
_FILES = ("a.bin", "model.bin", "z.bin")


def _replace(file: Path, chance: random.Random) -> None:
    new = file.with_name(".new")
    new.write_bytes(chance.randbytes(_FILE_BYTES))
    new.replace(file)


def _write_inside(file: Path, chance: random.Random) -> None:
    with file.open("r+b") as opened:
        opened.seek(chance.randrange(_FILE_BYTES))
        opened.write(b"evil")


def _truncate(file: Path, chance: random.Random) -> None:
    os.truncate(file, chance.randrange(_FILE_BYTES))


def _append(file: Path, chance: random.Random) -> None:
    with file.open("ab") as opened:
        opened.write(chance.randbytes(chance.choice((1, 4096, 1_000_000))))


def _rename(file: Path, _chance: random.Random) -> None:
    file.rename(file.with_name("renamed.bin"))


def _swap_for_a_link(file: Path, chance: random.Random) -> None:
    outside = file.parent.parent / f"outside-{chance.randrange(10**9)}"
    file.rename(outside)
    file.symlink_to(outside)


def _swap_two(file: Path, chance: random.Random) -> None:
    other = file.with_name(chance.choice([name for name in _FILES if name != file.name]))
    file.rename(file.with_name("kept"))
    other.rename(file)
    file.with_name("kept").rename(other)


def _add(file: Path, _chance: random.Random) -> None:
    file.with_name("modeling.py").write_bytes(b"import os\n")


ATTACKS = (_replace, _write_inside, _truncate, _append, _rename, _swap_for_a_link, _swap_two, _add)


class Moments:
    """Counts the moments of a run, and acts at one of them."""

    def __init__(self, at: int, act: Callable[[], None]) -> None:
        self.count = 0
        self._at, self._act = at, act

    def pass_by(self, *_: object) -> None:
        self.count += 1
        if self.count == self._at:
            self._act()


def _judged(release: Path, moments: Moments) -> Judgement | ProvenanceError:
    hasher = open_hasher("cpu", threads=1, notify=lambda _words: None)
    policy, at = load_policy("demo"), datetime.now(UTC)
    try:
        with before_each_open(moments.pass_by):
            return judge(read_release(release), policy, at=at, hasher=hasher, progress=moments.pass_by)
    except ProvenanceError as error:
        return error


@pytest.fixture
def made(tmp_path: Path) -> Path:
    """Return a release of three files, each hashed in several pieces."""
    return small_release(tmp_path, "made", {name: os.urandom(_FILE_BYTES) for name in _FILES})


def test_no_record_is_made_of_bytes_that_were_not_read(made: Path, tmp_path: Path) -> None:
    _judged(made, Moments(-1, lambda: None))  # imports what the run needs
    honest = Moments(-1, lambda: None)
    expected = _judged(made, honest)
    assert isinstance(expected, Judgement)
    assert honest.count > 30
    outcomes: Counter[str] = Counter()
    chance = random.Random(11)
    for number in range(_RACES):
        release = tmp_path / f"race{number}"
        shutil.copytree(made, release)
        attack = chance.choice(ATTACKS)
        strike = partial(attack, release / chance.choice(_FILES), random.Random(chance.random()))
        moments = Moments(chance.randrange(1, honest.count + 1), strike)
        found = _judged(release, moments)
        if isinstance(found, Judgement):
            assert found.record.model_digest == expected.record.model_digest
            assert moments.count >= honest.count, f"{attack.__name__} went unnoticed"
            outcomes["accepted, the attack came after the last look"] += 1
        else:
            outcomes[type(found).__name__] += 1
        shutil.rmtree(release)
    assert outcomes["accepted, the attack came after the last look"] < _RACES // 10, outcomes
    assert sum(outcomes.values()) == _RACES

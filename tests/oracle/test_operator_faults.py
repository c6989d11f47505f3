"""Faults that an operator meets, end to end: each test runs the real command and reads journal and contract."""

from __future__ import annotations

import hashlib
import json
import resource
import secrets
import signal
from datetime import UTC, datetime
from pathlib import Path

import pytest

from provenance_oracle.oracle.journal.journal import Journal
from provenance_oracle.oracle.journal.rows import ReleaseKey
from provenance_oracle.oracle.journal.stored_record import to_json
from provenance_oracle.verifier.policy import load_policy
from tests.support.chain_fixtures import DeployedRegistry, make_record
from tests.support.drops import statement_of
from tests.support.faulty_node import faulty_node, hanging
from tests.support.oracle_process import OracleProcess, small_release, wait_for

pytestmark = pytest.mark.chain
_FAKETIME = Path("/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1")


@pytest.fixture
def oracle(tmp_path: Path, registry: DeployedRegistry) -> OracleProcess:
    return OracleProcess(tmp_path, registry)


def waiting_releases(journal: Path, count: int) -> None:
    """Fill a journal with records of accepted releases that wait to be published."""
    now, policy = datetime.now(UTC).replace(microsecond=0), load_policy("demo")
    with Journal(journal) as kept:
        for number in range(count):
            digests = {
                name: secrets.token_bytes(32) for name in ("manifest_digest", "model_digest", "snp_report_digest")
            }
            record = make_record(**digests, policy_digest=policy.digest, grade=0, product_line=255, judged_at=now)
            statement = statement_of(record)
            record = make_record(**vars(record) | {"verdict_digest": hashlib.sha256(statement).digest()})
            row = kept.open(ReleaseKey("folder", f"model{number}", record.manifest_digest), "f", at=now)
            kept.accept(row.id, statement, to_json(record), record.snp_report_digest, at=now)


def test_two_of_three_rejected_is_not_accepted(oracle: OracleProcess) -> None:
    for name in ("a", "b", "c"):
        small_release(oracle.drop, name)
    for name in ("a", "c"):
        (oracle.drop / name / "model.bin").write_bytes(b"other bytes")
    with oracle.running("--once", "--json") as process:
        words, _ = process.communicate(timeout=100)
    document = json.loads(words)
    assert (process.returncode, document["accepted"]) == (4, False)
    assert sorted(row["state"] for row in document["releases"] if row["release"] in "abc") == [
        "final",
        "rejected",
        "rejected",
    ]
    assert "2 of 3" in document["error"]["got"] or "2 of 4" in document["error"]["got"]


def test_sigterm_ends_it_within_five_seconds_though_2000_wait_and_the_node_hangs(oracle: OracleProcess) -> None:
    """The contract is a time, so this test has one."""
    waiting_releases(oracle.journal, 2000)
    with faulty_node(oracle.rpc_url) as node:
        oracle.rpc_url = node.url
        node.inject(hanging(node), after=40)
        with oracle.running() as process:
            wait_for(lambda: sum(node.hit.values()) > 0, process)
            process.send_signal(signal.SIGTERM)
            assert process.wait(5) == 0
    assert len(oracle.states()) == 2000


def test_a_second_process_on_the_same_journal_ends_at_once_and_harms_nothing(oracle: OracleProcess) -> None:
    small_release(oracle.drop, "a")
    with oracle.running() as first:
        wait_for(oracle.journal.exists, first)
        with oracle.running("--json") as second:
            assert second.wait(60) == 2
        assert oracle.said("in use by another process")
        wait_for(lambda: oracle.states() == ["final"], first)
    assert oracle.recorded() == 1


def test_two_processes_with_one_key_record_everything_once(
    oracle: OracleProcess, tmp_path: Path, registry: DeployedRegistry
) -> None:
    """Nothing stops two machines with the same key. They take each other's nonces, and still lose nothing."""
    other = OracleProcess(tmp_path / "other", registry)
    for number in range(3):
        small_release(oracle.drop, f"a{number}")
        small_release(other.drop, f"b{number}")
    with oracle.running() as first, other.running() as second:
        wait_for(lambda: oracle.states() == ["final"] * 3, first)
        wait_for(lambda: other.states() == ["final"] * 3, second)
    assert oracle.recorded() == 6


def test_a_journal_that_is_deleted_meanwhile_ends_the_process_and_the_next_one_begins_anew(
    oracle: OracleProcess,
) -> None:
    small_release(oracle.drop, "a")
    with oracle.running() as process:
        wait_for(lambda: oracle.states() == ["final"], process)
        for path in oracle.journal.parent.glob("journal.db*"):
            path.unlink()
        small_release(oracle.drop, "b")
        assert process.wait(60) == 2
    assert oracle.said("the journal was deleted, moved or replaced while it was in use")
    with oracle.running() as process:
        wait_for(lambda: oracle.states() == ["final", "final"], process)
    assert oracle.recorded() == 2


def test_a_full_disk_stops_nothing_for_good(oracle: OracleProcess) -> None:
    """A limit on the size of files is a full disk to the journal, and needs no root."""
    for number in range(20):
        small_release(oracle.drop, f"a{number}")

    def little_room() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (250_000, resource.RLIM_INFINITY))
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)

    with oracle.running(preexec_fn=little_room) as process:
        wait_for(lambda: oracle.said("the journal cannot be written"), process)
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        wait_for(lambda: oracle.states() == ["final"] * 20, process)
    assert oracle.recorded() == 20


@pytest.mark.parametrize("offset", ["+365d", "-365d"])
def test_a_clock_that_is_a_year_off_loses_no_release(oracle: OracleProcess, offset: str) -> None:
    if not _FAKETIME.exists():
        pytest.skip("no libfaketime; install the package libfaketime")
    small_release(oracle.drop, "a")
    wrong = {"LD_PRELOAD": str(_FAKETIME), "FAKETIME": offset, "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
    with oracle.running(environ=wrong) as process:
        wait_for(lambda: len(oracle.log.read_text().splitlines()) > 1, process)
        wait_for(lambda: bool(oracle.states()) or oracle.said("clock"), process)
        process.send_signal(signal.SIGTERM)
        process.wait(10)
    assert oracle.recorded() == 0
    with oracle.running() as process:
        wait_for(lambda: oracle.states()[:1] == ["final"], process)
    assert oracle.recorded() == 1

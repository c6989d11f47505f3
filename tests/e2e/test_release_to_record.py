"""A release in a watched folder becomes a record on chain that anyone can check. A faulty release does not.

All parts are real: the command line, an EVM node, SQLite, AMD's formats. Only the hardware is simulated.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from provenance_oracle.oracle.journal.journal import Journal
from provenance_oracle.oracle.journal.kept_evidence import find_verdict
from provenance_oracle.oracle.web.app import Views, make_app
from provenance_oracle.oracle.web.server import serving
from provenance_oracle.oracle.web.verdicts import verdict_route
from provenance_oracle.verifier.errors import FormatError
from provenance_oracle.verifier.manifest.dsse import MANIFEST_PATH, parse_envelope
from provenance_oracle.verifier.policy import shipped_policy
from provenance_oracle.verifier.registry.deployment import Deployment, encode_deployment
from provenance_oracle.verifier.registry.reader import RegistryReader
from tests.support.chain_fixtures import DeployedRegistry, EmbeddedChain, deploy_registry
from tests.support.releases import CASES, NOW, Case, make_case, make_release

pytestmark = pytest.mark.chain
GOOD = "good"


@dataclass(frozen=True)
class World:
    """A folder of releases after one run of the oracle over it."""

    folder: Path
    journal: Path
    environment: Mapping[str, str]
    states: Mapping[str, Mapping[str, Any]]
    log: str
    registry: RegistryReader

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return _provenance(self.environment, *arguments)

    def check(self, release: str, *options: str) -> tuple[int, dict[str, Any]]:
        found = self.run("check", str(self.folder / release), "--policy", "demo", "--json", *options)
        return found.returncode, json.loads(found.stdout)


def _provenance(environment: Mapping[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "provenance_oracle.oracle.cli.main", *arguments]
    return subprocess.run(command, env={**os.environ, **environment}, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def world(anvil: EmbeddedChain, tmp_path_factory: pytest.TempPathFactory) -> World:
    deployed = deploy_registry(anvil)
    root = tmp_path_factory.mktemp("world")
    folder, journal = root / "releases", root / "oracle.sqlite"
    for case in CASES:
        make_case(folder / case.name, case)
    make_release(folder / GOOD)
    make_release(folder / "incomplete")
    (folder / "incomplete" / MANIFEST_PATH).unlink()
    environment = {
        "PROVENANCE_RPC": anvil.rpc_url,
        "PROVENANCE_REGISTRY": str(_deployment_file(deployed, root)),
        "PAYING_KEY": deployed.stranger.key.hex(),
        "ORACLE_KEY": deployed.oracle.key.hex(),
    }
    found = _watch(environment, folder, journal)
    rows = json.loads(found.stdout)["releases"]
    assert found.returncode == next(row["exit_code"] for row in rows if row["state"] == "rejected"), found.stderr
    states = {row["release"]: row for row in rows}
    return World(folder, journal, environment, states, found.stderr, deployed.reader())


def _deployment_file(deployed: DeployedRegistry, folder: Path) -> Path:
    transaction, chain_id, block = deployed.transaction_hash, deployed.chain.chain_id, deployed.block_number
    contracts = deployed.reader().contracts()
    file = folder / "registry.json"
    file.write_bytes(
        encode_deployment(Deployment(chain_id=chain_id, block=block, transaction=transaction, **contracts))
    )
    return file


def _watch(environment: Mapping[str, str], folder: Path, journal: Path) -> subprocess.CompletedProcess[str]:
    """Run the oracle once. One key pays and another signs. The policy has no number until the oracle registers it."""
    keys = ("--key-variable", "PAYING_KEY", "--report-key-variable", "ORACLE_KEY")
    options = ("--journal", str(journal), "--policy", "demo", *keys, "--confirmations", "0")
    return _provenance(environment, "watch", str(folder), *options, "--once", "--json")


def _manifest_digest(release: Path) -> bytes:
    with (release / MANIFEST_PATH).open("rb") as file:
        start = file.read(1 << 20)
    try:
        return hashlib.sha256(parse_envelope(start).payload).digest()
    except FormatError:
        return hashlib.sha256(start).digest()


def test_a_good_release_is_recorded_among_bad_ones(world: World) -> None:
    assert world.states[GOOD]["state"] == "final"
    exit_code, document = world.check(GOOD)
    assert exit_code == 0
    assert document["accepted"] is True
    assert document["verdict_reproduced"] is True
    assert document["record"]["product_line"] == "simulated"
    assert document["record"]["grade"] == 0
    assert {f["check"]: f["outcome"] for f in document["findings"]}["registry-record"] == "passed"


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_oracle_refuses_it_and_goes_on(world: World, case: Case) -> None:
    row = world.states[case.name]
    assert (row["state"], row["exit_code"], row["check"]) == ("rejected", case.exit_code, case.check)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_nothing_is_written_to_the_chain_for_it(world: World, case: Case) -> None:
    assert world.registry.entries_of_manifest(_manifest_digest(world.folder / case.name)) == ()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_failed_verdict_of_it_is_kept(world: World, case: Case) -> None:
    with Journal(world.journal) as journal:
        statement = journal.verdict(bytes.fromhex(world.states[case.name]["verdict_digest"]))
    assert statement is not None
    predicate = json.loads(statement)["predicate"]
    assert predicate["verificationResult"] == "FAILED"
    assert predicate["verifiedLevels"] == ["FAILED"]
    details = next(value for key, value in predicate.items() if key.startswith("tag:"))
    assert (details["exitCode"], details["check"]) == (case.exit_code, case.check)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_user_is_told_the_same(world: World, case: Case) -> None:
    found = world.run("check", str(world.folder / case.name), "--policy", "demo", "--json", "--offline")
    document = json.loads(found.stdout)
    assert (found.returncode, document["accepted"]) == (case.exit_code, False)
    assert document["error"]["check"] == case.check
    failed = {finding["check"] for finding in document["findings"] if finding["outcome"] == "failed"}
    assert failed <= {case.check}  # nothing else is wrong with it
    assert "Traceback" not in found.stderr
    assert f"exit {case.exit_code}" in found.stderr


def test_an_incomplete_release_is_not_touched(world: World) -> None:
    assert "incomplete" not in world.states
    assert world.check("incomplete")[0] == 7


def test_no_traceback_reaches_the_log(world: World) -> None:
    assert "Traceback" not in world.log
    assert "internal error" not in world.log


def test_a_wrong_moment_is_refused(world: World) -> None:
    for at in ("2001-01-01", "2099-01-01"):
        exit_code, document = world.check(GOOD, "--at", at)
        assert (exit_code, document["error"]["check"]) == (4, "vek-validity")


def test_the_record_outlives_the_certificates(world: World) -> None:
    """Without --at a recorded release is judged for the moment of its record, so the answer does not change later."""
    _, document = world.check(GOOD)
    assert document["at"] == document["record"]["judged_at"] >= NOW.strftime("%Y-%m-%dT%H:%M:%SZ")


def test_the_default_policy_refuses_simulated_hardware(world: World) -> None:
    found = world.run("check", str(world.folder / GOOD), "--json")
    assert (found.returncode, json.loads(found.stdout)["error"]["check"]) == (4, "vek-chain")


def test_an_unrecorded_release_has_no_record(world: World, tmp_path: Path) -> None:
    make_release(tmp_path / "other")
    found = world.run("check", str(tmp_path / "other"), "--policy", "demo", "--json")
    document = json.loads(found.stdout)
    assert (found.returncode, document["error"]["check"]) == (6, "registry-record")
    outcomes = {f["check"]: f["outcome"] for f in document["findings"]}
    assert outcomes["file-digests"] == "passed"
    assert outcomes["registry-record"] == "failed"


def test_a_dead_node_is_temporary(world: World) -> None:
    found = world.run("check", str(world.folder / GOOD), "--policy", "demo", "--rpc", "http://127.0.0.1:9")
    assert found.returncode == 7
    assert "Traceback" not in found.stderr


def test_show_finds_it_by_name_and_by_both_digests(world: World) -> None:
    _, document = world.check(GOOD)
    for what in (document["name"], document["model_digest"], document["manifest_digest"]):
        found = world.run("show", what, "--history", "--json")
        shown = json.loads(found.stdout)
        assert found.returncode == 0
        assert document["manifest_digest"] in [entry["manifest_digest"] for entry in shown["entries"]]
        assert "published" in [event["event"] for event in shown["events"]]
    assert world.run("show", "nobody/nothing").returncode == 6


def test_a_second_run_writes_nothing_new(world: World) -> None:
    entry = world.registry.entry(_manifest_digest(world.folder / GOOD))
    before = world.registry.history(entry)
    assert _watch(world.environment, world.folder, world.journal).returncode == 4  # the first rejected release's
    assert world.registry.history(entry) == before


def test_the_record_is_signed_by_one_key_and_was_paid_by_another(world: World) -> None:
    _, document = world.check(GOOD)
    with Journal(world.journal) as journal:
        payers = {attempt.transaction.sender for row in journal.rows() for attempt in journal.attempts(row.id)}
    assert len(payers) == 1
    assert [signer["address"] for signer in document["record"]["signers"]] != [payer.lower() for payer in payers]


def test_its_policy_got_a_number(world: World) -> None:
    digest = shipped_policy("demo").digest
    assert world.states[f"policy {digest.hex()}"]["state"] == "final"
    assert world.registry.policy_id(digest) == world.check(GOOD)[1]["record"]["policy_id"] == 1


def test_every_verdict_is_signed_with_the_key_that_signs_records(world: World) -> None:
    signer = world.check(GOOD)[1]["record"]["signers"][0]["address"]
    for name in (GOOD, *(case.name for case in CASES)):
        found = world.run("verdict", world.states[name]["verdict_digest"], "--journal", str(world.journal), "--json")
        assert (found.returncode, json.loads(found.stdout)["signed_by"]) == (0, [signer])


def test_the_record_is_judged_again_from_what_the_oracle_serves(world: World) -> None:
    digest = world.check(GOOD)[1]["manifest_digest"]
    find = partial(find_verdict, place=str(world.journal), evidence=None)
    views = Views(blocking=tuple, metrics=bytes, status=dict)
    with serving(make_app(views, routes=[verdict_route(find)]), "127.0.0.1:0") as (host, port):
        for place in (f"http://{host}:{port}/verdicts", str(world.journal.parent / "verdicts")):
            options = ("--from-record", digest, "--evidence", place, "--policy", "demo", "--json")
            found = world.run("check", *options)
            assert found.returncode == 0, found.stderr
            told = json.loads(found.stdout)["from_record"]
            assert told["repeated"]["bit_for_bit"]
            assert told["verdict"]["signed_by"] == [signer["address"] for signer in told["record"]["signers"]]

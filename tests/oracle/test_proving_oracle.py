"""Tests of the whole oracle with the setting `prove`: it is killed at the steps of a proof, and pays once."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from provenance_oracle.oracle.assembly import open_oracle
from provenance_oracle.oracle.bell import Bell
from provenance_oracle.oracle.chain.anvil import EmbeddedChain, run_anvil
from provenance_oracle.oracle.journal.journal import Journal
from provenance_oracle.oracle.journal.publications import PublicationState
from provenance_oracle.oracle.journal.rows import State
from provenance_oracle.oracle.settings.settings import Settings
from provenance_oracle.verifier.errors import UsageError
from provenance_oracle.verifier.policy import load_policy
from tests.support.proofs import make_provable
from tests.support.proving_chain import OSAKA, deploy_with_proofs, events_of, new_key, provers_of, registry_in

_ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def chain(anvil_program: Path) -> Iterator[EmbeddedChain]:
    with run_anvil(options=OSAKA) as found:
        yield found


@pytest.fixture(scope="module")
def file(chain: EmbeddedChain, tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = deploy_with_proofs(chain, tmp_path_factory.mktemp("deployments"))
    registry_in(made, chain).policy_id(load_policy("demo").digest)
    return made


def settings_of(folder: Path, chain: EmbeddedChain | None, registry: str, prove: str) -> Settings:
    (folder / "drop").mkdir(exist_ok=True)
    return Settings(
        sources=(str(folder / "drop"),),
        journal=str(folder / "journal.db"),
        rpc_urls=(chain.rpc_url if chain else "http://127.0.0.1:9",),
        registry=registry,
        policy="demo",
        key_variable="KEY",
        watch="scan-only",
        judge_processes=1,
        confirmations=0,
        settle_seconds=1,
        prove=prove,
    )


def run_once(settings: Settings, chain: EmbeddedChain) -> None:
    with open_oracle(settings, Bell(), {"KEY": chain.accounts[4].key.hex()}) as service:
        service.run_once(deadline_seconds=60)


@pytest.mark.chain
def test_which_releases_are_proven_is_a_setting(chain: EmbeddedChain, file: Path, tmp_path: Path) -> None:
    """The policy `demo` gives no grade."""
    for prove, wanted in (("never", 0), ("graded", 0), ("always", 1)):
        folder = tmp_path / prove
        folder.mkdir()
        settings = settings_of(folder, chain, str(file), prove)
        make_provable(folder / "drop" / "model", new_key(), name=f"acme/{prove}")
        run_once(settings, chain)
        with Journal(folder / "journal.db") as journal:
            (row,) = (row for row in journal.rows() if row.record is not None)
            assert row.state is State.FINAL
            assert len(provers_of(file, chain.rpc_url, row.key.content)) == wanted
            assert journal.progress(since=row.seen_at).proofs.notes == ()
    confirmed = {bytes(log["args"]["recordId"]) for log in events_of(file, chain.rpc_url, "RecordConfirmed")}
    assert len(confirmed) >= 1


@pytest.mark.chain
def test_a_restart_with_never_gives_open_proofs_up(chain: EmbeddedChain, file: Path, tmp_path: Path) -> None:
    settings = settings_of(tmp_path, chain, str(file), "always")
    make_provable(tmp_path / "drop" / "model", new_key(), name="acme/given-up")
    run_once(replace(settings, prove_fee_max_gwei=1), chain)
    for prove, state in (("always", PublicationState.OPEN), ("never", PublicationState.DROPPED)):
        if prove == "never":
            run_once(replace(settings, prove=prove), chain)
        with Journal(tmp_path / "journal.db") as journal:
            (row,) = (row for row in journal.rows() if row.record is not None)
            found = journal.progress(since=row.seen_at).proofs
            assert (row.state, dict(found.counts)) == (State.FINAL, {state: 1})
    assert [(note.is_refused, note.reason) for note in found.notes] == [(True, "the setting prove is `never`")]


def test_it_does_not_start_without_contracts_for_proofs(tmp_path: Path) -> None:
    address = "0x" + "11" * 20
    hashes = {"transaction": "0x" + "22" * 32, "code_hash": "0x" + "33" * 32}
    deployment = {"chain_id": 1, "registry": address, "namespaces": address, "lineage": address, "block": 1, **hashes}
    file = tmp_path / "1.json"
    file.write_text(json.dumps(deployment))
    for registry in (address, str(file)):
        settings = settings_of(tmp_path, None, registry, "graded")
        with (
            pytest.raises(UsageError, match=r"no contract proves releases.*provenance deploy --with-proofs"),
            open_oracle(settings, Bell(), {"KEY": "11" * 32}),
        ):
            pass
    with open_oracle(settings_of(tmp_path, None, str(file), "never"), Bell(), {"KEY": "11" * 32}):
        pass


@pytest.mark.chain
@pytest.mark.timeout(3600)
def test_one_payment_for_a_proof_whatever_the_moment(chain: EmbeddedChain, file: Path, tmp_path: Path) -> None:
    found = subprocess.run(
        [sys.executable, "-m", "tests.support.proving_crash_driver", str(tmp_path), chain.rpc_url, str(file)],
        cwd=_ROOT,
        env={**os.environ, "CRASH_KEY": chain.accounts[4].key.hex()},
        capture_output=True,
        text=True,
        timeout=1800 if os.environ.get("PROVENANCE_STRIDE") == "1" else 590,
        check=False,
    )
    assert found.returncode == 0, found.stderr
    cycles = [json.loads(line) for line in found.stdout.splitlines()]
    steps = [cycle["step"] for cycle in cycles]
    assert {"is_proven", "is_endorsed", "simulate", "send", "before commit", "after commit"} <= set(steps)
    assert len(steps) >= 14
    for cycle in cycles:
        assert (cycle["restarted"], cycle["states"], cycle["note"]) == (0, ["final", "final"], ""), cycle
        assert cycle["mined"] == cycle["stored"], cycle
        assert len(cycle["mined"]) == 1

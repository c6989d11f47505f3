"""The whole path of an oracle in Oasis ROFL: deploy for an app, derive a key, bind it once, record releases.

The daemon and the runtime's subcall are stand-ins (tests/support/rofl.py); client, contract and chain code are real.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from provenance_oracle.oracle.chain.anvil import EmbeddedChain, run_anvil
from provenance_oracle.oracle.chain.rofl import parse_app_id
from provenance_oracle.oracle.signers.in_memory import InMemorySigner, Secret
from provenance_oracle.verifier.registry.node import connect
from provenance_oracle.verifier.registry.reader import RegistryReader
from tests.support.releases import make_release
from tests.support.rofl import APP, FakeAppd, install_subcall, running_appd


@dataclass
class Enclave:
    """A registry with one ROFL app as its oracle, the app's daemon, and a folder of releases."""

    appd: FakeAppd
    folder: Path
    environment: dict[str, str]
    registry: RegistryReader

    @property
    def address(self) -> str:
        return InMemorySigner(Secret(self.appd.key("oracle")), "test").address

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "provenance_oracle.oracle.cli.main", *arguments]
        return subprocess.run(
            command, env=os.environ | self.environment, capture_output=True, text=True, check=False, timeout=120
        )

    def watch(self) -> tuple[int, dict[str, str], str]:
        """Run the oracle once and return exit code, the state of each release, and the log."""
        options = ("--journal", str(self.folder.parent / "j"), "--policy", "demo", "--confirmations", "0")
        done = self.run("watch", str(self.folder), *options, "--key", "rofl:oracle", "--once", "--json")
        rows = json.loads(done.stdout).get("releases", [])
        return done.returncode, {row["release"]: row["state"] for row in rows}, done.stderr


@pytest.fixture(scope="module")
def chain(anvil_program: Path) -> Iterator[EmbeddedChain]:
    """Yield a chain with blocks of its own: the contract counts a new key from the second after the binding."""
    with run_anvil(options=("--block-time", "0.25", "--accounts", "40")) as running:
        yield running


@pytest.fixture
def enclave(chain: EmbeddedChain, tmp_path: Path) -> Iterator[Enclave]:
    web3: Any = connect(chain.rpc_url)
    appd = FakeAppd(web3, chain.accounts[38])
    install_subcall(web3, parse_app_id(APP), appd.account.address)
    found = Enclave(appd, tmp_path / "releases", {}, None)  # type: ignore[arg-type]
    found.environment = {
        "PROVENANCE_RPC": chain.rpc_url,
        "ROFL_APPD_SOCKET": str(tmp_path / "appd.sock"),
        "PAYER": chain.accounts[0].key.hex(),
    }
    deployed = found.run("deploy", "--key", "env:PAYER", "--oracle", APP, "--delay-hours", "1", "--json")
    assert deployed.returncode == 0, deployed.stderr
    address = json.loads(deployed.stdout)["registry"]
    found.environment["PROVENANCE_REGISTRY"] = address
    found.registry = RegistryReader(chain.rpc_url, address)
    make_release(found.folder / "first")
    with running_appd(appd, tmp_path / "appd.sock"):
        web3.provider.make_request("anvil_setBalance", [found.address, hex(10**18)])
        yield found


def test_a_key_is_derived_and_bound_once_and_records_releases(enclave: Enclave) -> None:
    exit_code, states, log = enclave.watch()
    assert (exit_code, states["first"]) == (0, "final"), log
    seat = enclave.registry.app_seat(parse_app_id(APP))
    assert seat is not None
    assert (seat.index, f"0x{seat.key.hex()}") == (0, enclave.address.lower())
    make_release(enclave.folder / "second")
    exit_code, states, log = enclave.watch()
    assert (exit_code, states) == (0, {"first": "final", "second": "final"}), log
    (submitted,) = enclave.appd.submitted
    assert submitted["encrypt"] is False, "the call is public; encrypting it would cost gas and hide it from indexers"
    assert enclave.appd.key("oracle").hex() not in log


def test_a_lost_answer_binds_no_second_time(enclave: Enclave) -> None:
    enclave.appd.lose_answers = 1
    exit_code, _, log = enclave.watch()
    assert exit_code == 7, log
    assert "the ROFL daemon does not answer" in log
    exit_code, states, log = enclave.watch()
    assert (exit_code, states["first"]) == (0, "final"), log
    assert len(enclave.appd.submitted) == 1


def test_an_app_that_the_runtime_does_not_know_is_told_so(enclave: Enclave) -> None:
    install_subcall(enclave.appd.web3, bytes(21), enclave.appd.account.address)
    exit_code, _, log = enclave.watch()
    assert exit_code == 7, log
    assert "the transaction of the ROFL app failed" in log
    assert enclave.registry.app_seat(parse_app_id(APP)).key == bytes(20)  # type: ignore[union-attr]

"""Tests of the embedded chain: how it is found, started, saved to disk, and stopped in every case."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from click.testing import CliRunner

from provenance_oracle.oracle.chain import anvil as room
from provenance_oracle.oracle.chain.anvil import CHAIN_ID, EmbeddedChain, find_anvil, run_anvil
from provenance_oracle.oracle.cli.main import main
from provenance_oracle.verifier.errors import TemporaryError, UsageError
from provenance_oracle.verifier.registry.node import connect

pytestmark = pytest.mark.chain


def _listens(chain: EmbeddedChain) -> bool:
    parts = urlsplit(chain.rpc_url)
    try:
        socket.create_connection((parts.hostname, parts.port), timeout=1).close()
    except OSError:
        return False
    return True


def _program(path: Path, script: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


def test_the_chain_is_on_the_loopback_with_funded_accounts(anvil: EmbeddedChain) -> None:
    web3 = connect(anvil.rpc_url)
    assert urlsplit(anvil.rpc_url).hostname == "127.0.0.1"
    assert web3.eth.chain_id == anvil.chain_id == CHAIN_ID
    first = anvil.accounts[0]
    assert web3.eth.account.from_key(first.key).address.lower() == first.address
    assert web3.eth.get_balance(web3.to_checksum_address(anvil.accounts[9].address)) > 0


@pytest.mark.usefixtures("anvil")
def test_it_stops_when_the_block_ends_and_when_it_fails() -> None:
    with run_anvil() as first:
        assert _listens(first)
    with pytest.raises(RuntimeError), run_anvil() as second:
        raise RuntimeError
    assert not _listens(first)
    assert not _listens(second)


@pytest.mark.usefixtures("anvil")
def test_it_stops_when_its_owner_is_killed() -> None:
    script = (
        "from provenance_oracle.oracle.chain.anvil import *\n"
        "c = run_anvil(); print(c.__enter__().rpc_url, flush=True); input()"
    )
    owner = subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert owner.stdout
    chain = EmbeddedChain(owner.stdout.readline().strip(), CHAIN_ID, ())
    assert _listens(chain)
    owner.kill()
    owner.communicate()
    deadline = time.monotonic() + 5
    while _listens(chain) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not _listens(chain)


@pytest.mark.usefixtures("anvil")
def test_the_state_survives_a_restart(tmp_path: Path) -> None:
    state = tmp_path / "chain.json"
    with run_anvil(state=state) as chain:
        web3 = connect(chain.rpc_url)
        web3.provider.make_request("anvil_setBalance", ["0x" + "77" * 20, "0x2a"])  # type: ignore[arg-type]
        web3.provider.make_request("evm_mine", [])  # type: ignore[arg-type]
    with run_anvil(state=state) as chain:
        web3 = connect(chain.rpc_url)
        assert web3.eth.get_balance(web3.to_checksum_address("0x" + "77" * 20)) == 42
        assert web3.eth.block_number == 1


@pytest.mark.usefixtures("anvil")
def test_a_taken_port_is_temporary() -> None:
    with run_anvil() as chain, pytest.raises(TemporaryError, match="anvil did not start"):
        run_anvil(port=urlsplit(chain.rpc_url).port or 0).__enter__()


@pytest.mark.parametrize(
    ("script", "shown"), [("echo broken; exit 3", "broken"), ("exit 0", "nothing"), ("sleep 60", "nothing")]
)
def test_a_program_that_is_not_anvil_is_temporary(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, shown: str
) -> None:
    monkeypatch.setenv(
        "PROVENANCE_ANVIL", str(_program(tmp_path / "anvil", f"exec {script}" if "sleep" in script else script))
    )
    monkeypatch.setattr(room, "_START_SECONDS", 0.3)
    with pytest.raises(TemporaryError, match=f"got {shown}"):
        run_anvil().__enter__()


def test_anvil_is_found_by_name_then_from_npm_then_on_the_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PROVENANCE_ANVIL", raising=False)
    monkeypatch.setattr(room, "_NPM_FOLDER", tmp_path / "npm")
    monkeypatch.setattr("platform.system", lambda: "Darwin")
    monkeypatch.setattr("platform.machine", lambda: "aarch64")
    monkeypatch.setenv("PATH", str(tmp_path / "path"))
    with pytest.raises(UsageError, match=r"needs anvil.*npm install -g @foundry-rs/anvil, or PROVENANCE_ANVIL="):
        find_anvil()
    on_path = _program(tmp_path / "path" / "anvil", "")
    assert find_anvil() == on_path
    installed = _program(tmp_path / "npm" / "anvil-darwin-arm64" / "bin" / "anvil", "")
    assert find_anvil() == installed
    named = _program(tmp_path / "named", "")
    monkeypatch.setenv("PROVENANCE_ANVIL", str(named))
    assert find_anvil() == named


def test_a_name_that_is_no_program_is_a_usage_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROVENANCE_ANVIL", str(tmp_path / "missing"))
    with pytest.raises(UsageError, match="PROVENANCE_ANVIL: the path is not a program"):
        find_anvil()
    result = CliRunner().invoke(main, ["demo", "--folder", str(tmp_path / "demo")])
    assert (result.exit_code, "PROVENANCE_ANVIL: the path is not a program" in result.stderr) == (2, True)
    assert not os.path.exists(tmp_path / "missing")


def test_the_program_that_npm_installed_is_looked_for_in_the_checkout() -> None:
    """Python imports the package through the links in `src`. The folder `hardhat` lies beside the links' targets."""
    checkout = Path(__file__).resolve().parents[3]
    assert room._NPM_FOLDER.relative_to(checkout).parts == ("hardhat", "node_modules", "@foundry-rs")

"""docs/proofs.md: what a reader can try at home is run from top to bottom, and the table explains every error."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from provenance_oracle.oracle.chain.anvil import run_anvil
from provenance_oracle.verifier.registry.contract import load_artifact

PAGE = Path(__file__).parents[2] / "docs" / "proofs.md"
_BLOCK = re.compile(r"^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)


@pytest.mark.chain
@pytest.mark.usefixtures("anvil_program")
def test_the_trial_on_a_chain_of_ones_own_runs(tmp_path: Path) -> None:
    blocks = _BLOCK.findall(PAGE.read_text())
    assert len(blocks) == 2
    program = tmp_path / "bin" / "provenance"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m provenance_oracle.oracle.cli.main "$@"\n')
    program.chmod(0o700)
    with run_anvil() as chain:
        variables = {"RPC": chain.rpc_url, "PAYER": chain.accounts[0].key.hex(), "HOME": str(tmp_path)}
        path = f"{program.parent}{os.pathsep}{os.environ['PATH']}"
        done = subprocess.run(
            ["bash", "-c", "set -eu\numask 077\n" + "".join(blocks)],
            env={**os.environ, **variables, "PATH": path},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("it fits (at most 16,777,216)") == 2, "the last `prove` has nothing to pay for"
    assert done.stdout.count("the SIMULATOR's signature checked by the EVM") == 4, "prove twice, check, show"
    assert "proven           no: nobody has proven it on chain yet" in done.stdout


def test_the_table_of_errors_names_those_of_the_contracts() -> None:
    """`prove` and `disprove` print these names and send the reader to the table."""
    page = PAGE.read_text()
    rows = re.findall(r"^\| (`[A-Z].*?) \|", page.partition("## Errors")[2], re.MULTILINE)
    named = [name for row in rows for name in re.findall(r"`(\w+)`", row)]
    abis: list[Any] = [
        load_artifact(name).abi for name in ("AmdVerifier", "SimulatorVerifier", "HardwareProofs", "Disputes")
    ]
    errors = {item["name"] for abi in abis for item in abi if item["type"] == "error"}
    assert sorted(named) == sorted(errors)

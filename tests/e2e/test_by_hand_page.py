"""docs/by-hand.md, run from top to bottom on a new chain."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from provenance_oracle.oracle.chain.anvil import DevAccount, run_anvil
from tests.support.releases import make_release

pytestmark = [pytest.mark.chain, pytest.mark.usefixtures("anvil_program")]

PAGE = Path(__file__).parents[2] / "docs" / "by-hand.md"
_BLOCK = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
_TWO_DAYS = """
w3.provider.make_request("evm_increaseTime", [2 * 24 * 3600])
w3.provider.make_request("evm_mine", [])
"""
_ROLES = ("OWNER", "GUARDIAN", "ANYONE", "PUBLISHER", "ORACLE_0", "ORACLE_1", "ORACLE_2", "ORACLE_3")


def test_the_page_runs_from_top_to_bottom(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    make_release(tmp_path / "my-model")
    with run_anvil() as chain:
        people = dict(zip(_ROLES, chain.accounts, strict=False))
        monkeypatch.setenv("PROVENANCE_RPC", chain.rpc_url)
        for role, account in people.items():
            monkeypatch.setenv(f"{role}_KEY", account.key.hex())
            monkeypatch.setenv(f"{role}_ADDRESS", account.address)
        _prepare(people)
        (tmp_path / "page.py").write_text(_script())
        done = subprocess.run([sys.executable, "page.py"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout == "test/my-model 1.0 grade 0 weight 3\n2\n"


def _script() -> str:
    """The code on the page. Where the page says that time has passed, the script moves the chain's clock."""
    blocks = _BLOCK.findall(PAGE.read_text())
    assert [block.startswith("# after") for block in blocks].count(True) == 2
    return "".join(_TWO_DAYS * block.startswith("# after") + block for block in blocks) + "print(epoch)\n"


def _prepare(people: dict[str, DevAccount]) -> None:
    """Deploy a registry that needs two of three oracles, and a namespace that trusts nobody on first use."""
    oracles = [word for number in range(3) for word in ("--oracle", people[f"ORACLE_{number}"].address)]
    accounts = ("--owner", people["OWNER"].address, "--guardian", people["GUARDIAN"].address)
    _run(
        "deploy",
        "--key-variable",
        "ANYONE_KEY",
        *accounts,
        *oracles,
        "--threshold",
        "2",
        "--deployments",
        "deployments",
    )
    claim = "claim acme --key-variable PUBLISHER_KEY --registry deployments/31337.json --identity-limit 0"
    _run(*claim.split())


def _run(*words: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "provenance_oracle.oracle.cli.main", *words], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr

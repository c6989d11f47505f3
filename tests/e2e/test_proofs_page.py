"""docs/proofs.md: the table of errors."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from provenance_oracle.verifier.registry.contract import load_artifact

PAGE = Path(__file__).parents[2] / "docs" / "proofs.md"


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

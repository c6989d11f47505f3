"""slither finds nothing of medium or high impact without an explanation.

An explanation stands in the source, as `// slither-disable-next-line DETECTOR` under a comment with the reason. If that
would have to be repeated in many places, it stands in hardhat/slither.toml.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
OPTIONS = ("--exclude-dependencies", "--exclude-low", "--exclude-informational", "--exclude-optimization")
LEAST_DETECTORS = 50
_DIRECTIVE = re.compile(r"slither-disable-(\S+)")
_COMMENT = re.compile(r"\s*//(?!/|\s*slither-)\s*\S.{15}")


def test_every_finding_is_explained(prover_run: Callable[..., str], tmp_path: Path) -> None:
    report = tmp_path / "slither.json"
    prover_run("slither", "--", *OPTIONS, "--no-fail-pedantic", "--json", str(report))
    answer = json.loads(report.read_text())
    assert answer["success"], answer["error"]
    explained, used = _explained(), set()
    for finding in answer["results"]["detectors"]:
        place = _place(finding)
        reasons = explained & {(finding["check"], place), (finding["check"], place.partition(".")[0])}
        assert reasons, finding["description"]
        used |= reasons
    assert explained - used == set(), "hardhat/slither.toml explains findings that slither no longer reports"


@pytest.mark.parametrize("path", sorted((ROOT / "contracts").rglob("*.sol")), ids=lambda path: path.stem)
def test_every_directive_in_a_source_is_for_one_line_and_says_why(path: Path) -> None:
    lines = path.read_text().splitlines()
    for number, line in enumerate(lines):
        if directive := _DIRECTIVE.search(line):
            assert directive[1] == "next-line", f"line {number + 1}"
            assert _COMMENT.match(lines[number - 1]), f"line {number + 1}: the line above gives no reason"


def _explained() -> set[tuple[str, str]]:
    """Return detector and place of the findings that slither.toml explains."""
    entries = tomllib.loads((ROOT / "hardhat" / "slither.toml").read_text())["explained"]
    assert all(len(entry["why"]) > 15 for entry in entries)
    return {(entry["detector"], place) for entry in entries for place in entry["where"]}


def _place(finding: dict[str, Any]) -> str:
    """Return the Contract.function(types) or Contract.variable that a finding begins with, or the contract alone."""
    first = finding["elements"][0]
    fields = first.get("type_specific_fields", {})
    name: str = fields.get("signature", first["name"])
    return f"{fields['parent']['name']}.{name}" if fields.get("parent", {}).get("type") == "contract" else name

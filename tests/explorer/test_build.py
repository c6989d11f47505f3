"""The committed page is what its source builds, compiles, is small, and names only what the contracts have."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.contracts.npm.project import NODE_MODULES, ROOT, node_program

EXPLORER = ROOT / "explorer"
PAGE = ROOT / "oracle" / "web" / "page"
PAGE_BYTES_MAX = 150_000  # of what a browser loads before it shows a record
ALL_BYTES_MAX = 300_000
LOADED_LATER = {"check.js", "prove.js", "worker.js"}
CONTRACTS = ("ProvenanceRegistry", "Namespaces", "Lineage", "HardwareProofs")


@pytest.fixture(scope="module", autouse=True)
def _tools() -> None:
    """Skip the tests if the tools that build the page are not installed."""
    if missing := [name for name in ("esbuild", "typescript") if not (NODE_MODULES / name).is_dir()]:
        problem = f"no {', '.join(missing)}; run: python tools/npm.py ci --prefix hardhat"
        if os.environ.get("PROVENANCE_REQUIRE_ANVIL") == "1":
            pytest.fail(problem)
        pytest.skip(problem)


def _node(*arguments: str | Path) -> None:
    done = subprocess.run(
        [node_program(), *arguments], cwd=EXPLORER, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_committed_page_is_the_built_one() -> None:
    _node("build.mjs", "--check")


def test_the_compiler_accepts_every_file() -> None:
    _node(NODE_MODULES / "typescript" / "bin" / "tsc", "-p", EXPLORER)


def test_the_page_is_small() -> None:
    sizes = {path.name: path.stat().st_size for path in PAGE.iterdir()}
    assert sizes.keys() == {"index.html", "style.css", "app.js"} | LOADED_LATER
    assert sum(size for name, size in sizes.items() if name not in LOADED_LATER) < PAGE_BYTES_MAX
    assert sum(sizes.values()) < ALL_BYTES_MAX


def test_the_page_asks_the_contracts_for_what_they_have() -> None:
    text = (EXPLORER / "src" / "data" / "registry.ts").read_text()
    functions, events = (set(re.findall(r'"(\w+\([\w,]*\))"', part)) for part in text.split("EVENTS"))
    assert len(functions) > 10 and len(events) > 5
    declared = [item for name in CONTRACTS for item in json.loads(_abi(name).read_text())["abi"]]
    assert functions <= {_signature(item) for item in declared if item["type"] == "function"}
    assert events <= {_signature(item) for item in declared if item["type"] == "event"}


def _abi(name: str) -> Path:
    return ROOT / "verifier" / "abi" / f"{name}.json"


def _signature(item: dict[str, object]) -> str:
    inputs = item["inputs"]
    assert isinstance(inputs, list)
    return f"{item['name']}({','.join(part['type'] for part in inputs)})"

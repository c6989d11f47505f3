"""The page's functions that need no browser: text, routes, shapes, comparisons, layouts."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.contracts.npm.project import NODE_MODULES, ROOT, run_node


def test_functions_that_need_no_browser(tmp_path: Path) -> None:
    if not (NODE_MODULES / "esbuild").is_dir():
        pytest.skip("no esbuild; run: python tools/npm.py ci --prefix hardhat")
    bundle = tmp_path / "pure.mjs"
    source = ROOT / "tests" / "explorer" / "pure.ts"
    options = ["--bundle", "--format=esm", "--platform=node", "--target=es2022", f"--outfile={bundle}"]
    run_node(NODE_MODULES / "esbuild" / "bin" / "esbuild", source, *options)
    told = run_node("--test", "--test-reporter=tap", bundle, folder=tmp_path)
    assert "# fail 0" in told and "# pass 15" in told, told

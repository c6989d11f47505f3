"""The project of docs/dapps.md, set up outside of this repository by the page's instructions, compiles and passes."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parents[2]
_FILE = re.compile(r"^<!-- (\S+) -->\n```[a-z]+\n(.*?)^```", re.MULTILINE | re.DOTALL)


def test_a_project_as_the_page_says_passes_its_test(npm_run: Callable[..., str], tmp_path: Path) -> None:
    files = dict(_FILE.findall((ROOT / "docs" / "dapps.md").read_text()))
    assert set(files) == {"foundry.toml", "src/Agents.sol", "test/Agents.t.sol"}
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    # docs/proofs.md says how the imports begin
    proven = (ROOT / "contracts" / "examples" / "TenLinesProven.sol").read_text()
    (tmp_path / "src" / "TenLinesProven.sol").write_text(proven.replace('"../gate/', '"provenance-oracle/gate/'))
    packages = ROOT / "hardhat" / "node_modules"
    (tmp_path / "lib" / "openzeppelin-contracts").mkdir(parents=True)
    (tmp_path / "lib" / "openzeppelin-contracts" / "contracts").symlink_to(packages / "@openzeppelin" / "contracts")
    (tmp_path / "lib" / "provenance-oracle").mkdir()
    (tmp_path / "lib" / "provenance-oracle" / "contracts").symlink_to(ROOT / "contracts")
    compiler = {"FOUNDRY_SOLC": str(ROOT / "hardhat" / "scripts" / "solc.mjs"), "FOUNDRY_OFFLINE": "true"}
    printed = npm_run("forge", "--", "test", "--root", str(tmp_path), **compiler)
    assert "[PASS] test_registersRecordedModelsOnly()" in printed, printed
    assert "1 passed; 0 failed; 0 skipped" in printed, printed

"""What the pages say is what the code does."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
from dataclasses import MISSING, fields
from pathlib import Path

import click
import pytest

from provenance_oracle.oracle.cli.main import main
from provenance_oracle.oracle.settings import Settings
from provenance_oracle.verifier import errors
from provenance_oracle.verifier.digest.files import digest_files, list_files
from provenance_oracle.verifier.policy import SHIPPED_POLICIES

ROOT = Path(__file__).parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")])
_FENCE = re.compile(r"^```[a-z]*\n(.*?)^```", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\(([^)#]+?)(?:#[^)]*)?\)")


def _commands(page: Path) -> list[list[str]]:
    """Every `provenance ...` line of a page's code blocks, split as a shell would."""
    found = []
    for block in _FENCE.findall(page.read_text()):
        for line in block.replace("\\\n", " ").splitlines():
            line = line.removeprefix("$ ").strip()
            if line.startswith("provenance ") and "..." not in line:
                found.append(shlex.split(line, comments=True)[1:])
    return found


COMMANDS = [(page, words) for page in PAGES for words in _commands(page)]


@pytest.mark.parametrize(("page", "words"), COMMANDS, ids=lambda value: value.name if isinstance(value, Path) else "")
def test_every_command_on_a_page_can_be_parsed(page: Path, words: list[str]) -> None:
    command = main.commands[words[0]]
    command.make_context(words[0], list(words[1:]), resilient_parsing=False)


def test_there_are_commands_on_the_pages() -> None:
    assert len(COMMANDS) > 15


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in _LINK.findall(page.read_text()):
        if "://" not in target:
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_settings_are_all_explained_with_their_defaults() -> None:
    text = (ROOT / "docs" / "operating.md").read_text()
    rows = {}
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        names = re.findall(r"`([a-z_]+)`", cells[0]) if line.startswith("| `") else []
        defaults = [cell.strip().strip("`") for cell in cells[1].split(",")] if names else []
        rows |= dict(zip(names, defaults if any(defaults) else [""] * len(names), strict=True))
    expected = {}
    for field in fields(Settings):
        default = field.default
        is_none = default is MISSING or default is None or default == ""
        expected[field.name] = "" if is_none else str(default).lower() if isinstance(default, bool) else str(default)
    expected["allow_development_key"] = rows["allow_development_key"] = ""  # explained beside key_variable
    assert rows == expected


def test_exit_codes_on_the_first_page_are_those_of_the_classes() -> None:
    codes = {
        c.exit_code for c in vars(errors).values() if isinstance(c, type) and issubclass(c, errors.ProvenanceError)
    }
    listed = set(map(int, re.findall(r"(\d) [a-z]", re.search(r"Exit codes: (.*?)\n\n", _readme(), re.DOTALL)[1])))  # type: ignore[index]
    assert listed == codes | {0}


def test_shipped_policies_are_on_the_page_for_users() -> None:
    text = (ROOT / "docs" / "checking.md").read_text()
    assert all(f"`{name}`" in text for name in SHIPPED_POLICIES)


def test_every_command_and_option_has_help() -> None:
    for name, command in main.commands.items():
        assert command.help, name
        for parameter in command.params:
            if isinstance(parameter, click.Option) and parameter.name not in ("name", "version"):
                assert parameter.help, f"{name} {parameter.opts}"


def test_the_first_page_shows_both_commands_on_its_first_screen() -> None:
    first = "\n".join(_readme().splitlines()[:20])
    assert "make demo" in first
    assert "make test" in first


def _readme() -> str:
    return (ROOT / "README.md").read_text()


def test_the_model_digest_can_be_computed_with_stock_tools_as_the_page_says(tmp_path: Path) -> None:
    if shutil.which("fsverity") is None:
        pytest.skip("the tool fsverity is not installed")
    (tmp_path / "sub" / "deeper").mkdir(parents=True)
    (tmp_path / "provenance").mkdir()
    contents = {
        "b.txt": b"b",
        "a b.txt": b"",
        "sub/z": b"z" * 5000,
        "sub/deeper/ü": b"u",
        "provenance/x": b"not counted",
    }
    for name, data in contents.items():
        (tmp_path / name).write_bytes(data)
    script = next(
        block for block in _FENCE.findall((ROOT / "docs" / "digests.md").read_text()) if "fsverity digest" in block
    )
    found = subprocess.run(["bash", "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True)
    expected = digest_files(tmp_path, list_files(tmp_path)).model_digest.hex()
    assert found.stdout.split()[0] == expected


@pytest.mark.parametrize("contract", ["ProvenanceRegistry", "Namespaces", "Lineage"])
def test_every_function_that_writes_is_on_the_page_of_roles(contract: str) -> None:
    abi = json.loads((ROOT / "verifier" / "abi" / f"{contract}.json").read_text())["abi"]
    writing = {
        item["name"] for item in abi if item["type"] == "function" and item["stateMutability"] not in ("view", "pure")
    }
    text = (ROOT / "docs" / "roles.md").read_text()
    table = text.split(f"| {contract} | who | what for |\n", 1)[1].split("\n\n", 1)[0]
    listed = [name for row in table.splitlines() for name in re.findall(r"`(\w+)`", row.split("|")[1])]
    assert sorted(listed) == sorted(writing)


_GAS = json.loads((ROOT / "hardhat" / "snapshots" / "gas.json").read_text())


def test_the_gate_on_the_pages_is_the_one_that_is_compiled() -> None:
    source = (ROOT / "contracts" / "examples" / "TenLines.sol").read_text()
    for page in ("README.md", "docs/contracts.md"):
        marked = (ROOT / page).read_text().split("<!-- contracts/examples/TenLines.sol -->\n```solidity\n", 1)[1]
        assert marked.split("```", 1)[0] == source, page
    assert len(source.splitlines()) - 2 <= 10  # licence and compiler aside


def test_gas_on_the_first_page_is_that_of_the_snapshot() -> None:
    found = re.findall(r"<!-- gas (\w+) -->([0-9,]+)<!-- -->", _readme())
    assert {key: int(figure.replace(",", "")) for key, figure in found} == {
        key: _GAS[key]
        for key in ("gate_cold", "gate_proof_depth7", "publish_single", "publish_batch100_3of5_per_record")
    }


def test_gas_on_the_page_of_contracts_is_that_of_the_snapshot() -> None:
    table = (ROOT / "docs" / "contracts.md").read_text().split("<!-- gas -->\n", 1)[1].split("\n\n", 1)[0]
    rows = [[cell.strip() for cell in row.strip("|").split("|")] for row in table.splitlines()[2:]]
    assert {key.strip("`"): int(figure.replace(",", "")) for figure, _, key in rows} == _GAS

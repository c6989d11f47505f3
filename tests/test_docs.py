"""Tests of the pages: their commands, settings, tables and figures agree with the code."""

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
from provenance_oracle.oracle.settings.settings import Settings
from provenance_oracle.oracle.settings.table import page_with_table, settings_table
from provenance_oracle.verifier import errors
from provenance_oracle.verifier.digest.files import digest_files, list_files
from provenance_oracle.verifier.policy import SHIPPED_POLICIES
from tests.test_layers import FLOORS

ROOT = Path(__file__).parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")])
_FENCE = re.compile(r"^```[a-z]*\n(.*?)^```", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\(([^)#]+?)(?:#[^)]*)?\)")


def _commands(page: Path) -> list[list[str]]:
    """Return every `provenance ...` line of a page's code blocks, split like a shell does."""
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


def test_the_table_of_settings_is_that_of_the_code() -> None:
    page = (ROOT / "docs" / "operating.md").read_text()
    assert page == page_with_table(page), "run python tools/settings_table.py"
    rows = re.findall(r"^\| `([a-z_]+)` \| (.*?) \|", settings_table(), re.MULTILINE)
    expected = []
    for field in fields(Settings):
        default = "required" if field.default is MISSING else f"`{field.default}`"
        is_none = field.default in (None, "", ())
        expected.append(
            (field.name, "" if is_none else default.lower() if isinstance(field.default, bool) else default)
        )
    assert sorted(rows) == sorted(expected)


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


@pytest.mark.parametrize("contract", ["ProvenanceRegistry", "Namespaces", "Lineage", "HardwareProofs", "Disputes"])
def test_every_function_that_writes_is_on_the_page_of_roles(contract: str) -> None:
    abi = json.loads((ROOT / "verifier" / "abi" / f"{contract}.json").read_text())["abi"]
    writing = {
        item["name"] for item in abi if item["type"] == "function" and item["stateMutability"] not in ("view", "pure")
    }
    text = (ROOT / "docs" / "roles.md").read_text()
    table = text.split(f"| {contract} | caller | purpose |\n", 1)[1].split("\n\n", 1)[0]
    listed = [name for row in table.splitlines() for name in re.findall(r"`(\w+)`", row.split("|")[1])]
    assert sorted(listed) == sorted(writing)


_GAS = json.loads((ROOT / "hardhat" / "snapshots" / "gas.json").read_text())


@pytest.mark.parametrize(
    ("page", "gate"),
    [
        ("README.md", "TenLines"),
        ("docs/contracts.md", "TenLines"),
        ("docs/contracts.md", "TenSignedLines"),
        ("docs/proofs.md", "TenLinesProven"),
    ],
)
def test_the_gate_on_the_pages_is_the_one_that_is_compiled(page: str, gate: str) -> None:
    source = (ROOT / "contracts" / "examples" / f"{gate}.sol").read_text()
    marked = (ROOT / page).read_text().split(f"<!-- contracts/examples/{gate}.sol -->\n```solidity\n", 1)[1]
    assert marked.split("```", 1)[0] == source
    assert len(source.splitlines()) - 2 <= 10  # without the lines of licence and compiler


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


def test_gas_on_the_page_of_proofs_is_that_of_the_snapshot() -> None:
    table = (ROOT / "docs" / "proofs.md").read_text().split("<!-- proof gas -->\n", 1)[1].split("\n\n", 1)[0]
    rows = [[cell.strip() for cell in row.strip("|").split("|")] for row in table.splitlines()[2:]]
    assert len(rows) >= 8
    for figure, _, key in rows:
        assert int(figure.replace(",", "")) == _GAS[key.strip("`")], key


def _rows(text: str) -> list[list[str]]:
    """Return the cells of the rows of a page's tables, without heads and rulers."""
    lines = text.splitlines()
    rulers = {number for number, line in enumerate(lines) if re.fullmatch(r"\|[-:| ]+\|", line)}
    heads = {number - 1 for number in rulers}
    return [
        [cell.strip() for cell in line.strip("|").split("|")]
        for number, line in enumerate(lines)
        if line.startswith("|") and number not in rulers | heads
    ]


def _section(page: str, title: str) -> str:
    return (ROOT / page).read_text().split(f"\n## {title}\n", 1)[1].split("\n## ", 1)[0]


def test_the_index_links_every_page_of_docs_once() -> None:
    found = [target for target in _LINK.findall((ROOT / "docs" / "README.md").read_text()) if "/" not in target]
    assert sorted(found) == sorted(path.name for path in ROOT.glob("docs/*.md") if path.name != "README.md")


def test_the_first_page_links_the_index() -> None:
    assert "docs/README.md" in _LINK.findall(_readme())


def test_every_place_to_change_something_exists() -> None:
    rows = _rows(_section("CONTRIBUTING.md", "Where to change what"))
    assert len(rows) >= 10
    for question, path in rows:
        assert question.endswith("?")
        assert path == f"`{path.strip('`')}`"
        place = ROOT / path.strip("`")
        assert place.is_dir() if path.endswith("/`") else place.is_file(), path


def test_every_room_is_on_the_page_of_architecture() -> None:
    rooms = {
        str(path.parent.relative_to(ROOT))
        for package in ("verifier", "publisher", "oracle")
        for path in (ROOT / package).rglob("__init__.py")
    }
    listed = [row[0].strip("`").rstrip("/") for row in _rows(_section("docs/architecture.md", "Rooms"))]
    assert len(listed) == len(set(listed))
    assert set(listed) == rooms | {"contracts", "hardhat"}
    drawn = _section("docs/architecture.md", "Map")
    assert {room for room in rooms if room not in drawn and f"{room}/" not in drawn} == set()


def test_every_function_on_the_way_of_a_release_exists_in_its_place() -> None:
    rows = _rows(_section("docs/architecture.md", "The way of one release"))
    named = [(name, row[2].strip("`")) for row in rows for name in re.findall(r"`([\w.]+)`", row[1])]
    assert len(named) > 30
    for name, place in named:
        folder = ROOT / place
        files = [folder] if folder.is_file() else [*folder.rglob("*.py"), *folder.rglob("*.sol")]
        owner, _, function = name.rpartition(".")
        wanted = [rf"^ *(def|function) {function}\("] + ([rf"^class {owner}\b"] if owner else [])
        assert any(
            all(re.search(pattern, text, re.MULTILINE) for pattern in wanted)
            for text in (file.read_text() for file in files)
        ), f"{name} is not in {place}"


def test_the_floors_on_the_page_of_architecture_are_those_that_the_layer_test_enforces() -> None:
    table = (ROOT / "docs" / "architecture.md").read_text().split("<!-- floors -->\n", 1)[1].split("\n\n", 1)[0]
    folders = re.findall(r"`([a-z/]+)`", table.splitlines()[0])
    columns = zip(*(row[1:] for row in _rows(table)), strict=True)
    found = {
        folder: tuple(tuple(cell.split(", ")) for cell in column if cell)
        for folder, column in zip(folders, columns, strict=True)
    }
    assert {folder: [set(floor) for floor in floors] for folder, floors in found.items()} == {
        folder: [set(floor) for floor in floors] for folder, floors in FLOORS.items()
    }


def test_the_glossary_is_sorted() -> None:
    text = (ROOT / "docs" / "glossary.md").read_text()
    words, verbs = text.split("\n## ", 1)
    for part, least in ((words, 40), (verbs, 8)):
        terms = [row[0].strip("`").casefold() for row in _rows(part)]
        assert len(terms) >= least
        assert terms == sorted(set(terms))

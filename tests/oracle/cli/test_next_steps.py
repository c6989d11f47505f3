"""A message about the user's own input says the next step, and a command that fails for it has written nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from provenance_oracle.oracle.cli.main import main
from provenance_oracle.oracle.demo.model import make_tiny_model

_WRONG_CHECKSUM = "0x5FbDB2315678afecb367f032d93F642f64180aA4"


def run(*arguments: str | Path) -> Result:
    result = CliRunner().invoke(main, [*map(str, arguments)])
    assert "Traceback" not in result.output
    return result


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a working directory with a key, its simulated evidence, a model and an empty folder."""
    monkeypatch.chdir(tmp_path)
    assert run("attest", "--key", "k", "--simulator", "genoa", "--out", "ev").exit_code == 0
    make_tiny_model(tmp_path / "model")
    for name in ("empty", "onnx"):
        (tmp_path / name).mkdir()
    (tmp_path / "onnx" / "model.onnx").write_bytes(b"ONNX")
    return tmp_path


PACK = "--evidence ev --key k --name org/tiny --version 1.0"
STEPS = {
    f"pack onnx --tensor-table {PACK}": "leave out --tensor-table",
    f"pack empty {PACK}": "the files of a model",
    f"pack model --base-model X=@empty {PACK}": "wanted the files of a model",
    "pack model --evidence ev --key K --name org/tiny --version 1.0": "`provenance attest --new-key` makes one",
    "attest --key K --out e": "`provenance attest --new-key` makes one",
    "attest --key k --new-key --out e": "leave out --new-key to use the key in a file that is there",
    "attest --key k --out e": "elsewhere --report FILE of another tool, or --simulator genoa",
    "attest --key new --new-key": "--out FOLDER",
    "claim org/model --rpc http://127.0.0.1:1 --registry 0x00": "provenance claim org",
    "disk model --sizes s --recipe privatemode": "a folder and --sizes",
    "disk --recipe privatemode": "neither a folder nor --sizes",
    f"show org/model --rpc http://127.0.0.1:1 --registry {_WRONG_CHECKSUM}": "its checksum is wrong: ",
}


@pytest.mark.parametrize("command", STEPS)
def test_the_message_says_the_next_step(command: str, place: Path) -> None:
    before = sorted(place.rglob("*"))
    result = run(*command.split())
    assert result.exit_code == 2
    assert result.stderr.startswith("error (exit 2): ")
    assert STEPS[command] in result.stderr
    assert sorted(place.rglob("*")) == before


def test_packing_twice_names_the_option_and_a_used_report(place: Path) -> None:
    pack = ("pack", "model", *PACK.split())
    assert run(*pack).exit_code == 0
    again = run(*pack)
    assert again.exit_code == 2
    assert "--replace replaces it" in again.stderr
    replaced = run(*pack, "--replace")
    assert replaced.exit_code == 0
    assert "make a new key and report with `provenance attest --new-key`" in replaced.stdout


def test_only_a_new_key_or_the_simulator_makes_a_key(place: Path) -> None:
    assert run("attest", "--key", "typo", "--request", "r").exit_code == 2
    assert not (place / "typo").exists()
    assert run("attest", "--key", "new", "--new-key", "--request", "r").exit_code == 0
    assert (place / "new").exists()

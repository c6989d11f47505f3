"""`pack` publishes no secret and no name that Windows lacks, unless told, and can leave files out of a copy."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from provenance_oracle.oracle.cli.main import main
from provenance_oracle.oracle.demo.model import make_tiny_model
from provenance_oracle.publisher.fit_to_publish import copy_without
from provenance_oracle.verifier.errors import ChangedError, ProvenanceError
from tests.support.hub_caches import to_cache
from tests.support.races import file_for_a_fifo, file_for_a_link, folder_for_a_link, race

PEM = "text before\n-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"
SECRETS = [
    ".git/config",
    ".cache/huggingface/x",
    ".env",
    ".env.local",
    "sub/.ENV",
    "hf_access_token",
    "sub/id_ed25519",
    ".netrc",
    "wallet.keystore",
]
NOT_ON_WINDOWS = ["con", "aux.json", "sub/COM1.txt", "quest?", "two:parts", "dot.", "space ", "sub./x", "NUL .txt"]


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a working directory with a model, a key and its evidence."""
    monkeypatch.chdir(tmp_path)
    make_tiny_model(tmp_path / "model")
    made = CliRunner().invoke(main, ["attest", "--key", "k", "--simulator", "genoa", "--out", "ev"])
    assert made.exit_code == 0, made.output
    return tmp_path


def pack(*options: str, key: str = "k") -> Result:
    named = ["--evidence", "ev", "--key", key, "--name", "org/tiny", "--version", "1.0"]
    result = CliRunner().invoke(main, ["pack", "model", *named, *options])
    assert "Traceback" not in result.output
    return result


def write(path: Path, text: str = "x") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


@pytest.mark.parametrize("name", SECRETS + NOT_ON_WINDOWS)
def test_a_name_that_should_not_be_published_is_refused_and_can_be_included(place: Path, name: str) -> None:
    write(place / "model" / name)
    refused = pack()
    assert refused.exit_code == 2
    assert "--include PATH" in refused.stderr
    assert "--ignore PATTERN --into DIR" in refused.stderr
    assert not (place / "model" / "provenance").exists()
    top = name.partition("/")[0] if name.startswith((".", "sub.")) else name
    assert pack("--include", top).exit_code == 0


def test_private_keys_are_found_by_their_contents(place: Path) -> None:
    write(place / "model" / "notes.md", PEM)
    assert "notes.md (a private key)" in pack().stderr
    (place / "model" / "notes.md").unlink()
    (place / "k").rename(place / "model" / "signing")
    refused = pack(key="model/signing")
    assert refused.exit_code == 2
    assert "signing (the key that signs this release)" in refused.stderr


def test_all_of_them_are_listed_at_once(place: Path) -> None:
    for number in range(12):
        write(place / "model" / f"{number}.keystore")
    refused = pack()
    assert refused.stderr.count(".keystore (") == 10
    assert "and 2 more" in refused.stderr


def test_a_copy_leaves_out_what_is_ignored(place: Path) -> None:
    for name in (".git/config", ".git/hooks/x", "sub/deep/a.log", "keep.txt"):
        write(place / "model" / name)
    before = sorted(path for path in (place / "model").rglob("*"))
    made = pack("--ignore", ".git", "--ignore", "*.log", "--into", "out")
    assert made.exit_code == 0, made.output
    left = {str(path.relative_to("out")) for path in Path("out").rglob("*") if path.is_file()}
    assert {name for name in left if not name.startswith("provenance/")} == {
        "README.md",
        "config.json",
        "keep.txt",
        "model.safetensors",
    }
    assert sorted(path for path in (place / "model").rglob("*")) == before
    assert CliRunner().invoke(main, ["check", "out", "--policy", "demo", "--offline"]).exit_code == 0


def test_ignoring_needs_a_new_folder_that_is_apart(place: Path) -> None:
    write(place / "full" / "x")
    for options in (("--ignore", "x"), ("--into", "model/in"), ("--into", "full"), ("--into", "model")):
        refused = pack(*options)
        assert refused.exit_code == 2, options
        assert not list(place.rglob("provenance"))


def test_it_judges_what_it_made_and_prints_the_next_command(place: Path) -> None:
    made = pack()
    assert "policy demo accepts it" in made.stdout
    following = next(line for line in made.stdout.splitlines() if line.startswith("next"))
    assert following.split()[1:] == ["provenance", "check", "model", "--policy", "demo", "--offline"]
    assert CliRunner().invoke(main, following.split()[2:]).exit_code == 0


def test_forged_evidence_is_refused_before_anything_is_written(place: Path) -> None:
    report = bytearray((place / "ev" / "report.bin").read_bytes())
    report[0x2A0] ^= 1  # the signature
    (place / "ev" / "report.bin").write_bytes(report)
    refused = pack("--json")
    assert (refused.exit_code, json.loads(refused.stdout)["error"]["check"]) == (4, "report-signature")
    assert not (place / "model" / "provenance").exists()
    given = ["--report", "ev/report.bin", "--vek", "ev/vek.der", "--chain", "ev/chain.pem", "--crl", "ev/ark.crl"]
    attested = CliRunner().invoke(main, ["attest", "--key", "k", *given, "--out", "new"])
    assert attested.exit_code == 4
    assert not (place / "new").exists()


def test_a_refusal_of_genuine_evidence_is_told(place: Path) -> None:
    (place / "ev" / "ark.crl").unlink()
    made = pack()
    assert made.exit_code == 0
    assert "policy demo refuses it (exit 7): " in made.stdout


def test_every_unacceptable_name_is_listed_with_its_character(place: Path) -> None:
    names = {
        "Screenshot 9.41.00\u202fAM.png": "U+202F",
        "Sn\u00edmek v\u00a013.05.png": "U+00A0",
        "\u8bfb\u6211\u3000\u8bf4\u660e.txt": "U+3000",
        "\u0645\u06cc\u200c\u062e.txt": "U+200C",
        "\U0001f469\u200d\U0001f4bb.md": "U+200D",
    }
    for name in names:
        write(place / "model" / name)
    refused = pack()
    assert refused.exit_code == 3
    assert "5 file names are not acceptable" in refused.stderr
    assert [character for character in names.values() if character not in refused.stderr] == []


def test_a_copy_follows_no_link_but_those_of_the_hub(place: Path) -> None:
    write(place / "private", "another user's")
    (place / "model" / "link").symlink_to("../private")
    refused = pack("--into", "out")
    assert refused.exit_code == 3
    assert "link: file-set: not allowed in a release: got a symbolic link" in refused.stderr
    assert not (place / "out" / "link").exists()
    (place / "model" / "link").unlink()
    snapshot = to_cache(place / "model", place / "hub")
    copy_without(snapshot, place / "copy", lambda _path: False)
    assert (place / "copy" / "config.json").read_bytes() == (place / "model" / "config.json").read_bytes()
    assert not [path for path in (place / "copy").rglob("*") if path.is_symlink()]


@pytest.mark.parametrize("swap", [folder_for_a_link, file_for_a_link, file_for_a_fifo])
def test_no_swap_brings_a_private_file_into_the_copy(tmp_path: Path, swap: Callable[[Path, Path], None]) -> None:
    write(tmp_path / "outside" / "vocab", "another user's")
    numbers = count()

    def make() -> Path:
        return write(tmp_path / f"model{next(numbers)}" / "tok" / "vocab").parents[1]

    def copy(model: Path) -> None:
        copy_without(model, model.with_suffix(".copy"), lambda _path: False)

    for model, result in race(make, lambda model: swap(model, tmp_path / "outside"), copy):
        found = {path.read_text() for path in model.with_suffix(".copy").rglob("*") if path.is_file()}
        assert found <= {"x", ""}  # "" is what a copy that failed leaves
        assert found == {"x"} or isinstance(result, ProvenanceError)


def test_a_file_that_changes_while_it_is_copied_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    vocab = write(tmp_path / "model" / "vocab", "before")
    real = os.read

    def read(descriptor: int, size: int) -> bytes:
        data = real(descriptor, size)
        vocab.write_text("another size")
        return data

    monkeypatch.setattr(os, "read", read)
    with pytest.raises(ChangedError, match="vocab"):
        copy_without(tmp_path / "model", tmp_path / "copy", lambda _path: False)

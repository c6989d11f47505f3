"""Tests of `provenance attest` and `provenance pack`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from provenance_oracle.oracle.cli.main import main
from provenance_oracle.oracle.demo.model import make_tiny_model
from provenance_oracle.publisher.simulator import FakeAmd, FakeGuest
from provenance_oracle.verifier.snp.products import ProductLine
from tests.support.whole_releases import AT


def run(*arguments: str | Path) -> tuple[int, dict[str, Any]]:
    result = CliRunner().invoke(main, [*map(str, arguments), "--json"])
    assert "Traceback" not in result.output
    return result.exit_code, json.loads(result.stdout)


@pytest.fixture
def attested(tmp_path: Path) -> Path:
    """Return a folder with a key and simulated evidence that binds it."""
    made = run("attest", "--key", tmp_path / "cvm.key", "--simulator", "genoa", "--out", tmp_path / "evidence")
    assert made[0] == 0
    assert made[1]["simulated"] is True
    return tmp_path


def test_attest_then_pack_makes_a_release(attested: Path) -> None:
    model = attested / "model"
    make_tiny_model(model)
    named = ("--name", "org/tiny", "--version", "1.0")
    packed = run("pack", model, "--evidence", attested / "evidence", "--key", attested / "cvm.key", *named)
    assert packed[0] == 0
    checked = run("check", model, "--offline", "--policy", "demo")
    assert checked[0] == 0
    for name in ("name", "version", "model_digest", "manifest_digest"):
        assert checked[1][name] == packed[1][name]


def test_the_request_for_another_tool_names_the_key(attested: Path) -> None:
    made = run("attest", "--key", attested / "cvm.key", "--request", attested / "request.bin")
    assert (attested / "request.bin").read_bytes().hex() == made[1]["report_data"]
    evidence = attested / "evidence"
    parts = ("--report", evidence / "report.bin", "--vek", evidence / "vek.der", "--chain", evidence / "chain.pem")
    again = run("attest", "--key", attested / "cvm.key", *parts, "--crl", evidence / "ark.crl", "--out", attested / "e")
    assert again[0] == 0
    assert {path.name: path.read_bytes() for path in (attested / "e").iterdir()} == {
        path.name: path.read_bytes() for path in evidence.iterdir()
    }


def test_a_report_that_names_another_key_is_refused_at_once(attested: Path) -> None:
    other = FakeGuest.on(FakeAmd.load(ProductLine.GENOA), at=AT).evidence(bytes(63) + b"\1")
    (attested / "report.bin").write_bytes(other.report)
    parts = ("--vek", attested / "evidence" / "vek.der", "--chain", attested / "evidence" / "chain.pem")
    exit_code, document = run(
        "attest", "--key", attested / "cvm.key", "--report", attested / "report.bin", *parts, "--out", attested / "e"
    )
    assert (exit_code, document["error"]["check"]) == (4, "key-binding")
    assert not (attested / "e").exists()


@pytest.mark.parametrize(
    "options",
    [
        ("--vek", "x"),
        ("--chain", "x"),
        ("--simulator", "genoa", "--report", "x"),
        ("--simulator", "genoa", "--crl", "x"),
        (),
    ],
)
def test_options_that_would_be_passed_over_are_refused(tmp_path: Path, options: tuple[str, ...]) -> None:
    out = () if not options else ("--out", tmp_path / "e")
    exit_code, document = run("attest", "--key", tmp_path / "cvm.key", *options, *out)
    assert (exit_code, document["error"]["class"]) == (2, "UsageError")
    assert not (tmp_path / "e").exists()


@pytest.mark.parametrize("option", ["--key", "--out", "--request"])
def test_a_path_that_cannot_be_is_a_usage_error(tmp_path: Path, option: str) -> None:
    paths = {"--key": tmp_path / "cvm.key", "--out": tmp_path / "e", option: tmp_path / ("x" * 300)}
    arguments = [part for pair in paths.items() for part in pair]
    assert run("attest", *arguments, "--simulator", "genoa")[0] == 2


def test_vmpl_asks_the_kernel_for_a_level(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int | None] = []

    def kernel(report_data: bytes, *_: object, privlevel: int | None = None, **__: object) -> object:
        asked.append(privlevel)
        return FakeGuest.on(FakeAmd.load(ProductLine.GENOA), at=AT).evidence(report_data)

    monkeypatch.setattr("provenance_oracle.publisher.evidence.collect.evidence_from_kernel", kernel)
    out = ("--out", tmp_path / "e")
    run("attest", "--key", tmp_path / "cvm.key", "--new-key", "--vmpl", "2", *out)
    run("attest", "--key", tmp_path / "cvm.key", *out)
    assert asked == [2, None]
    for source in (("--simulator", "genoa"), ("--report", "x"), ("--request", tmp_path / "r")):
        assert run("attest", "--key", tmp_path / "cvm.key", "--vmpl", "1", *source, *out)[0] == 2

"""`provenance measure`: from files to a measurement, to an explanation, and to a policy that pins it."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from provenance_oracle.oracle.cli.main import main
from provenance_oracle.verifier.documents.launch import measure_json, parse_launch
from provenance_oracle.verifier.documents.schemas import MEASURE, envelope
from provenance_oracle.verifier.errors import FormatError
from provenance_oracle.verifier.policy import load_policy
from provenance_oracle.verifier.snp.launch import LaunchInputs, launch_digest
from tests.support.launches import firmware, real_launch

PARTS = ("--ovmf", "OVMF.fd", "--kernel", "kernel", "--initrd", "initrd", "--append", "root=a")
CPUS = ("--vcpus", "2", "--vcpu-type", "EPYC-Milan")


def _run(*arguments: str, code: int = 0) -> str:
    done = CliRunner().invoke(main, ["measure", *arguments])
    assert done.exit_code == code, done.output
    return done.stdout if code == 0 else done.stderr


@pytest.fixture(autouse=True)
def _parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, data in {"OVMF.fd": firmware(), "kernel": b"k", "initrd": b"i", "other": b"o"}.items():
        (tmp_path / name).write_bytes(data)
    monkeypatch.chdir(tmp_path)


def _document(path: Path, inputs: LaunchInputs) -> str:
    path.write_text(json.dumps(envelope(MEASURE, accepted=True, body=measure_json(inputs, launch_digest(inputs)))))
    return str(path)


def test_the_document_gives_the_same_measurement_again() -> None:
    text = _run(*PARTS, *CPUS, "--json")
    document = json.loads(text)
    Path("launch.json").write_text(text)
    again = _run("--inputs", "launch.json", "--expect", document["measurement"])
    assert again.startswith(f"measurement      {document['measurement']}\n")
    assert "vCPU type        0xa00f11" in again


def test_a_real_report_is_matched_and_a_mismatch_is_explained(vectors: Path, tmp_path: Path) -> None:
    inputs, _ = real_launch(vectors)
    report = str(vectors / "snp/milan-v3-dstack/report.bin")
    good = _document(tmp_path / "good.json", inputs)
    assert report in _run("--inputs", good, "--report", report)
    other = _document(tmp_path / "other.json", replace(inputs, kernel=bytes(32), vcpus=4))
    said = _run("--inputs", other, "--report", report, "--known", good, code=4)
    assert "kernel differs (sha256 dd9ea274" in said
    assert "number of vCPUs differs (2)" in said
    assert "initrd differs" not in said


def test_a_mismatch_that_nothing_explains_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("provenance_oracle.verifier.snp.launch_search._TRIALS_MAX", 20)
    assert "no part that is known explains it" in _run(*PARTS, *CPUS, "--expect", "00" * 48, code=4)


def test_the_measurement_is_pinned_in_a_policy_that_is_otherwise_the_same() -> None:
    first = json.loads(_run(*PARTS, *CPUS, "--policy", "strict", "--write-policy", "image-1.yaml", "--json"))
    second = json.loads(_run(*PARTS[:2], *CPUS, "--policy", "image-1.yaml", "--write-policy", "image-2.yaml", "--json"))
    made, strict = load_policy(Path("image-2.yaml")), load_policy("strict")
    values = (bytes.fromhex(first["measurement"]), bytes.fromhex(second["measurement"]))
    assert (made.name, made.pins.measurement) == ("image-2", values)
    same = replace(made, name="strict", pins=replace(made.pins, measurement=strict.pins.measurement))
    assert replace(same, digest=strict.digest, source=strict.source) == strict
    page = Path("image-2.yaml").read_text()
    assert f"# kernel sha256 {first['inputs']['kernel_sha256']}" in page
    assert "# no kernel, initrd or command line measured" in page


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (CPUS, "parts of the launch are missing"),
        (PARTS, "parts of the launch are missing"),
        ((*PARTS, "--vcpus", "2"), "unknown vCPU type"),
        ((*PARTS, *CPUS, "--guest-features", "x"), "not a number of this option"),
        (("--ovmf", "OVMF.fd", "--initrd", "initrd", *CPUS), "only a kernel has an initrd"),
        ((*PARTS, *CPUS, "--inputs", "launch.json"), "the inputs are given twice"),
        ((*PARTS, *CPUS, "--report", "x", "--expect", "00"), "two measurements"),
        ((*PARTS, *CPUS, "--write-policy", "kernel"), "not"),
    ],
)
def test_a_mistake_in_the_options_is_told(arguments: tuple[str, ...], problem: str) -> None:
    assert problem in _run(*arguments, code=2)
    assert Path("kernel").read_bytes() == b"k"


def test_a_policy_is_written_once() -> None:
    _run(*PARTS, *CPUS, "--write-policy", "image-1.yaml")
    assert "cannot be written" in _run(*PARTS, *CPUS, "--write-policy", "image-1.yaml", code=2)
    said = _run(*PARTS, *CPUS, "--policy", "image-1.yaml", "--write-policy", "image-2.yaml", code=2)
    assert "pins it already" in said


def test_without_the_extra_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith("sevsnpmeasure.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "sevsnpmeasure", None)
    assert "pip install 'provenance-oracle[measure]'" in _run(*PARTS, *CPUS, code=2)


@pytest.mark.parametrize(
    ("member", "value"), [("vcpus", 0), ("kernel_sha256", "AB" * 32), ("vmm", 1), ("ovmf", {}), ("more", 1)]
)
def test_a_document_of_another_form_is_malformed(vectors: Path, member: str, value: Any) -> None:
    inputs, measured = real_launch(vectors)
    document = envelope(MEASURE, accepted=True, body=measure_json(inputs, measured))
    changed = {**document, "inputs": {**document["inputs"], member: value}}  # type: ignore[dict-item]
    with pytest.raises(FormatError):
        parse_launch(json.dumps(changed).encode(), "x.json")
    assert parse_launch(json.dumps(document).encode(), "x.json") == inputs

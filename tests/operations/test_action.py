"""The GitHub Action: a valid file, pinned, without secrets; its step runs `provenance check` and ends as it does."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from provenance_oracle.verifier.cli.check import check
from tests.support.whole_releases import AT, lay_out

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "operations" / "action"
ACTION: Any = yaml.safe_load((FOLDER / "action.yml").read_text())
INSTALL, CHECK = ACTION["runs"]["steps"]


@pytest.fixture
def release(tmp_path: Path) -> Path:
    return lay_out(tmp_path / "my model")


def run(tmp_path: Path, **inputs: str) -> tuple[int, dict[str, str], Any, str]:
    """Run the step as a runner does; return exit code, outputs, document and the page of the summary."""
    defaults = {name: one.get("default", "") for name, one in ACTION["inputs"].items()}
    environ = {f"INPUT_{name.upper()}": value for name, value in (defaults | inputs).items()}
    files = {name: tmp_path / name.lower() for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")}
    for path in files.values():
        path.write_text("")
    environ |= {name: str(path) for name, path in files.items()} | {"RUNNER_TEMP": str(tmp_path)}
    environ |= {"GITHUB_ACTION_PATH": str(FOLDER)}
    python = tmp_path / "provenance-oracle" / "bin" / "python"  # where the step before installed it
    python.parent.mkdir(parents=True, exist_ok=True)
    python.unlink(missing_ok=True)
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    python.chmod(0o755)
    command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", CHECK["run"]]
    done = subprocess.run(command, env={**os.environ, **environ}, cwd=tmp_path, capture_output=True, text=True)
    assert "Traceback" not in done.stderr
    lines = files["GITHUB_OUTPUT"].read_text().splitlines()
    outputs = dict(line.split("=", 1) for line in lines)
    document = json.loads(Path(outputs["document"]).read_text()) if outputs else None
    return done.returncode, outputs, document, files["GITHUB_STEP_SUMMARY"].read_text()


def test_the_file_is_valid_by_the_schema_of_actions() -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.github-actions"]
    subprocess.run([*command, str(FOLDER / "action.yml")], check=True, capture_output=True)


def test_everything_is_pinned_and_no_secret_is_used() -> None:
    text = (FOLDER / "action.yml").read_text()
    assert all("uses" not in step for step in ACTION["runs"]["steps"])  # an action that is used would have to be pinned
    assert not re.search(r"secrets\.|github\.token|GITHUB_TOKEN", text)
    installs = [line for line in INSTALL["run"].splitlines() if "pip install" in line]
    assert len(installs) == 3
    assert all("--require-hashes" in line or "--no-deps --no-build-isolation" in line for line in installs)
    for lock in re.findall(r'\$root/([^"]+\.(?:txt|py))', INSTALL["run"]):
        assert (ROOT / lock).is_file(), lock
    subprocess.run(["bash", "-n", "-c", INSTALL["run"]], check=True)


def test_the_page_uses_inputs_that_there_are() -> None:
    page = (ROOT / "docs" / "integrations.md").read_text()
    [fragment] = [one for one in re.findall(r"^```yaml\n(.*?)^```", page, re.MULTILINE | re.DOTALL) if "uses:" in one]
    [step] = yaml.safe_load(fragment)
    assert step["uses"].partition("@")[0].endswith(f"/{FOLDER.relative_to(ROOT)}")
    assert step["with"].keys() <= ACTION["inputs"].keys()


def test_no_input_is_pasted_into_a_script() -> None:
    assert all("${{" not in step["run"] for step in ACTION["runs"]["steps"])
    assert CHECK["env"] == {f"INPUT_{name.upper()}": f"${{{{ inputs.{name} }}}}" for name in ACTION["inputs"]}
    options = {option for parameter in check.params for option in parameter.opts}
    assert {f"--{name}" for name in ACTION["inputs"]} - {"--release"} <= options


def test_the_lock_has_the_packages_of_the_tests() -> None:
    tested, locked = (
        dict(re.findall(r"^([a-z0-9-]+)==([^ ;]+)", (ROOT / "requirements" / name).read_text(), re.MULTILINE))
        for name in ("test.txt", "action.txt")
    )
    assert {"web3", "huggingface-hub", "sigstore", "cryptography"} <= locked.keys()
    assert {name: tested.get(name) for name in locked} == locked


def test_a_good_release_is_accepted(release: Path, tmp_path: Path) -> None:
    code, outputs, document, page = run(
        tmp_path, release=str(release), policy="demo", offline="true", at=AT.isoformat()
    )
    assert (code, outputs["exit-code"], document["accepted"]) == (0, "0", True)
    assert f"    accepted: org/model 1.0, model digest {document['model_digest']}\n" in page


def test_the_step_fails_as_the_command_does(release: Path, tmp_path: Path) -> None:
    options = {"release": str(release), "policy": "demo", "offline": "true", "at": AT.isoformat()}
    code, _, document, _ = run(tmp_path, **options, name="other/model")
    assert (code, document["error"]["class"]) == (5, "AppraisalError")
    code, *_ = run(tmp_path, **options, identity="sigstore https://a.example email:me@b.example\n\n")
    assert code == 5
    (release / "config.json").write_bytes(b"[]\n")
    code, outputs, document, page = run(tmp_path, **options)
    assert (code, outputs["exit-code"], document["accepted"]) == (4, "4", False)
    assert "    not accepted (exit 4): " in page


def test_a_registry_that_is_not_given_is_never_offline(release: Path, tmp_path: Path) -> None:
    options = {"release": str(release), "policy": "demo", "at": AT.isoformat()}
    code, _, document, _ = run(tmp_path, **options)
    assert (code, document["error"]["message"].split(":")[0]) == (2, "no registry is named")
    code, outputs, *_ = run(tmp_path, **options, offline="yes")
    assert (code, outputs) == (2, {})


def test_a_release_that_looks_like_an_option_is_a_release(tmp_path: Path) -> None:
    code, _, document, _ = run(tmp_path, release="--help", offline="true")
    assert (code, document["error"]["class"]) == (2, "UsageError")

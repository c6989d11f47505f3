"""The hook for pre-commit, run by pre-commit itself on a repository with releases."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import tomllib
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

from provenance_oracle.verifier.cli.commit_hook import commit_hook
from tests.support.live_releases import lay_out

ROOT = Path(__file__).parents[3]
MANIFEST = ROOT / ".pre-commit-hooks.yaml"
FILES = {"config.json": b"{}\n", "sub/weights.bin": bytes(9000)}


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a repository with two releases and other files, and with the hook of the manifest."""
    monkeypatch.setenv("PRE_COMMIT_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    folder = tmp_path / "repository"
    for name in ("models/one", "models/two"):
        lay_out(folder / name, FILES, table=False, at=datetime.now(UTC))
    (folder / "README.md").write_text("# models\n")
    put_under_git(folder)
    return folder


def put_under_git(folder: Path, *options: str) -> None:
    """Make a folder a repository with the hook, and add all its files to the next commit."""
    [hook] = yaml.safe_load(MANIFEST.read_text())
    hook.pop("additional_dependencies")
    program, *words = shlex.split(hook.pop("entry"))
    assert program == "python"
    # pre-commit would install this repository; `system` takes the environment of the tests
    installed = {"entry": shlex.join([sys.executable, *words]), "language": "system"}
    config = {"repos": [{"repo": "local", "hooks": [hook | installed | {"args": ["--policy", "demo", *options]}]}]}
    (folder / ".pre-commit-config.yaml").write_text(yaml.safe_dump(config))
    git(folder, "init", "--quiet")
    git(folder, "add", ".")


def git(folder: Path, *words: str) -> None:
    names = ("-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "core.hooksPath=/dev/null")
    subprocess.run(["git", *names, *words], cwd=folder, check=True, capture_output=True)


def pre_commit(folder: Path, *words: str) -> tuple[bool, str]:
    command = [sys.executable, "-m", "pre_commit", "run", "--color=never", "--verbose", *words]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert "Traceback" not in done.stdout
    assert done.returncode in (0, 1), done.stdout + done.stderr
    return done.returncode == 0, done.stdout


def test_the_manifest_of_hooks_is_valid() -> None:
    subprocess.run([sys.executable, "-m", "pre_commit", "validate-manifest", str(MANIFEST)], check=True)


def test_the_hook_installs_what_signatures_need() -> None:
    [hook] = yaml.safe_load(MANIFEST.read_text())
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    assert hook["additional_dependencies"] == extras["identity"]


def test_the_page_names_the_hook() -> None:
    page = (ROOT / "docs" / "integrations.md").read_text()
    [fragment] = [one for one in re.findall(r"^```yaml\n(.*?)^```", page, re.MULTILINE | re.DOTALL) if "repos:" in one]
    [hook] = yaml.safe_load(MANIFEST.read_text())
    [[named]] = [repo["hooks"] for repo in yaml.safe_load(fragment)["repos"]]
    assert named["id"] == hook["id"]
    commit_hook.make_context("hook", [*named["args"], "--ignore", ".git", "README.md"])


def test_every_release_of_a_repository_is_judged_as_a_whole(repository: Path) -> None:
    passed, text = pre_commit(repository, "--all-files")
    assert passed, text
    assert text.count("accepted: org/model 1.0 in ") == 2
    (repository / "models/two/sub/weights.bin").write_bytes(bytes(8999) + b"x")
    git(repository, "add", ".")
    passed, text = pre_commit(repository, "--all-files")
    assert not passed
    assert "exit code: 4" in text
    assert "models/two" in text


def test_a_file_that_the_manifest_does_not_name_is_seen(repository: Path) -> None:
    git(repository, "commit", "--quiet", "--message", "models")
    (repository / "models/one/extra.py").write_text("import os\n")
    git(repository, "add", ".")
    passed, text = pre_commit(repository)
    assert not passed
    assert "file-set" in text
    assert "models/two" not in text  # the commit does not touch it


def test_a_commit_beside_the_releases_is_not_held_up(repository: Path) -> None:
    git(repository, "commit", "--quiet", "--message", "models")
    (repository / "README.md").write_text("# changed\n")
    (repository / "models/two/config.json").write_text("[]\n")  # not staged: pre-commit sets it aside
    git(repository, "add", "README.md")
    passed, text = pre_commit(repository)
    assert passed, text
    assert "accepted" not in text


def test_a_repository_may_itself_be_the_release(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRE_COMMIT_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    folder = tmp_path / "model"
    lay_out(folder, FILES, table=False, at=datetime.now(UTC))
    put_under_git(folder, "--ignore", ".git", "--ignore", ".pre-commit-config.yaml")
    passed, text = pre_commit(folder)
    assert passed, text
    assert "accepted: org/model 1.0" in text

"""Build, pack and install the TypeScript package."""

from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.contracts.npm.project import NODE_MODULES, PACKAGE, ROOT, Project, reader_of
from tests.support.chain_fixtures import DeployedRegistry


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Return a project that uses the package. Skips the test if the tools that build it are not installed."""
    if missing := [name for name in ("esbuild", "typescript", "viem") if not (NODE_MODULES / name).is_dir()]:
        problem = f"no {', '.join(missing)}; run: python tools/npm.py ci --prefix hardhat"
        if os.environ.get("PROVENANCE_REQUIRE_ANVIL") == "1":
            pytest.fail(problem)
        pytest.skip(problem)
    folder = tmp_path_factory.mktemp("project")
    project = Project(folder, _pack(folder))
    with tarfile.open(folder / project.packed["filename"]) as tar:
        tar.extractall(folder, filter="data")
    project.installed.parent.mkdir(parents=True)
    (folder / "package").rename(project.installed)
    (folder / "node_modules" / "viem").symlink_to(NODE_MODULES / "viem")
    (folder / "package.json").write_text('{"type": "module"}')
    for path in (PACKAGE / "test").iterdir():
        shutil.copy(path, folder)
    example, publishing = re.findall(r"^```ts\n(.*?)^```", (project.installed / "README.md").read_text(), re.M | re.S)
    (folder / "example.ts").write_text(example)
    frame = (folder / "publish.ts").read_text()
    (folder / "publish.ts").write_text(frame.replace("  // README\n", publishing))
    return project


@pytest.fixture
def ask(project: Project, registry: DeployedRegistry) -> Callable[..., list[Any]]:
    """Return a function that calls methods of a reader of the registry.

    Keyword arguments of that function are further options for the reader.
    """

    def ask(*calls: tuple[Any, ...], **options: Any) -> list[Any]:
        return project.call(*calls, reader=reader_of(registry) | options)

    return ask


def _pack(folder: Path) -> dict[str, Any]:
    command = [sys.executable, ROOT / "tools" / "npm.py", "pack", "--silent", "--json", "--pack-destination", folder]
    with (PACKAGE / "package.json").open() as lock:  # there is a single build folder, and tests may run side by side
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = subprocess.run(command, cwd=PACKAGE, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (packed,) = json.loads(done.stdout)
    return dict(packed)

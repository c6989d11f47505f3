"""docs/operating.md, followed to the letter in a new home folder, from two keystores to an upgrade."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest

from provenance_oracle.oracle.chain.anvil import run_anvil
from tests.support.releases import make_release

pytestmark = [pytest.mark.chain, pytest.mark.usefixtures("anvil_program")]

PAGE = Path(__file__).parents[2] / "docs" / "operating.md"
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
_EXAMPLE = "# Example"
_PATIENCE_SECONDS = 120


def test_every_block_of_the_page_is_run_or_says_that_it_is_an_example() -> None:
    kinds = [kind for kind, _ in _FENCE.findall(PAGE.read_text())]
    assert set(kinds) == {"sh", "yaml", "text", "python"}  # test_batched_parents runs the one of Python
    run, examples = _blocks()
    assert (len(run), len(examples)) == (12, 16), "a block was added or taken away: run it, or name what it needs"
    assert all(re.match(r"# Example: needs \S", block) for block in examples)


def test_the_page_runs_from_top_to_bottom(tmp_path: Path) -> None:
    home, programs, release = tmp_path / "home", tmp_path / "bin", tmp_path / "release"
    for folder in (home, programs):
        folder.mkdir()
    make_release(release, at=datetime.now(UTC).replace(microsecond=0))
    program = programs / "provenance"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m provenance_oracle.oracle.cli.main "$@"\n')
    program.chmod(0o700)
    path = f"{programs}{os.pathsep}{os.environ['PATH']}"
    kept = {name: os.environ[name] for name in ("PYTHONPATH", "PROVENANCE_ANVIL") if name in os.environ}
    with run_anvil() as chain:
        variables = {"RPC": chain.rpc_url, "LISTEN": f"127.0.0.1:{_free_port()}", "RELEASE": str(release)}
        said, code = _run("".join(_blocks()[0]), {**kept, **variables, "HOME": str(home), "PATH": path}, tmp_path)
    log = home / "oracle" / "oracle.log"
    assert code == 0, f"{said[-4000:]}\n{log.read_text()[-4000:] if log.exists() else 'no log'}"
    assert "accepted: test/release 1.0" in said
    assert re.search(r"^final +1 ", said, re.MULTILINE), said
    assert re.search(r"trouble begins \(funds\).*\n.*trouble ends \(funds\)", said), said
    assert said.count("it is whole") == 2, "a backup and a restore"
    assert "Traceback" not in log.read_text()


def _blocks() -> tuple[list[str], list[str]]:
    """Return the shell blocks of the page that a reader can run anywhere, and the others."""
    blocks = [block for kind, block in _FENCE.findall(PAGE.read_text()) if kind == "sh"]
    examples = [block for block in blocks if block.startswith(_EXAMPLE)]
    return [block for block in blocks if block not in examples], examples


def _run(script: str, environ: dict[str, str], folder: Path) -> tuple[str, int]:
    """Run a script, and end it with all that it started. Return what it printed and its exit code."""
    with subprocess.Popen(
        ["bash", "-c", script],
        env=environ,
        cwd=folder,
        start_new_session=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        try:
            return process.communicate(timeout=_PATIENCE_SECONDS)[0], process.returncode
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            return process.communicate()[0], -1
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])

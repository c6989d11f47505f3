"""Tests of the Dockerfile as text. `make image` builds it and runs the demo in it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TARGETS = ("oracle", "demo", "anvil", "gpu")
HEALTHCHECK = ROOT / "operations" / "image" / "healthcheck.py"


@dataclass
class Stage:
    """One stage of the Dockerfile: its base, and its instructions as (word, rest of the line)."""

    base: str
    name: str
    lines: list[tuple[str, str]] = field(default_factory=list)

    def of(self, word: str) -> list[str]:
        return [rest for found, rest in self.lines if found == word]


def _instructions() -> list[tuple[str, str]]:
    text = "".join(line for line in (ROOT / "Dockerfile").read_text().splitlines(True) if not line.startswith("#"))
    joined = re.sub(r"\\\n\s*", "", text)
    pairs = [line.split(maxsplit=1) for line in joined.splitlines() if line.strip()]
    return [(word, rest) for word, rest in pairs]


def _stages() -> dict[str, Stage]:
    stages: dict[str, Stage] = {}
    for word, rest in _instructions():
        if word == "FROM":
            base, _, name = rest.partition(" AS ")
            stages[name] = Stage(base, name)
        elif stages:
            [*_, last] = stages.values()
            last.lines.append((word, rest))
    return stages


STAGES = _stages()


def _chain(name: str) -> list[Stage]:
    """Return a stage and those that it is built on."""
    chain = [STAGES[name]]
    while chain[-1].base in STAGES:
        chain.append(STAGES[chain[-1].base])
    return chain


def test_the_base_is_an_argument_and_the_first_line() -> None:
    assert _instructions()[0] == ("ARG", "BASE=docker.io/library/debian:bookworm-slim")


def test_every_stage_is_built_on_the_base_or_an_earlier_stage() -> None:
    known = ["${BASE}"]
    for stage in STAGES.values():
        assert stage.base in known, stage.name
        known.append(stage.name)


def test_the_last_stage_is_the_oracle() -> None:
    [*_, last] = STAGES.values()
    assert (last.base, last.name, last.lines) == ("oracle", "", [])


@pytest.mark.parametrize("target", TARGETS)
def test_a_target_runs_as_a_user_without_rights_and_has_a_health_check(target: str) -> None:
    lines = [pair for stage in reversed(_chain(target)) for pair in stage.lines]
    assert [rest for word, rest in lines if word == "USER"][-1] == "65532:65532"
    assert [rest for word, rest in lines if word == "HEALTHCHECK"]
    assert [rest for word, rest in lines if word == "VOLUME"] == ["/data"]


@pytest.mark.parametrize("target", TARGETS)
def test_a_target_takes_only_programs_from_the_stages_that_build(target: str) -> None:
    stages = _chain(target)
    assert [stage.name for stage in stages][-1] == "python"
    for stage in stages:
        assert stage.name not in ("tools", "builder", "gpu-builder", "anvil-builder")
        for copied in stage.of("COPY"):
            if copied.startswith("--from="):
                assert copied.split()[1] in ("/opt/provenance", "/usr/local/bin/anvil"), copied


@pytest.mark.parametrize("target", TARGETS)
def test_no_target_installs_a_compiler_or_keeps_package_lists(target: str) -> None:
    for stage in _chain(target):
        for line in stage.of("RUN"):
            if "apt-get install" in line:
                assert "gcc" not in line
                assert "pip" not in line
                assert "rm -rf /var/lib/apt/lists/*" in line


def test_pip_installs_only_by_hash_or_from_the_wheel_just_built() -> None:
    installs = [
        part.strip()
        for stage in STAGES.values()
        for line in stage.of("RUN")
        for part in line.split("&&")
        if re.search(r"\bpip\b.* install ", part)
    ]
    assert len(installs) == 4
    for install in installs:
        assert "--require-hashes" in install or "--no-index" in install, install


def test_the_requirements_files_exist() -> None:
    text = (ROOT / "Dockerfile").read_text()
    default = re.search(r"^ARG REQUIREMENTS=(\w+)$", text, re.MULTILINE)
    assert default
    for name in re.findall(r"-r requirements/(\S+)\.txt", text):
        assert (ROOT / "requirements" / f"{name.replace('${REQUIREMENTS}', default[1])}.txt").is_file(), name


def test_the_build_takes_the_files_that_the_ignore_file_lets_through() -> None:
    first, *rules = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line and line[0] != "#"]
    assert first == "*"
    let_through = {rule[1:] for rule in rules if rule.startswith("!")}
    copied = {
        source
        for stage in STAGES.values()
        for line in stage.of("COPY")
        if not line.startswith("--from=")
        for source in line.split()[:-1]
    }
    for source in copied:
        assert (ROOT / source).exists(), source
        assert any(source == rule or source.startswith(f"{rule}/") for rule in let_through), source
    assert all(any(source == rule or source.startswith(f"{rule}/") for source in copied) for rule in let_through)


def test_the_labels_are_those_of_the_project() -> None:
    [labels] = STAGES["oracle"].of("LABEL")
    assert 'org.opencontainers.image.licenses="Apache-2.0"' in labels
    assert 'org.opencontainers.image.title="provenance-oracle"' in labels
    version = re.search(r'^version = "(.*)"$', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    assert version
    assert f"VERSION={version[1]}" in STAGES["oracle"].of("ARG")


def test_the_health_check_is_the_file_that_is_copied() -> None:
    [check] = STAGES["oracle"].of("HEALTHCHECK")
    command = json.loads(check.partition("CMD ")[2])
    assert f"operations/image/healthcheck.py {command[-1]}" in STAGES["oracle"].of("COPY")


@contextmanager
def _server(status: int) -> Iterator[int]:
    """Run an HTTP server that answers GET /healthz with a status and anything else with 404; yield its port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status if self.path == "/healthz" else 404)
            self.end_headers()

        def log_request(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


def _ask(listen: str | None) -> subprocess.CompletedProcess[str]:
    environment = {} if listen is None else {"PROVENANCE_LISTEN": listen}
    command = [sys.executable, "-I", str(HEALTHCHECK)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0", "localhost"])
def test_an_oracle_that_answers_is_healthy(host: str) -> None:
    with _server(200) as port:
        assert _ask(f"{host}:{port}").returncode == 0


def test_an_oracle_that_answers_with_an_error_is_not_healthy() -> None:
    with _server(503) as port:
        found = _ask(f"127.0.0.1:{port}")
    assert (found.returncode, found.stderr) == (1, f"127.0.0.1:{port}/healthz: status 503, wanted 200\n")


def test_an_oracle_that_does_not_answer_is_not_healthy() -> None:
    with _server(200) as port:
        pass
    assert _ask(f"127.0.0.1:{port}").returncode == 1


@pytest.mark.parametrize("listen", ["8000x", "127.0.0.1:", "127.0.0.1:999999"])
def test_a_wrong_setting_is_not_healthy(listen: str) -> None:
    found = _ask(listen)
    assert found.returncode == 1
    assert "Traceback" not in found.stderr


def test_without_a_server_there_is_nothing_to_ask() -> None:
    assert _ask(None).returncode == 0
    assert _ask("").returncode == 0


@pytest.mark.parametrize(("require_all", "wanted"), [("0", 0), ("1", 1)])
def test_the_tool_says_in_one_line_why_it_builds_nothing(require_all: str, wanted: int) -> None:
    environment = {"PATH": "/nonexistent", "PROVENANCE_REQUIRE_ALL": require_all, "HOME": os.environ.get("HOME", "/")}
    command = [sys.executable, str(ROOT / "tools" / "image.py")]
    found = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert found.returncode == wanted
    assert re.fullmatch(r"image: not built: [^\n]+\n", found.stdout), found.stdout
    assert not found.stderr

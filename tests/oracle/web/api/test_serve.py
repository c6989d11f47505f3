"""Tests of `provenance serve` as a process: it follows the chain, answers, and ends at a signal."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from tests.oracle.web.api.conftest import Site
from tests.oracle.web.api.test_page import config_of

pytestmark = pytest.mark.chain
_PROGRAM = (sys.executable, "-P", "-m", "provenance_oracle.oracle.cli.main")


@contextmanager
def command(site: Site, *arguments: object) -> Iterator[tuple[Site, subprocess.Popen[str]]]:
    """Run the command, and yield a site at the address that it prints."""
    words = [*_PROGRAM, "serve", "--listen", "127.0.0.1:0", *map(str, arguments)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            host, _, port = line.strip().removesuffix("/").rpartition("//")[2].rpartition(":")
            yield replace(site, address=(host, int(port))), process
        finally:
            process.kill()


def test_it_follows_the_chain_into_a_new_index_and_ends_at_a_signal(site: Site, tmp_path: Path) -> None:
    stand = site.stand
    chain = ("--rpc", stand.registry.chain.rpc_url, "--registry", stand.deployment)
    kept = ("--database", tmp_path / "index.sqlite", "--journal", stand.journal)
    with command(site, *chain, *kept, "--page-rpc", stand.registry.chain.rpc_url) as (own, process):
        entry = stand.entries["one"]  # in a batch, whose records only the journal has
        until = time.monotonic() + 60
        while own.get(f"/api/v1/records/{entry['manifest_digest']}").status != 200:
            assert time.monotonic() < until
            time.sleep(0.2)
        [found] = own.document(f"/records/{entry['manifest_digest']}")["entries"]
        assert found["batch"] == entry["batch"]
        status = own.document("/status")
        assert status["lag_blocks"] == status["unread_batches"] == 0
        assert own.get("/readyz").status == own.get("/healthz").status == 200
        assert own.get("/status").json["indexed_until"] == status["indexed_until"]
        assert b"provenance_index_lag_blocks 0.0" in own.get("/metrics").body
        config = config_of(own.get("/"))
        assert config["rpcUrl"] == stand.registry.chain.rpc_url
        assert config["deployment"]["registry"].lower() == stand.registry.address.lower()
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0


def test_without_following_it_answers_from_an_index_that_is_there(site: Site) -> None:
    with command(site, "--database", site.shown.index, "--no-follow") as (own, _process):
        assert own.document("/status")["records"] > 20


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--database", "missing.sqlite", "--no-follow"), "there is no index to read"),
        (("--database", "missing.sqlite"), "no registry is named"),
        (("--database", "missing.sqlite", "--no-follow", "--listen", "nowhere"), "the address has a wrong form"),
    ],
)
def test_what_is_missing_is_named(arguments: tuple[str, ...], words: str, tmp_path: Path) -> None:
    done = subprocess.run([*_PROGRAM, "serve", *arguments], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert words in done.stderr


def test_a_node_that_is_down_makes_it_not_ready(site: Site, tmp_path: Path) -> None:
    chain = ("--rpc", "http://127.0.0.1:9", "--registry", site.stand.registry.address)
    with command(site, *chain, "--database", tmp_path / "index.sqlite") as (own, _process):
        until = time.monotonic() + 60
        while (answer := own.get("/readyz")).status != 503:
            assert time.monotonic() < until
            time.sleep(0.2)
        assert answer.json["conditions"][0]["kind"] == "node"
        empty = own.api("/status")
        assert (empty.status, empty.headers["retry-after"]) == (503, "1")
        assert "index.sqlite" not in empty.body.decode()


def test_an_oracle_serves_the_same_in_its_own_process(site: Site, tmp_path: Path) -> None:
    stand, place = site.stand, ("127.0.0.1", _free_port())
    (tmp_path / "releases").mkdir()
    keys = ("--key-variable", "KEY", "--report-key-variable", "KEY")
    chain = ("--rpc", stand.registry.chain.rpc_url, "--registry", stand.deployment, "--policy", stand.policy)
    words = (tmp_path / "releases", "--journal", tmp_path / "oracle.sqlite", "--index", tmp_path / "index.sqlite")
    listen = ("--listen", f"{place[0]}:{place[1]}", "--judge-processes", 1)
    environment = {**os.environ, "KEY": stand.registry.oracle.key.hex()}
    command = [*_PROGRAM, "watch", *map(str, (*words, *chain, *keys, *listen))]
    with subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL) as process:
        own, until = replace(site, address=place), time.monotonic() + 60
        try:
            while not _answers(own, f"/api/v1/records/{stand.entries['second']['record_id']}"):
                assert process.poll() is None and time.monotonic() < until
                time.sleep(0.2)
            metrics = own.get("/metrics").body
            assert b"provenance_index_lag_blocks 0.0" in metrics
            assert b"provenance_oracle_build_info" in metrics
            assert own.get("/healthz").status == own.get("/").status == 200
            policy = own.document(f"/policies/{stand.entries['second']['policy_digest']}")
            assert policy["name"] == "stand"
            process.send_signal(signal.SIGTERM)
            assert process.wait(20) == 0
        finally:
            process.kill()


def _answers(site: Site, path: str) -> bool:
    try:
        return site.get(path).status == 200
    except OSError:
        return False


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])

"""Tests of snapshots and of the command: an index that begins with a file ends as one that reads the whole chain."""

from __future__ import annotations

import hashlib
import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from provenance_oracle.oracle.chain.anvil import EmbeddedChain
from provenance_oracle.oracle.cli.main import main
from provenance_oracle.oracle.index.database import open_index_database
from provenance_oracle.oracle.index.documents import DocumentReader
from provenance_oracle.oracle.index.record_reader import open_record_index
from provenance_oracle.oracle.index.report_index import OVERLAP_BLOCKS
from provenance_oracle.oracle.index.snapshot import read_snapshot, write_snapshot
from provenance_oracle.verifier.errors import FormatError, TemporaryError, UsageError, VerificationError
from tests.support.busy_registry import BusyRegistry, busy_registry
from tests.support.chain_fixtures import DeployedRegistry, deploy_registry, make_record
from tests.support.fake_nodes import topic
from tests.support.indices import content_of, now, open_index, source_of


@pytest.fixture(scope="module")
def busy(anvil: EmbeddedChain) -> BusyRegistry:
    return busy_registry(deploy_registry(anvil, oracles=3, threshold=2))


@pytest.fixture(scope="module")
def made(busy: BusyRegistry, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str, dict[str, Any]]:
    """Return a snapshot, its digest, and the content of the index that it is of. Its events are not read again soon."""
    provider: Any = busy.registry.contract.w3.provider
    provider.make_request("anvil_mine", [hex(OVERLAP_BLOCKS + 1)])
    folder = tmp_path_factory.mktemp("snapshot")
    with open_index(busy.registry, str(folder / "index.sqlite")) as index:
        index.follower.follow()
        DocumentReader(index.database, lambda _uri: busy.document, clock=lambda: 1e9).read()
        file = folder / "records.snapshot"
        return file, write_snapshot(index.database, file), content_of(index.database)


def begin(registry: DeployedRegistry, place: str, file: Path, digest: str) -> None:
    with closing(open_index_database(place)) as database:
        read_snapshot(database, source_of(registry), file, digest)


def test_a_snapshot_gives_the_same_index_in_every_database(
    busy: BusyRegistry, made: tuple[Path, str, dict[str, Any]], place: str, tmp_path: Path
) -> None:
    file, digest, wanted = made
    assert digest == hashlib.sha256(file.read_bytes()).hexdigest()
    begin(busy.registry, place, file, digest)
    with open_index(busy.registry, place) as index:
        assert index.found.status().unchecked == len(wanted["events"])
        index.follower.follow()
        assert index.found.status().unchecked == 0
        assert content_of(index.database) == wanted
        assert write_snapshot(index.database, tmp_path / "again.snapshot") == digest
    with pytest.raises(UsageError, match="not empty"):
        begin(busy.registry, place, file, digest)


def test_a_snapshot_with_another_digest_keeps_nothing(
    busy: BusyRegistry, made: tuple[Path, str, dict[str, Any]], tmp_path: Path
) -> None:
    file, digest, _ = made
    place = str(tmp_path / "index.sqlite")
    with pytest.raises(VerificationError, match="nothing of it was kept"):
        begin(busy.registry, place, file, digest.replace(digest[0], "0" if digest[0] != "0" else "1"))
    with closing(open_index_database(place)) as database:
        assert not content_of(database)["events"]


def test_a_snapshot_of_another_registry_or_chain_is_refused(
    busy: BusyRegistry, made: tuple[Path, str, dict[str, Any]], anvil: EmbeddedChain, tmp_path: Path
) -> None:
    file, digest, _ = made
    with pytest.raises(UsageError, match="another chain or registry"):
        begin(deploy_registry(anvil), str(tmp_path / "other.sqlite"), file, digest)
    text = file.read_text().splitlines()
    last = max(number for number, line in enumerate(text) if line.startswith("block "))
    name, number, _, seconds = text[last].split(" ")
    text[last] = f"{name} {number} {'ab' * 32} {seconds}"
    with pytest.raises(UsageError, match="does not have the snapshot's last block"):
        begin(busy.registry, str(tmp_path / "fork.sqlite"), *written(tmp_path, text))


def written(folder: Path, lines: list[str]) -> tuple[Path, str]:
    """Write a snapshot that its publisher made of these lines; return it with its digest."""
    data = "\n".join(lines).encode() + b"\n"
    file = folder / "altered.snapshot"
    file.write_bytes(data)
    return file, hashlib.sha256(data).hexdigest()


def _flip(line: str) -> str:
    """Return a line whose last hex digit is another one."""
    return line[:-1] + ("0" if line[-1] != "0" else "1")


def _alter(kind: str, change: Callable[[str], str]) -> Callable[[list[str]], list[str]]:
    """Return a change of the last line of a kind."""

    def alter(lines: list[str]) -> list[str]:
        at = max(number for number, line in enumerate(lines) if line.startswith(kind))
        return [*lines[:at], change(lines[at]), *lines[at + 1 :]]

    return alter


def _without_revoked_models(lines: list[str]) -> list[str]:
    """Leave out the events that revoke models, and count the lines right."""
    first_topic = topic("ModelRevoked").removeprefix("0x")
    kept = [line for line in lines[:-1] if f" {first_topic}" not in line]
    assert len(kept) < len(lines) - 1
    return [*kept, f"end {len(kept)}"]


@pytest.mark.parametrize("alter", [_without_revoked_models, _alter("event", _flip)])
def test_a_tampered_row_is_found_by_the_contract(
    busy: BusyRegistry,
    made: tuple[Path, str, dict[str, Any]],
    tmp_path: Path,
    alter: Callable[[list[str]], list[str]],
) -> None:
    file, _, wanted = made
    place = str(tmp_path / "index.sqlite")
    begin(busy.registry, place, *written(tmp_path, alter(file.read_text().splitlines())))
    with open_index(busy.registry, place) as index:
        with pytest.raises(TemporaryError):
            index.follower.follow()
        index.follower.follow()
        assert content_of(index.database)["events"] == wanted["events"]


@pytest.mark.parametrize(
    "alter",
    [
        lambda lines: ["another schema", *lines[1:]],
        lambda lines: lines[:-1],
        lambda lines: [*lines[:-1], "end 1"],
        lambda lines: [lines[0], "{}", *lines[2:]],
        lambda lines: [*lines[:2], "block 1 00 1", *lines[2:]],
        lambda lines: [line.replace("event", "event 7", 1) for line in lines],
        lambda lines: [line.upper() if line.startswith("leaf") else line for line in lines],
        lambda lines: [*lines[:-1], lines[-2], lines[-1]],
    ],
)
def test_a_file_that_is_no_snapshot_is_refused(
    busy: BusyRegistry,
    made: tuple[Path, str, dict[str, Any]],
    tmp_path: Path,
    alter: Callable[[list[str]], list[str]],
) -> None:
    place = str(tmp_path / "index.sqlite")
    with pytest.raises((FormatError, UsageError)):
        begin(busy.registry, place, *written(tmp_path, alter(made[0].read_text().splitlines())))
    with closing(open_index_database(place)) as database:
        assert not content_of(database)["events"]


def test_the_command_reads_once_and_begins_with_a_snapshot(busy: BusyRegistry, tmp_path: Path) -> None:
    registry = busy.registry
    chain = ["--rpc", registry.chain.rpc_url, "--registry", registry.address]

    def run(*options: str) -> tuple[int, dict[str, Any]]:
        result = CliRunner().invoke(main, ["index", *chain, "--once", "--json", *options])
        return result.exit_code, json.loads(result.stdout)

    file = tmp_path / "records.snapshot"
    code, body = run("--database", str(tmp_path / "a.sqlite"), "--write-snapshot", str(file))
    assert (code, body["schema"], body["lag_blocks"], body["unchecked"]) == (0, "provenance-oracle/index/v1", 0, 0)
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    assert body["snapshot_sha256"] == digest
    code, other = run("--database", str(tmp_path / "b.sqlite"), "--snapshot", str(file), "--snapshot-digest", digest)
    assert (code, other["records"], other["indexed_until"]) == (0, body["records"], body["indexed_until"])
    code, refused = run(
        "--database", str(tmp_path / "c.sqlite"), "--snapshot", str(file), "--snapshot-digest", "0" * 64
    )
    assert (code, refused["error"]["class"]) == (4, "VerificationError")
    code, refused = run("--database", str(tmp_path / "d.sqlite"), "--snapshot", str(file))
    assert code == 2


def test_the_command_follows_until_a_signal_stops_it(registry: DeployedRegistry, tmp_path: Path) -> None:
    place = tmp_path / "index.sqlite"
    options = ["--rpc", registry.chain.rpc_url, "--registry", registry.address, "--database", str(place), "--json"]
    program = [sys.executable, "-m", "provenance_oracle.oracle.cli.main", "index", *options]
    with subprocess.Popen(program, stdout=subprocess.PIPE, text=True) as process:
        _wait_for_records(place, 0)
        registry.publish(make_record())
        _wait_for_records(place, 1)
        process.send_signal(signal.SIGTERM)
        told, _ = process.communicate(timeout=20)
    assert process.returncode == 0
    assert json.loads(told)["records"] == 1


def _wait_for_records(place: Path, count: int) -> None:
    """Wait until an index is there that has so many records."""
    deadline = time.monotonic() + 40
    while True:
        assert time.monotonic() < deadline
        with suppress(UsageError, TemporaryError), closing(open_record_index(str(place), clock=now)) as found:
            status = found.status()
            if status.until >= 0 and status.records == count:
                return
        time.sleep(0.05)

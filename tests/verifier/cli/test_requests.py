"""How many requests a command sends to a node that answers for few blocks at a time."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from provenance_oracle.oracle.cli.main import main
from provenance_oracle.verifier.judgement.judge import judge
from provenance_oracle.verifier.judgement.release import read_release
from provenance_oracle.verifier.policy import load_policy
from provenance_oracle.verifier.record.fields import Record
from provenance_oracle.verifier.record.keccak import keccak256
from provenance_oracle.verifier.registry.contract import load_artifact
from provenance_oracle.verifier.registry.deployment import Deployment, encode_deployment
from tests.support.chain_fixtures import JUDGED_AT, DeployedRegistry
from tests.support.fake_nodes import far_node
from tests.support.live_releases import lay_out

pytestmark = pytest.mark.chain

BLOCKS, SPAN = 500_000, 1000
RANGES = -(-BLOCKS // SPAN) + 2  # with the registry's own few blocks, and those that come during the command


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Record]:
    folder = tmp_path_factory.mktemp("release")
    lay_out(folder, {"config.json": b"{}\n", "weights.bin": bytes(9000)}, table=False, at=JUDGED_AT)
    return folder, judge(read_release(folder), load_policy("demo"), at=JUDGED_AT).record


@pytest.fixture
def deployed(registry: DeployedRegistry, tmp_path: Path) -> Path:
    """Return the registry's deployment file."""
    addresses = {
        name: bytes.fromhex(getattr(registry, name).address[2:]) for name in ("contract", "namespaces", "lineage")
    }
    deployment = Deployment(
        chain_id=registry.chain.chain_id,
        registry=addresses["contract"],
        namespaces=addresses["namespaces"],
        lineage=addresses["lineage"],
        block=registry.contract.w3.eth.block_number,
        transaction=bytes(32),
        code_hash=keccak256(load_artifact().deployed_bytecode),
    )
    path = tmp_path / "registry.json"
    path.write_bytes(encode_deployment(deployment))
    return path


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def run(url: str, deployed: Path, *words: str) -> int:
    result = CliRunner().invoke(main, [*words, "--rpc", url, "--registry", str(deployed)])
    assert "Traceback" not in result.output
    assert result.exit_code in (0, 6, 7), result.output
    return result.exit_code


def test_one_check_costs_at_most_20_requests_besides_those_for_ranges(
    registry: DeployedRegistry, deployed: Path, release: tuple[Path, Record]
) -> None:
    folder, record = release
    registry.publish(record)
    with far_node(registry, BLOCKS, SPAN) as (url, seen):
        assert run(url, deployed, "check", str(folder), "--policy", "demo") == 0
        first = Counter(method for method, _ in seen)
        seen.clear()
        assert run(url, deployed, "check", str(folder), "--policy", "demo") == 0
        second = Counter(method for method, _ in seen)
    assert first["eth_getLogs"] - RANGES <= 4, first  # refused while the reader looked for the node's limit
    assert first.total() - first["eth_getLogs"] <= 20, first
    assert second["eth_getLogs"] <= 2, second
    assert second.total() <= 20, second


def test_show_reads_each_event_once_and_keeps_it(
    registry: DeployedRegistry, deployed: Path, release: tuple[Path, Record]
) -> None:
    """It reads the chain for the records, revocations of releases and of models, and the records' other events."""
    _, record = release
    registry.publish(record)
    registry.publish(replace(record, revision=1, verdict_digest=b"\x07" * 32))
    words = ("show", record.model_digest.hex(), "--history")
    with far_node(registry, BLOCKS, SPAN) as (url, seen):
        assert run(url, deployed, *words) == 0
        first = Counter(method for method, _ in seen)
        filters = [str(params) for method, params in seen if method == "eth_getLogs"]
        seen.clear()
        assert run(url, deployed, *words) == 0
        second = Counter(method for method, _ in seen)
    assert len(set(filters)) == len(filters)
    assert first["eth_getLogs"] <= 3 * RANGES + 10, first
    assert second["eth_getLogs"] <= 4, second


def test_without_a_cache_everything_is_read_again(
    registry: DeployedRegistry, deployed: Path, release: tuple[Path, Record], tmp_path: Path
) -> None:
    _, record = release
    registry.publish(record)
    with far_node(registry, 3000, SPAN) as (url, seen):
        for _ in range(2):
            assert run(url, deployed, "show", record.model_digest.hex(), "--no-cache") == 0
        ranges = [params[0]["fromBlock"] for method, params in seen if method == "eth_getLogs"]
    assert ranges[0] == ranges[len(ranges) // 2]
    assert not (tmp_path / "cache").exists()


def test_after_a_reorg_events_are_read_again(
    registry: DeployedRegistry, deployed: Path, release: tuple[Path, Record]
) -> None:
    folder, record = release
    words = ("check", str(folder), "--policy", "demo")
    salt = "before"
    with far_node(registry, 3000, SPAN, lambda: salt) as (url, _):
        assert run(url, deployed, *words) == 6
        registry.publish(record)  # in a block that was empty before
        assert run(url, deployed, *words) == 7  # the state has a record, and the kept events have none
        registry.publish(replace(record, revision=1, verdict_digest=b"\x07" * 32))
        salt = "after"
        assert run(url, deployed, *words) == 0

"""Tests of hashing on a real Ray cluster of two nodes, which the tests start on this machine."""

from __future__ import annotations

import importlib.util
import socket
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from provenance_oracle.oracle.cluster.connection import RayConnection, driver_environment
from provenance_oracle.oracle.cluster.hasher import ClusterHasher
from provenance_oracle.verifier.digest.files import digest_file
from provenance_oracle.verifier.digest.tree.cpu import CpuHasher
from provenance_oracle.verifier.errors import TemporaryError, UsageError
from tests.support.ray_cluster import RayCluster, running_ray

pytestmark = pytest.mark.slow

MIB = 1024 * 1024


@pytest.fixture(scope="module")
def cluster() -> Iterator[RayCluster]:
    if importlib.util.find_spec("ray") is None:
        pytest.skip("the extra ray is not installed")
    with running_ray() as cluster:
        yield cluster


def _hasher(cluster: RayCluster, piece_bytes: int) -> ClusterHasher:
    def connect() -> RayConnection:
        return RayConnection(cluster.address, environ=cluster.environ)

    return ClusterHasher(CpuHasher(1), connect, piece_bytes=piece_bytes, worth_bytes=MIB)


def test_it_equals_the_reference_and_a_node_killed_in_the_middle_costs_its_piece(
    cluster: RayCluster, tmp_path: Path
) -> None:
    path = tmp_path / "weights"
    path.write_bytes(Random(1).randbytes(24 * MIB + 123))
    hasher = _hasher(cluster, 2 * MIB)
    assert digest_file(path, hasher=hasher) == digest_file(path)

    large = tmp_path / "large"
    with large.open("wb") as file:
        file.truncate(768 * MIB)  # holes: quick to make, and as slow to hash as other bytes
        file.write(b"x")
    killed: list[int] = []

    def kill(done: int, _all: int) -> None:
        if done >= 128 * MIB and not killed:
            killed.append(done)
            cluster.kill_second_node()

    found = digest_file(large, hasher=hasher, progress=kill)
    hasher.close()
    assert found == digest_file(large, hasher=CpuHasher(1))
    assert killed
    # the second node had one processor: the piece that it hashed, and one that was on its way there
    assert 0 <= hasher.repeated <= 2


def test_a_wrong_token_is_refused(cluster: RayCluster) -> None:
    environ = {**cluster.environ, "RAY_AUTH_TOKEN": "6" * 64}
    with pytest.raises(TemporaryError, match="the Ray cluster failed"):
        RayConnection(cluster.address, environ=environ)


def test_no_cluster_is_a_temporary_failure() -> None:
    if importlib.util.find_spec("ray") is None:
        pytest.skip("the extra ray is not installed")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    with pytest.raises(TemporaryError, match="the Ray cluster failed"):
        RayConnection(address, start_seconds=1)


def test_a_cluster_without_a_token_is_refused() -> None:
    with pytest.raises(UsageError, match="anybody who reaches"):
        driver_environment({"RAY_AUTH_MODE": "disabled"})


def test_the_driver_gets_no_key_of_the_oracle() -> None:
    environ = {
        "PATH": "/bin",
        "ORACLE_KEY": "0x1",
        "PROVENANCE_KEYSTORE": "/k",
        "PGPASSWORD": "p",
        "RAY_AUTH_TOKEN": "t",
    }
    assert driver_environment(environ) == {"PATH": "/bin", "RAY_AUTH_TOKEN": "t", "RAY_AUTH_MODE": "token"}

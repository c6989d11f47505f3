"""A Ray cluster of two nodes on this machine, as a program of its own: Ray takes over signals and logs of its process.

It prints the cluster's address, then obeys one word a line: `kill` ends the second node with SIGKILL, `stop` or the end
of the input stops everything.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

TOKEN = "5" * 64


@dataclass
class RayCluster:
    """A running cluster. `environ` is the environment in which a program can connect to it."""

    address: str
    environ: Mapping[str, str]
    process: subprocess.Popen[str]

    def kill_second_node(self) -> None:
        """Kill the second node, with everything that it runs, and wait until it is dead."""
        self._say("kill")
        assert self.process.stdout
        assert self.process.stdout.readline() == "killed\n"

    def _say(self, word: str) -> None:
        assert self.process.stdin
        self.process.stdin.write(word + "\n")
        self.process.stdin.flush()


@contextmanager
def running_ray() -> Iterator[RayCluster]:
    """Run a cluster of two nodes with one processor each, within the block."""
    environ = {**os.environ, "RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": TOKEN, "RAY_USAGE_STATS_ENABLED": "0"}
    command = [sys.executable, __file__]
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environ
    )
    assert process.stdout
    assert process.stdin
    try:
        address = process.stdout.readline().strip()
        assert address, "the Ray cluster did not start"
        yield RayCluster(address, environ, process)
    finally:
        process.stdin.close()
        try:
            process.wait(30)
        finally:
            process.kill()
            process.stdout.close()


def _serve() -> None:
    from ray.cluster_utils import Cluster

    output = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    node = {"num_cpus": 1, "num_gpus": 0, "object_store_memory": 80 * 1024 * 1024}
    cluster = Cluster(
        initialize_head=True, head_node_args={**node, "include_dashboard": False, "node_ip_address": "127.0.0.2"}
    )
    second = cluster.add_node(**node, node_ip_address="127.0.0.3")
    cluster.wait_for_nodes()
    output.write(f"{cluster.address}\n")
    for line in sys.stdin:
        if line == "kill\n":
            cluster.remove_node(second, allow_graceful=False)
            output.write("killed\n")
        else:
            break
    cluster.shutdown()


if __name__ == "__main__":
    _serve()

"""The program that talks to Ray: pieces on standard input, results on standard output, one JSON object a line.

It is a process of its own for three reasons. Ray ends a program whose cluster is gone for a minute. It takes over the
signals of the program that connects. And the results of workers are unpickled here, not beside the oracle's keys: the
parent gives this process an environment without keys.

    first line    {"slots": N, "gpus": G}            tasks that the cluster runs at once
    request       {"number": N, "path": ..., ...}    a piece, see `pieces.FilePiece`
    result        {"number": N, "nodes": hex, "problem": text, "is_changed": bool, "worker": text, "repeated": N}
    last line     {"failed": text}                   the cluster failed; the program ends

A piece whose worker died is given to another one, at most three times. The program ends with its input.
"""

from __future__ import annotations

import json
import logging
import os
import select
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from provenance_oracle.oracle.cluster.pieces import FilePiece, PieceResult, hash_piece

_REPEATS_MAX = 3
_STDIN, _STDOUT, _STDERR = 0, 1, 2
_POLL_SECONDS = 0.05
_IDLE_SECONDS = 1.0


@dataclass
class _Task:
    number: int
    piece: FilePiece
    repeated: int = 0


def main() -> None:
    """Connect to the cluster whose address is the argument, and serve until the input ends."""
    output = os.fdopen(os.dup(_STDOUT), "w")
    os.dup2(_STDERR, _STDOUT)  # a library that prints must not write between our lines

    def say(message: dict[str, object]) -> None:
        output.write(json.dumps(message) + "\n")
        output.flush()

    try:
        _serve(sys.argv[1], say)
    except Exception as error:
        say({"failed": f"{type(error).__name__}: {error}"[:2000]})
        raise SystemExit(1) from error


def _serve(address: str, say: Callable[[dict[str, object]], None]) -> None:
    import ray

    ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR)
    resources: dict[str, float] = ray.cluster_resources()  # type: ignore[no-untyped-call,unused-ignore]
    gpus = int(resources.get("GPU", 0))
    say({"slots": gpus or max(1, int(resources.get("CPU", 1))), "gpus": gpus})
    _Driver(ray, gpus > 0, say).serve()


class _Driver:
    """Gives pieces to Ray and writes down the results."""

    def __init__(self, ray: Any, on_gpu: bool, say: Callable[[dict[str, object]], None]) -> None:
        self._ray = ray
        self._say = say
        self._on_gpu = on_gpu
        # Ray repeats nothing by itself, so that every repetition is counted.
        options = {"num_cpus": 1, "num_gpus": 1 if on_gpu else 0, "max_retries": 0, "scheduling_strategy": "SPREAD"}
        self._hash = ray.remote(**options)(hash_piece)
        self._running: dict[Any, _Task] = {}
        self._input = b""

    def serve(self) -> None:
        """Work until the input ends. Ray ends the tasks of a program that ends."""
        while self._take_requests(_POLL_SECONDS if self._running else _IDLE_SECONDS):
            if not self._running:
                continue
            done, _ = self._ray.wait(list(self._running), num_returns=1, timeout=_POLL_SECONDS)
            for reference in done:
                self._finish(reference, self._running.pop(reference))

    def _take_requests(self, wait_seconds: float) -> bool:
        """Start the pieces that have come; return False if the input has ended."""
        if not select.select([_STDIN], [], [], 0 if self._running else wait_seconds)[0]:
            return True
        data = os.read(_STDIN, 65536)
        *lines, self._input = (self._input + data).split(b"\n")
        for line in lines:
            request = json.loads(line)
            self._start(_Task(request.pop("number"), FilePiece(**request)))
        return bool(data)

    def _start(self, task: _Task) -> None:
        self._running[self._hash.remote(task.piece, self._on_gpu)] = task

    def _finish(self, reference: Any, task: _Task) -> None:
        """Write the result of a task, or give its piece to another worker."""
        errors = self._ray.exceptions
        try:
            result: PieceResult = self._ray.get(reference)
        except (
            errors.WorkerCrashedError,
            errors.NodeDiedError,
            errors.ObjectLostError,
            errors.OutOfMemoryError,
        ) as error:
            task.repeated += 1
            if task.repeated > _REPEATS_MAX:
                raise RuntimeError(f"the workers of one piece died {task.repeated} times: {error}") from error
            self._start(task)
            return
        said = {"problem": result.problem, "is_changed": result.is_changed, "worker": result.worker}
        self._say({"number": task.number, "nodes": result.nodes.hex(), "repeated": task.repeated, **said})


if __name__ == "__main__":
    main()

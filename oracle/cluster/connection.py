"""The connection to a Ray cluster: a child process (`driver.py`) that takes pieces and returns results.

Every wait has an end. After any failure the child is killed, and the next file starts a new one.
"""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import IO, Protocol

from provenance_oracle.oracle.cluster.pieces import FilePiece, PieceResult, piece_to_json
from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.errors import FormatError, TemporaryError, UsageError
from provenance_oracle.verifier.strict.parse_json import parse_json
from provenance_oracle.verifier.text import printable

_START_SECONDS = 60.0
_SILENCE_SECONDS = 900.0  # a worker that reads from a network file system may wait for it this long
_TICK_SECONDS = 1.0
_LINE_MAX_BYTES = 1024 * 1024
# The child gets these variables of the oracle's environment, and no key.
_PASSED_ON = ("PATH", "HOME", "LANG", "TMPDIR", "VIRTUAL_ENV")
_PASSED_ON_PREFIXES = ("RAY_", "PYTHON", "LC_", "CUDA_", "NVIDIA_")


@dataclass(frozen=True)
class PieceAnswer:
    """The result of the piece with this number, and how often its worker died before."""

    number: int
    result: PieceResult
    repeated: int


class Workers(Protocol):
    """Workers that hash pieces."""

    @property
    def slots(self) -> int:
        """The number of pieces that are hashed at once."""

    def send(self, number: int, piece: FilePiece) -> None:
        """Give a piece to a worker."""

    def receive(self, tick: Callable[[], object]) -> PieceAnswer:
        """Return the next answer, in any order. Call `tick` at least once a second meanwhile.

        Raises:
            TemporaryError: the cluster failed or is silent.
        """

    def close(self) -> None:
        """End the connection. Pieces that are not done are dropped."""


class RayConnection:
    """The `Workers` of the Ray cluster at an address. Use it from one thread at a time.

    Args:
        address: HOST:PORT of the cluster's head.
        environ: gives the child the token of the cluster (`RAY_AUTH_TOKEN` or `RAY_AUTH_TOKEN_PATH`).
        clock: returns monotonic seconds.
        start_seconds, silence_seconds: the longest wait for the connection, and for an answer.

    Raises:
        UsageError: the environment turns the cluster's token off. TemporaryError: the cluster does not answer.
    """

    def __init__(
        self,
        address: str,
        *,
        environ: Mapping[str, str] = os.environ,
        clock: Callable[[], float] = time.monotonic,
        start_seconds: float = _START_SECONDS,
        silence_seconds: float = _SILENCE_SECONDS,
    ) -> None:
        self._address = address
        self._clock = clock
        self._silence_seconds = silence_seconds
        self._input = b""
        self._errors: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 (closed by `close`)
        self._child = subprocess.Popen(
            [sys.executable, "-P", "-m", "provenance_oracle.oracle.cluster.driver", address],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            env=driver_environment(environ),
            start_new_session=True,  # a signal from the terminal is the oracle's
        )
        try:
            first = self._read(start_seconds, lambda: None)
            self.slots = _whole(first, "slots")
            self.gpus = _whole(first, "gpus")
        except BaseException:
            self.close()
            raise

    def send(self, number: int, piece: FilePiece) -> None:
        """Give a piece to a worker."""
        line = json.dumps({"number": number, **piece_to_json(piece)}) + "\n"
        stream = self._child.stdin
        assert stream
        try:
            stream.write(line.encode())
            stream.flush()
        except OSError as error:
            raise self._failed(f"its driver ended: {self._last_words()}") from error

    def receive(self, tick: Callable[[], object]) -> PieceAnswer:
        """Return the next answer; see `Workers.receive`."""
        tree = self._read(self._silence_seconds, tick)
        try:
            nodes = bytes.fromhex(_text(tree, "nodes"))
        except ValueError as error:
            raise self._failed("an answer holds no digests") from error
        words = (printable(_text(tree, "problem")), tree.get("is_changed") is True, printable(_text(tree, "worker")))
        return PieceAnswer(_whole(tree, "number"), PieceResult(nodes, *words), _whole(tree, "repeated"))

    def close(self) -> None:
        """Kill the child."""
        self._child.kill()
        self._child.wait()
        for stream in (self._child.stdin, self._child.stdout, self._errors):
            if stream:
                stream.close()

    def _read(self, limit_seconds: float, tick: Callable[[], object]) -> Mapping[str, object]:
        """Return the next line of the child as an object."""
        end = self._clock() + limit_seconds
        stream = self._child.stdout
        assert stream
        while b"\n" not in self._input:
            tick()
            if self._clock() > end or len(self._input) > _LINE_MAX_BYTES:
                raise self._failed(f"nothing came for {limit_seconds:.0f} s")
            if select.select([stream], [], [], _TICK_SECONDS)[0]:
                data = os.read(stream.fileno(), 65536)
                if not data:
                    raise self._failed(f"its driver ended: {self._last_words()}")
                self._input += data
        line, _, self._input = self._input.partition(b"\n")
        try:
            tree = parse_json(line, where="ray", check=Check.FILE_DIGESTS, max_bytes=_LINE_MAX_BYTES, max_depth=2)
        except FormatError as error:
            raise self._failed(str(error)) from error
        if not isinstance(tree, dict) or "failed" in tree:
            raise self._failed(printable(str(tree.get("failed") if isinstance(tree, dict) else tree), 500))
        return tree

    def _last_words(self) -> str:
        self._errors.seek(0)
        lines = self._errors.read()[-4096:].decode(errors="replace").split("\n")
        return printable(next((line for line in reversed(lines) if line.strip()), "no message"), 500)

    def _failed(self, got: str) -> TemporaryError:
        wanted = "a cluster that answers; see RAY_AUTH_TOKEN and `ray status`"
        return TemporaryError("the Ray cluster failed", where=printable(self._address), got=got, wanted=wanted)


def driver_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of the child: no key, and Ray's token required.

    Raises:
        UsageError: the environment turns the token off.
    """
    mode = environ.get("RAY_AUTH_MODE", "token")
    if mode != "token":
        problem = "anybody who reaches a Ray cluster without a token runs code on it"
        raise UsageError(problem, where="RAY_AUTH_MODE", got=printable(mode), wanted="token, or not set")
    kept = {name: text for name, text in environ.items() if name in _PASSED_ON or name.startswith(_PASSED_ON_PREFIXES)}
    return {**kept, "RAY_AUTH_MODE": "token"}


def _whole(tree: Mapping[str, object], name: str) -> int:
    value = tree.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) else -1


def _text(tree: Mapping[str, object], name: str) -> str:
    value = tree.get(name)
    return value if isinstance(value, str) else ""

"""A judge process as the oracle sees it: start it, ask it, and kill it if it does not answer in time."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress

from provenance_oracle.oracle.judging.answers import LINE_MAX_CHARS, JudgeAnswer, parse_judge_answer
from provenance_oracle.oracle.judging.errors_as_data import error_to_json
from provenance_oracle.oracle.judging.messages import JudgeQuestion, Message, Setup, pack_order, read_message
from provenance_oracle.verifier.errors import ProvenanceError, TemporaryError
from provenance_oracle.verifier.snp.kds import Fetcher, forget_answer
from provenance_oracle.verifier.text import printable

# The process takes its modules from where the oracle takes them, and nothing from its environment.
_PROGRAM = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1])\n"
    "from provenance_oracle.oracle.judging.child import main; main(int(sys.argv[2]), int(sys.argv[3]))"
)
_PYTHON = (sys.executable, "-I", *(("-B",) if sys.dont_write_bytecode else ()))
# All that a process gets of the oracle's environment, where keys, passwords and tokens may be.
PASSED_VARIABLES = ("LANG", "LC_ALL", "LC_CTYPE", "LD_LIBRARY_PATH", "PATH", "TZ")
_LOOK_SECONDS = 0.1  # between two calls of `on_wait`
_SEND_SECONDS = 10.0
_GONE_SECONDS = 1.0  # for a killed process to end
_PIECE_MAX_BYTES = 1024 * 1024
_FETCHES_MAX = 16  # for one release
_LAST_WORDS_MAX_BYTES = 2000
OnWait = Callable[[], object]


class ProcessLostError(TemporaryError):
    """A judge process died, or did not keep to the form of its answers. The release waits, and is tried again."""


class JudgeProcess:
    """A process that judges one release at a time. One thread uses it at a time.

    The kernel kills the process when the thread that made it ends.

    Raises:
        OSError: it cannot be started.
    """

    def __init__(self) -> None:
        self._last_words = os.memfd_create("judge")
        self._socket, theirs = socket.socketpair()
        try:
            self._process = subprocess.Popen(
                [*_PYTHON, "-c", _PROGRAM, json.dumps(sys.path), str(theirs.fileno()), str(os.getpid())],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=self._last_words,
                pass_fds=[theirs.fileno()],
                env={name: os.environ[name] for name in PASSED_VARIABLES if name in os.environ},
                start_new_session=True,  # an interrupt from the terminal reaches only the oracle
            )
        except BaseException:
            self._socket.close()
            os.close(self._last_words)
            raise
        finally:
            theirs.close()

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    def prepare(self, setup: Setup, on_wait: OnWait) -> None:
        """Wait until it can judge by `setup`. Other arguments and errors are those of `ask`."""
        self._send(pack_order(setup))
        if self._next(on_wait).header.get("is") != "ready":
            raise self._lost("it did not say that it is ready")

    def ask(self, question: JudgeQuestion, fetcher: Fetcher | None, on_wait: OnWait) -> JudgeAnswer:
        """Return what comes of a release. After an error, the process is of no use any more: `kill` it.

        Args:
            fetcher: fetches what the process asks for; it accepts addresses of AMD only.
            on_wait: called at least ten times a second. What it raises ends the wait.

        Raises:
            ProcessLostError: the process died, or its answer is malformed.
            Errors of `on_wait`.
        """
        self._send(pack_order(question))
        for _ in range(2 * _FETCHES_MAX):
            message = self._next(on_wait)
            kind = message.header.get("is")
            if kind == "answer":
                try:
                    return parse_judge_answer(message)
                except (ValueError, TypeError, KeyError, AttributeError) as error:
                    raise self._lost(f"its answer is malformed: {type(error).__name__}: {error}") from error
            if fetcher is None or kind not in ("fetch", "forget"):
                break
            self._serve(fetcher, message)
        raise self._lost("it asked for what it may not have")

    def kill(self) -> None:
        """End the process now."""
        with suppress(OSError):
            self._process.kill()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(_GONE_SECONDS)
        self._socket.close()
        os.close(self._last_words)

    def _serve(self, fetcher: Fetcher, message: Message) -> None:
        url = str(message.header.get("url"))
        if message.header["is"] == "forget":
            forget_answer(fetcher, url)
            return
        reply: Mapping[str, object]
        try:
            reply = {"body": fetcher.fetch(url)}
        except ProvenanceError as error:
            reply = {"error": error_to_json(error)}
        self._send(pack_order(reply))

    def _send(self, data: bytes) -> None:
        self._socket.settimeout(_SEND_SECONDS)
        try:
            self._socket.sendall(data)
        except OSError as error:
            raise self._lost(f"it takes no question: {error}") from error

    def _next(self, on_wait: OnWait) -> Message:
        self._socket.settimeout(_LOOK_SECONDS)
        try:
            return read_message(lambda size: self._read(size, on_wait))
        except (ValueError, RecursionError) as error:
            raise self._lost(f"its message is malformed: {error}") from error

    def _read(self, size: int, on_wait: OnWait) -> bytes:
        data = bytearray()
        while len(data) < size:
            on_wait()
            try:
                piece = self._socket.recv(min(size - len(data), _PIECE_MAX_BYTES))
            except TimeoutError:
                continue
            except OSError as error:
                raise self._lost(str(error)) from error
            if not piece:
                raise self._lost("it has ended")
            data += piece
        return bytes(data)

    def _lost(self, reason: str) -> ProcessLostError:
        """Return the error for a process that is of no use any more, with how it ended and what it said last."""
        with suppress(subprocess.TimeoutExpired):
            code = self._process.wait(_GONE_SECONDS)
            reason = f"killed by {signal.Signals(-code).name}" if code < 0 else f"ended with status {code}"
        size = os.fstat(self._last_words).st_size
        said = os.pread(self._last_words, _LAST_WORDS_MAX_BYTES, max(0, size - _LAST_WORDS_MAX_BYTES))
        words = printable(said.decode("utf-8", "replace").strip(), LINE_MAX_CHARS)
        return ProcessLostError(
            "the process that judged this release was lost, so the release waits and is tried again",
            where=f"judge process {self.pid}",
            got=f"{printable(reason)}{', last words: ' if words else ''}{words}",
            wanted="an answer",
        )

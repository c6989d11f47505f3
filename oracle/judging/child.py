"""A judge process: it reads and judges one release after the other, until the oracle closes the socket.

It holds no key and no password, writes nothing, and uses no network: a revocation list it asks of the oracle. The
kernel kills it when the oracle ends, however that happens.
"""

from __future__ import annotations

import ctypes
import faulthandler
import logging
import os
import resource
import signal
import socket
import sys
from contextlib import suppress
from functools import partial
from pathlib import Path

from provenance_oracle.oracle.judging.answers import LINE_MAX_CHARS, LINES_MAX, Heard, answer_message
from provenance_oracle.oracle.judging.errors_as_data import error_from_json
from provenance_oracle.oracle.judging.judges import Judged, ThreadJudge
from provenance_oracle.oracle.judging.messages import JudgeQuestion, Message, Setup, pack_message, read_order
from provenance_oracle.oracle.metrics import Meter
from provenance_oracle.oracle.sources.look import Look
from provenance_oracle.verifier.digest.choose import open_hasher
from provenance_oracle.verifier.errors import ProvenanceError
from provenance_oracle.verifier.judgement.judge_any import judge_any
from provenance_oracle.verifier.strict.core_dumps import forbid_core_dumps

_PR_SET_PDEATHSIG = 1  # linux/prctl.h
_OOM_SCORE = Path("/proc/self/oom_score_adj")
_ERRORS_MAX_BYTES = 64 * 1024  # of standard error, which the oracle reads if this process dies


def main(descriptor: int, parent: int) -> None:
    """Judge what is asked on a socket.

    Args:
        descriptor: of the socket to the oracle.
        parent: the oracle's process id.
    """
    # (1) end with the oracle, and before it where memory is short
    _end_with(parent)
    _take_precautions()
    with socket.socket(fileno=descriptor) as to_oracle:
        channel = _Channel(to_oracle)
        try:
            # (2) learn what all judgements share
            setup = channel.next_order()
            assert isinstance(setup, Setup)
            judges = _Judges(setup, channel)
            channel.tell(Message({"is": "ready"}))
            # (3) answer one question after the other
            while True:
                question = channel.next_order()
                assert isinstance(question, JudgeQuestion)
                channel.tell(judges.answer(question))
        except (EOFError, ConnectionError):
            return  # the oracle has ended, or needs this process no more


class _Channel:
    """The socket to the oracle."""

    def __init__(self, to_oracle: socket.socket) -> None:
        self._socket = to_oracle

    def next_order(self) -> object:
        return read_order(self._read)

    def tell(self, message: Message) -> None:
        self._socket.sendall(pack_message(message))

    def _read(self, size: int) -> bytes:
        data = bytearray()
        while len(data) < size:
            piece = self._socket.recv(size - len(data))
            if not piece:
                raise EOFError
            data += piece
        return bytes(data)


class _AskingFetcher:
    """A `Fetcher` that has the oracle fetch."""

    def __init__(self, channel: _Channel) -> None:
        self._channel = channel

    def fetch(self, url: str) -> bytes:
        self._channel.tell(Message({"is": "fetch", "url": url}))
        reply = self._channel.next_order()
        assert isinstance(reply, dict)
        if "error" in reply:
            raise error_from_json(reply["error"])
        return bytes(reply["body"])

    def forget(self, url: str) -> None:
        self._channel.tell(Message({"is": "forget", "url": url}))


class _Judges:
    """Judges, and notes what the oracle wants to hear of each judgement."""

    def __init__(self, setup: Setup, channel: _Channel) -> None:
        fetcher = _AskingFetcher(channel) if setup.fetches else None
        hasher = open_hasher("cpu", threads=1, notify=logging.getLogger(__name__).info)
        self._ears = _Ears()
        self._judge = ThreadJudge(
            partial(judge_any, fetcher=fetcher, hasher=hasher, limits=setup.limits), setup.policy, self._ears
        )
        logger = logging.getLogger("provenance_oracle")
        logger.addHandler(self._ears.lines)
        logger.setLevel(logging.DEBUG)
        logger.propagate = False

    def answer(self, question: JudgeQuestion) -> Message:
        self._ears.clear()
        look, outcome = self._outcome(question)
        return answer_message(look, outcome, self._ears.heard())

    def _outcome(self, question: JudgeQuestion) -> tuple[Look | None, Judged | Exception | None]:
        look: Look | None = None
        try:
            case = self._judge.read(question.files, question.name, now=question.at)
            if case is None:
                return None, None
            look = case.look()
            return look, case.judge(question.at, question.at, lambda _done, _all: None)
        except (EOFError, ConnectionError):
            raise  # the oracle has ended
        except ProvenanceError as error:
            return look, error
        except Exception as error:
            logging.getLogger(__name__).debug("traceback", exc_info=error)
            return look, error


class _Ears(Meter):
    """Keeps the figures and log lines of one judgement."""

    def __init__(self) -> None:
        self.lines = _Lines()
        self.clear()

    def clear(self) -> None:
        self._took: dict[str, float] = {}
        self._hashed = 0
        self.lines.kept = []

    def heard(self) -> Heard:
        return Heard(self._took, self._hashed, self.lines.kept)

    def took(self, name: str, seconds: float) -> None:
        self._took[name] = seconds

    def hashed(self, count_bytes: int) -> None:
        self._hashed += count_bytes


class _Lines(logging.Handler):
    """Keeps the first log lines."""

    kept: list[tuple[int, str, str]]

    def emit(self, record: logging.LogRecord) -> None:
        if len(self.kept) < LINES_MAX:
            self.kept.append((record.levelno, record.name, self.format(record)[:LINE_MAX_CHARS]))


def _end_with(parent: int) -> None:
    """Have the kernel kill this process when the thread that started it ends. End now if the parent has ended."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        sys.exit(0)


def _take_precautions() -> None:
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):  # the oracle gets them too, and decides
        signal.signal(number, signal.SIG_IGN)
    faulthandler.enable()
    resource.setrlimit(resource.RLIMIT_FSIZE, (_ERRORS_MAX_BYTES, _ERRORS_MAX_BYTES))
    with suppress(OSError):  # where memory is short, the kernel kills this process, not the oracle
        _OOM_SCORE.write_text("1000")
    forbid_core_dumps()

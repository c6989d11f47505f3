"""Firefox driven over Marionette, the protocol of its own tests: TCP, each message its length, a colon, and JSON.

Protocol: firefox-source-docs, testing/marionette/Protocol (level 3): `[0, id, command, parameters]` is answered by
`[1, id, error, result]`.
"""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_START_SECONDS = 60.0
_ANSWER_SECONDS = 240.0
_LENGTH_DIGITS = 10


def firefox_program() -> str | None:
    """Return the path of Firefox; None if there is none."""
    return shutil.which("firefox-esr") or shutil.which("firefox")


class Marionette:
    """A session with one window."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._answers = connection.makefile("rb")
        self._last = 0
        self._read()  # Firefox greets first
        self._command("WebDriver:NewSession")
        self._command("WebDriver:SetTimeouts", script=int(1000 * _ANSWER_SECONDS))

    def goto(self, url: str) -> None:
        """Load an address."""
        self._command("WebDriver:Navigate", url=url)

    def run_async(self, script: str, *arguments: Any) -> Any:
        """Run a script in the page; it gets the arguments and, last, a function to call with its result."""
        return self._command("WebDriver:ExecuteAsyncScript", script=script, args=arguments)["value"]

    def _command(self, name: str, **parameters: Any) -> Any:
        self._last += 1
        text = json.dumps([0, self._last, name, parameters])
        self._connection.sendall(f"{len(text.encode())}:{text}".encode())
        kind, answered, error, result = self._read()
        assert (kind, answered) == (1, self._last)
        assert error is None, error
        return result

    def _read(self) -> Any:
        digits = b""
        while (byte := self._answers.read(1)) != b":":
            digits += byte
            assert byte.isdigit(), "Firefox closed the connection"
            assert len(digits) <= _LENGTH_DIGITS
        return json.loads(self._answers.read(int(digits)))


@contextmanager
def running_firefox(program: str, profile: Path) -> Iterator[Marionette]:
    """Run a headless Firefox with an empty profile within the block."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    (profile / "user.js").write_text(
        f'user_pref("marionette.port", {port});\nuser_pref("datareporting.policy.dataSubmissionEnabled", false);\n'
        'user_pref("app.update.enabled", false);\nuser_pref("network.captive-portal-service.enabled", false);\n'
        'user_pref("toolkit.telemetry.enabled", false);\nuser_pref("network.connectivity-service.enabled", false);\n'
    )
    command = [program, "--headless", "--marionette", "--no-remote", "--profile", str(profile)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            with _connected(process, port) as connection:
                yield Marionette(connection)
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()


def _connected(process: subprocess.Popen[bytes], port: int) -> socket.socket:
    """Return a connection, once Firefox listens."""
    until = time.monotonic() + _START_SECONDS
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port), timeout=_ANSWER_SECONDS)
        except ConnectionRefusedError:
            assert process.poll() is None, "Firefox ended"
            assert time.monotonic() < until, "Firefox does not listen"
            time.sleep(0.2)

"""A command run on a terminal of a given width, so that a test sees the lines that a user sees."""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Shown:
    """The output of a command on a terminal, standard error included, and its exit code."""

    text: str
    exit_code: int


def on_terminal(
    *arguments: str | Path, columns: int, environment: dict[str, str] | None = None, typed: bytes = b""
) -> Shown:
    """Run `provenance` on a terminal with this many columns, and answer its first prompt with `typed`."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    command = [sys.executable, "-P", "-m", "provenance_oracle.oracle.cli.main", *map(str, arguments)]
    kept = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES", "NO_COLOR")}
    env = {**kept, "TERM": "xterm", **(environment or {})}
    with subprocess.Popen(
        command, stdin=theirs, stdout=theirs, stderr=theirs, env=env, start_new_session=True
    ) as process:
        os.close(theirs)
        parts = []
        while True:
            try:
                part = os.read(ours, 65536)
            except OSError:  # EIO: the command has closed the terminal
                break
            if not part:
                break
            parts.append(part)
            if typed and part.endswith(b": "):  # a prompt; what is typed before it is discarded
                os.write(ours, typed)
                typed = b""
    os.close(ours)
    return Shown(b"".join(parts).decode().replace("\r\n", "\n"), process.returncode)

"""Show the steps of a demo, and run in each the commands that a user types."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click

from provenance_oracle.verifier.errors import ProvenanceError

_STOP_SECONDS = 10.0


class DemoError(ProvenanceError):
    """A step of the demo had an unexpected outcome."""


def run(*arguments: str, environment: dict[str, str] | None = None, wanted_exit: int = 0, quiet: bool = False) -> str:
    """Run one `provenance` command as a user does. Show the command and its output, unless `quiet`.

    Returns:
        The command's standard output if `quiet`, otherwise "".

    Raises:
        DemoError: the exit code is not `wanted_exit`.
    """
    if not quiet:
        click.secho(f"\n$ provenance {shlex.join(arguments)}", bold=True)
    sys.stdout.flush()
    found = subprocess.run(
        command_of(arguments),
        env={**os.environ, **(environment or {})},
        stdout=subprocess.PIPE if quiet else None,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    if found.returncode != wanted_exit:
        raise DemoError(
            f"provenance {arguments[0]} ended with an unexpected exit code",
            where="demo",
            got=f"exit {found.returncode}",
            wanted=f"exit {wanted_exit}",
        )
    if wanted_exit:
        say(f"  exit code {wanted_exit}")
    return found.stdout or ""


def step(number: int, text: str) -> None:
    """Show the heading of a step."""
    click.secho(f"\n{number}. {text}", bold=True, fg="cyan")


def say(text: str) -> None:
    """Show a line."""
    click.echo(text)


@contextmanager
def running(*arguments: str, environment: dict[str, str]) -> Iterator[None]:
    """Run one `provenance` command beside the others until the block ends, and show it without its output."""
    click.secho(f"\n$ provenance {shlex.join(arguments)} &", bold=True)
    with subprocess.Popen(
        command_of(arguments), env={**os.environ, **environment}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        try:
            yield
        finally:
            process.terminate()
            try:
                process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()


def command_of(arguments: tuple[str, ...]) -> list[str]:
    """Return the program and its arguments for a `provenance` command."""
    # -P: without it the working directory, perhaps a stranger's model folder, leads the import path
    return [sys.executable, "-P", "-m", "provenance_oracle.oracle.cli.main", *arguments]

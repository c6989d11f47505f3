"""Output and failures of every command: the check table, the one JSON document, the exit code.

Without --json a command prints text for people. With --json it prints exactly one document on stdout, and nothing else
there.
"""

from __future__ import annotations

import errno
import functools
import io
import json
import os
import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Concatenate, NoReturn, ParamSpec

import click

from provenance_oracle.verifier.checks import Finding, Outcome
from provenance_oracle.verifier.documents.errors import error_json, internal_error_json
from provenance_oracle.verifier.documents.schemas import ERROR, envelope
from provenance_oracle.verifier.errors import ProvenanceError, TemporaryError, UsageError, naming_extras
from provenance_oracle.verifier.judgement.sheet import was_reached
from provenance_oracle.verifier.text import printable

P = ParamSpec("P")
_MARKS = {Outcome.PASSED: ("ok", "green"), Outcome.FAILED: ("FAIL", "red"), Outcome.NOT_CHECKED: ("-", "yellow")}
_GOT_COLUMNS = 50
_DISK_FULL = (errno.ENOSPC, errno.EDQUOT)
_LONG_HEX = re.compile("([0-9a-f]{16})[0-9a-f]{16,}")


@dataclass(frozen=True)
class Output:
    """The output of one command. `schema` is the id of its JSON document; `as_json` says that the user asked for it."""

    schema: str
    as_json: bool

    def document(self, accepted: bool, body: Mapping[str, object]) -> None:
        """Print the JSON document; do nothing without --json."""
        if self.as_json:
            click.echo(json.dumps(envelope(self.schema, accepted=accepted, body=body), indent=2))

    def answer(self, body: Mapping[str, object], refusal: ProvenanceError | None) -> None:
        """Print the JSON document, and end the command with `refusal` if there is one.

        Raises:
            ProvenanceError: `refusal`, without --json.
            click.exceptions.Exit: with --json, if there is a refusal. The document then holds it, and the exit code is
                that of its class.
        """
        self.document(refusal is None, dict(body) | (error_json(refusal) if refusal else {}))
        if refusal and self.as_json:
            _say_failure(refusal)
            raise click.exceptions.Exit(refusal.exit_code)
        if refusal:
            raise refusal

    def text(self, line: str = "", *, color: str | None = None) -> None:
        """Print a line for people, bold if it has a color, and escape control characters; do nothing with --json."""
        if not self.as_json:
            shown = printable(line, len(line) + 1)
            click.echo(click.style(shown, fg=color, bold=True) if color else shown)

    def accepted(self, note: str = "") -> None:
        """Print "accepted", and under it a `note` that limits the answer."""
        self.text()
        self.text("accepted", color="green")
        if note:
            self.text(note, color="yellow")

    def table(self, findings: Iterable[Finding]) -> None:
        """Print the check table; do nothing with --json."""
        if not self.as_json:
            print_findings(findings)


def print_findings(findings: Iterable[Finding]) -> None:
    """Print one line per check: mark, id, `got`, `wanted`. Long hex is cut here; the JSON document has all of it."""
    shown = list(findings)
    for finding in shown:
        if not was_reached(finding):
            continue
        mark, color = _MARKS[finding.outcome]
        got, wanted = (_LONG_HEX.sub(r"\1…", printable(text, 500)) for text in (finding.got, finding.wanted))
        line = f"  {click.style(f'{mark:<4}', fg=color)}  {finding.check:<20}  {got:<{_GOT_COLUMNS}}"
        click.echo(f"{line}  {click.style(wanted, dim=True)}".rstrip() if wanted else line.rstrip())
    unreached = sum(not was_reached(finding) for finding in shown)
    if unreached:
        click.echo(f"  {click.style('-   ', fg='yellow')}  {unreached} checks were not reached")


def prepare_streams() -> None:
    """Make output escape the characters that its encoding lacks; by default they end the command."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def ended(run: Callable[[], object], arguments: Sequence[str]) -> NoReturn:
    """Run a command line and end the process with its exit code.

    A closed pipe (`| head`) ends it with 141 and an interrupt with 130, both without a word, as a shell expects. With
    --json in the arguments, a usage error is a document too. If standard output cannot take the output, exit code 7.
    """
    code: object = 0
    before = sys.stdout
    try:
        code = run()
        sys.stdout.flush()
    except click.ClickException as error:
        code = error.exit_code
        if "--json" in arguments:
            command = error.ctx.command if isinstance(error, click.UsageError) and error.ctx else None
            schema = getattr(getattr(command, "callback", None), "schema", ERROR)
            Output(schema, as_json=True).document(False, error_json(UsageError(error.format_message())))
        error.show()
    except (click.Abort, KeyboardInterrupt):
        code = 130
    except SystemExit as error:
        code = error.code
    except OSError as error:
        code = 141 if error.errno == errno.EPIPE else TemporaryError.exit_code
        if error.errno != errno.EPIPE:
            problem = f"the output cannot be written: {error.strerror}"
            click.echo(f"not decided, try again (exit {code}): {problem}", err=True)
        # Python flushes at the end once more, which would fail again.
        with suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    if sys.stdout is not before:  # click replaces it when the pipe is closed
        code = 141
    sys.exit(code if isinstance(code, int) else 0)


def command_body(schema: str) -> Callable[[Callable[Concatenate[Output, P], None]], Callable[..., None]]:
    """Return a decorator for a command's function. It passes an `Output` as first argument and handles failures.

    A `ProvenanceError` ends in a message and the exit code of its class, any other exception in exit code 1. A
    traceback reaches the user only with PROVENANCE_DEBUG in the environment. The decorator takes the option --json.

    Args:
        schema: id of the command's JSON document.
    """

    def wrap(body: Callable[Concatenate[Output, P], None]) -> Callable[..., None]:
        @functools.wraps(body)
        def run(*args: P.args, as_json: bool = False, **kwargs: P.kwargs) -> None:  # type: ignore[valid-type]
            output = Output(schema, as_json)
            try:
                with naming_extras():
                    body(output, *args, **kwargs)
            except ProvenanceError as error:
                _report_failure(output, error)
                sys.exit(error.exit_code)
            except (click.ClickException, click.exceptions.Exit, click.Abort, BrokenPipeError):
                raise
            except Exception as error:
                if isinstance(error, OSError) and error.errno in _DISK_FULL:
                    full = TemporaryError("the disk is full", got=error.strerror or "", wanted="room; then try again")
                    _report_failure(output, full)
                    sys.exit(full.exit_code)
                if os.environ.get("PROVENANCE_DEBUG"):
                    raise
                _report_bug(output, error)
                sys.exit(1)

        run.schema = schema  # type: ignore[attr-defined]  # for usage errors, which click finds before it calls
        return run

    return wrap


def _report_failure(output: Output, error: ProvenanceError) -> None:
    output.document(False, error_json(error))
    if error.findings:
        output.table(error.findings)
        output.text()
    _say_failure(error)


def _say_failure(error: ProvenanceError) -> None:
    if isinstance(error, UsageError) or error.exit_code == 1:
        verdict = "error"
    else:
        verdict = "not decided, try again" if error.retry else "not accepted"
    click.echo(f"{click.style(verdict, fg='red', bold=True)} (exit {error.exit_code}): {error}", err=True)


def _report_bug(output: Output, error: Exception) -> None:
    text = printable(f"{type(error).__name__}: {error}")
    output.document(False, internal_error_json(text))
    click.echo(f"internal error (exit 1), please report it: {text}\nPROVENANCE_DEBUG=1 shows the traceback.", err=True)

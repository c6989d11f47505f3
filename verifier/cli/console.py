"""Output and failures of every command: the summary, the checks, the one JSON document, the exit code.

Without --json a command prints text for people: a summary line first, then the checks that failed, and the rest on
demand. With --json it prints exactly one document on stdout, and nothing else there.
"""

from __future__ import annotations

import errno
import functools
import io
import json
import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Concatenate, NoReturn, ParamSpec

import click

from provenance_oracle.verifier.checks import Finding, Outcome
from provenance_oracle.verifier.cli.layout import columns_of, fitted
from provenance_oracle.verifier.documents.errors import error_json, internal_error_json
from provenance_oracle.verifier.documents.schemas import ERROR, envelope
from provenance_oracle.verifier.errors import (
    DISK_FAILED,
    DISK_FULL,
    ProvenanceError,
    TemporaryError,
    UsageError,
    naming_extras,
)
from provenance_oracle.verifier.judgement.sheet import was_reached
from provenance_oracle.verifier.text import printable

P = ParamSpec("P")
_MARKS = {Outcome.PASSED: ("ok", "green"), Outcome.FAILED: ("FAIL", "red"), Outcome.NOT_CHECKED: ("-", "yellow")}
_GOT_COLUMNS = 50


@dataclass(frozen=True)
class Output:
    """The output of one command.

    Attributes:
        schema: id of its JSON document.
        as_json: the user asked for the document, so no text for people is printed.
        quiet: the user asked for errors and the exit code only. The document is printed all the same.
        verbose: the user asked for every check.
    """

    schema: str
    as_json: bool
    quiet: bool = False
    verbose: bool = False

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
        """Print a line for people, bold if it has a color, in the width of the terminal, and escape control characters.

        Do nothing with --json or --quiet.
        """
        if not self.is_silent:
            for part in fitted(printable(line, len(line) + 1), columns_of(sys.stdout)):
                click.echo(click.style(part, fg=color, bold=True) if color else part)

    def raw(self, text: str) -> None:
        """Print text of our own as it is, for another program; do nothing with --json or --quiet."""
        if not self.is_silent:
            click.echo(text)

    def accepted(self, summary: str, note: str = "") -> None:
        """Print "accepted" and a summary of the thing accepted, and under it a `note` that limits the answer."""
        self.text(f"accepted: {summary}", color="green")
        if note:
            self.text(note, color="yellow")

    def checks(self, findings: Iterable[Finding]) -> None:
        """Print the checks that failed, with --verbose all checks, and how many there are of each outcome.

        Do nothing with --json or --quiet.
        """
        if not self.is_silent:
            print_findings(findings, verbose=self.verbose)

    @property
    def is_silent(self) -> bool:
        """Whether the user wants no text for people."""
        return self.as_json or self.quiet


def print_findings(findings: Iterable[Finding], *, verbose: bool) -> None:
    """Print each failed check, or each check, as mark, id, `got`, `wanted`; then how many checks ended how."""
    shown = list(findings)
    reached = [finding for finding in shown if was_reached(finding)]
    for finding in reached:
        if verbose or finding.outcome is Outcome.FAILED:
            _print_finding(finding)
    counts = [(sum(one.outcome is outcome for one in reached), f"{outcome}".replace("-", " ")) for outcome in Outcome]
    counts.append((len(shown) - len(reached), "not reached"))
    words = ", ".join(f"{count} {outcome}" for count, outcome in counts if count)
    for part in fitted(f"checks           {words}{'' if verbose else ' (-v lists them)'}", columns_of(sys.stdout)):
        click.echo(part)


def _print_finding(finding: Finding) -> None:
    """Print a finding in one line; if the terminal is too narrow for it, `got` and `wanted` in lines of their own."""
    mark, color = _MARKS[finding.outcome]
    got, wanted = (printable(text, 500) for text in (finding.got, finding.wanted))
    head, columns = f"  {mark:<4}  {finding.check:<20}  ", columns_of(sys.stdout)
    lines = [f"{head}{got:<{_GOT_COLUMNS}}  {wanted}".rstrip()]
    if columns is not None and len(lines[0]) > columns:
        lines = list(fitted(head + got, columns, hanging=len(head)))
        lines += fitted(f"{' ' * len(head)}wanted {wanted}", columns, hanging=len(head)) if wanted else []
    for number, line in enumerate(lines):
        click.echo(line if number else f"  {click.style(line[2:6], fg=color)}{line[6:]}")


def uses_color(environ: Mapping[str, str]) -> bool | None:
    """Return False if NO_COLOR or a dumb terminal forbids colors; None for colors on a terminal only."""
    return False if environ.get("NO_COLOR") or environ.get("TERM") == "dumb" else None


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
        code = _exit_code(run, arguments)
        sys.stdout.flush()
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


def _exit_code(run: Callable[[], object], arguments: Sequence[str]) -> object:
    """Run a command line, report a usage error that click found, and return the exit code."""
    try:
        return run()
    except click.ClickException as error:
        if "--json" in arguments:
            command = error.ctx.command if isinstance(error, click.UsageError) and error.ctx else None
            schema = getattr(getattr(command, "callback", None), "schema", ERROR)
            Output(schema, as_json=True).document(False, error_json(UsageError(error.format_message())))
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        return 130
    except SystemExit as error:
        return error.code


def command_body(schema: str) -> Callable[[Callable[Concatenate[Output, P], None]], Callable[..., None]]:
    """Return a decorator for a command's function. It passes an `Output` as first argument and handles failures.

    A `ProvenanceError` ends in a message and the exit code of its class, any other exception in exit code 1. A
    traceback reaches the user only with PROVENANCE_DEBUG in the environment. The decorator takes the options --json,
    --quiet and --verbose.

    Args:
        schema: id of the command's JSON document.
    """

    def wrap(body: Callable[Concatenate[Output, P], None]) -> Callable[..., None]:
        @functools.wraps(body)
        def run(*args: P.args, **kwargs: P.kwargs) -> None:
            output = Output(schema, *(bool(kwargs.pop(name, False)) for name in ("as_json", "quiet", "verbose")))
            try:
                with naming_extras():
                    body(output, *args, **kwargs)
            except ProvenanceError as error:
                _report_failure(output, error)
                sys.exit(error.exit_code)
            except (click.ClickException, click.exceptions.Exit, click.Abort, BrokenPipeError):
                raise
            except Exception as error:
                if (temporary := _disk_trouble(error)) is not None:
                    _report_failure(output, temporary)
                    sys.exit(temporary.exit_code)
                if os.environ.get("PROVENANCE_DEBUG"):
                    raise
                _report_bug(output, error)
                sys.exit(1)

        run.schema = schema  # type: ignore[attr-defined]  # for usage errors, which click finds before it calls
        return run

    return wrap


def _disk_trouble(error: Exception) -> TemporaryError | None:
    """Return the error for a disk that is full or fails; None for any other error."""
    if not isinstance(error, OSError):
        return None
    got = error.strerror or ""
    if error.errno in DISK_FULL:
        return TemporaryError("the disk is full", got=got, wanted="room; then try again")
    if error.errno in DISK_FAILED:
        return TemporaryError("the disk fails", got=got, wanted="a disk that works; then try again")
    return None


def _report_failure(output: Output, error: ProvenanceError) -> None:
    output.document(False, error_json(error))
    _say_failure(error)
    if error.findings:
        output.checks(error.findings)


def _say_failure(error: ProvenanceError) -> None:
    if isinstance(error, UsageError) or error.exit_code == 1:
        verdict = "error"
    else:
        verdict = "not decided, try again" if error.retry else "not accepted"
    line = f"{verdict} (exit {error.exit_code}): {error}"
    first, *rest = fitted(line, columns_of(sys.stderr), hanging=2)
    click.echo(click.style(verdict, fg="red", bold=True) + first[len(verdict) :], err=True)
    for part in rest:
        click.echo(part, err=True)


def _report_bug(output: Output, error: Exception) -> None:
    text = printable(f"{type(error).__name__}: {error}")
    output.document(False, internal_error_json(text))
    click.echo(f"internal error (exit 1), please report it: {text}\nPROVENANCE_DEBUG=1 shows the traceback.", err=True)

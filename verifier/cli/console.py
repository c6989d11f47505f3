"""What the commands share: one way to print a check table, one JSON envelope, one place where failures end.

Human text goes to a terminal; with --json exactly one document goes to stdout and nothing else does.
"""

from __future__ import annotations

import functools
import json
import os
import re
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Concatenate, ParamSpec

import click

from provenance_oracle.verifier.checks import Finding, Outcome
from provenance_oracle.verifier.documents.errors import error_json, internal_error_json
from provenance_oracle.verifier.documents.schemas import envelope
from provenance_oracle.verifier.errors import ProvenanceError
from provenance_oracle.verifier.judgement.sheet import NOT_REACHED
from provenance_oracle.verifier.text import printable

P = ParamSpec("P")
_MARKS = {Outcome.PASSED: ("ok", "green"), Outcome.FAILED: ("FAIL", "red"), Outcome.NOT_CHECKED: ("-", "yellow")}
_GOT_COLUMNS = 50
_LONG_HEX = re.compile("([0-9a-f]{16})[0-9a-f]{16,}")


@dataclass(frozen=True)
class Output:
    """Where one command's answer goes. `schema` names and versions the JSON document."""

    schema: str
    as_json: bool

    def document(self, accepted: bool, body: Mapping[str, object]) -> None:
        """Print the JSON document, if that was asked for."""
        if self.as_json:
            click.echo(json.dumps(envelope(self.schema, accepted=accepted, body=body), indent=2))

    def answer(self, body: Mapping[str, object], refusal: ProvenanceError | None) -> None:
        """Print the one JSON document, with the error in it if there is a `refusal`, and end with that.

        Raises:
            ProvenanceError: `refusal`.
            click.exceptions.Exit: with its exit code instead, if the document has told of it.
        """
        self.document(refusal is None, dict(body) | (error_json(refusal) if refusal else {}))
        if refusal and self.as_json:
            _say_failure(refusal)
            raise click.exceptions.Exit(refusal.exit_code)
        if refusal:
            raise refusal

    def text(self, line: str = "", *, color: str | None = None) -> None:
        """Print a line for people, what cannot be shown escaped, in bold if it has a color; nothing with --json."""
        if not self.as_json:
            shown = printable(line, len(line) + 1)
            click.echo(click.style(shown, fg=color, bold=True) if color else shown)

    def accepted(self, note: str = "") -> None:
        """Print that the answer is yes, and under it a `note` that must not be overlooked."""
        self.text()
        self.text("accepted", color="green")
        if note:
            self.text(note, color="yellow")

    def table(self, findings: Iterable[Finding]) -> None:
        if not self.as_json:
            print_findings(findings)


def print_findings(findings: Iterable[Finding]) -> None:
    """Print one line per check: mark, id, what was got, what was wanted. Long hex is cut; JSON has it whole."""
    shown = list(findings)
    for finding in shown:
        if finding.got == NOT_REACHED:
            continue
        mark, color = _MARKS[finding.outcome]
        got, wanted = (_LONG_HEX.sub(r"\1…", printable(text, 500)) for text in (finding.got, finding.wanted))
        line = f"  {click.style(f'{mark:<4}', fg=color)}  {finding.check:<20}  {got:<{_GOT_COLUMNS}}"
        click.echo(f"{line}  {click.style(wanted, dim=True)}".rstrip() if wanted else line.rstrip())
    unreached = sum(finding.got == NOT_REACHED for finding in shown)
    if unreached:
        click.echo(f"  {click.style('-   ', fg='yellow')}  {unreached} checks were not reached")


def command_body(schema: str) -> Callable[[Callable[Concatenate[Output, P], None]], Callable[..., None]]:
    """Give a command its `Output` as first argument; end its failures in a message and the exit code of their class.

    No traceback reaches a user. `schema` names and versions the JSON document that --json, taken here, asks for.
    """

    def wrap(body: Callable[Concatenate[Output, P], None]) -> Callable[..., None]:
        @functools.wraps(body)
        def run(*args: P.args, as_json: bool = False, **kwargs: P.kwargs) -> None:  # type: ignore[valid-type]
            output = Output(schema, as_json)
            try:
                body(output, *args, **kwargs)
            except ProvenanceError as error:
                _report_failure(output, error)
                sys.exit(error.exit_code)
            except (click.ClickException, click.exceptions.Exit, click.Abort, BrokenPipeError):
                raise
            except Exception as error:
                if os.environ.get("PROVENANCE_DEBUG"):
                    raise
                _report_bug(output, error)
                sys.exit(1)

        return run

    return wrap


def _report_failure(output: Output, error: ProvenanceError) -> None:
    output.document(False, error_json(error))
    if error.findings:
        output.table(error.findings)
        output.text()
    _say_failure(error)


def _say_failure(error: ProvenanceError) -> None:
    verdict = "not decided, try again" if error.retry else "not accepted"
    click.echo(f"{click.style(verdict, fg='red', bold=True)} (exit {error.exit_code}): {error}", err=True)


def _report_bug(output: Output, error: Exception) -> None:
    text = printable(f"{type(error).__name__}: {error}")
    output.document(False, internal_error_json(text))
    click.echo(f"internal error (exit 1), please report it: {text}\nPROVENANCE_DEBUG=1 shows where.", err=True)

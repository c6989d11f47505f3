"""`provenance completion`: the script with which a shell completes commands, options and values."""

from __future__ import annotations

import click

from provenance_oracle.verifier.cli.console import Output, command_body
from provenance_oracle.verifier.cli.options import output_options
from provenance_oracle.verifier.documents import schemas

SHELLS = ("bash", "zsh", "fish")
PROGRAM = "provenance"
VARIABLE = "_PROVENANCE_COMPLETE"  # click reads it when the script calls the program


@click.command()
@click.argument("shell", type=click.Choice(SHELLS))
@output_options
@command_body(schemas.COMPLETION)
def completion(output: Output, shell: str) -> None:
    """Print a script with which your shell completes commands.

    It completes options and values too. Among the values are policies, the networks of your configuration file, and
    files. Load it in the start-up file of your shell.

    \b
    Examples:
      provenance completion zsh
      eval "$(provenance completion bash)"
      source (provenance completion fish | psub)
    """
    from click.shell_completion import get_completion_class

    from provenance_oracle.verifier.documents.completion import completion_json

    found = get_completion_class(shell)
    assert found is not None  # click has a class for each of SHELLS
    script = found(click.get_current_context().find_root().command, {}, PROGRAM, VARIABLE).source()
    output.raw(script)
    output.document(True, completion_json(shell, script))

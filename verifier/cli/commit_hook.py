"""The hook for pre-commit: judge every release that a commit changes a file of, offline.

`.pre-commit-hooks.yaml` names this module. It is no command of `provenance`.
"""

from __future__ import annotations

import os
import sys

import click

from provenance_oracle.verifier.cli.check import check, release_above
from provenance_oracle.verifier.cli.options import DEFAULT_POLICY, ignore_option, policy_option
from provenance_oracle.verifier.text import printable


@click.command()
@click.argument("files", nargs=-1, metavar="[FILE...]")
@policy_option
@ignore_option
def commit_hook(files: tuple[str, ...], policy_name: str | None, ignore: tuple[str, ...]) -> None:
    """Judge the release of each FILE as a whole; pass over files of no release.

    Exit codes: 0 if there is none, else that of `provenance check` for the first release that is refused.
    """
    folders = sorted({folder for file in files if (folder := release_above(file)) is not None})
    ignored = [word for pattern in ignore for word in ("--ignore", pattern)]
    for folder in folders:
        release = os.path.relpath(folder)  # pre-commit runs hooks at the top of the repository
        click.echo(printable(f"{release}:"))
        words = ["--offline", "--policy", policy_name or DEFAULT_POLICY, *ignored, "--", release]
        try:
            check.main(words, prog_name="provenance check", standalone_mode=False)
        except SystemExit as ended:
            sys.exit(ended.code)


if __name__ == "__main__":
    commit_hook()

"""Values that a shell completes after an option: networks, policies, files. No error reaches the command line."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from provenance_oracle.verifier.errors import UsageError

if TYPE_CHECKING:
    import click
    from click.shell_completion import CompletionItem


def complete_files(_context: click.Context, _parameter: click.Parameter, begun: str) -> list[CompletionItem]:
    """Let the shell complete the path of a file."""
    from click.shell_completion import CompletionItem

    return [CompletionItem(begun, type="file")]


def complete_policies(context: click.Context, parameter: click.Parameter, begun: str) -> list[CompletionItem]:
    """Return the shipped policies that begin so; if there is none, let the shell complete the path of a file."""
    from click.shell_completion import CompletionItem

    from provenance_oracle.verifier.policy import SHIPPED_POLICIES

    found = [CompletionItem(name) for name in SHIPPED_POLICIES if name.startswith(begun)]
    return found or complete_files(context, parameter, begun)


def complete_networks(_context: click.Context, _parameter: click.Parameter, begun: str) -> list[CompletionItem]:
    """Return the networks of the configuration file that begin so; none if the file cannot be read."""
    from click.shell_completion import CompletionItem

    from provenance_oracle.verifier.cli.configuration import configuration_path, load_configuration

    try:
        names = load_configuration(configuration_path(os.environ)).by_name
    except UsageError:
        return []
    return [CompletionItem(name) for name in names if name.startswith(begun)]

"""`provenance settings`: print the settings in force."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from provenance_oracle.oracle import documents
from provenance_oracle.oracle.cli.settings_options import SettingsCommand, read_chosen, with_settings
from provenance_oracle.verifier.cli.console import Output, command_body
from provenance_oracle.verifier.cli.options import output_options
from provenance_oracle.verifier.text import printable

if TYPE_CHECKING:
    from provenance_oracle.oracle.settings.load import Given

_VALUE_WIDTH = 40


@click.group()
def settings() -> None:
    """Look at the settings of the oracle.

    \b
    Example:
      provenance settings show --settings oracle.yaml
    """


@settings.command("show", cls=SettingsCommand)
@with_settings
@output_options
@command_body(documents.SETTINGS)
def settings_show(output: Output, /, chosen: Callable[[], Given]) -> None:
    """Print every setting with its value and where the value came from.

    The command takes the same options, file and environment as `provenance watch`, and opens nothing else. Users,
    passwords and parameters of URLs are not shown.

    \b
    Examples:
      provenance settings show --settings oracle.yaml
      provenance settings show --settings oracle.yaml --network sapphire --json
    """
    effective = read_chosen(chosen)
    body = documents.settings_json(effective)
    width = max(map(len, body["settings"]))
    for name, one in body["settings"].items():
        output.text(f"{name:<{width}}  {_shown(one['value']):<{_VALUE_WIDTH}}  {one['origin']}")
    for remark in effective.remarks:
        output.text(f"warning: {remark}")
    output.document(True, body)


def _shown(value: object) -> str:
    if isinstance(value, list):
        return printable(" ".join(map(str, value))) or "-"
    return "-" if value is None else printable(str(value).lower() if isinstance(value, bool) else str(value))

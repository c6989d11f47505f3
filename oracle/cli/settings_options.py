"""The options of the commands that take the oracle's settings, made from the fields of `Settings`.

The help of these commands must be quick, so this module imports the descriptions of the settings only.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from provenance_oracle.oracle.settings.names import SPECS, option_of
from provenance_oracle.oracle.settings.spec import Spec
from provenance_oracle.verifier.cli.completion import complete_files, complete_networks, complete_policies
from provenance_oracle.verifier.cli.options import FILE

if TYPE_CHECKING:
    from provenance_oracle.oracle.settings.load import Effective, Given

_ARGUMENT = "sources"
_COMPLETE = {"policy": complete_policies, "registry": complete_files, "journal": complete_files}
_FIRST_SECTION = "General"


class SettingsCommand(click.Command):
    """A command whose help lists the settings by section, and first the options that are no settings."""

    def format_options(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        """Write one list of options for each section."""
        rows: dict[str, list[tuple[str, str]]] = {_FIRST_SECTION: []}
        for parameter in (one for one in self.get_params(context) if isinstance(one, click.Option)):
            row = parameter.get_help_record(context)
            if row is not None:
                spec = SPECS.get(parameter.name or "")
                rows.setdefault(spec.section if spec else _FIRST_SECTION, []).append(row)
        for section, found in rows.items():
            with formatter.section(f"{section} options"):
                formatter.write_dl(found)


def with_settings(command: Callable[..., None]) -> Callable[..., None]:
    """Add --settings, --network, an option for each setting, and the argument SOURCE... to a command.

    The command gets them as `chosen`: a function of no arguments that returns what they give.
    """

    @functools.wraps(command)
    def run(*args: Any, settings_file: Path | None, network: str | None, **kwargs: Any) -> None:
        options = {name: kwargs.pop(name) for name in SPECS}
        command(*args, chosen=functools.partial(_given, settings_file, network, options), **kwargs)

    for name in reversed([name for name in SPECS if name != _ARGUMENT]):
        _option(name, SPECS[name])(run)
    _NETWORK(run)
    _FILE(run)
    return click.argument(_ARGUMENT, nargs=-1, metavar="[SOURCE]...", shell_complete=complete_files)(run)


def read_chosen(chosen: Callable[[], Given]) -> Effective:
    """Return the effective settings of a command. Raises UsageError as `settings.load.read_settings` does."""
    from provenance_oracle.oracle.settings.load import read_settings

    return read_settings(chosen(), os.environ)


_FILE = click.option(
    "--settings", "settings_file", type=FILE, help="YAML file with settings. Options and environment take precedence."
)
_NETWORK = click.option(
    "--network",
    metavar="NAME",
    shell_complete=complete_networks,
    help="A network of your configuration file, for node, registry and policy; `provenance networks` lists them.",
)


def _option(name: str, spec: Spec) -> Callable[[Any], Any]:
    kind = spec.kind
    words = spec.help.replace("`", "")
    repeated = " Can be repeated." if kind.is_list else ""
    more: dict[str, Any] = {"help": f"{words[0].upper()}{words[1:]}.{repeated}", "default": None}
    if kind.is_flag:
        return click.option(f"{option_of(name)}/--no-{option_of(name)[2:]}", name, **more)
    if kind.choices:
        more["type"] = click.Choice(kind.choices)
    elif kind.is_path:
        more["type"] = FILE
    else:
        more["metavar"] = spec.unit.upper() if spec.unit.isalpha() else kind.metavar
    return click.option(option_of(name), name, multiple=kind.is_list, shell_complete=_COMPLETE.get(name), **more)


def _given(file: Path | None, network: str | None, options: dict[str, Any]) -> Given:
    from provenance_oracle.oracle.settings.load import Given

    chosen = {name: None if SPECS[name].kind.is_list and not value else value for name, value in options.items()}
    return Given(file, chosen, _of_network(network, has_registry=chosen["registry"] is not None) if network else {})


def _of_network(name: str, *, has_registry: bool) -> dict[str, object]:
    """Return the settings of a network. Its policy counts only together with its registry."""
    from provenance_oracle.verifier.cli.chain_options import place_of

    place = place_of(name)
    rpc_urls = (place.rpc_url,) if place.rpc_url else None
    return {"rpc_urls": rpc_urls, "registry": place.registry, "policy": None if has_registry else place.policy}

"""Read the settings: the command line goes before a network, the environment, a YAML file and the defaults.

Every value is checked. An unknown name in the file or among the options is an error. An unknown variable of the
environment, or a setting that another one makes useless, is a remark, which the commands show.
"""

from __future__ import annotations

import stat
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from provenance_oracle.oracle.settings.effects import useless_settings
from provenance_oracle.oracle.settings.kinds import split_variable
from provenance_oracle.oracle.settings.names import (
    DEFAULTS,
    SPECS,
    VARIABLE_PREFIX,
    earlier_names,
    option_of,
    variable_of,
)
from provenance_oracle.oracle.settings.settings import Settings
from provenance_oracle.verifier.errors import UsageError, unread
from provenance_oracle.verifier.text import printable

# Variables with the prefix that are not settings: other parts of the project read them.
_OTHER_VARIABLES = frozenset({"VECTORS", "DEBUG", "REQUIRE_ALL", "REQUIRE_ANVIL", "ANVIL", "COMPLETE", "MUTANTS"})


class Origin(StrEnum):
    """Where an effective value came from, the one that decides first."""

    OPTION = "option"
    NETWORK = "network"
    ENVIRONMENT = "environment"
    FILE = "file"
    DEFAULT = "default"


@dataclass(frozen=True)
class Given:
    """The places that give settings, except the environment.

    Attributes:
        file: the YAML file, or None.
        options: values of the command line by name of the setting. A value of None counts as not given.
        network: values of the network that the command line names, likewise.
    """

    file: Path | None = None
    options: Mapping[str, object] = field(default_factory=dict)
    network: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Effective:
    """The settings in force, the origin of each, and remarks for the operator."""

    settings: Settings
    origins: Mapping[str, Origin]
    remarks: tuple[str, ...]


def load_settings(file: Path | None, environ: Mapping[str, str], options: Mapping[str, object]) -> Settings:
    """Return the settings of `options`, `environ` and `file` without their origins. Raises as `read_settings` does."""
    return read_settings(Given(file, options), environ).settings


def read_settings(given: Given, environ: Mapping[str, str]) -> Effective:
    """Return the effective settings with the origin of each.

    Raises:
        UsageError: the file cannot be read, or a setting is unknown, missing, of the wrong type or out of range. The
            message names its origin.
    """
    layers: tuple[tuple[Origin, str, Mapping[str, object]], ...] = (
        (Origin.FILE, printable(str(given.file)), _read_file(given.file) if given.file else {}),
        (Origin.ENVIRONMENT, "environment", dict(_of_environment(environ))),
        (Origin.NETWORK, "network", given.network),
        (Origin.OPTION, "option", given.options),
    )
    values: dict[str, Any] = dict(DEFAULTS)
    origins = dict.fromkeys(SPECS, Origin.DEFAULT)
    for origin, where, layer in layers:
        for name, value in layer.items():
            if value is not None:
                values[name], origins[name] = _parsed(name, value, where), origin
    for name, spec in SPECS.items():
        if name not in values:
            wanted = f"{spec.kind.wanted}; {option_of(name)}, {variable_of(name)}, or {name} in the file"
            raise UsageError("the setting is missing", where=name, wanted=wanted)
    settings = Settings(**values)
    chosen = frozenset(name for name, origin in origins.items() if origin is not Origin.DEFAULT)
    secret = [name for name, origin in origins.items() if origin is Origin.FILE and _is_masked(name, values[name])]
    open_file = _words_of_open_file(given.file, secret) if given.file and secret else ()
    remarks = (*_unknown_variables(environ), *useless_settings(settings, chosen), *open_file)
    return Effective(settings, origins, remarks)


def _is_masked(name: str, value: object) -> bool:
    """Return whether output hides a part of a value, because it may be secret."""
    shown = SPECS[name].shown(value)
    return (
        isinstance(value, str | tuple) and bool(value) and shown != (list(value) if isinstance(value, tuple) else value)
    )


def _words_of_open_file(file: Path, secret: Sequence[str]) -> Iterator[str]:
    """Yield a remark on a file with secrets that not only its owner can read."""
    try:
        mode = file.stat().st_mode
    except OSError:
        return
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        yield f"{printable(str(file))} may hold a secret ({', '.join(secret)}), and others can read it; chmod 600 it"


def _of_environment(environ: Mapping[str, str]) -> Iterator[tuple[str, object]]:
    for name, spec in SPECS.items():
        value = environ.get(variable_of(name), environ.get(spec.variable) if spec.variable else None)
        if value is not None:
            yield name, split_variable(value) if spec.kind.is_list else value


def _unknown_variables(environ: Mapping[str, str]) -> Iterator[str]:
    known = {variable_of(name): "" for name in SPECS} | {spec.variable: "" for spec in SPECS.values() if spec.variable}
    for variable in sorted(environ):
        suffix = variable.removeprefix(VARIABLE_PREFIX)
        if variable.startswith(VARIABLE_PREFIX) and variable not in known and suffix not in _OTHER_VARIABLES:
            hint = _hint(suffix.lower())
            yield f"the environment variable {printable(variable)} names no setting and has no effect{hint}"
    for spec_name, spec in SPECS.items():
        if spec.variable and spec.variable in environ and variable_of(spec_name) in environ:
            yield f"{variable_of(spec_name)} decides, so {spec.variable} has no effect on this command"


def _parsed(name: str, value: object, where: str) -> object:
    spec = SPECS.get(name)
    if spec is None:
        wanted = _hint(name).removeprefix("; ") or ", ".join(SPECS)
        raise UsageError("there is no such setting", where=where, got=printable(name), wanted=wanted)
    parsed = spec.kind.parse(value)
    if parsed is None:
        got = "a mapping" if isinstance(value, dict) else printable(repr(spec.shown(value)))
        raise UsageError(f"the setting {name} has a wrong value", where=where, got=got, wanted=spec.kind.wanted)
    return parsed


def _hint(name: str) -> str:
    """Return words that name the setting that was probably meant; "" if none is near."""
    from difflib import get_close_matches

    if name in earlier_names():
        return f"; its name is now {earlier_names()[name]}"
    near = get_close_matches(name, SPECS, n=1)
    return f"; the nearest name is {near[0]}" if near else ""


def _read_file(file: Path) -> dict[str, object]:
    from provenance_oracle.verifier.strict.parse_yaml import YAML_MAX_BYTES, parse_yaml

    where = printable(str(file))
    try:
        with file.open("rb") as stream:
            tree = parse_yaml(stream.read(YAML_MAX_BYTES + 1), where)
    except OSError as error:
        raise unread("cannot be read", error, where=where, wanted="a file with settings") from None
    if not isinstance(tree, dict):
        raise UsageError("the file does not hold settings", where=where, wanted="name: value on every line")
    return tree

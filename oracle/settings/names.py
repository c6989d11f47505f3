"""The settings by name: the description and the default of each, its option, and its environment variable."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, fields
from types import MappingProxyType

from provenance_oracle.oracle.settings.settings import Settings
from provenance_oracle.oracle.settings.spec import Spec

VARIABLE_PREFIX = "PROVENANCE_"
# The description of each setting by its name.
SPECS: Mapping[str, Spec] = MappingProxyType({one.name: one.metadata["spec"] for one in fields(Settings)})
# The default of each setting that has one.
DEFAULTS: Mapping[str, object] = MappingProxyType(
    {one.name: one.default for one in fields(Settings) if one.default is not MISSING}
)


def variable_of(name: str) -> str:
    """Return the environment variable of a setting."""
    return VARIABLE_PREFIX + name.upper()


def option_of(name: str) -> str:
    """Return the option of a setting."""
    return SPECS[name].option or f"--{name.replace('_', '-')}"


def earlier_names() -> dict[str, str]:
    """Return the present name of each setting that had another name."""
    return {earlier: name for name, spec in SPECS.items() for earlier in spec.replaces}

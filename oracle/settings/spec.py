"""The description of one setting, as the metadata of its field."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from provenance_oracle.oracle.settings.kinds import ValueKind, masked, masked_endpoint


@dataclass(frozen=True)
class Spec:
    """The description of one setting.

    Attributes:
        section: the heading under which help and documentation list it.
        help: its meaning, in Markdown.
        unit: the unit of a number.
        live: whether SIGHUP changes it in a running oracle. Other changes wait for a restart.
        secret: whether the path of a URL in it may hold a key. User and parameters of a URL are never shown.
        option: the name of the option, if it is not `--` and the setting's name.
        variable: a second environment variable that several commands read.
        replaces: earlier names, for the message to a user of one of them.
    """

    kind: ValueKind
    section: str
    help: str
    unit: str = ""
    live: bool = False
    secret: bool = False
    option: str = ""
    variable: str = ""
    replaces: tuple[str, ...] = ()

    def shown(self, value: object) -> object:
        """Return a value for output: a text, number, flag or list, without secrets; None if there is none."""
        if isinstance(value, tuple | list):
            return [self.shown(item) for item in value]
        if isinstance(value, str | Path):
            return (masked_endpoint if self.secret else masked)(str(value)) or None
        return value


def about(section: str, kind: ValueKind, help: str, **more: Any) -> dict[str, Spec]:  # noqa: A002 (as in click)
    """Return the metadata of a field."""
    return {"spec": Spec(kind, section, help, **more)}


def setting(default: Any, section: str, kind: ValueKind, help: str, **more: Any) -> Any:  # noqa: A002 (as in click)
    """Return a field with a default and this description."""
    return field(default=default, metadata=about(section, kind, help, **more))

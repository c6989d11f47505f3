"""The oracle's settings, from the command line, the environment and a YAML file, in this order of precedence.

Every setting is a field of `Settings`. Its environment variable is PROVENANCE_ and its name in upper case. Every value
is checked, and an unknown name in the file or among the options is an error.

A private key is never a setting. `key_variable` names the environment variable that holds the paying key, or `keystore`
names its file. With `report_key_variable` or `report_keystore`, another key signs the reports.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from provenance_oracle.oracle.sources.watch import WatchMode
from provenance_oracle.verifier.digest.choose import DEVICES
from provenance_oracle.verifier.errors import UsageError
from provenance_oracle.verifier.strict.parse_yaml import YAML_MAX_BYTES, parse_yaml
from provenance_oracle.verifier.text import printable

_PREFIX = "PROVENANCE_"
_WHOLE = re.compile(r"0|[1-9][0-9]{0,17}")


@dataclass(frozen=True)
class Settings:
    """The settings of `provenance watch`. docs/operating.md explains each.

    Numbers are whole. Times are in seconds, fees in gwei per unit of gas, `release_max_gb` in units of 10**9 bytes.
    `registry` is an address, or the path of a deployment file. `rpc_url_second` is empty, or another node that must
    agree with the first before anything counts as final.
    """

    folder: Path
    journal: Path
    rpc_url: str
    registry: str
    rpc_url_second: str = ""
    policy: str = "baseline"
    key_variable: str = ""
    keystore: Path | None = None
    password_file: Path | None = None
    report_key_variable: str = ""
    report_keystore: Path | None = None
    report_password_file: Path | None = None
    allow_development_key: bool = False
    fetch: bool = False
    device: str = "auto"
    watch: WatchMode = WatchMode.AUTO
    scan_seconds: int = 30
    settle_seconds: int = 2
    rpc_timeout_seconds: int = 20
    retry_first_seconds: int = 5
    retry_max_seconds: int = 3600
    internal_errors_max: int = 5
    release_deadline_seconds: int | None = None
    recordings_per_day_max: int = 3
    releases_max: int = 100_000
    release_max_gb: int = 4096
    confirmations: int = 12
    max_fee_gwei: int = 100
    priority_fee_max_gwei: int = 5
    gas_max: int = 2_000_000
    bump_after_seconds: int = 90


@dataclass(frozen=True)
class _Kind:
    """A parser of a setting's text or YAML value. `parse` returns None for a value that is not as `wanted` says."""

    wanted: str
    parse: Callable[[object], object | None]


def _whole(least: int, most: int) -> _Kind:
    def parse(value: object) -> int | None:
        if isinstance(value, str) and _WHOLE.fullmatch(value):
            value = int(value)
        is_whole = isinstance(value, int) and not isinstance(value, bool)
        return value if is_whole and least <= value <= most else None  # type: ignore[operator,return-value]

    return _Kind(f"a whole number, {least} to {most}", parse)


_TEXT = _Kind("text", lambda value: value if isinstance(value, str) and value else None)
_PATH = _Kind("a path", lambda value: Path(value) if isinstance(value, str | Path) and str(value) else None)
_FLAG = _Kind("true or false", lambda value: {"true": True, "false": False}.get(str(value).lower()))
_WATCH = _Kind(" or ".join(WatchMode), lambda value: WatchMode(str(value)) if value in tuple(WatchMode) else None)
_DEVICE = _Kind(" or ".join(DEVICES), lambda value: value if value in DEVICES else None)
_KINDS = {
    "folder": _PATH,
    "journal": _PATH,
    "rpc_url": _TEXT,
    "registry": _TEXT,
    "rpc_url_second": _TEXT,
    "policy": _TEXT,
    "key_variable": _TEXT,
    "keystore": _PATH,
    "password_file": _PATH,
    "report_key_variable": _TEXT,
    "report_keystore": _PATH,
    "report_password_file": _PATH,
    "allow_development_key": _FLAG,
    "fetch": _FLAG,
    "device": _DEVICE,
    "watch": _WATCH,
    "scan_seconds": _whole(1, 86_400),
    "settle_seconds": _whole(1, 3600),
    "rpc_timeout_seconds": _whole(1, 600),
    "retry_first_seconds": _whole(1, 3600),
    "retry_max_seconds": _whole(1, 604_800),
    "internal_errors_max": _whole(1, 1000),
    "release_deadline_seconds": _whole(1, 604_800),
    "recordings_per_day_max": _whole(1, 1_000_000),
    "releases_max": _whole(1, 1_000_000),
    "release_max_gb": _whole(1, 16_000),
    "confirmations": _whole(0, 10_000),
    "max_fee_gwei": _whole(1, 1_000_000),
    "priority_fee_max_gwei": _whole(0, 1_000_000),
    "gas_max": _whole(100_000, 1_000_000_000),
    "bump_after_seconds": _whole(1, 86_400),
}
_NEEDED = ("folder", "journal", "rpc_url", "registry")


def load_settings(file: Path | None, environ: Mapping[str, str], options: Mapping[str, object]) -> Settings:
    """Return the settings of `options`, then `environ`, then `file`; the first that has a setting decides.

    Args:
        file: YAML file, or None.
        options: values of the command line by name. A value of None counts as not given.

    Raises:
        UsageError: the file cannot be read, or a setting is unknown, missing, of the wrong type or out of range. The
            message names its origin.
    """
    variables = {_PREFIX + name.upper(): name for name in _KINDS}
    sources: tuple[tuple[str, Mapping[str, object]], ...] = (
        (printable(str(file)), _read_file(file) if file else {}),
        ("environment", {name: environ[variable] for variable, name in variables.items() if variable in environ}),
        ("option", {name: value for name, value in options.items() if value is not None}),
    )
    values: dict[str, Any] = {}
    for where, given in sources:
        for name, value in given.items():
            values[name] = _parsed(name, value, where)
    for name in _NEEDED:
        if name not in values:
            raise UsageError("the setting is missing", where=name, wanted=_KINDS[name].wanted)
    return Settings(**values)


def _parsed(name: str, value: object, where: str) -> object:
    if name not in _KINDS:
        raise UsageError("there is no such setting", where=where, got=printable(name), wanted=", ".join(_KINDS))
    parsed = _KINDS[name].parse(value)
    if parsed is None:
        raise UsageError(
            f"the setting {name} has a wrong value", where=where, got=printable(repr(value)), wanted=_KINDS[name].wanted
        )
    return parsed


def _read_file(file: Path) -> dict[str, object]:
    where = printable(str(file))
    try:
        with file.open("rb") as stream:
            tree = parse_yaml(stream.read(YAML_MAX_BYTES + 1), where)
    except OSError as error:
        raise UsageError(f"cannot be read: {error.strerror}", where=where) from None
    if not isinstance(tree, dict):
        raise UsageError("the file does not hold settings", where=where, wanted="name: value on every line")
    return tree

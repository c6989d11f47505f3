"""The user's configuration file: networks by name, each with its node, registry and policy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from provenance_oracle.verifier.errors import UsageError, unread
from provenance_oracle.verifier.strict.parse_yaml import YAML_MAX_BYTES, KeyPath, parse_yaml
from provenance_oracle.verifier.strict.schema import Like, RuleError, build
from provenance_oracle.verifier.text import printable

_NEXT_STEP = "`provenance networks --help` shows an example"
_NAME = Like("[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9])?", "a name of at most 64 lower-case letters, digits and . _ -")


@dataclass(frozen=True)
class Network:
    """A chain's node, and the registry and policy to use there. "" where the file says nothing."""

    node: str = ""
    registry: str = ""
    policy: str = ""

    def __post_init__(self) -> None:
        from provenance_oracle.verifier.registry.node import shown_url

        if not self.node:
            raise RuleError("the network has no node", "no node", "node: URL")
        try:
            shown_url(self.node)
        except UsageError as error:  # it does not quote the URL, which may hold a key
            raise RuleError(error.problem, error.got, error.wanted) from None


@dataclass(frozen=True)
class Configuration:
    """The content of the file. `network` names the network for commands that are told none, "" for no such network."""

    networks: dict[Annotated[str, _NAME], Network] | None = None
    network: str = ""

    def __post_init__(self) -> None:
        if self.network and self.network not in self.by_name:
            raise RuleError("there is no such network", self.network, _one_of(self.by_name))

    @property
    def by_name(self) -> Mapping[str, Network]:
        """The networks by name, in the order of the file."""
        return self.networks or {}


def configuration_path(environ: Mapping[str, str]) -> Path:
    """Return the path of the file, by the XDG base directory specification. A relative XDG_CONFIG_HOME is ignored."""
    home = environ.get("XDG_CONFIG_HOME", "")
    return (Path(home) if home.startswith("/") else Path("~/.config").expanduser()) / "provenance" / "config.yaml"


def load_configuration(path: Path) -> Configuration:
    """Read the file; where there is none, return a configuration without networks.

    A relative path of a registry or policy in it begins at its folder.

    Raises:
        UsageError: the file cannot be read, is not strict YAML, or has a member that it may not have.
        TemporaryError: the disk fails.
    """
    where = printable(str(path))
    try:
        with path.open("rb") as stream:
            data = stream.read(YAML_MAX_BYTES + 1)
    except FileNotFoundError:
        return Configuration()
    except OSError as error:
        raise unread("the configuration cannot be read", error, where=where, wanted="a file") from None
    try:
        found = build(Configuration, parse_yaml(data, where), KeyPath(where))
    except UsageError as error:
        error.wanted = f"{error.wanted}; {_NEXT_STEP}"
        raise
    return Configuration({name: _placed(one, path.parent) for name, one in found.by_name.items()}, found.network)


def named_network(configuration: Configuration, name: str, path: Path) -> Network:
    """Return the network of this name. Raises UsageError if the file, which `path` names for the message, has none."""
    found = configuration.by_name.get(name)
    if found is None:
        wanted = _one_of(configuration.by_name) if configuration.by_name else f"a network in {path}; {_NEXT_STEP}"
        raise UsageError("there is no such network", where="--network", got=name, wanted=wanted)
    return found


def masked_url(url: str) -> str:
    """Return an endpoint with `***` in place of its user, path and query, which often hold a key."""
    from provenance_oracle.verifier.registry.node import shown_url

    parts = urlsplit(url)
    shown = shown_url(url).replace("://", "://***@", 1) if "@" in parts.netloc else shown_url(url)
    return f"{shown}/***" if parts.path.strip("/") or parts.query or parts.fragment else shown


def _placed(network: Network, folder: Path) -> Network:
    from provenance_oracle.verifier.policy import SHIPPED_POLICIES

    registry, policy = network.registry, network.policy
    if registry and not registry.startswith("0x"):
        registry = str(folder / Path(registry).expanduser())
    if policy and policy not in SHIPPED_POLICIES:
        policy = str(folder / Path(policy).expanduser())
    return Network(network.node, registry, policy)


def _one_of(names: Mapping[str, Network]) -> str:
    return f"one of {', '.join(names)}" if names else "a network in this file"

"""The options that name a chain and a registry, and the order in which options, environment and file decide."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import click

from provenance_oracle.verifier.cli.completion import complete_files, complete_networks


@dataclass(frozen=True)
class ChainPlace:
    """A node's URL, a registry (address or deployment file) and a policy for it; None where nothing names one."""

    rpc_url: str | None
    registry: str | None
    policy: str | None = None

    def or_else(self, other: ChainPlace) -> ChainPlace:
        """Fill in from another place. Its policy counts only together with its registry."""
        policy = self.policy or (None if self.registry else other.policy)
        return ChainPlace(self.rpc_url or other.rpc_url, self.registry or other.registry, policy)


@dataclass(frozen=True)
class ChainOptions:
    """The values of --network, --rpc and --registry. None where the user gave none."""

    network: str | None
    rpc_url: str | None
    registry: str | None

    def place(self, *, use_default: bool = True) -> ChainPlace:
        """Return the place to use. Option, then --network, then environment, then the file's own `network` decides.

        Args:
            use_default: False to leave out the network that the file names for commands that are told none.

        Raises:
            UsageError: the file has no such network, or cannot be read.
        """
        found = ChainPlace(self.rpc_url, self.registry)
        if self.network:
            found = found.or_else(place_of(self.network))
        rpc_url, registry = (os.environ.get(name) or None for name in ("PROVENANCE_RPC", "PROVENANCE_REGISTRY"))
        found = found.or_else(ChainPlace(rpc_url, registry))
        if use_default and not (found.rpc_url and found.registry):
            found = found.or_else(place_of(None))
        return found


def with_chain(*, registry: bool = True) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Return a decorator that adds the options of a chain to a command, and passes it them as `chain`.

    Args:
        registry: whether the command takes --registry too.
    """

    def wrap(command: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(command)
        def run(*args: Any, network: str | None, rpc_url: str | None, **kwargs: Any) -> None:
            chain = ChainOptions(network, rpc_url, kwargs.pop("registry_text", None))
            command(*args, chain=chain, **kwargs)

        for option in (_REGISTRY, _RPC, _NETWORK) if registry else (_RPC, _NETWORK):
            option(run)
        return run

    return wrap


_NETWORK = click.option(
    "--network",
    metavar="NAME",
    shell_complete=complete_networks,
    help="A network of your configuration file; `provenance networks` lists them.",
)
_RPC = click.option("--rpc", "rpc_url", metavar="URL", help="JSON-RPC endpoint of a chain node [env PROVENANCE_RPC].")
_REGISTRY = click.option(
    "--registry",
    "registry_text",
    metavar="ADDRESS|FILE",
    shell_complete=complete_files,
    help="The registry contract, or its deployment file [env PROVENANCE_REGISTRY].",
)


def place_of(name: str | None) -> ChainPlace:
    """Return the place of a network in the configuration file; None names the file's own choice, if it has one.

    Raises:
        UsageError: the file has no such network, or cannot be read.
    """
    from provenance_oracle.verifier.cli.configuration import configuration_path, load_configuration, named_network

    path = configuration_path(os.environ)
    configuration = load_configuration(path)
    if not (name or configuration.network):
        return ChainPlace(None, None)
    found = named_network(configuration, name or configuration.network, path)
    return ChainPlace(found.node, found.registry or None, found.policy or None)

"""The networks of a user's configuration file."""

from __future__ import annotations

from collections.abc import Mapping


def networks_json(path: str, default: str, networks: Mapping[str, tuple[str, str, str]]) -> dict[str, object]:
    """Return the body of `provenance-oracle/networks/v1`.

    Args:
        path: the configuration file, whether there is one or not.
        default: the network for commands that are told none; "" for no such network.
        networks: masked URL of the node, registry and policy of each network, "" where the file names none.
    """
    return {
        "file": path,
        "default": default or None,
        "networks": [
            {"name": name, "node": node, "registry": registry or None, "policy": policy or None}
            for name, (node, registry, policy) in networks.items()
        ],
    }

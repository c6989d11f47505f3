"""`provenance networks`: the networks of the user's configuration file."""

from __future__ import annotations

import os

import click

from provenance_oracle.verifier.cli.console import Output, command_body
from provenance_oracle.verifier.cli.options import output_options
from provenance_oracle.verifier.documents import schemas


@click.command()
@output_options
@command_body(schemas.NETWORKS)
def networks(output: Output) -> None:
    """List the networks of your configuration file.

    The file is ~/.config/provenance/config.yaml, or provenance/config.yaml in XDG_CONFIG_HOME. --network NAME then
    stands for a node, a registry and a policy. Keys in the URL of a node are not shown.

    \b
    Example of a file:
      network: sapphire     # used where no option or variable names another
      networks:
        sapphire:
          node: https://sapphire.oasis.io
          registry: deployments/23294.json
          policy: strict

    \b
    Examples:
      provenance networks
      provenance check ./my-model --network sapphire
    """
    from provenance_oracle.verifier.cli.configuration import configuration_path, load_configuration, masked_url
    from provenance_oracle.verifier.documents.networks import networks_json

    path = configuration_path(os.environ)
    configuration = load_configuration(path)
    found = {name: (masked_url(one.node), one.registry, one.policy) for name, one in configuration.by_name.items()}
    count = f"{len(found)} network{'' if len(found) == 1 else 's'}"
    output.text(f"{path}: {count}" if path.exists() else f"{path}: no such file, so there are no networks")
    for name, (node, registry, policy) in found.items():
        output.text(f"{name}{', the default' if name == configuration.network else ''}")
        output.text(f"  node           {node}")
        output.text(f"  registry       {registry or 'none; give --registry'}")
        output.text(f"  policy         {policy or 'baseline, unless --policy says otherwise'}")
    output.document(True, networks_json(str(path), configuration.network, found))

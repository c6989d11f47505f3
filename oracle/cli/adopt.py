"""`provenance adopt`: give a name to a release that was recorded before its namespace was claimed."""

from __future__ import annotations

from functools import partial

import click

from provenance_oracle.oracle import documents
from provenance_oracle.oracle.cli.key_options import KeyOptions, parse_digest, say_sent, with_key
from provenance_oracle.verifier.cli.chain_options import ChainOptions, with_chain
from provenance_oracle.verifier.cli.console import Output, command_body
from provenance_oracle.verifier.cli.options import output_options, registry_reader


@click.command()
@click.argument("manifest_digest")
@with_chain()
@with_key
@output_options
@command_body(documents.ADOPT)
def adopt(
    output: Output,
    chain: ChainOptions,
    manifest_digest: str,
    key: KeyOptions,
) -> None:
    """Give a name to a release recorded before the claim.

    The name then leads to the release, as if you had claimed the namespace first. The key must be that of the
    namespace's owner, and the namespace must trust the release's publisher. `provenance show` prints the digest of the
    manifest.

    \b
    Example:
      provenance adopt MANIFEST_DIGEST --network sapphire \\
        --keystore acme.json --password-file pw
    """
    from provenance_oracle.oracle.chain.adopt_release import adopt_release

    digest = parse_digest(manifest_digest, "MANIFEST_DIGEST")
    place = chain.place()
    reader = registry_reader(place.rpc_url, place.registry)
    owner = key.open()
    found = adopt_release(reader, owner, digest, announce=partial(say_sent, output))
    output.text(f"adopted      {found.record.name} {found.record.version}")
    output.text(f"transaction  0x{found.transaction.hex()}, block {found.block}")
    output.document(True, documents.adopt_json(found))

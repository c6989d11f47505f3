"""`provenance claim`: claim a namespace and name the publishers that it trusts from the start."""

from __future__ import annotations

from functools import partial

import click

from provenance_oracle.oracle import documents
from provenance_oracle.oracle.cli.key_options import KeyOptions, say_sent, with_key, with_owner_key
from provenance_oracle.verifier.cli.chain_options import ChainOptions, with_chain
from provenance_oracle.verifier.cli.console import Output, command_body
from provenance_oracle.verifier.cli.options import hex_word, output_options, publisher_identity, registry_reader
from provenance_oracle.verifier.errors import UsageError


@click.command()
@click.argument("namespace")
@with_chain()
@with_key
@with_owner_key
@click.option(
    "--identity",
    "identities",
    multiple=True,
    metavar="LINE|HEX",
    help="A publisher to trust from the start: its identity's line, or the digest. Repeat it for each.",
)
@click.option(
    "--identity-limit",
    type=click.IntRange(0, 16),
    help="How many publishers are trusted on first use, including those named. Default: those named, at least 1.",
)
@output_options
@command_body(documents.CLAIM)
def claim(
    output: Output,
    chain: ChainOptions,
    namespace: str,
    key: KeyOptions,
    owner_key: KeyOptions,
    identities: tuple[str, ...],
    identity_limit: int | None,
) -> None:
    """Claim a namespace for your releases.

    From then on, names in NAMESPACE lead only to releases by publishers that it trusts. The owner's key signs the
    claim, and the paying key submits it. To trust another publisher later, the owner proposes it and waits for the
    public delay. The registry keeps records by other publishers but holds them: their gates stay shut. If you interrupt
    the command, run it again: it goes on with the transaction that it sent.

    \b
    Example:
      provenance claim acme --network sapphire --keystore acme.json \\
        --password-file pw
    """
    from provenance_oracle.oracle.chain.claim_namespace import claim_namespace

    if "/" in namespace:
        wanted = f"the part before the slash: provenance claim {namespace.partition('/')[0]}"
        raise UsageError("a namespace has no slash", where="NAMESPACE", got=namespace, wanted=wanted)
    place = chain.place()
    reader = registry_reader(place.rpc_url, place.registry)
    payer = key.open()
    owner = owner_key.open() if owner_key.given else payer
    trusted = tuple(_identity_digest(text) for text in identities)
    limit = max(1, len(trusted)) if identity_limit is None else identity_limit
    found = claim_namespace(
        reader, payer, owner, namespace, identities=trusted, identity_limit=limit, announce=partial(say_sent, output)
    )
    output.text(f"namespace    {namespace}")
    output.text(f"owner        {found.owner}")
    for identity in trusted:
        output.text(f"trusts       {identity.hex()}")
    if limit > len(trusted):
        output.text(f"trusts       the next {limit - len(trusted)} publishers that use it")
    output.text(f"transaction  0x{found.transaction.hex()}, block {found.block}")
    output.document(True, documents.claim_json(found, identities=trusted, identity_limit=limit))


def _identity_digest(text: str) -> bytes:
    """Return the digest of an identity: that of its line, or the one given in hex."""
    if " " in text.strip():
        return publisher_identity(text, "--identity").digest
    return hex_word(text, "--identity", "not a publisher", "the line of an identity, or its digest: 64 hex digits")

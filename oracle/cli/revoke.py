"""`provenance revoke`: revoke a model by its digest, or apply such a revocation to the records that exist."""

from __future__ import annotations

from functools import partial

import click

from provenance_oracle.oracle import documents
from provenance_oracle.oracle.cli.key_options import KeyOptions, parse_digest, say_sent, with_key
from provenance_oracle.verifier.cli.chain_options import ChainOptions, with_chain
from provenance_oracle.verifier.cli.console import Output, command_body
from provenance_oracle.verifier.cli.options import output_options, registry_reader
from provenance_oracle.verifier.errors import UsageError


@click.command()
@click.argument("model_digest")
@with_chain()
@with_key
@click.option("--reason", metavar="TEXT", help="Revoke the model, for this reason, which everybody can read.")
@click.option("--apply", "only_apply", is_flag=True, help="Apply an earlier revocation. Any account may do that.")
@output_options
@command_body(documents.REVOKE)
def revoke(
    output: Output,
    chain: ChainOptions,
    model_digest: str,
    key: KeyOptions,
    reason: str | None,
    only_apply: bool,
) -> None:
    """Revoke a model: every release of these files.

    Only the registry's guardian and owner can revoke, and nobody can undo it. Releases of the same files that are
    recorded later are revoked from the start, whichever manifest names them. For releases that are recorded already,
    the command applies the revocation to each record, which shuts its gate.

    \b
    Examples:
      provenance revoke MODEL_DIGEST --reason "a backdoor" --network sapphire \\
        --keystore guardian.json --password-file pw
      provenance revoke MODEL_DIGEST --apply --network sapphire \\
        --keystore payer.json --password-file pw
    """
    from provenance_oracle.oracle.chain.revoke_model import apply_revocation, revoke_model

    digest = parse_digest(model_digest, "MODEL_DIGEST")
    if (reason is None) != only_apply:
        got = "both" if only_apply else "neither"
        raise UsageError("nothing to do is named", got=got, wanted='--reason "TEXT" to revoke, or --apply')
    place = chain.place()
    reader = registry_reader(place.rpc_url, place.registry)
    signer = key.open()
    sent = () if reason is None else (revoke_model(reader, signer, digest, reason, announce=partial(say_sent, output)),)
    done = apply_revocation(reader, signer, digest, announce=partial(say_sent, output))
    output.text(f"model        {digest.hex()}")
    output.text(f"revoked      by 0x{done.revocation.guardian.hex()}: {done.revocation.reason}")
    for manifest in done.manifest_digests:
        output.text(f"applied to   manifest {manifest.hex()}")
    for transaction in (*sent, *done.transactions):
        output.text(f"transaction  0x{transaction.hex()}")
    if done.left:
        output.text(f"left         {done.left} releases: run `provenance revoke {digest.hex()} --apply` again")
    output.document(True, documents.revoke_json(done, sent=sent))

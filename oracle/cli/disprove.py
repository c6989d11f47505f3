"""`provenance disprove`: show the chain that a record's own evidence is against it."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import click

from provenance_oracle.oracle import documents
from provenance_oracle.oracle.cli.key_options import KeyOptions, say_sent, with_key
from provenance_oracle.verifier.cli.chain_options import ChainOptions, with_chain
from provenance_oracle.verifier.cli.console import Output, command_body
from provenance_oracle.verifier.cli.options import FILE, open_deployed, output_options, read_bounded, read_small
from provenance_oracle.verifier.errors import UsageError

_VERDICT_MAX_BYTES = 4 << 20
_SHOWN = 10


@click.command()
@click.argument("what", metavar="DIGEST|ID")
@with_chain()
@with_key
@click.option("--verdict", type=FILE, required=True, help="The verdict of the record, as the oracle keeps it.")
@click.option("--report", type=FILE, required=True, help="The attestation report that the verdict cites.")
@click.option("--vek", type=FILE, help="The certificate that it cites, vek.der. Needed to show a forgery.")
@click.option("--dry-run", is_flag=True, help="Only say what the chain would find. Needs no key.")
@output_options
@command_body(documents.DISPROVE)
def disprove(
    output: Output,
    chain: ChainOptions,
    what: str,
    key: KeyOptions,
    verdict: Path,
    report: Path,
    vek: Path | None,
    dry_run: bool,
) -> None:
    """Show the chain that a record's own evidence is against it.

    The contract marks the record's release. If it is the registry's guardian, it also revokes the release and ends the
    keys of all who signed, in the same transaction. What the contract does not understand convicts nobody.

    Exit codes: 0 disproved, 4 the record has other evidence, 5 the contract finds nothing against the record, 6 no
    record (one in a batch has to be written out first), 7 try again.

    \b
    Example:
      provenance disprove 5f1c... --network sapphire --verdict verdict.json \\
        --report report.bin --vek vek.der --dry-run
    """
    from provenance_oracle.oracle.chain.disprove_record import REASONS, plan_disproof, send_disproof
    from provenance_oracle.verifier.proofs.cited import cite
    from provenance_oracle.verifier.proofs.reader import ProofReader
    from provenance_oracle.verifier.record.codec import encode_record
    from provenance_oracle.verifier.registry.lookup import find_page

    place = chain.place()
    reader, deployment = open_deployed(place.rpc_url, place.registry)
    proofs = ProofReader(reader.node, deployment)
    signer = None if dry_run else key.open()
    page = find_page(reader, what, limit=_SHOWN, takes_proof=False)
    if len(page.entries) != 1:
        got = ", ".join(entry.manifest_digest.hex() for entry in page.entries)
        raise UsageError("several records have this digest", where="DIGEST", got=got, wanted="one of these digests")
    (entry,) = page.entries
    statement = read_bounded(verdict, _VERDICT_MAX_BYTES)
    certificate = None if vek is None else read_small(vek)
    cited = cite(statement, read_small(report), certificate, entry.verdict_digest)
    record = encode_record(entry, policy_id=entry.policy_id, parents=entry.parents)
    plan = plan_disproof(proofs, record, cited, signer.address if signer else None)
    sent = send_disproof(proofs, plan, signer, announce=partial(say_sent, output)) if signer else None
    output.text(f"record       {entry.name} {entry.version}, id {entry.record_id.hex()}")
    output.text(f"disproved    {REASONS.get(plan.reason, f'reason {plan.reason}')}")
    output.text(f"gas          {plan.gas:,}")
    output.text(f"transaction  0x{sent.hex()}" if sent else "transaction  none sent: --dry-run")
    output.document(True, documents.disprove_json(entry.record_id, plan.reason, plan.gas, sent))

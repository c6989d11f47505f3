"""`provenance prove`: prove a release on chain by AMD's signature, with no oracle."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from provenance_oracle.oracle import documents
from provenance_oracle.oracle.cli.key_options import KeyOptions, say_sent, with_key
from provenance_oracle.verifier.cli.chain_options import ChainOptions, with_chain
from provenance_oracle.verifier.cli.console import Output, command_body
from provenance_oracle.verifier.cli.options import (
    DEFAULT_POLICY,
    FILE,
    fetch_option,
    fetcher_for,
    hash_progress,
    now,
    open_deployed,
    output_options,
    policy_option,
)
from provenance_oracle.verifier.errors import RecordError

if TYPE_CHECKING:
    from provenance_oracle.oracle.chain.prove_release import ProofCost
    from provenance_oracle.verifier.judgement.judge import Judgement
    from provenance_oracle.verifier.judgement.release import Release
    from provenance_oracle.verifier.policy import Policy
    from provenance_oracle.verifier.proofs.intermediates import AddedIntermediate
    from provenance_oracle.verifier.record.fields import Entry
    from provenance_oracle.verifier.registry.reader import RegistryReader
    from provenance_oracle.verifier.snp.kds import Fetcher

_WEI_PER_COIN = 10**18
_WEI_PER_GWEI = 10**9


@click.command()
@click.argument("release", type=FILE)
@with_chain()
@with_key
@policy_option
@fetch_option
@click.option(
    "--record/--no-record",
    "with_record",
    default=None,
    help="Confirm the registry's record too, or leave it out. Default: confirm it if there is one.",
)
@click.option("--cost", "only_cost", is_flag=True, help="Only say what the proof would cost. Needs no key.")
@click.option("--dry-run", is_flag=True, help="Do all but send the transaction. Needs no key.")
@click.option("--again", is_flag=True, help="Prove the release although it is proven, so that the proof is new.")
@output_options
@command_body(documents.PROVE)
def prove(
    output: Output,
    release: Path,
    chain: ChainOptions,
    key: KeyOptions,
    policy_name: str | None,
    fetch: bool,
    with_record: bool | None,
    only_cost: bool,
    dry_run: bool,
    again: bool,
) -> None:
    """Prove a release on chain: AMD's signature is checked by the EVM.

    The release is judged first, on this machine. The contract then follows AMD's key over certificate, report, VM key
    and manifest to the digest of every file. No oracle takes part, and any account can pay. --registry has to be a
    deployment file, which names the contract.

    Exit codes: 0 proven (also if it was before), 3 to 5 as for `check`, and 5 if the chain refuses or the proof does
    not fit into a transaction, 6 no record to confirm, 7 try again.

    \b
    Examples:
      provenance prove ./my-model --network sapphire --cost
      provenance prove ./my-model --network sapphire \\
        --keystore payer.json --password-file pw
      provenance prove ./my-model --rpc URL --registry deployments/1.json \\
        --no-record --keystore payer.json --password-file pw
    """
    from provenance_oracle.oracle.chain.prove_release import plan_proof, send_proof
    from provenance_oracle.verifier.cli.proof_words import proof_lines
    from provenance_oracle.verifier.judgement.release import read_release
    from provenance_oracle.verifier.policy import load_policy
    from provenance_oracle.verifier.proofs.evidence_calls import evidence_of
    from provenance_oracle.verifier.proofs.reader import ProofReader
    from provenance_oracle.verifier.record.codec import encode_record, release_id

    # (1) judge, on this machine
    place = chain.place()
    reader, deployment = open_deployed(place.rpc_url, place.registry)
    proofs = ProofReader(reader.node, deployment)
    signer = None if only_cost or dry_run else key.open()
    contents = read_release(release)
    entry = _entry(reader, contents.unverified_payload, with_record)
    policy = load_policy(policy_name or place.policy or DEFAULT_POLICY)
    judged = _judge(output, contents, policy, entry, fetch=fetch)
    record = b"" if entry is None else encode_record(entry, policy_id=entry.policy_id, parents=entry.parents)
    digests = (judged.record.model_digest, judged.record.manifest_digest)
    # (2) what the chain would say and take
    known = proofs.proof(*digests)
    stands = known is not None and not known.word.revoked
    done = stands and not again and not only_cost
    plan = None
    if not done:
        sender, added = signer.address if signer else None, _added(contents, fetcher_for(fetch))
        plan = plan_proof(proofs, evidence_of(contents), record, sender, added)
    confirms = plan is not None and entry is not None
    _say(output, judged, confirms, release_id(*digests))
    # (3) pay no more than this
    if plan is not None:
        if plan.adds is not None:
            output.text(
                f"intermediate     {plan.adds.name}: this chain does not know it yet, so the transaction adds it"
            )
        for line in _cost_lines(plan.cost):
            output.text(line)
    sent = None
    if plan is not None and signer is not None:
        sent, known = send_proof(proofs, plan, digests, signer, announce=partial(say_sent, output))
    for line in proof_lines(known):
        output.text(line)
    body = documents.prove_json(digests, known, plan.cost if plan else None, sent, confirmed=confirms)
    output.document(True, body)


def _judge(output: Output, release: Release, policy: Policy, entry: Entry | None, *, fetch: bool) -> Judgement:
    """Judge a release on this machine: for the moment of its record, or for now."""
    from provenance_oracle.verifier.judgement.judge import judge

    present = now()
    with hash_progress(output) as progress:
        return judge(
            release,
            policy,
            at=entry.judged_as_of if entry else present,
            now=present,
            fetcher=fetcher_for(fetch),
            progress=progress,
        )


def _added(contents: Release, fetcher: Fetcher | None) -> AddedIntermediate | None:
    """Return the intermediate of a release with a revocation list of now, if the contracts do not have its key."""
    from provenance_oracle.verifier.proofs.intermediates import added_intermediate
    from provenance_oracle.verifier.snp.current_crl import with_current_crl

    evidence = contents.evidence
    if fetcher is not None and added_intermediate(evidence) is not None:
        evidence = with_current_crl(evidence, at=now(), fetcher=fetcher)
    return added_intermediate(evidence)


def _entry(reader: RegistryReader, payload: bytes, with_record: bool | None) -> Entry | None:
    """Return the record to confirm, if there is one and it is wanted.

    Raises:
        RecordError: a record is asked for, and there is no active one.
    """
    from hashlib import sha256

    if with_record is False:
        return None
    try:
        entry = reader.entry(sha256(payload).digest())
        if (refusal := reader.refusal(entry)) is None:
            return entry
    except RecordError as error:
        refusal = reader.proofs.with_next_step(error, takes_proof=False)
    if not with_record:
        return None
    wanted = f"{refusal.wanted}; or leave out --record: a proof needs none"
    raise RecordError(refusal.problem, check=refusal.check, where=refusal.where, got=refusal.got, wanted=wanted)


def _say(output: Output, judged: Judgement, confirms: bool, release: bytes) -> None:
    from provenance_oracle.verifier.cli.words import policy_line, root_note

    result = judged.result
    output.accepted(f"{result.manifest.name} {result.manifest.version}", root_note(result.claims))
    output.text(policy_line(result.policy, result.at))
    output.text(f"release id       {release.hex()} (gates and their errors call it recordId)")
    output.text(f"record           {'to be confirmed too' if confirms else 'not confirmed; a proof needs none'}")


def _cost_lines(cost: ProofCost) -> tuple[str, ...]:
    from provenance_oracle.oracle.chain.prove_release import TRANSACTION_GAS_MAX

    coins, gwei = cost.wei / _WEI_PER_COIN, cost.price_wei / _WEI_PER_GWEI
    return (
        f"gas              {cost.gas:,}: it fits (at most {TRANSACTION_GAS_MAX:,})",
        f"                 {cost.sending:,} to send {cost.data_bytes:,} bytes",
        f"                 {cost.hardware:,} for AMD's certificates and the report",
        f"                 {cost.manifest:,} for the VM's signature, the files, and what is kept",
        f"cost             {coins:.9f} coins of this chain, at {gwei:g} gwei",
    )

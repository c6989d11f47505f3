"""`provenance deploy`: put a registry on a chain and give the shipped policies their numbers."""

from __future__ import annotations

from dataclasses import replace as replaced
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from provenance_oracle.oracle import documents
from provenance_oracle.oracle.cli.deployment_files import SentFile, make_room, replace_deployment, write_deployment
from provenance_oracle.oracle.cli.key_options import KeyOptions, parse_hash, say_sent, with_key
from provenance_oracle.verifier.cli.chain_options import ChainOptions, with_chain
from provenance_oracle.verifier.cli.console import Output, command_body
from provenance_oracle.verifier.cli.options import FILE, output_options
from provenance_oracle.verifier.errors import TemporaryError, UsageError, VerificationError

if TYPE_CHECKING:
    from provenance_oracle.oracle.chain.deploy_terms import Terms
    from provenance_oracle.oracle.signers.base import Signer
    from provenance_oracle.verifier.registry.deployment import Deployment
    from provenance_oracle.verifier.registry.node import NodeConnection


@click.command()
@with_chain(registry=False)
@with_key
@click.option("--owner", help="Account that announces oracle sets. Default: the paying account.")
@click.option("--guardian", help="Account that can stop writes and revoke. Default: the paying account.")
@click.option(
    "--oracle",
    "oracles",
    multiple=True,
    metavar="ADDRESS|rofl1...[:WEIGHT]",
    help="A key that signs reports, or a ROFL app that will bind one, and its weight. Repeat it for each oracle. "
    "Default: the paying account.",
)
@click.option("--threshold", type=int, help="Weight that a record needs. Default: more than half of all weight.")
@click.option(
    "--delay-hours",
    default=48,
    show_default=True,
    type=click.IntRange(1, 2160),
    help="How long announcements wait in public.",
)
@click.option(
    "--grace-hours",
    default=24,
    show_default=True,
    type=click.IntRange(0, 2160),
    help="How long signatures of an earlier oracle set still count.",
)
@click.option("--deployments", type=FILE, metavar="DIR", help="Write DIR/<chain id>.json, which --registry takes.")
@click.option(
    "--replace", is_flag=True, help="Keep the file of an earlier registry as DIR/<chain id>.<its block>.json."
)
@click.option(
    "--from-transaction",
    metavar="HASH",
    help="Deploy nothing: read the registry that this transaction made, and write its deployment file again.",
)
@click.option(
    "--with-proofs",
    "proof_keys",
    type=click.Choice(["amd", "simulator"]),
    is_flag=False,
    flag_value="amd",
    help="Also deploy the contracts by which AMD's signature proves releases on chain; with the keys of AMD, or of the "
    "simulator, which prove nothing. Default: amd.",
)
@click.option("--verifier", "verifier_text", metavar="ADDRESS", help="With --with-proofs: a verifier that is there.")
@output_options
@command_body(documents.DEPLOY)
def deploy(
    output: Output,
    chain: ChainOptions,
    key: KeyOptions,
    owner: str | None,
    guardian: str | None,
    oracles: tuple[str, ...],
    threshold: int | None,
    delay_hours: int,
    grace_hours: int,
    deployments: Path | None,
    replace: bool,
    from_transaction: str | None,
    proof_keys: str | None,
    verifier_text: str | None,
) -> None:
    """Put a registry on a chain.

    The policies that this version ships get their numbers in it. If you interrupt the command, run it again: it goes on
    with the transaction that it sent. With --from-transaction and --with-proofs, a registry that is there gets the
    contracts for proofs.

    \b
    Example:
      provenance deploy --rpc URL --keystore payer.json --password-file pw \\
        --owner 0x... --guardian 0x... --oracle 0x...:2 --oracle 0x... \\
        --oracle 0x... --threshold 3 --deployments deployments
    """
    from provenance_oracle.oracle.chain.deploy import chain_id_of
    from provenance_oracle.oracle.chain.deploy_terms import Terms, majority, parse_oracle
    from provenance_oracle.oracle.chain.deployed import read_deployment
    from provenance_oracle.verifier.policy import SHIPPED_POLICIES, shipped_policy
    from provenance_oracle.verifier.registry.node import open_node

    rpc_url = chain.place(use_default=False).rpc_url
    if not rpc_url:
        raise UsageError("no chain is named", got="no --rpc", wanted="--network NAME, or --rpc URL")
    _refuse_idle_options(deployments, proof_keys, replace=replace, names_verifier=verifier_text is not None)
    earlier = parse_hash(from_transaction, "--from-transaction") if from_transaction else None
    if earlier and (owner or guardian or oracles or threshold is not None):
        wanted = "--from-transaction without owner, guardian, oracles and threshold"
        raise UsageError("the transaction has the terms of its registry", got="terms", wanted=wanted)
    signer = key.open() if key.given or not earlier or proof_keys else None
    if signer:
        first_set = tuple(parse_oracle(text) for text in oracles or (signer.address,))
        wanted_weight = majority(first_set) if threshold is None else threshold
        parties = (owner or signer.address, guardian or signer.address)
        terms = Terms(*parties, first_set, wanted_weight, delay_hours, grace_hours)
    node = open_node(rpc_url)
    file = deployments / f"{chain_id_of(node)}.json" if deployments else None
    kept = make_room(file, replace=replace) if file else None
    if earlier:
        found, terms = read_deployment(node, earlier)
    else:
        assert signer is not None
        found = _deploy_or_resume(output, node, signer, terms, SentFile(file) if file else None)
    if file:
        write_deployment(file, kept, found)
        SentFile(file).remove()
    if proof_keys:
        assert signer is not None
        found = _with_proofs(output, node, signer, found, terms, proof_keys, verifier_text)
        if file:
            replace_deployment(file, found)
    policies = {name: shipped_policy(name).digest for name in reversed(SHIPPED_POLICIES)}
    numbers = _number_policies(node, signer, found, policies)
    _print_deployment(output, found, terms, numbers, policies)
    if kept:
        output.text(f"kept         {kept}, the file of the earlier registry")


def _refuse_idle_options(
    deployments: Path | None, proof_keys: str | None, *, replace: bool, names_verifier: bool
) -> None:
    """Refuse options that would do nothing without another one."""
    if replace and not deployments:
        raise UsageError("--replace needs a folder", got="no --deployments", wanted="--deployments DIR")
    if names_verifier and not proof_keys:
        raise UsageError("--verifier is for proofs", where="--verifier", got="no --with-proofs", wanted="both")


def _deploy_or_resume(
    output: Output, node: NodeConnection, signer: Signer, terms: Terms, sent_file: SentFile | None
) -> Deployment:
    """Deploy a registry, or go on with the transaction of an earlier run that was interrupted."""
    from provenance_oracle.oracle.chain.deploy import deploy_contracts

    def announce(sent: bytes, raw: bytes) -> None:
        if sent_file and raw:
            sent_file.write(raw)
        say_sent(output, sent, raw)

    try:
        return deploy_contracts(node, signer, terms, sent=sent_file.read() if sent_file else b"", announce=announce)
    except (UsageError, VerificationError) as error:
        if sent_file and sent_file.exists:
            error.wanted += f"; to deploy anew, remove {sent_file.path}"
        raise


def _with_proofs(
    output: Output,
    node: NodeConnection,
    signer: Signer,
    found: Deployment,
    terms: Terms,
    keys: str,
    verifier_text: str | None,
) -> Deployment:
    """Deploy the contracts for proofs beside a registry; return its deployment with them."""
    from provenance_oracle.oracle.chain.deploy_proofs import deploy_proofs
    from provenance_oracle.verifier.registry.node import parse_address

    proofs = deploy_proofs(
        node,
        signer,
        found.registry,
        keeper=terms.guardian,
        keys=keys,
        verifier=parse_address(verifier_text, "--verifier") if verifier_text else None,
        announce=partial(say_sent, output),
    )
    return replaced(found, proofs=proofs)


def _number_policies(
    node: NodeConnection, signer: Signer | None, found: Deployment, policies: dict[str, bytes]
) -> dict[str, int]:
    """Give the policies numbers; without a key, return the numbers that they have."""
    from provenance_oracle.oracle.chain.deploy import number_policies
    from provenance_oracle.oracle.chain.deployed import numbers_of

    if signer is None:
        return numbers_of(node, found.registry, policies)
    try:
        return number_policies(node, signer, found.registry, policies)
    except TemporaryError as error:
        where = f"registry 0x{found.registry.hex()}"
        problem = "is deployed, but its policies have no numbers yet"
        wanted = f"a number for each: deploy --from-transaction 0x{found.transaction.hex()}, with the key"
        raise TemporaryError(problem, where=where, got=str(error), wanted=wanted) from error


def _print_deployment(
    output: Output, found: Deployment, terms: Terms, numbers: dict[str, int], digests: dict[str, bytes]
) -> None:
    weight = sum(oracle.weight for oracle in terms.oracles)
    for name, address in documents.contract_addresses(found).items():
        output.text(f"{name:<12} {address}")
    if found.proofs is not None:
        for name, address in documents.proof_addresses(found.proofs).items():
            output.text(f"{name:<12} {address}")
    output.text(f"chain        {found.chain_id}, block {found.block}")
    output.text(f"transaction  0x{found.transaction.hex()}")
    output.text(f"owner        {terms.owner}  announces oracle sets {terms.delay_hours} hours ahead")
    output.text(f"guardian     {terms.guardian}  stops writes and revokes")
    for oracle in terms.oracles:
        key = f"ROFL app {oracle.rofl_app.hex()}, which must still bind its key" if any(oracle.rofl_app) else oracle.key
        output.text(f"oracle       {key}  weight {oracle.weight}")
    output.text(
        f"threshold    {terms.threshold} of {weight}; signatures of an earlier set count for {terms.grace_hours} hours"
    )
    for name, number in numbers.items():
        output.text(f"policy       {number} {name:<10}  0x{digests[name].hex()}")
    if any(oracle.weight >= terms.threshold for oracle in terms.oracles):
        output.text("note         one oracle alone can write records", color="yellow")
    output.document(True, documents.deploy_json(found, terms, policies=numbers, policy_digests=digests))

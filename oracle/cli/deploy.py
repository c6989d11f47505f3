"""`provenance deploy`: put a registry on a chain and give the shipped policies their numbers."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from provenance_oracle.oracle import documents
from provenance_oracle.oracle.cli.key_options import open_key, with_key_options
from provenance_oracle.verifier.cli.chain_options import ChainOptions, with_chain
from provenance_oracle.verifier.cli.console import Output, command_body
from provenance_oracle.verifier.cli.options import FILE, output_options, read_bounded
from provenance_oracle.verifier.errors import TemporaryError, UsageError, unwritten

if TYPE_CHECKING:
    from provenance_oracle.oracle.chain.deploy import Terms
    from provenance_oracle.verifier.registry.deployment import Deployment


@click.command()
@with_chain(registry=False)
@with_key_options
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
@output_options
@command_body(documents.DEPLOY)
def deploy(
    output: Output,
    chain: ChainOptions,
    key_variable: str | None,
    keystore: Path | None,
    password_file: Path | None,
    owner: str | None,
    guardian: str | None,
    oracles: tuple[str, ...],
    threshold: int | None,
    delay_hours: int,
    grace_hours: int,
    deployments: Path | None,
    replace: bool,
) -> None:
    """Put a registry on a chain.

    The policies that this version ships get their numbers in it.

    \b
    Example:
      provenance deploy --rpc URL --keystore payer.json --password-file pw \\
        --owner 0x... --guardian 0x... --oracle 0x...:2 --oracle 0x... \\
        --oracle 0x... --threshold 3 --deployments deployments
    """
    from provenance_oracle.oracle.chain.deploy import (
        Terms,
        chain_id_of,
        deploy_contracts,
        majority,
        number_policies,
        parse_oracle,
    )
    from provenance_oracle.verifier.policy import SHIPPED_POLICIES, shipped_policy
    from provenance_oracle.verifier.registry.node import open_node

    rpc_url = chain.place(use_default=False).rpc_url
    if not rpc_url:
        raise UsageError("no chain is named", got="no --rpc", wanted="--network NAME, or --rpc URL")
    if replace and not deployments:
        raise UsageError("--replace needs a folder", got="no --deployments", wanted="--deployments DIR")
    signer = open_key("--", key_variable, keystore, password_file)
    first_set = tuple(parse_oracle(text) for text in oracles or (signer.address,))
    wanted = majority(first_set) if threshold is None else threshold
    terms = Terms(owner or signer.address, guardian or signer.address, first_set, wanted, delay_hours, grace_hours)
    node = open_node(rpc_url)
    file = deployments / f"{chain_id_of(node)}.json" if deployments else None
    kept = _make_room(file, replace=replace) if file else None
    found = deploy_contracts(node, signer, terms)
    if file:
        _write_deployment(file, kept, found)
    policies = {name: shipped_policy(name).digest for name in reversed(SHIPPED_POLICIES)}
    try:
        numbers = number_policies(node, signer, found.registry, policies)
    except TemporaryError as error:
        where = f"registry 0x{found.registry.hex()}"
        problem = "is deployed, but its policies have no numbers yet"
        raise TemporaryError(problem, where=where, got=str(error), wanted="a number for each") from error
    _print_deployment(output, found, terms, numbers, policies)
    if kept:
        output.text(f"kept         {kept}, the file of the earlier registry")


def _make_room(file: Path, *, replace: bool) -> Path | None:
    """Make the folder of a deployment file.

    Returns:
        The path at which to keep the file of an earlier registry; None if there is no such file.

    Raises:
        UsageError: the folder cannot be made, the file exists and `replace` is False, or the path to keep it is taken.
        FormatError: the file that exists is not a deployment file.
    """
    from provenance_oracle.verifier.registry.deployment import FILE_MAX_BYTES, parse_deployment

    try:
        file.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise unwritten("cannot be made", error, where=str(file.parent), wanted="a folder") from None
    if not os.path.lexists(file):
        return None
    if not replace:
        wanted = f"no file; --replace keeps it as {file.stem}.<its block>.json"
        raise UsageError("an earlier registry has this file", where=str(file), got="a file", wanted=wanted)
    earlier = parse_deployment(read_bounded(file, FILE_MAX_BYTES), str(file))
    kept = file.with_name(f"{file.stem}.{earlier.block}.json")
    if os.path.lexists(kept):
        raise UsageError("an earlier registry is kept here already", where=str(kept), got="a file", wanted="no file")
    return kept


def _write_deployment(file: Path, kept: Path | None, deployment: Deployment) -> None:
    """Write a deployment file, after the earlier one is moved to `kept` if that is given. Nothing is overwritten.

    Raises:
        UsageError: a file cannot be moved or written. The error names the registry, which is on the chain already.
    """
    from provenance_oracle.verifier.registry.deployment import encode_deployment

    try:
        if kept:
            file.rename(kept)
        with file.open("xb") as new:
            new.write(encode_deployment(deployment))
    except OSError as error:
        got = f"{error.strerror}; the registry is 0x{deployment.registry.hex()}"
        raise UsageError("cannot be written", where=str(file), got=got, wanted="a file") from None


def _print_deployment(
    output: Output, found: Deployment, terms: Terms, numbers: dict[str, int], digests: dict[str, bytes]
) -> None:
    weight = sum(oracle.weight for oracle in terms.oracles)
    for name, address in documents.contract_addresses(found).items():
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

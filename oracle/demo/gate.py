"""Ask the registry's gate three questions about the demo's release, as a dApp does."""

from __future__ import annotations

from dataclasses import dataclass

from provenance_oracle.oracle.chain.calls import refusal_name, require_model_call
from provenance_oracle.oracle.chain.rpc import Call, RevertedError, Web3Chain
from provenance_oracle.verifier.cli.options import registry_reader
from provenance_oracle.verifier.registry.contract import DeployedContract
from provenance_oracle.verifier.registry.secp256k1 import checksum_address
from provenance_oracle.verifier.strict.abi_values import parse_flag

_NOBODY = "0x" + "00" * 20


@dataclass(frozen=True)
class GateAnswers:
    """The gate's answers about one release.

    `digests` are those of model and manifest, 32 bytes each. `refusal` is the name of the error that `requireModel`
    reverts with, "" if it does not revert. `is_simulated` says whether the release has a record of simulated evidence.
    """

    digests: tuple[bytes, bytes]
    is_open: bool
    refusal: str
    is_simulated: bool


def ask_gate(rpc_url: str, registry_text: str, name: str) -> GateAnswers:
    """Ask the gate about the latest release of a name, with the lowest requirement (grade 0).

    Args:
        registry_text: address of the registry, or the path of its deployment file.

    Raises:
        UsageError: another contract is at the registry's address.
        TemporaryError: the node does not answer.
    """
    reader = registry_reader(rpc_url, registry_text)
    entry = max(reader.entries_of_name(name), key=lambda one: one.recorded_at)
    digests = (entry.model_digest, entry.manifest_digest)
    contract = DeployedContract(reader.node, "ProvenanceRegistry", reader.address, "gate")
    chain = Web3Chain(reader.node)
    head = chain.head()
    try:
        chain.simulate(Call(_NOBODY, checksum_address(reader.address), require_model_call(*digests, minimum_grade=0)))
        refusal = ""
    except RevertedError as error:
        refusal = refusal_name(error.data)
    return GateAnswers(
        digests,
        contract.call("isModel", *digests, 0, parse=parse_flag, block=head),
        refusal,
        contract.call("isSimulatedModel", *digests, parse=parse_flag, block=head),
    )

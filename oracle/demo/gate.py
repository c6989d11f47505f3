"""What a dApp is told of the demo's release: three questions at the registry's gate."""

from __future__ import annotations

from dataclasses import dataclass

from provenance_oracle.oracle.chain.calls import refusal_name, require_model_call
from provenance_oracle.oracle.chain.rpc import Call, RevertedError, Web3Chain
from provenance_oracle.oracle.chain.writer import checksum_address
from provenance_oracle.verifier.cli.options import registry_reader
from provenance_oracle.verifier.registry.contract import DeployedContract
from provenance_oracle.verifier.registry.node import connect

_TIMEOUT_SECONDS = 20.0
_NOBODY = "0x" + "00" * 20


@dataclass(frozen=True)
class GateAnswers:
    """What the gate says: whether it is open, the name of its refusal, and whether a simulated record stands there."""

    is_open: bool
    refusal: str
    is_simulated: bool


def ask_gate(rpc_url: str, registry_text: str, name: str) -> GateAnswers:
    """Ask the gate for the latest release of a name, with the lowest of all demands: grade 0.

    Raises:
        UsageError: another contract is there. TemporaryError: the node does not answer.
    """
    reader = registry_reader(rpc_url, registry_text)
    entry = reader.entries_of_name(name)[0]
    digests = (entry.model_digest, entry.manifest_digest)
    contract = DeployedContract(connect(rpc_url), "ProvenanceRegistry", reader.address, "gate")
    chain = Web3Chain(rpc_url, timeout_seconds=_TIMEOUT_SECONDS)
    head = chain.head()
    try:
        chain.simulate(
            Call(_NOBODY, checksum_address(f"0x{reader.address.hex()}"), require_model_call(*digests, minimum_grade=0))
        )
        refusal = ""
    except RevertedError as error:
        refusal = refusal_name(error.data)
    return GateAnswers(
        bool(contract.call("isModel", *digests, 0, block=head)),
        refusal,
        bool(contract.call("isSimulatedModel", *digests, block=head)),
    )

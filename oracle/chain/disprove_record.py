"""Disprove a record by its own evidence. Nothing is paid for what the contract would refuse."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from provenance_oracle.oracle.chain.calls import refusal_name
from provenance_oracle.oracle.chain.payer import Announce, Payer, stay_silent
from provenance_oracle.oracle.chain.rpc import revert_data
from provenance_oracle.oracle.signers.base import Signer
from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.errors import AppraisalError, ProvenanceError, RecordError, UsageError
from provenance_oracle.verifier.proofs.cited import CitedEvidence
from provenance_oracle.verifier.proofs.reader import DISPUTES_CONTRACT, ProofReader
from provenance_oracle.verifier.registry.batch_proofs import WRITTEN_OUT
from provenance_oracle.verifier.registry.contract import DeployedContract, load_artifact
from provenance_oracle.verifier.registry.node import node_errors
from provenance_oracle.verifier.strict.abi_values import parse_account, parse_number

# The numbers of the event RecordDisproved.
REASONS = {
    1: "the record has another report's digest",
    2: "the processor is of another product line than the record says",
    3: "the record has another REPORTED_TCB",
    4: "the measured workload is another than the record says",
    5: "the guest was open to a debugger, and the record has a grade",
    6: "the host asked for the report",
    7: "the key that AMD endorsed did not sign the report",
    8: "the certificate is of another report",
}


@dataclass(frozen=True)
class Disproof:
    """What the contract would say of a record now: web3's call, a number of REASONS, and the gas."""

    call: Any
    reason: int
    gas: int


def plan_disproof(reader: ProofReader, record: bytes, cited: CitedEvidence, sender: str | None = None) -> Disproof:
    """Simulate a disproof.

    Args:
        record: the bytes of the record that the registry keeps.
        sender: the address that would send it; None for any.

    Raises:
        UsageError: the deployment names another contract.
        RecordError: the registry does not keep the record by itself: it is in a batch, or was judged again.
        AppraisalError: the evidence has nothing against the record that the contract understands.
        TemporaryError: the node failed.
    """
    from web3.exceptions import ContractLogicError

    _require_disputes(reader)
    web3 = reader.node.web3
    fields = {"from": web3.to_checksum_address(sender)} if sender else {}
    with node_errors(reader.where):
        address = web3.to_checksum_address(reader.disputes)
        contract: Any = web3.eth.contract(address, abi=load_artifact(DISPUTES_CONTRACT).abi)
        call = contract.functions.disprove(record, tuple(cited))
        try:
            reason = parse_number(call.call(fields), "reason")
        except ContractLogicError as error:
            where = f"disputes 0x{reader.disputes.hex()} at {reader.node.where}"
            raise _refusal(refusal_name(revert_data(error.data), DISPUTES_CONTRACT), where) from error
        return Disproof(call, reason, parse_number(call.estimate_gas(fields), "gas"))


def _refusal(got: str, where: str) -> ProvenanceError:
    """Return the error for a refusal of the contract by the name that it gives."""
    if got == "RecordUnknown":
        problem = "the registry keeps no such record by itself"
        return RecordError(problem, check=Check.REGISTRY_RECORD, where=where, got=got, wanted=WRITTEN_OUT)
    if got == "NotDisputable":
        wanted = "a PASSED record of hardware whose keys the contract has (AMD's, or the simulator's)"
    else:
        wanted = "evidence against it that it understands; docs/proofs.md, Errors"
    return AppraisalError("the contract does not disprove the record", where=where, got=got, wanted=wanted)


def _require_disputes(reader: ProofReader) -> None:
    """Refuse a contract of other code, whose answer would mean nothing, and one that judges by other proofs."""
    where = f"disputes 0x{reader.disputes.hex()} at {reader.node.where}"
    contract = DeployedContract(reader.node, DISPUTES_CONTRACT, reader.disputes, where)
    with node_errors(where):
        block = parse_number(reader.node.web3.eth.block_number, "block number")
    found = contract.call("proofs", parse=parse_account, block=block)
    if found != reader.address:
        problem, wanted = "the contract has other proofs", f"0x{reader.address.hex()}"
        raise UsageError(problem, where=where, got=f"0x{found.hex()}", wanted=wanted)


def send_disproof(reader: ProofReader, plan: Disproof, signer: Signer, *, announce: Announce = stay_silent) -> bytes:
    """Send a disproof and wait for its block; return the transaction's hash, 32 bytes.

    Raises:
        UsageError: the contract refuses it by now.
        VerificationError: the transaction is in a block and failed.
        TemporaryError: the node failed, the account is empty, or the transaction is in no block yet.
    """
    return bytes(Payer(reader.node, signer, announce=announce).send(plan.call, DISPUTES_CONTRACT)["transactionHash"])

"""Prove a release on chain. Nothing is paid for what would revert: each proof is simulated, and its gas estimated."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from provenance_oracle.oracle.chain.calls import refusal_name
from provenance_oracle.oracle.chain.payer import Announce, Payer, stay_silent
from provenance_oracle.oracle.chain.rpc import revert_data
from provenance_oracle.oracle.signers.base import Signer
from provenance_oracle.verifier.errors import AppraisalError, TemporaryError
from provenance_oracle.verifier.judgement.release import CRL_PATH
from provenance_oracle.verifier.proofs.evidence_calls import EvidenceCall, vek_facts_of, with_endorsed_key
from provenance_oracle.verifier.proofs.intermediates import PINNED, AddedIntermediate
from provenance_oracle.verifier.proofs.reader import PROOFS_CONTRACT, ProofReader, ReleaseProof
from provenance_oracle.verifier.registry.batch_proofs import WRITTEN_OUT
from provenance_oracle.verifier.registry.contract import load_artifact
from provenance_oracle.verifier.registry.node import node_errors
from provenance_oracle.verifier.strict.abi_values import parse_number
from provenance_oracle.verifier.strict.timestamps import format_time

# EIP-7825: no transaction may have more gas.
TRANSACTION_GAS_MAX = 16_777_216
# An estimate holds for the state of now. Another proof of the same chip can make this one dearer by less than a tenth.
_MARGIN_NUMERATOR, _MARGIN_DENOMINATOR = 11, 10
_P384_SIGNATURE_BYTES = 96
# A list that ends sooner may have ended when the transaction comes into a block.
_LIST_MARGIN_SECONDS = 3_600
# What a call that makes several reverts with if one of them has no gas left: one alone then reverts without data.
_OUT_OF_GAS = "FailedCall"
# EIP-2028: what a transaction and a byte of it cost before its code runs.
_BASE_GAS, _BYTE_GAS, _ZERO_BYTE_GAS = 21_000, 16, 4


@dataclass(frozen=True)
class ProofCost:
    """The gas of a proof by part, and what a unit costs.

    Attributes:
        sending: for the transaction and its bytes.
        hardware: for AMD's certificates, as far as the chain does not know them, and the report.
        manifest: for the VM's signature, the files, and what is kept.
        price_wei: the node's price for a unit of gas.
        data_bytes: the size of the call.
    """

    sending: int
    hardware: int
    manifest: int
    price_wei: int
    data_bytes: int

    @property
    def gas(self) -> int:
        """The gas of the whole transaction."""
        return self.sending + self.hardware + self.manifest

    @property
    def limit(self) -> int:
        """The gas limit to send it with."""
        return min(self.gas * _MARGIN_NUMERATOR // _MARGIN_DENOMINATOR, TRANSACTION_GAS_MAX)

    @property
    def wei(self) -> int:
        """What it costs at the node's price."""
        return self.gas * self.price_wei


@dataclass(frozen=True)
class ProofPlan:
    """A proof that the chain would take now: web3's call and its data, and its cost.

    `adds` is the intermediate that the same transaction adds first; None if the chain knows it.
    """

    call: Any
    data: bytes
    cost: ProofCost
    adds: AddedIntermediate | None = None


def plan_proof(
    reader: ProofReader,
    evidence: EvidenceCall,
    record: bytes,
    sender: str | None = None,
    intermediate: AddedIntermediate | None = None,
) -> ProofPlan:
    """Simulate a proof and estimate its gas.

    Args:
        evidence: with its certificate, which is left out if the chain has seen it.
        record: the bytes of the registry's record of the release, to be confirmed; or empty.
        sender: the address that would send it; None for any.
        intermediate: the one that the evidence names; None if it is pinned.

    Raises:
        AppraisalError: the chain refuses the proof, or it does not fit into a transaction.
        TemporaryError: the node failed.
    """
    facts = vek_facts_of(evidence.report, evidence.vek)
    if reader.is_endorsed(facts, evidence.intermediate):
        evidence = with_endorsed_key(evidence)
    eth, checksummed = reader.node.web3.eth, reader.node.web3.to_checksum_address
    abi = load_artifact(PROOFS_CONTRACT).abi
    with node_errors(reader.where):
        contract: Any = eth.contract(checksummed(reader.address), abi=abi)
    first = _calls_before(reader, contract.functions, intermediate)
    with node_errors(reader.where):
        call = _in_order(contract.functions, [*first, contract.functions.prove(tuple(evidence), record)])
        data = _data_of(call)
    fields, gas_max = {"from": checksummed(sender)} if sender else {}, gas_limit_of(reader)
    _simulate(reader, call, {**fields, "gas": gas_max}, evidence)
    with node_errors(reader.where):
        gas = parse_number(call.estimate_gas(fields), "gas")
        price = parse_number(eth.gas_price, "gas price")
    sending = _sending_gas(data)
    # Under an intermediate that was added, the parts of AMD's part cost a little more than the whole.
    hardware = min(_hardware_gas(reader, evidence, contract.functions, first), max(0, gas - sending))
    cost = ProofCost(sending, hardware, max(0, gas - sending - hardware), price, len(data))
    if cost.gas > gas_max:
        raise _too_large(reader, evidence, f"{cost.gas} gas", gas_max)
    return ProofPlan(call, data, cost, intermediate if first else None)


def gas_limit_of(reader: ProofReader) -> int:
    """Return the gas that one transaction may have: the limit of EIP-7825, or that of the newest block.

    Raises:
        TemporaryError: the node failed.
    """
    with node_errors(reader.where):
        block_max = parse_number(reader.node.web3.eth.get_block("latest")["gasLimit"], "gas limit")
    return min(TRANSACTION_GAS_MAX, block_max)


def send_proof(
    reader: ProofReader,
    plan: ProofPlan,
    digests: tuple[bytes, bytes],
    signer: Signer,
    *,
    announce: Announce = stay_silent,
) -> tuple[bytes, ReleaseProof]:
    """Send a proof at the price of the plan and wait for its block.

    Args:
        digests: of model and manifest, 32 bytes each.

    Returns:
        The transaction's hash, 32 bytes, and the proof as the contract keeps it now.

    Raises:
        AppraisalError, UsageError: the chain refuses it by now.
        VerificationError: the transaction is in a block and failed.
        TemporaryError: the node failed, the account is empty, the transaction is in no block yet, or the node does not
            show the proof that it made.
    """
    payer = Payer(reader.node, signer, announce=announce)
    receipt = payer.send(plan.call, PROOFS_CONTRACT, gas=plan.cost.limit, price_wei=plan.cost.price_wei)
    sent, proof = bytes(receipt["transactionHash"]), reader.proof(*digests)
    if proof is None or proof.place.block_number < receipt["blockNumber"]:
        problem, wanted = "the node does not show the proof yet", "the proof; run the command again"
        raise TemporaryError(problem, where=reader.where, got=f"transaction 0x{sent.hex()}", wanted=wanted)
    return sent, proof


def _simulate(reader: ProofReader, call: Any, fields: dict[str, Any], evidence: EvidenceCall) -> None:
    from web3.exceptions import ContractLogicError, Web3RPCError

    with node_errors(reader.where):
        try:
            call.call(fields)
        except ContractLogicError as error:
            data = revert_data(error.data)
            got = refusal_name(data, PROOFS_CONTRACT)
            if not data or got == _OUT_OF_GAS:
                raise _too_large(reader, evidence, f"more than {fields['gas']} gas", fields["gas"]) from error
            if got == data.hex():
                got = refusal_name(data, "AmdVerifier")
            wanted = _wanted_by(reader, got)
            raise AppraisalError("the chain refuses the proof", where=reader.where, got=got, wanted=wanted) from error
        except Web3RPCError as error:
            if "gas" not in str(error).lower():
                raise
            raise _too_large(reader, evidence, f"more than {fields['gas']} gas", fields["gas"]) from error


def _wanted_by(reader: ProofReader, refusal: str) -> str:
    """Return what the contract wants instead of what it refused by an error of this name."""
    if refusal == "RecordUnknown":
        return f"{WRITTEN_OUT}, or --no-record"
    if refusal == "CertificateNotSigned":
        if reader.is_simulated:
            return "a certificate of the simulator, whose keys are the only ones of this contract"
        return "a certificate that AMD signed; simulated evidence needs a `provenance deploy --with-proofs simulator`"
    return "evidence that the contract accepts; docs/proofs.md, Errors, explains each name"


def _too_large(reader: ProofReader, evidence: EvidenceCall, got: str, gas_max: int) -> AppraisalError:
    is_p384 = len(evidence.signature) == _P384_SIGNATURE_BYTES
    way_out = "a key on P-256 (`provenance attest --key-type p256`)" if is_p384 else "fewer files, or larger ones"
    wanted = f"at most {gas_max}: {way_out}"
    problem = f"the proof does not fit into a transaction (manifest of {len(evidence.payload)} bytes)"
    return AppraisalError(problem, where=reader.where, got=got, wanted=wanted)


def _calls_before(reader: ProofReader, functions: Any, intermediate: AddedIntermediate | None) -> list[Any]:
    """Return the calls that make the chain know the intermediate: none, or its addition, after a list if need be.

    Raises:
        AppraisalError: the chain needs a current list, and the evidence has none.
    """
    if intermediate is None or reader.is_added(intermediate.digest):
        return []
    with node_errors(reader.where):
        calls = [functions.addIntermediate(intermediate.certificate)]
        now = parse_number(reader.node.web3.eth.get_block("latest")["timestamp"], "time of a block")
    if reader.lists_current_until(intermediate.line) > now + _LIST_MARGIN_SECONDS:
        return calls
    crl = intermediate.crl
    if crl is None or crl.next_update.timestamp() <= now + _LIST_MARGIN_SECONDS:
        problem = f"the chain does not know {intermediate.name} yet, and takes it in only with a current list"
        got = "no list" if crl is None else f"one that ends at {format_time(crl.next_update)}"
        wanted = f"AMD's revocation list of today in {CRL_PATH}; --fetch gets it"
        raise AppraisalError(problem, where=crl.where if crl else "the release", got=got, wanted=wanted)
    with node_errors(reader.where):
        return [functions.submitCrl(crl.der), *calls]


def _in_order(functions: Any, calls: list[Any]) -> Any:
    """Return one call that makes several, or the only one as it is."""
    return calls[0] if len(calls) == 1 else functions.multicall([_data_of(call) for call in calls])


def _data_of(call: Any) -> bytes:
    return bytes.fromhex(call._encode_transaction_data().removeprefix("0x"))


def _hardware_gas(reader: ProofReader, evidence: EvidenceCall, proofs: Any, first: list[Any]) -> int:
    """Return the gas of AMD's part, without what it costs to send it."""
    web3 = reader.node.web3
    with node_errors(reader.where):
        verifier: Any = web3.eth.contract(
            web3.to_checksum_address(reader.verifier), abi=load_artifact("AmdVerifier").abi
        ).functions
        if not evidence.vek:
            known = (evidence.report, evidence.vek_key, evidence.vek_facts, evidence.vek_chip)
            return _gas_of(reader, verifier.verifyWith(*known))
        if evidence.intermediate == PINNED:
            return _gas_of(reader, verifier.verify(evidence.report, evidence.vek))
        # An intermediate that is not there yet has to be added in the same call.
        facts = vek_facts_of(evidence.report, evidence.vek)
        endorsed = _in_order(proofs, [*first, proofs.endorse(evidence.vek, evidence.intermediate)])
        signed = verifier.verifyWith(evidence.report, facts.key, facts.facts, facts.chip)
    return _gas_of(reader, endorsed) + _gas_of(reader, signed)


def _gas_of(reader: ProofReader, call: Any) -> int:
    """Return the gas of a call without what it costs to send it."""
    with node_errors(reader.where):
        data, gas = _data_of(call), parse_number(call.estimate_gas({}), "gas")
    if gas < _sending_gas(data):
        raise TemporaryError("the node's estimate is too low", where=reader.where, got=str(gas), wanted="a true one")
    return gas - _sending_gas(data)


def _sending_gas(data: bytes) -> int:
    zeros = data.count(0)
    return _BASE_GAS + zeros * _ZERO_BYTE_GAS + (len(data) - zeros) * _BYTE_GAS

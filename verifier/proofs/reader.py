"""Read the proofs of releases: the contract's state, after comparing its code and that of its verifier."""

from __future__ import annotations

from dataclasses import dataclass

from provenance_oracle.verifier.errors import TemporaryError, UsageError
from provenance_oracle.verifier.proofs.evidence_calls import VekFacts
from provenance_oracle.verifier.proofs.intermediates import PINNED
from provenance_oracle.verifier.proofs.verifier_code import SIMULATOR_VERIFIER, match_verifier
from provenance_oracle.verifier.proofs.words import ProofWord, unpack_proof
from provenance_oracle.verifier.record.codec import release_id
from provenance_oracle.verifier.registry.contract import DeployedContract
from provenance_oracle.verifier.registry.deployment import Deployment
from provenance_oracle.verifier.registry.event_types import Log
from provenance_oracle.verifier.registry.node import NodeConnection, node_errors
from provenance_oracle.verifier.registry.raw_logs import Place
from provenance_oracle.verifier.strict.abi_values import parse_account, parse_flag, parse_number, parse_word

PROOFS_CONTRACT = "HardwareProofs"
DISPUTES_CONTRACT = "Disputes"


@dataclass(frozen=True)
class ReleaseProof:
    """A release that is proven on chain.

    Attributes:
        release_id: 32 bytes.
        identity: the measured workload, 32 bytes; see `workload_identity`.
        place: of the latest event that proved it.
    """

    release_id: bytes
    word: ProofWord
    identity: bytes
    place: Place


class ProofReader:
    """Reads the proofs beside one registry. Not for use by several threads at once.

    Args:
        node: an open connection, which the reader shares.
        deployment: names the contracts.

    Attributes:
        node: the connection.
        address: of the contract, 20 bytes.
        verifier: address of the contract that judges AMD's evidence, 20 bytes.
        is_simulated: the keys are the simulator's, so nothing is proven.

    Raises:
        UsageError: the deployment has no such contracts, or another contract is at an address.
        TemporaryError: the node does not answer, or its answer makes no sense. Every method may raise this too.
    """

    def __init__(self, node: NodeConnection, deployment: Deployment) -> None:
        if deployment.proofs is None:
            wanted = "a deployment file with hardware_proofs; `provenance deploy --with-proofs` makes one"
            raise UsageError("this registry has no contract for proofs", where="--registry", got="none", wanted=wanted)
        self.node = node
        self.address = deployment.proofs.hardware_proofs
        self.disputes = deployment.proofs.disputes
        self.where = f"proofs 0x{self.address.hex()} at {node.where}"
        self._from_block = deployment.block
        self._contract = DeployedContract(node, PROOFS_CONTRACT, self.address, self.where)
        block = self._block()
        for name, wanted_address in (("verifier", deployment.proofs.amd_verifier), ("registry", deployment.registry)):
            found = self._contract.call(name, parse=parse_account, block=block)
            if found != wanted_address:
                problem, wanted = f"the contract has another {name}", f"0x{wanted_address.hex()}"
                raise UsageError(problem, where=self.where, got=f"0x{found.hex()}", wanted=wanted)
        self.verifier = deployment.proofs.amd_verifier
        name = match_verifier(node, self.verifier, f"verifier 0x{self.verifier.hex()} at {node.where}")
        self.is_simulated = name == SIMULATOR_VERIFIER

    def proof(self, model_digest: bytes, manifest_digest: bytes) -> ReleaseProof | None:
        """Return the proof of a release with these digests, 32 bytes each; None if it is not proven."""
        block, release = self._block(), release_id(model_digest, manifest_digest)
        number = self._contract.call("proofOf", release, parse=parse_number, block=block)
        if number == 0:
            return None
        with node_errors(self.where):
            word = unpack_proof(number, self.where)
        identity = self._contract.call("identityOf", release, parse=parse_word, block=block)
        wanted = {"modelDigest": model_digest, "manifestDigest": manifest_digest}
        places = self._contract.logs("ReleaseProven", wanted, self._from_block, block, parse=_place)
        if not places:
            raise TemporaryError("the node keeps back an event", where=self.where, got="none", wanted="ReleaseProven")
        return ReleaseProof(release, word, identity, places[-1])

    def is_proven(self, release: bytes, *, block: int) -> bool:
        """Return whether a release (id of 32 bytes) is proven at a block, also if AMD revoked its key since."""
        return self._contract.call("proofOf", release, parse=parse_number, block=block) != 0

    def is_endorsed(self, facts: VekFacts, intermediate: bytes = PINNED) -> bool:
        """Return whether the contract has seen this certificate before, under this intermediate."""
        asked = (facts.key_digest, facts.facts, facts.chip, intermediate)
        return self._contract.call("isEndorsed", *asked, parse=parse_flag, block=self._block())

    def is_added(self, intermediate: bytes) -> bool:
        """Return whether somebody added the intermediate, keccak256 of its certificate."""
        return self._contract.call("numberOf", intermediate, parse=parse_number, block=self._block()) != 0

    def lists_current_until(self, line: int) -> int:
        """Return until when the contract has a current revocation list of a product line; 0 without one."""
        return self._contract.call("listsCurrentUntil", line, parse=parse_number, block=self._block())

    def _block(self) -> int:
        with node_errors(self.where):
            return parse_number(self.node.web3.eth.block_number, "block number")


def _place(log: Log, _where: str) -> Place:
    return log.place

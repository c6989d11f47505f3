"""Releases to be proven on chain, and the contract that proves them, deployed beside a registry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec

from provenance_oracle.publisher.manifest import PrivateKey, public_key_of, sign_statement
from provenance_oracle.publisher.pack import pack_release
from provenance_oracle.publisher.signing.signature import Publisher
from provenance_oracle.publisher.simulator import CaRole, FakeAmd, FakeGuest
from provenance_oracle.verifier.digest.tree.fsverity import FileDigest, model_digest
from provenance_oracle.verifier.identity.names import PublisherIdentity
from provenance_oracle.verifier.judgement.binding import bound_report_data
from provenance_oracle.verifier.judgement.release import Release, read_release
from provenance_oracle.verifier.manifest.dsse import parse_envelope
from provenance_oracle.verifier.manifest.statement import parse_statement
from provenance_oracle.verifier.proofs.evidence_calls import EvidenceCall, raw_signature
from provenance_oracle.verifier.record.codec import release_id
from provenance_oracle.verifier.record.fields import Record, workload_identity
from provenance_oracle.verifier.record.keccak import keccak256
from provenance_oracle.verifier.record.standing import SIMULATED_CODE
from provenance_oracle.verifier.registry.contract import load_artifact
from provenance_oracle.verifier.snp.products import ProductLine
from provenance_oracle.verifier.snp.report import Report
from tests.support.chain_fixtures import make_record
from tests.support.evm import Answer, Evm, creation_code

P256_KEY: PrivateKey = ec.derive_private_key(12, ec.SECP256R1())
P384_KEY: PrivateKey = ec.derive_private_key(13, ec.SECP384R1())
NOW = datetime.now(UTC).replace(microsecond=0)
FILES: Mapping[str, bytes] = {
    "config.json": b"{}\n",
    "model-00001-of-00002.safetensors": bytes(range(256)) * 40,
    "model-00002-of-00002.safetensors": b"",
}
EVIDENCE = "(bytes,bytes,bytes,uint256,bytes32,bytes,bytes,bytes,uint256,uint256,bytes32)"
CITED = "(bytes,bytes,uint256,bytes,uint256,uint256)"
RULES = "(uint256,uint256,uint256,uint64,uint64,uint64,bytes32,uint40,bool)"
_STATE_CONTRACTS = ("HardwareProofs", "Disputes", "ProvenanceRegistry")


@dataclass(frozen=True)
class Refusal:
    """The name of the error with which a contract reverted, and its arguments."""

    error: str
    arguments: tuple[Any, ...] = ()


@dataclass(frozen=True)
class Proofs:
    """A deployed HardwareProofs."""

    evm: Evm
    address: str

    @classmethod
    def deploy(cls, evm: Evm, verifier: str, registry: str) -> Proofs:
        return cls(evm, evm.deploy(creation_code("HardwareProofs") + _words(verifier, registry)))

    @property
    def checksummed(self) -> Any:
        from eth_utils.address import to_checksum_address

        return to_checksum_address(self.address)

    def prove_call(self, evidence: EvidenceCall, record: bytes = b"") -> bytes:
        """Return the data of the call that proves a release."""
        return encode_function(f"prove({EVIDENCE},bytes)", tuple(evidence), record)

    def prove(self, evidence: EvidenceCall, record: bytes = b"") -> dict[str, Any]:
        """Prove a release by a transaction, which must succeed; return its receipt."""
        receipt = self.evm.send(self.prove_call(evidence, record), self.address)
        assert receipt["status"] == "0x1", self.refusal_to(evidence, record)
        return receipt

    def refusal_to(self, evidence: EvidenceCall, record: bytes = b"") -> Refusal | None:
        """Return the error with which the contract refuses evidence; None if it takes it."""
        return refused(self.evm.call(self.address, self.prove_call(evidence, record)))

    def send(self, signature: str, *arguments: Any) -> dict[str, Any]:
        """Call any function by a transaction, which must succeed; return its receipt."""
        receipt = self.evm.send(encode_function(signature, *arguments), self.address)
        assert receipt["status"] == "0x1", signature
        return receipt

    def ask(self, signature: str, *arguments: Any) -> Answer:
        """Call any function."""
        return self.evm.call(self.address, encode_function(signature, *arguments))

    def word(self, release: bytes) -> int:
        """Return the word of a release's proof, by its id."""
        return self.ask("proofOf(bytes32)", release).number

    def gate(self, model: bytes, manifest: bytes, required: int = 0, forbidden: int = 0) -> Refusal | None:
        """Return the refusal of the plain gate."""
        signature = "requireProven(bytes32,bytes32,uint256,uint256)"
        return refused(self.ask(signature, model, manifest, required, forbidden))


def make_provable(
    folder: Path,
    key: PrivateKey = P256_KEY,
    *,
    line: ProductLine = ProductLine.GENOA,
    amd: FakeAmd | None = None,
    files: Mapping[str, bytes] = FILES,
    binding: str = "sha256-spki",
    with_sha256: bool = False,
    name: str = "acme/tiny",
    publisher: str = "",
    at: datetime = NOW,
    packed_at: datetime | None = None,
    **guest: Any,
) -> Release:
    """Make a release of a simulated guest in a new folder, and read it. `publisher` is the line that it names.
    `amd` endorses the guest; by default the one of `line` that ships.

    Its certificates begin 30 days before `at`; they are valid at `packed_at`, by default at `at`.
    """
    for path, data in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
    report_data = bound_report_data(public_key_of(key)[1], binding)
    evidence = FakeGuest.on(amd or FakeAmd.load(line), at=at, **guest).evidence(report_data)
    named = Publisher(PublisherIdentity(publisher), None, lambda: at) if publisher else None
    pack_release(
        folder, evidence, key, name=name, version="1.0", at=packed_at or at, with_sha256=with_sha256, publisher=named
    )
    return read_release(folder)


def later_amd(line: ProductLine = ProductLine.TURIN) -> FakeAmd:
    """Return an AMD with another ASK, whose key signs for another line elsewhere."""
    key = FakeAmd.load(ProductLine.MILAN).authorities[CaRole.ASK].key
    return FakeAmd.load(line).replaced(CaRole.ASK, key, serial=0x30002)


def digests_of(payload: bytes) -> tuple[bytes, bytes]:
    """Return model digest and manifest digest of a payload, by the Python verifier."""
    manifest = parse_statement(payload)
    files = [FileDigest(file.path, file.size, file.fsverity or b"", file.sha256) for file in manifest.files]
    return model_digest(files), manifest.digest


def id_of(payload: bytes) -> bytes:
    """Return the id of the release with this payload."""
    return release_id(*digests_of(payload))


def make_simulated(report: Report, model: bytes, manifest: bytes, **changes: Any) -> Record:
    """Return the record of a release of the simulator, true in all that follows from its evidence but for `changes`."""
    honest: dict[str, Any] = {
        "model_digest": model,
        "manifest_digest": manifest,
        "snp_report_digest": report.digest,
        "publisher_identity": workload_identity(report.measurement, simulated=True),
        "reported_tcb": report.reported_tcb,
        "product_line": SIMULATED_CODE,
        "grade": 0,
    }
    return make_record(**honest | changes)


def signed_again(evidence: EvidenceCall, payload: bytes, key: PrivateKey = P256_KEY) -> EvidenceCall:
    """Return the evidence with another payload, signed by the VM's key; the places are those of the old one."""
    release_key = public_key_of(key)[1]
    envelope = parse_envelope(sign_statement(payload, key))
    return evidence._replace(payload=payload, signature=raw_signature(release_key, envelope.signature))


def encode_function(signature: str, *arguments: Any) -> bytes:
    """Return the data of a call. Unlike `snp_contracts.encode_call`, the types may be tuples."""
    from eth_abi.abi import encode

    types = _types(signature)
    return keccak256(signature.encode())[:4] + encode(types, arguments)


def refused(answer: Answer) -> Refusal | None:
    """Return the typed error of an answer; None if the call did not revert."""
    from eth_abi.abi import decode

    if not answer.reverted:
        return None
    name, types = _errors().get(answer.data[:4], (answer.data.hex(), []))
    return Refusal(name, tuple(decode(types, answer.data[4:])))


def _types(signature: str) -> list[str]:
    """Split the types of a signature at the commas that are in no inner tuple."""
    found, depth, start = [], 0, signature.index("(") + 1
    for at in range(start, len(signature)):
        depth += {"(": 1, ")": -1}.get(signature[at], 0)
        if depth < 0 or (depth == 0 and signature[at] == ","):
            found.append(signature[start:at])
            start = at + 1
    return [kind for kind in found if kind]


@cache
def _errors() -> dict[bytes, tuple[str, list[str]]]:
    """Return name and types of every error, by selector, of the contracts that take part in a proof."""
    found = {}
    for contract in ("AmdVerifier", *_STATE_CONTRACTS):
        for item in load_artifact(contract).abi:
            if item["type"] == "error":
                types = [field["type"] for field in item["inputs"]]
                found[keccak256(f"{item['name']}({','.join(types)})".encode())[:4]] = (item["name"], types)
    return found


def _words(*addresses: str) -> bytes:
    return b"".join(bytes.fromhex(address[2:]).rjust(32, b"\0") for address in addresses)

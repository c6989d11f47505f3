"""Genuine evidence under AMD's own keys, on the demo's chain: report, certificate, and a message that its key signed.

No public manifest was signed inside genuine hardware yet. But one public report binds a key that also signed a
certificate request (Enarx). The EVM checks the whole way from AMD's key to that message. The evidence is not part of
this project: `make vectors` gets it from the repository that publishes it.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from provenance_oracle.verifier.errors import TemporaryError
from provenance_oracle.verifier.proofs.evidence_calls import raw_signature
from provenance_oracle.verifier.proofs.verifier_code import match_verifier
from provenance_oracle.verifier.registry.contract import load_artifact
from provenance_oracle.verifier.registry.node import open_node

SET = "snp/milan-v2-enarx-steward-IDBLOCK"
_FILES = ("report.bin", "vcek.der", "request.csr")
_REPORT_DATA = slice(0x50, 0x90)
_POINT_BYTES = 96


@dataclass(frozen=True)
class GenuineAnswer:
    """What the EVM found: gas of AMD's part, whether the report binds the key, and the key signed the message."""

    verifier: str
    gas: int
    is_bound: bool
    is_signed: bool
    message_bytes: int


def genuine_folder() -> Path | None:
    """Return the folder of the genuine set: in PROVENANCE_VECTORS, or where `make vectors` puts it; None without it."""
    places = [os.environ.get("PROVENANCE_VECTORS"), ".make/vectors"]
    folders = [Path(place) / SET for place in places if place]
    return next((folder for folder in folders if all((folder / name).is_file() for name in _FILES)), None)


def ask_verifier(rpc_url: str, folder: Path) -> GenuineAnswer:
    """Deploy AMD's verifier on the demo's chain, from an account that anvil opens, and ask it about a genuine set.

    Raises:
        TemporaryError: the node failed, or the contract refuses the evidence.
    """
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
    from web3.exceptions import ContractLogicError

    from provenance_oracle.verifier.manifest.key import parse_public_key

    report, vek, request_bytes = ((folder / name).read_bytes() for name in _FILES)
    request = x509.load_der_x509_csr(request_bytes)
    pem = request.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    key, message = parse_public_key(pem, "request.csr"), request.tbs_certrequest_bytes
    node = open_node(rpc_url)
    web3, artifact = node.web3, load_artifact("AmdVerifier")
    contract: Any = web3.eth.contract(abi=artifact.abi, bytecode=artifact.bytecode)
    sent = contract.constructor().transact({"from": web3.eth.accounts[0]})
    address: Any = web3.eth.wait_for_transaction_receipt(sent, poll_latency=0.05)["contractAddress"]
    name = match_verifier(node, bytes.fromhex(str(address)[2:]), "the demo's verifier")
    functions = web3.eth.contract(address, abi=artifact.abi).functions
    try:
        functions.verify(report, vek).call()
        gas = int(functions.verify(report, vek).estimate_gas())
        bound = b"".join(functions.sha384(key.spki).call())
        high, low = functions.sha384(message).call()
        signature = raw_signature(key, request.signature)
        judge: Any = web3.eth.contract(functions.p384().call(), abi=load_artifact("P384").abi)
        is_signed = judge.functions.verify(high + low[:16] + signature + key.spki[-_POINT_BYTES:]).call()
    except ContractLogicError as error:
        problem, wanted = "the verifier refuses genuine evidence", "an answer"
        raise TemporaryError(problem, where=str(folder), got=str(error), wanted=wanted) from error
    return GenuineAnswer(name, gas, bound == report[_REPORT_DATA], bool(is_signed), len(message))

"""The code of a verifier on chain: it, its keys, the contract for P-384 and that contract's table are those shipped.

The code of the verifier alone does not tell its keys, which are the code of another contract.
"""

from __future__ import annotations

import hashlib

from provenance_oracle.verifier.errors import UsageError
from provenance_oracle.verifier.record.keccak import keccak256
from provenance_oracle.verifier.registry.contract import load_artifact
from provenance_oracle.verifier.registry.node import NodeConnection, node_errors

# The verifier's contract by name, and SHA-256 of its keys' code, which `AmdKeys.sol` describes.
_KEYS = {
    "AmdVerifier": "bd15fe6ce987b23121119c7e59536ec8212abede31f2b9ed8c0e90883b58509c",
    "SimulatorVerifier": "ac959428a4b0e08cea5c93057238947a02f293c024b93dd6676dd0be9d3668f3",
}
_TABLE = "d16ef5bf8324f0c0199082829b59278e575b6d6b606c23d95a1b7fd6b6875d51"
SIMULATOR_VERIFIER = "SimulatorVerifier"


def child_of(address: bytes, nonce: int) -> bytes:
    """Return the address of the contract that a contract makes with a nonce of 1 to 127 (EIP-161: the first is 1)."""
    return keccak256(b"\xd6\x94" + address + bytes((nonce,)))[12:]


def match_verifier(node: NodeConnection, address: bytes, where: str) -> str:
    """Return the name of the verifier at an address: `AmdVerifier`, or `SimulatorVerifier`, which proves nothing.

    Args:
        address: 20 bytes.
        where: names it in messages.

    Raises:
        UsageError: the code of one of its four contracts is another.
        TemporaryError: the node failed.
    """
    code = _code_at(node, address, where)
    names = [name for name in _KEYS if code == load_artifact(name).deployed_bytecode]
    if not names:
        got, wanted = f"{len(code)} bytes of code", "the AmdVerifier that this version ships"
        raise UsageError("the address has no such verifier", where=where, got=got, wanted=wanted)
    p384 = child_of(address, 2)
    if _code_at(node, p384, where) != load_artifact("P384").deployed_bytecode:
        raise UsageError("the verifier has another P384", where=where, got="other code", wanted="the one shipped")
    for what, place, wanted in (("keys", child_of(address, 1), _KEYS[names[0]]), ("table", child_of(p384, 1), _TABLE)):
        got = hashlib.sha256(_code_at(node, place, where)).hexdigest()
        if got != wanted:
            raise UsageError(f"the verifier has other {what}", where=where, got=got, wanted=wanted)
    return names[0]


def _code_at(node: NodeConnection, address: bytes, where: str) -> bytes:
    with node_errors(where):
        return bytes(node.web3.eth.get_code(node.web3.to_checksum_address(address)))

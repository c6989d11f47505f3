"""The digests that oracles and namespace owners sign: EIP-712, bound to one chain and one contract.

    domain  EIP712Domain(string name,string version,uint256 chainId,address verifyingContract), version "1"
            of the registry: name "ProvenanceRegistry"       of its namespaces: name "ProvenanceNamespaces"

`contracts/lib/TypedData.sol` has the same in Solidity. Standard: https://eips.ethereum.org/EIPS/eip-712, "Definition of
domainSeparator" and "Definition of hashStruct". All digests are 32 bytes, all addresses 20.
"""

from __future__ import annotations

from dataclasses import dataclass

from provenance_oracle.verifier.record.codec import namespace_id
from provenance_oracle.verifier.record.keccak import keccak256

REGISTRY_NAME = "ProvenanceRegistry"
NAMESPACES_NAME = "ProvenanceNamespaces"

_DOMAIN = "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
_REPORT = "Report(uint16 epoch,bytes record)"
_BATCH = "Batch(uint16 epoch,bytes32 root,uint8 count,uint40 sealedAt,string uri)"
_CLAIM = "Claim(string namespace,address owner,uint8 identityLimit,bytes32[] identities,uint256 nonce,uint40 deadline)"
_IDENTITY_CHANGE = (
    "IdentityChange(uint16 epoch,bytes32 namespaceId,bytes32 identity,bool trust,uint8 approvals,uint48 number)"
)


@dataclass(frozen=True)
class Domain:
    """The contract that checks a signature. `contract` is its address, 20 bytes."""

    name: str
    chain_id: int
    contract: bytes

    def digest(self, type_text: str, *words: int | bytes) -> bytes:
        """Return the digest to sign for a struct of type `type_text`.

        Args:
            words: the members in order; an integer, or 32 bytes. The caller has hashed members of dynamic type.
        """
        domain = _hash_struct(
            _DOMAIN, keccak256(self.name.encode()), keccak256(b"1"), self.chain_id, int.from_bytes(self.contract, "big")
        )
        return keccak256(b"\x19\x01" + domain + _hash_struct(type_text, *words))


def publication_digest(chain_id: int, registry: bytes, epoch: int, record_bytes: bytes) -> bytes:
    """Return the digest that an oracle signs to publish a record, as the contract's view `reportDigest` returns it."""
    return Domain(REGISTRY_NAME, chain_id, registry).digest(_REPORT, epoch, keccak256(record_bytes))


def batch_digest(
    chain_id: int, registry: bytes, epoch: int, root: bytes, *, count: int, sealed_at: int, uri: str
) -> bytes:
    """Return the digest that an oracle signs to record a batch, as the contract's view `batchDigest` returns it.

    Args:
        root: the root of the batch, 32 bytes.
        count: the number of its records.
        sealed_at: when it was sealed, in seconds since 1970.
        uri: where the records' bytes can be found.
    """
    uri_hash = keccak256(uri.encode())
    return Domain(REGISTRY_NAME, chain_id, registry).digest(_BATCH, epoch, root, count, sealed_at, uri_hash)


def claim_digest(
    chain_id: int,
    namespaces: bytes,
    namespace: str,
    owner: bytes,
    *,
    identity_limit: int,
    identities: tuple[bytes, ...],
    nonce: int,
    deadline: int,
) -> bytes:
    """Return the digest that the future owner of a namespace signs.

    Args:
        namespaces: address of the registry's contract for names.
        owner: address of the future owner.
        deadline: when the signature expires, in seconds since 1970.
    """
    return Domain(NAMESPACES_NAME, chain_id, namespaces).digest(
        _CLAIM,
        namespace_id(namespace),
        int.from_bytes(owner, "big"),
        identity_limit,
        keccak256(b"".join(identities)),
        nonce,
        deadline,
    )


def identity_change_digest(
    chain_id: int,
    registry: bytes,
    epoch: int,
    namespace: str,
    identity: bytes,
    *,
    trust: bool,
    approvals: int,
    number: int,
) -> bytes:
    """Return the digest that an oracle signs when most trusted identities of a namespace approve a change.

    The digest belongs to the registry's domain, not to that of the namespaces.
    """
    return Domain(REGISTRY_NAME, chain_id, registry).digest(
        _IDENTITY_CHANGE, epoch, namespace_id(namespace), identity, int(trust), approvals, number
    )


def _hash_struct(type_text: str, *words: int | bytes) -> bytes:
    members = (word if isinstance(word, bytes) else word.to_bytes(32, "big") for word in words)
    return keccak256(keccak256(type_text.encode()) + b"".join(members))

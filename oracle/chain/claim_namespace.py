"""Claim a namespace. The future owner signs the claim, and any account pays for it."""

from __future__ import annotations

from dataclasses import dataclass

from provenance_oracle.oracle.chain.payer import Announce, Payer, stay_silent
from provenance_oracle.oracle.signers.base import Signer
from provenance_oracle.oracle.signers.signatures import full_signature
from provenance_oracle.verifier.errors import UsageError
from provenance_oracle.verifier.record.signing import claim_digest
from provenance_oracle.verifier.registry.node import node_errors
from provenance_oracle.verifier.registry.reader import RegistryReader
from provenance_oracle.verifier.strict.abi_values import parse_number

IDENTITIES_MAX = 16
# A claim that is in no block after this time is void, so nobody can submit it later.
_VALID_SECONDS = 3600


@dataclass(frozen=True)
class Claim:
    """A namespace that was claimed. `owner` is an address in checksum form; `transaction` is a hash of 32 bytes."""

    namespace: str
    owner: str
    block: int
    transaction: bytes


def claim_namespace(
    registry: RegistryReader,
    payer: Signer,
    owner: Signer,
    namespace: str,
    *,
    identities: tuple[bytes, ...],
    identity_limit: int,
    announce: Announce = stay_silent,
) -> Claim:
    """Claim a namespace for the owner's account and wait until the claim is in a block.

    If the same claim is in a block or on its way, send nothing.

    Args:
        registry: its connection sends the transaction.
        payer: pays for the transaction. owner: signs the claim.
        identities: publishers that the namespace trusts from the start, 32 bytes each.
        identity_limit: number of publishers that it trusts on first use, `identities` included; at most
            IDENTITIES_MAX.
        announce: told of the transaction before it is sent.

    Raises:
        UsageError: the contract refuses the claim (the namespace is taken, or not well-formed), the limit is wrong, or
            the owner claimed the namespace with other identities or another limit.
        VerificationError: the transaction is in a block and failed.
        TemporaryError: the node failed, the paying account is empty, or the transaction is in no block yet.
    """
    if not len(identities) <= identity_limit <= IDENTITIES_MAX:
        got, wanted = f"{len(identities)} identities, limit {identity_limit}", f"a limit of at most {IDENTITIES_MAX}"
        raise UsageError("the number of identities and the limit do not fit", where="claim", got=got, wanted=wanted)
    if done := _earlier_claim(registry, owner.address, namespace, identities, identity_limit):
        return done
    account = Payer(registry.node, payer, announce=announce)
    address = registry.contracts()["namespaces"]
    contract = account.contract("Namespaces", address)
    with node_errors(account.where):
        nonce = parse_number(contract.functions.nonces(owner.address).call(), account.where)
        deadline = parse_number(account.web3.eth.get_block("latest")["timestamp"], account.where) + _VALID_SECONDS
    digest = claim_digest(
        registry.chain_id,
        address,
        namespace,
        bytes.fromhex(owner.address[2:]),
        identity_limit=identity_limit,
        identities=identities,
        nonce=nonce,
        deadline=deadline,
    )
    signature = full_signature(owner.sign_digest(digest))
    call = contract.functions.claimNamespace(
        namespace, owner.address, identity_limit, list(identities), nonce, deadline, signature
    )

    def is_same(to: bytes, data: bytes) -> bool:
        """Return whether a transaction claims the same. Deadline and signature differ from run to run."""
        try:
            function, values = contract.decode_function_input(data)
        except Exception:  # the decoder can raise almost any exception for other data
            return False
        wanted = (namespace, owner.address, identity_limit, list(identities))
        return to == address and function.fn_name == "claimNamespace" and tuple(values.values())[:4] == wanted

    receipt = account.send(call, "Namespaces", is_same=is_same)
    return Claim(namespace, owner.address, receipt["blockNumber"], bytes(receipt["transactionHash"]))


def _earlier_claim(
    registry: RegistryReader, owner: str, namespace: str, identities: tuple[bytes, ...], identity_limit: int
) -> Claim | None:
    """Return the claim by which an account (an address) owns a namespace; None if it does not own it.

    Raises:
        UsageError: the claim has other identities or another limit.
    """
    if registry.namespace_owner(namespace) != bytes.fromhex(owner[2:]):
        return None
    found = registry.namespace(namespace)
    first = registry.namespace_history(namespace)[0]
    if found is None or first.subject[-20:] != bytes.fromhex(owner[2:]):
        return None  # handed over: the contract then refuses the claim by name
    if found.identity_limit != identity_limit or not set(identities) <= set(found.identities):
        got = f"limit {found.identity_limit}, {len(found.identities)} publishers"
        wanted = "the terms of that claim; the owner adds publishers with `proposeIdentity`"
        raise UsageError("the owner has claimed this namespace on other terms", where=namespace, got=got, wanted=wanted)
    return Claim(namespace, owner, first.place.block_number, first.place.transaction_hash)

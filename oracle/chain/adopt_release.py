"""Give a name to a release that was recorded before its namespace was claimed."""

from __future__ import annotations

from dataclasses import dataclass

from provenance_oracle.oracle.chain.payer import Announce, Payer, stay_silent
from provenance_oracle.oracle.signers.base import Signer
from provenance_oracle.verifier.errors import UsageError
from provenance_oracle.verifier.record.codec import encode_record
from provenance_oracle.verifier.record.fields import WrittenRecord
from provenance_oracle.verifier.registry.events import Publication
from provenance_oracle.verifier.registry.reader import RegistryReader


@dataclass(frozen=True)
class Adoption:
    """A release to which its name leads now, and the transaction (a hash of 32 bytes) that did it."""

    record: WrittenRecord
    block: int
    transaction: bytes


def adopt_release(
    registry: RegistryReader, owner: Signer, manifest_digest: bytes, *, announce: Announce = stay_silent
) -> Adoption:
    """Adopt the release of a manifest, as the owner of the namespace that its record names.

    Args:
        owner: signs and pays. manifest_digest: 32 bytes.
        announce: told of the transaction before it is sent.

    Raises:
        RecordError: there is no record of this manifest.
        UsageError: the namespace has the release already, or the contract refuses the call: the account does not own
            the namespace, the namespace does not trust the publisher, or the name leads to another release.
        VerificationError: the transaction is in a block and failed, or the manifest is recorded for several models.
        TemporaryError: the node failed, the paying account is empty, or the transaction is in no block yet.
    """
    entry = registry.entry(manifest_digest)
    name = f"{entry.name}@{entry.version}"
    if entry.standing.named:
        got = "a release to which the name led when it was recorded or adopted"
        raise UsageError("there is nothing to adopt", where=name, got=got, wanted="one recorded before the claim")
    published = (event for event in registry.history(entry) if isinstance(event, Publication))
    first = next(event.record for event in published if event.record.revision == 0)
    data = encode_record(first, policy_id=first.policy_id, parents=first.parents)
    account = Payer(registry.node, owner, announce=announce)
    contract = account.contract("Namespaces", registry.contracts()["namespaces"])
    receipt = account.send(contract.functions.adoptRelease(data), "Namespaces")
    return Adoption(first, receipt["blockNumber"], bytes(receipt["transactionHash"]))

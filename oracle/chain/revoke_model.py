"""Revoke a model with all its releases, and apply that to the records that exist."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from provenance_oracle.oracle.chain.payer import Announce, Payer, stay_silent
from provenance_oracle.oracle.signers.base import Signer
from provenance_oracle.verifier.errors import UsageError
from provenance_oracle.verifier.registry.events import ModelRevocation
from provenance_oracle.verifier.registry.reader import RegistryReader

REASON_MAX_BYTES = 256
# Bounds on one run: releases in one transaction, some 10,000 gas each, and releases in all.
LIST_MAX = 100
APPLIED_MAX = 1000


@dataclass(frozen=True)
class Applied:
    """A model's revocation, and the releases whose records have it since this run.

    Attributes:
        manifest_digests: of these releases, 32 bytes each.
        transactions: hashes, 32 bytes each.
        left: number of releases that need another run.
    """

    revocation: ModelRevocation
    manifest_digests: tuple[bytes, ...]
    transactions: tuple[bytes, ...]
    left: int


def revoke_model(
    registry: RegistryReader, steward: Signer, model_digest: bytes, reason: str, *, announce: Announce = stay_silent
) -> bytes:
    """Revoke a model permanently, as the registry's guardian or owner; return the transaction's hash, 32 bytes.

    Args:
        steward: signs and pays. model_digest: 32 bytes.
        reason: 1 to REASON_MAX_BYTES bytes of UTF-8, which everybody can read.
        announce: told of the transaction before it is sent.

    Raises:
        UsageError: the model is revoked already, the reason is too long or empty, or the account is no steward.
        VerificationError: the transaction is in a block and failed.
        TemporaryError: the node failed, the paying account is empty, or the transaction is in no block yet.
    """
    length = len(reason.encode())
    if not 1 <= length <= REASON_MAX_BYTES:
        wanted = f"1 to {REASON_MAX_BYTES} bytes"
        raise UsageError("the reason does not fit", where="--reason", got=f"{length} bytes", wanted=wanted)
    if registry.model_revocation(model_digest):
        wanted = "--apply instead of --reason, for records that do not have the revocation yet"
        raise UsageError("the model is revoked already", where=model_digest.hex(), got="--reason", wanted=wanted)
    account, functions = _open(registry, steward, announce)
    return _send(account, functions.revokeAllOf(model_digest, reason))


def apply_revocation(
    registry: RegistryReader, payer: Signer, model_digest: bytes, *, announce: Announce = stay_silent
) -> Applied:
    """Apply the revocation of a model to the records that do not have it yet, at most APPLIED_MAX of them.

    Any account may do that. A record that somebody else was faster with is no error.

    Args:
        payer: signs and pays. model_digest: 32 bytes.
        announce: told of each transaction before it is sent.

    Raises:
        UsageError: the model is not revoked.
        VerificationError, TemporaryError: as for `revoke_model`.
    """
    revocation = registry.model_revocation(model_digest)
    if revocation is None:
        wanted = "a revoked model; --reason revokes it"
        raise UsageError("the model is not revoked", where=model_digest.hex(), got="--apply", wanted=wanted)
    waiting = registry.unrevoked_releases(model_digest)
    now = waiting[:APPLIED_MAX]
    if not now:
        return Applied(revocation, (), (), 0)
    account, functions = _open(registry, payer, announce)
    lists = [list(now[start : start + LIST_MAX]) for start in range(0, len(now), LIST_MAX)]
    transactions = tuple(_send(account, functions.applyRevocations(model_digest, manifests)) for manifests in lists)
    return Applied(revocation, now, transactions, len(waiting) - len(now))


def _send(account: Payer, call: Any) -> bytes:
    """Send a call unless the same one is on its way, wait for its block, and return the transaction's hash."""
    return bytes(account.send(call, "ProvenanceRegistry")["transactionHash"])


def _open(registry: RegistryReader, signer: Signer, announce: Announce) -> tuple[Payer, Any]:
    account = Payer(registry.node, signer, announce=announce)
    return account, account.contract("ProvenanceRegistry", registry.address).functions

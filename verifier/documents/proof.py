"""Proofs on chain as JSON."""

from __future__ import annotations

from provenance_oracle.verifier.proofs.reader import ReleaseProof
from provenance_oracle.verifier.record.fields import product_line_from_code
from provenance_oracle.verifier.strict.timestamps import format_time


def proven_json(proof: ReleaseProof | None) -> dict[str, object] | None:
    """Return the member `proven` of `show`, `check` and `prove`; null for a release that is not proven on chain.

    `simulated` is true if the keys were the simulator's: then nothing is proven. `opens_gate` is the answer of a
    `HardwareGate` with its own mask. `block` and `transaction` are those of the latest proof.
    """
    if proof is None:
        return None
    word = proof.word
    return {
        "release_id": proof.release_id.hex(),
        "proven_at": format_time(word.proven_at),
        "block": proof.place.block_number,
        "transaction": f"0x{proof.place.transaction_hash.hex()}",
        "simulated": word.is_simulated,
        "revoked": word.revoked,
        "opens_gate": word.opens_gate,
        "identity": proof.identity.hex(),
        "product_line": product_line_from_code(word.certificate_line),
        "signing_key": word.signing_key.name,
        "report_version": word.report_version,
        "lowest_tcb": word.lowest_tcb.hex(),
        "guest_policy": word.guest_policy,
        "vmpl": word.vmpl,
        "word": f"0x{word.word:064x}",
    }

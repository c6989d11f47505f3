"""Proofs on chain in words for a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from provenance_oracle.verifier.proofs.reader import ReleaseProof
from provenance_oracle.verifier.record.fields import product_line_from_code
from provenance_oracle.verifier.strict.timestamps import format_time


def proof_lines(proof: ReleaseProof | None) -> Iterator[str]:
    """Return whether a release is proven on chain, and what the proof says."""
    if proof is None:
        yield "proven           no: nobody has proven it on chain yet (provenance prove)"
        return
    word, place = proof.word, proof.place
    by = "the SIMULATOR's signature" if word.is_simulated else "AMD's signature"
    if word.revoked:
        by = f"no longer, since AMD revoked the key above the certificate: {by}"
    yield f"proven           {by} checked by the EVM, block {place.block_number}, {format_time(word.proven_at)}"
    line = product_line_from_code(word.certificate_line)
    yield f"                 {line}, {word.signing_key.name}, lowest TCB {word.lowest_tcb.hex()}, VMPL {word.vmpl}"
    yield f"                 workload {proof.identity.hex()}"
    yield f"                 transaction 0x{place.transaction_hash.hex()}"
    if word.is_simulated:
        yield "                 SIMULATED hardware proves nothing, and opens no HardwareGate"
    elif not word.opens_gate and not word.revoked:
        yield "                 opens no HardwareGate: debugger, migration, VMPL above 0, or the host's report"

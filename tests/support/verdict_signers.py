"""Have a key sign verdicts, wherever it is kept, and read them as anybody does."""

from __future__ import annotations

from provenance_oracle.oracle.signers.base import Signer
from provenance_oracle.verifier.registry.secp256k1 import checksum_address
from provenance_oracle.verifier.registry.signed_verdict import (
    digest_to_sign,
    envelope_of,
    verify_signed_verdict,
)


def signers_of_verdicts(signer: Signer, count: int = 8) -> set[str]:
    """Return the addresses of the keys that signed `count` verdicts, as a reader finds them."""
    found = set()
    for number in range(count):
        statement = b"verdict %d" % number
        envelope = envelope_of(statement, [(signer.address, signer.sign_der(digest_to_sign(statement)))])
        (key,) = verify_signed_verdict(envelope, "envelope").keys
        found.add(checksum_address(key.address))
    return found

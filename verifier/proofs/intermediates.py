"""The intermediates of AMD that a release leads over: pinned in the contracts, or to be added by their certificate.

`contracts/proofs/Intermediates.sol` keeps the added ones. It names them by keccak256 of the certificate.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from provenance_oracle.verifier.record.fields import PRODUCT_LINE_CODES
from provenance_oracle.verifier.record.keccak import keccak256
from provenance_oracle.verifier.snp.crl import Crl
from provenance_oracle.verifier.snp.endorsements import endorsements_of
from provenance_oracle.verifier.snp.evidence import Evidence
from provenance_oracle.verifier.snp.products import ProductLine

# What the contracts call the intermediates whose keys they have.
PINNED = bytes(32)
# SHA-256 of the certificates whose keys are in the code of AmdKeys.sol: ASK and ASVK of Milan, Genoa and Turin. Then of
# those in SimulatorKeys.sol.
_PINNED_CERTIFICATES = frozenset(
    (
        "67d303bd3905fd38db8b20e0793699870e7fa612eaad5dec358293fd8c0bac1b",
        "c5e081f59b7efab1fe2f8b505e159704e72f29cab7ef7cf628a05a42439082f5",
        "5464738c1546aed5f2cecf1dc98c5c960a92e8913238a61711bc90ec6e828521",
        "197e610743a917d6b9bb982a5a9226ccc0a15b611be0619e626aca9151457372",
        "5b77ef5fe7a7a004fd9032668fba9d0fda22f88c4442069a479636a6ae3b3185",
        "104e10a8bd060a3c20a434261a57d0588fd65a88915b4f65b08bdecaf8df1a3c",
        "89d2b724949e25b3be4d80833e49d3552f53989aead7ff9cea478db0bd8d796e",
        "adf5c99499544532c3121d0cafdb9c21444f58e5fddd50ac5b2b70e17ca91ae6",
        "d2ce5b774aa54575f583e79c55e9df1d04d672144e94f287250148c5bb998d8f",
        "7da0a28b79fde126a6f93a5f9b9809c9d148bc20166c34d74b85105e53cbd79b",
        "206dc8424fb6414cd188b12a998c74d507f85c6497f3ddbd73664206d38ed440",
        "8dd448649fb89094f1a3fc776d681c66f953583c4945a7bb75815482fe777132",
    )
)


@dataclass(frozen=True)
class AddedIntermediate:
    """An intermediate that the contracts know only once somebody added it.

    Attributes:
        certificate: in DER.
        name: its common name and serial number, for people.
        line: the product line's code.
        crl: the revocation list of the evidence, which the contracts need before; None without one.
    """

    certificate: bytes
    name: str
    line: int
    crl: Crl | None

    @property
    def digest(self) -> bytes:
        """What the contracts call it: keccak256 of the certificate."""
        return keccak256(self.certificate)


def added_intermediate(evidence: Evidence) -> AddedIntermediate | None:
    """Return the intermediate of evidence that was judged; None if its key is one of those in the contracts.

    Raises:
        FormatError: the endorsements are malformed.
    """
    found = endorsements_of(evidence)
    intermediate = found.intermediate
    if hashlib.sha256(intermediate.der).hexdigest() in _PINNED_CERTIFICATES:
        return None
    return AddedIntermediate(
        certificate=intermediate.der,
        name=f"{intermediate.common_name} {intermediate.serial}",
        line=PRODUCT_LINE_CODES[ProductLine(found.vek.product_name.partition("-")[0])],
        crl=found.crl,
    )

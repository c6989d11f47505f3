"""The wrapping of a timestamp, which nothing signs: each field has one form, as the explorer's page wants it.

A timestamp is a status and CMS SignedData (RFC 5652) around a TSTInfo (RFC 3161). Other versions, certificates of
others, lists and attributes that are not signed would give one timestamp many encodings.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import Certificate

from provenance_oracle.verifier.snp.der import SEQUENCE, SET, Problem, Value, context_tag, parse_der

_LEVELS_MAX = 20  # a name in an attribute of the signer is deeper than any in a certificate
_GRANTED = bytes.fromhex("3003020100")
_DATA_VERSION, _SIGNER_VERSION = bytes.fromhex("020103"), bytes.fromhex("020101")
_SIGNER_FIELDS = 6  # version, name, hash, signed attributes, algorithm, signature
# ecdsa-with-SHA256, -SHA384 and -SHA512 (RFC 5758, section 3.2), by the DER of the hash's identifier.
_ECDSA_OF = {
    bytes.fromhex(f"06096086480165030402{hash_id}"): bytes.fromhex(f"300a06082a8648ce3d0403{ecdsa}")
    for hash_id, ecdsa in (("01", "02"), ("02", "03"), ("03", "04"))
}


@dataclass(frozen=True)
class StampForm:
    """What a timestamp says around what is signed: certificates, the hash's identifier, the algorithm; all in DER."""

    certificates: tuple[bytes, ...]
    hash_id: bytes
    algorithm: bytes

    def fits(self, chain: Sequence[Certificate]) -> bool:
        """Return whether a signer, the first of `chain`, writes it so.

        It holds no certificates, or the signer's and none but those of the chain. The algorithm of a key for ECDSA is
        that of the hash. Keys of other kinds may name theirs as they like.
        """
        signer, *issuers = (one.public_bytes(Encoding.DER) for one in chain)
        holds_own = not self.certificates or (
            signer in self.certificates and set(self.certificates) <= {signer, *issuers}
        )
        is_ecdsa = isinstance(chain[0].public_key(), EllipticCurvePublicKey)
        return holds_own and (not is_ecdsa or self.algorithm == _ECDSA_OF.get(self.hash_id))


def parse_stamp_form(stamp: bytes, problem: Problem) -> StampForm:
    """Parse what is around the signed part of a timestamp, DER. No signature is looked at.

    Raises:
        FormatError: a field that nothing signs has another form; `problem` builds the error.
    """
    status, content = _parts(parse_der(stamp, problem, _LEVELS_MAX), SEQUENCE, 2, problem)
    _, wrapped = _parts(content, SEQUENCE, 2, problem)
    (signed,) = _parts(wrapped, context_tag(0), 1, problem)
    has_certificates = len(signed.children) == 5 and signed.children[3].tag == context_tag(0)
    version, hashes, _, *held, signers = _parts(signed, SEQUENCE, 5 if has_certificates else 4, problem)
    (signer,) = _parts(signers, SET, 1, problem)
    signer_version, _, hashed_with, _, algorithm, _ = _parts(signer, SEQUENCE, _SIGNER_FIELDS, problem)
    (listed,) = _parts(hashes, SET, 1, problem)
    found = (status.encoding, version.encoding, signer_version.encoding, listed.encoding)
    if found != (_GRANTED, _DATA_VERSION, _SIGNER_VERSION, hashed_with.encoding) or not listed.children:
        raise problem("another structure", " ".join(one.hex() for one in found), "granted, versions 3 and 1, one hash")
    certificates = tuple(one.encoding for part in held for one in part.children)
    return StampForm(certificates, listed.children[0].encoding, algorithm.encoding)


def _parts(value: Value, tag: int, count: int, problem: Problem) -> tuple[Value, ...]:
    if value.tag != tag or len(value.children) != count:
        got = f"tag {value.tag:#x} with {len(value.children)} values"
        raise problem("another structure", got, f"tag {tag:#x} with {count}")
    return value.children

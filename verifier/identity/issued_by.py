"""Whether one certificate issued another, with a signature of the length that RFC 8017 asks for."""

from __future__ import annotations

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.x509 import Certificate


def is_issued_by(certificate: Certificate, issuer: Certificate) -> bool:
    """Return whether the issuer has the name that the certificate gives, and its key signed the certificate.

    OpenSSL takes an RSASSA-PSS signature without its leading zero bytes, so one signature would have two encodings. The
    length must be that of the modulus (RFC 8017, section 8.1.2, step 1).
    """
    try:
        certificate.verify_directly_issued_by(issuer)
        key = issuer.public_key()
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
        return False
    return not isinstance(key, RSAPublicKey) or len(certificate.signature) == (key.key_size + 7) // 8

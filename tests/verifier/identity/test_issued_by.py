"""Tests of the length of RSA signatures in certificates. `test_certificate_method` has the chains."""

from __future__ import annotations

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, PSS
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from provenance_oracle.publisher.simulator import der
from provenance_oracle.verifier.identity.issued_by import is_issued_by
from tests.support.signing_chains import BEGINS, ENDS

_KEY = generate_private_key(65537, 2048)
_NAME = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "CA")])
_BUILDER = x509.CertificateBuilder(_NAME, _NAME, _KEY.public_key(), 7, BEGINS, ENDS)


def test_a_certificate_whose_pss_signature_lacks_its_leading_zero_byte_is_not_issued() -> None:
    certificate = next(one for one in map(_signed, range(10_000)) if one.signature[0] == 0)
    encoded, tbs = certificate.public_bytes(Encoding.DER), certificate.tbs_certificate_bytes
    algorithm = encoded[encoded.index(tbs) + len(tbs) : -len(der.bit_string(certificate.signature))]
    short = x509.load_der_x509_certificate(der.sequence(tbs, algorithm, der.bit_string(certificate.signature[1:])))
    short.verify_directly_issued_by(certificate)  # OpenSSL takes it
    assert is_issued_by(certificate, certificate)
    assert not is_issued_by(short, certificate)


def _signed(_number: int) -> x509.Certificate:
    """Return a certificate signed by itself, each time with another salt."""
    return _BUILDER.sign(_KEY, SHA256(), rsa_padding=PSS(MGF1(SHA256()), 32))

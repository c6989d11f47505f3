"""Tests of the encoding of signatures in certificates. `test_certificate_method` has the chains."""

from __future__ import annotations

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, PSS
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from provenance_oracle.publisher.simulator import der
from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.errors import FormatError
from provenance_oracle.verifier.identity.certificates import parse_signing_certificate
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


def test_a_certificate_whose_signature_is_not_of_whole_bytes_is_malformed() -> None:
    certificate = next(one for one in map(_signed, range(1000)) if one.signature[-1] & 1 == 0)
    encoded, whole = certificate.public_bytes(Encoding.DER), der.bit_string(certificate.signature)
    odd = encoded[: -len(whole)] + der.bit_string(certificate.signature, 1)
    assert x509.load_der_x509_certificate(odd).signature == certificate.signature  # cryptography takes it
    parse_signing_certificate(encoded, "certificate")
    with pytest.raises(FormatError) as raised:
        parse_signing_certificate(odd, "certificate")
    assert raised.value.check is Check.PUBLISHER_SIGNATURE
    assert raised.value.got == "a signature with 1 unused bits"


def _signed(_number: int) -> x509.Certificate:
    """Return a certificate signed by itself, each time with another salt."""
    return _BUILDER.sign(_KEY, SHA256(), rsa_padding=PSS(MGF1(SHA256()), 32))

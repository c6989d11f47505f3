"""Chains of signers with one value that libraries read differently, signed again by the issuer."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256

from provenance_oracle.publisher.simulator import der
from tests.explorer.check.judged import Judged
from tests.explorer.check.parsers import value_of
from tests.explorer.check.signature_cases import SIGNED, release_case, text_of
from tests.support.model_signatures import SIGNING_KEY, bundle_of, signed_by
from tests.support.signing_chains import LEAF, ROOT, Described, certified

_RSA_KEY = rsa.generate_private_key(65537, 2048)
_RSA_ROOT = Described("Root", _RSA_KEY, ROOT.extensions)
_BY_EC, _BY_RSA = certified(LEAF, ROOT), certified(LEAF, _RSA_ROOT)
_SUBJECT, _SPKI = 5, 6
_PURPOSES, _NAMES = "2.5.29.37", "2.5.29.17"
_CODE_SIGNING = der.object_identifier("1.3.6.1.5.5.7.3.3")
_ECDSA, _ECDSA_NULL = bytes.fromhex("300a06082a8648ce3d040302"), bytes.fromhex("300c06082a8648ce3d0403020500")
_RSA_SHA256, _RSA_BARE = bytes.fromhex("300d06092a864886f70d01010b0500"), bytes.fromhex("300b06092a864886f70d01010b")
_RSA_ID = der.object_identifier("1.2.840.113549.1.1.1")
_COMMON_NAME = der.object_identifier("2.5.4.3")
_TYPE_ID = der.object_identifier("1.2.3")
# Names of a leaf: [0] other name, [7] address, [8] registered id.
_ALTERNATIVE_NAMES = (
    *(der.tlv(0xA0, _TYPE_ID, der.tlv(0xA0, inside)) for inside in (der.null(), der.null() * 2, b"")),
    *(der.tlv(0x87, address) for address in (b"\1\2\3\4", bytes(16), b"\1\2\3\4\5", b"\1\2\0\0\xff\xff\0\0")),
    *(
        der.tlv(0x87, network)
        for network in (b"\1\2\3\0\xff\xff\0\0", b"\1\2\0\0\xff\0\xff\0", bytes(16) + b"\xff" * 16)
    ),
    *(der.tlv(0x88, arcs) for arcs in (b"\x2a\3", b"\x80", b"\x2a\x80\3", b"")),
)
_OLD_TEXTS = ((0x12, b"123"), (0x14, b"Signer"), (0x1C, b"\0\0\0S"), (0x1E, b"\0S"))
BEYOND = len(_OLD_TEXTS) + 3  # two unique identifiers, and a key without parameters


def odd_certificates() -> Iterator[Judged]:
    """Yield chains of a leaf and a root; in BEYOND of them, the browser leaves the signature unchecked."""
    leaf, root = _parts(_BY_EC[0]), _parts(_BY_EC[1])
    # extensions of the leaf
    for purposes in (der.sequence(_CODE_SIGNING), der.sequence()):
        yield _chain(_with_extension(leaf, _PURPOSES, purposes), root)
    for name in _ALTERNATIVE_NAMES:
        yield _chain(_with_extension(leaf, _NAMES, der.sequence(name)), root)
    # the algorithm, in both places, of an ECDSA and of an RSA signature
    for algorithm in (_ECDSA, _ECDSA_NULL):
        yield _chain(_with(leaf, 2, algorithm), root, algorithm=algorithm)
    for algorithm in (_RSA_SHA256, _RSA_BARE):
        yield _chain(_with(leaf, 2, algorithm, _BY_RSA[0]), _parts(_BY_RSA[1]), _RSA_KEY, algorithm)
    # names
    for pairs in (("a", "b"), ("a", "a")):
        name = der.tlv(0x31, *(der.sequence(_COMMON_NAME, der.tlv(0x0C, text.encode())) for text in pairs))
        yield _chain(_with(leaf, _SUBJECT, der.sequence(name)), root)
    for tag, content in _OLD_TEXTS:
        name = der.tlv(0x31, der.sequence(_COMMON_NAME, der.tlv(tag, content)))
        yield _chain(_with(leaf, _SUBJECT, der.sequence(name)), root)
    for tag in (0x81, 0x82):
        yield _chain([*leaf[:-1], der.tlv(tag, b"\0x"), leaf[-1]], root)
    # a key without parameters, and a signature of other than whole bytes, which nobody verifies
    of_rsa = _parts(_BY_RSA[1])
    bare = der.sequence(der.sequence(_RSA_ID), value_of(of_rsa[_SPKI]).children[1].encoding)
    yield _chain(_parts(_BY_RSA[0]), _with(of_rsa, _SPKI, bare), _RSA_KEY, _RSA_SHA256)
    yield _chain(leaf, root, unused_bits=1)


def _parts(certificate: x509.Certificate) -> list[bytes]:
    return [field.encoding for field in value_of(certificate.tbs_certificate_bytes).children]


def _with(parts: list[bytes], at: int, new: bytes, of: x509.Certificate | None = None) -> list[bytes]:
    parts = _parts(of) if of else parts
    return [*parts[:at], new, *parts[at + 1 :]]


def _with_extension(parts: list[bytes], oid: str, content: bytes) -> list[bytes]:
    """Return the parts with one extension replaced."""
    own = der.object_identifier(oid)
    others = [one.encoding for one in value_of(parts[-1]).children[0].children if one.children[0].encoding != own]
    return [*parts[:-1], der.tlv(0xA3, der.sequence(*others, der.sequence(own, der.octet_string(content))))]


def _chain(
    leaf: Sequence[bytes],
    root: Sequence[bytes],
    key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | None = None,
    algorithm: bytes = _ECDSA,
    unused_bits: int = 0,
) -> Judged:
    signer = key or ROOT.key
    ders = [_signed(der.sequence(*leaf), signer, algorithm, 0)]
    own = _RSA_SHA256 if isinstance(signer, rsa.RSAPrivateKey) else _ECDSA
    ders.append(_signed(der.sequence(*root), signer, own, unused_bits))
    payload, signature = signed_by(SIGNING_KEY, SIGNED)
    chain = [{"rawBytes": base64.b64encode(one).decode()} for one in ders]
    return release_case(text_of(bundle_of(payload, signature, {"x509CertificateChain": {"certificates": chain}})))


def _signed(tbs: bytes, key: object, algorithm: bytes, unused_bits: int) -> bytes:
    while True:
        if isinstance(key, rsa.RSAPrivateKey):
            signature = key.sign(tbs, PKCS1v15(), SHA256())
        else:
            assert isinstance(key, ec.EllipticCurvePrivateKey)
            signature = key.sign(tbs, ec.ECDSA(SHA256()))
        if signature[-1] & ((1 << unused_bits) - 1) == 0:
            return der.sequence(tbs, algorithm, der.bit_string(signature, unused_bits))

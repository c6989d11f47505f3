"""Verify a GPU's certificates up to NVIDIA's device identity root: pinned root, names, keys, extensions, signatures.

Sources: RFC 5280, section 4.2.1, for the rules of certificates; TCG DICE Attestation Architecture 1.1 for the firmware
id (FWID) in the leaf's extension. The form was compared with real chains of Hopper and Blackwell GPUs: five
certificates, all with P-384 keys and ecdsa-with-SHA384. NVIDIA's verifier wants five as well
(NVIDIA/nvtrust, `MAX_CERT_CHAIN_LENGTH`). Revocation is not looked up: NVIDIA answers it only online (OCSP).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import NoReturn

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP384R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.hashes import SHA384

from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.errors import FormatError, VerificationError
from provenance_oracle.verifier.gpu_evidence.bundle import malformed_gpu
from provenance_oracle.verifier.snp.authority import SUBJECT_KEY_ID, authority_key_id_with
from provenance_oracle.verifier.snp.certificates import Certificate, parse_certificate, split_pem
from provenance_oracle.verifier.snp.crl import AUTHORITY_KEY_ID
from provenance_oracle.verifier.snp.der import OBJECT_ID, OCTET_STRING, SEQUENCE, Value, parse_der
from provenance_oracle.verifier.strict.timestamps import format_time

# SHA-256 of the DER of "NVIDIA Device Identity CA", O=NVIDIA, serial 2d3670b1ca100411c1fec0e82a065b54. The same
# certificate is in NVIDIA/nvtrust (nv-local-gpu-verifier 2.7.3, `verifier_device_root.pem`) and in
# confidential-containers/trustee; its SubjectPublicKeyInfo has the SHA-256 a90c4eb5...5b06a4.
NVIDIA_DEVICE_ROOTS = (bytes.fromhex("102bf659d5419614c9d8e6aecebc80454eb26b1df6a769ac720b9a690b167b48"),)

CHAIN_CERTIFICATES = 5
_ECDSA_SHA384 = bytes.fromhex("300a06082a8648ce3d040303")
_SHA384_ID = bytes.fromhex("0609608648016503040202")
_KEY_USAGE, _SUBJECT_ALT_NAME, _BASIC_CONSTRAINTS = "2.5.29.15", "2.5.29.17", "2.5.29.19"
_CRL_DISTRIBUTION_POINTS, _AUTHORITY_INFORMATION = "2.5.29.31", "1.3.6.1.5.5.7.1.1"
# The firmware id: on Hopper in TCG's older extension, on Blackwell in DiceTcbInfo.
_FIRMWARE_IDS = ("2.23.133.5.4.1", "2.23.133.5.4.1.1")
_KNOWN = {SUBJECT_KEY_ID, AUTHORITY_KEY_ID, _KEY_USAGE, _SUBJECT_ALT_NAME, _BASIC_CONSTRAINTS}
_KNOWN |= {_CRL_DISTRIBUTION_POINTS, _AUTHORITY_INFORMATION, *_FIRMWARE_IDS}
_CA = bytes.fromhex("30030101ff")  # NVIDIA sets no limit to the path
_DIGITAL_SIGNATURE = bytes.fromhex("03020780")  # nothing else
_CERTIFICATE_SIGN, _CERTIFICATE_AND_CRL_SIGN = bytes.fromhex("03020204"), bytes.fromhex("03020106")
_DIGEST_BYTES = 48


@dataclass(frozen=True)
class VerifiedGpu:
    """The certificates of a genuine GPU, verified up to a trusted root.

    `key` verifies its evidence. `device` is SHA-256 of its identity key's DER SubjectPublicKeyInfo, 32 bytes. `chip`
    is the common name of its identity, such as `GH100 A01 GSP BROM`.
    `firmware_ids` are the SHA-384 digests of firmware, 48 bytes each, for which the leaf was issued.
    """

    key: EllipticCurvePublicKey
    device: bytes
    chip: str
    firmware_ids: tuple[bytes, ...]


def verify_gpu_chain(pem: bytes, where: str, *, at: datetime, roots: tuple[bytes, ...]) -> VerifiedGpu:
    """Verify five certificates, leaf first, for the moment `at`.

    Args:
        pem: the certificates as received.
        where: the name of the file, for messages.
        roots: SHA-256 of the DER of each trusted root.

    Raises:
        FormatError: the certificates are malformed. VerificationError: they do not verify (check `gpu-evidence`).
    """
    chain = _parse_chain(pem, where)
    root = chain[-1]
    digest = hashlib.sha256(root.der).digest()
    if digest not in roots:
        _refuse(root, "root is not trusted", digest.hex(), "NVIDIA Device Identity CA")
    for certificate, issuer in zip(chain, [*chain[1:], root], strict=True):
        _verify_form(certificate, is_leaf=certificate is chain[0])
        _verify_issued(certificate, issuer)
        if not certificate.not_before <= at <= certificate.not_after:
            window = f"{format_time(certificate.not_before)} to {format_time(certificate.not_after)}"
            _refuse(certificate, "not valid at this time", format_time(at), window)
    leaf, identity = chain[:2]
    return VerifiedGpu(_key_of(leaf), hashlib.sha256(identity.spki).digest(), identity.common_name, _firmware_ids(leaf))


def _parse_chain(pem: bytes, where: str) -> list[Certificate]:
    with _about_gpu():
        ders = split_pem(pem, b"CERTIFICATE", where, CHAIN_CERTIFICATES)
        chain = [parse_certificate(der, where) for der in ders]
    if len(chain) != CHAIN_CERTIFICATES:
        wanted = f"{CHAIN_CERTIFICATES}, from the GPU's to NVIDIA's root"
        raise malformed_gpu(where, "wrong number of certificates", str(len(chain)), wanted)
    return chain


@contextmanager
def _about_gpu() -> Iterator[None]:
    """Let the errors of the shared certificate parser name this check."""
    try:
        yield
    except FormatError as error:
        error.check = Check.GPU_EVIDENCE
        raise


def _verify_form(certificate: Certificate, *, is_leaf: bool) -> None:
    """Check the extensions: only known ones; a leaf signs evidence and nothing else, the others sign certificates."""
    odd = [found.oid for found in certificate.extensions if found.oid not in _KNOWN]
    if odd:
        _refuse(certificate, "unknown extensions", ", ".join(odd), "those of NVIDIA's certificates")
    constraints, usage = certificate.extension(_BASIC_CONSTRAINTS), certificate.extension(_KEY_USAGE)
    critical = {found.oid for found in certificate.extensions if found.critical}
    if critical != ({_KEY_USAGE} if is_leaf else {_KEY_USAGE, _BASIC_CONSTRAINTS}):
        wanted = "key usage, and basic constraints of an authority"
        _refuse(certificate, "wrong critical extensions", ", ".join(sorted(critical)), wanted)
    if constraints != (None if is_leaf else _CA):
        got = "none" if constraints is None else constraints.hex()
        _refuse(certificate, "wrong basic constraints", got, "none" if is_leaf else _CA.hex())
    allowed = (_DIGITAL_SIGNATURE,) if is_leaf else (_CERTIFICATE_SIGN, _CERTIFICATE_AND_CRL_SIGN)
    if usage not in allowed:
        got = "none" if usage is None else usage.hex()
        _refuse(certificate, "wrong key usage", got, " or ".join(value.hex() for value in allowed))


def _verify_issued(certificate: Certificate, issuer: Certificate) -> None:
    """Verify the issuer's name, its key id and its signature."""
    if certificate.issuer != issuer.subject:
        _refuse(certificate, "wrong issuer", "another name", issuer.common_name)
    if certificate.extension(AUTHORITY_KEY_ID) != authority_key_id_with(issuer.extension(SUBJECT_KEY_ID) or b""):
        _refuse(certificate, "wrong authority key id", "another key's", f"that of {issuer.common_name}")
    if certificate.signed.algorithm != _ECDSA_SHA384:
        _refuse(certificate, "wrong signature algorithm", certificate.signed.algorithm.hex(), "ecdsa-with-SHA384")
    try:
        _key_of(issuer).verify(certificate.signed.signature, certificate.signed.tbs, ECDSA(SHA384()))
    except InvalidSignature:
        _refuse(certificate, "invalid signature", "does not verify", f"a signature by {issuer.common_name}")


def _key_of(certificate: Certificate) -> EllipticCurvePublicKey:
    key = certificate.key
    if not isinstance(key, EllipticCurvePublicKey) or not isinstance(key.curve, SECP384R1):
        _refuse(certificate, "wrong kind of key", "another key", "elliptic curve P-384")
    return key


def _firmware_ids(leaf: Certificate) -> tuple[bytes, ...]:
    """Return the digests of firmware in the leaf's extension, without those that are zero.

    Both extensions hold each digest as SEQUENCE { SHA-384, OCTET STRING of 48 bytes }.
    """
    values = [value for oid in _FIRMWARE_IDS if (value := leaf.extension(oid)) is not None]
    if len(values) != 1:
        _refuse(leaf, "wrong number of firmware id extensions", str(len(values)), "one")

    def problem(what: str, got: str, wanted: str) -> FormatError:
        return malformed_gpu(leaf.where, f"{what} in the firmware id", got, wanted)

    found = tuple(
        pair[1].content
        for pair in _pairs_in(parse_der(values[0], problem))
        if pair[0].encoding == _SHA384_ID and len(pair[1].content) == _DIGEST_BYTES and any(pair[1].content)
    )
    if not found:
        _refuse(leaf, "no firmware id", "none", "one or more SHA-384 digests")
    return found


def _pairs_in(value: Value) -> Iterator[tuple[Value, ...]]:
    if value.tag == SEQUENCE and [child.tag for child in value.children] == [OBJECT_ID, OCTET_STRING]:
        yield value.children
    for child in value.children:
        yield from _pairs_in(child)


def _refuse(certificate: Certificate, problem: str, got: str, wanted: str) -> NoReturn:
    raise VerificationError(
        f"{problem} ({certificate.common_name or 'unnamed'})",
        check=Check.GPU_EVIDENCE,
        where=certificate.where,
        got=got,
        wanted=wanted,
    )

"""Public keys, and the conventions by which REPORT_DATA names a key."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa, x25519
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given, settings
from hypothesis import strategies as st

from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.errors import FormatError, UsageError, VerificationError
from provenance_oracle.verifier.judgement.binding import BINDINGS, bound_report_data, verify_key_binding
from provenance_oracle.verifier.manifest.dsse import verify_signature
from provenance_oracle.verifier.manifest.key import parse_public_key

ALL = tuple(BINDINGS)


def pem_of(key: PublicKeyTypes) -> bytes:
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


P256_PEM = pem_of(ec.derive_private_key(7, ec.SECP256R1()).public_key())
P384_PEM = pem_of(ec.derive_private_key(7, ec.SECP384R1()).public_key())
ED_PEM = pem_of(ed25519.Ed25519PrivateKey.from_private_bytes(bytes(32)).public_key())
KEY = parse_public_key(P256_PEM, "key")


@pytest.mark.parametrize(
    ("pem", "algorithm"), [(P256_PEM, "ECDSA P-256"), (P384_PEM, "ECDSA P-384"), (ED_PEM, "Ed25519")]
)
def test_parses_the_three_kinds(pem: bytes, algorithm: str) -> None:
    key = parse_public_key(pem, "key")
    assert key.algorithm == algorithm
    assert key.key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo) == key.spki
    for form in (pem.rstrip(), pem.replace(b"\n", b"\r\n")):
        assert parse_public_key(form, "key").spki == key.spki


def _refused(pem: bytes) -> FormatError:
    with pytest.raises(FormatError) as raised:
        parse_public_key(pem, "provenance/cvm-key.pem")
    assert raised.value.check is Check.KEY_BINDING
    assert raised.value.where == "provenance/cvm-key.pem"
    return raised.value


@pytest.mark.parametrize(
    "key",
    [
        rsa.generate_private_key(65537, 2048).public_key(),
        ec.derive_private_key(7, ec.SECP521R1()).public_key(),
        ec.derive_private_key(7, ec.SECP256K1()).public_key(),
        ec.derive_private_key(7, ec.BrainpoolP256R1()).public_key(),
        ed448.Ed448PrivateKey.from_private_bytes(bytes(57)).public_key(),
        x25519.X25519PrivateKey.from_private_bytes(bytes(32)).public_key(),
        dsa.generate_private_key(2048).public_key(),
    ],
    ids=lambda key: type(key).__name__,
)
def test_refuses_other_kinds(key: PublicKeyTypes) -> None:
    assert "Ed25519" in _refused(pem_of(key)).wanted


def _pem(der: bytes, label: str = "PUBLIC KEY") -> bytes:
    import base64
    import textwrap

    body = "\n".join(textwrap.wrap(base64.b64encode(der).decode(), 64))
    return f"-----BEGIN {label}-----\n{body}\n-----END {label}-----\n".encode()


def test_refuses_a_compressed_point() -> None:
    public = ec.derive_private_key(7, ec.SECP256R1()).public_key()
    point = public.public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
    algorithm = KEY.spki[2 : 2 + 21]
    bits = b"\x03" + bytes([len(point) + 1]) + b"\x00" + point
    _refused(_pem(b"\x30" + bytes([len(algorithm) + len(bits)]) + algorithm + bits))


@pytest.mark.parametrize(
    "pem",
    [
        b"",
        b"x" * 20_000,
        b"comment\n" + P256_PEM,
        b"\n" + P256_PEM,
        P256_PEM + b"\n",
        P256_PEM + b" ",
        P256_PEM + P256_PEM,
        P256_PEM + P384_PEM,
        P256_PEM.replace(b"PUBLIC KEY", b"EC PUBLIC KEY"),
        P256_PEM.replace(b"PUBLIC KEY", b"CERTIFICATE"),
        P256_PEM.replace(b"-----END", b"\n-----END"),
        P256_PEM.replace(b"KEY-----\nM", b"KEY-----\n M"),
        P256_PEM.replace(b"KEY-----\nM", b"KEY-----\nProc-Type: 4,ENCRYPTED\n\nM"),
        KEY.spki,
        _pem(KEY.spki + b"\0"),
        _pem(KEY.spki[:-1]),
        _pem(b"\x30\x81" + KEY.spki[1:]),
        _pem(KEY.spki[:-1] + bytes([KEY.spki[-1] ^ 1])),
        _pem(KEY.spki, "RSA PUBLIC KEY"),
    ],
)
def test_refuses_any_other_text_or_encoding(pem: bytes) -> None:
    _refused(pem)


def test_refuses_loose_base64() -> None:
    # Ed25519: 44 bytes in 60 characters, the last group padded; P-384: 120 bytes, no padding.
    lines = ED_PEM.splitlines()
    assert lines[1].endswith(b"=")
    for body in (lines[1].rstrip(b"="), lines[1][:20] + b"\n" + lines[1][20:]):
        _refused(b"\n".join([lines[0], body, lines[2], b""]))


@given(st.binary(max_size=300))
def test_random_bytes_are_only_ever_a_format_error(data: bytes) -> None:
    _refused(data)


@settings(max_examples=300)
@given(st.sampled_from([P256_PEM, P384_PEM, ED_PEM]), st.data())
def test_mutations_are_refused_or_another_key_in_canonical_form(pem: bytes, data: st.DataObject) -> None:
    position = data.draw(st.integers(0, len(pem) - 1))
    mutant = pem[:position] + data.draw(st.binary(max_size=3)) + pem[position + data.draw(st.integers(0, 3)) :]
    try:
        key = parse_public_key(mutant, "key")
    except FormatError:
        return
    canonical = key.key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    assert mutant.replace(b"\r\n", b"\n").rstrip(b"\n") == canonical.rstrip(b"\n")


@pytest.mark.parametrize(
    ("name", "digest"),
    [("sha256-spki", hashlib.sha256), ("sha384-spki", hashlib.sha384), ("sha512-spki", hashlib.sha512)],
)
def test_conventions(name: str, digest) -> None:  # type: ignore[no-untyped-def]
    report_data = digest(KEY.spki).digest().ljust(64, b"\0")
    assert bound_report_data(KEY, name) == report_data
    assert verify_key_binding(report_data, KEY, (name,)) == name
    assert verify_key_binding(report_data, KEY, ALL) == name
    for other in set(ALL) - {name}:
        with pytest.raises(VerificationError):
            verify_key_binding(report_data, KEY, (other,))


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("position", range(64))
def test_every_byte_counts(name: str, position: int) -> None:
    report_data = bytearray(bound_report_data(KEY, name))
    report_data[position] ^= 1
    with pytest.raises(VerificationError) as raised:
        verify_key_binding(bytes(report_data), KEY, ALL)
    assert raised.value.check is Check.KEY_BINDING


def test_another_key_is_refused() -> None:
    with pytest.raises(VerificationError):
        verify_key_binding(bound_report_data(KEY), parse_public_key(P384_PEM, "key"), ALL)


def test_refuses_zero_reversed_repeated_and_prefixed() -> None:
    digest = hashlib.sha256(KEY.spki).digest()
    for report_data in (bytes(64), digest[::-1] + bytes(32), digest * 2, bytes(32) + digest, bytes(64)[::-1]):
        with pytest.raises(VerificationError):
            verify_key_binding(report_data, KEY, ALL)
    with pytest.raises(VerificationError, match="64 zero bytes"):
        verify_key_binding(bytes(64), KEY, ALL)


@pytest.mark.parametrize("size", [0, 32, 63, 65, 128])
def test_refuses_another_size(size: int) -> None:
    with pytest.raises(FormatError):
        verify_key_binding(bound_report_data(KEY)[:size].ljust(size, b"\0"), KEY, ALL)


def test_only_known_and_named_conventions() -> None:
    with pytest.raises(UsageError):
        verify_key_binding(bound_report_data(KEY), KEY, ())
    with pytest.raises(UsageError):
        verify_key_binding(bound_report_data(KEY), KEY, ("sha1-spki",))
    with pytest.raises(UsageError):
        bound_report_data(KEY, "raw")


def _report_data(folder: Path) -> bytes:
    return (folder / "report.bin").read_bytes()[0x50:0x90]


def test_real_report_names_the_key_that_signed_a_request(vectors: Path) -> None:
    folder = vectors / "snp" / "milan-v2-enarx-steward-IDBLOCK"
    request = x509.load_der_x509_csr((folder / "request.csr").read_bytes())
    key = parse_public_key(pem_of(request.public_key()), "request.csr")  # type: ignore[arg-type]
    assert verify_key_binding(_report_data(folder), key, ALL) == "sha384-spki"
    with pytest.raises(VerificationError):
        verify_key_binding(_report_data(folder), key, ("sha256-spki", "sha512-spki"))
    # ... and that key signs: the request is ECDSA P-384 with SHA-384 over its own body.
    verify_signature(key, request.signature, request.tbs_certrequest_bytes, "request.csr")
    with pytest.raises(VerificationError):
        verify_signature(key, request.signature, request.tbs_certrequest_bytes + b"\0", "request.csr")


@pytest.mark.parametrize("name", ["milan-v3-oak-release", "milan-v3-oak-rk-release"])
def test_real_reports_with_a_convention_that_is_not_ours(vectors: Path, name: str) -> None:
    folder = vectors / "snp" / name
    cose = (folder / "bound_key.cose").read_bytes()
    report_data = _report_data(folder)
    assert report_data == hashlib.sha256(cose).digest() + bytes(32)
    _refused(cose)
    # The same P-256 key as a SubjectPublicKeyInfo: map entries -2 (x) and -3 (y) of the COSE_Key, 32 bytes each.
    x = cose[cose.index(b"\x21\x58\x20") + 3 :][:32]
    y = cose[cose.index(b"\x22\x58\x20") + 3 :][:32]
    public = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), b"\x04" + x + y)
    with pytest.raises(VerificationError):
        verify_key_binding(report_data, parse_public_key(pem_of(public), "cose"), ALL)


@pytest.mark.parametrize("folder", ["milan-v3-VLEK-trustee-aws", "turin-v5-mstav-aci", "genoa-v3-mstav-aci"])
def test_real_reports_of_others_do_not_name_our_key(vectors: Path, folder: str) -> None:
    with pytest.raises(VerificationError):
        verify_key_binding(_report_data(vectors / "snp" / folder), KEY, ALL)


@pytest.mark.parametrize("name", ["ecdsa_secp256r1_sha256", "ecdsa_secp384r1_sha384", "ed25519"])
def test_wycheproof_keys_are_read(vectors: Path, name: str) -> None:
    groups = json.loads((vectors / "wycheproof" / f"{name}_test.json").read_text())["testGroups"]
    for group in groups:
        assert parse_public_key(group["publicKeyPem"].encode(), name).spki.hex() == group["publicKeyDer"]

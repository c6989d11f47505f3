"""Tests of DSSE envelopes: the test vector of the protocol, Wycheproof's signatures, and malformed envelopes."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.errors import FormatError, ProvenanceError, VerificationError
from provenance_oracle.verifier.manifest.dsse import (
    PAYLOAD_TYPE,
    Envelope,
    pae,
    parse_envelope,
    verify_envelope,
    verify_signature,
)
from provenance_oracle.verifier.manifest.key import PublicKey, parse_public_key

PAYLOAD = b'{"x":1}'


def public_key(private: ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey) -> PublicKey:
    pem = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return parse_public_key(pem, "key")


P256 = ec.derive_private_key(7, ec.SECP256R1())
P384 = ec.derive_private_key(7, ec.SECP384R1())
ED = ed25519.Ed25519PrivateKey.from_private_bytes(bytes(32))
MESSAGE = pae(PAYLOAD_TYPE, PAYLOAD)
SIGNED = {
    "P-256": (public_key(P256), P256.sign(MESSAGE, ec.ECDSA(hashes.SHA256()))),
    "P-384": (public_key(P384), P384.sign(MESSAGE, ec.ECDSA(hashes.SHA384()))),
    "Ed25519": (public_key(ED), ED.sign(MESSAGE)),
}


def envelope(**changes: object) -> dict[str, Any]:
    signature = base64.b64encode(SIGNED["P-256"][1]).decode()
    members: dict[str, Any] = {
        "payload": base64.b64encode(PAYLOAD).decode(),
        "payloadType": PAYLOAD_TYPE,
        "signatures": [{"sig": signature, "keyid": ""}],
    }
    return {key: value for key, value in (members | changes).items() if value is not ...}


def encoded(members: object) -> bytes:
    return json.dumps(members).encode()


def test_pae_of_the_protocol_page() -> None:
    # https://github.com/secure-systems-lab/dsse/blob/master/protocol.md, "Test Vectors"
    kind, body = "http://example.com/HelloWorld", b"hello world"
    assert pae(kind, body) == b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    x = 46950820868899156662930047687818585632848591499744589407958293238635476079160
    y = 5640078356564379163099075877009565129882514886557779369047442380624545832820
    raw = base64.b64decode("A3JqsQGtVsJ2O2xqrI5IcnXip5GToJ3F+FnZ+O88SjtR6rDAajabZKciJTfUiHqJPcIAriEGAHTVeCUjW2JIZA==")
    signature = encode_dss_signature(int.from_bytes(raw[:32]), int.from_bytes(raw[32:]))
    public = ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()
    key = parse_public_key(public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo), "key")
    verify_signature(key, signature, pae(kind, body), "vector")
    with pytest.raises(VerificationError):
        verify_signature(key, raw, pae(kind, body), "vector")


def test_pae_counts_bytes_not_characters() -> None:
    assert pae("é", "é".encode()) == b"DSSEv1 2 \xc3\xa9 2 \xc3\xa9"
    assert pae("", b"") == b"DSSEv1 0  0 "


@pytest.mark.parametrize("name", ["ecdsa_secp256r1_sha256", "ecdsa_secp384r1_sha384", "ed25519"])
def test_wycheproof(vectors: Path, name: str) -> None:
    data = json.loads((vectors / "wycheproof" / f"{name}_test.json").read_text())
    seen = 0
    for group in data["testGroups"]:
        key = parse_public_key(group["publicKeyPem"].encode(), name)
        for case in group["tests"]:
            signature, message = bytes.fromhex(case["sig"]), bytes.fromhex(case["msg"])
            if case["result"] == "valid":
                verify_signature(key, signature, message, name)
            else:
                with pytest.raises(VerificationError):
                    verify_signature(key, signature, message, name)
            seen += 1
    assert seen == data["numberOfTests"]


@pytest.mark.parametrize("name", SIGNED)
def test_returns_the_payload_as_received(name: str) -> None:
    key, signature = SIGNED[name]
    data = encoded(envelope(signatures=[{"sig": base64.b64encode(signature).decode()}]))
    assert verify_envelope(parse_envelope(data), key) == PAYLOAD


def _expect_refusal(envelope: Envelope, key: PublicKey) -> None:
    with pytest.raises(VerificationError) as raised:
        verify_envelope(envelope, key)
    assert raised.value.check is Check.MANIFEST_SIGNATURE
    assert raised.value.where == "provenance/manifest.dsse.json"


@pytest.mark.parametrize("name", SIGNED)
def test_only_the_signature_fails(name: str) -> None:
    key, signature = SIGNED[name]
    other_key = SIGNED["P-384" if name == "P-256" else "P-256"][0]
    _expect_refusal(Envelope(PAYLOAD_TYPE, PAYLOAD + b" ", signature, ""), key)
    _expect_refusal(Envelope("application/json", PAYLOAD, signature, ""), key)
    _expect_refusal(Envelope(PAYLOAD_TYPE, PAYLOAD, signature, ""), other_key)
    _expect_refusal(Envelope(PAYLOAD_TYPE, PAYLOAD, b"", ""), key)
    _expect_refusal(Envelope(PAYLOAD_TYPE, PAYLOAD, signature + b"\0", ""), key)
    for position in range(len(signature)):
        broken = signature[:position] + bytes([signature[position] ^ 1]) + signature[position + 1 :]
        _expect_refusal(Envelope(PAYLOAD_TYPE, PAYLOAD, broken, ""), key)


def test_a_signature_without_pae_does_not_count() -> None:
    bare = P256.sign(PAYLOAD, ec.ECDSA(hashes.SHA256()))
    _expect_refusal(Envelope(PAYLOAD_TYPE, PAYLOAD, bare, ""), SIGNED["P-256"][0])
    # An error that another implementation once made: a capital V in the prefix.
    slip = P256.sign(MESSAGE.replace(b"DSSEv1", b"DSSEV1"), ec.ECDSA(hashes.SHA256()))
    _expect_refusal(Envelope(PAYLOAD_TYPE, PAYLOAD, slip, ""), SIGNED["P-256"][0])


def test_another_hash_than_the_keys_own_does_not_count() -> None:
    for private, name, hash_algorithm in ((P256, "P-256", hashes.SHA384()), (P384, "P-384", hashes.SHA256())):
        signature = private.sign(MESSAGE, ec.ECDSA(hash_algorithm))
        _expect_refusal(Envelope(PAYLOAD_TYPE, PAYLOAD, signature, ""), SIGNED[name][0])


SIG = "MAYCAQECAQE="


@pytest.mark.parametrize(
    "members",
    [
        [],
        envelope(payload=...),
        envelope(payloadType=...),
        envelope(signatures=...),
        envelope(extra=1),
        envelope(payloadType="application/json"),
        envelope(payloadType="application/vnd.in-toto+json; charset=utf-8"),
        envelope(payloadType="APPLICATION/VND.IN-TOTO+JSON"),
        envelope(payloadType=None),
        envelope(payload=None),
        envelope(payload=1),
        envelope(payload="eyJ4IjoxfQ"),
        envelope(payload="eyJ4IjoxfQ=\n="),
        envelope(payload="eyJ4IjoxfR=="),
        envelope(payload="e_J4IjoxfQ=="),
        envelope(payload=" eyJ4IjoxfQ=="),
        envelope(signatures=[]),
        envelope(signatures={}),
        envelope(signatures=[{"sig": SIG}, {"sig": SIG}]),
        envelope(signatures=[SIG]),
        envelope(signatures=[{}]),
        envelope(signatures=[{"sig": SIG, "cert": ""}]),
        envelope(signatures=[{"sig": SIG, "keyid": None}]),
        envelope(signatures=[{"sig": SIG, "keyid": 1}]),
        envelope(signatures=[{"sig": SIG, "keyid": "k" * 257}]),
        envelope(signatures=[{"sig": "%%"}]),
        envelope(signatures=[{"sig": base64.b64encode(bytes(257)).decode()}]),
    ],
)
def test_refuses_malformed_envelopes(members: object) -> None:
    with pytest.raises(FormatError) as raised:
        parse_envelope(encoded(members))
    assert raised.value.check is Check.MANIFEST_FORMAT


def test_refuses_duplicate_keys_and_a_second_document() -> None:
    data = encoded(envelope())
    for bad in (data[:-1] + b',"payload":"e30="}', data + data, b"\xef\xbb\xbf" + data):
        with pytest.raises(FormatError):
            parse_envelope(bad)


def test_refuses_more_than_64_mib() -> None:
    with pytest.raises(FormatError, match="too large"):
        parse_envelope(b" " * (64 * 1024 * 1024 + 1))


def test_keyid_is_a_hint_that_changes_nothing() -> None:
    key, _ = SIGNED["P-256"]
    for keyid in ("", "x", "a key that is not there"):
        signed = envelope()["signatures"][0] | {"keyid": keyid}
        parsed = parse_envelope(encoded(envelope(signatures=[signed])))
        assert (parsed.keyid, verify_envelope(parsed, key)) == (keyid, PAYLOAD)


@given(st.data())
def test_mutations_are_refused_or_carry_the_same_payload(data: st.DataObject) -> None:
    valid = encoded(envelope())
    position = data.draw(st.integers(0, len(valid)))
    mutant = valid[:position] + data.draw(st.binary(max_size=4)) + valid[position + data.draw(st.integers(0, 4)) :]
    try:
        payload = verify_envelope(parse_envelope(mutant), SIGNED["P-256"][0])
    except ProvenanceError:
        return
    assert payload == PAYLOAD


@given(st.binary())
def test_random_bytes_are_only_ever_a_format_error(data: bytes) -> None:
    with pytest.raises(FormatError):
        parse_envelope(data)

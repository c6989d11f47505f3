"""Tests of signed verdicts: who signed is certain, every other byte is refused, and other tools read them."""

from __future__ import annotations

import base64
import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256K1, EllipticCurvePublicKey, derive_private_key
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from securesystemslib.dsse import Envelope
from securesystemslib.exceptions import VerificationError as OtherError
from securesystemslib.signer import Signature, SSlibKey  # type: ignore[attr-defined]

from provenance_oracle.verifier.errors import FormatError, ProvenanceError, VerificationError
from provenance_oracle.verifier.manifest.dsse import PAYLOAD_TYPE, pae
from provenance_oracle.verifier.registry.secp256k1 import CURVE_ORDER, AccountKey, checksum_address
from provenance_oracle.verifier.registry.signed_verdict import (
    SIGNATURES_MAX,
    envelope_of,
    match_signers,
    verify_signed_verdict,
)

STATEMENT = b'{"_type":"https://in-toto.io/Statement/v1"}'
KEYS = [derive_private_key(number, SECP256K1()) for number in (7, 8)]


def account(number: int) -> AccountKey:
    numbers = KEYS[number].public_key().public_numbers()
    return AccountKey(numbers.x.to_bytes(32) + numbers.y.to_bytes(32))


def name(number: int) -> str:
    return checksum_address(account(number).address)


def signature(number: int, statement: bytes = STATEMENT) -> bytes:
    r, s = decode_dss_signature(KEYS[number].sign(pae(PAYLOAD_TYPE, statement), ECDSA(SHA256())))
    return encode_dss_signature(r, min(s, CURVE_ORDER - s))


def envelope(*numbers: int) -> bytes:
    return envelope_of(STATEMENT, [(name(number), signature(number)) for number in numbers])


def test_the_keys_that_signed_are_found_without_a_key_file() -> None:
    signed = verify_signed_verdict(envelope(0, 1), "envelope")
    assert signed.statement == STATEMENT
    assert signed.keys == (account(0), account(1))
    match_signers(signed, [account(1).address], "envelope")


def test_another_key_than_those_of_the_record_is_forged() -> None:
    with pytest.raises(VerificationError, match=f"another key than the record.*{name(0)}.*{name(1)}"):
        match_signers(verify_signed_verdict(envelope(0), "envelope"), [account(1).address], "envelope")


def test_every_changed_byte_is_refused() -> None:
    good = envelope(0)
    for place in range(len(good)):
        changed = bytearray(good)
        changed[place] ^= 1
        with pytest.raises((FormatError, VerificationError)):
            verify_signed_verdict(bytes(changed), "envelope")


def _with_high_s(envelope: Any) -> None:
    r, s = decode_dss_signature(base64.b64decode(envelope["signatures"][0]["sig"]))
    envelope["signatures"][0]["sig"] = base64.b64encode(encode_dss_signature(r, CURVE_ORDER - s)).decode()


CHANGES: dict[str, tuple[Callable[[Any], object], type[ProvenanceError]]] = {
    "another name": (lambda e: e["signatures"][0].update(keyid=name(1)), VerificationError),
    "the higher s": (_with_high_s, VerificationError),
    "no signature": (lambda e: e.update(signatures=[]), FormatError),
    "too many signatures": (lambda e: e.update(signatures=e["signatures"] * (SIGNATURES_MAX + 1)), FormatError),
    "no name": (lambda e: e["signatures"][0].pop("keyid"), FormatError),
    "another payload type": (lambda e: e.update(payloadType="application/json"), FormatError),
    "another statement": (lambda e: e.update(payload=base64.b64encode(b"{}").decode()), VerificationError),
    "one good and one bad": (
        lambda e: e["signatures"].append({"keyid": name(1), "sig": e["signatures"][0]["sig"]}),
        VerificationError,
    ),
    "an unknown member": (lambda e: e.update(more=1), FormatError),
}


@pytest.mark.parametrize("change", CHANGES)
def test_other_envelopes_are_refused(change: str) -> None:
    alter, error = CHANGES[change]
    changed = json.loads(envelope(0))
    alter(changed)
    with pytest.raises(error):
        verify_signed_verdict(json.dumps(changed).encode(), "envelope")


class EthereumKey(SSlibKey):
    """A key of securesystemslib for the curve secp256k1, which its own classes do not have."""

    def verify_signature(self, signature: Signature, data: bytes) -> None:
        key = load_pem_public_key(self.keyval["public"].encode())
        assert isinstance(key, EllipticCurvePublicKey)
        key.verify(bytes.fromhex(signature.signature), data, ECDSA(SHA256()))


def test_securesystemslib_reads_the_envelope_and_verifies_it_with_the_key() -> None:
    (key,) = verify_signed_verdict(envelope(0), "envelope").keys
    other = Envelope.from_dict(json.loads(envelope(0)))
    assert (other.payload, other.payload_type) == (STATEMENT, PAYLOAD_TYPE)
    known = EthereumKey(name(0), "ecdsa", "ecdsa-sha2-secp256k1", {"public": key.pem.decode()})
    assert other.verify([known], 1) == {name(0): known}
    strange = EthereumKey(name(1), "ecdsa", "ecdsa-sha2-secp256k1", {"public": account(1).pem.decode()})
    with pytest.raises(OtherError):
        other.verify([strange], 1)


def test_openssl_verifies_the_signature(tmp_path: Path) -> None:
    (tmp_path / "key.pem").write_bytes(verify_signed_verdict(envelope(0), "envelope").keys[0].pem)
    (tmp_path / "sig").write_bytes(signature(0))
    command = ["openssl", "dgst", "-sha256", "-verify", "key.pem", "-signature", "sig"]
    for message, accepted in ((pae(PAYLOAD_TYPE, STATEMENT), True), (STATEMENT, False)):
        done = subprocess.run(command, input=message, cwd=tmp_path, capture_output=True, timeout=60, check=False)
        assert (done.returncode == 0) is accepted

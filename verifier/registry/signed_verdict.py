"""A verdict in a DSSE envelope, signed by the reporting keys of oracles: the keys that sign records.

    payloadType  application/vnd.in-toto+json        payload  the bytes of the verdict
    signatures   keyid: the oracle's address, 0x and 40 hex digits in checksum form
                 sig: ECDSA on secp256k1 with SHA-256, in DER, over the pre-authentication encoding (PAE) of DSSE

Format: https://github.com/secure-systems-lab/dsse, envelope.md and protocol.md. The key follows from the signature, and
its address is the name, so a reader needs no key file; `SignedVerdict.keys` has it for other tools.

Why the same key may sign both: the contract and the chain accept a signature only over Keccak-256 of bytes that begin
with 0x1901 (EIP-712) or a transaction's type. A verdict is signed over SHA-256 of bytes that begin with "DSSEv1". To
use one as the other, somebody would need two texts with one digest under two different hash functions. An oracle signs
no digest that others choose.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass

from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.errors import VerificationError
from provenance_oracle.verifier.manifest.dsse import PAYLOAD_TYPE, pae
from provenance_oracle.verifier.registry.secp256k1 import CURVE_ORDER, AccountKey, checksum_address, possible_signers
from provenance_oracle.verifier.strict.parse_json import Fields, parse_json
from provenance_oracle.verifier.text import printable

VERDICT_MAX_BYTES = 4 * 1024 * 1024
ENVELOPE_MAX_BYTES = 2 * VERDICT_MAX_BYTES
SIGNATURES_MAX = 8
_DER_MAX_BYTES = 80
_TOKENS_MAX = 32 + 16 * SIGNATURES_MAX
_CHECK = Check.REGISTRY_RECORD


@dataclass(frozen=True)
class SignedVerdict:
    """The statement of an envelope, and the keys that signed it. Nobody compared the keys with anything yet."""

    statement: bytes
    keys: tuple[AccountKey, ...]

    @property
    def digest(self) -> bytes:
        """SHA-256 of the statement, 32 bytes: the digest in the record on chain."""
        return hashlib.sha256(self.statement).digest()


def digest_to_sign(statement: bytes) -> bytes:
    """Return the digest (32 bytes) over which an oracle signs a verdict."""
    return hashlib.sha256(pae(PAYLOAD_TYPE, statement)).digest()


def envelope_of(statement: bytes, signatures: Iterable[tuple[str, bytes]]) -> bytes:
    """Return the envelope of a verdict as JSON.

    Args:
        signatures: for each, the address of the key in checksum form, and the signature in DER.
    """
    envelope = {
        "payload": base64.b64encode(statement).decode(),
        "payloadType": PAYLOAD_TYPE,
        "signatures": [{"keyid": address, "sig": base64.b64encode(sig).decode()} for address, sig in signatures],
    }
    return json.dumps(envelope, separators=(",", ":")).encode()


def verify_signed_verdict(data: bytes, where: str) -> SignedVerdict:
    """Verify every signature of an envelope, and return the verdict in it.

    Raises:
        FormatError: the bytes are no such envelope. VerificationError: a signature is not by the key that it names.
        UsageError: the extra `chain` is missing.
    """
    value = parse_json(data, where=where, check=_CHECK, max_bytes=ENVELOPE_MAX_BYTES, max_tokens=_TOKENS_MAX)
    fields = Fields(value, where=where, check=_CHECK)
    fields.constant("payloadType", PAYLOAD_TYPE)
    statement = fields.base64_bytes("payload", max_bytes=VERDICT_MAX_BYTES)
    signed = fields.fields_list("signatures", minimum=1, maximum=SIGNATURES_MAX)
    fields.finish()
    digest = digest_to_sign(statement)
    return SignedVerdict(statement, tuple(_verified(one, digest) for one in signed))


def match_signers(signed: SignedVerdict, addresses: Iterable[bytes], where: str) -> None:
    """Compare the keys that signed a verdict with the oracles that signed its record.

    Args:
        addresses: those of the oracles, 20 bytes each.

    Raises:
        VerificationError: no signature is by one of them.
    """
    known = set(addresses)
    if not any(key.address in known for key in signed.keys):
        got = ", ".join(checksum_address(key.address) for key in signed.keys)
        wanted = " or ".join(sorted(checksum_address(address) for address in known))
        problem = "the verdict is signed by another key than the record"
        raise VerificationError(problem, check=_CHECK, where=where, got=got, wanted=wanted)


def _verified(signed: Fields, digest: bytes) -> AccountKey:
    where = signed.where("sig")
    name = signed.text("keyid", max_chars=64)
    r, s = _parse_der(signed.base64_bytes("sig", max_bytes=_DER_MAX_BYTES), where)
    signed.finish()
    keys = possible_signers(digest, r, s)
    for key in keys:
        if checksum_address(key.address) == name:
            return key
    got = " or ".join(checksum_address(key.address) for key in keys) or "no key"
    problem = "the signature of the verdict is not by the key that it names"
    raise VerificationError(problem, check=_CHECK, where=where, got=got, wanted=printable(name))


def _parse_der(data: bytes, where: str) -> tuple[int, int]:
    """Return r and s of a signature in strict DER with the lower s, the one form in which an oracle signs."""
    from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

    try:
        r, s = decode_dss_signature(data)
        is_strict = encode_dss_signature(r, s) == data
    except (ValueError, OverflowError):
        r, s, is_strict = 0, 0, False
    if not (is_strict and 0 < r < CURVE_ORDER and 0 < s <= CURVE_ORDER // 2):
        got, wanted = f"{len(data)} other bytes", "ECDSA-Sig-Value in DER with the lower s"
        problem = "the signature of the verdict is malformed"
        raise VerificationError(problem, check=_CHECK, where=where, got=got, wanted=wanted)
    return r, s

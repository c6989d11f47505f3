"""A private sigstore in memory: CA, certificate log, transparency log (Rekor v1 or v2) and timestamp authority.

A `FakeSigstore` is a description; `bundle()` and `root()` make a bundle and its trusted root. Tests change one field.
Formats: RFC 6962 (SCT, Merkle tree), C2SP signed notes, RFC 3161 and RFC 5652 (by asn1crypto), protobuf JSON.
"""

from __future__ import annotations

import base64
import hashlib
import json
import struct
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any

from asn1crypto import cms, tsp
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from tests.support.model_signatures import (
    FILES,
    PAYLOAD_TYPE,
    SIGNING_KEY,
    bundle_of,
    pae_of,
    signed_by,
    statement_over,
)
from tests.support.signing_chains import key_usage

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
SIGNED_AT = NOW - timedelta(days=30)
START, END = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 12, 31, tzinfo=UTC)
ROOTS_END = datetime(2049, 12, 31, tzinfo=UTC)
ISSUER = "https://accounts.example.org"
LINE = f"sigstore {ISSUER} email:me@example.org"
_FULCIO = "1.3.6.1.4.1.57264.1"
_SCT_LIST = x509.ObjectIdentifier("1.3.6.1.4.1.11129.2.4.2")
_SHARD_OFFSET = 1000  # entries in earlier shards of the v1 log


def _key(secret: int) -> ec.EllipticCurvePrivateKey:
    return ec.derive_private_key(secret, ec.SECP256R1())


ROOT_KEY, CA_KEY, CT_KEY, LOG_KEY, TSA_KEY, TSA_ROOT_KEY = (_key(secret) for secret in range(101, 107))
LOG2_KEY = ed25519.Ed25519PrivateKey.from_private_bytes(b"2" * 32)
Window = tuple[datetime | None, datetime | None]


def utf8(text: str) -> bytes:
    """Return a DER UTF8String of less than 128 bytes."""
    return b"\x0c" + bytes([len(text.encode())]) + text.encode()


def _spki(key: Any) -> bytes:
    public: bytes = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return public


def _b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _named(text: str) -> x509.Name:
    return x509.Name(
        [x509.NameAttribute(NameOID.COMMON_NAME, text), x509.NameAttribute(NameOID.ORGANIZATION_NAME, "x")]
    )


@dataclass(frozen=True)
class FakeSigstore:
    """One bundle and the world that vouches for it.

    Attributes:
        version: of the transparency log, 1 or 2.
        signed_at: the moment that log and timestamp authority state.
        promised, stamped: whether the bundle has a SET (version 1), and a timestamp.
        names: the alternative names of the leaf.
        extensions: Fulcio's extensions by the last number of their ids: raw values.
        leaf_window: validity of the leaf; by default ten minutes around `signed_at`.
        ca_window, ct_window, log_window, tsa_window: in the trusted root.
        ca_validity: of the CA's certificate.
        sct_at: the moment of the SCT.
        scts: the number of SCTs.
        purposes: extended key usage of the leaf.
        statement: the payload that is signed.
        signer: the key that the leaf certifies.
    """

    version: int = 1
    signed_at: datetime = SIGNED_AT
    promised: bool = True
    stamped: bool = False
    names: tuple[x509.GeneralName, ...] = (x509.RFC822Name("me@example.org"),)
    extensions: tuple[tuple[int, bytes], ...] = ((1, ISSUER.encode()), (8, utf8(ISSUER)))
    leaf_window: Window = (None, None)
    ca_window: Window = (START, END)
    ct_window: Window = (START, END)
    log_window: Window = (START, END)
    tsa_window: Window = (START, END)
    ca_validity: Window = (START, END)
    sct_at: datetime | None = None
    scts: int = 1
    purposes: tuple[x509.ObjectIdentifier, ...] = (ExtendedKeyUsageOID.CODE_SIGNING,)
    statement: Any = field(default_factory=lambda: statement_over(FILES))
    signer: ec.EllipticCurvePublicKey = field(default_factory=SIGNING_KEY.public_key)

    @cached_property
    def log_id(self) -> bytes:
        """The id of the transparency log."""
        if self.version == 1:
            return hashlib.sha256(_spki(LOG_KEY)).digest()
        return hashlib.sha256(b"log2.example\n\x01" + LOG2_KEY.public_key().public_bytes_raw()).digest()

    @cached_property
    def chain(self) -> tuple[x509.Certificate, x509.Certificate]:
        """The certificates of the CA that issues leaves, and of its root."""
        begins, ends = (moment or START for moment in self.ca_validity)
        ca = x509.BasicConstraints(True, None), key_usage(key_cert_sign=True, crl_sign=True)
        root = _certificate(
            "root", ROOT_KEY.public_key(), "root", ROOT_KEY, START, ROOTS_END, [(one, True) for one in ca]
        )
        own = [(one, True) for one in ca]
        return _certificate("ca", CA_KEY.public_key(), "root", ROOT_KEY, begins, ends, own), root

    @cached_property
    def leaf(self) -> x509.Certificate:
        """The signer's certificate with its SCTs."""
        begins = self.leaf_window[0] or self.signed_at - timedelta(minutes=5)
        ends = self.leaf_window[1] or self.signed_at + timedelta(minutes=5)
        extensions: list[tuple[x509.ExtensionType, bool]] = [(key_usage(digital_signature=True), True)]
        extensions.append((x509.ExtendedKeyUsage(list(self.purposes)), False))
        extensions.append((x509.SubjectAlternativeName(list(self.names)), True))
        for number, value in self.extensions:
            oid = x509.ObjectIdentifier(f"{_FULCIO}.{number}")
            extensions.append((x509.UnrecognizedExtension(oid, value), False))
        plain = _certificate("", self.signer, "ca", CA_KEY, begins, ends, extensions)
        scts = _sct_list([self._sct(plain.tbs_certificate_bytes) for _ in range(self.scts)])
        extensions.append((x509.UnrecognizedExtension(_SCT_LIST, scts), False))
        return _certificate("", self.signer, "ca", CA_KEY, begins, ends, extensions)

    def _sct(self, tbs: bytes) -> bytes:
        stamp = int((self.sct_at or self.signed_at).timestamp() * 1000)
        issuer = hashlib.sha256(_spki(CA_KEY)).digest()
        entry = issuer + len(tbs).to_bytes(3, "big") + tbs
        signed = struct.pack("!BBQH", 0, 0, stamp, 1) + entry + struct.pack("!H", 0)
        signature = CT_KEY.sign(signed, ec.ECDSA(SHA256()))
        log_id = hashlib.sha256(_spki(CT_KEY)).digest()
        head = b"\0" + log_id + struct.pack("!QH", stamp, 0) + b"\x04\x03"
        return head + struct.pack("!H", len(signature)) + signature

    def bundle(self, statement: object = None) -> dict[str, Any]:
        """Return the bundle over another statement than the world's own if one is given."""
        payload, signature = signed_by(SIGNING_KEY, statement or self.statement)
        material: dict[str, Any] = {
            "certificate": {"rawBytes": _b64(self.leaf.public_bytes(Encoding.DER))},
            "tlogEntries": [self.entry(self.body(payload, signature))],
        }
        if self.stamped or self.version == 2:
            stamp = {"signedTimestamp": _b64(self.stamp(hashlib.sha256(signature).digest()))}
            material["timestampVerificationData"] = {"rfc3161Timestamps": [stamp]}
        return bundle_of(payload, signature, material)

    def entry(self, described: dict[str, Any]) -> dict[str, Any]:
        """Return the entry of the log with this body, as a bundle holds it."""
        body = json.dumps(described, sort_keys=True, separators=(",", ":")).encode()
        leaves = [b"first", body, b"third"]
        index, (root, proof) = 1, _tree(leaves, 1)
        entry: dict[str, Any] = {
            "logIndex": str(index + _SHARD_OFFSET if self.version == 1 else index),
            "logId": {"keyId": _b64(self.log_id)},
            "kindVersion": {"kind": "dsse" if self.version == 1 else "hashedrekord", "version": f"0.0.{self.version}"},
            "inclusionProof": {
                "logIndex": str(index),
                "rootHash": _b64(root),
                "treeSize": str(len(leaves)),
                "hashes": [_b64(one) for one in proof],
                "checkpoint": {"envelope": self.checkpoint(len(leaves), root)},
            },
            "canonicalizedBody": _b64(body),
        }
        if self.version == 1:
            seconds = int(self.signed_at.timestamp())
            entry["integratedTime"] = str(seconds)
            if self.promised:
                promised = {
                    "body": _b64(body),
                    "integratedTime": seconds,
                    "logID": self.log_id.hex(),
                    "logIndex": index + _SHARD_OFFSET,
                }
                message = json.dumps(promised, separators=(",", ":")).encode()
                signed = LOG_KEY.sign(message, ec.ECDSA(SHA256()))
                entry["inclusionPromise"] = {"signedEntryTimestamp": _b64(signed)}
        return entry

    def body(self, payload: bytes, signature: bytes) -> dict[str, Any]:
        """Return the body of the log's entry for a signature over a payload."""
        if self.version == 1:
            digest = {"algorithm": "sha256", "value": hashlib.sha256(payload).hexdigest()}
            pem = self.leaf.public_bytes(Encoding.PEM)
            signatures = [{"signature": _b64(signature), "verifier": _b64(pem)}]
            spec: dict[str, Any] = {"envelopeHash": digest, "payloadHash": digest, "signatures": signatures}
            return {"apiVersion": "0.0.1", "kind": "dsse", "spec": spec}
        certificate = {"rawBytes": _b64(self.leaf.public_bytes(Encoding.DER))}
        verifier = {"keyDetails": "PKIX_ECDSA_P256_SHA_256", "x509Certificate": certificate}
        pae_digest = hashlib.sha256(pae_of(payload, PAYLOAD_TYPE)).digest()
        spec = {
            "hashedRekordV002": {
                "data": {"algorithm": "SHA2_256", "digest": _b64(pae_digest)},
                "signature": {"content": _b64(signature), "verifier": verifier},
            }
        }
        return {"apiVersion": "0.0.2", "kind": "hashedrekord", "spec": spec}

    def checkpoint(self, size: int, root: bytes) -> str:
        """Return the signed checkpoint of a tree."""
        name = f"log{self.version}.example"
        text = f"{name}\n{size}\n{_b64(root)}\n"
        if self.version == 1:
            signature = LOG_KEY.sign(text.encode(), ec.ECDSA(SHA256()))
        else:
            signature = LOG2_KEY.sign(text.encode())
        return f"{text}\n\u2014 {name} {_b64(self.log_id[:4] + signature)}\n"

    def stamp(self, digest: bytes) -> bytes:
        """Return a timestamp response for the SHA-256 of a message, DER."""
        signer = self.tsa_chain[0]
        info = tsp.TSTInfo(
            {
                "version": "v1",
                "policy": "1.2.3.4",
                "message_imprint": {
                    "hash_algorithm": {"algorithm": "sha256"},
                    "hashed_message": digest,
                },
                "serial_number": 7,
                "gen_time": self.signed_at,
            }
        )
        certificate_digest = hashlib.sha256(signer.public_bytes(Encoding.DER)).digest()
        attributes = cms.CMSAttributes(
            [
                {"type": "content_type", "values": ["tst_info"]},
                {"type": "message_digest", "values": [hashlib.sha256(info.dump()).digest()]},
                {"type": "signing_certificate_v2", "values": [{"certs": [{"cert_hash": certificate_digest}]}]},
            ]
        )
        asn1 = asn1_x509.Certificate.load(signer.public_bytes(Encoding.DER))
        signed = {
            "version": "v3",
            "digest_algorithms": [{"algorithm": "sha256"}],
            "encap_content_info": {"content_type": "tst_info", "content": cms.ParsableOctetString(info.dump())},
            "certificates": [asn1],
            "signer_infos": [
                {
                    "version": "v1",
                    "sid": {"issuer_and_serial_number": {"issuer": asn1.issuer, "serial_number": asn1.serial_number}},
                    "digest_algorithm": {"algorithm": "sha256"},
                    "signed_attrs": attributes,
                    "signature_algorithm": {"algorithm": "sha256_ecdsa"},
                    "signature": TSA_KEY.sign(attributes.untag().dump(), ec.ECDSA(SHA256())),
                }
            ],
        }
        token = cms.ContentInfo({"content_type": "signed_data", "content": signed})
        response: bytes = tsp.TimeStampResp({"status": {"status": "granted"}, "time_stamp_token": token}).dump()
        return response

    @cached_property
    def tsa_chain(self) -> tuple[x509.Certificate, x509.Certificate]:
        """The certificates of the timestamp authority and of its root."""
        ca: list[tuple[x509.ExtensionType, bool]] = [(x509.BasicConstraints(True, None), True)]
        ca.append((key_usage(key_cert_sign=True, crl_sign=True), True))
        own: list[tuple[x509.ExtensionType, bool]] = [(key_usage(digital_signature=True), True)]
        own.append((x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING]), True))
        root = _certificate("tsa root", TSA_ROOT_KEY.public_key(), "tsa root", TSA_ROOT_KEY, START, ROOTS_END, ca)
        tsa = _certificate("tsa", TSA_KEY.public_key(), "tsa root", TSA_ROOT_KEY, START, ROOTS_END, own)
        return tsa, root

    def root(self) -> dict[str, Any]:
        """Return the trusted root."""
        log_key = LOG_KEY if self.version == 1 else LOG2_KEY
        details = "PKIX_ECDSA_P256_SHA_256" if self.version == 1 else "PKIX_ED25519"
        return {
            "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
            "tlogs": [_log(log_key, details, self.log_id, self.log_window)],
            "ctlogs": [_log(CT_KEY, "PKIX_ECDSA_P256_SHA_256", hashlib.sha256(_spki(CT_KEY)).digest(), self.ct_window)],
            "certificateAuthorities": [_authority(self.chain, self.ca_window)],
            "timestampAuthorities": [_authority(self.tsa_chain, self.tsa_window)],
        }


def _certificate(
    name: str,
    key: ec.EllipticCurvePublicKey,
    issuer: str,
    issuer_key: ec.EllipticCurvePrivateKey,
    begins: datetime,
    ends: datetime,
    extensions: list[tuple[x509.ExtensionType, bool]],
) -> x509.Certificate:
    subject = _named(name) if name else x509.Name([])
    spki = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    serial = int.from_bytes(hashlib.sha256(spki + name.encode()).digest()[:8], "big") >> 1
    builder = x509.CertificateBuilder(_named(issuer), subject, key, serial, begins, ends)
    builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key), False)
    authority = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key())
    builder = builder.add_extension(authority, False)
    for extension, is_critical in extensions:
        builder = builder.add_extension(extension, is_critical)
    return builder.sign(issuer_key, SHA256(), ecdsa_deterministic=True)  # the same in every copy of a world


def _sct_list(scts: list[bytes]) -> bytes:
    """Return the value of the extension: a DER OCTET STRING around a TLS list (RFC 6962, section 3.3)."""
    entries = b"".join(struct.pack("!H", len(one)) + one for one in scts)
    listed = struct.pack("!H", len(entries)) + entries
    length = bytes([len(listed)]) if len(listed) < 128 else bytes([0x82]) + struct.pack("!H", len(listed))
    return b"\x04" + length + listed


def _tree(leaves: list[bytes], index: int) -> tuple[bytes, list[bytes]]:
    """Return the root of a Merkle tree of three leaves, and the proof for the leaf 1 (RFC 6962, section 2.1)."""
    assert (len(leaves), index) == (3, 1)
    first, second, third = (hashlib.sha256(b"\0" + leaf).digest() for leaf in leaves)
    left = hashlib.sha256(b"\1" + first + second).digest()
    return hashlib.sha256(b"\1" + left + third).digest(), [first, third]


def _valid_for(window: Window) -> dict[str, str]:
    named = zip(("start", "end"), window, strict=True)
    return {key: moment.strftime("%Y-%m-%dT%H:%M:%SZ") for key, moment in named if moment}


def _log(key: Any, details: str, log_id: bytes, window: Window) -> dict[str, Any]:
    public = {"rawBytes": _b64(_spki(key)), "keyDetails": details, "validFor": _valid_for(window)}
    log = {"baseUrl": "https://log.example", "hashAlgorithm": "SHA2_256"}
    return {**log, "publicKey": public, "logId": {"keyId": _b64(log_id)}}


def _authority(chain: tuple[x509.Certificate, ...], window: Window) -> dict[str, Any]:
    certificates = [{"rawBytes": _b64(one.public_bytes(Encoding.DER))} for one in chain]
    return {
        "subject": {"organization": "x", "commonName": "x"},
        "uri": "https://ca.example",
        "certChain": {"certificates": certificates},
        "validFor": _valid_for(window),
    }

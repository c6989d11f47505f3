"""Bundles that sign a model, made with `cryptography` alone: payloads, envelopes, and the method `key`."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

BUNDLE_TYPE = "application/vnd.dev.sigstore.bundle.v0.3+json"
PAYLOAD_TYPE = "application/vnd.in-toto+json"
FILES = {"config.json": b"{}", "model.safetensors": b"weights"}
SIGNING_KEY = ec.derive_private_key(11, ec.SECP256R1())


def resource(name: str, data: bytes) -> dict[str, str]:
    """Return the entry of a file that is signed whole."""
    return {"name": name, "algorithm": "sha256", "digest": hashlib.sha256(data).hexdigest()}


def statement_of(resources: Sequence[Mapping[str, str]], **serialization: object) -> dict[str, Any]:
    """Return the statement over `resources`. Arguments change members of `serialization`."""
    root = hashlib.sha256(b"".join(bytes.fromhex(one["digest"]) for one in resources)).hexdigest()
    members = {"method": "files", "hash_type": "sha256", "allow_symlinks": False, "ignore_paths": [".git"]}
    return {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": "model", "digest": {"sha256": root}}],
        "predicateType": "https://model_signing/signature/v1.0",
        "predicate": {"serialization": members | serialization, "resources": list(resources)},
    }


def statement_over(files: Mapping[str, bytes]) -> dict[str, Any]:
    """Return the statement over whole files, in the order of their names."""
    return statement_of([resource(name, files[name]) for name in sorted(files)])


def pae_of(payload: bytes, kind: str = PAYLOAD_TYPE) -> bytes:
    """Return the bytes that a DSSE signature covers."""
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind.encode(), len(payload), payload)


def signed_by(key: ec.EllipticCurvePrivateKey, statement: object) -> tuple[bytes, bytes]:
    """Return payload and signature (ECDSA with SHA-256)."""
    payload = json.dumps(statement).encode()
    return payload, key.sign(pae_of(payload), ec.ECDSA(SHA256()))


def bundle_of(payload: bytes, signature: bytes, material: Mapping[str, Any]) -> dict[str, Any]:
    """Return a bundle with one envelope."""
    return {
        "mediaType": BUNDLE_TYPE,
        "verificationMaterial": dict(material),
        "dsseEnvelope": {
            "payload": base64.b64encode(payload).decode(),
            "payloadType": PAYLOAD_TYPE,
            "signatures": [{"sig": base64.b64encode(signature).decode(), "keyid": ""}],
        },
    }


def pem_of(key: ec.EllipticCurvePrivateKey) -> bytes:
    """Return the public key in PEM."""
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def key_bundle(files: Mapping[str, bytes] = FILES, statement: object = None) -> dict[str, Any]:
    """Return a bundle of the method `key` over files or another statement, signed with SIGNING_KEY."""
    hint = hashlib.sha256(pem_of(SIGNING_KEY)).hexdigest()
    payload, signature = signed_by(SIGNING_KEY, statement or statement_over(files))
    return bundle_of(payload, signature, {"publicKey": {"hint": hint}, "tlogEntries": []})


def write_files(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write files, with the folders above them."""
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)

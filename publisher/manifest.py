"""Write and sign a manifest. `verifier.manifest` defines its format and has the strict reader."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

import rfc8785
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from provenance_oracle.verifier.digest.files import FileSet
from provenance_oracle.verifier.digest.tree.fsverity import FileDigest
from provenance_oracle.verifier.errors import UsageError
from provenance_oracle.verifier.manifest.dsse import PAYLOAD_TYPE, pae
from provenance_oracle.verifier.manifest.key import PublicKey, parse_public_key
from provenance_oracle.verifier.manifest.statement import (
    BUILD_TYPE,
    BUILDER_ID,
    FSVERITY,
    PREDICATE_TYPE,
    PUBLISHER,
    SHA256,
    SNP_REPORT,
    STATEMENT_TYPE,
    Dependency,
    parse_statement,
)
from provenance_oracle.verifier.strict.timestamps import format_time

PrivateKey = EllipticCurvePrivateKey | Ed25519PrivateKey


@dataclass(frozen=True)
class Build:
    """The job's own statements: the model's name and version, its dependencies, and the times of the job (aware).

    `parameters` are further `externalParameters`, such as `method`: JSON values without floats. `publisher` is the line
    of the identity that signs the release too; empty if nobody does.
    """

    name: str
    version: str
    sources: tuple[Dependency, ...] = ()
    parameters: Mapping[str, object] = field(default_factory=dict)
    started_at: datetime | None = None
    finished_at: datetime | None = None
    publisher: str = ""


def public_key_of(key: PrivateKey) -> tuple[bytes, PublicKey]:
    """Return the public key as PEM, for `provenance/cvm-key.pem`, and as the verifier parses it.

    Raises:
        FormatError: the key is neither ECDSA on P-256 or P-384 nor Ed25519 (check `key-binding`).
    """
    pem = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return pem, parse_public_key(pem, "private key")


def make_statement(files: FileSet, build: Build, report_digest: bytes) -> bytes:
    """Return the manifest's payload for files and their job: an in-toto Statement v1 in RFC 8785 form.

    Args:
        report_digest: SHA-256 of the signed part of the attestation report, 32 bytes.

    Raises:
        UsageError: `build.parameters` have a value that JSON cannot express.
        FormatError: a verifier would refuse the manifest for a name, a version, or having no files (check
            `manifest-format`).
    """
    statement = {
        "_type": STATEMENT_TYPE,
        "subject": [_subject(file) for file in files.files],
        "predicateType": PREDICATE_TYPE,
        "predicate": {
            "buildDefinition": {
                "buildType": BUILD_TYPE,
                "externalParameters": {**build.parameters, "name": build.name, "version": build.version},
                "internalParameters": _internal(build, report_digest),
                "resolvedDependencies": [_dependency(dependency) for dependency in build.sources],
            },
            "runDetails": {"builder": {"id": BUILDER_ID}, "metadata": _metadata(build)},
        },
    }
    try:
        payload = rfc8785.dumps(statement)  # type: ignore[arg-type]  # its JSON type is invariant in dict
    except (rfc8785.CanonicalizationError, RecursionError) as error:
        raise UsageError(
            "the parameters cannot be expressed in JSON",
            where="manifest parameters",
            got=str(error),
            wanted="strings, integers, lists",
        ) from error
    parse_statement(payload, "new manifest")
    return payload


def _subject(file: FileDigest) -> dict[str, object]:
    digest = {FSVERITY: file.fsverity.hex()}
    if file.sha256 is not None:
        digest[SHA256] = file.sha256.hex()
    return {"name": file.path, "digest": digest, "annotations": {"size": file.size}}


def _internal(build: Build, report_digest: bytes) -> dict[str, object]:
    publisher = {PUBLISHER: {"identity": build.publisher}} if build.publisher else {}
    return {SNP_REPORT: {SHA256: report_digest.hex()}, **publisher}


def _dependency(dependency: Dependency) -> dict[str, object]:
    annotations = {"role": dependency.role.value, "relation": dependency.relation}
    entry = {
        "name": dependency.name,
        "uri": dependency.uri,
        "digest": {algorithm: digest.hex() for algorithm, digest in dependency.digests},
        "annotations": {key: text for key, text in annotations.items() if text},
    }
    return {key: value for key, value in entry.items() if value}


def _metadata(build: Build) -> dict[str, str]:
    metadata = {
        "startedOn": format_time(build.started_at) if build.started_at else "",
        "finishedOn": format_time(build.finished_at) if build.finished_at else "",
    }
    return {key: text for key, text in metadata.items() if text}


def sign_statement(payload: bytes, key: PrivateKey) -> bytes:
    """Return the DSSE envelope of `payload`, signed by the VM's key, as compact JSON.

    Raises:
        FormatError: the key is neither ECDSA on P-256 or P-384 nor Ed25519 (check `key-binding`).
    """
    public_key_of(key)
    envelope = {
        "payload": base64.b64encode(payload).decode(),
        "payloadType": PAYLOAD_TYPE,
        "signatures": [{"sig": base64.b64encode(_sign(pae(PAYLOAD_TYPE, payload), key)).decode()}],
    }
    return json.dumps(envelope, sort_keys=True, separators=(",", ":")).encode()


def _sign(message: bytes, key: PrivateKey) -> bytes:
    if isinstance(key, Ed25519PrivateKey):
        return key.sign(message)
    return key.sign(message, ECDSA(hashes.SHA256() if isinstance(key.curve, SECP256R1) else hashes.SHA384()))

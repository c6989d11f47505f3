"""Entries of sigstore's transparency log, Rekor v1 and v2, as a bundle holds them. Parsing only.

Format: TransparencyLogEntry (https://github.com/sigstore/protobuf-specs, sigstore_rekor.proto) in protobuf's JSON form,
where 64-bit integers are strings.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from provenance_oracle.verifier.strict.parse_json import MAX_INTEGER, Fields, canonical_base64

_DIGITS = re.compile("0|[1-9][0-9]{0,18}")
_BODY_MAX_BYTES = 1 << 20
_HASHES_MAX = 64  # a proof in a tree of 2^64 leaves
_DIGEST_BYTES = 32
_LOG_ID_MAX_BYTES = 64
_SIGNATURE_MAX_BYTES = 1024
_SECONDS_MAX = 1 << 37  # beyond the year 6000
_CHECKPOINT_MAX_CHARS = 64 << 10


@dataclass(frozen=True)
class LogEntry:
    """An entry of the log. Nothing in it is trusted.

    Attributes:
        log_id: the id of the log.
        kind: the kind and version of the body, such as `dsse 0.0.1`.
        index: the index in all shards of the log.
        integrated_seconds: the time of the entry in seconds since 1970; 0 if there is none.
        promise: the signed entry timestamp (SET); empty if there is none.
        proof_index, tree_size, root, checkpoint: of the proof of inclusion.
    """

    log_id: bytes
    kind: str
    index: int
    integrated_seconds: int
    promise: bytes
    body: bytes
    proof_index: int
    tree_size: int
    root: bytes
    checkpoint: str


def parse_log_entry(fields: Fields) -> LogEntry:
    """Parse an entry with its proof of inclusion and checkpoint.

    Raises:
        FormatError: the entry breaks a rule of this module.
    """
    log_id = fields.fields("logId")
    kind = fields.fields("kindVersion")
    proof = fields.fields("inclusionProof")
    checkpoint = proof.fields("checkpoint")
    promise = fields.optional_fields("inclusionPromise")
    _refuse_other_hashes(proof)
    entry = LogEntry(
        log_id=log_id.base64_bytes("keyId", max_bytes=_LOG_ID_MAX_BYTES),
        kind=f"{kind.text('kind', max_chars=32)} {kind.text('version', max_chars=32)}",
        index=_number(fields, "logIndex"),
        integrated_seconds=_number(fields, "integratedTime", _SECONDS_MAX) if "integratedTime" in fields else 0,
        promise=_promise(promise) if promise else b"",
        body=fields.base64_bytes("canonicalizedBody", max_bytes=_BODY_MAX_BYTES),
        proof_index=_number(proof, "logIndex"),
        tree_size=_number(proof, "treeSize"),
        root=_root(proof),
        checkpoint=checkpoint.text("envelope", max_chars=_CHECKPOINT_MAX_CHARS),
    )
    for part in (log_id, kind, checkpoint, proof, *([promise] if promise else []), fields):
        part.finish()
    return entry


def _number(fields: Fields, key: str, most: int = MAX_INTEGER) -> int:
    text = fields.text(key, max_chars=20)
    if not _DIGITS.fullmatch(text) or int(text) > most:
        raise fields.error(key, "not a number", got=text, wanted="decimal digits of a 64-bit integer, as a string")
    return int(text)


def _root(proof: Fields) -> bytes:
    root = proof.base64_bytes("rootHash", max_bytes=_DIGEST_BYTES)
    if len(root) != _DIGEST_BYTES:
        raise proof.error("rootHash", "not a digest", got=f"{len(root)} bytes", wanted=f"{_DIGEST_BYTES} bytes")
    return root


def _promise(fields: Fields) -> bytes:
    promise = fields.base64_bytes("signedEntryTimestamp", max_bytes=_SIGNATURE_MAX_BYTES)
    if not promise:  # an entry without a promise has no such object
        raise fields.error("signedEntryTimestamp", "empty", got="no bytes", wanted="a signature")
    return promise


def _refuse_other_hashes(proof: Fields) -> None:
    """Take an optional list of at most 64 digests. sigstore-python reads them from the bundle, and less strictly."""
    value = proof.value("hashes") if "hashes" in proof else []
    if not isinstance(value, list) or len(value) > _HASHES_MAX:
        raise proof.error("hashes", "not a list of digests", got=type(value).__name__, wanted=f"at most {_HASHES_MAX}")
    for index, text in enumerate(value):
        digest = canonical_base64(text) if isinstance(text, str) else None
        if digest is None or len(digest) != _DIGEST_BYTES:
            wanted = f"{_DIGEST_BYTES} bytes in canonical base64"
            raise proof.error(f"hashes[{index}]", "not a digest", got=str(text)[:100], wanted=wanted)

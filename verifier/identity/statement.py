"""The payload of a model's signature: the files that the signer vouches for. Call this after the signature holds.

Format: in-toto Statement v1 with the predicate of OpenSSF model signing v1.0
(https://github.com/ossf/model-signing-spec, spec/v1.0.md). Names may be ordered by code points, as the specification
says, or by path components and offset, as the reference signer does. `shard_size` may be `1000.0`, which that signer
writes. Everything else that the specification does not define is refused.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.identity.bundle import BUNDLE_MAX_BYTES
from provenance_oracle.verifier.manifest.names import parse_path, refuse_collisions
from provenance_oracle.verifier.manifest.statement import STATEMENT_TYPE
from provenance_oracle.verifier.strict.parse_json import Fields, parse_json

SIGNATURE_PREDICATE = "https://model_signing/signature/v1.0"
OLD_PREDICATE = "https://model_signing/Digests/v0.1"
ONE_FILE = "."  # the name that a signer gives to a model of one file
# The digests that a signer may choose, and their sizes in bytes.
PART_DIGESTS = {"sha256": 32, "blake2b": 64, "blake3": 32}

_PARTS_MAX = 250_000
_IGNORED_MAX = 1024
_NAME_MAX_CHARS = 4096 + 40
_SHARD = re.compile("(.*):(0|[1-9][0-9]{0,18}):([1-9][0-9]{0,18})", re.DOTALL)
_NO_IGNORED = re.compile(r"[*?\[\\]|(?:^|/)(?:\.{0,2})(?:/|$)")


@dataclass(frozen=True)
class SignedPart:
    """A file, or the bytes of a file from `start` up to `end`, and their digest. `end` is None for a whole file."""

    path: str
    digest: bytes
    start: int = 0
    end: int | None = None


@dataclass(frozen=True)
class SignedFiles:
    """The files that a signer vouches for.

    Attributes:
        parts: in the signer's order, at least one.
        algorithm: one of PART_DIGESTS.
        shard_size: the size of a shard in bytes; None if the files are signed whole.
        ignored: the paths that the signer says are left out. They have no effect here.
        root: SHA-256 of all digests in the signer's order, 32 bytes. It binds no names.
        payload_digest: SHA-256 of the payload, 32 bytes.
        is_old: the payload has the predicate of version 0.1.
    """

    parts: tuple[SignedPart, ...]
    algorithm: str
    shard_size: int | None
    ignored: tuple[str, ...]
    root: bytes
    payload_digest: bytes
    is_old: bool = False

    @property
    def paths(self) -> tuple[str, ...]:
        """The path of each file, once."""
        return tuple(dict.fromkeys(part.path for part in self.parts))


def parse_signed_files(payload: bytes, where: str, *, allow_old: bool = False) -> SignedFiles:
    """Parse the payload of a model's signature.

    Args:
        where: the name of the bundle, for messages.
        allow_old: accept the predicate of version 0.1 too, which later versions replaced.

    Raises:
        FormatError: the payload breaks a rule of this module (check `publisher-signature`).
    """
    value = parse_json(
        payload,
        where=where,
        check=Check.PUBLISHER_SIGNATURE,
        max_bytes=BUNDLE_MAX_BYTES,
        whole_floats=True,
    )
    fields = Fields(value, where=where, check=Check.PUBLISHER_SIGNATURE, path="payload")
    fields.constant("_type", STATEMENT_TYPE)
    predicate_type = fields.text("predicateType")
    if predicate_type == OLD_PREDICATE and allow_old:
        return _old(fields, where, payload)
    if predicate_type != SIGNATURE_PREDICATE:
        raise fields.error("predicateType", "unknown value", got=predicate_type, wanted=SIGNATURE_PREDICATE)
    (subject,) = fields.fields_list("subject", minimum=1, maximum=1)
    subject.text("name")  # a name for people; it binds nothing
    digests = subject.fields("digest")
    root = digests.hex_bytes("sha256", 32)
    predicate = fields.fields("predicate")
    serialization = predicate.fields("serialization")
    algorithm, shard_size, ignored = _serialization(serialization)
    resources = predicate.fields_list("resources", minimum=1, maximum=_PARTS_MAX)
    parts = tuple(_part(resource, algorithm, shard_size, where) for resource in resources)
    for part in (digests, subject, serialization, predicate, fields):
        part.finish()
    _match_root(fields, root, parts)
    _refuse_names(fields, where, parts)
    if shard_size is not None:
        _refuse_gaps_between_shards(fields, parts, shard_size)
    return SignedFiles(parts, algorithm, shard_size, ignored, root, hashlib.sha256(payload).digest())


def _serialization(fields: Fields) -> tuple[str, int | None, tuple[str, ...]]:
    method = fields.text("method")
    if method not in ("files", "shards"):
        raise fields.error("method", "unknown value", got=method, wanted="files or shards")
    algorithm = fields.text("hash_type")
    if algorithm not in PART_DIGESTS:
        raise fields.error("hash_type", "unknown value", got=algorithm, wanted=" or ".join(PART_DIGESTS))
    if fields.value("allow_symlinks") is not False:
        raise fields.error("allow_symlinks", "links are not allowed", got="another value", wanted="false")
    ignored = fields.value("ignore_paths") if "ignore_paths" in fields else []
    if not isinstance(ignored, list) or len(ignored) > _IGNORED_MAX:
        raise fields.error("ignore_paths", "not a list", got=type(ignored).__name__, wanted=f"at most {_IGNORED_MAX}")
    for path in ignored:
        if not isinstance(path, str) or _NO_IGNORED.search(path):
            wanted = "a relative path without dot segments and wildcards"
            raise fields.error("ignore_paths", "not a path", got=str(path)[:200], wanted=wanted)
    shard_size = fields.integer("shard_size", minimum=1) if method == "shards" else None
    return algorithm, shard_size, tuple(ignored)


def _part(fields: Fields, algorithm: str, shard_size: int | None, where: str) -> SignedPart:
    name = fields.text("name", max_chars=_NAME_MAX_CHARS)
    fields.constant("algorithm", algorithm)
    digest = fields.hex_bytes("digest", PART_DIGESTS[algorithm])
    fields.finish()
    if shard_size is None:
        return SignedPart(_path(name, where), digest)
    shard = _SHARD.fullmatch(name)
    if not shard:
        raise fields.error("name", "not the name of a shard", got=name, wanted="PATH:START:END")
    return SignedPart(_path(shard[1], where), digest, int(shard[2]), int(shard[3]))


def _path(name: str, where: str) -> str:
    if name == ONE_FILE:
        return name
    return parse_path(name, where=where, check=Check.PUBLISHER_SIGNATURE, in_provenance=True)


def _match_root(fields: Fields, root: bytes, parts: Sequence[SignedPart]) -> None:
    found = hashlib.sha256(b"".join(part.digest for part in parts)).digest()
    if found != root:
        raise fields.error(
            "subject[0].digest.sha256", "not the digest of the resources", got=root.hex(), wanted=found.hex()
        )


def _refuse_names(fields: Fields, where: str, parts: Sequence[SignedPart]) -> None:
    """Refuse a name that occurs twice, names that collide, and names in an order that no signer writes."""
    names = [part.path if part.end is None else f"{part.path}:{part.start}:{part.end}" for part in parts]
    if len(set(names)) != len(names):
        twice = Counter(names).most_common(1)[0][0]
        raise fields.error("predicate.resources", "a name occurs twice", got=twice, wanted="each name once")
    paths = list(dict.fromkeys(part.path for part in parts))
    if ONE_FILE in paths and len(paths) > 1:
        raise fields.error("predicate.resources", "not a path", got=ONE_FILE, wanted="names of files")
    refuse_collisions(paths, where=where, check=Check.PUBLISHER_SIGNATURE)
    keys = [(part.path.split("/"), part.start) for part in parts]
    if names != sorted(names) and keys != sorted(keys):
        got = next(after for before, after in pairwise(names) if after < before)
        raise fields.error(
            "predicate.resources", "the names are out of order", got=got, wanted="by code point, or by path component"
        )


def _refuse_gaps_between_shards(fields: Fields, parts: Sequence[SignedPart], shard_size: int) -> None:
    """Refuse shards that do not follow each other from the first byte on, or are not of the stated size."""
    end_of: dict[str, int] = {}
    for part in sorted(parts, key=lambda part: (part.path, part.start)):
        end = part.end or 0
        size = end - part.start
        if part.start != end_of.get(part.path, 0) or part.start % shard_size or not 0 < size <= shard_size:
            got = f"{part.path}:{part.start}:{part.end}"
            wanted = f"shards of {shard_size} bytes that follow each other"
            raise fields.error("predicate.resources", "the shards have gaps", got=got, wanted=wanted)
        end_of[part.path] = end


def _old(fields: Fields, where: str, payload: bytes) -> SignedFiles:
    """Parse the payload of version 0.1, where each file is a subject."""
    parts = []
    for subject in fields.fields_list("subject", minimum=1, maximum=_PARTS_MAX):
        path = _path(subject.text("name", max_chars=_NAME_MAX_CHARS), where)
        digests = subject.fields("digest")
        parts.append(SignedPart(path, digests.hex_bytes("sha256", 32)))
        digests.finish()
        if notes := subject.optional_fields("annotations"):
            notes.constant("actual_hash_algorithm", "file-sha256")
            notes.finish()
        subject.finish()
    predicate = fields.fields("predicate")
    predicate.optional_text("unused")
    predicate.finish()
    fields.finish()
    _refuse_names(fields, where, parts)
    root = hashlib.sha256(b"".join(part.digest for part in parts)).digest()
    return SignedFiles(tuple(parts), "sha256", None, (), root, hashlib.sha256(payload).digest(), is_old=True)

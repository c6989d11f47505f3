"""The manifest: an in-toto Statement whose subjects are a model's files and whose predicate is SLSA provenance.

Formats: in-toto Statement v1 and ResourceDescriptor v1 (https://github.com/in-toto/attestation, spec/v1) and SLSA
provenance v1 (https://slsa.dev/spec/v1.2/build-provenance). This module is narrower than the formats: it refuses
unknown keys in every object whose keys a format defines, and a subject may only have digests that are checked.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from provenance_oracle.verifier.characters import some_characters, unacceptable_in
from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.errors import VerificationError
from provenance_oracle.verifier.manifest.dsse import MANIFEST_PATH, MAX_ENVELOPE_BYTES
from provenance_oracle.verifier.manifest.names import (
    may_hold_code,
    parse_model_name,
    parse_path,
    parse_version,
    refuse_collisions,
)
from provenance_oracle.verifier.strict.parse_json import Fields, parse_json

STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE = "https://slsa.dev/provenance/v1"
BUILD_TYPE = "tag:provenance-oracle,2026:cvm-fine-tune/v1"
BUILDER_ID = "tag:provenance-oracle,2026:sev-snp-cvm/v1"
FSVERITY = "fsverity_sha256_4096"
SHA256 = "sha256"
MODEL_DIGEST = "provenance_model_v1"
MANIFEST_DIGEST = "provenance_manifest_v1"  # SHA-256 of a release's signed payload
# In internalParameters: {"snpReport": {"sha256": ...}}, the SHA-256 of bytes [0, 0x2A0) of the report, its signed part.
SNP_REPORT = "snpReport"
# In internalParameters: {"publisher": {"identity": LINE}}, the publisher who must have signed the release too.
PUBLISHER = "publisher"
DATASET_DIGEST = "provenance_dataset_v1"
MAX_FILES = 100_000

_MAX_DEPENDENCIES = 10_000
_MAX_OPAQUE_CHARS = 64 * 1024
_MAX_LINE_CHARS = 2048
_MAX_DIGEST_BYTES = 64
_HEX = re.compile("(?:[0-9a-f]{2})+")
_ALGORITHM = re.compile("[A-Za-z][A-Za-z0-9_]{0,63}")
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,6})?Z")
# Lengths in bytes of known digests of dependencies. Other digests, under in-toto's names, may have up to 64 bytes.
DIGEST_SIZES = {
    SHA256: 32,
    FSVERITY: 32,
    MODEL_DIGEST: 32,
    MANIFEST_DIGEST: 32,
    DATASET_DIGEST: 32,
    "sha384": 48,
    "sha512": 64,
}


class Role(StrEnum):
    """The role of a dependency in the job, as `annotations.role` states it."""

    BASE_MODEL = "base-model"
    ADAPTER = "adapter"
    DATASET = "dataset"
    CODE = "code"
    IMAGE = "image"


@dataclass(frozen=True)
class ManifestFile:
    """One model file as the manifest names it.

    `size` is in bytes. `fsverity` (fs-verity digest) and `sha256` have 32 bytes each; at least one of them is set.
    """

    path: str
    size: int
    fsverity: bytes | None
    sha256: bytes | None


@dataclass(frozen=True)
class Dependency:
    """A dependency: something that the job consumed.

    `digests` has one or more (algorithm, bytes) pairs. `name`, `uri` and `relation` are empty if not given; at least
    one of `name` and `uri` is set.
    """

    role: Role
    name: str
    uri: str
    digests: tuple[tuple[str, bytes], ...]
    relation: str


@dataclass(frozen=True)
class Manifest:
    """The statement that the VM's key signed.

    `digest` is the SHA-256 of the payload as received, 32 bytes. `started_at` and `finished_at` are in UTC.

    `report_digest` is the SHA-256 of the signed part of the only report that belongs to the manifest, or None if the
    manifest names no report. Without it, the owner of any VM can replace the report by one of their own for the same
    public key, and the release keeps its identity.

    `publisher` is the line of the identity that must have signed `provenance/model.sig`; empty if the manifest names
    no publisher. Without it, the owner of any VM can put files that a publisher signed under another name.
    """

    name: str
    version: str
    files: tuple[ManifestFile, ...]
    dependencies: tuple[Dependency, ...]
    report_digest: bytes | None
    publisher: str
    builder: str
    invocation_id: str
    started_at: datetime | None
    finished_at: datetime | None
    digest: bytes

    @property
    def namespace(self) -> str:
        """The part of the name before the slash."""
        return self.name.partition("/")[0]

    @property
    def paths(self) -> frozenset[str]:
        """Paths of all files."""
        return frozenset(file.path for file in self.files)

    @property
    def sha256_paths(self) -> frozenset[str]:
        """Paths of the files for which the manifest states a SHA-256 of the whole file, which must then be computed."""
        return frozenset(file.path for file in self.files if file.sha256 is not None)

    @property
    def has_code(self) -> bool:
        """Whether the name of any file is that of a file that can run code; `names.may_hold_code` states the limits."""
        return any(may_hold_code(file.path) for file in self.files)


def parse_statement(payload: bytes, where: str = MANIFEST_PATH) -> Manifest:
    """Parse the payload of an envelope into a manifest.

    Pass only a payload that `dsse.verify_envelope` returned; this function verifies no signature. A payload may have at
    most 64 MiB, 100,000 files and 10,000 dependencies. `where` names the envelope in messages.

    Raises:
        FormatError: the payload breaks a rule of this module or of `names` (check `manifest-format`).
    """
    value = parse_json(payload, where=where, check=Check.MANIFEST_FORMAT, max_bytes=MAX_ENVELOPE_BYTES)
    statement = Fields(value, where=where, check=Check.MANIFEST_FORMAT)
    statement.constant("_type", STATEMENT_TYPE)
    statement.constant("predicateType", PREDICATE_TYPE)
    files = _files(statement.fields_list("subject", minimum=1, maximum=MAX_FILES), where)
    predicate = statement.fields("predicate")
    statement.finish()
    definition = predicate.fields("buildDefinition")
    details = predicate.fields("runDetails")
    predicate.finish()
    name, version, dependencies, (report_digest, publisher) = _build_definition(definition)
    invocation_id, started_at, finished_at = _run_details(details)
    return Manifest(
        name=name,
        version=version,
        files=files,
        dependencies=dependencies,
        report_digest=report_digest,
        publisher=publisher,
        builder=BUILDER_ID,
        invocation_id=invocation_id,
        started_at=started_at,
        finished_at=finished_at,
        digest=hashlib.sha256(payload).digest(),
    )


def match_report(manifest: Manifest, report_digest: bytes, where: str = MANIFEST_PATH) -> None:
    """Compare the report of a release with the report that its manifest names. Do nothing if it names none.

    Args:
        report_digest: the SHA-256 of the report's signed part, 32 bytes.
        where: the name of the manifest, for messages.

    Raises:
        VerificationError: the manifest names another report (check `key-binding`).
    """
    if manifest.report_digest is not None and manifest.report_digest != report_digest:
        raise VerificationError(
            "the report is not the one that the manifest names",
            check=Check.KEY_BINDING,
            where=where,
            got=report_digest.hex(),
            wanted=manifest.report_digest.hex(),
        )


def _files(subjects: Sequence[Fields], where: str) -> tuple[ManifestFile, ...]:
    files = tuple(_file(subject) for subject in subjects)
    refuse_collisions((file.path for file in files), where=where, check=Check.MANIFEST_FORMAT)
    return files


def _file(subject: Fields) -> ManifestFile:
    name = subject.text("name", max_chars=4096)
    path = parse_path(name, where=subject.where("name"), check=Check.MANIFEST_FORMAT)
    digests = subject.fields("digest")
    fsverity, sha256 = digests.optional_hex_bytes(FSVERITY, 32), digests.optional_hex_bytes(SHA256, 32)
    if fsverity is None and sha256 is None:
        raise digests.error("", "no digest", got="neither", wanted=f"{FSVERITY} or {SHA256}")
    digests.finish()
    annotations = subject.fields("annotations")
    size = annotations.integer("size")
    annotations.pass_over_rest(max_chars=_MAX_OPAQUE_CHARS)
    subject.finish()
    return ManifestFile(path, size, fsverity, sha256)


def _build_definition(definition: Fields) -> tuple[str, str, tuple[Dependency, ...], tuple[bytes | None, str]]:
    definition.constant("buildType", BUILD_TYPE)
    parameters = definition.fields("externalParameters")
    name = parse_model_name(parameters.text("name"), parameters.where("name"))
    version = parse_version(parameters.text("version"), parameters.where("version"))
    parameters.pass_over_rest(max_chars=_MAX_OPAQUE_CHARS)
    internal = _internal_parameters(definition.optional_fields("internalParameters"))
    entries: Sequence[Fields] = ()
    if "resolvedDependencies" in definition:
        entries = definition.fields_list("resolvedDependencies", maximum=_MAX_DEPENDENCIES)
    definition.finish()
    return name, version, tuple(_dependency(entry) for entry in entries), internal


def _internal_parameters(internal: Fields | None) -> tuple[bytes | None, str]:
    """Return the digest of the report and the line of the publisher that the manifest names: None and "" if none."""
    if internal is None:
        return None, ""
    report, publisher = internal.optional_fields(SNP_REPORT), internal.optional_fields(PUBLISHER)
    internal.pass_over_rest(max_chars=_MAX_OPAQUE_CHARS)
    digest, line = None, ""
    if report is not None:
        digest = report.hex_bytes(SHA256, 32)
        report.finish()
    if publisher is not None:
        line = _line(publisher, "identity", publisher.text("identity", max_chars=_MAX_LINE_CHARS))
        if not line:
            raise publisher.error("identity", "names nobody", got="an empty line", wanted="the line of an identity")
        publisher.finish()
    return digest, line


def _dependency(entry: Fields) -> Dependency:
    name, uri = _optional_line(entry, "name"), _optional_line(entry, "uri")
    if not name and not uri:
        raise entry.error("", "a dependency without name and uri", got="neither", wanted="name or uri")
    digests = _digest_set(entry.fields("digest"))
    annotations = entry.fields("annotations")
    role = annotations.text("role")
    if role not in list(Role):
        raise annotations.error("role", "unknown role", got=role, wanted="one of " + ", ".join(Role))
    relation = _optional_line(annotations, "relation")
    annotations.pass_over_rest(max_chars=_MAX_OPAQUE_CHARS)
    entry.pass_over("downloadLocation", "mediaType", max_chars=_MAX_OPAQUE_CHARS)
    entry.finish()
    return Dependency(Role(role), name, uri, digests, relation)


def _digest_set(digests: Fields) -> tuple[tuple[str, bytes], ...]:
    if not digests.keys:
        raise digests.error("", "no digest", got="an empty object", wanted="one digest or more")
    return tuple((algorithm, _digest(digests, algorithm)) for algorithm in digests.keys)


def _digest(digests: Fields, algorithm: str) -> bytes:
    if not _ALGORITHM.fullmatch(algorithm):
        raise digests.error("", "not the name of a digest", got=algorithm, wanted="ASCII letters, digits and _")
    text = digests.text(algorithm, max_chars=2 * _MAX_DIGEST_BYTES)
    size = DIGEST_SIZES.get(algorithm, len(text) // 2)
    if not _HEX.fullmatch(text) or len(text) != 2 * size:
        wanted = f"{2 * size} lower-case hex digits" if algorithm in DIGEST_SIZES else "lower-case hex"
        raise digests.error(algorithm, "not a digest", got=text, wanted=wanted)
    return bytes.fromhex(text)


def _run_details(details: Fields) -> tuple[str, datetime | None, datetime | None]:
    builder = details.fields("builder")
    builder.constant("id", BUILDER_ID)
    builder.pass_over("version", "builderDependencies", max_chars=_MAX_OPAQUE_CHARS)
    builder.finish()
    details.pass_over("byproducts", max_chars=_MAX_OPAQUE_CHARS)
    metadata = details.optional_fields("metadata")
    details.finish()
    if metadata is None:
        return "", None, None
    invocation_id = _optional_line(metadata, "invocationId")
    started_at, finished_at = _optional_time(metadata, "startedOn"), _optional_time(metadata, "finishedOn")
    metadata.finish()
    if started_at and finished_at and finished_at < started_at:
        raise metadata.error(
            "finishedOn", "ends before it starts", got=str(finished_at), wanted=f"{started_at} or later"
        )
    return invocation_id, started_at, finished_at


def _optional_line(fields: Fields, key: str) -> str:
    """Take an optional text that is shown to people: one printable line."""
    return _line(fields, key, fields.optional_text(key, max_chars=_MAX_LINE_CHARS) or "")


def _line(fields: Fields, key: str, text: str) -> str:
    if unacceptable := unacceptable_in(text):
        problem = f"unprintable characters: {some_characters(unacceptable)}"
        raise fields.error(key, problem, got=text, wanted="one line without control and invisible characters")
    return text


def _optional_time(fields: Fields, key: str) -> datetime | None:
    text = fields.optional_text(key)
    if text is None:
        return None
    try:
        if _TIME.fullmatch(text):
            return datetime.fromisoformat(text).astimezone(UTC)
    except ValueError:
        pass  # the form is right, but there is no such day or hour
    raise fields.error(key, "not a moment", got=text, wanted="RFC 3339 in UTC, as 2026-11-20T10:00:00Z")

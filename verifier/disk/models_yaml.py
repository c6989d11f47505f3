"""Parse Privatemode's list of published disks, `models.yaml`: a ConfigMap whose values are JSON objects in strings.

Source: edgelesssys/privatemode-public, models.yaml and verity/verity.sh at v1.40.0.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.disk.allocator import DISK_BLOCK_BYTES
from provenance_oracle.verifier.disk.disk_digest import DiskDigest
from provenance_oracle.verifier.errors import UsageError, VerificationError, malformed
from provenance_oracle.verifier.strict.parse_json import Fields, parse_json
from provenance_oracle.verifier.strict.parse_yaml import ShallowFlow

MODELS_YAML_MAX_BYTES = 512 * 1024
_MAX_ENTRY_BYTES = 32 * 1024
_MAX_TEXT_CHARS = 8192
_CHECK = Check.FILE_DIGESTS


@dataclass(frozen=True)
class PublishedDisk:
    """One published disk.

    `model_source` and `commit_hash` are claims of the publisher: no digest of the files can confirm them. `root` and
    `file_sha256` have 32 bytes. `hash_offset` is in bytes. `where` names the entry in messages.
    """

    where: str
    model_source: str
    commit_hash: str
    excluded_files: str
    root: bytes
    hash_offset: int
    erofs_version: str
    veritysetup_version: str
    file_sha256: bytes

    def match_hash_offset(self, hash_offset: int) -> None:
        """Compare the offset, which depends on names and sizes only, so that no content has to be read.

        Raises:
            VerificationError: the offset differs, so names, sizes or excluded files differ (check `file-digests`).
        """
        if hash_offset != self.hash_offset:
            raise self._differs("hash_offset", str(hash_offset), str(self.hash_offset))

    def match(self, digests: Sequence[DiskDigest]) -> DiskDigest:
        """Return the variant that was published. The file hash is compared only if it was computed.

        Raises:
            VerificationError: no variant was published; the error names the first field that differs (check
                `file-digests`).
        """
        for digest in digests:
            self.match_hash_offset(digest.hash_offset)
            if digest.root != self.root:
                continue
            if digest.file_sha256 is not None and digest.file_sha256 != self.file_sha256:
                raise self._differs("file_hash_sha256", digest.file_sha256.hex(), self.file_sha256.hex())
            return digest
        got = ", ".join(f"{digest.root.hex()} ({digest.layout})" for digest in digests)
        raise self._differs("root_hash", got, f"{self.root.hex()}, made with erofs-utils {self.erofs_version}")

    def _differs(self, field: str, got: str, wanted: str) -> VerificationError:
        return VerificationError(f"{field} differs", check=_CHECK, where=self.where, got=got, wanted=wanted)


def parse_models_yaml(data: bytes, where: str = "models.yaml") -> dict[str, PublishedDisk]:
    """Parse a list of at most 512 KiB into entries by id. `where` names the file in messages.

    Raises:
        FormatError: the data is not plain YAML, not a ConfigMap with entries, or an entry is malformed or has the id of
            another model (check `file-digests`).
    """
    if len(data) > MODELS_YAML_MAX_BYTES:
        raise malformed(_CHECK, "too large", where, f"{len(data)} bytes", f"at most {MODELS_YAML_MAX_BYTES}")
    try:
        document = yaml.load(data.decode("utf-8"), _Loader)  # noqa: S506 (builds text, lists and mappings only)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        got = " ".join(str(error).split())[:200]
        raise malformed(
            _CHECK, "not plain YAML", where, got, "one document without aliases or repeated keys"
        ) from error
    entries = document.get("data") if isinstance(document, dict) and document.get("kind") == "ConfigMap" else None
    if not isinstance(entries, dict) or not entries:
        raise malformed(_CHECK, "not a list of model disks", where, "something else", "a ConfigMap with data")
    return {str(name): _entry(name, text, where) for name, text in entries.items()}


def parse_published_disk(data: bytes, where: str) -> PublishedDisk:
    """Parse one entry, or the JSON file beside an image. `where` names it in messages.

    Raises:
        FormatError: the data is not strict JSON, or a field is missing, unknown, or not in the form that the build
            script writes (check `file-digests`).
    """
    value = parse_json(data, where=where, check=_CHECK, max_bytes=_MAX_ENTRY_BYTES, max_depth=2)
    fields = Fields(value, where=where, check=_CHECK)
    disk = PublishedDisk(
        where=where,
        model_source=_text(fields, "model_source", r"https://[A-Za-z0-9.:-]+/[A-Za-z0-9._/-]+"),
        commit_hash=_text(fields, "commit_hash", "[0-9a-f]{40}"),
        excluded_files=_text(fields, "excluded_files", ".*"),
        root=fields.hex_bytes("root_hash", 32),
        hash_offset=_offset(fields),
        erofs_version=_text(fields, "erofs_version", r"[0-9][0-9A-Za-z.+~-]{0,31}"),
        veritysetup_version=_text(fields, "veritysetup_version", r"[0-9][0-9A-Za-z.+~-]{0,31}"),
        file_sha256=fields.hex_bytes("file_hash_sha256", 32),
    )
    fields.finish()
    return disk


def find_disk(disks: dict[str, PublishedDisk], name: str, where: str = "models.yaml") -> PublishedDisk:
    """Return the entry with the id `name`.

    Raises:
        UsageError: there is no such entry; the message lists the ids.
    """
    if name not in disks:
        raise UsageError("no such model disk", where=where, got=name, wanted="one of " + ", ".join(sorted(disks)))
    return disks[name]


def normalized_name(model_source: str) -> str:
    """Return the id for a model's URL: its path in lower case, without `.git`.

    Each run of characters that are not ASCII letters or digits becomes one `-`.
    """
    path = re.sub("^[^/]*//[^/]*/", "", model_source).removesuffix(".git")
    return re.sub("[^A-Za-z0-9]+", "-", path).lower()


def _entry(name: object, text: object, where: str) -> PublishedDisk:
    place = f"{where}: {name}"
    if not isinstance(text, str):
        raise malformed(_CHECK, "not a JSON object in a string", place, type(text).__name__, "text")
    disk = parse_published_disk(text.encode("utf-8", "surrogatepass"), place)
    if normalized_name(disk.model_source) != name:
        raise malformed(
            _CHECK, "the id does not fit the model source", place, disk.model_source, f"a source that becomes {name}"
        )
    return disk


def _text(fields: Fields, key: str, pattern: str) -> str:
    text = fields.text(key, max_chars=_MAX_TEXT_CHARS)
    if not re.fullmatch(pattern, text):
        raise fields.error(key, "the text has the wrong form", got=text, wanted=pattern)
    return text


def _offset(fields: Fields) -> int:
    """Take the offset, which the build script writes as a string."""
    offset = int(_text(fields, "hash_offset", "[1-9][0-9]{0,15}"))
    if offset % DISK_BLOCK_BYTES:
        raise fields.error(
            "hash_offset", "not a whole number of blocks", got=str(offset), wanted=f"a multiple of {DISK_BLOCK_BYTES}"
        )
    return offset


class _Loader(ShallowFlow, yaml.BaseLoader):
    """A loader that reads scalars as text and refuses duplicate keys and aliases, which can expand a small file."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError("an alias")
        return super().compose_node(parent, index)

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        mapping = super().construct_mapping(node, deep=deep)
        if len(mapping) != len(node.value):
            raise yaml.YAMLError("a key that occurs twice")
        return mapping

"""The dependencies of a model on the command line: NAME=ALGORITHM:HEX, or NAME=@FILE for a local file to digest."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path

from provenance_oracle.verifier.errors import UsageError
from provenance_oracle.verifier.manifest.statement import DIGEST_SIZES, SHA256, Dependency, Role

_WANTED = "NAME=sha256:HEX, NAME=provenance_model_v1:HEX or NAME=@FILE"


def parse_sources(texts: Mapping[Role, Iterable[str]]) -> tuple[Dependency, ...]:
    """Parse the options of each role into dependencies, in the order given. A file is digested with SHA-256.

    Raises:
        UsageError: a text has none of the three forms, or a file cannot be read.
    """
    return tuple(_parse_source(role, text) for role, given in texts.items() for text in given)


def _parse_source(role: Role, text: str) -> Dependency:
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise UsageError("the dependency is malformed", where=f"--{role}", got=text, wanted=_WANTED)
    algorithm, digest = _digest_of_file(role, value[1:]) if value.startswith("@") else _parse_digest(role, value)
    return Dependency(role=role, name=name, uri="", digests=((algorithm, digest),), relation="")


def _parse_digest(role: Role, text: str) -> tuple[str, bytes]:
    algorithm, _, hex_text = text.partition(":")
    try:
        digest = bytes.fromhex(hex_text)
    except ValueError:
        digest = b""
    if len(digest) != DIGEST_SIZES.get(algorithm):
        raise UsageError("the digest is malformed", where=f"--{role}", got=text, wanted=_WANTED)
    return algorithm, digest


def _digest_of_file(role: Role, path: str) -> tuple[str, bytes]:
    if Path(path).is_dir():
        wanted = "NAME=provenance_model_v1:HEX; `provenance hash FOLDER` prints the model digest"
        raise UsageError("a folder has no file digest", where=f"--{role} {path}", got="a folder", wanted=wanted)
    try:
        with Path(path).open("rb") as file:
            return SHA256, hashlib.file_digest(file, "sha256").digest()
    except OSError as error:
        raise UsageError(
            "the file cannot be read", where=f"--{role} {path}", got=error.strerror or str(error), wanted="a file"
        ) from error

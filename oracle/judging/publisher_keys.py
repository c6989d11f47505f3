"""Read the public keys that the settings name, for releases that have only a signature by the method key."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from provenance_oracle.verifier.errors import FormatError, UsageError
from provenance_oracle.verifier.identity.key_method import (
    PUBLISHER_KEY_MAX_BYTES,
    PublisherKey,
    parse_publisher_key,
)
from provenance_oracle.verifier.strict.files import open_any_file, pieces_of_file


def read_publisher_keys(paths: Sequence[str]) -> tuple[PublisherKey, ...]:
    """Return the keys in these files.

    Raises:
        UsageError: a file cannot be read or holds no such key. TemporaryError: the disk fails.
    """
    keys = []
    for path in paths:
        with open_any_file(Path(path)) as file:
            pem = b"".join(pieces_of_file(file, PUBLISHER_KEY_MAX_BYTES + 1))
        try:
            keys.append(parse_publisher_key(pem, path))
        except FormatError as error:
            raise UsageError(error.problem, where="publisher_keys", got=error.got, wanted=error.wanted) from error
    return tuple(keys)

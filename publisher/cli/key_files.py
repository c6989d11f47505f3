"""Files with keys and certificates that options of several commands name."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from provenance_oracle.verifier.cli.options import read_small
from provenance_oracle.verifier.errors import UsageError

if TYPE_CHECKING:
    from provenance_oracle.verifier.identity.certificates import SigningCertificate


def key_password(key: Path, password_file: Path | None) -> Callable[[], bytes]:
    """Return a function that reads a key's password from a file, or asks for it on the terminal.

    It raises UsageError if there is neither.
    """

    def password() -> bytes:
        from provenance_oracle.verifier.strict.secret_files import read_password_file

        if password_file:
            return read_password_file(password_file)
        if not sys.stdin.isatty():
            wanted = "a file with the password (see --help), or a terminal to ask on"
            raise UsageError("the key has a password", where=str(key), got="no password", wanted=wanted)
        text: str = click.prompt(f"Password of {key}", hide_input=True, err=True)
        return text.encode()

    return password


def read_chain(paths: Iterable[Path]) -> tuple[SigningCertificate, ...]:
    """Read certificates from PEM files, in their order. Raises UsageError or FormatError."""
    from provenance_oracle.verifier.identity.certificates import parse_anchors

    return tuple(one for path in paths for one in parse_anchors(read_small(path), str(path)))

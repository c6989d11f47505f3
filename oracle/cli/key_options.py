"""The options that name a paying key, the function that opens it, and what else their commands share.

Heavy imports happen inside the functions.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from provenance_oracle.verifier.cli.options import FILE, hex_word
from provenance_oracle.verifier.errors import UsageError

if TYPE_CHECKING:
    from provenance_oracle.oracle.signers.base import Signer
    from provenance_oracle.verifier.cli.console import Output

key_options = (
    click.option(
        "--key-variable", metavar="NAME", help="Environment variable that holds the paying key (development)."
    ),
    click.option("--keystore", type=FILE, help="Keystore v3 file with the paying key."),
    click.option("--password-file", type=FILE, help="File with the keystore's password, readable by its owner only."),
)


def with_key_options(command: click.decorators.FC) -> click.decorators.FC:
    """Add the options of the paying key to a command."""
    for option in reversed(key_options):
        command = option(command)
    return command


def open_key(prefix: str, variable: str | None, keystore: Path | None, password_file: Path | None) -> Signer:
    """Open the key that the options with this prefix name.

    Args:
        prefix: `--` for the paying key, or for example `--owner-`. Errors then name the options as the user typed them.

    Raises:
        UsageError: the options name no key or several, or the key cannot be opened.
    """
    from provenance_oracle.oracle.signers.open import key_uri, open_signer

    values = {"key-variable": variable, "keystore": keystore, "password-file": password_file}
    given = [f"{prefix}{name}" for name, value in values.items() if value]
    if len(given) != (1 if variable else 2):
        wanted = f"{prefix}key-variable NAME, or {prefix}keystore FILE and {prefix}password-file FILE"
        raise UsageError("no key is named", got=" and ".join(given) or "no such option", wanted=wanted)
    return open_signer(key_uri("", variable or "", keystore), password_file=password_file)


def say_sent(output: Output, sent: bytes, raw: bytes) -> None:
    """Print the hash of a transaction to standard error, unless --quiet. `raw` is empty if an earlier run sent it."""
    words = "sending" if raw else "going on with"
    if not output.quiet:
        click.echo(f"{words} transaction 0x{sent.hex()}; waiting for its block", err=True)


def parse_hash(text: str, where: str) -> bytes:
    """Parse a transaction's hash: 64 hex digits, with or without 0x.

    Raises:
        UsageError: the text is something else.
    """
    return hex_word(text, where, "not the hash of a transaction", "0x and 64 hex digits")


def parse_digest(text: str, where: str) -> bytes:
    """Parse a digest of 32 bytes: 64 hex digits, with or without 0x.

    Raises:
        UsageError: the text is something else.
    """
    return hex_word(text, where, "not a digest", "64 hex digits")

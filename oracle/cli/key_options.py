"""The options that name a paying key, the function that opens it, and what else their commands share.

Heavy imports happen inside the functions.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from provenance_oracle.verifier.cli.options import FILE, hex_word
from provenance_oracle.verifier.errors import UsageError

if TYPE_CHECKING:
    from provenance_oracle.oracle.signers.base import Signer
    from provenance_oracle.verifier.cli.console import Output

_URI_HELP = "pkcs11:..., awskms:///ID, gcpkms://..., rofl:ID, keystore:PATH or env:NAME."


@dataclass(frozen=True)
class KeyOptions:
    """The values of the options that name a key. None where the user gave none.

    `prefix` begins their names: `--`, or for example `--owner-`. Errors name the options as the user typed them.
    """

    prefix: str
    uri: str | None
    variable: str | None
    keystore: Path | None
    password_file: Path | None

    @property
    def given(self) -> tuple[str, ...]:
        """The names of the options that the user gave."""
        values = {
            "key": self.uri,
            "key-variable": self.variable,
            "keystore": self.keystore,
            "password-file": self.password_file,
        }
        return tuple(f"{self.prefix}{name}" for name, value in values.items() if value)

    def open(self) -> Signer:
        """Open the key.

        Raises:
            UsageError: the options name no key or several, or the key cannot be opened.
            TemporaryError: the device or service that holds the key does not answer.
        """
        from provenance_oracle.oracle.signers.open import key_uri, open_signer

        named = [name for name in self.given if name != f"{self.prefix}password-file"]
        needs_password = bool(self.keystore) or (self.uri or "").startswith("keystore:")
        if len(named) != 1 or needs_password != bool(self.password_file):
            wanted = f"{self.prefix}key URI, {self.prefix}key-variable NAME, or {self.prefix}keystore FILE and "
            got = " and ".join(self.given) or "no such option"
            raise UsageError("no key is named", got=got, wanted=f"{wanted}{self.prefix}password-file FILE")
        uri = key_uri(self.uri or "", self.variable or "", self.keystore)
        return open_signer(uri, password_file=self.password_file)


def with_key(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options of the paying key to a command, and pass it them as `key`."""
    return _with_options(command, "", "key", "the paying key", "")


def with_owner_key(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options of an owner's key to a command, and pass it them as `owner_key`."""
    return _with_options(command, "owner-", "owner_key", "the owner's key", " Default: the paying key.")


def _with_options(
    command: Callable[..., None], prefix: str, parameter: str, whose: str, default: str
) -> Callable[..., None]:
    fields = ("uri", "variable", "keystore", "password_file")

    @functools.wraps(command)
    def run(*args: Any, **kwargs: Any) -> None:
        values = [kwargs.pop(f"{parameter}_{field}") for field in fields]
        command(*args, **{parameter: KeyOptions(f"--{prefix}", *values)}, **kwargs)

    keystore = "the keystore" if not prefix else "that keystore"
    options: tuple[tuple[str, dict[str, Any], str], ...] = (
        ("key", {"metavar": "URI"}, f"Where {whose} is: {_URI_HELP}{default}"),
        ("key-variable", {"metavar": "NAME"}, f"Environment variable that holds {whose} (development).{default}"),
        ("keystore", {"type": FILE}, f"Keystore v3 file with {whose}.{default}"),
        ("password-file", {"type": FILE}, f"File with {keystore}'s password, readable by its owner only."),
    )
    for field, (name, kind, words) in reversed(list(zip(fields, options, strict=True))):
        option = click.option(f"--{prefix}{name}", f"{parameter}_{field}", help=words, **kind)
        option(run)
    return run


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

"""Options that name a key, and the key that they name. Heavy imports happen inside the functions."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from provenance_oracle.verifier.cli.options import FILE
from provenance_oracle.verifier.errors import UsageError

if TYPE_CHECKING:
    from provenance_oracle.oracle.chain.signers import Signer

key_options = (
    click.option(
        "--key-variable", metavar="NAME", help="Environment variable that holds the paying key (development)."
    ),
    click.option("--keystore", type=FILE, help="Keystore v3 file with the paying key."),
    click.option("--password-file", type=FILE, help="File with the keystore's password, readable by its owner only."),
)


def with_key_options(command: click.decorators.FC) -> click.decorators.FC:
    for option in reversed(key_options):
        command = option(command)
    return command


def open_key(prefix: str, variable: str | None, keystore: Path | None, password_file: Path | None) -> Signer:
    """The key that options with this prefix name; what is wrong with them is said by their names."""
    from provenance_oracle.oracle.chain.signers import open_signer

    values = {"key-variable": variable, "keystore": keystore, "password-file": password_file}
    given = [f"{prefix}{name}" for name, value in values.items() if value]
    if len(given) != (1 if variable else 2):
        wanted = f"{prefix}key-variable NAME, or {prefix}keystore FILE and {prefix}password-file FILE"
        raise UsageError("where is the key?", got=" and ".join(given) or "no such option", wanted=wanted)
    return open_signer(variable or "", keystore, password_file)

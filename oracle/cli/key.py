"""`provenance key`: print the account of a key, or make a keystore with a new key."""

from __future__ import annotations

from pathlib import Path

import click

from provenance_oracle.oracle import documents
from provenance_oracle.oracle.cli.key_options import KeyOptions, with_key
from provenance_oracle.verifier.cli.console import Output, command_body
from provenance_oracle.verifier.cli.options import FILE, output_options
from provenance_oracle.verifier.errors import UsageError


@click.command()
@with_key
@click.option("--new", type=FILE, metavar="FILE", help="Make a keystore v3 file with a new key.")
@output_options
@command_body(documents.KEY)
def key(output: Output, key: KeyOptions, new: Path | None) -> None:
    """Print the account of a key, or make a keystore.

    The account is an address, which `provenance deploy --oracle` takes. The command opens the key as the oracle does,
    so it also tells whether a token, a KMS or an enclave lets this machine use the key. It signs nothing.

    \b
    Examples:
      provenance key --new oracle.json --password-file pw
      provenance key --key awskms:///alias/oracle
    """
    from provenance_oracle.oracle.signers.keystore import make_keystore
    from provenance_oracle.oracle.signers.passwords import read_password

    if new is None:
        address = key.open().address
    elif key.given != ("--password-file",):
        got = " and ".join(key.given) or "no password"
        raise UsageError("a new keystore has a new key", got=got, wanted="--new FILE --password-file FILE")
    else:
        assert key.password_file is not None
        address = make_keystore(new, read_password(key.password_file))
    output.text(f"account  {address}")
    output.document(True, documents.key_json(address))

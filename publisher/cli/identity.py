"""`provenance identity`: print the line and the digest of a publisher's identity."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from provenance_oracle.publisher import documents
from provenance_oracle.publisher.cli.key_files import key_password, read_chain
from provenance_oracle.verifier.cli.console import Output, command_body
from provenance_oracle.verifier.cli.options import FILE, output_options, publisher_identity, read_small
from provenance_oracle.verifier.errors import UsageError

if TYPE_CHECKING:
    from provenance_oracle.verifier.identity.names import PublisherIdentity


@click.command()
@click.argument("who", metavar="LINE|KEY|CERTIFICATE")
@click.option(
    "--chain",
    type=FILE,
    multiple=True,
    help="With CERTIFICATE: the CAs above it, in order (PEM); one file, or the option for each.",
)
@click.option("--password-file", type=FILE, help="With a private key: its password. Default: ask on the terminal.")
@output_options
@command_body(documents.IDENTITY)
def identity(output: Output, who: str, chain: tuple[Path, ...], password_file: Path | None) -> None:
    """Print the line and the digest of a publisher's identity.

    The digest stands for the publisher on chain. A key (PEM, public or private) has one identity. A certificate has one
    for each of its names and one for the CA that certifies it, the narrowest first: its file or --chain leads up to the
    CA that people trust. A certificate of a CA alone stands for whomever it certifies.

    \b
    Examples:
      provenance identity acme.pem
      provenance identity signer.pem --chain ca.pem --chain root.pem
      provenance identity 'sigstore https://accounts.google.com email:me@acme.org'
    """
    identities = _identities(who, chain, password_file)
    for one in identities:
        output.text(one.line)
        output.text(f"  digest  {one.digest.hex()}")
    output.document(True, documents.identity_json(identities))


def _identities(who: str, chain: tuple[Path, ...], password_file: Path | None) -> tuple[PublisherIdentity, ...]:
    from provenance_oracle.verifier.identity.certificates import certificate_lines
    from provenance_oracle.verifier.identity.key_method import parse_publisher_key
    from provenance_oracle.verifier.identity.names import IdentityKind, PublisherIdentity

    if who.partition(" ")[0] in set(IdentityKind) and " " in who:
        return (publisher_identity(who, "LINE"),)
    path = Path(who)
    data = read_small(path)
    if b"-----BEGIN CERTIFICATE-----" in data:
        leaf, *authorities = read_chain((path, *chain))
        if not authorities and not leaf.is_self_issued and not leaf.ca:
            wanted = "--chain FILE, with each CA above it up to the one that people trust"
            raise UsageError("the certificate's identity needs its CA", where=who, got="no CA", wanted=wanted)
        lines = certificate_lines(leaf, authorities[-1] if authorities else leaf)
        return tuple(map(PublisherIdentity, lines if authorities or not leaf.ca else lines[-1:]))
    if b" PRIVATE KEY-----" not in data:
        return (parse_publisher_key(data, who).identity,)
    from provenance_oracle.publisher.signing.keys import load_publisher_key
    from provenance_oracle.publisher.signing.signers import KeySigner

    key = load_publisher_key(path, key_password(path, password_file))
    return (KeySigner(key).key.identity,)

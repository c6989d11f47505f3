"""Options that say which publisher must have signed a release."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from provenance_oracle.verifier.cli.options import FILE, publisher_identity, read_small

if TYPE_CHECKING:
    from provenance_oracle.verifier.identity.names import PublisherIdentity
    from provenance_oracle.verifier.judgement.judge_signed import SignerTrust

_OPTIONS = (
    click.option(
        "--identity",
        multiple=True,
        metavar="LINE",
        help="Refuse a release of any other publisher; `provenance identity` prints lines. Can be repeated.",
    ),
    click.option("--publisher-key", type=FILE, help="As --identity, for the publisher with this public key (PEM)."),
    click.option("--publisher-ca", type=FILE, help="As --identity, for every publisher that these CAs (PEM) certify."),
    click.option("--sigstore-root", type=FILE, help="Trusted root of another sigstore instance than the public one."),
)


def identity_options(command: click.decorators.FC) -> click.decorators.FC:
    """Add the options `--identity`, `--publisher-key`, `--publisher-ca` and `--sigstore-root`."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def read_trust(key: Path | None, ca: Path | None, sigstore_root: Path | None) -> SignerTrust:
    """Return what is in the files of `--publisher-key`, `--publisher-ca` and `--sigstore-root`.

    Raises:
        UsageError: a file cannot be read. FormatError: a file holds no key, certificate or trusted root.
    """
    from provenance_oracle.verifier.identity.certificates import parse_anchors
    from provenance_oracle.verifier.identity.key_method import parse_publisher_key
    from provenance_oracle.verifier.identity.sigstore_root import parse_trusted_root
    from provenance_oracle.verifier.judgement.judge_signed import SignerTrust

    return SignerTrust(
        (parse_publisher_key(read_small(key), str(key)),) if key else (),
        parse_anchors(read_small(ca), str(ca)) if ca else (),
        parse_trusted_root(read_small(sigstore_root), str(sigstore_root)) if sigstore_root else None,
    )


def wanted_identities(lines: tuple[str, ...], trust: SignerTrust) -> tuple[PublisherIdentity, ...]:
    """Return the identities of which the publisher must have one; none if no option says so.

    Raises:
        UsageError: a line of `--identity` is no identity.
    """
    from provenance_oracle.verifier.identity.names import IdentityKind, PublisherIdentity

    return (
        *(publisher_identity(line, "--identity") for line in lines),
        *(key.identity for key in trust.keys),
        *(PublisherIdentity(f"{IdentityKind.AUTHORITY} {anchor.spki_digest.hex()}") for anchor in trust.anchors),
    )

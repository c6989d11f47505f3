"""The options that name a publisher's signer.

Heavy imports happen inside the functions.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from provenance_oracle.publisher.cli.key_files import key_password, read_chain
from provenance_oracle.verifier.cli.options import FILE, read_small
from provenance_oracle.verifier.errors import UsageError

if TYPE_CHECKING:
    from provenance_oracle.publisher.signing.signers import PublisherSigner


@dataclass(frozen=True)
class SignerOptions:
    """The values of the options that name a signer. None, empty or False where the user gave none."""

    sign_key: Path | None
    sign_certificate: Path | None
    chain: tuple[Path, ...]
    sign_sigstore: bool
    identity_token: str | None
    sigstore_config: Path | None
    sign_password_file: Path | None

    def open(self) -> PublisherSigner | None:
        """Return the signer that the options name; None without any of them.

        Raises:
            UsageError: the options exclude each other, or a key or a chain is not acceptable.
            FormatError: a certificate or the trust configuration is malformed.
        """
        self._refuse_mixed()
        from provenance_oracle.publisher.signing.keyless_signer import KeylessSigner
        from provenance_oracle.publisher.signing.keys import load_publisher_key
        from provenance_oracle.publisher.signing.signers import CertificateSigner, KeySigner

        if self.sign_sigstore:
            config = read_small(self.sigstore_config) if self.sigstore_config else None
            return KeylessSigner(config, self.identity_token)
        path = self.sign_key or self.sign_certificate
        if path is None:
            return None
        key = load_publisher_key(path, key_password(path, self.sign_password_file))
        return CertificateSigner(key, read_chain(self.chain)) if self.chain else KeySigner(key)

    def _refuse_mixed(self) -> None:
        ways = {
            "--sign-key": self.sign_key,
            "--sign-certificate": self.sign_certificate,
            "--sign-sigstore": self.sign_sigstore,
        }
        given = [name for name, value in ways.items() if value]
        if len(given) > 1:
            raise UsageError("two ways to sign are named", got=" and ".join(given), wanted="one of them")
        has_key = self.sign_key or self.sign_certificate
        parts = (
            ("--chain", self.chain, self.sign_certificate, "--sign-certificate KEY"),
            ("--identity-token", self.identity_token, self.sign_sigstore, "--sign-sigstore"),
            ("--sigstore-config", self.sigstore_config, self.sign_sigstore, "--sign-sigstore"),
            ("--sign-password-file", self.sign_password_file, has_key, "--sign-key or --sign-certificate KEY"),
        )
        for option, value, whole, wanted in parts:
            if value and not whole:
                raise UsageError("an option without the one that it belongs to", where=option, wanted=wanted)
        if self.sign_certificate and not self.chain:
            wanted = "--chain FILE, with the certificate of the key, then each CA above it"
            raise UsageError("the certificate of the key is not named", got="no --chain", wanted=wanted)


def with_signer(*key_names: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Return a decorator that adds the options of a signer to a command, and passes it them as `signing`.

    Args:
        key_names: further names of the option --sign-key.
    """
    options = (
        click.option(
            "--sign-key",
            *key_names,
            "sign_key",
            type=FILE,
            metavar="KEY",
            help="Sign as the publisher with this private key (PEM: P-256, P-384 or P-521).",
        ),
        click.option(
            "--sign-certificate",
            type=FILE,
            metavar="KEY",
            help="Sign as the publisher with this private key, which the first certificate of --chain certifies.",
        ),
        click.option(
            "--chain",
            type=FILE,
            multiple=True,
            help="The key's certificate, then each CA above it (PEM); one file, or the option for each.",
        ),
        click.option(
            "--sign-sigstore",
            is_flag=True,
            help="Sign as the publisher by sigstore, keyless: name and time of the signature become public.",
        ),
        click.option(
            "--identity-token",
            metavar="TOKEN",
            help="OpenID token for sigstore. Default: that of the CI system, else ask in the browser.",
        ),
        click.option(
            "--sigstore-config",
            type=FILE,
            help="Trust configuration of another sigstore instance (ClientTrustConfig, JSON).",
        ),
        click.option(
            "--sign-password-file", type=FILE, help="The password of the publisher's key. Default: ask on the terminal."
        ),
    )

    def add(command: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(command)
        def run(*args: object, **kwargs: Any) -> None:
            values = {name: kwargs.pop(name) for name in SignerOptions.__dataclass_fields__}
            command(*args, signing=SignerOptions(**values), **kwargs)

        for option in reversed(options):
            run = option(run)
        return run

    return add

"""Open the signer that a URI names."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path

from provenance_oracle.oracle.signers import pkcs11_uri
from provenance_oracle.oracle.signers.base import Signer
from provenance_oracle.verifier.errors import UsageError
from provenance_oracle.verifier.text import printable

Opener = Callable[[str, Path | None, Mapping[str, str]], Signer]
_SCHEME_MAX_CHARS = 10
_FORMS = {
    "env": "env:NAME",
    "keystore": "keystore:PATH",
    "pkcs11": pkcs11_uri.PKCS11_FORM,
    "awskms": "awskms:///KEY_ID_OR_ARN",
    "gcpkms": "gcpkms://projects/P/locations/L/keyRings/R/cryptoKeys/K/cryptoKeyVersions/N",
    "rofl": "rofl:KEY_ID",
}


def open_signer(uri: str, *, password_file: Path | None = None, environ: Mapping[str, str] = os.environ) -> Signer:
    """Open the signer that a URI names.

    Args:
        uri: one of the forms that the package's docstring lists.
        password_file: the password of a keystore; None for every other key.
        environ: holds the keys that are named by variable.

    Raises:
        UsageError: the URI has another form, or the key cannot be opened.
    """
    scheme, colon, rest = uri.partition(":")
    opener = _OPENERS.get(scheme)
    if not colon or not rest or opener is None:
        # The text may be a key that somebody pasted, so no more than a short scheme is shown.
        got = printable(f"{scheme}:") if colon and len(scheme) <= _SCHEME_MAX_CHARS else "another text"
        raise UsageError("the text names no key", where="key", got=got, wanted=" or ".join(_FORMS.values()))
    if password_file is not None and scheme != "keystore":
        raise UsageError("only a keystore has a password file", where="key", got=f"{scheme}:", wanted="keystore:PATH")
    return opener(rest, password_file, environ)


def key_uri(uri: str, variable: str, keystore: Path | None) -> str:
    """Return the URI of a key that a URI, the name of a variable or the path of a keystore names; "" if none does.

    Raises:
        UsageError: more than one names it.
    """
    values = {
        "key": uri,
        "key_variable": variable and f"env:{variable}",
        "keystore": keystore and f"keystore:{keystore}",
    }
    named = {name: text for name, text in values.items() if text}
    if len(named) > 1:
        raise UsageError("exactly one key must be named", where="key", got=" and ".join(named), wanted="one of them")
    return next(iter(named.values()), "")


def _environment(name: str, _password_file: Path | None, environ: Mapping[str, str]) -> Signer:
    from provenance_oracle.oracle.signers.environment import EnvironmentSigner

    return EnvironmentSigner(name, environ)


def _keystore(path: str, password_file: Path | None, _environ: Mapping[str, str]) -> Signer:
    from provenance_oracle.oracle.signers.keystore import KeystoreSigner
    from provenance_oracle.oracle.signers.passwords import read_password

    if password_file is None:
        raise UsageError("a keystore needs its password", where=f"keystore:{path}", wanted="a password file")
    return KeystoreSigner(Path(path), read_password(password_file))


def _pkcs11(rest: str, _password_file: Path | None, _environ: Mapping[str, str]) -> Signer:
    from provenance_oracle.oracle.signers.pkcs11 import Pkcs11Signer

    return Pkcs11Signer(pkcs11_uri.parse_pkcs11_uri(rest))


def _aws_kms(rest: str, _password_file: Path | None, _environ: Mapping[str, str]) -> Signer:
    from provenance_oracle.oracle.signers.aws_kms import AwsKmsSigner

    return AwsKmsSigner(rest)


def _gcp_kms(rest: str, _password_file: Path | None, environ: Mapping[str, str]) -> Signer:
    from provenance_oracle.oracle.signers.gcp_kms import GcpKmsSigner

    return GcpKmsSigner(rest, environ)


def _rofl(rest: str, _password_file: Path | None, environ: Mapping[str, str]) -> Signer:
    from provenance_oracle.oracle.signers.rofl import RoflSigner

    return RoflSigner(rest, environ)


_OPENERS: Mapping[str, Opener] = {
    "env": _environment,
    "keystore": _keystore,
    "pkcs11": _pkcs11,
    "awskms": _aws_kms,
    "gcpkms": _gcp_kms,
    "rofl": _rofl,
}

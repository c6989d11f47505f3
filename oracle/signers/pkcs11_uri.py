"""Parse URIs of keys in PKCS #11 tokens (RFC 7512)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote_to_bytes

from provenance_oracle.verifier.errors import UsageError
from provenance_oracle.verifier.text import printable

PKCS11_FORM = "pkcs11:token=LABEL;object=LABEL?module-path=FILE&pin-source=file:FILE"
_PATH_NAMES = {"token", "object", "id", "serial", "type"}
_QUERY_NAMES = {"module-path", "pin-source"}
_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")


@dataclass(frozen=True)
class Pkcs11Key:
    """The place of a private key.

    Attributes:
        token, serial: the token's label and serial number; empty if the URI does not name them, but never both.
        label, id: CKA_LABEL and CKA_ID of the key; empty if the URI does not name them, but never both.
        module: the shared library that drives the token.
        pin_file: the file that holds the user's PIN.
    """

    token: str
    serial: str
    label: str
    id: bytes
    module: Path
    pin_file: Path

    @property
    def where(self) -> str:
        """The key's name in messages."""
        object_name = f"object={self.label}" if self.label else f"id={self.id.hex()}"
        token_name = f"token={self.token}" if self.token else f"serial={self.serial}"
        return printable(f"pkcs11:{token_name};{object_name}")


def parse_pkcs11_uri(rest: str) -> Pkcs11Key:
    """Parse a URI of a private key. `rest` is the URI without `pkcs11:`.

    Raises:
        UsageError: the URI is malformed, holds a PIN or an attribute that is not supported, or names no single key.
    """
    path_text, _, query_text = rest.partition("?")
    if "pin-value" in query_text or "pin-value" in path_text:  # no `got`: the text holds a PIN
        wanted = "pin-source=file:FILE"
        raise UsageError(
            "a PIN is not part of a URI, which others can read", where="key", got="pin-value", wanted=wanted
        )
    path = _attributes(path_text, ";", _PATH_NAMES)
    query = _attributes(query_text, "&", _QUERY_NAMES)
    if path.get("type", b"private") != b"private":
        raise _wrong("the URI names no private key", f"type={_text(path, 'type')}", "type=private, or no type")
    token, serial, label = (_text(path, name) for name in ("token", "serial", "object"))
    if not (token or serial) or not (label or path.get("id")):
        raise _wrong("the URI does not name a key in a token", printable(path_text), PKCS11_FORM)
    return Pkcs11Key(token, serial, label, path.get("id", b""), _file(query, "module-path"), _file(query, "pin-source"))


def _attributes(text: str, separator: str, known: set[str]) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for part in text.split(separator) if text else ():
        name, equals, value = part.partition("=")
        if name not in known or not equals or name in found or _ESCAPE.search(value):
            wanted = f"{', '.join(sorted(known))}, each at most once"
            raise _wrong("the URI has an attribute that cannot be used", printable(name), wanted)
        found[name] = unquote_to_bytes(value)
    return found


def _text(attributes: dict[str, bytes], name: str) -> str:
    try:
        return attributes.get(name, b"").decode()
    except UnicodeDecodeError:
        raise _wrong(f"the attribute {name} is not text", "other bytes", "UTF-8") from None


def _file(attributes: dict[str, bytes], name: str) -> Path:
    text = _text(attributes, name).removeprefix("file:")
    path = Path("/" + text.lstrip("/")) if text.startswith("//") else Path(text)
    if not path.is_absolute() or "\0" in text:  # RFC 7512 also has `|command`, which would run a program
        raise _wrong(f"the attribute {name} is not a file", printable(text) or "nothing", f"{name}=/ABSOLUTE/PATH")
    return path


def _wrong(problem: str, got: str, wanted: str) -> UsageError:
    return UsageError(problem, where="key", got=got, wanted=wanted)

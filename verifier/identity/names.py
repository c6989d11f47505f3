"""Identities of publishers. An identity is one line of text that needs no list of keys, CAs or issuers beside it.

    key SPKI                                       SPKI is the SHA-256 of a DER SubjectPublicKeyInfo in hex
    certificate SPKI (email|dns|uri|dn):NAME       the key of an anchor, and a name in the leaf that leads up to it
    authority SPKI                                 anybody whom the anchor certifies
    sigstore ISSUER (email|uri|other):NAME         a name that an OpenID issuer vouched for
    workflow ISSUER URI                            a CI workflow on any branch or tag: its Build Signer URI without @ref
    snp-measurement HEX                            the code that a confidential VM launched with
    simulated-snp-measurement HEX

The digest of an identity is what a chain holds. `verifier.record.fields.workload_identity` gives the same digest for
the last two.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum

from provenance_oracle.verifier.characters import unacceptable_in
from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.errors import FormatError

IDENTITY_MAX_CHARS = 1024
_DOMAIN = "provenance-identity-v1"
_SPKI = "[0-9a-f]{64}"
_MEASUREMENT = "[0-9a-f]{96}"
_ISSUER = "https?://[^ ]+"
_NAME = "[^ ](?:.*[^ ])?"


class IdentityKind(StrEnum):
    """The kinds of identities: the first word of the line."""

    KEY = "key"
    CERTIFICATE = "certificate"
    AUTHORITY = "authority"
    SIGSTORE = "sigstore"
    WORKFLOW = "workflow"
    MEASUREMENT = "snp-measurement"
    SIMULATED_MEASUREMENT = "simulated-snp-measurement"


# The rest of the line of each kind, and the same in words.
_FORMS = {
    IdentityKind.KEY: (_SPKI, "key and 64 lower-case hex digits"),
    IdentityKind.CERTIFICATE: (
        f"{_SPKI} (?:email|dns|uri|dn):{_NAME}",
        "certificate, 64 lower-case hex digits, and a name such as email:me@example.org",
    ),
    IdentityKind.AUTHORITY: (_SPKI, "authority and 64 lower-case hex digits"),
    IdentityKind.SIGSTORE: (
        f"{_ISSUER} (?:email|uri|other):{_NAME}",
        "sigstore, the issuer's URL, and a name such as email:me@example.org",
    ),
    IdentityKind.WORKFLOW: (
        f"{_ISSUER} https://[^ @]+",
        "workflow, the issuer's URL, and the workflow's URL without @ and what follows",
    ),
    IdentityKind.MEASUREMENT: (_MEASUREMENT, "snp-measurement and 96 lower-case hex digits"),
    IdentityKind.SIMULATED_MEASUREMENT: (_MEASUREMENT, "simulated-snp-measurement and 96 lower-case hex digits"),
}


@dataclass(frozen=True)
class PublisherIdentity:
    """The identity of a publisher. `line` has one of the forms of this module."""

    line: str

    @property
    def kind(self) -> IdentityKind:
        """The kind."""
        return IdentityKind(self.line.partition(" ")[0])

    @property
    def anchor(self) -> bytes | None:
        """The SHA-256 of the key that the line names, 32 bytes; None for kinds that name none."""
        if self.kind not in (IdentityKind.KEY, IdentityKind.CERTIFICATE, IdentityKind.AUTHORITY):
            return None
        return bytes.fromhex(self.line.split(" ")[1])

    @property
    def digest(self) -> bytes:
        """SHA-256 of the lines `provenance-identity-v1` and `line`, each with a line feed: 32 bytes."""
        return hashlib.sha256(f"{_DOMAIN}\n{self.line}\n".encode()).digest()


def parse_identity(line: str, where: str) -> PublisherIdentity:
    """Parse the line of an identity: printable, in Unicode form NFC, at most 1024 characters.

    Args:
        where: the field or option, for messages.

    Raises:
        FormatError: the line has none of the forms of this module (check `publisher-identity`).
    """
    kind, _, rest = line.partition(" ")
    if kind not in set(IdentityKind):
        raise _malformed(where, line, f"a line that begins with {', '.join(IdentityKind)}")
    pattern, words = _FORMS[IdentityKind(kind)]
    if not is_line(line):
        raise _malformed(where, line, f"printable text in form NFC, at most {IDENTITY_MAX_CHARS} characters")
    if not re.fullmatch(pattern, rest):
        raise _malformed(where, line, words)
    return PublisherIdentity(line)


def is_line(text: str) -> bool:
    """Return whether a text may be the line of an identity, as far as its length and its characters go."""
    return len(text) <= IDENTITY_MAX_CHARS and not unacceptable_in(text) and unicodedata.is_normalized("NFC", text)


def _malformed(where: str, got: str, wanted: str) -> FormatError:
    return FormatError(
        "not the identity of a publisher", check=Check.PUBLISHER_IDENTITY, where=where, got=got, wanted=wanted
    )

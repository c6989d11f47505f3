"""The names in a certificate of sigstore's CA, Fulcio, and the identities that they make.

Format: https://github.com/sigstore/fulcio, docs/oid-info.md.
"""

from __future__ import annotations

from cryptography import x509

from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.errors import FormatError, VerificationError
from provenance_oracle.verifier.identity.names import IdentityKind, parse_identity
from provenance_oracle.verifier.snp.der import UTF8_STRING, parse_der

_ISSUER_TEXT = x509.ObjectIdentifier("1.3.6.1.4.1.57264.1.1")
_ISSUER = x509.ObjectIdentifier("1.3.6.1.4.1.57264.1.8")
_BUILD_SIGNER = x509.ObjectIdentifier("1.3.6.1.4.1.57264.1.9")
_OTHER_NAME = x509.ObjectIdentifier("1.3.6.1.4.1.57264.1.7")


def identity_lines(leaf: x509.Certificate, where: str) -> tuple[str, ...]:
    """Return the lines of the identities of a leaf: `sigstore ISSUER KIND:NAME`, and for CI `workflow ISSUER URI`.

    Raises:
        FormatError: a field is malformed (check `publisher-signature`).
        VerificationError: the leaf has no issuer, two that differ, or not exactly one name.
    """
    try:
        names = list(leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value)
        texts = {extension.oid: extension.value for extension in leaf.extensions}
    except (ValueError, x509.ExtensionNotFound, x509.DuplicateExtension) as error:
        raise _malformed(where, "a name", str(error)[:200], "one alternative name") from error
    if len(names) != 1:
        raise _unnamed(where, f"{len(names)} names", "exactly one alternative name")
    plain, encoded = _raw(texts.get(_ISSUER_TEXT)), _text(_raw(texts.get(_ISSUER)), where)
    issuer = encoded or plain.decode("utf-8", "replace")
    if encoded and plain and plain != encoded.encode():
        raise _unnamed(where, f"the issuers {encoded} and {issuer}", "one issuer")
    lines = [f"{IdentityKind.SIGSTORE} {issuer} {_name(names[0], where)}"]
    if workflow := _text(_raw(texts.get(_BUILD_SIGNER)), where):
        lines.append(f"{IdentityKind.WORKFLOW} {issuer} {_without_ref(workflow)}")
    return tuple(line for line in lines if _is_identity(line))


def _without_ref(uri: str) -> str:
    """Return a Build Signer URI without the branch, tag or commit after @. A tag may hold @ itself."""
    return uri.partition("@refs/")[0] if "@refs/" in uri else uri.rpartition("@")[0]


def _name(name: x509.GeneralName, where: str) -> str:
    if isinstance(name, x509.RFC822Name):
        return f"email:{name.value}"
    if isinstance(name, x509.UniformResourceIdentifier):
        return f"uri:{name.value}"
    if isinstance(name, x509.OtherName) and name.type_id == _OTHER_NAME:
        return f"other:{_text(name.value, where)}"
    raise _unnamed(where, type(name).__name__, "an e-mail address, a URI or sigstore's other name")


def _raw(value: x509.ExtensionType | None) -> bytes:
    return value.value if isinstance(value, x509.UnrecognizedExtension) else b""


def _text(der: bytes, where: str) -> str:
    """Return the text in a DER UTF8String; empty if there is none."""
    if not der:
        return ""

    def problem(what: str, got: str, wanted: str) -> FormatError:
        return _malformed(where, what, got, wanted)

    value = parse_der(der, problem)
    if value.tag != UTF8_STRING:
        raise problem("a text of another type", f"{value.tag:#x}", "UTF8String")
    return value.content.decode()


def _is_identity(line: str) -> bool:
    try:
        parse_identity(line, "certificate")
    except FormatError:
        return False
    return True


def _malformed(where: str, what: str, got: str, wanted: str) -> FormatError:
    problem = f"malformed certificate: {what}"
    return FormatError(problem, check=Check.PUBLISHER_SIGNATURE, where=where, got=got, wanted=wanted)


def _unnamed(where: str, got: str, wanted: str) -> VerificationError:
    problem = "the certificate does not name one signer"
    return VerificationError(problem, check=Check.PUBLISHER_SIGNATURE, where=where, got=got, wanted=wanted)

"""The method `certificate`: a chain in the bundle, from the signer's leaf up to an anchor that the verifier knows.

The chain is walked in the bundle's order up to the certificate with the anchor's key, or to an anchor given beside it.
OpenSSL (by pyOpenSSL) builds and verifies the same chain at the same moment; the rules of `certificates` come on top.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from cryptography.x509 import Certificate

from provenance_oracle.verifier.errors import UsageError, naming_extras
from provenance_oracle.verifier.identity.bundle import SignatureBundle, SigningMethod
from provenance_oracle.verifier.identity.certificates import (
    SigningCertificate,
    certificate_lines,
    malformed_certificate,
    parse_signing_certificate,
    refuse_certificate,
    refuse_issuer,
    refuse_leaf,
)
from provenance_oracle.verifier.identity.issued_by import is_issued_by
from provenance_oracle.verifier.identity.key_method import verify_model_signature
from provenance_oracle.verifier.identity.names import PublisherIdentity
from provenance_oracle.verifier.identity.signer import ModelSigner, forged


def verify_by_certificate(
    bundle: SignatureBundle,
    *,
    expected: PublisherIdentity | None,
    anchors: Sequence[SigningCertificate],
    at: datetime,
    allow_old: bool = False,
) -> ModelSigner:
    """Verify that a signer whom a known anchor certifies signed the bundle's payload.

    Args:
        expected: an identity that names the anchor's key; needed if `anchors` is empty.
        anchors: certificates of CAs given beside the bundle.
        at: the moment at which every certificate, the anchor included, must be valid.
        allow_old: accept the signature of version 0.1 too; see `verify_model_signature`.

    Raises:
        UsageError: neither an anchor nor an identity that names one is given, or pyOpenSSL is not installed.
        FormatError: a certificate is malformed (check `publisher-signature`).
        VerificationError: the chain does not lead to the anchor, a certificate breaks a rule, or the signature does not
            verify (check `publisher-signature`).
    """
    wanted = {anchor.spki_digest for anchor in anchors}
    if expected is not None and expected.anchor is not None and not wanted:
        wanted = {expected.anchor}
    if not wanted:
        raise UsageError(
            "the bundle's certificate needs a CA to trust",
            where=bundle.where,
            got="no CA, and no identity that names one",
            wanted="--publisher-ca FILE, or --identity 'certificate …' or 'authority …'",
        )
    certificates = [
        parse_signing_certificate(der, f"{bundle.where}, certificate {number}")
        for number, der in enumerate(bundle.certificates, 1)
    ]
    chain = _chain(bundle, certificates, wanted, anchors)
    for certificate in chain:
        refuse_certificate(certificate, at)
    key = refuse_leaf(chain[0])
    for position, issuer in enumerate(chain[1:]):
        refuse_issuer(issuer, position)
    _verify_with_openssl(bundle, [one.certificate for one in chain], at)
    is_old = verify_model_signature(bundle, key, allow_old=allow_old)
    return ModelSigner(bundle.method, certificate_lines(chain[0], chain[-1]), is_old=is_old)


def own_anchors(bundle: SignatureBundle) -> tuple[SigningCertificate, ...]:
    """Return the last certificate of a bundle as its own anchor; nothing for other methods.

    The identities of its signer then name the anchor's key, and a verifier has to know one of them.

    Raises:
        FormatError: the certificate is malformed (check `publisher-signature`).
    """
    if bundle.method is not SigningMethod.CERTIFICATE:
        return ()
    return (parse_signing_certificate(bundle.certificates[-1], f"{bundle.where}, last certificate"),)


def _chain(
    bundle: SignatureBundle,
    certificates: Sequence[SigningCertificate],
    wanted: set[bytes],
    anchors: Sequence[SigningCertificate],
) -> list[SigningCertificate]:
    """Return the chain from the leaf up to the anchor, each certificate signed by the next."""
    given = {anchor.spki_digest: anchor for anchor in anchors}
    chain = [certificates[0]]
    if chain[0].is_self_issued and chain[0].spki_digest in wanted:  # a self-signed certificate is its own anchor
        return chain
    for issuer in certificates[1:]:
        _verify_issued(chain[-1], issuer)
        is_anchor = issuer.spki_digest in wanted
        chain.append(given.get(issuer.spki_digest, issuer) if is_anchor else issuer)
        if is_anchor:
            _verify_issued(chain[-2], chain[-1])
            return chain
    for anchor in anchors:
        if anchor.certificate.subject == chain[-1].certificate.issuer:
            _verify_issued(chain[-1], anchor)
            return [*chain, anchor]
    got = f"a chain of {len(chain)} that ends with {chain[-1].certificate.issuer.rfc4514_string()[:200]}"
    raise forged(bundle, "the chain leads to another CA", got, "the CA that you trust")


def _verify_issued(certificate: SigningCertificate, issuer: SigningCertificate) -> None:
    if not is_issued_by(certificate.certificate, issuer.certificate):
        got = f"{issuer.where} did not sign it"
        raise forged(certificate, "the chain is broken", got, "a certificate signed by the next")


def _verify_with_openssl(bundle: SignatureBundle, chain: Sequence[Certificate], at: datetime) -> None:
    with naming_extras():
        from OpenSSL import crypto
    store = crypto.X509Store()
    store.set_flags(crypto.X509StoreFlags.PARTIAL_CHAIN)  # the anchor may be an intermediate CA
    store.set_time(at)
    try:
        certificates = [crypto.X509.from_cryptography(certificate) for certificate in chain]
    except crypto.Error as error:  # OpenSSL reads fields that `cryptography` passes over
        raise malformed_certificate(bundle.where, str(error)[:200], "certificates that OpenSSL can read") from error
    store.add_cert(certificates[-1])
    try:
        crypto.X509StoreContext(store, certificates[0], certificates[1:-1]).verify_certificate()
    except crypto.X509StoreContextError as error:
        raise forged(bundle, "OpenSSL refuses the chain", str(error)[:200], "a valid chain") from error

"""One front for the three methods: who signed a model, and which files the signature covers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.errors import AppraisalError, FormatError, UsageError
from provenance_oracle.verifier.identity.bundle import SignatureBundle, SigningMethod
from provenance_oracle.verifier.identity.certificate_method import verify_by_certificate
from provenance_oracle.verifier.identity.certificates import SigningCertificate
from provenance_oracle.verifier.identity.key_method import PublisherKey, verify_by_key
from provenance_oracle.verifier.identity.keyless import verify_keyless
from provenance_oracle.verifier.identity.names import PublisherIdentity
from provenance_oracle.verifier.identity.signer import ModelSigner, match_signer
from provenance_oracle.verifier.identity.sigstore_root import PinnedRoot
from provenance_oracle.verifier.identity.statement import SignedFiles, parse_signed_files


@dataclass(frozen=True)
class PublisherTrust:
    """What a verifier trusts: a key, CAs, a root of sigstore, and the identity that it expects.

    Attributes:
        expected: the publisher's identity; None accepts whomever key or CAs stand for.
        key: for the method `key`.
        anchors: for the method `certificate`; may be empty if `expected` names an anchor.
        root: for the method `sigstore`.
        at: the moment of judgement.
        allow_old: accept the signatures of version 0.2 signers too.
    """

    expected: PublisherIdentity | None
    key: PublisherKey | None
    anchors: Sequence[SigningCertificate]
    root: PinnedRoot
    at: datetime
    allow_old: bool = False


@dataclass(frozen=True)
class VerifiedSignature:
    """A genuine signature by the expected publisher: the signer, the identity, and the files it vouches for."""

    signer: ModelSigner
    identity: PublisherIdentity
    signed: SignedFiles


def verify_publisher(bundle: SignatureBundle, trust: PublisherTrust) -> VerifiedSignature:
    """Verify a bundle, match its signer with the expected identity, and parse its payload.

    Raises:
        AppraisalError: the bundle is genuine, and another identity is expected, or nobody was expected where anybody
            can get a certificate (check `publisher-identity`).
        ProvenanceError: as `verify_signer`.
    """
    signer, signed = verify_signer(bundle, trust)
    if bundle.method is SigningMethod.SIGSTORE and trust.expected is None:
        raise AppraisalError(
            "the signature is genuine, but sigstore certifies anybody: say who must have signed",
            check=Check.PUBLISHER_IDENTITY,
            where=bundle.where,
            got=" or ".join(signer.lines) or "a signer without a name",
            wanted="--identity 'LINE', with a line that you know to be the publisher's",
        )
    return VerifiedSignature(signer, match_signer(signer, trust.expected, bundle.where), signed)


def verify_signer(bundle: SignatureBundle, trust: PublisherTrust) -> tuple[ModelSigner, SignedFiles]:
    """Verify a bundle and parse its payload, whoever the signer is.

    Raises:
        UsageError: the method needs a key, a CA or a package that is not there.
        FormatError: the payload or a certificate is malformed (check `publisher-signature`).
        VerificationError: the bundle is not genuine (check `publisher-signature`).
    """
    signer = _signer_of(bundle, trust)
    signed = parse_signed_files(bundle.envelope.payload, bundle.where, allow_old=trust.allow_old)
    if signer.is_old and not signed.is_old:
        raise FormatError(
            "a signature of the first signers over a payload of later ones",
            check=Check.PUBLISHER_SIGNATURE,
            where=bundle.where,
            got="the predicate of version 1.0",
            wanted="the predicate of version 0.1",
        )
    return signer, signed


def _signer_of(bundle: SignatureBundle, trust: PublisherTrust) -> ModelSigner:
    if bundle.method is SigningMethod.SIGSTORE:
        return verify_keyless(bundle, trust.root, at=trust.at)
    if bundle.method is SigningMethod.CERTIFICATE:
        return verify_by_certificate(
            bundle, expected=trust.expected, anchors=trust.anchors, at=trust.at, allow_old=trust.allow_old
        )
    if trust.key is None:
        raise UsageError(
            "the bundle names a key and does not hold it",
            where=bundle.where,
            got="no key",
            wanted="--publisher-key FILE, with a key that you know to be the publisher's",
        )
    return verify_by_key(bundle, trust.key, allow_old=trust.allow_old)

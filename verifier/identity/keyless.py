"""Sigstore's keyless method, offline: a short-lived certificate, and logs that vouch for it and for the signature.

sigstore-python verifies the bundle against a pinned root. The rules of `keyless_rules` come on top, because it lets
through keys outside their windows, signatures dated in the future, several names and fields that nothing vouches for.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from cryptography import x509

from provenance_oracle.verifier.errors import naming_extras
from provenance_oracle.verifier.identity.bundle import SignatureBundle
from provenance_oracle.verifier.identity.keyless_names import identity_lines
from provenance_oracle.verifier.identity.keyless_rules import (
    FUTURE_MAX,
    moments_of,
    verify_certificate_log,
    verify_issuing_ca,
    verify_log_entry,
)
from provenance_oracle.verifier.identity.signer import ModelSigner, forged
from provenance_oracle.verifier.identity.sigstore_root import PinnedRoot

_EXCLUSIVE_END = timedelta(seconds=1)  # sigstore-python leaves the last moment of a timestamp authority out


def verify_keyless(bundle: SignatureBundle, root: PinnedRoot, *, at: datetime) -> ModelSigner:
    """Verify a bundle of the method `sigstore`. Whether the signer is the expected one is for the caller to decide.

    Args:
        at: the moment of judgement. A signature may be dated at most five minutes later.

    Raises:
        UsageError: sigstore-python is not installed.
        FormatError: the certificate is malformed (check `publisher-signature`).
        VerificationError: the bundle is not genuine (check `publisher-signature`).
    """
    assert bundle.entry is not None
    # 1. sigstore-python: chain, SCT, inclusion, checkpoint, SET, timestamps, signature, body of the log's entry.
    leaf = _verified_by_sigstore(bundle, root)
    # 2. One name, and the issuer that vouched for it.
    lines = identity_lines(leaf, bundle.where)
    # 3. The log by its id, and every field that the bundle states of its entry.
    log = verify_log_entry(bundle, bundle.entry, root)
    # 4. Every moment that log and timestamp authorities vouch for lies in all windows.
    moments = moments_of(bundle, bundle.entry, root)
    for moment in moments:
        if moment > at + FUTURE_MAX:
            raise forged(
                bundle, "the signature is dated in the future", f"{moment:%Y-%m-%dT%H:%M:%SZ}", f"{at:%Y-%m-%d}"
            )
        if moment not in log.window:
            raise forged(bundle, "the log's key was not valid then", f"{moment:%Y-%m-%d}", "a moment in its window")
        verify_issuing_ca(bundle, leaf, root, moment)
    verify_certificate_log(bundle, leaf, root, at)
    return ModelSigner(
        bundle.method,
        lines,
        signed_at=min(moments),
        log_index=bundle.entry.index if bundle.entry.promise or bundle.entry.kind.endswith(" 0.0.2") else None,
        sigstore_root=root.digest,
    )


class _TheLeaf:
    """A policy of sigstore-python: the certificate that it verified is the one whose name is looked at here."""

    def __init__(self, leaf: x509.Certificate) -> None:
        self._leaf = leaf

    def verify(self, cert: x509.Certificate) -> None:
        """Raise sigstore's VerificationError for another certificate."""
        if cert != self._leaf:
            from sigstore.errors import VerificationError as SigstoreError

            raise SigstoreError("another certificate")


def _verified_by_sigstore(bundle: SignatureBundle, root: PinnedRoot) -> x509.Certificate:
    """Return the leaf after sigstore-python accepted the bundle."""
    with naming_extras():
        from sigstore.models import Bundle, TrustedRoot
        from sigstore.verify.verifier import Verifier
        from sigstore_models.trustroot.v1 import TrustedRoot as RootModel
    try:
        leaf = x509.load_der_x509_certificate(bundle.certificates[0])
        model = RootModel.from_json(root.data)
        for authority in model.timestamp_authorities:
            if authority.valid_for.end:
                authority.valid_for.end += _EXCLUSIVE_END
        verifier = Verifier(trusted_root=TrustedRoot(model))
        kind, payload = verifier.verify_dsse(Bundle.from_json(bundle.data), _TheLeaf(leaf))
    except Exception as error:  # of six packages, which document no closed list for malformed input
        got = f"{type(error).__name__}: {error}"
        wanted = "a bundle that the trusted root vouches for"
        raise forged(bundle, "sigstore refuses the bundle", got[:300], wanted) from error
    if (kind, payload) != (bundle.envelope.payload_type, bundle.envelope.payload):
        raise forged(bundle, "sigstore verified another payload", kind, bundle.envelope.payload_type)
    return leaf

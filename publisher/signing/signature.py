"""One signature of a publisher over a model, verified as users will verify it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from provenance_oracle.publisher.signing.payload import make_payload
from provenance_oracle.publisher.signing.signers import PublisherSigner
from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.digest.files import FileSet
from provenance_oracle.verifier.errors import AppraisalError, UsageError
from provenance_oracle.verifier.identity.bundle import parse_bundle
from provenance_oracle.verifier.identity.names import IdentityKind, PublisherIdentity
from provenance_oracle.verifier.identity.publisher import PublisherTrust, VerifiedSignature, verify_publisher
from provenance_oracle.verifier.identity.sigstore_root import load_pinned_root
from provenance_oracle.verifier.judgement.release import BUNDLE_PATH, GPU_PATHS, PUBLISHER_KEY_PATH, Release
from provenance_oracle.verifier.judgement.sheet import CheckSheet
from provenance_oracle.verifier.judgement.signature import SignedBytes, refuse_unsigned, verify_release_signature
from provenance_oracle.verifier.manifest.dsse import MANIFEST_PATH
from provenance_oracle.verifier.manifest.statement import Manifest

_WORKLOADS = (IdentityKind.MEASUREMENT, IdentityKind.SIMULATED_MEASUREMENT)
_TRIAL = {"trial": bytes(32)}  # a file and its digest


@dataclass(frozen=True)
class ModelSignature:
    """A signature that verifies. `bundle` holds it, and `key` is the PEM of the key that verifiers need beside it."""

    bundle: bytes
    key: bytes | None
    verified: VerifiedSignature

    @property
    def files(self) -> dict[str, bytes]:
        """The files of `provenance/` that hold it, by path, in the order in which they are written."""
        return ({} if self.key is None else {PUBLISHER_KEY_PATH: self.key}) | {BUNDLE_PATH: self.bundle}


@dataclass(frozen=True)
class Publisher:
    """The publisher that a release names.

    Attributes:
        line: the identity to name; None for the narrowest that fits the signer.
        signer: signs the release; None if somebody else does so later.
        clock: returns the present, in which every signature has to verify.
    """

    line: PublisherIdentity | None
    signer: PublisherSigner | None
    clock: Callable[[], datetime]

    def __post_init__(self) -> None:
        """Refuse the identity of a workload, which signs manifests and no models. Raises UsageError."""
        if self.line and self.line.kind in _WORKLOADS:
            wanted = "the line of a key, a certificate, an authority, a sigstore account or a workflow"
            raise UsageError("no signature can prove this", where="--publisher", got=self.line.line, wanted=wanted)

    @property
    def signs(self) -> bool:
        """Whether the release is signed now."""
        return self.signer is not None

    def try_out(self) -> None:
        """Sign something else and verify it, so that a signer that users would refuse is refused at once.

        Do nothing without a signer, and where a trial would leave a trace in a public log.

        Raises:
            UsageError: the signer has no identity, or another one than the publisher named.
            VerificationError: nobody would accept the signer (check `publisher-signature`).
        """
        if self.signer and not self.signer.is_public:
            self.sign("trial", _TRIAL)

    def identity(self) -> PublisherIdentity:
        """Return the identity that the release names.

        Raises:
            UsageError: the signer has none, or another one. Others as the signer's `lines`.
        """
        lines = self.signer.lines() if self.signer else ()
        if self.line and lines and self.line.line not in lines:
            raise _another(" or ".join(lines), self.line)
        if self.line:
            return self.line
        if not lines:
            got = "a signer of unknown name"
            raise UsageError("the signer's identity is not known", got=got, wanted="--publisher LINE")
        return PublisherIdentity(lines[0])

    def sign(self, name: str, digests: Mapping[str, bytes]) -> ModelSignature:
        """Sign files, and verify the signature as users will.

        Args:
            name, digests: see `payload.make_payload`.

        Raises:
            UsageError: the signer has another identity. Others as the signer's `sign`.
            VerificationError: nobody would accept the signature (check `publisher-signature`).
        """
        assert self.signer is not None
        identity = self.identity()
        bundle = self.signer.sign(make_payload(name, digests))
        verified = self.verify(bundle, identity)
        return ModelSignature(bundle, self.signer.key.pem if self.signer.key else None, verified)

    def verify(self, bundle: bytes, identity: PublisherIdentity) -> VerifiedSignature:
        """Verify a bundle of the signer as users will who expect `identity`. Raises as `sign`."""
        assert self.signer is not None
        root = self.signer.root or load_pinned_root()
        trust = PublisherTrust(identity, self.signer.key, (), root, self.clock())
        try:
            return verify_publisher(parse_bundle(bundle, "new signature"), trust)
        except AppraisalError as error:
            raise _another(error.got, identity) from error


def signed_digests(files: FileSet, provenance: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return the SHA-256 by path of what a publisher signs.

    Args:
        files: the model's files, each with its SHA-256.
        provenance: the files of `provenance/` by path. Of these the manifest and the evidence of GPUs are signed.
    """
    own = {path: data for path, data in provenance.items() if path == MANIFEST_PATH or path in GPU_PATHS}
    digests = {path: hashlib.sha256(data).digest() for path, data in own.items()}
    for file in files.files:
        assert file.sha256 is not None
        digests[file.path] = file.sha256
    return digests


def match_signed_release(release: Release, manifest: Manifest, files: FileSet, publisher: Publisher) -> None:
    """Judge the signature of a release on disk, as `provenance check` does.

    Args:
        manifest, files: of the release, verified and compared with each other. Each file has its SHA-256.

    Raises:
        ProvenanceError: as `verifier.judgement.signature.verify_release_signature`, or a file is not as signed.
    """
    root = publisher.signer.root if publisher.signer else None
    found = verify_release_signature(release, manifest, at=publisher.clock(), root=root, sheet=CheckSheet())
    refuse_unsigned(manifest, found)
    SignedBytes(found).match(files.files)


def _another(got: str, named: PublisherIdentity) -> UsageError:
    return UsageError(
        "the signer is not the publisher that is named",
        check=Check.PUBLISHER_IDENTITY,
        where="--publisher",
        got=got,
        wanted=named.line,
    )

"""Judge the OpenSSF signature of a release: genuine, by the publisher whom the manifest names, over every file.

The binding goes both ways. The signature covers the signed manifest, so nobody can put signed files under another name.
The manifest names the publisher, so nobody can take the signature away or put another in its place. A signature beside
a manifest that names nobody is verified and shown, but it gives the release no publisher.

The digests of model files are compared during the one read of each file; see `SignedBytes`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from provenance_oracle.verifier.checks import Check, Finding, failed
from provenance_oracle.verifier.digest.tree.blocks import Take
from provenance_oracle.verifier.digest.tree.fsverity import FileDigest
from provenance_oracle.verifier.errors import AppraisalError, FormatError, IncompleteError
from provenance_oracle.verifier.identity.bundle import SignatureBundle, SigningMethod, parse_bundle
from provenance_oracle.verifier.identity.certificate_method import own_anchors
from provenance_oracle.verifier.identity.key_method import parse_publisher_key
from provenance_oracle.verifier.identity.match import (
    Coverage,
    PartHasher,
    coverage_of,
    digest_maker,
    match_names,
    parts_by_path,
    refuse_gaps,
    refuse_wrong,
)
from provenance_oracle.verifier.identity.names import IdentityKind, PublisherIdentity, parse_identity
from provenance_oracle.verifier.identity.publisher import PublisherTrust, verify_signer
from provenance_oracle.verifier.identity.signer import ModelSigner, match_signer
from provenance_oracle.verifier.identity.sigstore_root import PinnedRoot, load_pinned_root
from provenance_oracle.verifier.identity.statement import SignedFiles
from provenance_oracle.verifier.judgement.release import BUNDLE_PATH, PROVENANCE_PATHS, PUBLISHER_KEY_PATH, Release
from provenance_oracle.verifier.judgement.sheet import CheckSheet
from provenance_oracle.verifier.manifest.dsse import MANIFEST_PATH
from provenance_oracle.verifier.manifest.statement import Manifest
from provenance_oracle.verifier.policy import PublisherRule, Word

# The kinds of identities that each method can prove.
_KINDS = {
    SigningMethod.KEY: (IdentityKind.KEY,),
    SigningMethod.CERTIFICATE: (IdentityKind.CERTIFICATE, IdentityKind.AUTHORITY),
    SigningMethod.SIGSTORE: (IdentityKind.SIGSTORE, IdentityKind.WORKFLOW),
}
_PROVABLE = tuple(kind for kinds in _KINDS.values() for kind in kinds)


@dataclass(frozen=True)
class ReleaseSignature:
    """A genuine signature of a release. Only the digests of the model files may not be compared yet.

    Attributes:
        signer: the signer, with all identities that fit.
        identity: the identity that the manifest names; the narrowest that fits if it names none.
        is_named: the manifest names the identity, so that it is the release's publisher.
        signed: the files that the signer vouches for.
        coverage: which files of the manifest, and the manifest itself, the signature covers.
    """

    signer: ModelSigner
    identity: PublisherIdentity
    is_named: bool
    signed: SignedFiles
    coverage: Coverage


def verify_release_signature(
    release: Release, manifest: Manifest, *, at: datetime, root: PinnedRoot | None, sheet: CheckSheet
) -> ReleaseSignature | None:
    """Verify the signature of a release, and that the publisher whom its manifest names made it.

    Args:
        manifest: the manifest of the release, whose signature was verified.
        at: the moment of judgement.
        root: the trusted root of a sigstore instance; None for that of the public instance.
        sheet: collects the finding about the identity.

    Returns:
        None if the release has no signature; `refuse_unsigned` then tells whether it needs one.

    Raises:
        UsageError: the method needs a package that is not installed.
        FormatError: the bundle, its key or the named identity is malformed.
        VerificationError: the signature is not genuine, or it covers other files (check `publisher-signature`).
        AppraisalError: another publisher signed (check `publisher-identity`), or a publisher whom the manifest names
            left files out (check `publisher-signature`).
    """
    with sheet:
        named = _named_identity(manifest)
        if release.signature is None:
            _refuse_lonely_key(release, named)
            return None
        bundle = parse_bundle(release.signature, BUNDLE_PATH)
        # (1) the signature is genuine
        signer, signed = verify_signer(bundle, _trust(release, bundle, named, root, at))
        # (2) the publisher is the one whom the manifest names
        identity = match_signer(signer, named, BUNDLE_PATH)
        # (3) the signed files are there, with the signed bytes as far as these are in memory
        coverage = _match_evidence(release, manifest, signed)
        if named is None:
            nobody = f"signed by {identity.line}, but the manifest names no publisher"
            sheet.not_checked(Check.PUBLISHER_IDENTITY, nobody)
        else:
            # (4) the publisher vouches for every file, and for the manifest that holds name, version and parents
            refuse_gaps(coverage, BUNDLE_PATH)
            sheet.passed(Check.PUBLISHER_IDENTITY, identity.line, "the publisher whom the manifest names")
    return ReleaseSignature(signer, identity, named is not None, signed, coverage)


def refuse_unsigned(manifest: Manifest, signature: ReleaseSignature | None) -> None:
    """Raise IncompleteError if the manifest names a publisher and the signature is not there (yet)."""
    if manifest.publisher and signature is None:
        raise IncompleteError(
            "the manifest names a publisher, whose signature is not there yet",
            check=Check.PUBLISHER_SIGNATURE,
            where=BUNDLE_PATH,
            got="no such file",
            wanted=f"a signature by {manifest.publisher}; `provenance sign` makes one",
        )


def check_publisher(rule: PublisherRule, signature: ReleaseSignature | None) -> list[Finding]:
    """Return the failure of a policy's rule about the publisher of a release; nothing if it holds."""
    if rule is Word.ANY:
        return []
    if signature is None or not signature.is_named:
        got = "no signature" if signature is None else "a signature, but the manifest names no publisher"
        return [failed(Check.PUBLISHER_IDENTITY, got, "a publisher whom the manifest names and who signed the release")]
    if rule is Word.REQUIRED or any(line in signature.signer.lines for line in rule):
        return []
    return [failed(Check.PUBLISHER_IDENTITY, " or ".join(signature.signer.lines), " or ".join(rule))]


def enter_signature(sheet: CheckSheet, signature: ReleaseSignature | None) -> None:
    """Enter the findings about the signature of a release whose files were compared with it."""
    if signature is None:
        nothing = "no OpenSSF signing bundle"
        sheet.not_checked(Check.PUBLISHER_SIGNATURE, nothing)
        sheet.not_checked(Check.PUBLISHER_IDENTITY, nothing)
        return
    files = f"{len(signature.coverage.covered)} of {signature.coverage.files} files"
    if signature.is_named:
        sheet.passed(Check.PUBLISHER_SIGNATURE, files, "genuine, over every file and the manifest")
    else:
        sheet.not_checked(Check.PUBLISHER_SIGNATURE, f"genuine, over {files}, but the manifest names no publisher")


class SignedBytes:
    """Compares files with their signed digests while they are read once for the manifest.

    The SHA-256 of a whole file is computed with the others of the same read; `takers` compute all other digests.

    Args:
        signature: None compares nothing.

    Attributes:
        sha256_of: the paths of the files whose SHA-256 must be computed.
        takers: take the bytes of the file at a path.

    Raises:
        UsageError: a digest needs a package that is not installed.
    """

    def __init__(self, signature: ReleaseSignature | None) -> None:
        self._sha256: dict[str, bytes] = {}
        self._hashers: dict[str, PartHasher] = {}
        if signature is not None:
            signed = signature.signed
            if signed.algorithm == "sha256" and signed.shard_size is None:
                self._sha256 = {part.path: part.digest for part in signed.parts}
            else:
                new_digest = digest_maker(signed.algorithm)
                parts = parts_by_path(signed)
                self._hashers = {path: PartHasher(parts[path], new_digest) for path in parts}
        self.sha256_of = self._sha256.keys()
        self.takers: Mapping[str, Take] = {path: hasher.update for path, hasher in self._hashers.items()}

    def match(self, files: Iterable[FileDigest]) -> None:
        """Compare the files that were read. Raise VerificationError if one is not as signed."""
        refuse_wrong([file.path for file in files if not self._is_as_signed(file)])

    def _is_as_signed(self, file: FileDigest) -> bool:
        if file.path in self._sha256:
            return file.sha256 == self._sha256[file.path]
        return file.path not in self._hashers or self._hashers[file.path].is_as_signed()


def _named_identity(manifest: Manifest) -> PublisherIdentity | None:
    if not manifest.publisher:
        return None
    identity = parse_identity(manifest.publisher, f"{MANIFEST_PATH}, internalParameters.publisher")
    if identity.kind not in _PROVABLE:
        raise FormatError(
            "no signature can prove this publisher",
            check=Check.PUBLISHER_IDENTITY,
            where=MANIFEST_PATH,
            got=identity.line,
            wanted=f"an identity that begins with {', '.join(_PROVABLE)}",
        )
    return identity


def _refuse_lonely_key(release: Release, named: PublisherIdentity | None) -> None:
    """Refuse a key without a signature, which would mean nothing. It may come before a signature that must come."""
    if release.publisher_key is not None and named is None:
        raise FormatError(
            "the release has a publisher's key and no signature",
            check=Check.PUBLISHER_SIGNATURE,
            where=PUBLISHER_KEY_PATH,
            got=f"no {BUNDLE_PATH}",
            wanted="both files or neither",
        )


def _trust(
    release: Release, bundle: SignatureBundle, named: PublisherIdentity | None, root: PinnedRoot | None, at: datetime
) -> PublisherTrust:
    """Return what the named identity lets one trust. If none is named, the bundle's own anchor becomes the identity."""
    if named is not None and named.kind not in _KINDS[bundle.method]:
        raise AppraisalError(
            "another kind of signer than the one whom the manifest names",
            check=Check.PUBLISHER_IDENTITY,
            where=BUNDLE_PATH,
            got=f"a signature by the method {bundle.method}",
            wanted=named.line,
        )
    if (release.publisher_key is None) == (bundle.method is SigningMethod.KEY):
        got = "no such file" if release.publisher_key is None else f"a signature by the method {bundle.method}"
        raise FormatError(
            "the file goes with signatures by the method key, and only with these",
            check=Check.PUBLISHER_SIGNATURE,
            where=PUBLISHER_KEY_PATH,
            got=got,
            wanted="the publisher's public key" if release.publisher_key is None else "no such file",
        )
    pem = release.publisher_key
    key = None if pem is None else parse_publisher_key(pem, PUBLISHER_KEY_PATH)
    anchors = own_anchors(bundle) if named is None else ()
    return PublisherTrust(named, key, anchors, root or load_pinned_root(), at)


def _match_evidence(release: Release, manifest: Manifest, signed: SignedFiles) -> Coverage:
    """Compare names and sizes with the signed ones, and the files of `provenance/` byte for byte.

    Returns:
        Which files of the manifest, and whether the manifest itself, the signature covers.
    """
    sizes = {file.path: file.size for file in manifest.files}
    own = {path: data for path, data in release.provenance.items() if path in PROVENANCE_PATHS}
    match_names(signed, sizes | {path: len(data) for path, data in own.items()})
    wrong = []
    for path, parts in parts_by_path(signed).items():
        if path in own:
            hasher = PartHasher(parts, digest_maker(signed.algorithm))
            hasher.update(own[path])
            if not hasher.is_as_signed():
                wrong.append(path)
    refuse_wrong(wrong)
    return coverage_of(signed, sizes | {MANIFEST_PATH: len(release.envelope)})

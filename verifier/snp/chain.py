"""Verify the chain from a VCEK or VLEK up to AMD's root: pinned root, names, algorithms, validity and CRL.

Sources: AMD 57230 for the form of the chain, RFC 5280, sections 4.1.2.5 and 5, for validity and CRLs. General path
builders cannot verify it: a VEK has no authority key id, and its serial number is 0.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from cryptography.hazmat.primitives.asymmetric.ec import SECP384R1, EllipticCurvePublicKey

from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.errors import UsageError
from provenance_oracle.verifier.snp.authority import (
    INTERMEDIATE,
    ROOT,
    authority_key_id_of,
    expect_subject,
    fail,
    refuse,
    verify_authority,
    verify_issued,
    verify_pss,
)
from provenance_oracle.verifier.snp.certificates import (
    Certificate,
    malformed_endorsement,
    parse_certificate,
    split_certificates,
)
from provenance_oracle.verifier.snp.crl import Crl
from provenance_oracle.verifier.snp.endorsements import Endorsements
from provenance_oracle.verifier.snp.products import AMD_ROOTS, SIMULATOR_ROOTS, ProductLine, RootKind, TrustedRoot
from provenance_oracle.verifier.snp.report import SigningKey
from provenance_oracle.verifier.strict.timestamps import format_time


class RevocationStatus(StrEnum):
    """The revocation state of the intermediate. There is no value for "revoked": `verify_chain` raises instead."""

    NOT_REVOKED = "not revoked"
    UNAVAILABLE = "unavailable"
    STALE = "stale"


@dataclass(frozen=True)
class VerifiedChain:
    """Endorsements that verify up to a trusted root at the time `at`."""

    line: ProductLine
    root_kind: RootKind
    endorsements: Endorsements
    at: datetime
    revocation: RevocationStatus


def verify_chain(
    endorsements: Endorsements, *, roots: tuple[TrustedRoot, ...], at: datetime, crl_at: datetime | None = None
) -> VerifiedChain:
    """Verify the certificates that endorse a report.

    The steps go from the root down, so that a revoked intermediate is reported as revoked even if the VEK is bad too.

    Args:
        roots: the ARKs to accept. The ARK that comes with the evidence is only compared with them.
        at: the time at which the certificates must be valid, an aware datetime.
        crl_at: the time at which the revocation list must be current; None means `at`.

    Raises:
        VerificationError: the chain does not verify (check `vek-chain`), a certificate is not valid at `at` (check
            `vek-validity`), or the list is not the ARK's or revokes the intermediate (check `vek-revocation`).
        UsageError: `at` has no time zone.
    """
    require_aware(at)
    vek, intermediate, ark = endorsements.vek.certificate, endorsements.intermediate, endorsements.ark
    # (1) the ARK is one of the trusted roots and is self-signed
    root = _match_root(ark, roots)
    line = root.line
    expect_subject(ark, f"ARK-{line}")
    verify_authority(ark, ark, ROOT)
    # (2) the ARK signed the intermediate: an ASK for a VCEK, an ASVK for a VLEK
    kind = endorsements.vek.kind
    expect_subject(intermediate, {SigningKey.VCEK: f"SEV-{line}", SigningKey.VLEK: f"SEV-VLEK-{line}"}[kind])
    verify_authority(intermediate, ark, INTERMEDIATE)
    # (3) both are valid at `at`, and the intermediate is not revoked
    _check_validity(ark, at)
    _check_validity(intermediate, at)
    revocation = _verify_revocation(intermediate, ark, endorsements.crl, crl_at or at)
    # (4) the VEK has a P-384 key, is signed by the intermediate, and is valid at `at`
    expect_subject(vek, f"SEV-{kind.name}")
    verify_issued(vek, intermediate)
    vek_key(vek)
    _check_validity(vek, at)
    return VerifiedChain(line, root.kind, endorsements, at, revocation)


def unsafe_root(data: bytes, where: str) -> TrustedRoot:
    """Return a trusted root for an ARK that the user supplies. Everything judged under it is marked `unsafe`.

    Args:
        data: one certificate in PEM or DER.
        where: the name of the file, for messages.

    Raises:
        FormatError: the data is not exactly one certificate (check `endorsements-format`).
        VerificationError: its common name is not that of an ARK (check `vek-chain`).
    """
    ders = split_certificates(data, where)
    if len(ders) != 1:
        raise malformed_endorsement(where, "certificates", str(len(ders)), "one, the ARK")
    certificate = parse_certificate(ders[0], where)
    for line in ProductLine:
        if certificate.common_name == f"ARK-{line}":
            return TrustedRoot(line, hashlib.sha256(certificate.der).digest(), RootKind.UNSAFE)
    return refuse(certificate, "wrong subject", certificate.common_name, "ARK-Milan, ARK-Genoa or ARK-Turin")


def require_aware(at: datetime) -> None:
    """Raise UsageError if `at` has no time zone, because it cannot be compared with a certificate's validity."""
    if at.utcoffset() is None:
        raise UsageError(
            "the time has no time zone", where="at", got=at.isoformat(), wanted="a moment with a time zone"
        )


def verify_crl(crl: Crl, ark: Certificate) -> None:
    """Verify that `ark` issued and signed a revocation list. Its dates and entries are not looked at.

    Raises:
        VerificationError: the list names another issuer or key, or its signature does not verify (check
            `vek-revocation`).
    """
    if crl.issuer != ark.subject:
        fail(Check.VEK_REVOCATION, crl.where, "wrong issuer of the CRL", "another name", ark.common_name)
    if crl.authority_key_id != authority_key_id_of(ark):
        fail(Check.VEK_REVOCATION, crl.where, "wrong authority key id of the CRL", "another key", ark.common_name)
    verify_pss(crl.signed, ark, Check.VEK_REVOCATION, crl.where, "the CRL")


def vek_key(vek: Certificate) -> EllipticCurvePublicKey:
    """Return the public key of a VEK, which verifies reports.

    Raises:
        VerificationError: the key is not on P-384 (check `vek-chain`).
    """
    if not isinstance(vek.key, EllipticCurvePublicKey) or not isinstance(vek.key.curve, SECP384R1):
        refuse(vek, "wrong kind of key", "another key", "elliptic curve P-384")
    return vek.key


def _match_root(ark: Certificate, roots: tuple[TrustedRoot, ...]) -> TrustedRoot:
    digest = hashlib.sha256(ark.der).digest()
    for root in roots:
        if root.ark_sha256 == digest:
            return root
    kinds = sorted({str(root.kind) for root in roots})
    problem = "root is not trusted" + _known_root_note(digest)
    return refuse(ark, problem, f"{ark.common_name} {digest.hex()}", f"a pinned root ({', '.join(kinds)})")


def _known_root_note(digest: bytes) -> str:
    """Return the owner of a root that is known but not trusted here, and the policy that accepts it; else nothing."""
    kind = next((root.kind for root in SIMULATOR_ROOTS + AMD_ROOTS if root.ark_sha256 == digest), None)
    if kind is RootKind.SIMULATOR:
        return ": this evidence is SIMULATED; --policy demo accepts it"
    return ": this evidence is AMD's, not simulated; --policy baseline may accept it" if kind is RootKind.AMD else ""


def _verify_revocation(intermediate: Certificate, ark: Certificate, crl: Crl | None, at: datetime) -> RevocationStatus:
    """Return the revocation state of the intermediate by the ARK's list.

    A VEK cannot be revoked: the intermediate issues no list, and all VEKs share the serial number 0.
    """
    if crl is None:
        return RevocationStatus.UNAVAILABLE
    verify_crl(crl, ark)
    # an old list still proves that the certificate was revoked
    if intermediate.serial in crl.revoked_serials:
        fail(
            Check.VEK_REVOCATION,
            intermediate.where,
            f"{intermediate.common_name} is revoked",
            f"serial {intermediate.serial} in CRL no. {crl.number}",
            "a certificate that AMD has not revoked",
        )
    return RevocationStatus.NOT_REVOKED if crl.covers(at) else RevocationStatus.STALE


def _check_validity(certificate: Certificate, at: datetime) -> None:
    if not certificate.not_before <= at <= certificate.not_after:
        fail(
            Check.VEK_VALIDITY,
            certificate.where,
            f"{certificate.common_name} is not valid at this time",
            format_time(at),
            f"{format_time(certificate.not_before)} to {format_time(certificate.not_after)}",
        )

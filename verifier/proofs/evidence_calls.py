"""From a release to the calldata that proves it on chain. Nothing here reads a chain, and nothing here is a judgement.

`contracts/proofs/IHardwareProofs.sol` explains each member of the struct Evidence. The contract reads no JSON: the
caller tells it two places in the manifest, and it compares the bytes there. So it refuses a manifest that says the same
in other bytes, or whose key or names it does not know, however genuine the release is; `evidence_of` says why.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NamedTuple

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from provenance_oracle.verifier.errors import AppraisalError
from provenance_oracle.verifier.judgement.binding import bound_report_data
from provenance_oracle.verifier.judgement.release import KEY_PATH, REPORT_PATH, Release
from provenance_oracle.verifier.manifest.dsse import MANIFEST_PATH, parse_envelope
from provenance_oracle.verifier.manifest.key import PublicKey, parse_public_key
from provenance_oracle.verifier.proofs.intermediates import PINNED, added_intermediate
from provenance_oracle.verifier.record.fields import PRODUCT_LINE_CODES
from provenance_oracle.verifier.record.keccak import keccak256
from provenance_oracle.verifier.snp.certificates import parse_certificate, split_certificates
from provenance_oracle.verifier.snp.endorsements import parse_vek
from provenance_oracle.verifier.snp.products import ProductLine
from provenance_oracle.verifier.snp.report import parse_report

# The conventions of `verifier.judgement.binding` that the contract knows.
PROVABLE_BINDINGS = ("sha256-spki", "sha384-spki")
_CHIP_ID_BYTES = 64
_POINT_BYTES = 96
_SUBJECTS = b'"predicateType":"https://slsa.dev/provenance/v1","subject":['
_FILE = (
    rb'\{"annotations":\{"size":(?:0|[1-9][0-9]{0,15})\},'
    rb'"digest":\{"fsverity_sha256_4096":"[0-9a-f]{64}"(?:,"sha256":"[0-9a-f]{64}")?\},'
    rb'"name":"(?P<path>[ !#-\[\]-~]+)"\}'
)
_ONE_FILE = re.compile(_FILE)
_NO_BYTES = b""
_AS_PACKED = "the RFC 8785 form that `provenance pack` writes"


class EvidenceCall(NamedTuple):
    """Solidity's struct Evidence, in its order. Pass it to web3 as it is."""

    report: bytes
    vek: bytes
    vek_key: bytes
    vek_facts: int
    vek_chip: bytes
    key: bytes
    signature: bytes
    payload: bytes
    internal_at: int
    subjects_at: int
    intermediate: bytes = PINNED


@dataclass(frozen=True)
class VekFacts:
    """What AMD's certificate says of a key, as the contract keeps it.

    Attributes:
        facts: TCB, dates, product line and kind in one number; see the event `KeyEndorsed`.
        chip: keccak256 of the CHIP_ID that reports must have, 32 bytes.
        key: x and y of the key, 96 bytes.
    """

    facts: int
    chip: bytes
    key: bytes

    @property
    def key_digest(self) -> bytes:
        """keccak256 of the key, 32 bytes."""
        return keccak256(self.key)


def evidence_of(release: Release) -> EvidenceCall:
    """Return what proves a release on chain. The certificate is part of it; `with_endorsed_key` leaves it out.

    The contract has to know the intermediate by then, see `added_intermediate`.

    Raises:
        FormatError: a file of the release is malformed.
        AppraisalError: the contract cannot read this release; the message names what and the way out.
    """
    envelope = parse_envelope(release.envelope)
    key = parse_public_key(release.key, KEY_PATH)
    report = parse_report(release.evidence.report, REPORT_PATH)
    _require_bound(report.report_data, key)
    payload = envelope.payload
    internal_at, subjects_at = places_in(payload, report.digest)
    (vek,) = split_certificates(release.evidence.vek, release.evidence.vek_name)
    added = added_intermediate(release.evidence)
    return EvidenceCall(
        report=release.evidence.report,
        vek=vek,
        vek_key=_NO_BYTES,
        vek_facts=0,
        vek_chip=bytes(32),
        key=key.spki,
        signature=raw_signature(key, envelope.signature),
        payload=payload,
        internal_at=internal_at,
        subjects_at=subjects_at,
        intermediate=PINNED if added is None else added.digest,
    )


def places_in(payload: bytes, report_digest: bytes) -> tuple[int, int]:
    """Return where a manifest names its report, and where its list of files begins, after reading both as the EVM does.

    Args:
        report_digest: SHA-256 of the report's signed part, 32 bytes.

    Raises:
        AppraisalError: the contract would refuse the manifest.
    """
    return _internal_at(payload, report_digest), _subjects_at(payload)


def with_endorsed_key(call: EvidenceCall) -> EvidenceCall:
    """Return the same evidence for a chain that knows the certificate already, which is then left out."""
    found = vek_facts_of(call.report, call.vek)
    return call._replace(vek=_NO_BYTES, vek_key=found.key, vek_facts=found.facts, vek_chip=found.chip)


def raw_signature(key: PublicKey, signature: bytes) -> bytes:
    """Return r and s of a signature in DER, each with as many bytes as the curve's order.

    Raises:
        AppraisalError: the key is not on P-256 or P-384, or the signature is not one of ECDSA.
    """
    if not isinstance(key.key, EllipticCurvePublicKey):
        wanted = "ECDSA on P-256 or P-384; `provenance attest --new-key` makes one"
        problem = "the chain does not know the algorithm of the VM's key"
        raise AppraisalError(problem, where=KEY_PATH, got=key.algorithm, wanted=wanted)
    size = key.key.key_size // 8
    try:
        r, s = decode_dss_signature(signature)
        return r.to_bytes(size, "big") + s.to_bytes(size, "big")
    except (ValueError, OverflowError):
        problem = "the signature is not one of ECDSA"
        raise AppraisalError(problem, where=MANIFEST_PATH, got=f"{len(signature)} bytes", wanted="DER") from None


def vek_facts_of(report: bytes, vek: bytes) -> VekFacts:
    """Return what a certificate (DER) says, as the contract keeps it, given a report that its key signed.

    The TCB is that of the report, which the certificate repeats.

    Raises:
        FormatError: report or certificate are malformed.
    """
    parsed = parse_vek(parse_certificate(vek, "vek"))
    certificate, stated = parsed.certificate, parse_report(report, REPORT_PATH)
    not_before, not_after = (max(0, int(at.timestamp())) for at in (certificate.not_before, certificate.not_after))
    line = ProductLine(parsed.product_name.partition("-")[0])
    facts = int.from_bytes(stated.reported_tcb, "little") | not_before << 64 | not_after << 104
    facts |= PRODUCT_LINE_CODES[line] << 144 | parsed.kind << 152
    chip = bytes(_CHIP_ID_BYTES) if parsed.hwid is None else parsed.hwid.ljust(_CHIP_ID_BYTES, b"\0")
    return VekFacts(facts, keccak256(chip), certificate.spki[-_POINT_BYTES:])


def _require_bound(report_data: bytes, key: PublicKey) -> None:
    if report_data not in [bound_report_data(key, name) for name in PROVABLE_BINDINGS]:
        problem = "the chain cannot read how the report binds the VM's key"
        raise AppraisalError(problem, where=REPORT_PATH, got="another one", wanted=" or ".join(PROVABLE_BINDINGS))


def _internal_at(payload: bytes, report_digest: bytes) -> int:
    pattern = (
        rb'"internalParameters":\{(?:"publisher":\{"identity":"[^"\\\x00-\x1f]*"\},)?'
        rb'"snpReport":\{"sha256":"' + report_digest.hex().encode() + rb'"\}\}'
    )
    found = re.search(pattern, payload)
    if found is None:
        problem = "the chain does not see that the manifest names this report"
        raise AppraisalError(problem, where=MANIFEST_PATH, got="no such member", wanted=_AS_PACKED)
    return found.start()


def _subjects_at(payload: bytes) -> int:
    """Return where the list of files begins, after reading it as the contract does."""
    start = payload.rfind(_SUBJECTS)
    if start < 0:
        problem = "the chain does not see the list of files at the end of the manifest"
        raise AppraisalError(problem, where=MANIFEST_PATH, got="another form", wanted=_AS_PACKED)
    at, before = start + len(_SUBJECTS), _NO_BYTES
    while found := _ONE_FILE.match(payload, at):
        path, at = found["path"], found.end()
        if path <= before:
            raise _unread_file(f"{path.decode()} after {before.decode()}", "paths in ascending order of their bytes")
        before = path
        if payload[at:] == b"]}":
            return start
        if payload[at : at + 1] != b",":
            break
        at += 1
    shown = payload[at : at + 200].decode("utf-8", "replace")
    raise _unread_file(shown, "printable ASCII in names, without quotation mark and backslash, and an fs-verity digest")


def _unread_file(got: str, wanted: str) -> AppraisalError:
    return AppraisalError("the chain cannot read a file of the manifest", where=MANIFEST_PATH, got=got, wanted=wanted)

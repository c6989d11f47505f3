"""Parse the attestation report: 1184 bytes to fields. The fields are not trusted yet.

Source: AMD 56860 (SEV Secure Nested Paging Firmware ABI Specification), structure ATTESTATION_REPORT. The offsets were
compared with real reports of versions 2 to 5. Integers are little-endian. The one public report of version 4 (Google
Cloud, Milan, firmware 1.55.31) has version 3's fields: the bytes that version 5 added are still reserved and must be
zero (see also virtee/sev, pull request 307). Versions above 5 are refused: no genuine sample of them is known, and an
attacker could exploit a guessed layout.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from enum import IntEnum

from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.errors import FormatError
from provenance_oracle.verifier.snp.products import Cpuid
from provenance_oracle.verifier.strict.encodings import DECODERS, conversion, encoding_of, unwrapped

REPORT_BYTES = 0x4A0
# Azure's paravisor (HCL) puts a header of 32 bytes before the report, and runtime data after it: 2,600 bytes in all.
_HCL_MAGIC, _HCL_HEADER_BYTES = b"HCLA", 32
SIGNED_BYTES = 0x2A0
VERSIONS = (2, 3, 4, 5)
# The VMPL of a report that the host requested instead of a guest. It is parsed; the policy check `vmpl` refuses it.
HOST_VMPL = 0xFFFFFFFF

_SIGNATURE_ALGORITHM_ECDSA_P384 = 1
_COMPONENT_BYTES = 48
# Order of the group of P-384 (FIPS 186-5, NIST SP 800-186).
_P384_ORDER = int(
    "ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973", 16
)
_POLICY_KNOWN_BITS = (1 << 26) - 1
_POLICY_RESERVED_ONE = 1 << 17


class SigningKey(IntEnum):
    """The kind of key that signed the report (KEY_INFO.SIGNING_KEY)."""

    VCEK = 0
    VLEK = 1


@dataclass(frozen=True)
class Report:
    """The fields of an attestation report, under AMD's names in lower case.

    Byte strings are as in the report: family_id and image_id have 16 bytes; report_data and chip_id 64; measurement,
    id_key_digest and author_key_digest 48; host_data, report_id and report_id_ma 32; each TCB version 8.

    `policy`, `platform_info` and the mitigation vectors are AMD's 64-bit fields of flags. `current_` and `committed_`
    build, minor and major are the version of the SEV firmware. `signature_r` and `signature_s` are numbers above 0 and
    below the order of P-384.

    `cpuid` is None in version 2. The mitigation vectors are None before version 5. `signed` holds the first 0x2A0
    bytes, which the signature covers. The signature is malleable and the bytes after it are unsigned, so only `digest`
    identifies a report. `where` is the name of the file, for messages.
    """

    version: int
    guest_svn: int
    policy: int
    family_id: bytes
    image_id: bytes
    vmpl: int
    current_tcb: bytes
    platform_info: int
    author_key_en: bool
    signing_key: SigningKey
    report_data: bytes
    measurement: bytes
    host_data: bytes
    id_key_digest: bytes
    author_key_digest: bytes
    report_id: bytes
    report_id_ma: bytes
    reported_tcb: bytes
    cpuid: Cpuid | None
    chip_id: bytes
    committed_tcb: bytes
    current_build: int
    current_minor: int
    current_major: int
    committed_build: int
    committed_minor: int
    committed_major: int
    launch_tcb: bytes
    launch_mit_vector: int | None
    current_mit_vector: int | None
    signature_r: int
    signature_s: int
    signed: bytes
    where: str = field(default="report.bin", compare=False)

    @property
    def digest(self) -> bytes:
        """SHA-256 of the signed bytes, 32 bytes: the identity of the report."""
        return hashlib.sha256(self.signed).digest()


def parse_report(data: bytes, where: str = "report.bin") -> Report:
    """Parse a report of exactly 1184 bytes. `where` names the file in messages.

    Raises:
        FormatError: the report has another size or an unknown version, a reserved bit or byte is set, the report is
            not signed, or a number is out of range (check `report-format`).
    """
    # (1) size, version, signature algorithm and kind of key
    if len(data) != REPORT_BYTES:
        _expect(False, where, f"wrong report size{_form_hint(data)}", f"{len(data)} bytes", f"{REPORT_BYTES} bytes")
    version = _u32(data, 0x000)
    _expect(version in VERSIONS, where, "unsupported report version", str(version), "2, 3, 4 or 5")
    algorithm = _u32(data, 0x034)
    algorithm_is_known = algorithm == _SIGNATURE_ALGORITHM_ECDSA_P384
    _expect(algorithm_is_known, where, "unsupported signature_algo", str(algorithm), "1 (ECDSA P-384)")
    author_key_en, signing_key = _parse_key_info(_u32(data, 0x048), where)
    # (2) reserved ranges must be zero; otherwise a firmware flaw could let an attacker choose bytes that no check reads
    for start, end in _reserved_ranges(version):
        _expect(
            not any(data[start:end]), where, f"reserved bytes {start:#05x} to {end:#05x} are set", "not zero", "zero"
        )
    policy = _u64(data, 0x008)
    _expect(
        not policy & ~_POLICY_KNOWN_BITS, where, "reserved bits of policy are set", f"{policy:#x}", "bits 26 to 63 zero"
    )
    _expect(bool(policy & _POLICY_RESERVED_ONE), where, "reserved bit 17 of policy is not set", "0", "1")
    vmpl = _u32(data, 0x030)
    _expect(vmpl <= 3 or vmpl == HOST_VMPL, where, "unknown vmpl", str(vmpl), "0 to 3")
    # (3) the signature's two numbers are in range; a high s is genuine, because AMD does not normalise s
    signature_r, signature_s = (_parse_component(data, at, where) for at in (0x2A0, 0x2E8))
    return Report(
        version=version,
        guest_svn=_u32(data, 0x004),
        policy=policy,
        family_id=data[0x010:0x020],
        image_id=data[0x020:0x030],
        vmpl=vmpl,
        current_tcb=data[0x038:0x040],
        platform_info=_u64(data, 0x040),
        author_key_en=author_key_en,
        signing_key=signing_key,
        report_data=data[0x050:0x090],
        measurement=data[0x090:0x0C0],
        host_data=data[0x0C0:0x0E0],
        id_key_digest=data[0x0E0:0x110],
        author_key_digest=data[0x110:0x140],
        report_id=data[0x140:0x160],
        report_id_ma=data[0x160:0x180],
        reported_tcb=data[0x180:0x188],
        cpuid=None if version == 2 else Cpuid(data[0x188], data[0x189], data[0x18A]),
        chip_id=data[0x1A0:0x1E0],
        committed_tcb=data[0x1E0:0x1E8],
        current_build=data[0x1E8],
        current_minor=data[0x1E9],
        current_major=data[0x1EA],
        committed_build=data[0x1EC],
        committed_minor=data[0x1ED],
        committed_major=data[0x1EE],
        launch_tcb=data[0x1F0:0x1F8],
        launch_mit_vector=_u64(data, 0x1F8) if version >= 5 else None,
        current_mit_vector=_u64(data, 0x200) if version >= 5 else None,
        signature_r=signature_r,
        signature_s=signature_s,
        signed=data[:SIGNED_BYTES],
        where=where,
    )


def _form_hint(data: bytes) -> str:
    """Return the form of data that has not the size of a report, and how to convert it; empty if it has none known."""
    if data.startswith(b"\x30\x82") or (data.startswith(b"-----BEGIN") and b"CERTIFICATE-----" in data[:64]):
        return ": this is a certificate; is the report the other file?"
    encodings, inner = unwrapped(data)
    steps = [DECODERS[encoding] for encoding in encodings]
    if inner.startswith(_HCL_MAGIC):
        steps.append(f"tail -c +{_HCL_HEADER_BYTES + 1} | head -c {REPORT_BYTES}")
        encodings.append("an Azure HCL report, which is over Azure's data and names no key of yours")
    elif len(inner) == REPORT_BYTES:
        encodings.append("a report")
    elif encodings[-1:] != ["gzip"]:  # gzip is not looked into
        form = encoding_of(inner)
        return f": this is {form}; take the report out of it" if form in ("JSON", "HTML") else ""
    return f": this is {' of '.join(encodings)}; convert it with {conversion(steps, 'report.bin')}"


def _reserved_ranges(version: int) -> tuple[tuple[int, int], ...]:
    """Return the ranges [start, end) of bytes that must be zero in a report of this version."""
    return (
        (0x04C, 0x050),
        (0x188 if version == 2 else 0x18B, 0x1A0),
        (0x1EB, 0x1EC),
        (0x1EF, 0x1F0),
        (0x208 if version >= 5 else 0x1F8, 0x2A0),
        (0x2A0 + _COMPONENT_BYTES, 0x2E8),
        (0x2E8 + _COMPONENT_BYTES, REPORT_BYTES),
    )


def _parse_key_info(key_info: int, where: str) -> tuple[bool, SigningKey]:
    """Split KEY_INFO: bit 0 is AUTHOR_KEY_EN, bit 1 MASK_CHIP_KEY, bits 4:2 SIGNING_KEY, the rest is reserved."""
    _expect(key_info >> 5 == 0, where, "reserved bits of key_info are set", f"{key_info:#x}", "bits 5 to 31 zero")
    # if MASK_CHIP_KEY is set, the firmware wrote zeros instead of a signature
    _expect(not key_info & 2, where, "mask_chip_key is set", "1 (the report is not signed)", "0")
    signing_key = key_info >> 2 & 7
    _expect(
        signing_key in tuple(SigningKey), where, "unsupported signing_key", str(signing_key), "0 (VCEK) or 1 (VLEK)"
    )
    return bool(key_info & 1), SigningKey(signing_key)


def _parse_component(data: bytes, start: int, where: str) -> int:
    """Return R or S: 72 bytes, little-endian. P-384 uses the lower 48; the reserved ranges cover the other 24."""
    value = int.from_bytes(data[start : start + _COMPONENT_BYTES], "little")
    _expect(
        0 < value < _P384_ORDER, where, "invalid signature", "a component out of range", "0 < r, s < order of P-384"
    )
    return value


def _expect(holds: bool, where: str, what: str, got: str, wanted: str) -> None:
    if not holds:
        raise FormatError(what, check=Check.REPORT_FORMAT, where=where, got=got, wanted=wanted)


def _u32(data: bytes, start: int) -> int:
    return int.from_bytes(data[start : start + 4], "little")


def _u64(data: bytes, start: int) -> int:
    return int.from_bytes(data[start : start + 8], "little")

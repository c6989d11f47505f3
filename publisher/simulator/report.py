"""Write and sign the 1184 bytes of an attestation report.

Source: AMD 56860 (SEV-SNP firmware ABI), ATTESTATION_REPORT and SIGNATURE. Reports have CPUID fields from version 3 on
and mitigation vectors from version 5 on.
"""

from __future__ import annotations

from dataclasses import dataclass

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from provenance_oracle.verifier.snp.products import ProductLine
from provenance_oracle.verifier.snp.report import REPORT_BYTES, SIGNED_BYTES
from provenance_oracle.verifier.snp.tcb import TCB_LAYOUTS, Tcb

_SIGNATURE_NUMBER_BYTES = 72

# Field, offset and size in bytes. Numbers are little-endian; bytes are written unchanged.
_LAYOUT = (
    ("version", 0x000, 4),
    ("guest_svn", 0x004, 4),
    ("policy", 0x008, 8),
    ("family_id", 0x010, 16),
    ("image_id", 0x020, 16),
    ("vmpl", 0x030, 4),
    ("signature_algo", 0x034, 4),
    ("current_tcb", 0x038, 8),
    ("platform_info", 0x040, 8),
    ("key_info", 0x048, 4),
    ("report_data", 0x050, 64),
    ("measurement", 0x090, 48),
    ("host_data", 0x0C0, 32),
    ("id_key_digest", 0x0E0, 48),
    ("author_key_digest", 0x110, 48),
    ("report_id", 0x140, 32),
    ("report_id_ma", 0x160, 32),
    ("reported_tcb", 0x180, 8),
    ("cpuid_family", 0x188, 1),
    ("cpuid_model", 0x189, 1),
    ("cpuid_stepping", 0x18A, 1),
    ("chip_id", 0x1A0, 64),
    ("committed_tcb", 0x1E0, 8),
    ("current_build", 0x1E8, 1),
    ("current_minor", 0x1E9, 1),
    ("current_major", 0x1EA, 1),
    ("committed_build", 0x1EC, 1),
    ("committed_minor", 0x1ED, 1),
    ("committed_major", 0x1EE, 1),
    ("launch_tcb", 0x1F0, 8),
    ("launch_mit_vector", 0x1F8, 8),
    ("current_mit_vector", 0x200, 8),
)


@dataclass(frozen=True)
class ReportFields:
    """Every field of a report by AMD's name. Fields that a version does not have are zero.

    `patches` are pairs (offset, bytes) that are written last, for reserved bytes, which have no name.
    """

    version: int
    policy: int
    vmpl: int
    platform_info: int
    key_info: int
    report_data: bytes
    measurement: bytes
    host_data: bytes
    report_id: bytes
    chip_id: bytes
    current_tcb: bytes
    reported_tcb: bytes
    committed_tcb: bytes
    launch_tcb: bytes
    cpuid_family: int = 0
    cpuid_model: int = 0
    cpuid_stepping: int = 0
    launch_mit_vector: int = 0
    current_mit_vector: int = 0
    guest_svn: int = 0
    family_id: bytes = bytes(16)
    image_id: bytes = bytes(16)
    signature_algo: int = 1
    id_key_digest: bytes = bytes(48)
    author_key_digest: bytes = bytes(48)
    report_id_ma: bytes = b"\xff" * 32
    current_build: int = 58
    current_minor: int = 55
    current_major: int = 1
    committed_build: int = 58
    committed_minor: int = 55
    committed_major: int = 1
    patches: tuple[tuple[int, bytes], ...] = ()

    def encode(self) -> bytes:
        """Return the signed part of the report, 0x2A0 bytes.

        Raises:
            ValueError: a field has the wrong size.
        """
        data = bytearray(SIGNED_BYTES)
        for name, offset, size in _LAYOUT:
            value = getattr(self, name)
            field = value.to_bytes(size, "little") if isinstance(value, int) else value
            if len(field) != size:
                raise ValueError(f"{name} is {len(field)} bytes, not {size}")
            data[offset : offset + size] = field
        for offset, patch in self.patches:
            data[offset : offset + len(patch)] = patch
        return bytes(data)


def encode_tcb(tcb: Tcb, line: ProductLine) -> bytes:
    """Return a TCB as 8 bytes in the layout of its product line."""
    data = bytearray(8)
    for part, position in TCB_LAYOUTS[line].items():
        data[position] = getattr(tcb, part)
    return bytes(data)


def sign_report(signed: bytes, key: ec.EllipticCurvePrivateKey) -> bytes:
    """Return the whole report (1184 bytes): the signed part, the signature, then zeros.

    The signature is ECDSA P-384 with SHA-384; r and s have 72 bytes each, little-endian. The nonce is derived from key
    and message (RFC 6979), so the same guest makes the same report again.
    """
    signature = key.sign(signed, ec.ECDSA(hashes.SHA384(), deterministic_signing=True))
    numbers = (n.to_bytes(_SIGNATURE_NUMBER_BYTES, "little") for n in decode_dss_signature(signature))
    return (signed + b"".join(numbers)).ljust(REPORT_BYTES, b"\0")

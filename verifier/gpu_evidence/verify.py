"""Verify the evidence of a GPU: certificates, signature, nonce and firmware id. The result is what the GPU claims.

The nonce is SHA-256 of the DER SubjectPublicKeyInfo of the VM's key, so the evidence was made for this key. It does not
prove that the GPU is attached to the VM: evidence can be relayed from a GPU elsewhere. Measurements are parsed and not
compared with NVIDIA's reference values (RIM), and revocation (OCSP) is not looked up: both are online services.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import NoReturn

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA384

from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.errors import VerificationError
from provenance_oracle.verifier.gpu_evidence.bundle import GpuArch, GpuBundle
from provenance_oracle.verifier.gpu_evidence.chain import NVIDIA_DEVICE_ROOTS, verify_gpu_chain
from provenance_oracle.verifier.gpu_evidence.spdm import FIRMWARE_ID, Measurements, parse_measurements

# The chips of each architecture begin so: GH100 is a Hopper, GB100 and GB202 are Blackwells.
_CHIPS = {GpuArch.HOPPER: "GH", GpuArch.BLACKWELL: "GB"}


@dataclass(frozen=True)
class GpuClaims:
    """What a genuine GPU signed.

    `chip` is its identity's common name, `device` (32 bytes) tells two GPUs apart, and `where` names the file.
    """

    arch: GpuArch
    chip: str
    device: bytes
    measurements: Measurements
    where: str


def gpu_nonce(spki: bytes) -> bytes:
    """Return the nonce, 32 bytes, with which evidence for a VM's key must be requested; `spki` is the key in DER."""
    return hashlib.sha256(spki).digest()


def verify_gpu_evidence(
    bundle: GpuBundle, *, at: datetime, roots: tuple[bytes, ...] = NVIDIA_DEVICE_ROOTS
) -> GpuClaims:
    """Verify that a genuine GPU signed the evidence. `match_gpu_nonce` compares the nonce with a key.

    Args:
        at: the moment for which the certificates must be valid; an aware datetime.
        roots: SHA-256 of the DER of each trusted root.

    Raises:
        FormatError: a part is malformed. VerificationError: a certificate or the signature does not verify, or the
            parts contradict each other (check `gpu-evidence`).
    """
    found = parse_measurements(bundle.messages, bundle.where)
    # (1) the certificates, up to NVIDIA's root
    gpu = verify_gpu_chain(bundle.chain, bundle.where, at=at, roots=roots)
    if not gpu.chip.startswith(_CHIPS[bundle.arch]):
        _refuse(bundle.where, "the GPU is of another architecture", gpu.chip, f"a chip of {bundle.arch}")
    # (2) the GPU's signature over request and response
    try:
        signature = encode_dss_signature(found.signature_r, found.signature_s)
        gpu.key.verify(signature, found.signed, ECDSA(SHA384()))
    except InvalidSignature:
        wanted = "an ECDSA P-384 signature by the GPU's key"
        _refuse(bundle.where, "the signature does not verify", "another key or other bytes", wanted)
    # (3) the certificate was issued for the firmware that answered
    firmware = found.opaque.get(FIRMWARE_ID, b"")
    if firmware not in gpu.firmware_ids:
        wanted = " or ".join(known.hex() for known in gpu.firmware_ids)
        _refuse(bundle.where, "the certificate is for other firmware", firmware.hex() or "no firmware id", wanted)
    # (4) the nonce beside the evidence is the one inside
    if bundle.nonce != found.nonce:
        _refuse(bundle.where, "the nonce is not that of the evidence", bundle.nonce.hex(), found.nonce.hex())
    return GpuClaims(bundle.arch, gpu.chip, gpu.device, found, bundle.where)


def match_gpu_nonce(claims: GpuClaims, spki: bytes) -> None:
    """Compare the evidence's nonce with SHA-256 of the key `spki` (DER SubjectPublicKeyInfo).

    Raises:
        VerificationError: the evidence was made for another key (check `gpu-evidence`).
    """
    wanted = gpu_nonce(spki)
    if claims.measurements.nonce != wanted:
        got = claims.measurements.nonce.hex()
        _refuse(claims.where, "the evidence was not made for this key", got, f"{wanted.hex()}, SHA-256 of the key")


def _refuse(where: str, problem: str, got: str, wanted: str) -> NoReturn:
    raise VerificationError(problem, check=Check.GPU_EVIDENCE, where=where, got=got, wanted=wanted)

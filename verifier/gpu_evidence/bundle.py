"""Parse the file `provenance/nvidia/gpu-N.json`: the evidence of one GPU, as NVIDIA's tools write it.

Format: a JSON object with the members that NVIDIA's attestation SDK and local verifier use (`get_evidence` of
nv_attestation_sdk; CDDL in veraison/ratsd). `arch` is the architecture in capitals, `evidence` the two SPDM messages in
base64, `certificate` a PEM file with the GPU's certificates in base64, leaf first, and `nonce` 64 hex digits.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.errors import FormatError
from provenance_oracle.verifier.strict.parse_json import Fields, parse_json

GPU_FILE_MAX_BYTES = 64 * 1024
NONCE_BYTES = 32

# The buffers of NVML: NVML_CC_GPU_ATTESTATION_REPORT_SIZE is 0x2000 bytes. A chain of five certificates has 5 KiB.
_EVIDENCE_MAX_BYTES = 0x2000
_CHAIN_MAX_BYTES = 16 * 1024


class GpuArch(StrEnum):
    """The architectures of which genuine evidence is known. NVIDIA's switches (LS10) are not GPUs."""

    HOPPER = "HOPPER"
    BLACKWELL = "BLACKWELL"


@dataclass(frozen=True)
class GpuBundle:
    """The evidence of one GPU as received. Nothing in it is trusted.

    `messages` holds the SPDM request and response, `chain` the certificates in PEM, and `nonce` has 32 bytes. `where`
    is the name of the file, for messages.
    """

    arch: GpuArch
    messages: bytes
    chain: bytes
    nonce: bytes
    where: str


def parse_gpu_bundle(data: bytes, where: str) -> GpuBundle:
    """Parse one file of at most 64 KiB. `where` names it in messages.

    Raises:
        FormatError: the file is too large, or not an object with exactly these four members (check `gpu-evidence`).
    """
    value = parse_json(
        data, where=where, check=Check.GPU_EVIDENCE, max_bytes=GPU_FILE_MAX_BYTES, max_depth=2, max_tokens=64
    )
    return bundle_of(Fields(value, where=where, check=Check.GPU_EVIDENCE), where)


def bundle_of(fields: Fields, where: str) -> GpuBundle:
    """Take the evidence of one GPU from a JSON object.

    Raises:
        FormatError: it does not have exactly the four members (check `gpu-evidence`).
    """
    arch = fields.text("arch", max_chars=32)
    if arch not in tuple(GpuArch):
        raise fields.error("arch", "unknown architecture", got=arch, wanted=" or ".join(GpuArch))
    bundle = GpuBundle(
        arch=GpuArch(arch),
        messages=fields.base64_bytes("evidence", max_bytes=_EVIDENCE_MAX_BYTES),
        chain=fields.base64_bytes("certificate", max_bytes=_CHAIN_MAX_BYTES),
        nonce=fields.hex_bytes("nonce", NONCE_BYTES),
        where=where,
    )
    fields.finish()
    return bundle


def malformed_gpu(where: str, problem: str, got: str, wanted: str) -> FormatError:
    """Return (do not raise) a FormatError about GPU evidence (check `gpu-evidence`)."""
    return FormatError(problem, check=Check.GPU_EVIDENCE, where=where, got=got, wanted=wanted)

"""Judge the evidence of a release's GPUs: each is genuine, was made for the VM's key, and is there once."""

from __future__ import annotations

from collections import Counter
from datetime import datetime

from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.errors import VerificationError
from provenance_oracle.verifier.gpu_evidence.bundle import parse_gpu_bundle
from provenance_oracle.verifier.gpu_evidence.verify import GpuClaims, match_gpu_nonce, verify_gpu_evidence
from provenance_oracle.verifier.judgement.release import GPU_PATHS
from provenance_oracle.verifier.judgement.sheet import CheckSheet
from provenance_oracle.verifier.manifest.key import PublicKey

# Everything that accepted evidence proves, and the most important thing that it does not.
MEANING = "made for this key; not proved to be attached to this VM"


def verify_gpus(
    files: tuple[bytes, ...], key: PublicKey, *, at: datetime, roots: tuple[bytes, ...], sheet: CheckSheet
) -> tuple[GpuClaims, ...]:
    """Verify the files `gpu-0.json` and following, enter the finding, and return what the GPUs claim.

    Args:
        key: the VM's key, whose digest is the nonce of the evidence.
        at: the moment for which the certificates must be valid; an aware datetime.
        roots: SHA-256 of the DER of each trusted root.

    Raises:
        FormatError, VerificationError: evidence is malformed or forged, was made for another key, or one GPU made two
            of the files (check `gpu-evidence`).
    """
    found: dict[bytes, GpuClaims] = {}
    with sheet:
        for path, data in zip(GPU_PATHS, files, strict=False):
            claims = verify_gpu_evidence(parse_gpu_bundle(data, path), at=at, roots=roots)
            match_gpu_nonce(claims, key.spki)
            if claims.device in found:
                raise VerificationError(
                    "one GPU made two files of evidence",
                    check=Check.GPU_EVIDENCE,
                    where=path,
                    got=f"the GPU of {found[claims.device].where}",
                    wanted="each GPU once",
                )
            found[claims.device] = claims
        wanted = "NVIDIA's device root, the GPU's signature, and SHA-256 of the VM's key as nonce"
        sheet.passed(Check.GPU_EVIDENCE, f"genuine {describe(tuple(found.values()))}, {MEANING}", wanted)
    return tuple(found.values())


def describe(gpus: tuple[GpuClaims, ...]) -> str:
    """Return the GPUs in words, such as `GPU (GH100 A01 GSP BROM, driver 580.95.05)`; equal ones are counted."""
    counted = Counter(f"{one.chip}, driver {one.measurements.driver_version or 'not told'}" for one in gpus)
    listed = "; ".join(f"{count} x {words}" if count > 1 else words for words, count in counted.items())
    return f"GPU{'s' if len(gpus) > 1 else ''} ({listed})"

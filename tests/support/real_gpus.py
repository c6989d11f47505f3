"""Evidence of real NVIDIA GPUs from the folder of vectors."""

from __future__ import annotations

import json
from pathlib import Path

from provenance_oracle.verifier.gpu_evidence.bundle import GpuArch, GpuBundle, parse_gpu_bundle
from tests.support.vector_folders import folder_of

_FOLDER = "nvidia"
# Messages with the certificates that go with them, as MANIFEST.json of the vectors pairs them.
_HOPPERS = {
    "hopper_coco_report1": "hopper_coco_certs1",
    "hopperAttestationReport": "hopper_cert_chain_case1",
}
NAMES = (*_HOPPERS, "blackwell-evidence")


def real_gpu(vectors: Path, name: str) -> GpuBundle:
    """Return the evidence of the real GPU with this name, one of NAMES."""
    if name in _HOPPERS:
        return hopper(vectors, name, _HOPPERS[name])
    (found,) = json.loads((folder_of(vectors, _FOLDER) / f"{name}.json").read_text())
    return parse_gpu_bundle(json.dumps(found).encode(), name)


def hopper(vectors: Path, messages: str, chain: str) -> GpuBundle:
    """Return the messages of one file with the certificates of another, and the messages' own nonce."""
    data = bytes.fromhex((folder_of(vectors, _FOLDER) / f"{messages}.txt").read_text())
    certificates = (folder_of(vectors, _FOLDER) / f"{chain}.txt").read_bytes().rstrip(b"\n") + b"\n"
    return GpuBundle(GpuArch.HOPPER, data, certificates, data[4:36], messages)

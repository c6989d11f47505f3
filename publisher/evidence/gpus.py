"""Collect the evidence of GPUs: from files of NVIDIA's tools, or from NVIDIA's driver (NVML) in this VM.

NVML's calls are those of NVIDIA's own verifier (NVIDIA/nvtrust, `nvml/__init__.py`). The package `nvidia-ml-py` has
them for Python, as the module `pynvml`.
"""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.errors import UsageError
from provenance_oracle.verifier.gpu_evidence.bundle import GpuArch, GpuBundle, bundle_of
from provenance_oracle.verifier.judgement.release import GPU_PATHS
from provenance_oracle.verifier.strict.files import open_any_file, pieces_of_file
from provenance_oracle.verifier.strict.parse_json import Fields, parse_json

_FILE_MAX_BYTES = 1 << 20
# NVML_DEVICE_ARCH_HOPPER and NVML_DEVICE_ARCH_BLACKWELL of nvml.h.
_ARCHITECTURES = {9: GpuArch.HOPPER, 10: GpuArch.BLACKWELL}


def gpus_from_files(paths: tuple[Path, ...]) -> tuple[bytes, ...]:
    """Return one file for each GPU from files that hold one object or a list, as NVIDIA's `get_evidence` gives it.

    Nothing is verified.

    Raises:
        UsageError: a file cannot be read, or there are more than 16 GPUs.
        FormatError: a file has another form (check `gpu-evidence`).
    """
    bundles = []
    for path in paths:
        with open_any_file(path) as file:
            data = b"".join(pieces_of_file(file, _FILE_MAX_BYTES + 1))
        value = parse_json(data, where=str(path), check=Check.GPU_EVIDENCE, max_bytes=_FILE_MAX_BYTES, max_depth=3)
        for one in value if isinstance(value, list) else [value]:
            bundles.append(bundle_of(Fields(one, where=str(path), check=Check.GPU_EVIDENCE), str(path)))
    return _files(bundles)


def gpus_from_driver(nonce: bytes) -> tuple[bytes, ...]:
    """Ask NVIDIA's driver in this VM for the evidence of every GPU over `nonce` (32 bytes).

    Raises:
        UsageError: the package or the driver is missing, or a GPU does not attest.
    """
    try:
        import pynvml
    except ModuleNotFoundError as error:
        wanted = "pip install nvidia-ml-py, or --gpu-evidence FILE"
        raise UsageError("this needs NVIDIA's library", got="no pynvml", wanted=wanted) from error
    try:
        pynvml.nvmlInit()
        try:
            count = pynvml.nvmlDeviceGetCount()
            return _files([_ask(pynvml, pynvml.nvmlDeviceGetHandleByIndex(index), nonce) for index in range(count)])
        finally:
            pynvml.nvmlShutdown()
    except pynvml.NVMLError as error:
        wanted = "GPUs in confidential mode, and NVIDIA's driver"
        raise UsageError("the GPU gives no evidence", where="NVML", got=str(error), wanted=wanted) from error


def _ask(nvml: Any, device: Any, nonce: bytes) -> GpuBundle:
    number = nvml.nvmlDeviceGetArchitecture(device)
    arch = _ARCHITECTURES.get(number)
    if arch is None:
        wanted = " or ".join(_ARCHITECTURES.values())
        raise UsageError("the GPU does not attest", where="NVML", got=f"architecture {number}", wanted=wanted)
    report = nvml.nvmlDeviceGetConfComputeGpuAttestationReport(device, nonce)
    chain = nvml.nvmlDeviceGetConfComputeGpuCertificate(device)
    return GpuBundle(
        arch=arch,
        messages=bytes(report.attestationReport[: report.attestationReportSize]),
        chain=bytes(chain.attestationCertChain[: chain.attestationCertChainSize]),
        nonce=nonce,
        where="NVML",
    )


def _files(bundles: list[GpuBundle]) -> tuple[bytes, ...]:
    """Return the files of a release for these GPUs."""
    if not 0 < len(bundles) <= len(GPU_PATHS):
        raise UsageError("wrong number of GPUs", got=str(len(bundles)), wanted=f"1 to {len(GPU_PATHS)}")
    return tuple(_file(bundle) for bundle in bundles)


def _file(bundle: GpuBundle) -> bytes:
    members = {
        "arch": bundle.arch.value,
        "certificate": base64.b64encode(bundle.chain).decode(),
        "evidence": base64.b64encode(bundle.messages).decode(),
        "nonce": bundle.nonce.hex(),
    }
    return json.dumps(members, indent=1).encode() + b"\n"

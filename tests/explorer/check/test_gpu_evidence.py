"""The evidence of GPUs is judged in a browser as in Python: real and made up, whole and changed at random."""

from __future__ import annotations

import base64
import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from provenance_oracle.verifier.gpu_evidence.bundle import GpuBundle, parse_gpu_bundle
from provenance_oracle.verifier.gpu_evidence.chain import NVIDIA_DEVICE_ROOTS
from provenance_oracle.verifier.gpu_evidence.verify import verify_gpu_evidence
from provenance_oracle.verifier.judgement.gpus import verify_gpus
from provenance_oracle.verifier.judgement.release import GPU_PATHS
from provenance_oracle.verifier.judgement.sheet import CheckSheet
from provenance_oracle.verifier.manifest.key import parse_public_key
from tests.explorer.check.engines import ChromiumEngine, FirefoxEngine
from tests.explorer.check.judged import Judged, compare
from tests.support.fake_gpus import FakeGpu, gpu_key
from tests.support.model_signatures import SIGNING_KEY, pem_of
from tests.support.mutants import changed, changed_der
from tests.support.real_gpus import NAMES, real_gpu

_MUTANTS = int(os.environ.get("PROVENANCE_EXPLORER_MUTANTS", "400"))
AT = datetime(2026, 11, 29, tzinfo=UTC)
KEY = parse_public_key(pem_of(SIGNING_KEY), "key")
NONCE = hashlib.sha256(KEY.spki).digest()
GPU = FakeGpu()
_OTHER = ec.derive_private_key(21, ec.SECP384R1())
OTHER_GPU = GPU.with_certificate(1, key=_OTHER).with_certificate(0, signer=_OTHER, authority_of=_OTHER)
# Fakes with one fault each.
FAULTY = (
    FakeGpu(arch="BLACKWELL"),
    FakeGpu(nonce_beside=bytes(32)),
    FakeGpu(signer=gpu_key(1)),
    FakeGpu(firmware=bytes(48)),
    FakeGpu(certificates=4),
    GPU.with_certificate(0, firmware=()),
    GPU.with_certificate(0, firmware=(bytes(48),)),
    GPU.with_certificate(0, usage=("digital_signature", "key_agreement")),
    GPU.with_certificate(1, usage=("digital_signature",)),
    GPU.with_certificate(2, is_authority=False),
    GPU.with_certificate(2, issuer="Somebody"),
    GPU.with_certificate(1, authority_of=gpu_key(0)),
    GPU.with_certificate(1, signer=gpu_key(0)),
    GPU.with_certificate(1, hash_name="sha256"),
    GPU.with_certificate(0, key=ec.derive_private_key(5, ec.SECP256R1())),
    GPU.with_certificate(1, not_after=datetime(2021, 1, 1, tzinfo=UTC)),
    GPU.with_certificate(1, more=(("1.2.3.4", False),)),
    GPU.with_certificate(1, more=(("2.5.29.31", True),)),
)
pytestmark = pytest.mark.timeout(3600)


def _one(data: bytes, root: bytes | None = None) -> Judged:
    def in_python() -> str:
        roots = NVIDIA_DEVICE_ROOTS if root is None else (root,)
        claims = verify_gpu_evidence(parse_gpu_bundle(data, "gpu"), at=AT, roots=roots)
        measured = claims.measurements
        return f"{claims.chip} {claims.device.hex()} {measured.driver_version} {measured.nonce.hex()}"

    return Judged("gpu", AT, {"gpu": data}, in_python, root.hex() if root else "")


def _several(*files: bytes) -> Judged:
    def in_python() -> str:
        sheet = CheckSheet()
        verify_gpus(files, KEY, at=AT, roots=(GPU.root,), sheet=sheet)
        return next(finding.got for finding in sheet.findings() if finding.check == "gpu-evidence")

    named = dict(zip(GPU_PATHS, files, strict=False))
    return Judged("gpus", AT, {"key": KEY.spki, **named}, in_python, GPU.root.hex())


def _document(bundle: GpuBundle) -> dict[str, Any]:
    parts = {"evidence": bundle.messages, "certificate": bundle.chain}
    encoded = {name: base64.b64encode(data).decode() for name, data in parts.items()}
    return {"arch": str(bundle.arch), **encoded, "nonce": bundle.nonce.hex()}


def _real(vectors: Path) -> list[GpuBundle]:
    return [real_gpu(vectors, name) for name in NAMES]


def _changed(vectors: Path) -> Iterator[Judged]:
    """Yield changed evidence, of real GPUs and of the fake one, whose messages are signed again."""
    real, fake = _real(vectors), parse_gpu_bundle(GPU.file(NONCE), "gpu")
    for number in range(_MUTANTS):
        rng = Random(f"gpu {number}")
        bundle = rng.choice((*real, fake))
        root = GPU.root if bundle is fake else None
        match rng.randrange(5):
            case 0:
                data = changed(json.dumps(_document(bundle)).encode(), rng)
            case 1:
                data = json.dumps(_document(replace(bundle, messages=changed(bundle.messages, rng)))).encode()
            case 2:
                data = json.dumps(_document(replace(bundle, chain=changed(bundle.chain, rng)))).encode()
            case 3:
                data, root = (
                    json.dumps(_document(replace(bundle, chain=_other_chain(bundle.chain, rng)))).encode(),
                    root,
                )
            case _:
                data, root = json.dumps(_document(replace(fake, messages=_signed_again(fake, rng)))).encode(), GPU.root
        yield _one(data, root)


def _other_chain(pem: bytes, rng: Random) -> bytes:
    """One certificate with another DER value in it."""
    import ssl

    blocks = [block + "-----END CERTIFICATE-----\n" for block in pem.decode().split("-----END CERTIFICATE-----")[:-1]]
    ders = [ssl.PEM_cert_to_DER_cert(block.strip()) for block in blocks]
    place = rng.randrange(len(ders))
    ders[place] = changed_der(ders[place], rng.choice(ders), rng)
    return "".join(ssl.DER_cert_to_PEM_cert(der) for der in ders).encode()


def _signed_again(bundle: GpuBundle, rng: Random) -> bytes:
    """Changed messages that the GPU signed."""
    from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
    from cryptography.hazmat.primitives.hashes import SHA384

    signed = changed(bundle.messages[:-96], rng)
    r, s = decode_dss_signature(gpu_key(0).sign(signed, ec.ECDSA(SHA384())))
    return signed + r.to_bytes(48, "big") + s.to_bytes(48, "big")


def _known(vectors: Path) -> list[Judged]:
    real = [_one(json.dumps(_document(bundle)).encode()) for bundle in _real(vectors)]
    faulty = [_one(gpu.file(NONCE), gpu.root) for gpu in FAULTY]
    good, other, stranger = GPU.file(NONCE), OTHER_GPU.file(NONCE), GPU.file(bytes(32))
    groups = [_several(good), _several(good, other), _several(good, good), _several(stranger)]
    return [*real, _one(good, GPU.root), _one(good), *faulty, *groups]


def test_known_evidence_in_chromium(vectors: Path, chromium: ChromiumEngine) -> None:
    counted = compare(chromium, _known(vectors))
    assert counted["passed"] == 6
    assert counted["forged"] >= 17


def test_known_evidence_in_firefox(vectors: Path, firefox: FirefoxEngine) -> None:
    assert compare(firefox, _known(vectors))["passed"] == 6


def test_changed_evidence_in_chromium(vectors: Path, chromium: ChromiumEngine) -> None:
    counted = compare(chromium, _changed(vectors))
    assert counted.total() == _MUTANTS
    assert counted.keys() >= {"passed", "malformed", "forged"}

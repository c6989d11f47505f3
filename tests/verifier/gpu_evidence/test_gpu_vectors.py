"""Real evidence of NVIDIA GPUs: what is genuine is accepted, and what the index calls bad is refused."""

from __future__ import annotations

import os
import random
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.errors import FormatError, ProvenanceError, VerificationError
from provenance_oracle.verifier.gpu_evidence.bundle import GpuArch, GpuBundle
from provenance_oracle.verifier.gpu_evidence.verify import match_gpu_nonce, verify_gpu_evidence
from tests.support.mutants import changed
from tests.support.real_gpus import NAMES, hopper, real_gpu

AT = datetime(2026, 11, 29, tzinfo=UTC)
# `make prove` sets many more than the default.
_MUTANTS = int(os.environ.get("PROVENANCE_MUTANTS", "100"))
# Chip, driver and VBIOS, read by hand from the bytes of the evidence.
_CLAIMS = {
    "hopper_coco_report1": ("GH100 A01 GSP BROM", "580.95.05", "96.00.74.00.1A"),
    "hopperAttestationReport": ("GH100 A01 GSP BROM", "550.90.07", "96.00.9F.00.01"),
    "blackwell-evidence": ("GB100 A01 GSP BROM", "590.48.01", "97.00.E4.00.11"),
}


@pytest.mark.parametrize("name", NAMES)
def test_genuine_evidence_is_accepted(vectors: Path, name: str) -> None:
    claims = verify_gpu_evidence(real_gpu(vectors, name), at=AT)
    found = claims.measurements
    assert (claims.chip, found.driver_version, found.vbios_version) == _CLAIMS[name]
    assert [one.index for one in found.measurements] == list(range(1, 65))
    assert {len(one.value) for one in found.measurements} == {48}


@pytest.mark.parametrize("name", NAMES)
def test_genuine_evidence_was_not_made_for_our_key(vectors: Path, name: str) -> None:
    with pytest.raises(VerificationError, match="not made for this key"):
        match_gpu_nonce(verify_gpu_evidence(real_gpu(vectors, name), at=AT), b"a key")


@pytest.mark.parametrize("case", [2, 3, 4])
def test_a_chain_that_the_index_calls_bad_is_refused(vectors: Path, case: int) -> None:
    """Only the root; no provisioner; no leaf."""
    bundle = hopper(vectors, "hopperAttestationReport", f"hopper_cert_chain_case{case}")
    with pytest.raises(FormatError, match="wrong number of certificates"):
        verify_gpu_evidence(bundle, at=AT)


def test_the_certificates_of_another_gpu_are_refused(vectors: Path) -> None:
    bundle = hopper(vectors, "hopperAttestationReport", "hopper_coco_certs1")
    with pytest.raises(VerificationError, match="signature does not verify"):
        verify_gpu_evidence(bundle, at=AT)


def test_one_zero_byte_after_the_signature_is_all_that_is_allowed(vectors: Path) -> None:
    bundle = real_gpu(vectors, "hopperAttestationReport")
    verify_gpu_evidence(replace(bundle, messages=bundle.messages + b"\0"), at=AT)
    for more in (b"\0\0", b"\1"):
        with pytest.raises(FormatError, match="bytes after the signature"):
            verify_gpu_evidence(replace(bundle, messages=bundle.messages + more), at=AT)


def test_no_changed_message_is_accepted(vectors: Path) -> None:
    bundles = [real_gpu(vectors, name) for name in NAMES]
    for number in range(_MUTANTS):
        rng = random.Random(f"messages {number}")
        bundle = rng.choice(bundles)
        mutant = changed(bundle.messages, rng)
        is_same = mutant.removesuffix(b"\0") == bundle.messages.removesuffix(b"\0")
        assert _accepted(replace(bundle, messages=mutant)) is is_same


def test_no_changed_chain_is_accepted(vectors: Path) -> None:
    bundles = [real_gpu(vectors, name) for name in NAMES]
    for number in range(_MUTANTS):
        rng = random.Random(f"chain {number}")
        bundle = rng.choice(bundles)
        mutant = changed(bundle.chain, rng)
        is_same = mutant.replace(b"\r", b"").split() == bundle.chain.split()
        assert _accepted(replace(bundle, chain=mutant)) is is_same


def test_every_length_but_the_right_one_is_malformed(vectors: Path) -> None:
    """Every byte is taken by a field, so that no cut goes unnoticed."""
    bundle = real_gpu(vectors, "blackwell-evidence")
    for size in range(0, len(bundle.messages), 7):
        with pytest.raises(FormatError):
            verify_gpu_evidence(replace(bundle, messages=bundle.messages[:size]), at=AT)


def test_another_architecture_is_refused(vectors: Path) -> None:
    with pytest.raises(VerificationError, match="another architecture"):
        verify_gpu_evidence(replace(real_gpu(vectors, "blackwell-evidence"), arch=GpuArch.HOPPER), at=AT)


def _accepted(bundle: GpuBundle) -> bool:
    """Return whether evidence is accepted. A refusal names the check; any other error fails the test."""
    try:
        verify_gpu_evidence(bundle, at=AT)
    except ProvenanceError as error:
        assert isinstance(error, FormatError | VerificationError)
        assert error.check is Check.GPU_EVIDENCE
        return False
    return True

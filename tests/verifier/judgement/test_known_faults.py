"""Faults of a published tool that hashes tensors and data sets; this project must have none of them.

The tool is Sentry, https://github.com/Andrew-Gan/sentry at commit ec559851. Each docstring names a fault of it.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from provenance_oracle.verifier.digest.dataset import SUM_BYTES, DatasetHasher
from provenance_oracle.verifier.digest.tree.fsverity import fsverity_digest
from provenance_oracle.verifier.errors import UsageError, VerificationError
from provenance_oracle.verifier.live import verify_model
from provenance_oracle.verifier.policy import load_policy
from tests.support.live_releases import AT, lay_out

torch = pytest.importorskip("torch", reason="torch is not installed")
st = pytest.importorskip("safetensors.torch", reason="safetensors is not installed")

POLICY = load_policy("demo")
LEAF = 4096


def bytes_of(size: int) -> Any:
    return (torch.arange(size, dtype=torch.int64) * 31 % 249).to(torch.uint8)


def release(folder: Path, **tensors: Any) -> Path:
    lay_out(folder, {"model.safetensors": st.save(tensors)})
    return folder


def verify(folder: Path, **tensors: Any) -> None:
    verify_model(tensors, folder, policy=POLICY, at=AT)


def test_a_failure_is_raised_and_nothing_else_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    """The tool catches VerificationError, logs it, logs "all checks passed" and returns."""
    release(tmp_path, x=bytes_of(100))
    with pytest.raises(VerificationError):
        verify(tmp_path, x=bytes_of(100) + 1)
    hasher = DatasetHasher()
    hasher.update(0, "sample", 1)
    with pytest.raises(VerificationError):
        hasher.match(bytes(32))
    assert (capsys.readouterr(), caplog.records) == (("", ""), [])


def test_every_tensor_must_be_named(tmp_path: Path) -> None:
    """The tool looks only at sources that have a signature; others pass unseen."""
    release(tmp_path, x=bytes_of(100))
    verify(tmp_path, x=bytes_of(100))
    with pytest.raises(VerificationError, match="in no file: y"):
        verify(tmp_path, x=bytes_of(100), y=bytes_of(10))


def test_digests_of_leaves_are_no_leaf(tmp_path: Path) -> None:
    """A tensor that consists of two leaf digests has the same digest as the tensor with these two leaves."""
    data = bytes(bytes_of(2 * LEAF).tolist())
    digests = b"".join(hashlib.sha256(data[start : start + LEAF]).digest() for start in (0, LEAF))
    padded = digests.ljust(LEAF, b"\0")
    assert len({fsverity_digest(data), fsverity_digest(digests), fsverity_digest(padded)}) == 3
    release(tmp_path, x=bytes_of(2 * LEAF))
    with pytest.raises(VerificationError):
        verify(tmp_path, x=torch.frombuffer(bytearray(digests), dtype=torch.uint8))


def test_zeros_at_the_end_of_a_tensor_count() -> None:
    """The tool does not hash the length."""
    assert fsverity_digest(bytes(4000)) != fsverity_digest(bytes(4096))


def test_names_shapes_and_dtypes_count(tmp_path: Path) -> None:
    """The tool hashes only the bytes."""
    data = bytes_of(24)
    release(tmp_path, x=data.view(torch.float32).view(2, 3))
    verify(tmp_path, x=data.view(torch.float32).view(2, 3))
    for other in (
        {"y": data.view(torch.float32).view(2, 3)},
        {"x": data.view(torch.float32).view(3, 2)},
        {"x": data.view(torch.int32).view(2, 3)},
        {"x": data},
    ):
        with pytest.raises(VerificationError):
            verify(tmp_path, **other)


def test_memory_is_not_taken_for_contiguous(tmp_path: Path) -> None:
    """The tool hashes the memory from pointer to length and ignores the strides."""
    matrix = bytes_of(600).view(20, 30)
    release(tmp_path, x=matrix)
    verify(tmp_path, x=matrix.t().contiguous().t())
    with pytest.raises(VerificationError):  # the same memory, read by other strides
        verify(tmp_path, x=matrix.as_strided((20, 30), (1, 20)))


@pytest.mark.parametrize("size", [1, 7, LEAF - 1, LEAF, LEAF + 1, 3 * LEAF, 128 * LEAF, 128 * LEAF + 1, 300_000])
def test_the_last_byte_counts(size: int, tmp_path: Path) -> None:
    """The tool drops a tail, and with an odd number of leaves it reads uninitialised memory."""
    release(tmp_path, x=bytes_of(size))
    verify(tmp_path, x=bytes_of(size))
    changed = bytes_of(size)
    changed[-1] ^= 1
    with pytest.raises(VerificationError, match=r"tensor x"):
        verify(tmp_path, x=changed)


def test_the_sum_of_samples_is_long() -> None:
    """The tool's sum has 64 bytes; two different sets with the same sum are found in seconds."""
    assert SUM_BYTES == 2048


def test_neither_batches_nor_order_count_and_labels_do() -> None:
    """The tool hashes the place in a batch but not the labels, and takes the size of every sample from the first."""
    samples = [(index, bytes_of(index % 50), index % 3) for index in range(2000)]

    def digest_of(chosen: list[tuple[int, Any, int]]) -> bytes:
        hasher = DatasetHasher()
        for sample in chosen:
            hasher.update(*sample)
        return hasher.digest()

    wanted = digest_of(samples)
    assert digest_of(samples[::-1]) == wanted
    assert digest_of([(index, sample, label + (index == 77)) for index, sample, label in samples]) != wanted
    assert digest_of(samples[:-1]) != wanted
    with pytest.raises(UsageError):
        digest_of([*samples, samples[5]])


def test_importing_does_nothing_and_needs_no_gpu_package() -> None:
    """The tool's library functions parse sys.argv, and importing it needs CuPy."""
    code = (
        "import sys; sys.argv = ['x', '--bad'];"
        "from provenance_oracle import verifier; verifier.verify_model, verifier.load_verified, verifier.DatasetHasher;"
        "print([name for name in ('torch', 'numpy', 'cupy', 'safetensors') if name in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (found.stdout, found.stderr) == ("[]\n", "")

"""Dependencies on the command line: named digests, digests of files, and texts that are refused."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from provenance_oracle.publisher.dependencies import parse_sources
from provenance_oracle.verifier.errors import UsageError
from provenance_oracle.verifier.manifest.statement import Role


@pytest.mark.parametrize(
    ("algorithm", "size"),
    [
        ("sha256", 32),
        ("sha384", 48),
        ("sha512", 64),
        ("fsverity_sha256_4096", 32),
        ("provenance_model_v1", 32),
        ("provenance_dataset_v1", 32),
    ],
)
def test_a_digest_by_name(algorithm: str, size: int) -> None:
    (found,) = parse_sources({Role.DATASET: [f"data={algorithm}:{'ab' * size}"]})
    assert (found.role, found.name, found.digests) == (Role.DATASET, "data", ((algorithm, b"\xab" * size),))
    with pytest.raises(UsageError, match="the digest is malformed"):
        parse_sources({Role.DATASET: [f"data={algorithm}:{'ab' * (size - 1)}"]})


def test_a_file_is_digested(tmp_path: Path) -> None:
    path = tmp_path / "data.jsonl"
    path.write_bytes(b"{}\n")
    (found,) = parse_sources({Role.DATASET: [f"data.jsonl=@{path}"]})
    assert found.digests == (("sha256", hashlib.sha256(b"{}\n").digest()),)
    path.unlink()
    with pytest.raises(UsageError, match="the file cannot be read"):
        parse_sources({Role.DATASET: [f"data.jsonl=@{path}"]})


@pytest.mark.parametrize(
    "text", ["", "data", "=sha256:" + "ab" * 32, "data=", "data=md5:" + "ab" * 16, "data=sha256:xy"]
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        parse_sources({Role.CODE: [text]})

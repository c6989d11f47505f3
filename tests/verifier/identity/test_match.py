"""Tests of files against a signature: digests of every name, shards, coverage, and one read per file."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from blake3 import blake3
from hypothesis import given
from hypothesis import strategies as st

from provenance_oracle.verifier.digest.files import list_files
from provenance_oracle.verifier.errors import AppraisalError, VerificationError
from provenance_oracle.verifier.identity.match import (
    UNSIGNED_PATHS,
    PartHasher,
    coverage_of,
    match_one_file,
    match_signed_files,
    refuse_gaps,
)
from provenance_oracle.verifier.identity.statement import SignedFiles, SignedPart, parse_signed_files
from provenance_oracle.verifier.judgement.release import RELEASE_PATHS
from provenance_oracle.verifier.manifest.dsse import MANIFEST_PATH
from tests.support.model_signatures import FILES, statement_of, statement_over, write_files

DIGESTS = {"sha256": hashlib.sha256, "blake2b": hashlib.blake2b, "blake3": blake3}


def signed(statement: object) -> SignedFiles:
    return parse_signed_files(json.dumps(statement).encode(), "model.sig")


def shards(name: str, data: bytes, size: int, algorithm: str = "sha256") -> SignedFiles:
    resources = [
        {
            "name": f"{name}:{start}:{min(start + size, len(data))}",
            "algorithm": algorithm,
            "digest": DIGESTS[algorithm](data[start : start + size]).hexdigest(),
        }
        for start in range(0, len(data), size)
    ]
    return signed(statement_of(resources, method="shards", hash_type=algorithm, shard_size=size))


def sizes_in(folder: Path) -> dict[str, int]:
    return {file.path: file.size for file in list_files(folder, whole=True).files}


def matched(folder: Path, files: SignedFiles) -> None:
    match_signed_files(folder, list_files(folder, whole=True), files)


def test_files_match_and_progress_ends_at_the_total(tmp_path: Path) -> None:
    write_files(tmp_path, FILES)
    calls: list[tuple[int, int]] = []
    match_signed_files(
        tmp_path, list_files(tmp_path), signed(statement_over(FILES)), progress=lambda *call: calls.append(call)
    )
    assert calls[-1] == (sum(map(len, FILES.values())),) * 2


@pytest.mark.parametrize("algorithm", DIGESTS)
def test_every_digest_of_the_specification(tmp_path: Path, algorithm: str) -> None:
    data = bytes(range(256)) * 10
    write_files(tmp_path, {"w.bin": data})
    matched(tmp_path, shards("w.bin", data, 1000, algorithm))
    (tmp_path / "w.bin").write_bytes(data[:-1] + b"x")
    with pytest.raises(VerificationError, match=r"different: w\.bin"):
        matched(tmp_path, shards("w.bin", data, 1000, algorithm))


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"config.json": b"[]"}, "different: config.json"),
        ({"config.json": b"[]", "model.safetensors": b"other"}, "different: config.json, model.safetensors"),
        ({"config.json": None}, "missing: config.json"),
    ],
)
def test_changed_and_missing_files_are_told_by_name(
    tmp_path: Path, changes: dict[str, bytes | None], problem: str
) -> None:
    write_files(tmp_path, {name: data for name, data in (FILES | changes).items() if data is not None})
    with pytest.raises(VerificationError, match=problem):
        matched(tmp_path, signed(statement_over(FILES)))


@pytest.mark.parametrize("size", [99, 101])
def test_the_last_shard_ends_with_the_file(tmp_path: Path, size: int) -> None:
    write_files(tmp_path, {"w": b"x" * size})
    with pytest.raises(VerificationError, match="another size"):
        matched(tmp_path, shards("w", b"x" * 100, 40))


@pytest.mark.parametrize("name", [".", "model.gguf"])
def test_a_model_may_be_one_file(tmp_path: Path, name: str) -> None:
    write_files(tmp_path, {"model.gguf": b"weights"})
    match_one_file(tmp_path / "model.gguf", signed(statement_over({name: b"weights"})))
    with pytest.raises(VerificationError, match="different"):
        match_one_file(tmp_path / "model.gguf", signed(statement_over({name: b"other"})))
    with pytest.raises(VerificationError, match="other files"):
        match_one_file(tmp_path / "model.gguf", signed(statement_over(FILES)))


@pytest.mark.parametrize(
    ("extra", "is_gap"),
    [
        ("evil.py", True),
        (".gitattributes", False),
        (".gitignore", False),
        ("sub/.gitignore", True),
        (".github/workflow.yml", True),
        ("model.sig", False),
        ("sub/model.sig", True),
        (MANIFEST_PATH, True),
        ("provenance/evil.py", True),
        *((path, False) for path in UNSIGNED_PATHS),
    ],
)
def test_every_file_must_be_covered_but_few(tmp_path: Path, extra: str, is_gap: bool) -> None:
    write_files(tmp_path, FILES | {extra: b"x"})
    coverage = coverage_of(signed(statement_over(FILES)), sizes_in(tmp_path), signature_path="model.sig")
    assert coverage.covered == tuple(FILES)
    assert (coverage.gaps, coverage.allowed) == (((extra,), ()) if is_gap else ((), (extra,)))
    if is_gap:
        with pytest.raises(AppraisalError, match="2 of 3 files; not covered: "):
            refuse_gaps(coverage, "model.sig")
    else:
        refuse_gaps(coverage, "model.sig")


@pytest.mark.parametrize(
    ("extra", "data", "is_gap"), [("empty.txt", b"", False), ("__init__.py", b"", True), ("full.txt", b"x", True)]
)
def test_beside_shards_an_empty_file_needs_no_signature_unless_it_is_code(
    tmp_path: Path, extra: str, data: bytes, is_gap: bool
) -> None:
    write_files(tmp_path, {"w": b"x" * 100, extra: data})
    coverage = coverage_of(shards("w", b"x" * 100, 40), sizes_in(tmp_path))
    assert bool(coverage.gaps) is is_gap


def test_the_unsigned_files_are_those_of_a_release_but_its_manifest() -> None:
    assert {*UNSIGNED_PATHS} == {*RELEASE_PATHS} - {MANIFEST_PATH}


@given(st.binary(min_size=1, max_size=60), st.integers(1, 20), st.lists(st.integers(1, 25), max_size=10))
def test_parts_are_hashed_from_pieces_of_any_size(data: bytes, size: int, pieces: list[int]) -> None:
    starts = range(0, len(data), size)
    parts = [
        SignedPart("w", hashlib.sha256(data[start : start + size]).digest(), start, min(start + size, len(data)))
        for start in starts
    ]
    hasher = PartHasher(parts, hashlib.sha256)
    left = data
    for piece in [*pieces, len(data)]:
        hasher.update(left[:piece])
        left = left[piece:]
    assert hasher.is_as_signed()

"""Dependencies on the command line: named digests, digests of files, and texts that are refused."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import pytest

from provenance_oracle.publisher.dependencies import parse_sources
from provenance_oracle.verifier.errors import UsageError, VerificationError
from provenance_oracle.verifier.judgement.judge import judge
from provenance_oracle.verifier.judgement.release import read_release
from provenance_oracle.verifier.manifest.statement import Role
from provenance_oracle.verifier.policy import load_policy
from tests.support.whole_releases import AT, lay_out


@pytest.mark.parametrize(
    ("algorithm", "size"),
    [
        ("sha256", 32),
        ("sha384", 48),
        ("sha512", 64),
        ("fsverity_sha256_4096", 32),
        ("provenance_model_v1", 32),
        ("provenance_manifest_v1", 32),
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


def test_two_digests_name_one_release() -> None:
    both = f"provenance_model_v1:{'ab' * 32},provenance_manifest_v1:{'cd' * 32}"
    (found,) = parse_sources({Role.BASE_MODEL: [f"base={both}"]})
    assert found.digests == (("provenance_model_v1", b"\xab" * 32), ("provenance_manifest_v1", b"\xcd" * 32))
    with pytest.raises(UsageError, match="named twice"):
        parse_sources({Role.BASE_MODEL: [f"base={both},{both}"]})


def test_a_release_s_folder_is_named_by_both_digests(tmp_path: Path) -> None:
    folder = lay_out(tmp_path / "release")
    record = judge(read_release(folder), load_policy("demo"), at=AT).record
    (found,) = parse_sources({Role.BASE_MODEL: [f"base=@{folder}"]})
    assert found.digests == (
        ("provenance_model_v1", record.model_digest),
        ("provenance_manifest_v1", record.manifest_digest),
    )
    shutil.rmtree(folder / "provenance")
    (found,) = parse_sources({Role.BASE_MODEL: [f"base=@{folder}"]})
    assert found.digests == (("provenance_model_v1", record.model_digest),)


def test_a_release_s_folder_whose_files_are_others_is_refused(tmp_path: Path) -> None:
    folder = lay_out(tmp_path / "release")
    (folder / "more.bin").write_bytes(b"more")
    with pytest.raises(VerificationError, match="not those that the manifest names"):
        parse_sources({Role.BASE_MODEL: [f"base=@{folder}"]})
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match="the folder has no files"):
        parse_sources({Role.BASE_MODEL: [f"base=@{tmp_path / 'empty'}"]})


@pytest.mark.parametrize(
    "text", ["", "data", "=sha256:" + "ab" * 32, "data=", "data=md5:" + "ab" * 16, "data=sha256:xy", "data=,"]
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        parse_sources({Role.CODE: [text]})

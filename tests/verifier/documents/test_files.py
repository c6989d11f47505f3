"""Tests of digests as JSON."""

from __future__ import annotations

import json
from pathlib import Path

from provenance_oracle.verifier.digest.files import digest_file, digest_files, list_files
from provenance_oracle.verifier.disk import PRIVATEMODE, digest_disk, plan_disk, plan_sizes
from provenance_oracle.verifier.documents.files import disk_json, disk_plan_json, hash_json


def test_files_and_folders(tmp_path: Path) -> None:
    (tmp_path / "one").write_bytes(b"1")
    file_set = digest_files(tmp_path, list_files(tmp_path))
    with_sha256, without = (digest_file(tmp_path / "one", sha256=wanted) for wanted in (True, False))
    found = json.loads(json.dumps(hash_json([("a", with_sha256), ("b", without)], [("m", file_set)], path_name="cpu")))
    assert with_sha256.sha256 is not None
    digests = {"size": 1, "fsverity_sha256_4096": without.fsverity.hex()}
    assert found == {
        "files": [{"path": "a", **digests, "sha256": with_sha256.sha256.hex()}, {"path": "b", **digests}],
        "path_name": "cpu",
        "models": [{"path": "m", "provenance_model_v1": file_set.model_digest.hex(), "not_covered": []}],
    }


def test_disks(tmp_path: Path) -> None:
    (tmp_path / "one").write_bytes(b"1")
    result = digest_disk(plan_disk(tmp_path, PRIVATEMODE))
    found = json.loads(json.dumps(disk_json(result)))
    assert list(found) == ["disks", "matched", "entries", "pointers"]
    assert found["disks"] == [digest.to_json() for digest in result.digests]
    assert (found["matched"], found["pointers"]) == (None, [])
    plan = plan_sizes(b"1 one\n", PRIVATEMODE)
    assert disk_plan_json(plan, "privatemode", published=None) == {
        "recipe": "privatemode",
        "hash_offset": result.digests[0].hash_offset,
        "files": 1,
        "assumed_pointers": [],
        "matched": None,
    }

"""Digests of files, folders and model disks."""

from __future__ import annotations

from collections.abc import Iterable

from provenance_oracle.verifier.digest.files import FileSet
from provenance_oracle.verifier.digest.tree.fsverity import FileDigest
from provenance_oracle.verifier.disk import DiskResult, PublishedDisk
from provenance_oracle.verifier.disk.sizes import SizesPlan


def hash_json(
    files: Iterable[tuple[str, FileDigest]], models: Iterable[tuple[str, FileSet]], *, path_name: str
) -> dict[str, object]:
    """Return the body of `provenance-oracle/hash/v1`.

    Args:
        files: the path and the digest of every file.
        models: the path and the digests of every folder.
        path_name: name of the code path that hashed, such as that of a GPU.
    """
    return {
        "files": [_file_json(path, digest) for path, digest in files],
        "path_name": path_name,
        "models": [
            {
                "path": path,
                "provenance_model_v1": file_set.model_digest.hex(),
                "not_covered": list(file_set.ignored),
            }
            for path, file_set in models
        ],
    }


def disk_plan_json(plan: SizesPlan, recipe: str, *, published: PublishedDisk | None) -> dict[str, object]:
    """Return the body of `provenance-oracle/disk/v1` for a disk planned from names and sizes alone."""
    return {
        "recipe": recipe,
        "hash_offset": plan.hash_offset,
        "files": plan.files,
        "assumed_pointers": list(plan.assumed_pointers),
        "matched": "hash_offset" if published else None,
    }


def disk_json(result: DiskResult) -> dict[str, object]:
    """Return the body of `provenance-oracle/disk/v1` for a disk computed from every byte of its files."""
    return {
        "disks": [digest.to_json() for digest in result.digests],
        "matched": result.matched.layout if result.matched else None,
        "entries": result.entries,
        "pointers": list(result.pointers),
    }


def _file_json(path: str, digest: FileDigest) -> dict[str, object]:
    sha256 = {"sha256": digest.sha256.hex()} if digest.sha256 else {}
    return {"path": path, "size": digest.size, "fsverity_sha256_4096": digest.fsverity.hex(), **sha256}

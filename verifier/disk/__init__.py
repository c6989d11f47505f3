"""Reproducible model disks: the identity of an EROFS image with a dm-verity tree, computed without making one.

A tour, from names and sizes to a root hash:

    tree        a folder's entries, or those of a list of sizes (`sizes`)
    recipes     what two builders must agree on; `excluded`, `globs` and `lfs` leave files out as publishers do
    allocator   where mkfs.erofs puts things; `erofs` (or `erofs_1_5`) plans an image; `erofs_bytes` has its metadata
    image       the image as a stream of chunks, every file read once
    verity      parameters, superblock, leaves; `verity_tree` builds the tree, `hash_area` keeps it on disk
    disk        one pass over the stream for every layout variant
    record      the identity; `models_yaml` reads the published ones; `verify_image` checks an image that exists

    plan = plan_disk(Path("opt-125m"), PRIVATEMODE)         # seconds: hash_offset is known
    result = digest_disk(plan, published=entry)             # one read of every byte
    result.matched.root, result.matched.layout
"""

from provenance_oracle.verifier.disk.build import DiskPlan, DiskResult, digest_disk, plan_disk
from provenance_oracle.verifier.disk.disk_digest import DiskDigest, match_disk_digests, parse_disk_digest
from provenance_oracle.verifier.disk.models_yaml import (
    PublishedDisk,
    find_disk,
    parse_models_yaml,
    parse_published_disk,
)
from provenance_oracle.verifier.disk.recipes import EROFS_1_5, LAYOUTS, PRIVATEMODE, Layout, Recipe, tinfoil
from provenance_oracle.verifier.disk.sizes import SizesPlan, plan_sizes
from provenance_oracle.verifier.disk.verify_image import verify_image
from provenance_oracle.verifier.disk.verity import VerityParameters, hash_blocks

__all__ = [
    "EROFS_1_5",
    "LAYOUTS",
    "PRIVATEMODE",
    "DiskDigest",
    "DiskPlan",
    "DiskResult",
    "Layout",
    "PublishedDisk",
    "Recipe",
    "SizesPlan",
    "VerityParameters",
    "digest_disk",
    "find_disk",
    "hash_blocks",
    "match_disk_digests",
    "parse_disk_digest",
    "parse_models_yaml",
    "parse_published_disk",
    "plan_disk",
    "plan_sizes",
    "tinfoil",
    "verify_image",
]

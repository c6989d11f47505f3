"""Reproducible model disks: compute the identity of an EROFS image with a dm-verity tree without building the image.

The modules, in order from names and sizes to a root hash:

    tree         the entries of a folder, or of a list of sizes (`sizes`)
    recipes      the choices on which two builders must agree; `excluded`, `globs` and `lfs` leave files out as
                 publishers do
    allocator    the placement rules of mkfs.erofs; `erofs` (or `erofs_1_5`) plans an image, `erofs_bytes` writes its
                 metadata
    image        the image as a stream of chunks; every file is read once
    verity       parameters, superblock and leaves; `verity_tree` builds the tree, `hash_area` keeps it in a file
    build        one pass over the stream for every layout variant
    disk_digest  the identity; `models_yaml` reads published ones, `verify_image` checks an existing image

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
from provenance_oracle.verifier.disk.verity import VerityParameters, hash_salted_blocks

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
    "hash_salted_blocks",
    "match_disk_digests",
    "parse_disk_digest",
    "parse_models_yaml",
    "parse_published_disk",
    "plan_disk",
    "plan_sizes",
    "tinfoil",
    "verify_image",
]

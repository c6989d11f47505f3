"""`provenance disk`: the identity of a model disk, computed from a folder, or from names and sizes alone."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from provenance_oracle.verifier.cli.console import Output, command_body
from provenance_oracle.verifier.cli.options import FILE, hash_progress, output_options, read_bounded
from provenance_oracle.verifier.documents import schemas
from provenance_oracle.verifier.errors import UsageError

if TYPE_CHECKING:
    from provenance_oracle.verifier.disk import PublishedDisk, Recipe

_RECIPES = ("privatemode", "tinfoil")
_LIST_MAX_BYTES = 64 << 20


@click.command()
@click.argument("path", type=FILE, required=False)
@click.option(
    "--recipe",
    "recipe_name",
    type=click.Choice(_RECIPES),
    required=True,
    help="How the publisher builds disks.",
)
@click.option("--model", metavar="NAME@REVISION", help="With tinfoil: the model and its commit (40 hex digits).")
@click.option(
    "--erofs-utils",
    type=click.Choice(["1.5", "1.8.6+"]),
    help="With tinfoil: the release of erofs-utils that built the disk; default: 1.5.",
)
@click.option(
    "--sizes", type=FILE, help="Plan from a list with one line `size path` for each file, before any download."
)
@click.option("--models-yaml", type=FILE, help="Compare with this models.yaml of Privatemode; needs --id.")
@click.option("--id", "disk_id", help="The entry of --models-yaml to compare with.")
@click.option(
    "--exclude", default="", metavar="LIST", help="Excluded files, separated by commas, as the publisher writes them."
)
@click.option("--file-hash", is_flag=True, help="Compute the SHA-256 of the whole disk file too.")
@click.option("--write-image", type=FILE, help="Write the disk, which `veritysetup` and the kernel can open.")
@output_options
@command_body(schemas.DISK)
def disk(
    output: Output,
    path: Path | None,
    recipe_name: str,
    model: str | None,
    erofs_utils: str | None,
    sizes: Path | None,
    models_yaml: Path | None,
    disk_id: str | None,
    exclude: str,
    file_hash: bool,
    write_image: Path | None,
) -> None:
    """Compute the dm-verity root hash of a published model disk.

    PATH is the folder with the model. The command computes the root hash and the offset that a publisher of model disks
    publishes for it. It builds no disk, unless you ask for it with --write-image.

    \b
    Examples:
      provenance disk ./opt-125m --recipe privatemode --models-yaml models.yaml \\
        --id facebook-opt-125m
      provenance disk --recipe privatemode --sizes sizes.txt
    """
    if bool(path) == bool(sizes):
        got = "a folder and --sizes" if path else "neither a folder nor --sizes"
        wanted = "PATH to hash a folder, or --sizes FILE to plan from a list"
        raise UsageError("the command needs one source", got=got, wanted=wanted)
    if sizes and (file_hash or write_image):
        raise UsageError(
            "there are no bytes to hash", got="--sizes", wanted="a folder, for --file-hash and --write-image"
        )
    if models_yaml and exclude:
        raise UsageError(
            "there are two lists of excluded files",
            got="--exclude and --models-yaml",
            wanted="one: an entry has its own",
        )
    recipe, published = _recipe(recipe_name, model, erofs_utils), _published(models_yaml, disk_id)
    excluded = published.excluded_files if published else exclude
    if sizes:
        _plan_only(output, sizes, recipe, excluded, published)
    elif path:
        _digest(output, path, recipe, excluded, published, file_hash, write_image)


def _recipe(name: str, model: str | None, erofs_utils: str | None) -> Recipe:
    from provenance_oracle.verifier.disk import EROFS_1_5, LAYOUTS, PRIVATEMODE, tinfoil

    if (name == "tinfoil") != bool(model):
        raise UsageError(
            "--model and the recipe tinfoil need each other",
            got=model or "no --model",
            wanted="--recipe tinfoil --model NAME@REVISION",
        )
    if model is None:
        if erofs_utils:
            raise UsageError("--erofs-utils needs the recipe tinfoil", got=erofs_utils, wanted="--recipe tinfoil")
        return PRIVATEMODE
    source, _, revision = model.rpartition("@")
    return tinfoil(source, revision, LAYOUTS if erofs_utils == "1.8.6+" else (EROFS_1_5,))


def _published(models_yaml: Path | None, disk_id: str | None) -> PublishedDisk | None:
    from provenance_oracle.verifier.disk import find_disk, parse_models_yaml

    if bool(models_yaml) != bool(disk_id):
        raise UsageError(
            "no published disk is named", got="only one of the options", wanted="--models-yaml FILE --id ID"
        )
    if models_yaml is None or disk_id is None:
        return None
    where = str(models_yaml)
    return find_disk(parse_models_yaml(read_bounded(models_yaml, _LIST_MAX_BYTES), where), disk_id, where)


def _plan_only(output: Output, sizes: Path, recipe: Recipe, excluded: str, published: PublishedDisk | None) -> None:
    from provenance_oracle.verifier.disk import plan_sizes
    from provenance_oracle.verifier.documents.files import disk_plan_json

    plan = plan_sizes(read_bounded(sizes, _LIST_MAX_BYTES), recipe, excluded=excluded, where=str(sizes))
    if published:
        published.match_hash_offset(plan.hash_offset)
    output.text(f"hash_offset  {plan.hash_offset}{'  (as published)' if published else ''}")
    output.text(f"from names and sizes of {plan.files} files; the root hash needs every byte")
    for name in plan.assumed_pointers:
        output.text(f"assumed to be in Git LFS and excluded: {name}")
    output.document(True, disk_plan_json(plan, recipe.name, published=published))


def _digest(
    output: Output,
    path: Path,
    recipe: Recipe,
    excluded: str,
    published: PublishedDisk | None,
    file_hash: bool,
    write_image: Path | None,
) -> None:
    from provenance_oracle.verifier.digest.tree.blocks import PythonBlocks
    from provenance_oracle.verifier.digest.tree.native import load_native
    from provenance_oracle.verifier.disk import digest_disk, plan_disk
    from provenance_oracle.verifier.documents.files import disk_json

    plan = plan_disk(path, recipe, excluded=excluded)
    with hash_progress(output) as progress:
        result = digest_disk(
            plan,
            published=published,
            file_hash=file_hash or None,
            image=write_image,
            hash_leaves=(load_native() or PythonBlocks()).hash_blocks,
            progress=progress,
        )
    for digest in result.digests:
        for name, value in digest.to_json().items():
            output.text(f"{name:<17} {value}")
        output.text("matched           yes, as published" if digest == result.matched else "")
    for name in result.pointers:
        output.text(f"kept as a Git LFS pointer: {name}")
    if published and result.matched:
        output.text(f"{published.where}: the published disk, layout {result.matched.layout}")
    output.document(True, disk_json(result))

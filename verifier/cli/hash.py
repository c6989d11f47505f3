"""`provenance hash`: fs-verity digests of files, model digests of folders."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import click

from provenance_oracle.verifier.cli.console import Output, command_body
from provenance_oracle.verifier.cli.options import (
    DEVICE,
    FILE,
    hash_progress,
    ignore_option,
    ignored_patterns,
    is_folder,
    output_options,
    tell,
)
from provenance_oracle.verifier.documents import schemas


@click.command("hash")
@click.argument("paths", type=FILE, nargs=-1, required=True, metavar="PATH...")
@click.option("--device", type=DEVICE, default="auto", show_default=True, help="Device that hashes.")
@click.option("--sha256", is_flag=True, help="Compute the SHA-256 of the whole file too, in the same pass.")
@ignore_option
@output_options
@command_body(schemas.HASH)
def hash_command(output: Output, paths: tuple[Path, ...], device: str, sha256: bool, ignore: tuple[str, ...]) -> None:
    """Print the digests of files and the model digests of folders.

    The digest of a file is that of fs-verity, as `fsverity digest` prints it.

    \b
    Example:
      provenance hash ./my-model
    """
    from provenance_oracle.verifier.digest.choose import open_hasher
    from provenance_oracle.verifier.digest.files import digest_file, digest_files, list_files
    from provenance_oracle.verifier.documents.files import hash_json
    from provenance_oracle.verifier.strict.release_folder import Reading, followed

    hasher = open_hasher(device, notify=partial(tell, output))
    ignored = ignored_patterns(ignore)
    files, models = [], []
    with hash_progress(output) as progress:
        for path in paths:
            if is_folder(path):
                folder = followed(path)
                listing = list_files(folder, reading=Reading(hub_links=True, ignored=ignored))
                every = frozenset(file.path for file in listing.files) if sha256 else frozenset()
                file_set = digest_files(folder, listing, sha256_of=every, hasher=hasher, progress=progress)
                files += [(f"{path}/{f.path}", f) for f in file_set.files]
                models.append((str(path), file_set))
            else:
                files.append((str(path), digest_file(path, sha256=sha256, hasher=hasher, progress=progress)))
    tell(output, f"hashed by: {hasher.path_name}")
    for name, digest in files:
        output.text(f"{digest.fsverity.hex()}  {digest.sha256.hex() + '  ' if digest.sha256 else ''}{name}")
    for name, file_set in models:
        left_out = f", without {', '.join(file_set.ignored)}" if file_set.ignored else ""
        output.text(f"{file_set.model_digest.hex()}  model digest of {name}{left_out}")
    output.document(True, hash_json(files, models, path_name=hasher.path_name))

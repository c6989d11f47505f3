"""`provenance pack`: turn a folder with a model into a release."""

from __future__ import annotations

import shlex
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from provenance_oracle.publisher import documents
from provenance_oracle.publisher.cli.signing_options import SignerOptions, with_signer
from provenance_oracle.verifier.cli.console import Output, command_body
from provenance_oracle.verifier.cli.options import (
    DEFAULT_POLICY,
    FILE,
    hash_progress,
    now,
    output_options,
    publisher_identity,
)
from provenance_oracle.verifier.errors import UsageError

if TYPE_CHECKING:
    from provenance_oracle.publisher.pack import Packed
    from provenance_oracle.publisher.signing.signature import Publisher
    from provenance_oracle.publisher.signing.signers import PublisherSigner


def _source_options(command: click.decorators.FC) -> click.decorators.FC:
    """Add one repeatable option for each role of a dependency."""
    for role in ("image", "code", "dataset", "adapter", "base-model"):
        command = click.option(
            f"--{role}",
            role.replace("-", "_"),
            multiple=True,
            metavar="NAME=DIGEST",
            help=f"Dependency ({role}): NAME=sha256:HEX, NAME=provenance_model_v1:HEX, NAME=@FILE or NAME=@FOLDER.",
        )(command)
    return command


@click.command()
@click.argument("model", type=FILE)
@click.option("--evidence", type=FILE, required=True, help="Folder that `provenance attest` wrote.")
@click.option("--key", type=FILE, required=True, help="The VM's private key (PEM).")
@click.option("--name", required=True, help="Name of the release: namespace/model.")
@click.option("--version", required=True, help="Version of the release.")
@_source_options
@click.option("--sha256", is_flag=True, help="Add the SHA-256 of each whole file to the manifest, as hubs have it.")
@click.option(
    "--tensor-table",
    is_flag=True,
    help="Write tensors.json with a digest of each tensor (safetensors, GGUF), so that a mismatch can name the tensor.",
)
@click.option(
    "--into", type=FILE, metavar="DIR", help="Copy the model into this new folder, and make the release there."
)
@click.option(
    "--ignore",
    multiple=True,
    metavar="PATTERN",
    help="With --into: leave out the files that match, as in .gitignore. Repeat it for each pattern.",
)
@click.option(
    "--include",
    multiple=True,
    metavar="PATH",
    help="Publish this file or folder though it looks like a secret, a tool's own file or a name that Windows lacks.",
)
@click.option(
    "--publisher",
    "publisher_line",
    metavar="LINE",
    help="Identity of the publisher whom the release names. Default: the signer's narrowest.",
)
@with_signer()
@click.option("--replace", is_flag=True, help="Replace the manifest of an earlier release in this folder.")
@output_options
@command_body(documents.PACK)
def pack(
    output: Output,
    /,
    model: Path,
    evidence: Path,
    key: Path,
    name: str,
    version: str,
    sha256: bool,
    tensor_table: bool,
    into: Path | None,
    ignore: tuple[str, ...],
    include: tuple[str, ...],
    replace: bool,
    publisher_line: str | None,
    signing: SignerOptions,
    **sources: tuple[str, ...],
) -> None:
    """Turn a folder with a model into a release.

    The command digests every file in the folder MODEL, adds the evidence, signs the manifest and writes it last.
    Before it writes, it judges evidence and manifest as `provenance check` will. It refuses to publish private keys,
    access tokens, .git, .cache and the like.

    With --sign-key, --sign-certificate or --sign-sigstore the release also has the signature of its publisher, over all
    files and the manifest. With --publisher alone, `provenance sign` adds it later, where the publisher's key is.

    \b
    Examples:
      provenance pack ./clone --into ./model --ignore .git --evidence evidence \\
        --key cvm.key --name acme/tiny --version 1.0
      provenance pack ./model --evidence evidence --key cvm.key --name acme/tiny \\
        --version 1.0 --base-model acme/base=@../base \\
        --dataset data.jsonl=@data.jsonl
      provenance pack ./model --evidence evidence --key cvm.key --name acme/tiny \\
        --version 1.0 --sign-key acme.key
    """
    from provenance_oracle.publisher.dependencies import parse_sources
    from provenance_oracle.publisher.evidence.folder import read_evidence, read_gpus
    from provenance_oracle.publisher.keys import load_key
    from provenance_oracle.publisher.pack import pack_release
    from provenance_oracle.verifier.manifest.statement import Role

    if ignore and not into:
        wanted = "--into DIR too: a manifest covers every file of its folder, so the release is a copy without them"
        raise UsageError("--ignore needs a new folder", got="no --into", wanted=wanted)
    moment, given = datetime.now(UTC), {Role(role.replace("_", "-")): texts for role, texts in sources.items()}
    private_key, parts, dependencies = load_key(key), read_evidence(evidence), parse_sources(given)
    publisher = _publisher(publisher_line, signing.open())
    folder = _copied(model, into, ignore) if into else model
    with hash_progress(output) as progress:
        packed = pack_release(
            folder,
            parts,
            private_key,
            name=name,
            version=version,
            sources=dependencies,
            finished_at=moment,
            at=moment,
            with_sha256=sha256,
            with_tensor_table=tensor_table,
            replace=replace,
            include=include,
            key_path=key,
            progress=progress,
            gpus=read_gpus(evidence),
            publisher=publisher,
        )
    _print_release(output, folder, packed)
    output.document(True, documents.pack_json(packed))


def _publisher(line: str | None, signer: PublisherSigner | None) -> Publisher | None:
    """Return the publisher whom the options name, by a line, by a signer or by both; None without any."""
    from provenance_oracle.publisher.signing.signature import Publisher

    named = publisher_identity(line, "--publisher") if line is not None else None
    return Publisher(named, signer, now) if named or signer else None


def _copied(model: Path, into: Path, ignore: tuple[str, ...]) -> Path:
    """Copy a model without the files that match a pattern, and return the new folder."""
    from provenance_oracle.publisher.fit_to_publish import copy_without
    from provenance_oracle.verifier.disk.globs import gitignore

    patterns = [gitignore(pattern) for pattern in ignore]
    copy_without(model, into, lambda path: any(one.fullmatch(path) for one in patterns))
    return into


def check_command(folder: Path, policy: str) -> str:
    """Return the command that judges a release in a folder by a policy, offline."""
    option = f" --policy {policy}" if policy != DEFAULT_POLICY else ""
    return f"provenance check {shlex.quote(str(folder))}{option} --offline"


def _print_release(output: Output, folder: Path, packed: Packed) -> None:
    output.text(f"{folder}: release {packed.manifest.name} {packed.manifest.version}, {len(packed.files.files)} files")
    output.text(f"model digest     {packed.files.model_digest.hex()}")
    output.text(f"manifest digest  {packed.manifest_digest.hex()}")
    output.text(f"judged           {packed.trial.line}")
    if packed.manifest.publisher:
        output.text(f"publisher        {packed.manifest.publisher}")
    if packed.manifest.publisher and not packed.signature:
        place = shlex.quote(str(folder))
        output.text(f"next             provenance sign {place} --sign-key KEY (oracles wait for the signature)")
    else:
        output.text(f"next             {check_command(folder, packed.trial.policy.name)}")
    if packed.report_reused:
        output.text(
            "note             the manifest that this one replaces had the same report. If it was recorded, oracles"
        )
        output.text(
            "                 refuse this release: make a new key and report with `provenance attest --new-key`"
        )

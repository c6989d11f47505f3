"""`provenance check`: judge a release again, here, and compare it with its record on chain."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from provenance_oracle.verifier.cli.chain_options import ChainOptions, with_chain
from provenance_oracle.verifier.cli.completion import complete_files
from provenance_oracle.verifier.cli.console import Output, command_body
from provenance_oracle.verifier.cli.hub import HUB_SCHEME, hub_folder
from provenance_oracle.verifier.cli.options import (
    DEFAULT_POLICY,
    FILE,
    at_option,
    fetch_option,
    fetcher_for,
    hash_progress,
    hex_of,
    ignore_option,
    ignored_patterns,
    is_folder,
    moment,
    no_cache_option,
    now,
    output_options,
    policy_option,
    proof_option,
    read_proof,
    read_small,
    registry_reader,
    verbose_option,
)
from provenance_oracle.verifier.documents import schemas
from provenance_oracle.verifier.errors import UsageError

if TYPE_CHECKING:
    from provenance_oracle.verifier.judgement.confirm import RecordSource
    from provenance_oracle.verifier.judgement.release import Release
    from provenance_oracle.verifier.registry.reader import RegistryReader

_FOLDERS_ABOVE = 32


@click.command()
@click.argument("release", metavar="RELEASE|hf://ORG/MODEL[@REV]", shell_complete=complete_files)
@click.argument("files", nargs=-1, metavar="[FILE...]", shell_complete=complete_files)
@policy_option
@at_option
@with_chain()
@no_cache_option
@proof_option
@click.option("--offline", is_flag=True, help="Judge only; do not look up a record, download nothing.")
@click.option("--crl", type=FILE, help="A current revocation list from AMD, in place of the list in the release.")
@fetch_option
@click.option("--name", metavar="NAME[@VERSION]", help="Refuse a release of any other name.")
@click.option("--publisher", metavar="HEX", help="Refuse a release of any other publisher (identity, 32 bytes).")
@click.option("--measurement", metavar="HEX", help="Refuse any other launch measurement (48 bytes).")
@ignore_option
@verbose_option
@output_options
@command_body(schemas.CHECK)
def check(
    output: Output,
    release: str,
    files: tuple[str, ...],
    chain: ChainOptions,
    policy_name: str | None,
    at_text: str | None,
    no_cache: bool,
    proof: Path | None,
    offline: bool,
    crl: Path | None,
    fetch: bool,
    name: str | None,
    publisher: str | None,
    measurement: str | None,
    ignore: tuple[str, ...],
) -> None:
    """Judge a release and compare it with its record on chain.

    RELEASE is a folder: your own, a snapshot in the Hugging Face cache, or one that hf:// finds there or downloads. All
    its evidence and files are judged again, on this machine. With FILE, only these files are compared with the
    manifest; the release can then be left out.

    Exit codes: 0 accepted, 3 malformed, 4 forged, 5 refused by policy or not the release that you ask for, 6 no record
    or one that is revoked, held or doubtful, 7 try again.

    \b
    Examples:
      provenance check ./my-model --offline
      provenance check ./my-model --rpc URL --registry 0x... --name acme/my-model
      provenance check ./my-model --network sapphire --policy strict
      provenance check ./my-model --network sapphire --proof proof.json
      provenance check ./my-model/model.safetensors --offline
      provenance check hf://acme/my-model@v1 --offline
    """
    from provenance_oracle.verifier.cli.words import answer_lines, limits_note, policy_line
    from provenance_oracle.verifier.documents.judgement import check_json
    from provenance_oracle.verifier.judgement.confirm import confirm, confirm_part
    from provenance_oracle.verifier.judgement.expected import Expected
    from provenance_oracle.verifier.policy import load_policy

    place = chain.place(use_default=not offline)
    policy, at = load_policy(policy_name or place.policy or DEFAULT_POLICY), moment(at_text)
    expected = Expected(name, hex_of("--publisher", publisher, 32), hex_of("--measurement", measurement, 48))
    ignored = ignored_patterns(ignore)
    records: RecordSource | None = None
    if not offline:
        reader = registry_reader(place.rpc_url, place.registry, or_else=("--offline",), keeps_events=not no_cache)
        records = _with_proof(reader, proof)
    elif proof is not None:
        raise UsageError("a proof counts only with its registry", where="--proof", wanted="no --offline")
    folder, paths = _place(release, files, offline)
    contents = _contents(folder, ignored, crl)
    judged = partial(confirm_part, paths=paths) if paths else confirm
    with hash_progress(output) as progress:
        found = judged(
            contents,
            policy,
            registry=records,
            at=at,
            now=now(),
            fetcher=fetcher_for(fetch),
            progress=progress,
            expected=expected,
        )
    manifest = found.judgement.result.manifest
    output.accepted(f"{manifest.name} {manifest.version} in {folder}", limits_note(found))
    for line in answer_lines(found):
        output.text(line)
    output.text(policy_line(policy, found.judgement.result.at))
    output.checks(found.findings)
    output.document(True, check_json(found))


def _with_proof(reader: RegistryReader, proof: Path | None) -> RecordSource:
    """Return the registry, with the record in the file of --proof if there is one."""
    proven = read_proof(proof)
    if proven is None:
        return reader
    from provenance_oracle.verifier.registry.proven_source import ProvenSource

    return ProvenSource(reader, proven)


def _place(release: str, files: Sequence[str], offline: bool) -> tuple[Path, tuple[str, ...]]:
    """Return the release's folder and the paths in it of the files to check; no paths: check the whole release.

    Raises:
        UsageError: there is no such release, or a file lies outside it. TemporaryError: a download failed.
    """
    from provenance_oracle.verifier.strict.release_folder import followed

    if release.startswith(HUB_SCHEME):
        folder = hub_folder(release, offline=offline)
    elif os.path.lexists(release) and not is_folder(Path(release)):
        folder, files = _folder_of(release), (release, *files)
    else:
        folder = followed(Path(release))
    return folder, tuple(_path_in(folder, file) for file in files)


def _folder_of(file: str) -> Path:
    """Return the nearest folder above a file that is a release."""
    from provenance_oracle.verifier.manifest.dsse import MANIFEST_PATH

    for above in list(Path(file).absolute().parents)[:_FOLDERS_ABOVE]:
        if os.path.lexists(above / MANIFEST_PATH):
            return above
    got, wanted = f"no {MANIFEST_PATH} in a folder above it", "the folder of a release, or a file in one"
    raise UsageError("not a file of a release", where=file, got=got, wanted=wanted)


def _path_in(folder: Path, file: str) -> str:
    """Return the path in a release of a file that is named from there or from the working directory."""
    root = folder.absolute()
    for named in (root / file, Path(file).absolute()):
        path = os.path.relpath(named, root)  # links in the path are not followed: a snapshot consists of them
        if os.path.lexists(named) and path.partition("/")[0] != "..":
            return path
    raise UsageError("no such file in the release", where=file, got="nothing", wanted=f"a file in {folder}")


def _contents(folder: Path, ignored: tuple[re.Pattern[str], ...], crl: Path | None) -> Release:
    from provenance_oracle.verifier.judgement.release import read_release
    from provenance_oracle.verifier.strict.release_folder import Reading

    contents = read_release(folder, Reading(hub_links=True, ignored=ignored, sparse=True))
    if crl is None:
        return contents
    # The verdict lists its inputs by name. A path would make its bytes depend on the place of the file.
    return replace(contents, evidence=replace(contents.evidence, crl=read_small(crl), crl_name="--crl"))

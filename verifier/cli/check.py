"""`provenance check`: judge a release again, here, and compare it with its record on chain."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from provenance_oracle.verifier.cli.chain_options import ChainOptions, ChainPlace, with_chain
from provenance_oracle.verifier.cli.check_signed import check_signed, is_signed_only
from provenance_oracle.verifier.cli.completion import complete_files
from provenance_oracle.verifier.cli.console import Output, command_body
from provenance_oracle.verifier.cli.from_record import Wish, asked_for, check_from_record
from provenance_oracle.verifier.cli.hub import HUB_SCHEME, hub_folder
from provenance_oracle.verifier.cli.identity_options import identity_options, read_trust, wanted_identities
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
    proof_reader,
    read_proof,
    read_small,
    registry_reader,
    verbose_option,
)
from provenance_oracle.verifier.documents import schemas
from provenance_oracle.verifier.errors import UsageError

if TYPE_CHECKING:
    from provenance_oracle.verifier.judgement.confirm import Confirmation, PartConfirmation, RecordSource
    from provenance_oracle.verifier.judgement.release import Release
    from provenance_oracle.verifier.policy import Policy
    from provenance_oracle.verifier.proofs.reader import ReleaseProof
    from provenance_oracle.verifier.registry.reader import RegistryReader
    from provenance_oracle.verifier.strict.release_files import ReleaseFiles

    # Whether a contract for proofs was asked, and the proof that it has.
    ProofAnswer = tuple[bool, ReleaseProof | None]

_FOLDERS_ABOVE = 32


@click.command()
@click.argument("release", metavar="RELEASE|hf://ORG/MODEL[@REV]", required=False, shell_complete=complete_files)
@click.argument("files", nargs=-1, metavar="[FILE...]", shell_complete=complete_files)
@policy_option
@at_option
@with_chain()
@no_cache_option
@proof_option
@click.option("--offline", is_flag=True, help="Judge only; do not look up a record, download nothing.")
@click.option(
    "--from-record",
    metavar="DIGEST",
    help="Judge again what an oracle kept, for the recorded moment and for today. RELEASE may be left out.",
)
@click.option("--evidence", metavar="FOLDER|URL", help="Where the oracle keeps it, for --from-record.")
@click.option("--crl", type=FILE, help="A current revocation list from AMD, in place of the list in the release.")
@fetch_option
@click.option("--name", metavar="NAME[@VERSION]", help="Refuse a release of any other name.")
@click.option("--publisher", metavar="HEX", help="Refuse a release of any other publisher (identity, 32 bytes).")
@identity_options
@click.option("--signature", type=FILE, help="The signature of a release that has nothing else, if not its model.sig.")
@click.option("--measurement", metavar="HEX", help="Refuse any other launch measurement (48 bytes).")
@ignore_option
@verbose_option
@output_options
@command_body(schemas.CHECK)
def check(
    output: Output,
    release: str | None,
    files: tuple[str, ...],
    chain: ChainOptions,
    policy_name: str | None,
    at_text: str | None,
    no_cache: bool,
    proof: Path | None,
    offline: bool,
    from_record: str | None,
    evidence: str | None,
    crl: Path | None,
    fetch: bool,
    name: str | None,
    publisher: str | None,
    identity: tuple[str, ...],
    publisher_key: Path | None,
    publisher_ca: Path | None,
    sigstore_root: Path | None,
    signature: Path | None,
    measurement: str | None,
    ignore: tuple[str, ...],
) -> None:
    """Judge a release and compare it with its record on chain.

    RELEASE is a folder: your own, a snapshot in the Hugging Face cache, or one that hf:// finds there or downloads. All
    its evidence and files are judged again, on this machine. With FILE, only these files are compared with the
    manifest; the release can then be left out. A folder with model.sig and without provenance/ has only a signature:
    `--policy signed` accepts it, and the answer says who signed it.

    With --from-record, the model need not be at hand: its evidence is judged again, for the recorded moment under the
    recorded policy, and for today under yours, and each check that changed is shown. If RELEASE is given, its files are
    hashed.

    Exit codes: 0 accepted, 3 malformed, 4 forged, 5 refused by policy or not the release that you ask for, 6 no record
    or one that is revoked, held or doubtful, 7 try again.

    \b
    Examples:
      provenance check ./my-model --offline
      provenance check ./my-model --rpc URL --registry 0x... --name acme/my-model
      provenance check ./my-model --network sapphire --policy strict
      provenance check ./my-model --network sapphire \\
        --identity 'sigstore https://accounts.google.com email:me@acme.org'
      provenance check ./my-model --network sapphire --proof proof.json
      provenance check ./my-model/model.safetensors --offline
      provenance check hf://acme/my-model@v1 --offline
      provenance check --from-record 5f1c... --evidence ./verdicts
      provenance check ./signed-model --policy signed --publisher-key acme.pem
    """
    from provenance_oracle.verifier.judgement.expected import Expected
    from provenance_oracle.verifier.policy import load_policy

    place = chain.place(use_default=not offline)
    policy, at = load_policy(policy_name or place.policy or DEFAULT_POLICY), moment(at_text)
    trust = read_trust(publisher_key, publisher_ca, sigstore_root)
    identities = wanted_identities(identity, trust)
    expected = Expected(
        name, hex_of("--publisher", publisher, 32), hex_of("--measurement", measurement, 48), identities
    )
    ignored = ignored_patterns(ignore)
    # (1) what an oracle kept of a record
    if from_record is not None or evidence is not None:
        asked = asked_for(from_record, evidence, is_offline=offline, has_files=bool(files))
        given = _given(release, ignored) if release else None
        list_ = read_small(crl) if crl else None
        wish = Wish(policy, expected, at, given, list_, fetcher_for(fetch), trust.root)
        reader = registry_reader(place.rpc_url, place.registry, keeps_events=not no_cache)
        return check_from_record(output, reader, asked, wish, read_proof(proof))
    records = _records(place, proof, offline=offline, keeps_events=not no_cache)
    if release is None:
        raise UsageError("no release is named", got="nothing", wanted="RELEASE, a FILE of one, or --from-record DIGEST")
    folder, paths = _place(release, files, offline)
    told: dict[str, Any] = {"registry": records, "at": at, "expected": expected}
    # (2) a release that has only a signature
    if is_signed_only(folder, signature):
        bundle: dict[str, Any] = {"ignored": ignored, "paths": paths, "bundle": signature, "trust": trust}
        return check_signed(output, folder, policy, **bundle, **told)
    # (3) a release with evidence, or some files of one
    contents = _contents(folder, ignored, crl)
    with hash_progress(output) as progress:
        judged: dict[str, Any] = {
            "fetcher": fetcher_for(fetch),
            "sigstore_root": trust.root,
            "progress": progress,
            **told,
        }
        found = _confirmed(contents, policy, paths, **judged)
    return _answer(output, folder, policy, found, _proof_of(found, place, offline=offline))


def _records(place: ChainPlace, proof: Path | None, *, offline: bool, keeps_events: bool) -> RecordSource | None:
    """Return the registry to ask, with the record of --proof if there is one; None offline."""
    if not offline:
        reader = registry_reader(place.rpc_url, place.registry, or_else=("--offline",), keeps_events=keeps_events)
        return _with_proof(reader, proof)
    if proof is not None:
        raise UsageError("a proof counts only with its registry", where="--proof", wanted="no --offline")
    return None


def _confirmed(
    contents: Release, policy: Policy, paths: tuple[str, ...], **told: Any
) -> Confirmation | PartConfirmation:
    from provenance_oracle.verifier.judgement.confirm import confirm, confirm_part

    if paths:
        return confirm_part(contents, policy, paths, now=now(), **told)
    return confirm(contents, policy, now=now(), **told)


def _proof_of(found: Confirmation | PartConfirmation, place: ChainPlace, *, offline: bool) -> ProofAnswer:
    """Return whether a contract for proofs was asked, and what it knows of the release."""
    if offline or found.entry is None:
        return False, None
    proofs = proof_reader(place.rpc_url, place.registry)
    if proofs is None:
        return False, None
    return True, proofs.proof(found.entry.model_digest, found.entry.manifest_digest)


def _answer(
    output: Output, folder: Path, policy: Policy, found: Confirmation | PartConfirmation, proven: ProofAnswer
) -> None:
    from provenance_oracle.verifier.cli.proof_words import proof_lines
    from provenance_oracle.verifier.cli.words import answer_lines, limits_note, policy_line
    from provenance_oracle.verifier.documents.judgement import check_json

    manifest = found.judgement.result.manifest
    output.accepted(f"{manifest.name} {manifest.version} in {folder}", limits_note(found))
    for line in (*answer_lines(found), *(proof_lines(proven[1]) if proven[0] else ())):
        output.text(line)
    output.text(policy_line(policy, found.judgement.result.at))
    output.checks(found.findings)
    output.document(True, check_json(found, proven[1]))


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


def _given(release: str, ignored: tuple[re.Pattern[str], ...]) -> ReleaseFiles:
    """Return the files of the release that is given with --from-record."""
    from provenance_oracle.verifier.strict.release_files import files_of
    from provenance_oracle.verifier.strict.release_folder import Reading

    folder, paths = _place(release, (), offline=False)
    if paths:
        raise UsageError("not a folder", where=release, got="a file", wanted="the folder of a release")
    return files_of(folder, Reading(hub_links=True, ignored=ignored, sparse=True))


def _folder_of(file: str) -> Path:
    """Return the nearest folder above a file that is a release."""
    from provenance_oracle.verifier.manifest.dsse import MANIFEST_PATH

    found = release_above(file)
    if found is not None:
        return found
    got, wanted = f"no {MANIFEST_PATH} in a folder above it", "the folder of a release, or a file in one"
    raise UsageError("not a file of a release", where=file, got=got, wanted=wanted)


def release_above(file: str) -> Path | None:
    """Return the nearest folder above a file that is a release; None if there is none."""
    from provenance_oracle.verifier.manifest.dsse import MANIFEST_PATH

    above = list(Path(file).absolute().parents)[:_FOLDERS_ABOVE]
    return next((folder for folder in above if os.path.lexists(folder / MANIFEST_PATH)), None)


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

"""`provenance export`: a record as a bill of materials, CycloneDX or SPDX."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from provenance_oracle.verifier.cli.chain_options import ChainOptions, with_chain
from provenance_oracle.verifier.cli.console import Output, command_body
from provenance_oracle.verifier.cli.options import (
    FILE,
    no_cache_option,
    output_options,
    proof_option,
    read_proof,
    registry_reader,
)
from provenance_oracle.verifier.documents import schemas
from provenance_oracle.verifier.errors import UsageError

if TYPE_CHECKING:
    from provenance_oracle.verifier.manifest.statement import Manifest
    from provenance_oracle.verifier.record.fields import Entry
    from provenance_oracle.verifier.registry.listings import Page
    from provenance_oracle.verifier.registry.reader import RegistryReader

_FORMATS = ("cyclonedx", "spdx")
_NAMED_MAX = 3


@click.command()
@click.argument("what", metavar="DIGEST|ID|NAME@VERSION")
@click.option(
    "--format",
    "form",
    type=click.Choice(_FORMATS),
    required=True,
    help="CycloneDX 1.7 ML-BOM, or SPDX 3.0.1 with the profile AI.",
)
@click.option("--release", type=FILE, help="The release's folder: its signed manifest adds files and dependencies.")
@with_chain()
@no_cache_option
@proof_option
@output_options
@command_body(schemas.EXPORT)
def export(
    output: Output,
    chain: ChainOptions,
    what: str,
    form: str,
    release: Path | None,
    no_cache: bool,
    proof: Path | None,
) -> None:
    """Print the record of a model as a bill of materials.

    Name it as for `show`. The document holds name, digests, parents, evidence, and what the record says; with --release
    also the files and the dependencies in the manifest, whose digest must be the recorded one. The files themselves are
    not read: `check` compares them. The same record gives the same bytes.

    Exit codes: 4 if the manifest is another one, 6 if there is no active record. A record can be revoked later, and the
    document does not know of it: ask the registry.

    \b
    Examples:
      provenance export 5f1c... --format cyclonedx --network sapphire
      provenance export acme/tiny-model@1.0 --format spdx --release ./tiny-model
    """
    from provenance_oracle.verifier.documents.cyclonedx import cyclonedx_json
    from provenance_oracle.verifier.documents.exported import Exported, export_json
    from provenance_oracle.verifier.documents.spdx import spdx_json
    from provenance_oracle.verifier.registry.lookup import find_page, find_proven

    place, proven = chain.place(), read_proof(proof)
    reader = registry_reader(place.rpc_url, place.registry, keeps_events=not no_cache)
    entry = _the_active(reader, find_proven(reader, what, proven) if proven else find_page(reader, what), what)
    manifest = _manifest_of(release, entry) if release else None
    known = reader.records(entry.parents) if entry.parents else {}
    parents = tuple(known[parent] for parent in entry.parents if parent in known)
    exported = Exported(entry, reader.chain_id, reader.address, parents, manifest)
    found = cyclonedx_json(exported) if form == "cyclonedx" else spdx_json(exported)
    output.raw(json.dumps(found, indent=2))
    output.document(True, export_json(form, found))


def _the_active(reader: RegistryReader, page: Page, what: str) -> Entry:
    """Return the only active entry of a page.

    Raises:
        RecordError: none is active. UsageError: there are several.
    """
    active = [entry for entry in page.entries if reader.refusal(entry) is None]
    if len(active) == 1 and page.next_after is None:
        return active[0]
    if not active and (refusal := reader.refusal(page.entries[0])):
        raise refusal
    listed = ", ".join(f"{entry.name}@{entry.version} {entry.manifest_digest.hex()}" for entry in active[:_NAMED_MAX])
    raise UsageError("several records", where=what, got=listed, wanted="the manifest digest of one")


def _manifest_of(folder: Path, entry: Entry) -> Manifest:
    """Return the manifest in a release's folder, which `Exported` compares with the record.

    Raises:
        UsageError: the recorded release has none. FormatError: the folder is no release.
    """
    if entry.is_signed_only:
        got, wanted = "a release that has only a signature", "the command without it"
        raise UsageError("the release has no manifest", where="--release", got=got, wanted=wanted)
    from provenance_oracle.verifier.judgement.release import read_release
    from provenance_oracle.verifier.manifest.statement import parse_statement
    from provenance_oracle.verifier.strict.release_folder import Reading, followed

    release = read_release(followed(folder), Reading(hub_links=True, sparse=True))
    return parse_statement(release.unverified_payload)

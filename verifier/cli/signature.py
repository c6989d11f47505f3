"""`provenance signature`: judge a model's OpenSSF signature against its files, offline."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from provenance_oracle.verifier.cli.console import Output, command_body
from provenance_oracle.verifier.cli.identity_options import read_trust
from provenance_oracle.verifier.cli.options import (
    FILE,
    hash_progress,
    ignore_option,
    ignored_patterns,
    is_folder,
    moment,
    now,
    output_options,
    publisher_identity,
    read_bounded,
)
from provenance_oracle.verifier.documents import schemas
from provenance_oracle.verifier.errors import FormatError, UsageError

if TYPE_CHECKING:
    from provenance_oracle.verifier.identity.key_method import PublisherKey
    from provenance_oracle.verifier.identity.match import Coverage
    from provenance_oracle.verifier.identity.publisher import VerifiedSignature
    from provenance_oracle.verifier.strict.files import OnBytes

_PLACES = ("provenance/model.sig", "model.sig")
_KEY_PLACE = "provenance/publisher-key.pem"


@click.command()
@click.argument("model", type=FILE)
@click.option("--signature", "signature_path", type=FILE, help="The bundle. Default: model.sig in the model's folder.")
@click.option("--identity", "line", metavar="LINE", help="Refuse any other publisher; see docs/signatures.md.")
@click.option("--publisher-key", type=FILE, help="The publisher's public key (PEM), for the method key.")
@click.option("--publisher-ca", type=FILE, help="CAs to trust (PEM), for the method certificate.")
@click.option("--sigstore-root", type=FILE, help="Trusted root of another sigstore instance, for the method sigstore.")
@click.option("--at", "at_text", metavar="TIME", help="Judge for this moment, a date or RFC 3339. Default: now.")
@click.option("--allow-old", is_flag=True, help="Accept signatures made by model-signing 0.2 too.")
@ignore_option
@output_options
@command_body(schemas.SIGNATURE)
def signature(
    output: Output,
    model: Path,
    signature_path: Path | None,
    line: str | None,
    publisher_key: Path | None,
    publisher_ca: Path | None,
    sigstore_root: Path | None,
    at_text: str | None,
    allow_old: bool,
    ignore: tuple[str, ...],
) -> None:
    """Verify who signed a model, and that every file of it is signed.

    MODEL is a folder, or the one file of a model. The signature is a bundle of OpenSSF model signing. Nothing is
    fetched, and every file is read once.

    Exit codes: 0 signed by the publisher that you name, 3 malformed, 4 forged or a file changed, 5 genuine, but by
    another publisher, or not over every file.

    \b
    Examples:
      provenance signature ./my-model --publisher-key acme.pem
      provenance signature ./my-model \\
        --identity 'sigstore https://accounts.google.com email:me@acme.org'
    """
    from provenance_oracle.verifier.documents.signature import signature_json
    from provenance_oracle.verifier.identity.bundle import BUNDLE_MAX_BYTES, parse_bundle
    from provenance_oracle.verifier.identity.match import refuse_gaps
    from provenance_oracle.verifier.identity.publisher import PublisherTrust, verify_publisher
    from provenance_oracle.verifier.identity.sigstore_root import load_pinned_root

    expected = publisher_identity(line, "--identity") if line is not None else None
    if signature_path:
        place, data = signature_path, read_bounded(signature_path, BUNDLE_MAX_BYTES)
    else:
        place, data = _bundle_in(model, BUNDLE_MAX_BYTES)
    bundle = parse_bundle(data, str(place))
    given = read_trust(publisher_key, publisher_ca, sigstore_root)
    key = given.keys[0] if given.keys else None
    if key is None and expected:  # the identity says which key it must be
        key = _key_in(model)
    at, root = moment(at_text) or now(), given.root or load_pinned_root()
    found = verify_publisher(bundle, PublisherTrust(expected, key, given.anchors, root, at, allow_old))
    with hash_progress(output) as progress:
        coverage = _matched(model, place, found, ignore, progress)
    refuse_gaps(coverage, str(place))
    output.accepted(f"{model} is signed by {found.identity.line}")
    output.text(f"identity digest  {found.identity.digest.hex()}")
    for text in _lines(found, coverage):
        output.text(text)
    output.document(True, signature_json(found, coverage, signature=str(place)))


def _lines(found: VerifiedSignature, coverage: Coverage) -> list[str]:
    from provenance_oracle.verifier.strict.timestamps import format_time
    from provenance_oracle.verifier.text import first_of

    allowed = f"; not covered, and need not be: {first_of(coverage.allowed, 10)}" if coverage.allowed else ""
    lines = [f"covered          {len(coverage.covered)} of {coverage.files} files{allowed}"]
    if found.signer.signed_at:
        lines.append(f"signed at        {format_time(found.signer.signed_at)}")
    if found.signer.log_index is not None:
        lines.append(f"log index        {found.signer.log_index}")
    return lines


def _bundle_in(model: Path, max_bytes: int) -> tuple[Path, bytes]:
    """Return place and bytes of the bundle in a model's folder."""
    for place in _PLACES:
        if found := _read_in(model, place, max_bytes):
            return found
    got = f"no {' and no '.join(_PLACES)}" if is_folder(model) else "a model of one file"
    raise UsageError("no signature is named", where=str(model), got=got, wanted="--signature FILE")


def _read_in(model: Path, place: str, max_bytes: int) -> tuple[Path, bytes] | None:
    """Return path and bytes of a file in a model's folder; None if there is none. No link is followed but the Hub's."""
    from provenance_oracle.verifier.strict.files import pieces_of_file
    from provenance_oracle.verifier.strict.release_files import files_of
    from provenance_oracle.verifier.strict.release_folder import Reading, followed

    if not is_folder(model):
        return None
    with files_of(followed(model), Reading(hub_links=True)).session() as release:
        found = release.find(place)
        if found is None:
            return None
        if found.identity.size > max_bytes:
            raise FormatError("too large", where=str(model / place), got="more", wanted=f"at most {max_bytes} bytes")
        with release.open(place, found) as file:
            return model / place, b"".join(pieces_of_file(file))


def _key_in(model: Path) -> PublisherKey | None:
    """Return the publisher's key in a model's folder; None if there is none."""
    from provenance_oracle.verifier.identity.key_method import PUBLISHER_KEY_MAX_BYTES, parse_publisher_key

    found = _read_in(model, _KEY_PLACE, PUBLISHER_KEY_MAX_BYTES)
    return parse_publisher_key(found[1], str(found[0])) if found else None


def _matched(
    model: Path, place: Path, found: VerifiedSignature, ignore: tuple[str, ...], progress: OnBytes | None
) -> Coverage:
    """Compare the files with the signature, and return which of them it covers."""
    from provenance_oracle.verifier.digest.files import list_files
    from provenance_oracle.verifier.digest.match_files import set_aside
    from provenance_oracle.verifier.identity.match import Coverage, coverage_of, match_one_file, match_signed_files
    from provenance_oracle.verifier.strict.release_folder import Reading, followed

    if not is_folder(model):
        match_one_file(model, found.signed, progress=progress)
        return Coverage((model.name,), (), ())
    folder = followed(model)
    reading = Reading(hub_links=True, ignored=ignored_patterns(ignore), sparse=True)
    listing = list_files(folder, reading=reading, whole=True)
    listing = set_aside(folder, listing, frozenset(found.signed.paths))
    match_signed_files(folder, listing, found.signed, progress=progress)
    present = {file.path: file.size for file in listing.files}
    return coverage_of(found.signed, present, [file.path for file in listing.aside], _path_in(folder, place))


def _path_in(folder: Path, place: Path) -> str:
    """Return the path of the bundle in the model's folder; empty if it lies elsewhere."""
    try:
        return str(place.absolute().resolve().relative_to(folder.absolute().resolve()))
    except ValueError:
        return ""

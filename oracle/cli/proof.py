"""`provenance proof`: print the proof that a release is in a batch."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import click

from provenance_oracle.oracle import documents
from provenance_oracle.oracle.cli.journal_options import JournalPlace, with_journal
from provenance_oracle.verifier.cli.console import Output, command_body
from provenance_oracle.verifier.cli.options import FILE, hex_word, output_options, read_bounded
from provenance_oracle.verifier.errors import RecordError

_WANTED = "64 hex digits: the digest of a manifest, or the root of a batch"


@click.command()
@click.argument("release", metavar="DIGEST|NAME")
@click.option("--leaves", type=FILE, help="The leaves document of the batch, instead of a journal.")
@click.option("--batch", is_flag=True, help="Print the leaves document of the whole batch, to be served at its uri.")
@with_journal
@output_options
@command_body(documents.PROOF)
def proof(output: Output, release: str, place: Callable[[], JournalPlace], leaves: Path | None, batch: bool) -> None:
    """Print the proof that a release is in a batch.

    DIGEST is the release's manifest digest, or the root of a batch (with --batch). With --leaves, it may also be the
    model digest, or the release's NAME. Contracts and the TypeScript package take the member `proof`. The command
    builds it from the records' bytes, and asks no node: a gate, or `recordBatch`'s event, tells whether the registry
    has the root. The oracle may run.

    \b
    Examples:
      provenance proof 5f1c... --journal oracle.sqlite
      provenance proof acme/model@1.0 --leaves 90ab....json
      provenance proof 90ab... --batch --journal oracle.sqlite
    """
    from provenance_oracle.verifier.record.leaves import LEAVES_MAX_BYTES, leaves_of, parse_leaves
    from provenance_oracle.verifier.record.proof_file import proof_json

    if leaves is not None:
        found = parse_leaves(read_bounded(leaves, LEAVES_MAX_BYTES), str(leaves))
    else:
        digest = hex_word(release, "DIGEST", "not a digest", _WANTED)
        found = leaves_of(*_kept(digest, place().journal, is_root=batch))
    if batch:
        output.raw(found.document().decode())
        output.document(True, documents.batch_json(found.root, len(found.leaves)))
        return
    body = proof_json(found, found.find(release.removeprefix("0x") if leaves is None else release))
    output.raw(json.dumps(body, indent=2))
    output.document(True, body)


def _kept(digest: bytes, journal: str, *, is_root: bool) -> tuple[list[bytes], frozenset[int]]:
    """Return the records of a batch in the journal, and the numbers of the named ones."""
    from provenance_oracle.oracle.journal.kept_batches import find_leaves

    wanted = {"root": digest} if is_root else {"content": digest}
    records, named = find_leaves(journal, **wanted)
    if not records:
        raise RecordError(
            "no final batch of this journal has the release",
            where="journal",
            got="no such batch",
            wanted="a release that was recorded in a batch; a record by itself needs no proof",
        )
    return records, named

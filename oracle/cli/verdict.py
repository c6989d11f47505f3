"""`provenance verdict`: print a verdict that the oracle kept."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from provenance_oracle.oracle import documents
from provenance_oracle.oracle.cli.journal_options import JournalPlace, with_journal
from provenance_oracle.verifier.cli.console import Output, command_body
from provenance_oracle.verifier.cli.options import FILE, hex_word, output_options
from provenance_oracle.verifier.errors import RecordError

if TYPE_CHECKING:
    from provenance_oracle.oracle.journal.kept_evidence import KeptVerdict
    from provenance_oracle.verifier.registry.secp256k1 import AccountKey


@click.command()
@click.argument("digest")
@with_journal
@click.option("--out", type=FILE, help="Write the verdict's exact bytes to this new file.")
@click.option("--envelope", type=FILE, help="Write the verdict as the oracle signed it (DSSE) to this new file.")
@click.option("--public-key", type=FILE, help="Write the key that signed it, in PEM, to this new file.")
@click.option("--archive", type=FILE, help="Write the evidence, a tar archive, to this new file.")
@output_options
@command_body(documents.VERDICT)
def verdict(
    output: Output,
    digest: str,
    place: Callable[[], JournalPlace],
    out: Path | None,
    envelope: Path | None,
    public_key: Path | None,
    archive: Path | None,
) -> None:
    """Print a verdict that the oracle kept.

    DIGEST is the verdict digest in the record on chain. The command reads the folder of evidence first, so it also
    works after the journal was lost. The oracle may run. It signs a verdict in the pass after the judgement.

    \b
    Examples:
      provenance verdict 5f1c... --journal oracle.sqlite
      provenance verdict 5f1c... --settings oracle.yaml --archive evidence.tar
      provenance verdict 5f1c... --envelope signed.json --public-key oracle.pem
    """
    from provenance_oracle.oracle.journal.kept_evidence import find_verdict

    wanted = hex_word(digest, "DIGEST", "not the digest of a verdict", "64 hex digits, as `show` prints them")
    where = place()
    found = find_verdict(wanted, where.journal, where.evidence)
    if found is None:
        raise RecordError(
            "no verdict with this digest was kept here",
            where="journal",
            got=f"nothing for {wanted.hex()}",
            wanted="the verdict digest that `provenance show` prints, and the journal of the oracle that judged, or its"
            " folder of evidence",
        )
    if archive is not None and found.archive is None:
        raise RecordError("no evidence was kept with this verdict", where=str(archive), wanted="a PASSED verdict")
    keys = _keys(found) if found.envelope is not None or envelope is not None or public_key is not None else ()
    newest = keys[0].pem if keys else None
    _write((out, found.statement), (envelope, found.envelope), (public_key, newest), (archive, found.archive))
    output.raw(found.statement.decode("utf-8", "replace"))
    output.document(True, documents.verdict_json(wanted, found, [key.address for key in keys]))


def _keys(found: KeptVerdict) -> tuple[AccountKey, ...]:
    """Return the keys that signed a verdict, the newest first, after verifying their signatures."""
    from provenance_oracle.verifier.registry.signed_verdict import verify_signed_verdict

    if found.envelope is None:
        wanted = "an oracle that has been running since it judged; it signs in its next pass"
        raise RecordError("the verdict is not signed yet", where="journal", got="no signature", wanted=wanted)
    return verify_signed_verdict(found.envelope, "envelope of the verdict").keys


def _write(*files: tuple[Path | None, bytes | None]) -> None:
    from provenance_oracle.oracle.journal.new_file import new_file

    for file, data in files:
        if file is not None and data is not None:
            with new_file(file) as new:
                new.write_bytes(data)

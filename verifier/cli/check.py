"""`provenance check`: judge a release again, here, and compare it with its record on chain."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click

from provenance_oracle.verifier.cli.console import Output, command_body
from provenance_oracle.verifier.cli.options import (
    FILE,
    at_option,
    fetch_option,
    fetcher_for,
    hash_progress,
    json_option,
    moment,
    now,
    policy_option,
    read_small,
    registry_option,
    registry_reader,
    rpc_option,
)
from provenance_oracle.verifier.documents import schemas


@click.command()
@click.argument("release", type=FILE)
@policy_option
@at_option
@rpc_option
@registry_option
@click.option("--offline", is_flag=True, help="Judge only; do not look up a record.")
@click.option("--crl", type=FILE, help="A current revocation list from AMD, in place of the list in the release.")
@fetch_option
@json_option
@command_body(schemas.CHECK)
def check(
    output: Output,
    release: Path,
    policy_name: str,
    at_text: str | None,
    rpc_url: str | None,
    registry_text: str | None,
    offline: bool,
    crl: Path | None,
    fetch: bool,
) -> None:
    """Judge a release and compare it with its record on chain.

    RELEASE is a folder. All its evidence and files are judged again, on this machine.

    Exit codes: 0 accepted, 3 malformed, 4 forged, 5 refused by policy, 6 no record or one that is revoked, held or
    doubtful, 7 try again.

    \b
    Examples:
      provenance check ./my-model --offline
      provenance check ./my-model --rpc URL --registry 0x... --policy strict
    """
    from provenance_oracle.verifier.cli.words import confirmation_lines, judgement_lines, policy_line, root_note
    from provenance_oracle.verifier.documents.judgement import check_json
    from provenance_oracle.verifier.judgement.confirm import confirm
    from provenance_oracle.verifier.judgement.release import read_release
    from provenance_oracle.verifier.policy import load_policy

    policy, at = load_policy(policy_name), moment(at_text)
    reader = None if offline else registry_reader(rpc_url, registry_text, or_else=("--offline",))
    contents = read_release(release)
    if crl:
        # The verdict lists its inputs by name. A path would make its bytes depend on the place of the file.
        contents = replace(contents, evidence=replace(contents.evidence, crl=read_small(crl), crl_name="--crl"))
    with hash_progress(output.as_json) as progress:
        found = confirm(
            contents, policy, registry=reader, at=at, now=now(), fetcher=fetcher_for(fetch), progress=progress
        )
    judgement = found.judgement
    output.text(f"{release}: {judgement.result.manifest.name} {judgement.result.manifest.version}")
    output.text(policy_line(policy, judgement.result.at))
    output.table(found.findings)
    output.text()
    for line in (*judgement_lines(judgement), *confirmation_lines(found)):
        output.text(line)
    output.accepted(root_note(judgement.result.claims))
    output.document(True, check_json(found))

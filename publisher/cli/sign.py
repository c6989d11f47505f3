"""`provenance sign`: sign a release as the publisher whom its manifest names."""

from __future__ import annotations

from pathlib import Path

import click

from provenance_oracle.publisher import documents
from provenance_oracle.publisher.cli.pack import check_command
from provenance_oracle.publisher.cli.signing_options import SignerOptions, with_signer
from provenance_oracle.verifier.cli.console import Output, command_body
from provenance_oracle.verifier.cli.options import FILE, hash_progress, now, output_options
from provenance_oracle.verifier.errors import UsageError


@click.command()
@click.argument("release", type=FILE)
@with_signer("--key")
@click.option("--replace", is_flag=True, help="Replace the signature that is there.")
@output_options
@command_body(documents.SIGN)
def sign(output: Output, release: Path, signing: SignerOptions, replace: bool) -> None:
    """Sign a release as the publisher whom its manifest names.

    `provenance pack --publisher LINE` makes such a release in the VM; sign it where the publisher's key is. The command
    judges the evidence, reads every file once, signs files and manifest, and writes the signature last. Until then the
    release is incomplete, and oracles wait.

    \b
    Examples:
      provenance sign ./model --sign-key acme.key
      provenance sign ./model --sign-certificate acme.key --chain signer.pem \\
        --chain ca.pem
      provenance sign ./model --sign-sigstore
    """
    from provenance_oracle.publisher.signing.sign_release import sign_release

    signer = signing.open()
    if signer is None:
        wanted = "--sign-key KEY, --sign-certificate KEY --chain FILE, or --sign-sigstore"
        raise UsageError("no way to sign is named", got="none of these options", wanted=wanted)
    with hash_progress(output) as progress:
        signed = sign_release(release, signer, clock=now, replace=replace, progress=progress)
    manifest = signed.manifest
    output.text(f"{release}: release {manifest.name} {manifest.version} is signed by its publisher")
    output.text(f"publisher        {manifest.publisher}")
    output.text(f"model digest     {signed.files.model_digest.hex()}")
    output.text(f"manifest digest  {manifest.digest.hex()}")
    output.text(f"judged           {signed.trial.line}")
    output.text(f"next             {check_command(release, signed.trial.policy.name)}")
    output.document(True, documents.sign_json(signed))

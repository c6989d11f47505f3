"""`provenance report`: judge one attestation report with its certificates, without a release."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from provenance_oracle.verifier.cli.console import Output, command_body
from provenance_oracle.verifier.cli.options import (
    DEFAULT_POLICY,
    FILE,
    at_option,
    fetch_option,
    fetcher_for,
    moment,
    now,
    output_options,
    policy_option,
    read_small,
    verbose_option,
)
from provenance_oracle.verifier.documents import schemas

if TYPE_CHECKING:
    from provenance_oracle.verifier.snp.evidence import Evidence
    from provenance_oracle.verifier.snp.products import TrustedRoot


@click.command()
@click.argument("report", type=FILE)
@click.option("--vek", type=FILE, required=True, help="VCEK or VLEK certificate, PEM or DER.")
@click.option(
    "--chain",
    type=FILE,
    required=True,
    multiple=True,
    help="ASK or ASVK, and ARK: one file, or the option twice.",
)
@click.option("--crl", type=FILE, help="AMD's revocation list, signed by the ARK.")
@click.option("--key", type=FILE, help="The VM's public key (PEM). Checks that the report binds it.")
@policy_option
@at_option
@fetch_option
@click.option("--unsafe-root", type=FILE, help="Accept this ARK as a root. The output says that you did.")
@verbose_option
@output_options
@command_body(schemas.REPORT)
def report(
    output: Output,
    report: Path,
    vek: Path,
    chain: tuple[Path, ...],
    crl: Path | None,
    key: Path | None,
    policy_name: str | None,
    at_text: str | None,
    fetch: bool,
    unsafe_root: Path | None,
) -> None:
    """Judge one attestation REPORT (1184 bytes) with its certificates.

    \b
    Example:
      provenance report report.bin --vek vcek.pem --chain chain.pem --crl crl.der
    """
    from provenance_oracle.verifier.checks import Check
    from provenance_oracle.verifier.cli.words import grade_found, policy_line, root_note
    from provenance_oracle.verifier.documents.evidence import report_json
    from provenance_oracle.verifier.judgement.appraise import appraise_evidence, bind_key, conclude, roots_of
    from provenance_oracle.verifier.judgement.sheet import CheckSheet
    from provenance_oracle.verifier.policy import load_policy
    from provenance_oracle.verifier.snp.chain import RevocationStatus
    from provenance_oracle.verifier.snp.current_crl import with_current_crl

    policy, at, sheet = load_policy(policy_name or DEFAULT_POLICY), moment(at_text) or now(), CheckSheet()
    evidence = _evidence(report, vek, chain, crl)
    fetcher = fetcher_for(fetch)
    roots = roots_of(policy) + _unsafe_roots(unsafe_root)
    with sheet:
        claims = appraise_evidence(evidence, policy, at=at, roots=roots, sheet=sheet)
        if key:
            bind_key(claims, read_small(key), policy, sheet, str(key))
        else:
            sheet.not_checked(Check.KEY_BINDING, "no --key given")
        # Evidence that is refused anyway reaches no network.
        if fetcher is not None and not sheet.failures and claims.revocation is not RevocationStatus.NOT_REVOKED:
            evidence = with_current_crl(evidence, at=at, fetcher=fetcher, now=now())
            claims = appraise_evidence(evidence, policy, at=at, roots=roots, sheet=sheet)
        grade = conclude(claims, policy, sheet)
    findings = tuple(f for f in sheet.findings() if f.check.bit <= Check.KEY_BINDING.bit)
    output.accepted(f"{report}, a {claims.line} report of version {claims.report.version}", root_note(claims))
    output.text(f"report digest    {claims.report.digest.hex()}")
    output.text(f"grade            {grade_found(grade, claims, policy)}")
    output.text(policy_line(policy, at))
    output.checks(findings)
    output.document(True, report_json(claims, policy, at=at, grade=grade, findings=findings))


def _evidence(report: Path, vek: Path, chain: tuple[Path, ...], crl: Path | None) -> Evidence:
    from provenance_oracle.verifier.snp.evidence import Evidence

    return Evidence(
        report=read_small(report),
        vek=read_small(vek),
        chain=_joined([read_small(path) for path in chain]),
        crl=read_small(crl) if crl else None,
        report_name=str(report),
        vek_name=str(vek),
        chain_name=" + ".join(str(path) for path in chain),
        crl_name=str(crl) if crl else "crl",
    )


def _joined(parts: list[bytes]) -> bytes:
    """Join the files of a chain. PEM blocks need a line end between them; DER needs nothing."""
    return b"".join(part if part.endswith(b"\n") or not part.startswith(b"-----") else part + b"\n" for part in parts)


def _unsafe_roots(path: Path | None) -> tuple[TrustedRoot, ...]:
    if path is None:
        return ()
    from provenance_oracle.verifier.snp.chain import unsafe_root

    return (unsafe_root(read_small(path), str(path)),)

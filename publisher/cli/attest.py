"""`provenance attest`: get an attestation report that binds the VM's key."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from provenance_oracle.publisher import documents
from provenance_oracle.verifier.cli.console import Output, command_body
from provenance_oracle.verifier.cli.options import FILE, fetcher_for, output_options, read_small
from provenance_oracle.verifier.errors import UsageError, unwritten

if TYPE_CHECKING:
    from provenance_oracle.publisher.manifest import PrivateKey
    from provenance_oracle.verifier.snp.evidence import Evidence

SIMULATED_LINES = ("milan", "genoa", "turin")


@click.command()
@click.option(
    "--key",
    type=FILE,
    required=True,
    help="The VM's private key (PEM).",
)
@click.option("--new-key", is_flag=True, help="Make the key first, in a new file with mode 0600.")
@click.option(
    "--key-type",
    type=click.Choice(["p256", "p384"]),
    default="p256",
    show_default=True,
    help="The curve of a new key. A release of p256 costs half as much gas to prove on chain.",
)
@click.option("--out", type=FILE, help="Folder to write the evidence to.")
@click.option(
    "--request",
    type=FILE,
    help="Only write the 64 bytes of REPORT_DATA to this file, for a tool such as `snpguest report`.",
)
@click.option("--report", type=FILE, help="A report that another tool made over this REPORT_DATA.")
@click.option("--vek", type=FILE, help="With --report: VCEK or VLEK, PEM or DER.")
@click.option(
    "--chain", type=FILE, multiple=True, help="With --report: ASK or ASVK, and ARK; one file, or the option twice."
)
@click.option("--crl", type=FILE, help="AMD's revocation list, which becomes part of the release.")
@click.option(
    "--simulator", type=click.Choice(SIMULATED_LINES), help="Take evidence from the simulator. It proves nothing."
)
@click.option(
    "--vmpl",
    type=click.IntRange(0, 3),
    help="Privilege level to ask this VM's kernel for; 1 to 3 under an SVSM. Default: the kernel chooses.",
)
@click.option(
    "--gpu-evidence",
    type=FILE,
    multiple=True,
    help="Evidence of GPUs that NVIDIA's tools made with SHA-256 of the key as nonce, JSON. Can be repeated.",
)
@click.option("--gpus", is_flag=True, help="Ask NVIDIA's driver in this VM for the evidence of every GPU.")
@click.option("--fetch", is_flag=True, help="Fetch missing certificates and the revocation list from AMD.")
@output_options
@command_body(documents.ATTEST)
def attest(
    output: Output,
    key: Path,
    new_key: bool,
    key_type: str,
    out: Path | None,
    request: Path | None,
    report: Path | None,
    vek: Path | None,
    chain: tuple[Path, ...],
    crl: Path | None,
    simulator: str | None,
    vmpl: int | None,
    gpu_evidence: tuple[Path, ...],
    gpus: bool,
    fetch: bool,
) -> None:
    """Get an attestation report that binds the VM's key.

    The command writes the report and its certificates to a folder. Without --report or --simulator the report comes
    from this VM's kernel (configfs-tsm, Linux 6.7 or newer, as root).

    \b
    Examples, inside the confidential VM:
      provenance attest --key cvm.key --new-key --out evidence --fetch
      provenance attest --key cvm.key --new-key --request request.bin
      snpguest report report.bin request.bin -v 0
      provenance attest --key cvm.key --report report.bin --vek vcek.pem \\
        --chain chain.pem --out evidence
    """
    from provenance_oracle.publisher.evidence.folder import write_evidence
    from provenance_oracle.publisher.manifest import public_key_of
    from provenance_oracle.publisher.trial import try_evidence, try_gpus
    from provenance_oracle.verifier.gpu_evidence.verify import gpu_nonce
    from provenance_oracle.verifier.judgement.binding import bound_report_data
    from provenance_oracle.verifier.judgement.gpus import MEANING, describe

    _refuse_mixed_sources(report, vek, chain, crl, simulator)
    _refuse_for_another_source(vmpl, bool(report or simulator or request), bool(gpu_evidence or gpus), request)
    if not out and not request:
        raise UsageError("no output is named", got="neither --out nor --request", wanted="--out FOLDER")
    # (1) the key, and the 64 bytes that bind it
    private_key = _key_at(key, key_type, is_new=new_key, is_simulated=simulator is not None)
    pem, public_key = public_key_of(private_key)
    report_data = bound_report_data(public_key)
    if request:
        _write_request(request, report_data)
        output.text(f"{request}: 64 bytes of REPORT_DATA that bind {key}")
        output.document(True, documents.request_json(request, report_data))
        return
    assert out is not None
    # (2) a report over them, with its certificates
    evidence = _collected(report_data, report, (*([vek] if vek else []), *chain), crl, simulator, vmpl, fetch=fetch)
    # (3) judge them as `check` will: a report of another key, or certificates of another chip, are refused here
    trial = try_evidence(evidence, pem, at=datetime.now(UTC))
    gpu_files = _gpu_files(gpu_nonce(public_key.spki), gpu_evidence, gpus)
    gpu_claims = try_gpus(gpu_files, pem, at=datetime.now(UTC))
    # (4) the folder for `provenance pack`
    write_evidence(out, evidence, gpu_files)
    output.text(f"{out}: a report that binds {key}, and its certificates")
    output.text(f"judged by now: {trial.line}")
    if gpu_claims:
        output.text(f"genuine {describe(gpu_claims)}, {MEANING}")
    if evidence.crl is None:
        output.text("The evidence has no revocation list. Most policies ask for one: add --crl FILE or --fetch.")
    if simulator:
        output.text("The hardware was SIMULATED. Only the policy `demo` accepts this evidence.")
    output.document(True, documents.evidence_json(out, report_data, simulated=simulator is not None))


def _key_at(path: Path, key_type: str, *, is_new: bool, is_simulated: bool) -> PrivateKey:
    """Return the key in a file. Makes it if it is to be new, or if any will do: simulated evidence proves nothing."""
    from provenance_oracle.publisher.keys import load_key, load_or_make_key, make_key

    if is_new:
        return make_key(path, key_type)
    return load_or_make_key(path, key_type) if is_simulated else load_key(path)


def _collected(
    report_data: bytes,
    report: Path | None,
    certificates: tuple[Path, ...],
    crl: Path | None,
    simulator: str | None,
    vmpl: int | None,
    *,
    fetch: bool,
) -> Evidence:
    """Return a report over REPORT_DATA (64 bytes) with its certificates: from files, the simulator or the kernel."""
    from provenance_oracle.publisher.evidence.collect import (
        evidence_from_files,
        evidence_from_kernel,
        evidence_from_simulator,
    )
    from provenance_oracle.verifier.snp.products import ProductLine

    fetcher, crl_data = fetcher_for(fetch), read_small(crl) if crl else None
    if report:
        files = [read_small(path) for path in certificates]
        return evidence_from_files(read_small(report), files, crl_data, fetcher=fetcher)
    if simulator:
        return evidence_from_simulator(ProductLine(simulator.title()), report_data, at=datetime.now(UTC))
    return evidence_from_kernel(report_data, crl_data, fetcher=fetcher, privlevel=vmpl)


def _gpu_files(nonce: bytes, given: tuple[Path, ...], ask: bool) -> tuple[bytes, ...]:
    """Return the evidence of GPUs: from files, from the driver, or none."""
    from provenance_oracle.publisher.evidence.gpus import gpus_from_driver, gpus_from_files

    if given and ask:
        raise UsageError("the GPUs have two sources", got="--gpus and --gpu-evidence", wanted="one of them")
    if given:
        return gpus_from_files(given)
    return gpus_from_driver(nonce) if ask else ()


def _refuse_mixed_sources(
    report: Path | None, vek: Path | None, chain: tuple[Path, ...], crl: Path | None, simulator: str | None
) -> None:
    """Refuse options that the command would otherwise ignore in silence."""
    if (vek or chain) and not report:
        raise UsageError("certificates need a report", got="--vek or --chain", wanted="--report FILE too")
    if simulator and (report or crl):
        raise UsageError("the simulator makes its own evidence", got="--report or --crl", wanted="--simulator alone")


def _refuse_for_another_source(vmpl: int | None, has_source: bool, has_gpus: bool, request: Path | None) -> None:
    """Refuse a level that no kernel is asked for, and evidence of GPUs where only a request is written."""
    if vmpl is not None and has_source:
        got, wanted = "--vmpl with --report, --simulator or --request", "--vmpl for a report of this VM's kernel"
        raise UsageError("the level is asked of the kernel only", got=got, wanted=wanted)
    if request and has_gpus:
        got, wanted = "--gpus or --gpu-evidence with --request", "them with --out"
        raise UsageError("a request takes no evidence", got=got, wanted=wanted)


def _write_request(path: Path, report_data: bytes) -> None:
    try:
        path.write_bytes(report_data)
    except OSError as error:
        raise unwritten("cannot be written", error, where=str(path), wanted="a file") from error

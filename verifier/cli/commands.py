"""The user's commands: check | report | hash | show. Heavy imports happen inside the commands."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from provenance_oracle.verifier.cli.console import Output, command_body, findings_json
from provenance_oracle.verifier.cli.options import (
    FILE,
    at_option,
    fetch_option,
    fetcher_for,
    hash_progress,
    is_folder,
    json_option,
    moment,
    now,
    policy_option,
    read_small,
    registry_option,
    registry_reader,
    rpc_option,
    tell,
)

if TYPE_CHECKING:
    from provenance_oracle.verifier.record.fields import Entry
    from provenance_oracle.verifier.registry.reader import RegistryReader
    from provenance_oracle.verifier.snp.evidence import Evidence
    from provenance_oracle.verifier.snp.products import TrustedRoot
    from provenance_oracle.verifier.snp.signature import Claims


@click.command()
@click.argument("release", type=FILE)
@policy_option
@at_option
@rpc_option
@registry_option
@click.option("--offline", is_flag=True, help="Judge only; look no record up.")
@click.option("--crl", type=FILE, help="A current revocation list by AMD, in place of the release's own.")
@fetch_option
@json_option
@command_body("provenance-oracle/check/v2")
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
    """Judge the folder RELEASE again, here, and compare it with its record on chain.

    Exit codes: 0 accepted, 3 malformed, 4 forged, 5 refused by policy, 6 no record, or one that is revoked, held or
    doubtful, 7 try again.

    \b
    Examples:
      provenance check ./my-model --offline
      provenance check ./my-model --rpc URL --registry 0x... --policy strict
    """
    from provenance_oracle.verifier.cli.describe import judgement_json, judgement_lines, policy_line
    from provenance_oracle.verifier.cli.describe_record import confirmation_lines, entry_json
    from provenance_oracle.verifier.judgement.confirm import confirm
    from provenance_oracle.verifier.judgement.release import read_release
    from provenance_oracle.verifier.policy import load_policy

    policy, at = load_policy(policy_name), moment(at_text)
    reader = None if offline else registry_reader(rpc_url, registry_text, or_else=("--offline",))
    contents = read_release(release)
    if crl:
        # named by the option, not by its path: the verdict tells of its inputs by name
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
    _accept(output, judgement.result.claims)
    output.document(
        True,
        {
            **judgement_json(judgement),
            "record": entry_json(found.entry) if found.entry else None,
            "verdict_reproduced": found.verdict_reproduced,
            "findings": findings_json(found.findings),
        },
    )


@click.command()
@click.argument("report", type=FILE)
@click.option("--vek", type=FILE, required=True, help="VCEK or VLEK certificate, PEM or DER.")
@click.option("--chain", type=FILE, required=True, multiple=True, help="ASK or ASVK and ARK; one file or two.")
@click.option("--crl", type=FILE, help="AMD's revocation list, signed by the ARK.")
@click.option("--key", type=FILE, help="The VM's public key (PEM): check that the report binds it.")
@policy_option
@at_option
@fetch_option
@click.option("--unsafe-root", type=FILE, help="Accept this ARK as a root. Marks everything that follows from it.")
@json_option
@command_body("provenance-oracle/report/v1")
def report(
    output: Output,
    report: Path,
    vek: Path,
    chain: tuple[Path, ...],
    crl: Path | None,
    key: Path | None,
    policy_name: str,
    at_text: str | None,
    fetch: bool,
    unsafe_root: Path | None,
) -> None:
    """Judge one attestation REPORT (1184 bytes) with its certificates.

    \b
    Example:
      provenance report report.bin --vek vcek.pem --chain cert_chain.pem --crl crl.der --policy baseline
    """
    from provenance_oracle.verifier.checks import Check
    from provenance_oracle.verifier.cli.describe import claims_json, grade_words, policy_json, policy_line
    from provenance_oracle.verifier.judgement.appraise import appraise_evidence, bind_key, conclude, roots_of
    from provenance_oracle.verifier.judgement.sheet import CheckSheet
    from provenance_oracle.verifier.policy import load_policy
    from provenance_oracle.verifier.snp.chain import Revocation
    from provenance_oracle.verifier.snp.current_crl import with_current_crl
    from provenance_oracle.verifier.strict.timestamps import format_time

    policy, at, sheet = load_policy(policy_name), moment(at_text) or now(), CheckSheet()
    evidence = _evidence(report, vek, chain, crl)
    fetcher = fetcher_for(fetch)
    roots = roots_of(policy) + _unsafe_roots(unsafe_root)
    with sheet:
        claims = appraise_evidence(evidence, policy, at=at, roots=roots, sheet=sheet)
        if key:
            bind_key(claims, read_small(key), policy, sheet, str(key))
        else:
            sheet.not_checked(Check.KEY_BINDING, "no --key given")
        # the network only once nothing else is wrong
        if fetcher is not None and not sheet.failures and claims.revocation is not Revocation.NOT_REVOKED:
            evidence = with_current_crl(evidence, at=at, fetcher=fetcher, now=now())
            claims = appraise_evidence(evidence, policy, at=at, roots=roots, sheet=sheet)
        grade = conclude(claims, policy, sheet)
    findings = tuple(f for f in sheet.findings() if f.check.bit <= Check.KEY_BINDING.bit)
    output.text(f"{report}: {claims.line} report, version {claims.report.version}")
    output.text(policy_line(policy, at))
    output.table(findings)
    output.text()
    output.text(f"report digest    {claims.report.digest.hex()}")
    output.text(f"grade            {grade_words(grade)}")
    _accept(output, claims)
    output.document(
        True,
        {
            "grade": grade,
            "at": format_time(at),
            "policy": policy_json(policy),
            "claims": claims_json(claims),
            "findings": findings_json(findings),
        },
    )


@click.command("hash")
@click.argument("paths", type=FILE, nargs=-1, required=True, metavar="PATH...")
@click.option("--device", default="auto", show_default=True, help="Where to hash: auto, cpu or cuda.")
@click.option("--sha256", is_flag=True, help="Also the whole-file SHA-256, in the same pass.")
@json_option
@command_body("provenance-oracle/hash/v1")
def hash_command(output: Output, paths: tuple[Path, ...], device: str, sha256: bool) -> None:
    """Print the fs-verity digest of files, as `fsverity digest` would, and the model digest of folders."""
    from provenance_oracle.verifier.digest.choose import open_hasher
    from provenance_oracle.verifier.digest.files import digest_file, digest_files, list_files

    hasher = open_hasher(device, notify=partial(click.echo, err=True))
    files, models = [], []
    with hash_progress(output.as_json) as progress:
        for path in paths:
            if is_folder(path):
                listing = list_files(path)
                every = frozenset(file.path for file in listing.files) if sha256 else frozenset()
                file_set = digest_files(path, listing, sha256_of=every, hasher=hasher, progress=progress)
                files += [(f"{path}/{f.path}", f) for f in file_set.files]
                models.append((path, file_set))
            else:
                files.append((str(path), digest_file(path, sha256=sha256, hasher=hasher, progress=progress)))
    tell(f"hashed by: {hasher.path_name}")
    for name, digest in files:
        output.text(f"{digest.fsverity.hex()}  {digest.sha256.hex() + '  ' if digest.sha256 else ''}{name}")
    for path, file_set in models:
        output.text(f"{file_set.model_digest.hex()}  model digest of {path}")
    output.document(
        True,
        {
            "files": [
                {
                    "path": name,
                    "size": f.size,
                    "fsverity_sha256_4096": f.fsverity.hex(),
                    **({"sha256": f.sha256.hex()} if f.sha256 else {}),
                }
                for name, f in files
            ],
            "path_name": hasher.path_name,
            "models": [{"path": str(path), "provenance_model_v1": s.model_digest.hex()} for path, s in models],
        },
    )


@click.command()
@click.argument("what", metavar="DIGEST|ID|NAME")
@rpc_option
@registry_option
@click.option(
    "--history", is_flag=True, help="All that happened to each, and whether its namespace's history is complete."
)
@click.option("--lineage", is_flag=True, help="What each was made from, and whether those gates are open.")
@json_option
@command_body("provenance-oracle/show/v2")
def show(
    output: Output, what: str, rpc_url: str | None, registry_text: str | None, history: bool, lineage: bool
) -> None:
    """Show the records of a model: by model digest, manifest digest, the record id that a gate's error names, or name
    (namespace/model, or with @version).

    Exit codes: 0 if one of them is active, 6 if there is none, or all are FAILED, revoked, held or doubtful. Whether a
    dApp's gate is open is said of each: it is shut to simulated hardware too.

    \b
    Examples:
      provenance show acme/tiny-model --rpc URL --registry 0x...
      provenance show acme/tiny-model@1.0 --history --lineage --rpc URL --registry deployments/23294.json
    """
    from provenance_oracle.verifier.cli.describe_record import entry_json, entry_lines, gate_json, gate_line
    from provenance_oracle.verifier.registry.lookup import find_entries

    reader = registry_reader(rpc_url, registry_text)
    entries = find_entries(reader, what)
    gates = [entry.passed and reader.is_open(entry) for entry in entries]
    shown = list(zip(entries, gates, strict=True))
    body: dict[str, object] = {"entries": [entry_json(entry) | gate_json(entry, is_open) for entry, is_open in shown]}
    for entry, is_open in shown:
        output.text(what)
        for line in (*entry_lines(entry), gate_line(entry, is_open)):
            output.text(f"  {line}")
    if history:
        body |= _show_history(output, reader, entries)
    if lineage:
        body |= _show_lineage(output, reader, entries)
    refusals = [reader.refusal(entry) for entry in entries]
    output.answer(body, refusals[0] if all(refusals) else None)


def _show_history(output: Output, reader: RegistryReader, entries: tuple[Entry, ...]) -> dict[str, object]:
    from provenance_oracle.verifier.cli.describe_record import event_json, event_line, namespace_json, namespace_lines

    events = [event for entry in entries for event in reader.history(entry)]
    for event in events:
        output.text(event_line(event))
    namespaces = {name: reader.namespace(name) for name in sorted({entry.namespace for entry in entries})}
    for name, namespace in namespaces.items():
        for line in namespace_lines(name, namespace):
            output.text(line)
    claimed = [namespace_json(namespace) for namespace in namespaces.values() if namespace]
    return {"events": [event_json(event) for event in events], "namespaces": claimed}


def _show_lineage(output: Output, reader: RegistryReader, entries: tuple[Entry, ...]) -> dict[str, object]:
    from provenance_oracle.verifier.cli.describe_record import ancestor_json, ancestor_line
    from provenance_oracle.verifier.registry.lookup import find_ancestors

    shown: list[dict[str, object]] = []
    for entry in entries:
        if not entry.passed:
            continue
        ancestors = find_ancestors(reader, entry)
        output.text(f"lineage of {entry.name} {entry.version}: {len(ancestors)} recorded ancestors")
        for ancestor, known in ancestors:
            output.text(ancestor_line(ancestor, known))
        found = [ancestor_json(ancestor, known) for ancestor, known in ancestors]
        shown.append({"manifest_digest": entry.manifest_digest.hex(), "ancestors": found})
    return {"lineage": shown}


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
    """Put the files of a chain together: PEM blocks need a line end between them, DER needs nothing."""
    return b"".join(part if part.endswith(b"\n") or not part.startswith(b"-----") else part + b"\n" for part in parts)


def _unsafe_roots(path: Path | None) -> tuple[TrustedRoot, ...]:
    if path is None:
        return ()
    from provenance_oracle.verifier.snp.chain import unsafe_root

    return (unsafe_root(read_small(path), str(path)),)


def _accept(output: Output, claims: Claims) -> None:
    from provenance_oracle.verifier.cli.describe import root_note

    note = root_note(claims)
    output.text()
    output.text("accepted", color="green")
    if note:
        output.text(note, color="yellow")

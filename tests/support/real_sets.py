"""Evidence of real AMD hardware from the folder of vectors, and a function that judges it."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from provenance_oracle.verifier.snp.chain import verify_chain
from provenance_oracle.verifier.snp.endorsements import parse_endorsements
from provenance_oracle.verifier.snp.evidence import Evidence
from provenance_oracle.verifier.snp.products import AMD_ROOTS, ProductLine, TrustedRoot, line_of_cpuid
from provenance_oracle.verifier.snp.report import SigningKey, parse_report
from provenance_oracle.verifier.snp.signature import Claims, match_vek_to_report, verify_report_signature
from provenance_oracle.verifier.snp.tcb import parse_tcb
from tests.support.sample_claims import CLAIMS, TCB_FIELDS

_FIRST = (
    "genoa-v3-mstav-aci",
    "genoa-v3-trustee-azure-vtpm",
    "genoa-v5-lunal-SIENA-model-a0",
    "milan-v2-automata-gcp",
    "milan-v2-enarx-steward-IDBLOCK",
    "milan-v2-gosevguest-DEBUGPOLICY",
    "milan-v2-ms-sidecar-aci",
    "milan-v2-trustee-azure",
    "milan-v3-VLEK-trustee-aws",
    "milan-v3-dstack",
    "milan-v3-ms-sidecar",
    "milan-v3-mstav-aci",
    "milan-v3-oak-release",
    "milan-v3-oak-rk-release",
    "milan-v3-trustee-azure-vtpm-v1",
    "milan-v3-trustee-azure-vtpm-v2",
    "turin-v5-mstav-aci",
)
_SECOND = (
    "genoa-v3-openpcc-azure",
    "genoa-v3-scitt-aci",
    "genoa-v5-routex",
    "milan-v2-VLEK-anolis",
    "milan-v2-cmc",
    "milan-v3-cmcp-azure",
    "milan-v3-confai-azure",
    "milan-v3-scitt-aci",
    "turin-v5-anolis",
)
# The sets that tests know by name. Only `found_sets` also gives sets that were added later.
NAMES = _FIRST + _SECOND
CRLS = ("ARK-Genoa-crl2-2022", "ARK-Genoa-crl4-2024", "ARK-Milan-crl3-2022", "ARK-Milan-crl6-2025")
_FOLDERS = ("snp", "snp2")


@dataclass(frozen=True)
class RealSet:
    """One report with its certificates in DER, without a revocation list.

    All certificates are valid at the time `at`. `manifest` holds the fields that other tools read in the report.
    """

    evidence: Evidence
    intermediate: bytes
    ark: bytes
    at: datetime
    manifest: dict[str, Any]


def real_folder(vectors: Path, name: str) -> Path:
    """Return the folder of the set with this name, one of NAMES."""
    return vectors / _FOLDERS[name in _SECOND] / name


def vek_path(folder: Path) -> Path:
    """Return the path of the VCEK or VLEK of the set in a folder."""
    return next(path for path in (folder / "vcek.der", folder / "vlek.der") if path.exists())


def found_sets(vectors: Path) -> list[Path]:
    """Return the folders of all genuine sets there are, those of NAMES and any that were added later."""
    reports = [path for part in _FOLDERS for path in (vectors / part).glob("[!_]*/report.bin")]
    return sorted(path.parent for path in reports)


def real_certificates(vectors: Path) -> list[Path]:
    """Return the paths of all DER certificates: of the sets in NAMES, AMD's authorities, and two that are forged."""
    of_sets = [path for name in NAMES for path in sorted(real_folder(vectors, name).glob("*.der"))]
    others = [path for part in ("_anchors", "_negative") for path in sorted((vectors / "snp" / part).glob("*.der"))]
    return of_sets + others


def real_set(vectors: Path, name: str) -> RealSet:
    """Read the set with this name, one of NAMES."""
    return read_set(real_folder(vectors, name))


def read_set(folder: Path) -> RealSet:
    """Read the set in a folder."""
    manifest = json.loads((folder / "MANIFEST.json").read_text())
    vek, intermediate = ("vlek", "asvk") if manifest["signing_key"] == "VLEK" else ("vcek", "ask")
    of = {part: (folder / f"{part}.der").read_bytes() for part in (vek, intermediate, "ark")}
    return RealSet(
        evidence=Evidence((folder / "report.bin").read_bytes(), of[vek], of[intermediate] + of["ark"]),
        intermediate=of[intermediate],
        ark=of["ark"],
        at=datetime.fromisoformat(manifest["vek"]["not_before"]),
        manifest=manifest,
    )


# The certificates of AMD's intermediates, with the one that AMD revoked.
INTERMEDIATES = (
    *(f"{role}-{line}" for line in ("Milan", "Genoa", "Turin") for role in ("SEV", "SEV-VLEK")),
    "SEV-Genoa-REVOKED-serial131073",
)


def anchor(vectors: Path, name: str) -> bytes:
    """Return the DER of one of AMD's ARKs, ASKs or ASVKs."""
    return (vectors / "snp/_anchors" / f"{name}.der").read_bytes()


def crl(vectors: Path, name: str) -> bytes:
    """Return the DER of one of AMD's revocation lists, one of CRLS."""
    return crl_path(vectors, name).read_bytes()


def crl_path(vectors: Path, name: str) -> Path:
    """Return the path of one of AMD's revocation lists, one of CRLS. Those of `snp2` are the newer ones."""
    return vectors / _FOLDERS[name[-4:] > "2022"] / "_crls" / f"{name}.crl"


def claims_by_fields(folder: Path, **changes: Any) -> Claims:
    """Return the claims of a real report, as if its chain and signature had been verified with a current CRL."""
    report = parse_report((folder / "report.bin").read_bytes())
    line = line_of_cpuid(report.cpuid) if report.cpuid else ProductLine.MILAN
    assert line
    is_vlek = report.signing_key is SigningKey.VLEK
    tcbs: dict[str, Any] = {name: parse_tcb(getattr(report, name), line, name) for name in TCB_FIELDS}
    given = {
        "report": report,
        "line": line,
        "cpuid": report.cpuid,
        **tcbs,
        "vek_kind": report.signing_key,
        "csp_id": "CN=cc-us-east-2.amazonaws.com" if is_vlek else None,
        "chip_id": None if is_vlek else report.chip_id,
    }
    return replace(CLAIMS, **(given | changes))


def judge(evidence: Evidence, at: datetime, roots: tuple[TrustedRoot, ...] = AMD_ROOTS) -> Claims:
    """Verify evidence and return its claims, as `verifier.judgement.appraise` does, but without a policy."""
    endorsements = parse_endorsements(evidence.vek, evidence.chain, evidence.crl)
    chain = verify_chain(endorsements, roots=roots, at=at)
    return verify_report_signature(match_vek_to_report(chain, parse_report(evidence.report)))

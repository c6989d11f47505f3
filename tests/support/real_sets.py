"""Evidence of real AMD hardware from the folder of vectors, and a function that judges it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from provenance_oracle.verifier.snp.chain import verify_chain
from provenance_oracle.verifier.snp.endorsements import parse_endorsements
from provenance_oracle.verifier.snp.evidence import Evidence
from provenance_oracle.verifier.snp.products import AMD_ROOTS, TrustedRoot
from provenance_oracle.verifier.snp.report import parse_report
from provenance_oracle.verifier.snp.signature import Claims, match_vek_to_report, verify_report_signature

NAMES = (
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


def real_set(vectors: Path, name: str) -> RealSet:
    """Read the set with this name, one of NAMES."""
    folder = vectors / "snp" / name
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


def anchor(vectors: Path, name: str) -> bytes:
    """Return the DER of one of AMD's ARKs, ASKs or ASVKs."""
    return (vectors / "snp/_anchors" / f"{name}.der").read_bytes()


def crl(vectors: Path, name: str) -> bytes:
    """Return the DER of one of AMD's revocation lists."""
    return (vectors / "snp/_crls" / f"{name}.crl").read_bytes()


def judge(evidence: Evidence, at: datetime, roots: tuple[TrustedRoot, ...] = AMD_ROOTS) -> Claims:
    """Verify evidence and return its claims, as `verifier.judgement.appraise` does, but without a policy."""
    endorsements = parse_endorsements(evidence.vek, evidence.chain, evidence.crl)
    chain = verify_chain(endorsements, roots=roots, at=at)
    return verify_report_signature(match_vek_to_report(chain, parse_report(evidence.report)))

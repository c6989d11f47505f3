"""Tests of `provenance report` on real evidence."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from provenance_oracle.oracle.cli.main import main
from provenance_oracle.publisher.simulator import FakeAmd, FakeGuest
from provenance_oracle.verifier.snp.products import ProductLine
from tests.support.real_sets import NAMES, crl_path, real_folder, vek_path


def _report(folder: Path, *options: str, vek: Path | None = None, chain: list[Path] | None = None) -> tuple[int, Any]:
    """Run the command on a set; return exit code and JSON document."""
    found_vek = vek or vek_path(folder)
    issuer = next(path for path in (folder / "ask.der", folder / "asvk.der") if path.exists())
    parts = [argument for path in chain or [issuer, folder / "ark.der"] for argument in ("--chain", str(path))]
    arguments = ["report", str(folder / "report.bin"), "--vek", str(found_vek), *parts, *options, "--json"]
    result = CliRunner().invoke(main, arguments)
    assert "Traceback" not in result.output
    return result.exit_code, json.loads(result.stdout)


def _fitting_time(folder: Path) -> str:
    return str(json.loads((folder / "MANIFEST.json").read_text())["vek"]["not_before"]).replace(" ", "T")


def _outcomes(document: Any) -> dict[str, str]:
    return {finding["check"]: finding["outcome"] for finding in document["findings"]}


@pytest.mark.parametrize("name", NAMES)
def test_genuine_evidence_is_accepted_at_a_fitting_time(vectors: Path, name: str) -> None:
    folder = real_folder(vectors, name)
    exit_code, document = _report(folder, "--policy", "unsafe-any", "--at", _fitting_time(folder))
    assert (exit_code, document["accepted"], document["grade"]) == (0, True, 0)
    assert document["claims"]["root"] == "amd"
    assert "failed" not in _outcomes(document).values()


def test_a_debug_guest_is_genuine_and_refused(vectors: Path) -> None:
    folder = vectors / "snp" / "milan-v2-gosevguest-DEBUGPOLICY"
    exit_code, document = _report(folder, "--policy", "baseline", "--at", _fitting_time(folder))
    assert exit_code == 5
    assert _outcomes(document)["guest-policy"] == "failed"
    assert _outcomes(document)["report-signature"] == "passed"


def test_a_revoked_intermediate_is_refused(vectors: Path, tmp_path: Path) -> None:
    """No VEK under the revoked ASK is known. The chain is judged from the root down, so it is refused as revoked."""
    snp = vectors / "snp"
    revoked, crl = snp / "_anchors" / "SEV-Genoa-REVOKED-serial131073.der", snp / "_crls" / "ARK-Genoa-crl2-2022.crl"
    folder = snp / "genoa-v3-mstav-aci"
    options = ("--crl", str(crl), "--policy", "unsafe-any", "--at", "2023-06-01")
    exit_code, document = _report(folder, *options, chain=[revoked, folder / "ark.der"])
    assert (exit_code, document["error"]["check"]) == (4, "vek-revocation")
    # a revoked key stays revoked when the list is old
    later = ("--crl", str(crl), "--policy", "unsafe-any", "--at", "2026-06-01")
    assert _report(folder, *later, chain=[revoked, folder / "ark.der"])[1]["error"]["check"] == "vek-revocation"


def test_an_expired_vlek_is_refused_today_and_accepted_in_its_time(vectors: Path) -> None:
    folder = vectors / "snp" / "milan-v3-VLEK-trustee-aws"
    exit_code, document = _report(folder, "--policy", "unsafe-any", "--at", "2026-11-21")
    assert (exit_code, document["error"]["check"]) == (4, "vek-validity")
    assert _report(folder, "--policy", "unsafe-any", "--at", "2025-12-10T22:14:21Z")[0] == 0
    assert _report(folder, "--policy", "unsafe-any", "--at", "2025-12-10T22:14:22Z")[0] == 4


@pytest.mark.parametrize(
    ("name", "crl", "at"),
    [
        ("genoa-v3-scitt-aci", "ARK-Genoa-crl4-2024", "2025-07-01"),
        ("milan-v3-scitt-aci", "ARK-Milan-crl6-2025", "2025-06-15"),
    ],
)
def test_genuine_evidence_with_a_current_list_has_grade_1(vectors: Path, name: str, crl: str, at: str) -> None:
    options = ("--crl", str(crl_path(vectors, crl)), "--policy", "baseline", "--at", at)
    exit_code, document = _report(real_folder(vectors, name), *options)
    assert (exit_code, document["accepted"], document["grade"]) == (0, True, 1)
    assert _outcomes(document)["vek-revocation"] == "passed"


@pytest.mark.parametrize("name", ["test-vcek-invalid-legacy.der", "test-vcek-invalid-new.der"])
def test_negative_certificates_are_refused(vectors: Path, name: str) -> None:
    folder = vectors / "snp" / "milan-v2-trustee-azure"
    exit_code, document = _report(folder, "--policy", "unsafe-any", vek=vectors / "snp" / "_negative" / name)
    assert exit_code in (3, 4)
    assert document["accepted"] is False


def test_a_missing_revocation_list_is_no_verdict(vectors: Path) -> None:
    """Everything else passes under `baseline`, so the answer is "try again", neither yes nor no."""
    folder = vectors / "snp" / "genoa-v3-mstav-aci"
    exit_code, document = _report(folder, "--policy", "baseline", "--at", _fitting_time(folder))
    assert (exit_code, document["error"]["class"]) == (7, "CrlUnavailableError")
    old = ("--crl", str(vectors / "snp" / "_crls" / "ARK-Genoa-crl2-2022.crl"))
    exit_code, document = _report(folder, *old, "--policy", "baseline", "--at", _fitting_time(folder))
    assert (exit_code, document["error"]["class"]) == (7, "CrlStaleError")


def test_an_unsafe_root_marks_what_follows(vectors: Path) -> None:
    folder = vectors / "snp" / "turin-v5-mstav-aci"
    options = ("--policy", "demo", "--at", _fitting_time(folder))
    assert _report(folder, *options)[1]["error"]["check"] == "vek-chain"
    options = ("--policy", "unsafe-any", "--at", _fitting_time(folder), "--unsafe-root", str(folder / "ark.der"))
    # AMD's own root is named as AMD's, even if the policy allows others
    assert _report(folder, *options)[1]["claims"]["root"] == "amd"


def test_simulated_evidence_is_named_in_text_and_json(tmp_path: Path) -> None:
    """Without --policy demo the refusal says that the evidence is simulated, and which policy accepts it."""
    at = datetime(2026, 11, 21, tzinfo=UTC)
    evidence = FakeGuest.on(FakeAmd.load(ProductLine.GENOA), at=at).evidence(bytes(range(64)))
    for name, data in (("report.bin", evidence.report), ("vcek.der", evidence.vek), ("chain.pem", evidence.chain)):
        (tmp_path / name).write_bytes(data)
    arguments = [str(tmp_path / "report.bin"), "--vek", str(tmp_path / "vcek.der"), "--at", "2026-11-21"]
    arguments += ["--chain", str(tmp_path / "chain.pem")]
    line = "this evidence is SIMULATED; --policy demo accepts it"
    for policy in ("baseline", "strict", "unsafe-any"):
        result = CliRunner().invoke(main, ["report", *arguments, "--policy", policy])
        assert (result.exit_code, line in result.output) == (4, True)
    document = json.loads(CliRunner().invoke(main, ["report", *arguments, "--json"]).stdout)
    assert line in document["error"]["message"]


@pytest.mark.parametrize("at", ["today", "2026-13-01", "2026-11-21T10:00:00"])
def test_a_moment_that_is_none_is_a_usage_error(vectors: Path, at: str) -> None:
    assert _report(vectors / "snp" / "milan-v3-dstack", "--at", at)[0] == 2


def test_a_missing_file_is_a_usage_error(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["report", str(tmp_path / "no"), "--vek", "x", "--chain", "y"])
    assert result.exit_code == 2
    assert "no" in result.output

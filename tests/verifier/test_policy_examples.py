"""The example policies for clouds, run over the genuine evidence of each cloud."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from provenance_oracle.oracle.cli.main import main
from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.policy import SHIPPED_POLICIES, load_policy
from provenance_oracle.verifier.snp.report import parse_report
from tests.support.policy_pages import POLICIES, edited
from tests.support.real_sets import claims_by_fields, crl_path, real_folder, vek_path
from tests.support.sample_claims import failures

EXAMPLES = POLICIES / "examples"
AWS, AZURE, GCP = (load_policy(EXAMPLES / f"{name}.yaml") for name in ("aws", "azure", "gcp"))

# A moment at which the certificates of the sets and AMD's list for the line are valid together.
_MILAN, _GENOA = ("ARK-Milan-crl6-2025", "2025-10-01"), ("ARK-Genoa-crl4-2024", "2025-07-01")
AZURE_SETS = {
    "genoa-v3-openpcc-azure": _GENOA,
    "genoa-v3-scitt-aci": _GENOA,
    "genoa-v3-trustee-azure-vtpm": _GENOA,
    "milan-v3-confai-azure": _MILAN,
    "milan-v3-ms-sidecar": _MILAN,
    "milan-v3-mstav-aci": ("ARK-Milan-crl6-2025", "2026-03-01"),
    "milan-v3-scitt-aci": _MILAN,
    "milan-v3-trustee-azure-vtpm-v1": _MILAN,
    "milan-v3-trustee-azure-vtpm-v2": _MILAN,
}
OLD = {Check.REPORT_FORMAT, Check.PLATFORM_INFO, Check.TCB_FLOOR}


def _report(vectors: Path, name: str, crl: str, at: str, policy: Path | str, *options: str) -> tuple[int, str]:
    """Run `provenance report` on a genuine set with one of AMD's lists; return exit code and output."""
    folder = real_folder(vectors, name)
    issuer = next(path for path in (folder / "ask.der", folder / "asvk.der") if path.exists())
    arguments = ["report", str(folder / "report.bin"), "--vek", str(vek_path(folder)), "--chain", str(issuer)]
    arguments += ["--chain", str(folder / "ark.der"), "--crl", str(crl_path(vectors, crl))]
    result = CliRunner().invoke(main, [*arguments, "--policy", str(policy), "--at", at, *options])
    return result.exit_code, result.output


def test_every_example_is_tested() -> None:
    assert {path.name for path in EXAMPLES.iterdir()} == {f"{policy.name}.yaml" for policy in (AWS, AZURE, GCP)}
    assert not {policy.name for policy in (AWS, AZURE, GCP)} & set(SHIPPED_POLICIES)


@pytest.mark.parametrize("name", AZURE_SETS)
def test_azure_is_accepted_with_grade_1(vectors: Path, name: str) -> None:
    exit_code, output = _report(vectors, name, *AZURE_SETS[name], EXAMPLES / "azure.yaml", "--json")
    assert exit_code == 0, output
    document = json.loads(output)
    assert (document["accepted"], document["grade"]) == (True, 1)


def test_azure_by_its_fields_and_of_old(vectors: Path) -> None:
    """For three sets there is no list of their line and time, so their fields are compared. Version 2 is too old."""
    for name in ("turin-v5-mstav-aci", "genoa-v3-mstav-aci", "milan-v3-cmcp-azure"):
        assert not failures(claims_by_fields(real_folder(vectors, name)), AZURE)
    for name in ("milan-v2-ms-sidecar-aci", "milan-v2-trustee-azure"):
        assert OLD <= set(failures(claims_by_fields(real_folder(vectors, name)), AZURE)) <= OLD | {Check.ID_KEY}


def test_azure_refuses_a_launch_that_microsoft_did_not_sign(vectors: Path) -> None:
    """The set has the firmware of Azure's hosts, but no id key."""
    assert set(failures(claims_by_fields(real_folder(vectors, "milan-v3-oak-release")), AZURE)) == {
        Check.ID_KEY,
        Check.GUEST_POLICY,
    }


def test_aws_is_accepted_and_not_graded(vectors: Path) -> None:
    exit_code, output = _report(vectors, "milan-v3-VLEK-trustee-aws", *_MILAN, EXAMPLES / "aws.yaml")
    assert exit_code == 0, output
    assert "grade            0 (not graded: VLEK, which proves a cloud provider and no chip)" in output


def test_aws_refuses_old_firmware_and_other_providers(vectors: Path) -> None:
    old = claims_by_fields(real_folder(vectors, "milan-v2-VLEK-anolis"))
    assert set(failures(old, AWS)) == OLD
    good = real_folder(vectors, "milan-v3-VLEK-trustee-aws")
    assert set(failures(claims_by_fields(good, csp_id="CN=another.example"), AWS)) == {Check.CHIP_ALLOW_LIST}
    assert set(failures(claims_by_fields(real_folder(vectors, "milan-v3-mstav-aci")), AWS)) == {Check.VEK_MATCH}


def test_gcp_is_accepted_by_its_fields(vectors: Path) -> None:
    """The VCEK of the newer report is not public, so its signature cannot be verified. The older one is too old."""
    newer = claims_by_fields(vectors / "snp2" / "_no-vek" / "milan-v4-openpcc")
    assert newer.report.version == 4
    assert not failures(newer, GCP)
    assert set(failures(newer, load_policy("baseline"))) == {Check.REPORT_FORMAT}
    assert set(failures(claims_by_fields(real_folder(vectors, "milan-v2-automata-gcp")), GCP)) == OLD


def test_a_graded_policy_that_takes_a_vlek_says_why_there_is_no_grade(vectors: Path, tmp_path: Path) -> None:
    page = (EXAMPLES / "aws.yaml").read_text().replace("graded: false", "graded: true")
    (tmp_path / "own.yaml").write_text(page.replace("name: aws", "name: own"))
    exit_code, output = _report(vectors, "milan-v3-VLEK-trustee-aws", *_MILAN, tmp_path / "own.yaml")
    assert exit_code == 0, output
    assert "0 (not graded: VLEK, which proves a cloud provider and no chip)" in output
    assert "nothing required" not in output


_LENIENT = (
    ("report_versions: [3, 5]", "report_versions: [2, 3, 5]"),
    ("alias_check_complete: required", "alias_check_complete: any"),
    ("snp: 24, microcode: 219", "snp: 6, microcode: 67"),
    ("snp: 24, microcode: 68", "snp: 6, microcode: 67"),
    ("bootloader: 4", "bootloader: 2"),
    ("bootloader: 4", "bootloader: 2"),
)


@pytest.mark.parametrize(
    ("name", "changes", "words"),
    [
        ("milan-v3-ms-sidecar", (), "1 (baseline)"),
        ("milan-v3-ms-sidecar", _LENIENT, "1 (baseline)"),
        ("milan-v3-ms-sidecar", (("graded: true", "graded: false"),), "0 (not graded: policy own gives no grade)"),
        ("milan-v2-automata-gcp", _LENIENT, "0 (not graded: meets own, but neither baseline nor strict)"),
    ],
)
def test_every_grade_has_its_reason(
    vectors: Path, tmp_path: Path, name: str, changes: tuple[tuple[str, str], ...], words: str
) -> None:
    page = (POLICIES / "baseline.yaml").read_text().replace("name: baseline", "name: own")
    for old, new in changes:
        page = edited(old, new, page)
    (tmp_path / "own.yaml").write_text(page)
    exit_code, output = _report(vectors, name, *_MILAN, tmp_path / "own.yaml")
    assert exit_code == 0, output
    assert words in output


def test_a_copy_of_an_example_can_be_used_as_it_is(vectors: Path, tmp_path: Path) -> None:
    """An example is no shipped policy: a changed copy may keep its name."""
    shutil.copy(EXAMPLES / "gcp.yaml", tmp_path / "mine.yaml")
    assert load_policy(tmp_path / "mine.yaml").digest == GCP.digest
    assert parse_report((real_folder(vectors, "milan-v2-automata-gcp") / "report.bin").read_bytes()).version == 2

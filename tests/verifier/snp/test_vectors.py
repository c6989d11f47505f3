"""Tests of real evidence: every genuine set is accepted while it is valid, and nothing that differs from it is."""

from __future__ import annotations

import re
import ssl
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.errors import FormatError, ProvenanceError, VerificationError
from provenance_oracle.verifier.snp.chain import RevocationStatus
from provenance_oracle.verifier.snp.crl import parse_crl
from provenance_oracle.verifier.snp.evidence import Evidence
from provenance_oracle.verifier.snp.products import AMD_ROOTS, SIMULATOR_ROOTS, RootKind
from provenance_oracle.verifier.snp.report import SigningKey
from provenance_oracle.verifier.snp.signature import Claims
from provenance_oracle.verifier.snp.tcb import Tcb
from tests.support.real_sets import NAMES, RealSet, anchor, crl, found_sets, judge, read_set, real_set

_SECOND = timedelta(seconds=1)
_CRL_AT = datetime(2023, 6, 1, tzinfo=UTC)


@pytest.mark.parametrize("name", NAMES)
def test_a_genuine_set_is_accepted_in_its_time(vectors: Path, name: str) -> None:
    real = real_set(vectors, name)
    claims = judge(real.evidence, real.at)
    assert claims.root_kind is RootKind.AMD
    assert claims.revocation is RevocationStatus.UNAVAILABLE
    _assert_says_what_others_read(claims, real)


def test_a_set_that_was_added_later_is_judged_too(vectors: Path) -> None:
    """Every set that is found, whether tests know its name or not, is accepted in its time."""
    folders = found_sets(vectors)
    assert {folder.name for folder in folders} >= set(NAMES)
    for real in map(read_set, folders):
        assert judge(real.evidence, real.at).root_kind is RootKind.AMD


def test_only_one_module_lists_the_folder_of_vectors() -> None:
    """A test that lists the folder itself breaks when a set is added to it."""
    here = Path(__file__).resolve().parents[2]
    lists = re.compile(r"vectors[^\n]*\.(glob|rglob|iterdir|walk)\(")
    found = {str(path.relative_to(here)) for path in here.rglob("*.py") if lists.search(path.read_text())}
    assert found == {"support/real_sets.py"}


_OUTSIDE_THE_WINDOW = {
    "genoa-v3-mstav-aci",
    "genoa-v5-lunal-SIENA-model-a0",
    "genoa-v5-routex",
    "milan-v2-VLEK-anolis",
    "milan-v3-cmcp-azure",
    "milan-v3-dstack",
}


@pytest.mark.parametrize("name", [name for name in NAMES if not name.startswith("turin")])
def test_a_genuine_set_is_not_revoked_by_the_newer_lists(vectors: Path, name: str) -> None:
    """AMD issued some VCEKs after the end of the list's window, and one VLEK ended before: there it is out of date."""
    real = real_set(vectors, name)
    lists = {"Milan": "ARK-Milan-crl6-2025", "Genoa": "ARK-Genoa-crl4-2024"}
    newer = parse_crl(crl(vectors, lists[real.manifest["product"]]), "crl")
    at = max(real.at, newer.this_update)
    if at > datetime.fromisoformat(real.manifest["vek"]["not_after"]):
        at = real.at
    wanted = RevocationStatus.STALE if name in _OUTSIDE_THE_WINDOW else RevocationStatus.NOT_REVOKED
    assert judge(replace(real.evidence, crl=newer.der), at).revocation is wanted


def _assert_says_what_others_read(claims: Claims, real: RealSet) -> None:
    manifest, fields, report = real.manifest, real.manifest["fields"], claims.report
    assert (str(claims.line), report.version) == (manifest["product"], manifest["report_version"])
    assert claims.vek_kind is SigningKey[manifest["signing_key"]]
    assert claims.csp_id == manifest["vek"]["csp_id"]
    for name in ("current_tcb", "reported_tcb", "committed_tcb", "launch_tcb"):
        assert getattr(claims, name) == _tcb(fields[name])
    for name in ("policy", "platform_info"):
        assert getattr(report, name) == int(fields[name], 16)
    # the manifests of `snp2` leave out these fields
    of_snp2 = "signed_sha256" in manifest
    assert fields.keys() >= ({"vmpl"} if of_snp2 else {"vmpl", "guest_svn", "author_key_en", "report_id_ma"})
    for name in {"vmpl", "guest_svn", "author_key_en"} & fields.keys():
        assert getattr(report, name) == fields[name]
    if of_snp2:
        assert report.digest.hex() == manifest["signed_sha256"]
    else:
        assert report.report_id_ma.hex() == fields["report_id_ma"]
    for name in ("chip_id", "measurement", "report_data", "host_data", "id_key_digest", "author_key_digest"):
        assert getattr(report, name).hex() == fields[name]
    assert f"{report.current_major}.{report.current_minor}.{report.current_build}" == fields["current_version"]
    assert f"{report.committed_major}.{report.committed_minor}.{report.committed_build}" == fields["committed_version"]
    assert (report.current_mit_vector or 0) == int(fields["current_mit_vector"], 16)
    assert (report.launch_mit_vector or 0) == int(fields["launch_mit_vector"], 16)


def _tcb(fields: dict[str, int]) -> Tcb:
    return Tcb(fields["bl"], fields["tee"], fields["snp"], fields["ucode"], fields.get("fmc"))


@pytest.mark.parametrize("name", ["milan-v2-automata-gcp", "milan-v3-VLEK-trustee-aws", "turin-v5-mstav-aci"])
def test_pem_der_and_either_order_say_the_same(vectors: Path, name: str) -> None:
    real = real_set(vectors, name)
    wanted = judge(real.evidence, real.at)
    pems = [ssl.DER_cert_to_PEM_cert(der).encode() for der in (real.intermediate, real.ark)]
    chains = (real.ark + real.intermediate, b"".join(pems), b"".join(reversed(pems)), b"\n".join(pems))
    for chain in (*chains, *(c.replace(b"\n", b"\r\n") for c in chains[1:])):
        assert judge(replace(real.evidence, chain=chain), real.at) == wanted
    pem_vek = ssl.DER_cert_to_PEM_cert(real.evidence.vek).encode()
    for vek in (pem_vek, pem_vek.rstrip(b"\n")):
        assert judge(replace(real.evidence, vek=vek), real.at) == wanted


def test_no_report_goes_with_the_certificate_of_another(vectors: Path) -> None:
    sets = {name: real_set(vectors, name) for name in NAMES}
    for name, report_of in sets.items():
        for other, endorsed_by in sets.items():
            # both Azure reports of Milan come from one chip, under one certificate
            if endorsed_by.evidence.vek != report_of.evidence.vek:
                mixed = replace(endorsed_by.evidence, report=report_of.evidence.report)
                checks = {Check.PRODUCT_LINE, Check.VEK_MATCH}
                one_kind = report_of.manifest["signing_key"] == endorsed_by.manifest["signing_key"]
                if one_kind and (report_of.manifest["report_version"], endorsed_by.manifest["product"]) == (2, "Turin"):
                    # version 2 has no CPUID to show another line, but the TCB layout does
                    checks = {Check.REPORT_FORMAT}
                _refused(mixed, endorsed_by.at, checks, f"{name} with {other}")


def test_no_chain_goes_under_another_root_or_over_another_line(vectors: Path) -> None:
    milan, genoa = real_set(vectors, "milan-v3-dstack"), real_set(vectors, "genoa-v3-mstav-aci")
    at = max(milan.at, genoa.at)
    for chain in (genoa.evidence.chain, genoa.intermediate + milan.ark, milan.intermediate + genoa.ark):
        _refused(replace(milan.evidence, chain=chain), at, {Check.VEK_CHAIN})
    for roots in ((), SIMULATOR_ROOTS, tuple(r for r in AMD_ROOTS if r.line != "Milan")):
        with pytest.raises(VerificationError) as caught:
            judge(milan.evidence, at, roots)
        assert caught.value.check is Check.VEK_CHAIN


@pytest.mark.parametrize("kind", ["VCEK", "VLEK"])
def test_vcek_under_asvk_and_vlek_under_ask_are_refused(vectors: Path, kind: str) -> None:
    real = real_set(vectors, {"VCEK": "milan-v3-dstack", "VLEK": "milan-v3-VLEK-trustee-aws"}[kind])
    other = anchor(vectors, {"VCEK": "SEV-VLEK-Milan", "VLEK": "SEV-Milan"}[kind])
    _refused(replace(real.evidence, chain=other + real.ark), real.at, {Check.VEK_CHAIN})


@pytest.mark.parametrize("name", ["test-vcek-invalid-legacy", "test-vcek-invalid-new"])
def test_negative_certificates_are_refused(vectors: Path, name: str) -> None:
    vek = (vectors / "snp/_negative" / f"{name}.der").read_bytes()
    for real in (real_set(vectors, genuine) for genuine in NAMES if genuine.startswith("milan")):
        evidence = replace(real.evidence, vek=vek)
        check = {"test-vcek-invalid-legacy": Check.VEK_CHAIN, "test-vcek-invalid-new": Check.ENDORSEMENTS_FORMAT}[name]
        _refused(evidence, real.at, {check})


def test_a_revoked_ask_is_refused_whatever_is_under_it(vectors: Path) -> None:
    real = real_set(vectors, "genoa-v3-mstav-aci")
    revoked = anchor(vectors, "SEV-Genoa-REVOKED-serial131073") + real.ark
    evidence = replace(real.evidence, chain=revoked, crl=crl(vectors, "ARK-Genoa-crl2-2022"))
    # before, in and after the list's window: the age of the list does not undo the revocation
    for at in (_CRL_AT.replace(year=2022, month=6), _CRL_AT, _CRL_AT.replace(year=2026)):
        _refused(evidence, at, {Check.VEK_REVOCATION})
    # without the list the revocation is unknown, but this ASK did not sign the VEK
    _refused(replace(evidence, crl=None), real.at, {Check.VEK_CHAIN})


def test_the_ask_in_use_is_not_on_the_list(vectors: Path) -> None:
    real = real_set(vectors, "genoa-v3-mstav-aci")
    evidence = replace(real.evidence, crl=crl(vectors, "ARK-Genoa-crl2-2022"))
    # no real VCEK of that time is known, so the judgement ends one step later: the VCEK is not valid yet
    _refused(evidence, _CRL_AT, {Check.VEK_VALIDITY})
    assert judge(evidence, real.at).revocation is RevocationStatus.STALE


def test_a_real_list_in_its_window_answers(vectors: Path) -> None:
    real = real_set(vectors, "milan-v2-enarx-steward-IDBLOCK")
    evidence = replace(real.evidence, crl=crl(vectors, "ARK-Milan-crl3-2022"))
    last = datetime(2023, 5, 9, 23, tzinfo=UTC)
    for at in (real.at, last):
        assert judge(evidence, at).revocation is RevocationStatus.NOT_REVOKED
    assert judge(evidence, last + _SECOND).revocation is RevocationStatus.STALE
    # the list of another line does not cover this one
    _refused(replace(evidence, crl=crl(vectors, "ARK-Genoa-crl2-2022")), real.at, {Check.VEK_REVOCATION})


@pytest.mark.parametrize("name", ["milan-v3-VLEK-trustee-aws", "turin-v5-mstav-aci"])
def test_a_vek_is_good_to_the_second(vectors: Path, name: str) -> None:
    real = real_set(vectors, name)
    last = datetime.fromisoformat(real.manifest["vek"]["not_after"])
    for at in (real.at, last):
        judge(real.evidence, at)
    for at in (real.at - _SECOND, last + _SECOND, last + _SECOND / 2):
        _refused(real.evidence, at, {Check.VEK_VALIDITY})


def test_the_vlek_of_2025_has_expired(vectors: Path) -> None:
    real = real_set(vectors, "milan-v3-VLEK-trustee-aws")
    _refused(real.evidence, datetime(2026, 11, 21, tzinfo=UTC), {Check.VEK_VALIDITY})


def _refused(evidence: Evidence, at: datetime, checks: set[Check], what: str = "") -> None:
    with pytest.raises(ProvenanceError) as caught:
        judge(evidence, at)
    assert isinstance(caught.value, FormatError | VerificationError), what
    assert caught.value.check in checks, what

"""Tests of real evidence: every genuine set is accepted while it is valid, and nothing that differs from it is."""

from __future__ import annotations

import ssl
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.errors import FormatError, ProvenanceError, VerificationError
from provenance_oracle.verifier.snp.chain import RevocationStatus
from provenance_oracle.verifier.snp.evidence import Evidence
from provenance_oracle.verifier.snp.products import AMD_ROOTS, SIMULATOR_ROOTS, RootKind
from provenance_oracle.verifier.snp.report import SigningKey
from provenance_oracle.verifier.snp.signature import Claims
from provenance_oracle.verifier.snp.tcb import Tcb
from tests.support.real_sets import NAMES, RealSet, anchor, crl, judge, real_set

_SECOND = timedelta(seconds=1)
_CRL_AT = datetime(2023, 6, 1, tzinfo=UTC)


@pytest.mark.parametrize("name", NAMES)
def test_a_genuine_set_is_accepted_in_its_time(vectors: Path, name: str) -> None:
    real = real_set(vectors, name)
    claims = judge(real.evidence, real.at)
    assert claims.root_kind is RootKind.AMD
    assert claims.revocation is RevocationStatus.UNAVAILABLE
    _assert_says_what_others_read(claims, real)


def _assert_says_what_others_read(claims: Claims, real: RealSet) -> None:
    manifest, fields, report = real.manifest, real.manifest["fields"], claims.report
    assert (str(claims.line), report.version) == (manifest["product"], manifest["report_version"])
    assert claims.vek_kind is SigningKey[manifest["signing_key"]]
    assert claims.csp_id == manifest["vek"]["csp_id"]
    for name in ("current_tcb", "reported_tcb", "committed_tcb", "launch_tcb"):
        assert getattr(claims, name) == _tcb(fields[name])
    for name in ("policy", "platform_info"):
        assert getattr(report, name) == int(fields[name], 16)
    for name in ("vmpl", "guest_svn", "author_key_en"):
        assert getattr(report, name) == fields[name]
    for name in ("chip_id", "measurement", "report_data", "host_data", "id_key_digest", "author_key_digest"):
        assert getattr(report, name).hex() == fields[name]
    assert report.report_id_ma.hex() == fields["report_id_ma"]
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
                if (report_of.manifest["report_version"], endorsed_by.manifest["product"]) == (2, "Turin"):
                    checks = {
                        Check.REPORT_FORMAT
                    }  # version 2 has no CPUID to show another line, but the TCB layout does
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

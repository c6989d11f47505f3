"""Tests of reports against their VEKs: real pairs with one change, and simulated pairs whose signature must verify."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provenance_oracle.publisher.simulator import FakeAmd, FakeGuest
from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.errors import FormatError, VerificationError
from provenance_oracle.verifier.snp.chain import VerifiedChain, verify_chain
from provenance_oracle.verifier.snp.endorsements import VekCertificate, parse_endorsements
from provenance_oracle.verifier.snp.products import (
    AMD_ROOTS,
    SIMULATOR_ROOTS,
    Cpuid,
    ProductLine,
    describe_cpuid,
    line_of_cpuid,
)
from provenance_oracle.verifier.snp.report import Report, SigningKey, parse_report
from provenance_oracle.verifier.snp.signature import match_vek_to_report, verify_report_signature
from provenance_oracle.verifier.snp.tcb import TCB_LAYOUTS
from tests.support.real_sets import NAMES, judge, real_set

_AT = datetime(2026, 11, 21, 12, tzinfo=UTC)
_MILAN_V2, _GENOA, _TURIN = "milan-v2-automata-gcp", "genoa-v5-lunal-SIENA-model-a0", "turin-v5-mstav-aci"
_VLEK = "milan-v3-VLEK-trustee-aws"
_ONE_OF_EACH = (_MILAN_V2, _GENOA, _TURIN, _VLEK)
_GUESTS = {line: FakeGuest.on(FakeAmd.load(line), at=_AT) for line in ProductLine}


def _real(vectors: Path, name: str) -> tuple[VerifiedChain, Report]:
    real = real_set(vectors, name)
    endorsements = parse_endorsements(real.evidence.vek, real.evidence.chain, None)
    return verify_chain(endorsements, roots=AMD_ROOTS, at=real.at), parse_report(real.evidence.report)


def _with_vek(chain: VerifiedChain, **changes: Any) -> VerifiedChain:
    vek: VekCertificate = replace(chain.endorsements.vek, **changes)
    return replace(chain, endorsements=replace(chain.endorsements, vek=vek))


def _refused(chain: VerifiedChain, report: Report, check: Check, said: str) -> None:
    with pytest.raises(VerificationError) as caught:
        verify_report_signature(match_vek_to_report(chain, report))
    assert caught.value.check is check
    assert said in str(caught.value)


@pytest.mark.parametrize("name", NAMES)
def test_claims_of_a_real_pair(vectors: Path, name: str) -> None:
    chain, report = _real(vectors, name)
    matched = match_vek_to_report(chain, report)
    claims = verify_report_signature(matched)
    assert (matched.chip_id_masked, claims.report, claims.at) == (False, report, chain.at)
    assert claims.cpuid == report.cpuid
    assert (claims.cpuid is None) is (report.version == 2)
    assert (claims.chip_id is None) is (claims.vek_kind is SigningKey.VLEK)


@pytest.mark.parametrize("name", _ONE_OF_EACH)
def test_every_component_of_the_tcb_is_compared(vectors: Path, name: str) -> None:
    chain, report = _real(vectors, name)
    tcb = dict(chain.endorsements.vek.tcb)
    assert tcb.keys() == TCB_LAYOUTS[chain.line].keys()
    for component, value in tcb.items():
        for other in (tcb | {component: (value + 1) % 256}, {k: v for k, v in tcb.items() if k != component}):
            _refused(_with_vek(chain, tcb=MappingProxyType(other)), report, Check.VEK_MATCH, "reported TCB")
    for component in {"fmc"} - tcb.keys():
        _refused(_with_vek(chain, tcb=tcb | {component: 0}), report, Check.VEK_MATCH, "reported TCB")


@pytest.mark.parametrize("name", [_MILAN_V2, _GENOA, _TURIN])
def test_every_byte_of_the_chip_id_is_compared(vectors: Path, name: str) -> None:
    chain, report = _real(vectors, name)
    for at in range(64):
        other = report.chip_id[:at] + bytes([report.chip_id[at] ^ 1]) + report.chip_id[at + 1 :]
        _refused(chain, replace(report, chip_id=other), Check.VEK_MATCH, "chip id")
    matched = match_vek_to_report(chain, replace(report, chip_id=bytes(64)))
    assert matched.chip_id_masked


def test_a_vlek_names_no_chip(vectors: Path) -> None:
    chain, report = _real(vectors, _VLEK)
    assert not match_vek_to_report(chain, report).chip_id_masked
    _refused(chain, replace(report, chip_id=bytes(63) + b"\1"), Check.VEK_MATCH, "chip id")


@pytest.mark.parametrize("name", _ONE_OF_EACH)
def test_the_kind_of_key_is_compared(vectors: Path, name: str) -> None:
    chain, report = _real(vectors, name)
    other = SigningKey(1 - report.signing_key)
    _refused(chain, replace(report, signing_key=other), Check.VEK_MATCH, "signing key")
    _refused(_with_vek(chain, kind=other), report, Check.VEK_MATCH, "signing key")


@pytest.mark.parametrize("name", _ONE_OF_EACH)
def test_certificate_and_chain_are_of_one_line(vectors: Path, name: str) -> None:
    chain, report = _real(vectors, name)
    vek = chain.endorsements.vek
    for product_name in {"Milan-B0", "Genoa", "Turin", "Venice", "", chain.line.upper()} - {vek.product_name}:
        if (chain.line, product_name) != (ProductLine.MILAN, "Milan-B0"):  # Milan has both names
            _refused(_with_vek(chain, product_name=product_name), report, Check.PRODUCT_LINE, "productName")
    for version in {0, 1, 2, 255} - {vek.struct_version}:
        _refused(_with_vek(chain, struct_version=version), report, Check.PRODUCT_LINE, "structVersion")
    for line in set(ProductLine) - {chain.line}:
        _refused(replace(chain, line=line), report, Check.PRODUCT_LINE, "productName")
    if vek.hwid is not None:
        _refused(_with_vek(chain, hwid=bytes(72 - len(vek.hwid))), report, Check.PRODUCT_LINE, "hwID")


def test_the_reserved_extension_is_there_but_on_turin(vectors: Path) -> None:
    (genoa, genoa_report), (turin, turin_report) = (_real(vectors, name) for name in (_GENOA, _TURIN))
    spl4 = next(e for e in genoa.endorsements.vek.certificate.extensions if e.oid.endswith(".3.4"))
    for chain, report in ((genoa, genoa_report), (turin, turin_report)):
        certificate = chain.endorsements.vek.certificate
        kept = tuple(e for e in certificate.extensions if e != spl4)
        other = kept if kept != certificate.extensions else (*kept, spl4)
        changed = _with_vek(chain, certificate=replace(certificate, extensions=other))
        _refused(changed, report, Check.PRODUCT_LINE, ".3.4")


@pytest.mark.parametrize(
    ("family", "model", "called"),
    [
        (0x19, 0x01, "Milan"),
        (0x19, 0x11, "Genoa"),
        (0x19, 0xA0, "Genoa"),
        (0x1A, 0x02, "Turin"),
        (0x1A, 0x11, "Turin"),
        (0x1A, 0x12, "no known line"),
        (0x1A, 0x50, "Venice, which is not supported"),
        (0x1A, 0xC7, "Venice, which is not supported"),
        (0x19, 0x20, "no known line"),
        (0x17, 0x31, "no known line"),
        (0x00, 0x00, "no known line"),
    ],
)
def test_the_processor_is_of_the_chains_line(vectors: Path, family: int, model: int, called: str) -> None:
    for name in (_GENOA, _TURIN, "milan-v3-dstack"):
        chain, report = _real(vectors, name)
        processor = replace(report, cpuid=Cpuid(family, model, 1))
        if called == chain.line:
            match_vek_to_report(chain, processor)
        else:
            _refused(chain, processor, Check.PRODUCT_LINE, f"({called})")


@given(st.integers(0, 255), st.integers(0, 255), st.integers(0, 255))
def test_every_processor_can_be_named(family: int, model: int, stepping: int) -> None:
    cpuid = Cpuid(family, model, stepping)
    assert str(line_of_cpuid(cpuid) or "") in describe_cpuid(cpuid)
    assert (line_of_cpuid(cpuid) is None) is ("no known" in describe_cpuid(cpuid) or "Venice" in describe_cpuid(cpuid))


@pytest.mark.parametrize("name", _ONE_OF_EACH)
def test_no_other_real_key_signed_the_report(vectors: Path, name: str) -> None:
    chain, report = _real(vectors, name)
    for other in NAMES:
        certificate = _real(vectors, other)[0].endorsements.vek.certificate
        if certificate.spki != chain.endorsements.vek.certificate.spki:
            with_other_key = replace(chain.endorsements.vek.certificate, key=certificate.key)
            _refused(_with_vek(chain, certificate=with_other_key), report, Check.REPORT_SIGNATURE, "does not verify")


@pytest.mark.parametrize("line", ProductLine)
@pytest.mark.parametrize("field", ["current_tcb", "reported_tcb", "committed_tcb", "launch_tcb"])
def test_reserved_bytes_of_every_tcb_are_zero_though_signed(line: ProductLine, field: str) -> None:
    guest = _GUESTS[line]
    genuine = getattr(parse_report(guest.report(bytes(64))), field)
    reserved = [at for at in range(8) if at not in TCB_LAYOUTS[line].values()]
    assert len(reserved) == (3 if line is ProductLine.TURIN else 4)
    for at in reserved:
        tcb = genuine[:at] + b"\1" + genuine[at + 1 :]
        evidence = replace(guest.evidence(bytes(64)), report=guest.report(bytes(64), **{field: tcb}))
        with pytest.raises(FormatError) as caught:
            judge(evidence, _AT, SIMULATOR_ROOTS)
        assert (caught.value.check, caught.value.where) == (Check.REPORT_FORMAT, f"report.bin: {field}")

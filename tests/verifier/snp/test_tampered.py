"""Tests of real reports with one bit changed, cut short or made longer: every bit and every length."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.errors import FormatError, VerificationError
from provenance_oracle.verifier.snp.chain import verify_chain
from provenance_oracle.verifier.snp.endorsements import parse_endorsements
from provenance_oracle.verifier.snp.products import AMD_ROOTS
from provenance_oracle.verifier.snp.report import REPORT_BYTES, SIGNED_BYTES, parse_report
from provenance_oracle.verifier.snp.signature import Claims, match_vek_to_report, verify_report_signature
from tests.support.real_sets import NAMES, real_set

# One report of each version and layout. With PROVENANCE_MUTANTS, which `make prove` sets, all reports.
_SAMPLE = ("milan-v2-enarx-steward-IDBLOCK", "milan-v3-dstack", "genoa-v5-routex", "turin-v5-mstav-aci")
_NAMES = NAMES if "PROVENANCE_MUTANTS" in os.environ else _SAMPLE
_P384_ORDER = 2**384 - 1388124618062372383947042015309946732620727252194336364173
_CHECKS = {Check.REPORT_FORMAT, Check.PRODUCT_LINE, Check.VEK_MATCH, Check.REPORT_SIGNATURE}


@pytest.fixture(params=_NAMES)
def report_and_judge(request: pytest.FixtureRequest, vectors: Path) -> tuple[bytes, Callable[[bytes], Claims]]:
    """Return a real report and a function that judges reports under its certificates, which are verified once."""
    real = real_set(vectors, request.param)
    endorsements = parse_endorsements(real.evidence.vek, real.evidence.chain, None)
    chain = verify_chain(endorsements, roots=AMD_ROOTS, at=real.at)

    def judge(report: bytes) -> Claims:
        return verify_report_signature(match_vek_to_report(chain, parse_report(report)))

    judge(real.evidence.report)
    return real.evidence.report, judge


def test_every_single_bit_flip_is_refused(report_and_judge: tuple[bytes, Callable[[bytes], Claims]]) -> None:
    report, judge = report_and_judge
    accepted = [bit for bit in range(REPORT_BYTES * 8) if not _is_refused(judge, _flipped(report, bit))]
    assert accepted == []


def test_every_truncation_and_extension_is_malformed(
    report_and_judge: tuple[bytes, Callable[[bytes], Claims]],
) -> None:
    report, judge = report_and_judge
    others = [report[:size] for size in range(REPORT_BYTES)]
    others += [report + filler * size for size in range(1, 65) for filler in (b"\0", b"\xff", report[:1])]
    for other in others:
        with pytest.raises(FormatError) as caught:
            judge(other)
        assert (caught.value.check, caught.value.wanted) == (Check.REPORT_FORMAT, "1184 bytes")


def test_the_signature_is_of_these_bytes(report_and_judge: tuple[bytes, Callable[[bytes], Claims]]) -> None:
    """Refuse r and s if they are exchanged, doubled, or big-endian instead of little-endian."""
    report, judge = report_and_judge
    r, s = report[SIGNED_BYTES : SIGNED_BYTES + 72], report[SIGNED_BYTES + 72 : SIGNED_BYTES + 144]
    for first, second in ((s, r), (r, r), (s, s), (_reversed(r), _reversed(s))):
        with pytest.raises(VerificationError) as caught:
            judge(report[:SIGNED_BYTES] + first + second + report[SIGNED_BYTES + 144 :])
        assert caught.value.check is Check.REPORT_SIGNATURE


def test_the_mirrored_signature_holds_and_names_the_same_report(
    report_and_judge: tuple[bytes, Callable[[bytes], Claims]],
) -> None:
    """ECDSA accepts (r, n - s) too, and AMD uses both forms, so the digest of the file cannot identify a report."""
    report, judge = report_and_judge
    genuine = judge(report).report
    mirrored = (_P384_ORDER - genuine.signature_s).to_bytes(72, "little")
    other = judge(report[: SIGNED_BYTES + 72] + mirrored + report[SIGNED_BYTES + 144 :]).report
    assert other.digest == genuine.digest
    assert other.signature_s != genuine.signature_s


def test_a_refusal_names_the_file(vectors: Path) -> None:
    real = real_set(vectors, "milan-v3-dstack")
    chain = verify_chain(parse_endorsements(real.evidence.vek, real.evidence.chain, None), roots=AMD_ROOTS, at=real.at)
    for offset in (0x90, 0x188, 0x18B, 0x1E4):  # measurement, CPUID, a reserved byte, a reserved byte of a TCB
        with pytest.raises((FormatError, VerificationError)) as caught:
            report = parse_report(_flipped(real.evidence.report, 8 * offset), "some/report.bin")
            verify_report_signature(match_vek_to_report(chain, report))
        assert str(caught.value).startswith("some/report.bin: ")


def _reversed(component: bytes) -> bytes:
    return component[:48][::-1] + component[48:]


def _flipped(report: bytes, bit: int) -> bytes:
    changed = bytearray(report)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


def _is_refused(judge: Callable[[bytes], Claims], report: bytes) -> bool:
    try:
        judge(report)
    except (FormatError, VerificationError) as error:
        return error.check in _CHECKS
    return False

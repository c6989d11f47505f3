"""The fake guest's reports, read back by the verifier's parser, field by field."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from provenance_oracle.publisher.simulator import FakeAmd, FakeGuest
from provenance_oracle.publisher.simulator.report import ReportFields, encode_tcb
from provenance_oracle.verifier.errors import FormatError
from provenance_oracle.verifier.snp.products import ProductLine
from provenance_oracle.verifier.snp.report import SigningKey, parse_report
from provenance_oracle.verifier.snp.tcb import parse_tcb
from tests.support.real_sets import NAMES, real_folder

_AT = datetime(2026, 11, 21, tzinfo=UTC)
_AMDS = {line: FakeAmd.load(line) for line in ProductLine}
_REPORT_DATA = bytes(range(64))


@pytest.mark.parametrize("version", [2, 3, 4, 5])
@pytest.mark.parametrize("csp_id", [None, "CN=cc-us-east-2.amazonaws.com"])
@pytest.mark.parametrize("line", ProductLine)
def test_reports_of_every_form_parse_and_are_signed(line: ProductLine, csp_id: str | None, version: int) -> None:
    guest = FakeGuest.on(_AMDS[line], at=_AT, version=version, csp_id=csp_id, vmpl=1)
    evidence = guest.evidence(_REPORT_DATA)
    report = parse_report(evidence.report)
    assert (report.version, report.vmpl, report.report_data) == (version, 1, _REPORT_DATA)
    assert report.signing_key is (SigningKey.VCEK if csp_id is None else SigningKey.VLEK)
    assert report.chip_id == (guest.chip_id if csp_id is None else bytes(64))
    assert report.cpuid == (None if version == 2 else guest.cpuid)
    assert (report.launch_mit_vector is None) == (version < 5)
    for tcb in (report.current_tcb, report.reported_tcb, report.committed_tcb, report.launch_tcb):
        assert parse_tcb(tcb, line, "report.bin") == guest.tcb
    key = x509.load_der_x509_certificate(evidence.vek).public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    key.verify(encode_dss_signature(report.signature_r, report.signature_s), report.signed, ec.ECDSA(hashes.SHA384()))


def test_the_same_guest_makes_the_same_report_again() -> None:
    guest = FakeGuest.on(_AMDS[ProductLine.GENOA], at=_AT)
    assert guest.report(_REPORT_DATA) == guest.report(_REPORT_DATA)


def test_every_field_can_deviate() -> None:
    guest = FakeGuest.on(_AMDS[ProductLine.TURIN], at=_AT)
    report = parse_report(guest.report(_REPORT_DATA, guest_svn=7, host_data=b"\1" * 32, current_build=9))
    assert (report.guest_svn, report.host_data, report.current_build) == (7, b"\1" * 32, 9)
    with pytest.raises(FormatError):
        parse_report(guest.report(_REPORT_DATA, patches=((0x04C, b"\1"),)))
    with pytest.raises(ValueError, match="host_data is 31 bytes, not 32"):
        guest.report(_REPORT_DATA, host_data=bytes(31))


def test_real_reports_are_rebuilt_from_their_fields(vectors: Path) -> None:
    """The simulator writes the fields that the verifier read from a real report back to the same bytes."""
    paths = [real_folder(vectors, name) / "report.bin" for name in NAMES]
    paths.append(vectors / "snp2" / "_no-vek" / "milan-v4-openpcc" / "report.bin")
    for path in paths:
        report = parse_report(path.read_bytes())
        same_names = {name: value for name, value in vars(report).items() if name in ReportFields.__dataclass_fields__}
        if report.cpuid is not None:
            same_names |= {f"cpuid_{name}": value for name, value in vars(report.cpuid).items()}
        zeroed = {name: value or 0 for name, value in same_names.items() if name.endswith("_mit_vector")}
        key_info = report.author_key_en | report.signing_key << 2
        assert ReportFields(**{**same_names, **zeroed, "key_info": key_info}).encode() == report.signed


@pytest.mark.parametrize("line", ProductLine)
def test_a_tcb_is_written_as_it_is_read(line: ProductLine) -> None:
    tcb = FakeGuest.on(_AMDS[line], at=_AT).tcb
    assert parse_tcb(encode_tcb(tcb, line), line, "test") == tcb

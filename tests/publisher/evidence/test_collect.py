"""Evidence from kernel, files and simulator is the same value; missing parts are fetched or named."""

import ssl
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provenance_oracle.publisher.evidence.certificate_table import (
    ARK_GUID,
    ASK_GUID,
    VCEK_GUID,
    VLEK_GUID,
    encode_certificate_table,
)
from provenance_oracle.publisher.evidence.collect import (
    evidence_from_files,
    evidence_from_kernel,
    evidence_from_simulator,
)
from provenance_oracle.publisher.evidence.configfs_tsm import TsmFiles
from provenance_oracle.publisher.simulator import CaRole, FakeAmd, FakeGuest, FakeKds, Resource
from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.errors import FormatError, ProvenanceError, TemporaryError, UsageError
from provenance_oracle.verifier.snp.evidence import Evidence
from provenance_oracle.verifier.snp.products import ProductLine
from tests.support.real_sets import NAMES, real_folder

_AT = datetime(2026, 11, 21, tzinfo=UTC)
_REPORT_DATA = bytes(range(64))
_AMDS = {line: FakeAmd.load(line) for line in ProductLine}
_CSP_ID = "CN=cc-us-east-2.amazonaws.com"


@dataclass
class CountingKds:
    """The fake service, with a list of its requests."""

    service: FakeKds = field(default_factory=lambda: FakeKds(tuple(_AMDS.values()), _AT))
    urls: list[str] = field(default_factory=list)

    def fetch(self, url: str) -> bytes:
        self.urls.append(url)
        return self.service.fetch(url)


def _guest(line: ProductLine = ProductLine.GENOA, **changes: object) -> FakeGuest:
    return FakeGuest.on(_AMDS[line], at=_AT, **changes)


def _authorities(line: ProductLine, *roles: CaRole) -> list[bytes]:
    return [_AMDS[line].authorities[role].certificate for role in roles]


@pytest.mark.parametrize("line", ProductLine)
def test_the_simulator_gives_complete_evidence(line: ProductLine) -> None:
    evidence = evidence_from_simulator(line, _REPORT_DATA, at=_AT)
    assert evidence.report == _guest(line).report(_REPORT_DATA)
    assert evidence.crl is not None


@pytest.mark.parametrize("line", ProductLine)
@pytest.mark.parametrize("csp_id", [None, _CSP_ID])
@pytest.mark.parametrize("version", [2, 3, 4, 5])
def test_files_in_any_order_and_encoding_give_the_same_evidence(
    line: ProductLine, csp_id: str | None, version: int
) -> None:
    guest = _guest(line, csp_id=csp_id, version=version)
    expected = guest.evidence(_REPORT_DATA)
    intermediate, ark = _authorities(line, CaRole.ASVK if csp_id else CaRole.ASK, CaRole.ARK)
    pem = ssl.DER_cert_to_PEM_cert
    arrangements = [
        [expected.vek, expected.chain],
        [ark, intermediate, expected.vek],
        [(pem(ark) + pem(expected.vek)).encode(), intermediate, ark],
    ]
    for files in arrangements:
        assert evidence_from_files(expected.report, files, expected.crl) == expected


def test_a_host_may_offer_keys_of_both_kinds() -> None:
    guest = _guest()
    expected = guest.evidence(_REPORT_DATA)
    others = [_guest(csp_id=_CSP_ID).vek().certificate, *_authorities(ProductLine.GENOA, CaRole.ASVK)]
    assert evidence_from_files(expected.report, [*others, expected.vek, expected.chain], expected.crl) == expected


def test_real_files_are_put_together(vectors: Path) -> None:
    for folder in (real_folder(vectors, name) for name in NAMES):
        files = [path.read_bytes() for path in sorted(folder.glob("*.der"))]
        evidence = evidence_from_files((folder / "report.bin").read_bytes(), files)
        assert evidence.vek in files
        assert evidence.chain.count(b"BEGIN CERTIFICATE") == 2


@pytest.mark.parametrize("line", ProductLine)
@pytest.mark.parametrize("version", [3, 5])
def test_everything_but_the_report_can_be_fetched(line: ProductLine, version: int) -> None:
    kds = CountingKds()
    guest = _guest(line, version=version)
    evidence = evidence_from_files(guest.report(_REPORT_DATA), [], fetcher=kds)
    assert evidence.chain == guest.evidence(_REPORT_DATA).chain
    assert evidence.crl is not None
    assert [url.split("/")[-1].split("?")[0] for url in kds.urls[1:]] == ["cert_chain", "crl"]
    assert f"/vcek/v1/{line}/" in kds.urls[0]


def test_only_what_is_missing_is_fetched() -> None:
    expected = _guest().evidence(_REPORT_DATA)
    kds = CountingKds()
    assert evidence_from_files(expected.report, [expected.vek, expected.chain], expected.crl, fetcher=kds) == expected
    assert kds.urls == []
    evidence_from_files(expected.report, [expected.vek, expected.chain], fetcher=kds)
    assert kds.urls == ["https://kdsintf.amd.com/vcek/v1/Genoa/crl"]


def test_a_vleks_chain_and_list_can_be_fetched_but_not_the_vlek() -> None:
    guest = _guest(csp_id=_CSP_ID)
    kds = CountingKds()
    vek = guest.vek().certificate
    assert evidence_from_files(guest.report(_REPORT_DATA), [vek], fetcher=kds).vek == vek
    assert [url.split("/")[3] for url in kds.urls] == ["vlek", "vlek"]
    with pytest.raises(UsageError, match="AMD does not hand out"):
        evidence_from_files(guest.report(_REPORT_DATA), [], fetcher=kds)


def test_a_version_2_report_takes_its_line_from_the_certificates() -> None:
    guest = _guest(ProductLine.TURIN, version=2)
    kds = CountingKds()
    ask = _authorities(ProductLine.TURIN, CaRole.ASK)
    assert evidence_from_files(guest.report(_REPORT_DATA), ask, fetcher=kds).vek
    with pytest.raises(UsageError, match="not named in a version 2 report"):
        evidence_from_files(guest.report(_REPORT_DATA), [], fetcher=kds)


def test_missing_certificates_are_named() -> None:
    expected = _guest().evidence(_REPORT_DATA)
    with pytest.raises(UsageError, match="got SEV-VCEK, wanted SEV-VCEK, SEV-Genoa, ARK-Genoa"):
        evidence_from_files(expected.report, [expected.vek])
    with pytest.raises(UsageError, match="got no certificate"):
        evidence_from_files(expected.report, [])


def test_two_certificates_of_one_name_are_refused() -> None:
    guest = _guest()
    expected = guest.evidence(_REPORT_DATA)
    with pytest.raises(FormatError, match="certificate file 3: endorsements-format: two different certificates"):
        evidence_from_files(expected.report, [expected.vek, expected.chain, guest.vek().certificate])


def test_a_masked_chip_id_cannot_be_asked_for() -> None:
    report = _guest().report(_REPORT_DATA, chip_id=bytes(64))
    with pytest.raises(FormatError, match="masks the chip id"):
        evidence_from_files(report, [], fetcher=CountingKds())


def test_the_services_failures_are_passed_on() -> None:
    busy = FakeKds(tuple(_AMDS.values()), _AT, instead={Resource.CRL: TemporaryError("busy", got="status 429")})
    with pytest.raises(TemporaryError, match="status 429"):
        evidence_from_files(_guest().report(_REPORT_DATA), [], fetcher=busy)
    nonsense = FakeKds(tuple(_AMDS.values()), _AT, instead={Resource.CHAIN: b"<html>"})
    with pytest.raises(FormatError) as caught:
        evidence_from_files(_guest().report(_REPORT_DATA), [], fetcher=nonsense)
    assert caught.value.check is Check.ENDORSEMENTS_FORMAT


@given(st.lists(st.binary(max_size=200), max_size=3), st.none() | st.binary(max_size=200))
def test_any_files_give_evidence_or_an_error_of_ours(files: list[bytes], crl: bytes | None) -> None:
    expected = evidence_from_simulator(ProductLine.MILAN, _REPORT_DATA, at=_AT)
    with pytest.raises(ProvenanceError):
        evidence_from_files(expected.report, [expected.vek, *files], crl)


class _Kernel(TsmFiles):
    """A minimal configfs-tsm; test_configfs_tsm.py tests its behaviour."""

    def __init__(self, evidence: Evidence, table: bytes) -> None:
        self.contents = {"provider": b"sev_guest\n", "outblob": evidence.report, "auxblob": table}
        self.writes = 0

    def make_directory(self, path: Path) -> None:
        pass

    def remove_directory(self, path: Path) -> None:
        pass

    def write(self, path: Path, data: bytes) -> None:
        self.writes += 1

    def read(self, path: Path, max_bytes: int) -> bytes:
        return f"{self.writes}\n".encode() if path.name == "generation" else self.contents[path.name]


@pytest.mark.parametrize("csp_id", [None, _CSP_ID])
def test_the_kernel_gives_the_hosts_certificates_too(csp_id: str | None) -> None:
    expected = _guest(csp_id=csp_id).evidence(_REPORT_DATA)
    intermediate, ark = _authorities(ProductLine.GENOA, CaRole.ASVK if csp_id else CaRole.ASK, CaRole.ARK)
    blobs = {VLEK_GUID if csp_id else VCEK_GUID: expected.vek, ASK_GUID: intermediate, ARK_GUID: ark}
    kernel = _Kernel(expected, encode_certificate_table(blobs))
    assert evidence_from_kernel(_REPORT_DATA, files=kernel) == Evidence(expected.report, expected.vek, expected.chain)
    kernel.writes = 0
    assert evidence_from_kernel(_REPORT_DATA, expected.crl, files=kernel).crl == expected.crl


def test_without_the_hosts_certificates_they_are_fetched() -> None:
    expected = _guest().evidence(_REPORT_DATA)
    evidence = evidence_from_kernel(_REPORT_DATA, files=_Kernel(expected, b""), fetcher=CountingKds())
    assert (evidence.report, evidence.chain) == (expected.report, expected.chain)
    with pytest.raises(UsageError, match="certificates are missing"):
        evidence_from_kernel(_REPORT_DATA, files=_Kernel(expected, b""))

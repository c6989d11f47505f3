"""The fake key distribution service answers AMD's addresses, and misbehaves on request."""

from datetime import UTC, datetime

import pytest
from cryptography import x509

from provenance_oracle.publisher.simulator import FakeAmd, FakeGuest, FakeKds, Resource
from provenance_oracle.verifier.errors import TemporaryError
from provenance_oracle.verifier.snp import kds
from provenance_oracle.verifier.snp.products import ProductLine
from provenance_oracle.verifier.snp.report import SigningKey

_AT = datetime(2026, 11, 21, tzinfo=UTC)
_AMDS = {line: FakeAmd.load(line) for line in ProductLine}


@pytest.fixture
def fake_kds() -> FakeKds:
    return FakeKds(tuple(_AMDS.values()), _AT)


@pytest.mark.parametrize("line", ProductLine)
def test_a_fetched_vcek_is_the_one_that_signs_the_report(fake_kds: FakeKds, line: ProductLine) -> None:
    guest = FakeGuest.on(_AMDS[line], at=_AT)
    fetched = x509.load_der_x509_certificate(kds.fetch_vcek(fake_kds, line, guest.chip_id, guest.tcb))
    assert fetched.public_key() == guest.vek().key.public_key()
    assert fetched.not_valid_before_utc == _AT


@pytest.mark.parametrize("line", ProductLine)
@pytest.mark.parametrize("kind", SigningKey)
def test_chain_and_list_are_the_fake_amds(fake_kds: FakeKds, line: ProductLine, kind: SigningKey) -> None:
    assert kds.fetch_chain(fake_kds, line, kind) == _AMDS[line].chain_pem(kind)
    crl = x509.load_der_x509_crl(kds.fetch_crl(fake_kds, line, kind))
    ark = x509.load_der_x509_certificate(_AMDS[line].ark.certificate)
    assert crl.is_signature_valid(ark.public_key())  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "url",
    [
        "http://kdsintf.amd.com/vcek/v1/Milan/cert_chain",
        "https://example.org/vcek/v1/Milan/cert_chain",
        "https://kdsintf.amd.com/vcek/v2/Milan/cert_chain",
        "https://kdsintf.amd.com/vcek/v1/Venice/cert_chain",
        "https://kdsintf.amd.com/vtek/v1/Milan/cert_chain",
        f"https://kdsintf.amd.com/vlek/v1/Milan/{'00' * 64}?blSPL=01&teeSPL=00&snpSPL=01&ucodeSPL=01",
        f"https://kdsintf.amd.com/vcek/v1/Milan/{'00' * 8}?blSPL=01&teeSPL=00&snpSPL=01&ucodeSPL=01",
        f"https://kdsintf.amd.com/vcek/v1/Turin/{'00' * 8}?blSPL=01&teeSPL=00&snpSPL=01&ucodeSPL=01",
        f"https://kdsintf.amd.com/vcek/v1/Milan/{'00' * 64}",
    ],
)
def test_other_addresses_are_unknown(fake_kds: FakeKds, url: str) -> None:
    with pytest.raises(kds.UnknownToAmdError):
        fake_kds.fetch(url)


def test_it_answers_as_told() -> None:
    busy = TemporaryError("the key distribution service did not answer", got="status 429")
    told = FakeKds(tuple(_AMDS.values()), _AT, instead={Resource.CHAIN: busy, Resource.CRL: b"wrong"})
    with pytest.raises(TemporaryError, match="status 429"):
        kds.fetch_chain(told, ProductLine.MILAN, SigningKey.VCEK)
    assert kds.fetch_crl(told, ProductLine.MILAN, SigningKey.VCEK) == b"wrong"

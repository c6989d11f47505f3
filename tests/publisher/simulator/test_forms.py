"""Exact formats: with a real certificate's values, the simulator's forms rebuild the bytes that AMD signed."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from provenance_oracle.publisher.simulator import CaRole, FakeAmd, Pss, forms
from provenance_oracle.publisher.simulator.certificates import CertificateTemplate, CrlTemplate
from provenance_oracle.verifier.snp.products import ProductLine
from provenance_oracle.verifier.snp.report import SigningKey
from provenance_oracle.verifier.snp.tcb import Tcb
from tests.support.real_sets import NAMES, crl, real_folder, vek_path

_ANCHORS = {CaRole.ARK: "ARK-{}.der", CaRole.ASK: "SEV-{}.der", CaRole.ASVK: "SEV-VLEK-{}.der"}


@pytest.mark.parametrize("line", ProductLine)
@pytest.mark.parametrize("role", CaRole)
def test_authorities_are_written_as_amd_writes_them(vectors: Path, line: ProductLine, role: CaRole) -> None:
    real = _anchor(vectors, line, role)
    template = forms.authority_template(line, role, _rsa_key(real), _rsa_key(_anchor(vectors, line, CaRole.ARK)))
    _assert_same_form(real, template)


def test_the_revoked_ask_of_genoa_differs_in_serial_number_and_dates_only(vectors: Path) -> None:
    real = x509.load_der_x509_certificate((vectors / "snp/_anchors/SEV-Genoa-REVOKED-serial131073.der").read_bytes())
    ark_key = _rsa_key(_anchor(vectors, ProductLine.GENOA, CaRole.ARK))
    template = forms.authority_template(ProductLine.GENOA, CaRole.ASK, _rsa_key(real), ark_key)
    dates = {"not_before": real.not_valid_before_utc, "not_after": real.not_valid_after_utc}
    _assert_same_form(real, replace(template, serial=131073, **dates))


def test_veks_are_written_as_amd_writes_them(vectors: Path) -> None:
    for path in (vek_path(real_folder(vectors, name)) for name in NAMES):
        real = x509.load_der_x509_certificate(path.read_bytes())
        line = ProductLine(path.parent.name.split("-")[0].capitalize())
        extensions = {extension.oid.dotted_string: extension.value.value for extension in real.extensions}
        spki = real.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        dated = {"spki": spki, "not_before": real.not_valid_before_utc}
        tcb = _tcb(extensions, line)
        if forms.HWID in extensions:
            template = forms.vcek_template(line, extensions[forms.HWID], tcb, **dated)
        else:
            template = forms.vlek_template(line, extensions[forms.CSP_ID][2:].decode(), tcb, **dated)
        # Until some time between May and November 2024 AMD wrote the default trailerField into VEKs too.
        old = real.not_valid_before_utc < datetime(2024, 6, 1, tzinfo=UTC)
        _assert_same_form(real, replace(template, pss=Pss(explicit_trailer=old)))


@pytest.mark.parametrize(
    ("file", "line", "number", "revoked"),
    [
        ("ARK-Genoa-crl2-2022", ProductLine.GENOA, 2, (131073,)),
        ("ARK-Genoa-crl4-2024", ProductLine.GENOA, 4, (131073,)),
        ("ARK-Milan-crl3-2022", ProductLine.MILAN, 3, ()),
        ("ARK-Milan-crl6-2025", ProductLine.MILAN, 6, ()),
    ],
)
def test_revocation_lists_are_written_as_amd_writes_them(
    vectors: Path, file: str, line: ProductLine, number: int, revoked: tuple[int, ...]
) -> None:
    data = crl(vectors, file)
    real = x509.load_der_x509_crl(data)
    template = forms.crl_template(
        line,
        _rsa_key(_anchor(vectors, line, CaRole.ARK)),
        this_update=real.last_update_utc,
        next_update=real.next_update_utc,
        revoked=revoked,
        number=number,
    )
    template = replace(template, revoked_at=next((entry.revocation_date_utc for entry in real), None))
    assert template.encode() == real.tbs_certlist_bytes
    assert _outer_algorithm(data, real.tbs_certlist_bytes, template) == template.pss.encode()


@pytest.mark.parametrize(
    ("start", "end"),
    [
        (datetime(2026, 11, 21, 1, 2, 3, tzinfo=UTC), datetime(2033, 11, 21, 1, 2, 3, tzinfo=UTC)),
        (datetime(2028, 2, 29, tzinfo=UTC), datetime(2035, 2, 28, tzinfo=UTC)),
    ],
)
def test_a_vcek_lasts_seven_years(start: datetime, end: datetime) -> None:
    template = forms.vcek_template(
        ProductLine.GENOA, bytes(64), Tcb(bootloader=1, tee=0, snp=2, microcode=3), spki=b"", not_before=start
    )
    assert template.not_after == end


@pytest.mark.parametrize("line", ProductLine)
def test_the_shipped_authorities_have_this_form(line: ProductLine) -> None:
    amd = FakeAmd.load(line)
    for authority in amd.authorities.values():
        certificate = x509.load_der_x509_certificate(authority.certificate)
        _assert_same_form(certificate, authority.template)
        certificate.verify_directly_issued_by(x509.load_der_x509_certificate(amd.ark.certificate))
        assert _rsa_key(certificate) == authority.key.public_key()
    assert amd.chain_pem(SigningKey.VLEK).count(b"BEGIN CERTIFICATE") == 2


def _assert_same_form(real: x509.Certificate, template: CertificateTemplate) -> None:
    assert template.encode() == real.tbs_certificate_bytes
    der = real.public_bytes(Encoding.DER)
    assert _outer_algorithm(der, real.tbs_certificate_bytes, template) == template.pss.encode()


def _outer_algorithm(der: bytes, signed_part: bytes, template: CertificateTemplate | CrlTemplate) -> bytes:
    start = der.index(signed_part) + len(signed_part)
    assert start == 4 + len(signed_part)
    return der[start : start + len(template.pss.encode())]


def _tcb(extensions: dict[str, bytes], line: ProductLine) -> Tcb:
    parts = ["bootloader", "tee", "snp", "microcode"] + ["fmc"] * (line is ProductLine.TURIN)
    return Tcb(**{part: int.from_bytes(extensions[forms.SPL[part]][2:], "big") for part in parts})


def _anchor(vectors: Path, line: ProductLine, role: CaRole) -> x509.Certificate:
    return x509.load_der_x509_certificate((vectors / "snp/_anchors" / _ANCHORS[role].format(line)).read_bytes())


def _rsa_key(certificate: x509.Certificate) -> rsa.RSAPublicKey:
    key = certificate.public_key()
    assert isinstance(key, rsa.RSAPublicKey)
    return key

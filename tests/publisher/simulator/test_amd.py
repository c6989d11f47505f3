"""The fake AMD as an issuer: the same root each time, keys that chip and TCB determine, another root on request."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from provenance_oracle.publisher.simulator import CaRole, FakeAmd
from provenance_oracle.verifier.snp.products import AMD_ROOTS, SIMULATOR_ROOTS, ProductLine, RootKind
from provenance_oracle.verifier.snp.report import SigningKey
from provenance_oracle.verifier.snp.tcb import Tcb

_AT = datetime(2026, 11, 21, tzinfo=UTC)
_AMDS = {line: FakeAmd.load(line) for line in ProductLine}
_TCB = Tcb(bootloader=10, tee=0, snp=28, microcode=88)


def test_the_shipped_roots_are_the_pinned_ones() -> None:
    assert tuple(amd.trusted_root() for amd in _AMDS.values()) == SIMULATOR_ROOTS
    assert {root.ark_sha256 for root in SIMULATOR_ROOTS}.isdisjoint(root.ark_sha256 for root in AMD_ROOTS)
    assert {root.kind for root in SIMULATOR_ROOTS} == {RootKind.SIMULATOR}


def test_asking_again_gives_the_same_key_in_another_certificate() -> None:
    first, second = (_AMDS[ProductLine.GENOA].vcek(bytes(64), _TCB, not_before=_AT) for _ in range(2))
    assert _public_key(first.certificate) == _public_key(second.certificate) == second.key.public_key()
    assert first.certificate != second.certificate


def test_another_chip_tcb_or_root_has_another_key() -> None:
    genoa = _AMDS[ProductLine.GENOA]
    veks = [
        genoa.vcek(bytes(64), _TCB, not_before=_AT),
        genoa.vcek(b"\1" * 64, _TCB, not_before=_AT),
        genoa.vcek(bytes(64), replace(_TCB, snp=27), not_before=_AT),
        genoa.vlek("CN=cloud", _TCB, not_before=_AT),
        _AMDS[ProductLine.MILAN].vcek(bytes(64), _TCB, not_before=_AT),
    ]
    assert len({_public_key(vek.certificate).public_numbers() for vek in veks}) == len(veks)


def test_a_certificate_can_be_issued_anew_with_one_deviation() -> None:
    milan = _AMDS[ProductLine.MILAN]
    changed = milan.reissue(CaRole.ASK, serial=7)
    assert x509.load_der_x509_certificate(changed.authorities[CaRole.ASK].certificate).serial_number == 7
    assert changed.ark is milan.ark
    assert milan.authorities[CaRole.ASK].template.serial == 65537


@pytest.mark.slow
def test_a_generated_root_is_another_root_that_works() -> None:
    amd = FakeAmd.generate(ProductLine.MILAN)
    assert amd.trusted_root() not in SIMULATOR_ROOTS
    ask, ark = x509.load_pem_x509_certificates(amd.chain_pem(SigningKey.VCEK))
    ask.verify_directly_issued_by(ark)
    assert ark.public_key().key_size == 4096


def _public_key(certificate: bytes) -> ec.EllipticCurvePublicKey:
    key = x509.load_der_x509_certificate(certificate).public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    return key

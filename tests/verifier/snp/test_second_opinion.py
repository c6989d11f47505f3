"""Compare the parsers and the chain check with OpenSSL and with the X.509 parser of `cryptography`.

Both can read AMD's certificates today. If a release refuses serial number 0, `test_canary` fails and these tests can be
removed.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from OpenSSL import crypto

from provenance_oracle.verifier.errors import FormatError, VerificationError
from provenance_oracle.verifier.snp.certificates import Certificate, parse_certificate
from provenance_oracle.verifier.snp.crl import Crl, parse_crl
from tests.support.mutants import changed
from tests.support.real_sets import CRLS, NAMES, anchor, crl, judge, real_certificates, real_set

pytestmark = pytest.mark.filterwarnings("ignore:Parsed a serial number", "ignore:Attribute's length must be")
_IN_CRL_TIME = datetime(2023, 6, 1, tzinfo=UTC)
_DAY = timedelta(days=1)
_MUTANTS = 1500


@pytest.mark.parametrize("name", NAMES)
def test_openssl_builds_the_same_chains(vectors: Path, name: str) -> None:
    real = real_set(vectors, name)
    last = datetime.fromisoformat(real.manifest["vek"]["not_after"])
    for at in (real.at - _DAY, real.at, last, last + _DAY):
        ours = _holds(judge, real.evidence, at)
        assert ours is _holds(_openssl_verify, real.evidence.vek, real.intermediate, real.ark, at)
        assert ours is (real.at <= at <= last)


@pytest.mark.parametrize("name", ["SEV-Genoa", "SEV-Turin", "SEV-VLEK-Milan"])
def test_openssl_refuses_other_intermediates_too(vectors: Path, name: str) -> None:
    real = real_set(vectors, "milan-v3-dstack")
    assert not _holds(_openssl_verify, real.evidence.vek, anchor(vectors, name), real.ark, real.at)


@pytest.mark.parametrize("name", ["SEV-Genoa", "SEV-Genoa-REVOKED-serial131073"])
@pytest.mark.parametrize(
    ("number", "at"), [("crl2-2022", _IN_CRL_TIME), ("crl4-2024", datetime(2025, 6, 1, tzinfo=UTC))]
)
def test_openssl_finds_the_same_one_revoked(vectors: Path, name: str, number: str, at: datetime) -> None:
    """Check the intermediate alone: it issues no list, so OpenSSL's CRL check of the whole chain always fails."""
    store = _store(anchor(vectors, "ARK-Genoa"), at)
    store.add_crl(x509.load_der_x509_crl(crl(vectors, f"ARK-Genoa-{number}")))
    store.set_flags(crypto.X509StoreFlags.CRL_CHECK)
    context = crypto.X509StoreContext(store, _openssl(anchor(vectors, name)))
    if "REVOKED" not in name:
        context.verify_certificate()
        return
    with pytest.raises(crypto.X509StoreContextError, match="revoked"):
        context.verify_certificate()


def _holds(judgement: Callable[..., object], *of: object) -> bool:
    try:
        judgement(*of)
    except (VerificationError, crypto.X509StoreContextError):
        return False
    return True


def _openssl_verify(vek: bytes, intermediate: bytes, ark: bytes, at: datetime) -> None:
    crypto.X509StoreContext(_store(ark, at), _openssl(vek), [_openssl(intermediate)]).verify_certificate()


def _store(ark: bytes, at: datetime) -> crypto.X509Store:
    store = crypto.X509Store()
    store.add_cert(_openssl(ark))
    store.set_time(at)
    return store


def _openssl(der: bytes) -> crypto.X509:
    return crypto.load_certificate(crypto.FILETYPE_ASN1, der)


def test_cryptography_reads_the_same_certificates(vectors: Path) -> None:
    paths = real_certificates(vectors)
    assert len(paths) == 3 * len(NAMES) + 10 + 2
    for path in paths:
        ours = parse_certificate(path.read_bytes(), path.name)
        theirs = x509.load_der_x509_certificate(ours.der)
        _assert_same_certificate(ours, theirs)
        assert [(e.oid, e.critical) for e in ours.extensions] == [
            (e.oid.dotted_string, e.critical) for e in theirs.extensions
        ]
        names = theirs.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
        assert [ours.common_name] == [name.value for name in names]


def test_cryptography_reads_the_same_lists(vectors: Path) -> None:
    for name in CRLS:
        ours = parse_crl(crl(vectors, name), name)
        theirs = x509.load_der_x509_crl(ours.der)
        _assert_same_list(ours, theirs)
        assert ours.number == theirs.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number
        key_id = theirs.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value
        assert ours.authority_key_id == key_id.public_bytes()


def test_what_is_accepted_of_a_changed_certificate_cryptography_reads_alike(vectors: Path) -> None:
    """The project's parser must not be more tolerant: a form that only it accepts would be a second encoding."""
    originals = [path.read_bytes() for path in real_certificates(vectors)]
    accepted = 0
    for number in range(_MUTANTS):
        rng = random.Random(number)
        original = rng.choice(originals)
        genuine = parse_certificate(original, "original")
        try:
            ours = parse_certificate(changed(original, rng), f"mutant {number}")
        except FormatError:
            continue
        if (ours.issuer, ours.subject) == (
            genuine.issuer,
            genuine.subject,
        ):  # names are compared whole and never parsed
            accepted += 1
            _assert_same_certificate(ours, x509.load_der_x509_certificate(ours.der))
    assert accepted > _MUTANTS // 20


@pytest.mark.parametrize("name", ["ARK-Genoa-crl2-2022", "ARK-Milan-crl6-2025"])
def test_what_is_accepted_of_a_changed_list_cryptography_reads_alike(vectors: Path, name: str) -> None:
    original = crl(vectors, name)
    genuine, accepted = parse_crl(original, "original"), 0
    for number in range(_MUTANTS):
        try:
            ours = parse_crl(changed(original, random.Random(number)), f"mutant {number}")
        except FormatError:
            continue
        if ours.issuer == genuine.issuer:
            accepted += 1
            _assert_same_list(ours, x509.load_der_x509_crl(ours.der))
    assert accepted > _MUTANTS // 20


def _assert_same_certificate(ours: Certificate, theirs: x509.Certificate) -> None:
    assert ours.serial == theirs.serial_number
    assert (ours.not_before, ours.not_after) == (theirs.not_valid_before_utc, theirs.not_valid_after_utc)
    assert (ours.issuer, ours.subject) == (theirs.issuer.public_bytes(), theirs.subject.public_bytes())
    assert (ours.signed.tbs, ours.signed.signature) == (theirs.tbs_certificate_bytes, theirs.signature)
    assert ours.spki == theirs.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _assert_same_list(ours: Crl, theirs: x509.CertificateRevocationList) -> None:
    assert (ours.this_update, ours.next_update) == (theirs.last_update_utc, theirs.next_update_utc)
    assert ours.issuer == theirs.issuer.public_bytes()
    assert ours.revoked_serials == {entry.serial_number for entry in theirs}
    assert (ours.signed.tbs, ours.signed.signature) == (theirs.tbs_certlist_bytes, theirs.signature)

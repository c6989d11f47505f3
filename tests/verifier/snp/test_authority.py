"""Tests of simulated authorities, roots and revocation lists. `test_chain` has the real ones."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from provenance_oracle.publisher.simulator import CaRole, FakeAmd, FakeGuest, Name, X509Extension, der, forms
from provenance_oracle.publisher.simulator.certificates import Pss
from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.errors import FormatError, VerificationError
from provenance_oracle.verifier.snp.authority import PSS_PLAIN, PSS_WITH_TRAILER
from provenance_oracle.verifier.snp.chain import RevocationStatus, VerifiedChain, unsafe_root, verify_chain
from provenance_oracle.verifier.snp.endorsements import parse_endorsements
from provenance_oracle.verifier.snp.products import AMD_ROOTS, SIMULATOR_ROOTS, ProductLine, RootKind, TrustedRoot
from provenance_oracle.verifier.snp.report import SigningKey
from tests.support.real_sets import anchor, real_set

_AT = datetime(2026, 11, 21, 12, tzinfo=UTC)
_SECOND = timedelta(seconds=1)
_AMD = FakeAmd.load(ProductLine.GENOA)
_GUEST = FakeGuest.on(_AMD, at=_AT)
_KEYS = {role: authority.key.public_key() for role, authority in _AMD.authorities.items()}


def _verify(
    amd: FakeAmd = _AMD,
    *,
    vek: bytes | None = None,
    crl: bytes | None = None,
    roots: tuple[TrustedRoot, ...] | None = None,
    at: datetime = _AT,
) -> VerifiedChain:
    guest = replace(_GUEST, amd=amd)
    endorsements = parse_endorsements(vek or guest.vek().certificate, amd.chain_pem(SigningKey.VCEK), crl)
    return verify_chain(endorsements, roots=(amd.trusted_root(),) if roots is None else roots, at=at)


def _refused(check: Check, what: str, amd: FakeAmd = _AMD, **others: object) -> None:
    with pytest.raises(VerificationError) as caught:
        _verify(amd, **others)  # type: ignore[arg-type]
    assert caught.value.check is check
    assert what in str(caught.value)
    assert caught.value.where
    assert caught.value.got
    assert caught.value.wanted


# --- authorities -------------------------------------------------------------------------------------------


def _changed(role: CaRole, new: X509Extension) -> FakeAmd:
    extensions = _AMD.authorities[role].template.extensions
    return _AMD.reissue(role, extensions=tuple(new if old.oid == new.oid else old for old in extensions))


_CHANGEABLE = [
    (role, extension) for role in (CaRole.ARK, CaRole.ASK) for extension in _AMD.authorities[role].template.extensions
]


@pytest.mark.parametrize(("role", "extension"), _CHANGEABLE, ids=lambda value: getattr(value, "oid", value))
def test_an_extension_is_critical_as_amd_marks_it(role: CaRole, extension: X509Extension) -> None:
    _verify(_changed(role, extension))
    _refused(Check.VEK_CHAIN, "extensions", _changed(role, replace(extension, critical=not extension.critical)))


@pytest.mark.parametrize("role", [CaRole.ARK, CaRole.ASK])
def test_an_authority_may_sign_what_it_signs(role: CaRole) -> None:
    cert_sign, crl_sign = 0x04, 0x02
    _verify(_changed(role, forms.key_usage(cert_sign | crl_sign)))
    for bits in (0, crl_sign, 0x80, 0xF9):
        _refused(Check.VEK_CHAIN, "may not sign", _changed(role, forms.key_usage(bits)))
    if role is CaRole.ARK:
        _refused(Check.VEK_CHAIN, "may not sign", _changed(role, forms.key_usage(cert_sign)))
    for odd in (b"", b"\x03\x01\x00", b"\x03\x03\x07\x06\x80", b"\x04\x02\x01\x06", der.null(), b"\x06"):
        _refused(Check.VEK_CHAIN, "may not sign", _changed(role, X509Extension(forms.KEY_USAGE, odd, critical=True)))


@pytest.mark.parametrize("role", [CaRole.ARK, CaRole.ASK])
@pytest.mark.parametrize(
    "odd",
    [
        b"",
        der.sequence(),
        der.sequence(der.boolean(False)),
        der.sequence(b"\x01\x01\x01"),
        der.sequence(der.boolean(True), der.integer(1)),
        der.sequence(der.boolean(True), der.integer(-1)),
        der.sequence(der.boolean(True), der.integer(0), der.null()),
        der.sequence(der.boolean(True), b"\x02\x02\x00\x00"),
        der.sequence(der.integer(0)),
        der.boolean(True),
    ],
)
def test_an_authority_is_a_ca_of_its_level(role: CaRole, odd: bytes) -> None:
    _refused(
        Check.VEK_CHAIN, "basic constraints", _changed(role, X509Extension(forms.BASIC_CONSTRAINTS, odd, critical=True))
    )


@pytest.mark.parametrize(
    "odd",
    [
        b"",
        der.sequence(),
        der.octet_string(forms.key_id(_KEYS[CaRole.ARK])),
        der.sequence(der.implicit(0, forms.key_id(_KEYS[CaRole.ASK]))),
        der.sequence(der.implicit(0, forms.key_id(_KEYS[CaRole.ARK])[:-1])),
        der.sequence(der.implicit(0, forms.key_id(_KEYS[CaRole.ARK])), der.implicit(2, b"\x02\0\0")),
    ],
)
def test_an_intermediate_and_a_list_name_the_key_of_the_root(odd: bytes) -> None:
    other = X509Extension(forms.AUTHORITY_KEY_ID, odd)
    _refused(Check.VEK_CHAIN, "authority key id", _changed(CaRole.ASK, other))
    number = X509Extension(forms.CRL_NUMBER, der.integer(1))
    _refused(Check.VEK_REVOCATION, "authority key id of the CRL", crl=_GUEST.crl(extensions=(other, number)))


@pytest.mark.parametrize("role", [CaRole.ARK, CaRole.ASK])
def test_an_authority_has_the_kind_of_key_that_amd_has(role: CaRole) -> None:
    numbers = _KEYS[role].public_numbers()
    for exponent, modulus in ((3, numbers.n), (65537, numbers.n >> 2048 | 1), (65537, numbers.n << 8 | 1)):
        other = rsa.RSAPublicNumbers(exponent, modulus).public_key()
        spki = other.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        _refused(Check.VEK_CHAIN, "RSA-4096, exponent 65537", _AMD.reissue(role, spki=spki))


def test_a_chain_ends_in_a_key_on_p384() -> None:
    vek = _GUEST.vek(key=ec.derive_private_key(7, ec.SECP256R1())).certificate
    _refused(Check.VEK_CHAIN, "kind of key", vek=vek)


def test_the_two_forms_of_the_algorithm_are_those_of_amd(vectors: Path) -> None:
    assert (Pss().encode(), Pss(explicit_trailer=True).encode()) == (PSS_PLAIN, PSS_WITH_TRAILER)
    real = real_set(vectors, "milan-v3-dstack")
    assert PSS_WITH_TRAILER in real.ark
    assert PSS_WITH_TRAILER in real.intermediate


@pytest.mark.parametrize("role", [CaRole.ARK, CaRole.ASK])
@pytest.mark.parametrize("form", [Pss(), Pss(explicit_trailer=True)])
def test_either_form_is_accepted_of_authorities(role: CaRole, form: Pss) -> None:
    _verify(_AMD.reissue(role, pss=form))


@pytest.mark.parametrize(
    "pss", [Pss("sha256"), Pss(salt_bytes=0), Pss(salt_bytes=47), Pss(salt_bytes=32, explicit_trailer=True)]
)
def test_other_parameters_are_refused_though_the_signature_holds(pss: Pss) -> None:
    for role in (CaRole.ARK, CaRole.ASK):
        _refused(Check.VEK_CHAIN, "signature algorithm", _AMD.reissue(role, pss=pss))
    _refused(Check.VEK_CHAIN, "signature algorithm", vek=_GUEST.vek(pss=pss).certificate)
    _refused(Check.VEK_REVOCATION, "signature algorithm", crl=_GUEST.crl(pss=pss))


def test_signatures_of_another_length_are_refused() -> None:
    vek = _GUEST.vek().certificate
    tbs, signature = vek[4 : vek.rindex(PSS_PLAIN)], vek[-512:]
    for other in (b"", signature[:-1], signature[1:], signature + b"\0", b"\0" + signature, bytes(512), b"\xff" * 512):
        changed = der.sequence(tbs, PSS_PLAIN, der.bit_string(other))
        _refused(Check.VEK_CHAIN, "does not verify", vek=changed)
    assert der.sequence(tbs, PSS_PLAIN, der.bit_string(signature)) == vek


def test_a_signature_without_its_leading_zero_byte_is_refused() -> None:
    """OpenSSL takes it: one certificate would have two encodings, and the EVM and browsers refuse the short one."""
    certificates = (_GUEST.vek().certificate for _ in range(10_000))  # each is signed anew, with another salt
    vek = next(one for one in certificates if one[-512] == 0)
    short = der.sequence(vek[4 : vek.rindex(PSS_PLAIN)], PSS_PLAIN, der.bit_string(vek[-511:]))
    _verify(vek=vek)
    _refused(Check.VEK_CHAIN, "does not verify", vek=short)


# --- roots -------------------------------------------------------------------------------------------------


def test_the_pinned_roots_are_those_of_amd(vectors: Path) -> None:
    assert [root.line for root in AMD_ROOTS] == [root.line for root in SIMULATOR_ROOTS] == list(ProductLine)
    for root in AMD_ROOTS:
        assert replace(unsafe_root(anchor(vectors, f"ARK-{root.line}"), "ark"), kind=RootKind.AMD) == root


def test_a_root_is_of_one_line() -> None:
    """List the digest of Genoa's root for Milan: the digest matches, but the names do not."""
    _refused(Check.VEK_CHAIN, "ARK-Milan", roots=(replace(_AMD.trusted_root(), line=ProductLine.MILAN),))


def test_the_kind_of_the_root_is_told() -> None:
    assert _verify(roots=SIMULATOR_ROOTS + AMD_ROOTS).root_kind is RootKind.SIMULATOR
    assert _verify(roots=(_AMD.trusted_root(RootKind.UNSAFE),)).root_kind is RootKind.UNSAFE
    _refused(Check.VEK_CHAIN, "a pinned root (amd)", roots=AMD_ROOTS)
    _refused(Check.VEK_CHAIN, "root is not trusted", roots=())


def test_the_simulator_and_amd_are_named_where_the_other_is_trusted(vectors: Path) -> None:
    _refused(Check.VEK_CHAIN, "this evidence is SIMULATED; --policy demo accepts it", roots=AMD_ROOTS)
    real = real_set(vectors, "genoa-v3-mstav-aci")
    endorsements = parse_endorsements(real.evidence.vek, real.evidence.chain, None)
    with pytest.raises(VerificationError, match="this evidence is AMD's, not simulated; --policy baseline"):
        verify_chain(endorsements, roots=SIMULATOR_ROOTS, at=real.at)


def test_an_intermediate_cannot_take_the_place_of_the_root() -> None:
    """Name an ASK key's certificate like the root: its digest differs, so it is not a root."""
    name = Name("ARK-Genoa")
    forged = _AMD.reissue(CaRole.ARK, signed_by=CaRole.ASK, subject=name, issuer=name)
    _refused(Check.VEK_CHAIN, "root is not trusted", forged, roots=(_AMD.trusted_root(),))
    # even if it were trusted, it would be refused, because a root is self-signed
    _refused(Check.VEK_CHAIN, "does not verify", forged)


# --- moments and lists -------------------------------------------------------------------------------------


def test_a_moment_may_be_told_in_any_time_zone() -> None:
    vek = _GUEST.vek(not_before=_AT, not_after=_AT).certificate
    zone = datetime.fromisoformat("2026-11-21T12:00:00-08:00").tzinfo
    _verify(vek=vek, at=_AT.astimezone(zone))
    _refused(Check.VEK_VALIDITY, "SEV-VCEK", vek=vek, at=_AT.replace(tzinfo=zone))


def test_revoked_is_said_before_anything_of_the_vek() -> None:
    revoked = _GUEST.crl(revoked=(_AMD.authorities[CaRole.ASK].template.serial,))
    for vek in (
        _GUEST.vek(not_after=_AT - _SECOND),
        _GUEST.vek(signed_by=CaRole.ASVK),
        _GUEST.vek(subject=Name("SEV-VCEK", organization="AMD")),
    ):
        _refused(Check.VEK_REVOCATION, "SEV-Genoa is revoked", vek=vek.certificate, crl=revoked)


@pytest.mark.parametrize("days", [-3000, -2, 0, 2, 3000])
def test_revoked_is_revoked_at_any_age_of_the_list(days: int) -> None:
    serial = _AMD.authorities[CaRole.ASK].template.serial
    crl = _AMD.current_crl(_AT + timedelta(days=days), revoked=(1, 2, serial))
    _refused(Check.VEK_REVOCATION, "is revoked", crl=crl)


def test_a_forged_list_decides_nothing_whatever_it_says() -> None:
    serial = _AMD.authorities[CaRole.ASK].template.serial
    for revoked in ((), (serial,)):
        for dates in ({}, {"next_update": _AT - _SECOND}):
            crl = _GUEST.crl(revoked=revoked, signed_by=CaRole.ASK, **dates)
            _refused(Check.VEK_REVOCATION, "signature of the CRL", crl=crl)


def test_the_serial_of_veks_on_a_list_says_nothing() -> None:
    assert _verify(crl=_GUEST.crl(revoked=(0,))).revocation is RevocationStatus.NOT_REVOKED


def test_a_long_list_is_searched_to_its_end() -> None:
    serial = _AMD.authorities[CaRole.ASK].template.serial
    many = tuple(range(10**6, 10**6 + 12_000))
    assert _verify(crl=_GUEST.crl(revoked=many)).revocation is RevocationStatus.NOT_REVOKED
    _refused(Check.VEK_REVOCATION, "is revoked", crl=_GUEST.crl(revoked=(*many, serial)))
    with pytest.raises(FormatError):
        _verify(crl=_GUEST.crl(revoked=tuple(range(20_000))))

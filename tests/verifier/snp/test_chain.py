"""Tests of chains of real certificates: only the genuine chain verifies, and no changed byte or other root does."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from provenance_oracle.publisher.simulator import CaRole, FakeAmd, FakeGuest, X509Extension, der, forms
from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.errors import FormatError, UsageError, VerificationError
from provenance_oracle.verifier.snp.certificates import parse_certificate
from provenance_oracle.verifier.snp.chain import RevocationStatus, VerifiedChain, unsafe_root, verify_chain
from provenance_oracle.verifier.snp.endorsements import parse_endorsements
from provenance_oracle.verifier.snp.products import AMD_ROOTS, ProductLine, RootKind
from provenance_oracle.verifier.snp.report import SigningKey
from tests.support.real_sets import NAMES, RealSet, anchor, crl, judge, real_set

_AT = datetime(2026, 11, 21, 12, tzinfo=UTC)
_ARKS = ("ARK-Milan", "ARK-Genoa", "ARK-Turin")
_INTERMEDIATES = (
    "SEV-Milan",
    "SEV-Genoa",
    "SEV-Genoa-REVOKED-serial131073",
    "SEV-Turin",
    "SEV-VLEK-Milan",
    "SEV-VLEK-Genoa",
    "SEV-VLEK-Turin",
)


def _verify(real: RealSet, chain: bytes, at: datetime, revocation: bytes | None = None) -> VerifiedChain:
    return verify_chain(parse_endorsements(real.evidence.vek, chain, revocation), roots=AMD_ROOTS, at=at)


@pytest.mark.parametrize("name", ["milan-v2-automata-gcp", "milan-v3-VLEK-trustee-aws", "turin-v5-mstav-aci"])
def test_one_pair_of_links_holds_and_no_other(vectors: Path, name: str) -> None:
    real = real_set(vectors, name)
    holding = set()
    for intermediate in _INTERMEDIATES:
        for ark in _ARKS:
            try:
                chain = _verify(real, anchor(vectors, intermediate) + anchor(vectors, ark), real.at)
            except VerificationError as error:
                assert error.check is Check.VEK_CHAIN
                continue
            assert (chain.root_kind, chain.at, chain.revocation) == (
                RootKind.AMD,
                real.at,
                RevocationStatus.UNAVAILABLE,
            )
            holding.add((intermediate, ark, str(chain.line)))
    line = real.manifest["product"]
    kind = "VLEK-" if real.manifest["signing_key"] == "VLEK" else ""
    assert holding == {(f"SEV-{kind}{line}", f"ARK-{line}", line)}


def test_every_real_chain_says_its_line(vectors: Path) -> None:
    for name in NAMES:
        real = real_set(vectors, name)
        assert _verify(real, real.evidence.chain, real.at).line == real.manifest["product"]


@pytest.mark.parametrize("part", ["vek", "intermediate", "ark"])
def test_a_bit_changed_anywhere_breaks_the_chain(vectors: Path, part: str) -> None:
    real = real_set(vectors, "genoa-v3-mstav-aci")
    files = {"vek": real.evidence.vek, "intermediate": real.intermediate, "ark": real.ark}
    for at in range(len(files[part])):
        changed = bytearray(files[part])
        changed[at] ^= 1 << at % 8
        now = files | {part: bytes(changed)}
        evidence = replace(real.evidence, vek=now["vek"], chain=now["intermediate"] + now["ark"])
        with pytest.raises((FormatError, VerificationError)) as caught:
            judge(evidence, real.at)
        assert caught.value.check in {Check.ENDORSEMENTS_FORMAT, Check.VEK_CHAIN, Check.VEK_VALIDITY}


@pytest.mark.parametrize("name", ["ARK-Genoa-crl2-2022", "ARK-Genoa-crl4-2024"])
def test_a_bit_changed_anywhere_in_a_list_is_no_answer(vectors: Path, name: str) -> None:
    real = real_set(vectors, "genoa-v3-mstav-aci")
    revoked = anchor(vectors, "SEV-Genoa-REVOKED-serial131073") + real.ark
    genuine = crl(vectors, name)
    for at in range(len(genuine)):
        changed = bytearray(genuine)
        changed[at] ^= 1 << at % 8
        with pytest.raises((FormatError, VerificationError)) as caught:
            _verify(real, revoked, _AT, bytes(changed))
        assert caught.value.check in {Check.ENDORSEMENTS_FORMAT, Check.VEK_REVOCATION}
        assert "is revoked" not in str(caught.value)


def test_a_moment_must_have_a_time_zone(vectors: Path) -> None:
    real = real_set(vectors, "milan-v3-dstack")
    with pytest.raises(UsageError, match="time zone"):
        _verify(real, real.evidence.chain, real.at.replace(tzinfo=None))
    in_tokyo = real.at.astimezone(timezone(timedelta(hours=9)))
    assert _verify(real, real.evidence.chain, in_tokyo).at == real.at


def test_failures_are_called_by_what_is_nearest_to_the_root(vectors: Path) -> None:
    """Start with every part wrong. Each repair, from the root down, makes the next check fail."""
    guest = FakeGuest.on(FakeAmd.load(ProductLine.GENOA), at=_AT)
    ask = guest.amd.authorities[CaRole.ASK].template
    vek = guest.vek(signed_by=CaRole.ASVK, issuer=ask.subject, not_after=_AT - timedelta(days=1)).certificate
    bad_ask = guest.amd.reissue(CaRole.ASK, signed_by=CaRole.ASVK, not_after=_AT - timedelta(days=1))
    old_ask = guest.amd.reissue(CaRole.ASK, not_after=_AT - timedelta(days=1))
    revoking = guest.crl(revoked=(ask.serial,))
    good_vek = guest.vek(not_after=_AT - timedelta(days=1)).certificate
    for amd, veks, revocation, check in (
        (bad_ask, vek, revoking, Check.VEK_CHAIN),
        (old_ask, vek, revoking, Check.VEK_VALIDITY),
        (guest.amd, vek, revoking, Check.VEK_REVOCATION),
        (guest.amd, vek, guest.crl(), Check.VEK_CHAIN),
        (guest.amd, good_vek, guest.crl(), Check.VEK_VALIDITY),
    ):
        endorsements = parse_endorsements(veks, amd.chain_pem(SigningKey.VCEK), revocation)
        with pytest.raises(VerificationError) as caught:
            verify_chain(endorsements, roots=(guest.amd.trusted_root(),), at=_AT)
        assert caught.value.check is check


def test_both_forms_of_the_pss_parameters_are_amds(vectors: Path) -> None:
    """Many VCEKs of Milan encode the default trailerField, as the authorities do; other VEKs omit it."""
    with_trailer = {name for name in NAMES if bytes.fromhex("a303020101") in real_set(vectors, name).evidence.vek}
    assert with_trailer
    assert with_trailer < {name for name in NAMES if name.startswith("milan-v2")}


def test_a_vek_has_no_rsa_key(vectors: Path) -> None:
    guest = FakeGuest.on(FakeAmd.load(ProductLine.GENOA), at=_AT)
    spki = parse_certificate(anchor(vectors, "SEV-Milan"), "ask").spki
    endorsements = parse_endorsements(guest.vek(spki=spki).certificate, guest.amd.chain_pem(SigningKey.VCEK), None)
    with pytest.raises(VerificationError, match="kind of key"):
        verify_chain(endorsements, roots=(guest.amd.trusted_root(),), at=_AT)


@pytest.mark.parametrize("line", ProductLine)
def test_an_unsafe_root_is_marked_so(vectors: Path, line: ProductLine) -> None:
    amd = FakeAmd.load(line).reissue(CaRole.ARK)  # an ARK that is not the pinned one
    root = unsafe_root(amd.ark.certificate, "root.der")
    assert (root.line, root.kind) == (line, RootKind.UNSAFE)
    assert unsafe_root(anchor(vectors, f"ARK-{line}"), "root.der").kind is RootKind.UNSAFE
    guest = FakeGuest.on(amd, at=_AT)
    assert judge(guest.evidence(bytes(64)), _AT, (root,)).root_kind is RootKind.UNSAFE


def test_only_one_ark_can_be_an_unsafe_root(vectors: Path) -> None:
    ark = anchor(vectors, "ARK-Milan")
    for data in (b"", ark + ark, ark[:-1], b"garbage"):
        with pytest.raises(FormatError):
            unsafe_root(data, "root.der")
    with pytest.raises(VerificationError):
        unsafe_root(anchor(vectors, "SEV-Milan"), "root.der")


@pytest.mark.parametrize("role", [CaRole.ARK, CaRole.ASK])
@pytest.mark.parametrize("usage", [b"", b"\x03", der.bit_string(b""), der.bit_string(b"\x06\x80", 7), der.integer(6)])
def test_a_key_usage_of_another_form_is_refused(role: CaRole, usage: bytes) -> None:
    guest = FakeGuest.on(FakeAmd.load(ProductLine.GENOA), at=_AT)
    extensions = guest.amd.authorities[role].template.extensions
    other = X509Extension(forms.KEY_USAGE, usage, critical=True)
    amd = guest.amd.reissue(role, extensions=tuple(other if e.oid == other.oid else e for e in extensions))
    endorsements = parse_endorsements(guest.vek().certificate, amd.chain_pem(SigningKey.VCEK), None)
    with pytest.raises(VerificationError, match="key usage") as caught:
        verify_chain(endorsements, roots=(amd.trusted_root(),), at=_AT)
    assert caught.value.check is Check.VEK_CHAIN

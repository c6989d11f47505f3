"""Run Wycheproof's cases for P-384/SHA-384 and RSA-PSS-4096/SHA-384/48 through the functions that verify evidence.

An ECDSA case becomes a report: r and s are written, little-endian, into the tail of a real report, and the message of
the case replaces the signed bytes. A PSS case becomes the signature of a certificate.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_der_public_key

from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.errors import FormatError, ProvenanceError, VerificationError
from provenance_oracle.verifier.snp.authority import PSS_PLAIN, verify_pss
from provenance_oracle.verifier.snp.certificates import Signed
from provenance_oracle.verifier.snp.chain import verify_chain
from provenance_oracle.verifier.snp.der import INTEGER, SEQUENCE, parse_der
from provenance_oracle.verifier.snp.endorsements import parse_endorsements
from provenance_oracle.verifier.snp.products import AMD_ROOTS
from provenance_oracle.verifier.snp.report import SIGNED_BYTES, parse_report
from provenance_oracle.verifier.snp.signature import MatchedVek, match_vek_to_report, verify_report_signature
from tests.support.real_sets import real_set

_COMPONENT_BYTES = 72


@pytest.fixture(scope="module")
def matched(vectors: Path) -> tuple[bytes, MatchedVek]:
    """Return a real report and the result of matching it with its VEK."""
    real = real_set(vectors, "milan-v3-dstack")
    endorsements = parse_endorsements(real.evidence.vek, real.evidence.chain, None)
    chain = verify_chain(endorsements, roots=AMD_ROOTS, at=real.at)
    return real.evidence.report, match_vek_to_report(chain, parse_report(real.evidence.report))


@pytest.mark.parametrize(
    ("name", "count"), [("ecdsa_secp384r1_sha384_test", 504), ("ecdsa_secp384r1_sha384_p1363_test", 280)]
)
def test_report_signatures_agree(vectors: Path, matched: tuple[bytes, MatchedVek], name: str, count: int) -> None:
    report, genuine = matched
    differ, cases = [], 0
    for group, case in _cases(vectors, name):
        cases += 1
        signature = bytes.fromhex(case["sig"])
        accepted = False
        try:
            r, s = _split_fixed(signature) if "p1363" in name else _split_der(signature)
            tail = r.to_bytes(_COMPONENT_BYTES, "little") + s.to_bytes(_COMPONENT_BYTES, "little")
            parsed = parse_report(report[:SIGNED_BYTES] + tail + bytes(len(report) - SIGNED_BYTES - len(tail)))
            message = replace(parsed, signed=bytes.fromhex(case["msg"]))
            verify_report_signature(_with_key(replace(genuine, report=message), group["publicKeyDer"]))
            accepted = True
        except ProvenanceError as error:
            assert error.check in {Check.REPORT_FORMAT, Check.REPORT_SIGNATURE}
        if accepted is not (case["result"] == "valid"):
            differ.append((case["tcId"], case["comment"]))
    assert (differ, cases) == ([], count)


def _with_key(matched: MatchedVek, spki_hex: str) -> MatchedVek:
    endorsements = matched.chain.endorsements
    key = load_der_public_key(bytes.fromhex(spki_hex))
    assert isinstance(key, EllipticCurvePublicKey)
    certificate = replace(endorsements.vek.certificate, key=key)
    vek = replace(endorsements.vek, certificate=certificate)
    return replace(matched, chain=replace(matched.chain, endorsements=replace(endorsements, vek=vek)))


def _split_fixed(signature: bytes) -> tuple[int, int]:
    if len(signature) != 96:
        raise _problem("length", str(len(signature)), "96")
    return int.from_bytes(signature[:48], "big"), int.from_bytes(signature[48:], "big")


def _split_der(signature: bytes) -> tuple[int, int]:
    """Split with the parser for certificates, which must refuse every encoding of two numbers that is not DER."""
    value = parse_der(signature, _problem)
    contents = [child.content for child in value.children if child.tag == INTEGER]
    if value.tag != SEQUENCE or len(contents) != len(value.children) or len(contents) != 2:
        raise _problem("signature", signature.hex(), "two numbers")
    if any(content[0] & 0x80 or len(content) > _COMPONENT_BYTES for content in contents):
        raise _problem("signature", signature.hex(), "numbers that a report can hold")
    return int.from_bytes(contents[0], "big"), int.from_bytes(contents[1], "big")


def _problem(what: str, got: str, wanted: str) -> FormatError:
    return FormatError(what, check=Check.REPORT_FORMAT, got=got, wanted=wanted)


def test_chain_signatures_agree(vectors: Path, matched: tuple[bytes, MatchedVek]) -> None:
    issuer = matched[1].chain.endorsements.ark
    differ, cases = [], 0
    for group, case in _cases(vectors, "rsa_pss_4096_sha384_mgf1_48_test"):
        cases += 1
        spki = bytes.fromhex(group["publicKeyDer"])
        key = load_der_public_key(spki)
        assert isinstance(key, RSAPublicKey)
        signed = Signed(bytes.fromhex(case["msg"]), PSS_PLAIN, bytes.fromhex(case["sig"]))
        accepted = False
        try:
            verify_pss(signed, replace(issuer, key=key, spki=spki), Check.VEK_CHAIN, "test", "test")
            accepted = True
        except VerificationError as error:
            assert error.check is Check.VEK_CHAIN
        if accepted is not (case["result"] == "valid"):
            differ.append((case["tcId"], case["comment"]))
    assert (differ, cases) == ([], 141)


def _cases(vectors: Path, name: str) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    groups = json.loads((vectors / "wycheproof" / f"{name}.json").read_text())["testGroups"]
    return ((group, case) for group in groups for case in group["tests"])

"""Tests of the wrapping of timestamps: what nothing signs has one form."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from provenance_oracle.publisher.simulator import der
from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.errors import FormatError, VerificationError
from provenance_oracle.verifier.identity.stamp_form import parse_stamp_form
from provenance_oracle.verifier.snp.der import Value, parse_der
from tests.support.fake_sigstore import FakeSigstore
from tests.verifier.identity.test_keyless import judged

_WORLD = replace(FakeSigstore(), stamped=True)
_SIGNED = (1, 1, 0)  # the place of SignedData in a response
_SIGNER = (*_SIGNED, 4, 0)
_OWN, _ROOT = (one.public_bytes(Encoding.DER) for one in _WORLD.tsa_chain)
_FOREIGN = _WORLD.chain[0].public_bytes(Encoding.DER)
_SHA256 = der.sequence(der.object_identifier("2.16.840.1.101.3.4.2.1"), der.null())
_BARE_SHA256 = der.sequence(der.object_identifier("2.16.840.1.101.3.4.2.1"))


def _problem(what: str, got: str, wanted: str) -> FormatError:
    return FormatError(what, check=Check.PUBLISHER_SIGNATURE, got=got, wanted=wanted)


def _good() -> bytes:
    (stamp,) = _WORLD.bundle()["verificationMaterial"]["timestampVerificationData"]["rfc3161Timestamps"]
    return base64.b64decode(stamp["signedTimestamp"])


def _with(place: Sequence[int], new: bytes, value: Value | None = None) -> bytes:
    """Return the good timestamp with the value at a place replaced, or with one more value behind the last."""
    value = value or parse_der(_good(), _problem, 20)
    if not place:
        return new
    children = [child.encoding for child in value.children]
    at, *inner = place
    children[at : at + 1] = [new if at == len(children) else _with(inner, new, value.children[at])]
    return der.tlv(value.tag, *children)


_ODD = {
    "another version of the data": _with((*_SIGNED, 0), der.integer(4)),
    "another version of the signer": _with((*_SIGNER, 0), der.integer(2)),
    "another form of the listed hash": _with((*_SIGNED, 1, 0), _BARE_SHA256),
    "another form of the signer's hash": _with((*_SIGNER, 2), _BARE_SHA256),
    "an attribute that is not signed": _with((*_SIGNER, 6), der.tlv(0xA1)),
    "a text beside the status": _with((0, 1), der.sequence(der.tlv(0x0C, b"fine"))),
    "no list where one could be": _with((*_SIGNED, 3), der.tlv(0xA1)),
    "two hashes": _with((*_SIGNED, 1), der.tlv(0x31, _BARE_SHA256, _SHA256)),
}


def test_the_certificates_of_a_good_timestamp() -> None:
    assert parse_stamp_form(_good(), _problem).certificates == (_OWN,)
    assert judged(_WORLD)


@pytest.mark.parametrize("name", _ODD)
def test_another_form_is_malformed(name: str) -> None:
    with pytest.raises(FormatError, match="another structure"):
        parse_stamp_form(_ODD[name], _problem)


def _judge(stamp: bytes) -> None:
    bundle = _WORLD.bundle()
    (held,) = bundle["verificationMaterial"]["timestampVerificationData"]["rfc3161Timestamps"]
    held["signedTimestamp"] = base64.b64encode(stamp).decode()
    judged(_WORLD, bundle=bundle)


def test_a_form_that_the_library_takes_is_refused() -> None:
    with pytest.raises(VerificationError, match="malformed timestamp"):
        _judge(_ODD["another version of the data"])


@pytest.mark.parametrize("held", [(_OWN, _FOREIGN), (_ROOT,)], ids=["a foreign one", "not the signer's"])
def test_a_timestamp_holds_only_certificates_of_its_authority(held: tuple[bytes, ...]) -> None:
    stamp = _with((*_SIGNED, 3), der.tlv(0xA0, *held))
    assert not parse_stamp_form(stamp, _problem).fits(_WORLD.tsa_chain)
    with pytest.raises(VerificationError, match="no authority made" if held == (_ROOT,) else "sigstore refuses"):
        _judge(stamp)


def test_a_timestamp_may_hold_its_whole_chain_or_nothing() -> None:
    for held in (der.tlv(0xA0, _OWN, _ROOT), b""):
        assert parse_stamp_form(_with((*_SIGNED, 3), held), _problem).fits(_WORLD.tsa_chain)


def test_the_algorithm_is_that_of_the_key_and_the_hash() -> None:
    for algorithm in ("300a06082a8648ce3d040303", "300a06082a8648ce3d040102", "300c06082a8648ce3d0403020500"):
        stamp = _with((*_SIGNER, 4), bytes.fromhex(algorithm))
        assert not parse_stamp_form(stamp, _problem).fits(_WORLD.tsa_chain)
        with pytest.raises(VerificationError):
            _judge(stamp)

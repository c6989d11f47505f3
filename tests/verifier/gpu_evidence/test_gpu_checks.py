"""Evidence of a fake GPU with one deviation each: only the rule that it breaks refuses it."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given, settings
from hypothesis import strategies as st

from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.errors import FormatError, VerificationError
from provenance_oracle.verifier.gpu_evidence.bundle import GPU_FILE_MAX_BYTES, parse_gpu_bundle
from provenance_oracle.verifier.gpu_evidence.spdm import parse_measurements
from provenance_oracle.verifier.gpu_evidence.verify import gpu_nonce, match_gpu_nonce, verify_gpu_evidence
from tests.support.fake_gpus import FWID, FakeGpu, gpu_key, messages, spki_of

AT = datetime(2026, 11, 29, tzinfo=UTC)
KEY = spki_of(ec.derive_private_key(7, ec.SECP256R1()))
NONCE = gpu_nonce(KEY)
GPU = FakeGpu()
OTHER = ec.derive_private_key(8, ec.SECP384R1())
GOOD = GPU.messages(NONCE)

# Each deviation with a part of the message of the rule that must refuse it.
_REFUSED = {
    "root is not trusted": GPU.with_certificate(4, key=OTHER, signer=OTHER),
    "wrong issuer": GPU.with_certificate(1, issuer="NVIDIA"),
    "wrong authority key id": GPU.with_certificate(1, authority_of=OTHER),
    "invalid signature": GPU.with_certificate(2, signer=OTHER),
    "wrong signature algorithm": GPU.with_certificate(3, hash_name="sha256"),
    "wrong kind of key": GPU.with_certificate(0, key=ec.derive_private_key(9, ec.SECP256R1())),
    "not valid at this time": GPU.with_certificate(0, not_after=datetime(2026, 11, 28, tzinfo=UTC)),
    "unknown extensions": GPU.with_certificate(1, more=(("1.2.3.4", False),)),
    "wrong critical extensions": GPU.with_certificate(0, is_authority=True),
    "wrong key usage": GPU.with_certificate(0, usage=("digital_signature", "key_cert_sign")),
    "wrong number of firmware id extensions": GPU.with_certificate(0, firmware=()),
    "no firmware id": GPU.with_certificate(0, firmware=(bytes(48),)),
    "another architecture": replace(GPU, arch="BLACKWELL"),
    "the signature does not verify": replace(GPU, signer=OTHER),
    "for other firmware": replace(GPU, firmware=bytes(48)),
    "not that of the evidence": replace(GPU, nonce_beside=bytes(32)),
}


def _verify(gpu: FakeGpu, root: bytes) -> Any:
    bundle = parse_gpu_bundle(gpu.file(NONCE), "gpu-0.json")
    return verify_gpu_evidence(bundle, at=AT, roots=(root,))


def test_evidence_for_the_key_is_accepted() -> None:
    claims = _verify(GPU, GPU.root)
    match_gpu_nonce(claims, KEY)
    assert (claims.chip, claims.measurements.driver_version) == ("GH100 A01 GSP BROM", "580.95.05")
    with pytest.raises(VerificationError, match="not made for this key"):
        match_gpu_nonce(claims, KEY + b"\0")


@pytest.mark.parametrize("problem", _REFUSED)
def test_only_this_rule_refuses(problem: str) -> None:
    with pytest.raises(VerificationError, match=problem) as caught:
        _verify(_REFUSED[problem], GPU.root)
    assert (caught.value.check, caught.value.where) == (Check.GPU_EVIDENCE, "gpu-0.json")
    assert caught.value.got
    assert caught.value.wanted


def test_an_intermediate_that_is_no_authority_is_refused() -> None:
    with pytest.raises(VerificationError, match="wrong critical extensions"):
        _verify(GPU.with_certificate(2, is_authority=False), GPU.root)


@pytest.mark.parametrize("count", [0, 1, 4])
def test_a_chain_has_five_certificates(count: int) -> None:
    with pytest.raises(FormatError, match="wrong number of certificates"):
        _verify(replace(GPU, certificates=count), GPU.root)


# --- the file ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "changes",
    [
        {"arch": "LS10"},
        {"arch": 1},
        {"nonce": "AB" * 32},
        {"nonce": "ab" * 31},
        {"evidence": "!"},
        {"evidence": base64.b64encode(bytes(0x2001)).decode()},
        {"certificate": base64.b64encode(b"-----BEGIN CERTIFICATE-----\n").decode()},
        {"more": ""},
    ],
)
def test_a_file_of_another_form_is_malformed(changes: dict[str, Any]) -> None:
    with pytest.raises(FormatError) as caught:
        data = json.dumps(GPU.document(NONCE) | changes).encode()
        verify_gpu_evidence(parse_gpu_bundle(data, "gpu-0.json"), at=AT, roots=(GPU.root,))
    assert caught.value.check is Check.GPU_EVIDENCE


@pytest.mark.parametrize("key", ["arch", "evidence", "certificate", "nonce"])
def test_a_file_without_a_member_is_malformed(key: str) -> None:
    document = GPU.document(NONCE)
    del document[key]
    with pytest.raises(FormatError, match="missing"):
        parse_gpu_bundle(json.dumps(document).encode(), "gpu-0.json")


def test_a_file_is_bounded() -> None:
    with pytest.raises(FormatError, match="too large"):
        parse_gpu_bundle(GPU.file(NONCE) + b" " * GPU_FILE_MAX_BYTES, "gpu-0.json")


# --- the messages --------------------------------------------------------------------------------------------------

_RECORD = 37 + 8
_AFTER = _RECORD + 64 * 55


def _put(at: int, value: bytes) -> bytes:
    return GOOD[:at] + value + GOOD[at + len(value) :]


@pytest.mark.parametrize(
    ("at", "value", "problem"),
    [
        (0, b"\x10", "not an SPDM 1.1 request"),
        (2, b"\x00", "not an SPDM 1.1 request"),
        (3, b"\x01", "not an SPDM 1.1 request"),
        (36, b"\x08", "unknown slot"),
        (37, b"\x12", "not an SPDM 1.1 response"),
        (38, b"\x7f", "not an SPDM 1.1 response"),
        (40, b"\x01", "of another slot"),
        (41, b"\x00", "no measurements"),
        (41, b"\x3f", "bytes after the last measurement"),
        (41, b"\x41", "cut short"),
        (42, b"\xff\xff\xff", "the measurements: cut short"),
        (_RECORD, b"\x00", "out of order"),
        (_RECORD + 55, b"\x01", "out of order"),
        (_RECORD + 63 * 55, b"\xff", "out of order"),
        (_RECORD + 1, b"\x02", "unknown measurement specification"),
        (_RECORD + 2, b"\x34", "conflicting sizes"),
        (_RECORD + 5, b"\x31", "conflicting sizes"),
        (_AFTER + 32, b"\x01\x04", "too many fields"),
        (_AFTER + 34 + 14, b"\x03", "a field occurs twice"),
        (_AFTER + 34 + 2, b"\xff\x03", "cut short"),
        (len(GOOD) - 96, bytes(48), "invalid signature"),
        (len(GOOD) - 48, b"\xff" * 48, "invalid signature"),
    ],
)
def test_each_field_of_the_messages_is_checked(at: int, value: bytes, problem: str) -> None:
    with pytest.raises(FormatError, match=problem) as caught:
        parse_measurements(_put(at, value), "gpu-0.json")
    assert caught.value.check is Check.GPU_EVIDENCE


@settings(max_examples=40)
@given(
    st.binary(min_size=32, max_size=32),
    st.lists(st.binary(max_size=64), min_size=1, max_size=8),
    st.dictionaries(st.integers(0, 2**16 - 1), st.binary(max_size=40), max_size=8),
)
def test_the_parser_gives_back_what_was_written(nonce: bytes, values: list[bytes], fields: dict[int, bytes]) -> None:
    data = messages(nonce, values, list(fields.items()), gpu_key(0))
    found = parse_measurements(data, "x")
    assert (found.nonce, found.opaque, found.signed) == (nonce, fields, data[:-96])
    assert [(one.index, one.kind, one.value) for one in found.measurements] == [
        (index, 1, value) for index, value in enumerate(values, 1)
    ]


@settings(max_examples=50)
@given(st.binary(max_size=200))
def test_any_bytes_are_parsed_or_malformed(tail: bytes) -> None:
    for data in (tail, GOOD[:45] + tail, GOOD[:_AFTER] + tail, GOOD[:37] + b"\x11\x60\x00\x00" + tail):
        with pytest.raises(FormatError) as caught:
            parse_measurements(data, "x")
        assert caught.value.check is Check.GPU_EVIDENCE


def test_versions_that_are_not_told_are_empty() -> None:
    found = parse_measurements(messages(NONCE, [b""], [(6, b"\1"), (20, FWID)], gpu_key(0)), "x")
    assert (found.driver_version, found.vbios_version) == ("", "")

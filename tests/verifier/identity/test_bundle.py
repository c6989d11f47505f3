"""Tests of the parser of bundles: forms that signers write, malformed bundles, mutations."""

from __future__ import annotations

import base64
import copy
import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.errors import FormatError
from provenance_oracle.verifier.identity.bundle import SignatureBundle, SigningMethod, parse_bundle
from tests.support.model_signatures import key_bundle

CERTIFICATE = {"rawBytes": base64.b64encode(b"certificate").decode()}
DIGEST = base64.b64encode(bytes(32)).decode()
STRAY = DIGEST[:-2] + "B="  # the same bytes
ENTRY: dict[str, Any] = {
    "logIndex": "12",
    "logId": {"keyId": DIGEST},
    "kindVersion": {"kind": "dsse", "version": "0.0.1"},
    "integratedTime": "1760062340",
    "inclusionPromise": {"signedEntryTimestamp": "MEUC"},
    "inclusionProof": {
        "logIndex": "2",
        "rootHash": DIGEST,
        "treeSize": "3",
        "hashes": [DIGEST],
        "checkpoint": {"envelope": "log\n3\n"},
    },
    "canonicalizedBody": "e30=",
}
KEYLESS = {"certificate": CERTIFICATE, "tlogEntries": [ENTRY], "timestampVerificationData": {}}


def bundle(material: object = None, **changes: object) -> dict[str, Any]:
    members = copy.deepcopy(key_bundle()) | changes
    if material is not None:
        members["verificationMaterial"] = material
    return {key: value for key, value in members.items() if value is not ...}


def parsed(members: object) -> SignatureBundle:
    return parse_bundle(json.dumps(members).encode(), "model.sig")


def at(members: dict[str, Any], path: str, value: object) -> dict[str, Any]:
    """Return a copy in which the member at `path` has another value, or none for `...`."""
    changed = copy.deepcopy(members)
    *steps, last = path.split(".")
    place: Any = changed
    for step in steps:
        place = place[int(step) if step.isdigit() else step]
    if value is ...:
        del place[last]
    else:
        place[last] = value
    return changed


def test_a_key_is_named_by_its_hint_or_given_in_old_bundles() -> None:
    assert parsed(key_bundle()).method is SigningMethod.KEY
    assert len(parsed(key_bundle()).key_hint) == 64
    assert parsed(bundle({"publicKey": {}})).key_hint == ""
    old = {"publicKey": {"rawBytes": "LS0t", "keyDetails": "PKIX_ECDSA_P384_SHA_384"}, "timestampVerificationData": {}}
    assert parsed(bundle(old)).raw_key == b"---"


def test_a_chain_of_certificates_is_kept_in_its_order() -> None:
    other = {"rawBytes": base64.b64encode(b"ca").decode()}
    found = parsed(bundle({"x509CertificateChain": {"certificates": [CERTIFICATE, other]}}))
    assert (found.method, found.certificates) == (SigningMethod.CERTIFICATE, (b"certificate", b"ca"))


def test_a_keyless_bundle_has_one_entry_of_the_log() -> None:
    found = parsed(bundle(KEYLESS))
    assert (found.method, found.certificates, found.stamps) == (SigningMethod.SIGSTORE, (b"certificate",), ())
    assert found.entry is not None
    assert (found.entry.index, found.entry.proof_index, found.entry.tree_size) == (12, 2, 3)
    assert (found.entry.kind, found.entry.integrated_seconds) == ("dsse 0.0.1", 1760062340)
    stamp = {"rfc3161Timestamps": [{"signedTimestamp": "MAA="}]}
    assert parsed(bundle(KEYLESS | {"timestampVerificationData": stamp})).stamps == (b"0\0",)


@pytest.mark.parametrize("keyid", ["", None])
def test_a_key_id_may_be_empty(keyid: object) -> None:
    assert parsed(at(key_bundle(), "dsseEnvelope.signatures.0.keyid", keyid)).envelope.keyid == ""


@pytest.mark.parametrize(
    ("members", "wanted"),
    [
        ([], "an object"),
        (bundle(mediaType="application/vnd.dev.sigstore.bundle.v0.4+json"), "v0.3"),
        (bundle(mediaType=...), "mediaType"),
        (bundle(dsseEnvelope=...), "dsseEnvelope"),
        (bundle(messageSignature={}), "only keys"),
        (bundle({}), "publicKey or"),
        (bundle({"publicKey": {}, "certificate": CERTIFICATE}), "publicKey or"),
        (bundle({"publicKey": {}, "tlogEntries": [ENTRY]}), "exactly 0|0 to 0"),
        (bundle({"publicKey": {}, "timestampVerificationData": {"rfc3161Timestamps": []}}), "only keys"),
        (bundle({"x509CertificateChain": {"certificates": []}}), "1 to 8"),
        (bundle({"x509CertificateChain": {"certificates": [CERTIFICATE]}, "tlogEntries": [ENTRY]}), "exactly 0|0 to 0"),
        (bundle({"certificate": CERTIFICATE}), "tlogEntries"),
        (bundle(KEYLESS | {"tlogEntries": []}), "exactly 1"),
        (bundle(KEYLESS | {"tlogEntries": [ENTRY, ENTRY]}), "exactly 1"),
        (at(bundle(KEYLESS), "verificationMaterial.tlogEntries.0.logIndex", "012"), "decimal"),
        (at(bundle(KEYLESS), "verificationMaterial.tlogEntries.0.logIndex", 12), "a string"),
        (at(bundle(KEYLESS), "verificationMaterial.tlogEntries.0.logIndex", "9" * 19), "decimal"),
        (at(bundle(KEYLESS), "verificationMaterial.tlogEntries.0.inclusionProof", ...), "inclusionProof"),
        (at(bundle(KEYLESS), "verificationMaterial.tlogEntries.0.inclusionProof.checkpoint", ...), "checkpoint"),
        (at(bundle(KEYLESS), "verificationMaterial.tlogEntries.0.inclusionProof.rootHash", "AAAA"), "32 bytes"),
        (at(bundle(KEYLESS), "verificationMaterial.tlogEntries.0.inclusionProof.hashes", ["AAAA"]), "32 bytes"),
        (at(bundle(KEYLESS), "verificationMaterial.tlogEntries.0.inclusionProof.hashes", [DIGEST] * 65), "at most 64"),
        (at(bundle(KEYLESS), "verificationMaterial.tlogEntries.0.inclusionProof.hashes", [1]), "32 bytes"),
        (at(bundle(KEYLESS), "verificationMaterial.tlogEntries.0.inclusionProof.hashes", [STRAY]), "canonical base64"),
        (
            at(bundle(KEYLESS), "verificationMaterial.tlogEntries.0.inclusionPromise.signedEntryTimestamp", ""),
            "a signature",
        ),
        (at(key_bundle(), "dsseEnvelope.payloadType", "text/plain"), "in-toto"),
        (at(key_bundle(), "dsseEnvelope.payload", "e30"), "padded"),
        (at(key_bundle(), "dsseEnvelope.payload", "e31="), "stray bits"),
        (at(key_bundle(), "dsseEnvelope.signatures", []), "exactly 1"),
        (at(key_bundle(), "dsseEnvelope.signatures", [{"sig": ""}] * 2), "exactly 1"),
        (at(key_bundle(), "dsseEnvelope.signatures.0.keyid", "x"), "no key id"),
        (at(key_bundle(), "dsseEnvelope.signatures.0.cert", "x"), "only keys"),
    ],
)
def test_refuses(members: object, wanted: str) -> None:
    with pytest.raises(FormatError, match=wanted) as refused:
        parsed(members)
    assert refused.value.check is Check.PUBLISHER_SIGNATURE
    assert refused.value.where.startswith("model.sig")


def test_a_key_of_an_object_must_not_occur_twice() -> None:
    text = json.dumps(key_bundle())
    with pytest.raises(FormatError, match="occurs twice"):
        parse_bundle(text.replace('{"mediaType"', '{"mediaType": "x", "mediaType"').encode(), "model.sig")


TEXTS = [json.dumps(bundle(material)).encode() for material in (None, KEYLESS)]


@given(st.sampled_from(TEXTS), st.integers(0, 1200), st.binary(max_size=3))
def test_changed_bytes_are_parsed_or_refused(text: bytes, position: int, other: bytes) -> None:
    with suppress(FormatError):
        parse_bundle(text[:position] + other + text[position + len(other) :], "model.sig")

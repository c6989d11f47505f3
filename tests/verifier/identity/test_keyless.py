"""Tests of keyless bundles of a private sigstore: each rule by a world in which only it is broken, logs v1 and v2."""

from __future__ import annotations

import base64
import copy
import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.errors import AppraisalError, ProvenanceError, VerificationError
from provenance_oracle.verifier.identity.bundle import parse_bundle
from provenance_oracle.verifier.identity.keyless import verify_keyless
from provenance_oracle.verifier.identity.names import parse_identity
from provenance_oracle.verifier.identity.publisher import PublisherTrust, verify_publisher
from provenance_oracle.verifier.identity.signer import ModelSigner
from provenance_oracle.verifier.identity.sigstore_root import load_pinned_root, parse_trusted_root
from tests.support.fake_sigstore import END, ISSUER, LINE, NOW, SIGNED_AT, START, FakeSigstore, utf8
from tests.support.odd_notes import GOOD_NOTES, ODD_NOTES

SECOND, DAY = timedelta(seconds=1), timedelta(days=1)
V1, V2 = FakeSigstore(), FakeSigstore(version=2)
WORLDS = {"v1": V1, "v1 stamped": replace(V1, stamped=True), "v2": V2}
Change = Callable[[dict[str, Any]], None]


def judged(
    world: FakeSigstore, *, at: datetime = NOW, bundle: dict[str, Any] | None = None, root: dict[str, Any] | None = None
) -> ModelSigner:
    data = json.dumps(bundle or world.bundle()).encode()
    trusted = parse_trusted_root(json.dumps(root or world.root()).encode(), "root.json")
    return verify_keyless(parse_bundle(data, "model.sig"), trusted, at=at)


@pytest.mark.parametrize("name", WORLDS)
def test_a_good_bundle_names_its_signer(name: str) -> None:
    signer = judged(WORLDS[name])
    assert (signer.lines, signer.signed_at) == ((LINE,), SIGNED_AT)
    assert signer.log_index == (1 if name == "v2" else 1001)


def test_without_a_promise_nobody_vouches_for_the_index() -> None:
    assert judged(replace(V1, promised=False, stamped=True)).log_index is None


@pytest.mark.parametrize(
    ("name", "line"),
    [
        (x509.UniformResourceIdentifier("https://example.org/me"), f"sigstore {ISSUER} uri:https://example.org/me"),
        (x509.OtherName(x509.ObjectIdentifier("1.3.6.1.4.1.57264.1.7"), utf8("me")), f"sigstore {ISSUER} other:me"),
        (x509.UniformResourceIdentifier("me@example.org"), f"sigstore {ISSUER} uri:me@example.org"),
    ],
)
def test_the_kind_of_a_name_is_part_of_the_identity(name: x509.GeneralName, line: str) -> None:
    assert judged(replace(V1, names=(name,))).lines == (line,)


@pytest.mark.parametrize("ref", ["@refs/heads/main", "@refs/tags/v1@rc", "@0123456789abcdef0123456789abcdef01234567"])
def test_a_workflow_is_named_without_its_ref(ref: str) -> None:
    workflow = "https://github.com/o/r/.github/workflows/sign.yml"
    world = replace(V1, extensions=(*V1.extensions, (9, utf8(workflow + ref))))
    assert judged(world).lines == (LINE, f"workflow {ISSUER} {workflow}")


def test_windows_include_both_ends() -> None:
    for field in ("log_window", "ca_window", "ct_window", "tsa_window", "leaf_window"):
        for window in ((SIGNED_AT, SIGNED_AT + DAY), (SIGNED_AT - DAY, SIGNED_AT), (SIGNED_AT, None)):
            for world in (replace(V1, stamped=True), V2):
                assert judged(replace(world, **{field: window})), (field, window)


@pytest.mark.parametrize("world", [V1, V2], ids=["v1", "v2"])
@pytest.mark.parametrize("window", [(SIGNED_AT + SECOND, END), (START, SIGNED_AT - SECOND)], ids=["early", "late"])
@pytest.mark.parametrize("field", ["log_window", "ca_window", "ct_window", "tsa_window", "leaf_window", "ca_validity"])
def test_a_key_outside_its_window_counts_nothing(
    world: FakeSigstore, field: str, window: tuple[datetime, datetime]
) -> None:
    refuse(replace(world, stamped=True, **{field: window}))


def refuse(world: FakeSigstore, **options: Any) -> None:
    with pytest.raises(ProvenanceError) as refused:
        judged(world, **options)
    assert refused.value.check is Check.PUBLISHER_SIGNATURE
    assert refused.value.exit_code in (3, 4)


BAD_WORLDS = {
    "in the future": ({}, NOW + 10 * DAY),
    "two names": ({"names": (*V1.names, x509.RFC822Name("you@example.org"))}, SIGNED_AT),
    "a DNS name": ({"names": (x509.DNSName("example.org"),)}, SIGNED_AT),
    "no SCT": ({"scts": 0}, SIGNED_AT),
    "two SCTs": ({"scts": 2}, SIGNED_AT),
    "an SCT of another time": ({"sct_at": START - DAY}, SIGNED_AT),
    "another purpose": ({"purposes": (ExtendedKeyUsageOID.SERVER_AUTH,)}, SIGNED_AT),
    "two issuers": ({"extensions": ((1, b"https://other.example"), (8, utf8(ISSUER)))}, SIGNED_AT),
    "no start": ({"log_window": (None, END)}, SIGNED_AT),
}


@pytest.mark.parametrize("world", [V1, V2], ids=["v1", "v2"])
@pytest.mark.parametrize("name", BAD_WORLDS)
def test_a_world_with_one_fault_is_refused(world: FakeSigstore, name: str) -> None:
    changes, signed_at = BAD_WORLDS[name]
    refuse(replace(world, signed_at=signed_at, **changes))


def test_five_minutes_ahead_are_allowed() -> None:
    assert judged(V1, at=SIGNED_AT - timedelta(minutes=5))
    refuse(V1, at=SIGNED_AT - timedelta(minutes=5, seconds=1))


def test_nobody_vouches_for_a_time() -> None:
    refuse(replace(V1, promised=False))
    bundle = V2.bundle()
    del bundle["verificationMaterial"]["timestampVerificationData"]
    refuse(V2, bundle=bundle)


def entry(bundle: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = bundle["verificationMaterial"]["tlogEntries"][0]
    return found


def flip(text: str, position: int = 0) -> str:
    data = bytearray(base64.b64decode(text))
    data[position] ^= 1
    return base64.b64encode(data).decode()


def put(*steps: str, value: Callable[[Any], Any]) -> Change:
    def change(bundle: dict[str, Any]) -> None:
        place = entry(bundle)
        for step in steps[:-1]:
            place = place[step]
        place[steps[-1]] = value(place.get(steps[-1]))

    return change


def change_envelope(bundle: dict[str, Any]) -> None:
    bundle["dsseEnvelope"]["payload"] = base64.b64encode(b"{}").decode()


CHANGES: dict[str, Change] = {
    "log index": put("logIndex", value=lambda text: str(int(text) + 1)),
    "proof's index": put("inclusionProof", "logIndex", value=lambda text: str(int(text) + 2)),
    "proof's index by four": put("inclusionProof", "logIndex", value=lambda text: str(int(text) + 4)),
    "tree size": put("inclusionProof", "treeSize", value=lambda _: "4"),
    "root": put("inclusionProof", "rootHash", value=flip),
    "a hash of the proof": put("inclusionProof", "hashes", value=lambda hashes: [flip(hashes[0]), *hashes[1:]]),
    "no hashes": put("inclusionProof", "hashes", value=lambda _: []),
    "log id": put("logId", "keyId", value=lambda text: flip(text, 20)),
    "hint in the log id": put("logId", "keyId", value=flip),
    "kind": put("kindVersion", "kind", value=lambda _: "intoto"),
    "version": put("kindVersion", "version", value=lambda _: "0.0.3"),
    "body": put("canonicalizedBody", value=lambda _: base64.b64encode(b"{}").decode()),
    "checkpoint's size": put(
        "inclusionProof", "checkpoint", "envelope", value=lambda text: text.replace("\n3\n", "\n4\n")
    ),
    "checkpoint's name": put("inclusionProof", "checkpoint", "envelope", value=lambda text: "x" + text),
    "checkpoint without signature": put(
        "inclusionProof", "checkpoint", "envelope", value=lambda text: text.partition("\n\n")[0] + "\n\n"
    ),
    "no text in the checkpoint": put("inclusionProof", "checkpoint", "envelope", value=lambda _: "x"),
    "payload": change_envelope,
}
V1_CHANGES: dict[str, Change] = {
    "integrated time": put("integratedTime", value=lambda text: str(int(text) + 1)),
    "no integrated time": put("integratedTime", value=lambda _: "0"),
    "promise": put("inclusionPromise", "signedEntryTimestamp", value=lambda text: flip(text, -1)),
}


@pytest.mark.parametrize("world", [V1, V2], ids=["v1", "v2"])
@pytest.mark.parametrize("name", CHANGES)
def test_a_changed_field_of_the_entry_is_refused(world: FakeSigstore, name: str) -> None:
    bundle = copy.deepcopy(world.bundle())
    CHANGES[name](bundle)
    refuse(world, bundle=bundle)


def _with_note(change: Callable[[str], str]) -> dict[str, Any]:
    bundle = copy.deepcopy(V1.bundle())
    put("inclusionProof", "checkpoint", "envelope", value=change)(bundle)
    return bundle


@pytest.mark.parametrize("name", GOOD_NOTES)
def test_a_checkpoint_may_have_other_signatures(name: str) -> None:
    assert judged(V1, bundle=_with_note(GOOD_NOTES[name]))


@pytest.mark.parametrize("name", ODD_NOTES)
def test_the_lines_of_a_checkpoint_have_one_form(name: str) -> None:
    with pytest.raises(VerificationError) as refused:
        judged(V1, bundle=_with_note(ODD_NOTES[name]))
    assert refused.value.check is Check.PUBLISHER_SIGNATURE


@pytest.mark.parametrize("name", V1_CHANGES)
def test_a_changed_field_of_a_promise_is_refused(name: str) -> None:
    bundle = V1.bundle()
    V1_CHANGES[name](bundle)
    refuse(V1, bundle=bundle)


@pytest.mark.parametrize("world", [replace(V1, stamped=True), V2], ids=["v1", "v2"])
def test_a_timestamp_over_other_bytes_or_by_somebody_else_is_refused(world: FakeSigstore) -> None:
    bundle = world.bundle()
    stamps = bundle["verificationMaterial"]["timestampVerificationData"]["rfc3161Timestamps"]
    stamps[0]["signedTimestamp"] = base64.b64encode(world.stamp(hashlib.sha256(b"other").digest())).decode()
    refuse(world, bundle=bundle)
    root = world.root()
    root["timestampAuthorities"] = []
    refuse(world, root=root)


@pytest.mark.parametrize("key", ["tlogs", "ctlogs", "certificateAuthorities"])
def test_a_root_without_a_part_vouches_for_nothing(key: str) -> None:
    root = V1.root()
    root[key] = []
    refuse(V1, root=root)


def test_a_bundle_of_another_instance_is_refused() -> None:
    with pytest.raises(ProvenanceError, match="sigstore refuses"):
        verify_keyless(parse_bundle(json.dumps(V1.bundle()).encode(), "model.sig"), load_pinned_root(), at=NOW)


def test_a_keyless_signer_must_be_expected() -> None:
    bundle = parse_bundle(json.dumps(V1.bundle()).encode(), "model.sig")
    root = parse_trusted_root(json.dumps(V1.root()).encode(), "root.json")
    assert (
        verify_publisher(bundle, PublisherTrust(parse_identity(LINE, "line"), None, (), root, NOW)).identity.line
        == LINE
    )
    for expected in (None, parse_identity(LINE.replace("email:", "uri:"), "line")):
        with pytest.raises(AppraisalError, match=LINE) as refused:
            verify_publisher(bundle, PublisherTrust(expected, None, (), root, NOW))
        assert refused.value.check is Check.PUBLISHER_IDENTITY

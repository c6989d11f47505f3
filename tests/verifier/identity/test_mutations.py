"""Changed bundles: refused by a ProvenanceError, or accepted with the same payload and signer as before."""

from __future__ import annotations

import base64
import json
import os
import random
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from provenance_oracle.verifier.errors import ProvenanceError
from provenance_oracle.verifier.identity.bundle import parse_bundle
from provenance_oracle.verifier.identity.certificates import parse_anchors
from provenance_oracle.verifier.identity.key_method import parse_publisher_key
from provenance_oracle.verifier.identity.names import parse_identity
from provenance_oracle.verifier.identity.publisher import PublisherTrust, verify_publisher
from provenance_oracle.verifier.identity.sigstore_root import parse_trusted_root
from tests.support.fake_sigstore import LINE, FakeSigstore
from tests.support.model_signatures import SIGNING_KEY, key_bundle, pem_of
from tests.support.signing_chains import CA, LEAF, ROOT, certificate_bundle, certified, pem_of_certificates

MUTANTS = int(os.environ.get("PROVENANCE_BUNDLE_MUTANTS", "200"))
CHAIN = certified(LEAF, CA, ROOT)
V1, V2 = FakeSigstore(stamped=True), FakeSigstore(version=2)
BUNDLES = {
    "key": key_bundle(),
    "certificate": certificate_bundle(CHAIN[:2]),
    "sigstore v1": V1.bundle(),
    "sigstore v2": V2.bundle(),
}
ROOTS = {name: json.dumps((V2 if name == "sigstore v2" else V1).root()).encode() for name in BUNDLES}


def judged(name: str, data: bytes) -> tuple[str, bytes]:
    """Return the identity of the signer and the digest of the payload."""
    trust = PublisherTrust(
        parse_identity(LINE, "line") if name.startswith("sigstore") else None,
        parse_publisher_key(pem_of(SIGNING_KEY), "key.pem"),
        parse_anchors(pem_of_certificates(CHAIN[2:]), "ca.pem"),
        parse_trusted_root(ROOTS[name], "root.json"),
        datetime(2026, 6, 1, tzinfo=UTC),
    )
    found = verify_publisher(parse_bundle(data, "model.sig"), trust)
    return found.identity.line, found.signed.payload_digest


def change_text(random_: random.Random, bundle: dict[str, Any]) -> bytes:
    """Change, remove or add a byte of the JSON text."""
    data = bytearray(json.dumps(bundle).encode())
    position = random_.randrange(len(data))
    data[position : position + random_.randrange(2)] = bytes(random_.choices(range(256), k=random_.randrange(2)))
    return bytes(data)


def change_value(random_: random.Random, bundle: dict[str, Any]) -> bytes:
    """Flip a bit inside a value: in the bytes that base64 stands for, in a number, or in a text."""
    places: list[tuple[Any, Any]] = []

    def visit(value: Any) -> None:
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            if isinstance(inner, str):
                places.append((value, key))
            else:
                visit(inner)

    changed = json.loads(json.dumps(bundle))
    visit({key: inner for key, inner in changed.items() if isinstance(inner, dict)})
    place, key = random_.choice(places)
    try:
        data = bytearray(base64.b64decode(place[key], validate=True))
        data[random_.randrange(len(data))] ^= 1 << random_.randrange(8)
        place[key] = base64.b64encode(data).decode()
    except (ValueError, IndexError):
        text = place[key] or "x"
        position = random_.randrange(len(text))
        place[key] = text[:position] + chr(ord(text[position]) ^ 1) + text[position + 1 :]
    return json.dumps(changed).encode()


@pytest.mark.parametrize("change", [change_text, change_value])
@pytest.mark.parametrize("name", BUNDLES)
def test_nothing_but_a_provenance_error_escapes(
    name: str, change: Callable[[random.Random, dict[str, Any]], bytes]
) -> None:
    good = judged(name, json.dumps(BUNDLES[name]).encode())
    refused = 0
    for seed in range(MUTANTS // 8):
        try:
            assert judged(name, change(random.Random(f"{name}{seed}"), BUNDLES[name])) == good
        except ProvenanceError:
            refused += 1
    assert refused >= MUTANTS // 16

"""Tests of the publisher's JSON documents. Their members are contracts."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from provenance_oracle.publisher.documents import (
    evidence_json,
    identity_json,
    pack_json,
    request_json,
    sign_json,
)
from provenance_oracle.verifier.identity.names import PublisherIdentity


def test_reports_and_requests_for_them() -> None:
    assert request_json(Path("r.bin"), b"\x01" * 64) == {"request": "r.bin", "report_data": "01" * 64}
    assert evidence_json(Path("evidence"), b"\x01" * 64, simulated=True) == {
        "out": "evidence",
        "report_data": "01" * 64,
        "simulated": True,
    }


LINE = f"key {'ab' * 32}"


def test_a_new_release() -> None:
    packed: Any = SimpleNamespace(
        manifest=SimpleNamespace(name="acme/tiny", version="1.0", publisher=""),
        signature=None,
        manifest_digest=b"\x02" * 32,
        files=SimpleNamespace(model_digest=b"\x03" * 32),
    )
    assert json.loads(json.dumps(pack_json(packed))) == {
        "name": "acme/tiny",
        "version": "1.0",
        "model_digest": "03" * 32,
        "manifest_digest": "02" * 32,
        "publisher": None,
        "signed": False,
    }
    packed.manifest.publisher, packed.signature = LINE, object()
    document = pack_json(packed)
    assert document["publisher"] == {"identity": LINE, "digest": PublisherIdentity(LINE).digest.hex()}
    assert document["signed"] is True


def test_a_release_that_was_signed() -> None:
    found = SimpleNamespace(identity=PublisherIdentity(LINE), signer=SimpleNamespace(method="sigstore", log_index=7))
    signed: Any = SimpleNamespace(
        manifest=SimpleNamespace(name="acme/tiny", version="1.0", digest=b"\x02" * 32),
        files=SimpleNamespace(model_digest=b"\x03" * 32),
        signature=SimpleNamespace(verified=found),
    )
    assert json.loads(json.dumps(sign_json(signed))) == {
        "name": "acme/tiny",
        "version": "1.0",
        "model_digest": "03" * 32,
        "manifest_digest": "02" * 32,
        "publisher": {"identity": LINE, "digest": PublisherIdentity(LINE).digest.hex()},
        "method": "sigstore",
        "log_index": 7,
    }


def test_identities() -> None:
    one = PublisherIdentity(LINE)
    assert identity_json([one]) == {"identities": [{"identity": LINE, "digest": one.digest.hex()}]}

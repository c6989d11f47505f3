"""Tests of the publisher's JSON documents. Their members are contracts."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from provenance_oracle.publisher.documents import evidence_json, pack_json, request_json


def test_reports_and_requests_for_them() -> None:
    assert request_json(Path("r.bin"), b"\x01" * 64) == {"request": "r.bin", "report_data": "01" * 64}
    assert evidence_json(Path("evidence"), b"\x01" * 64, simulated=True) == {
        "out": "evidence",
        "report_data": "01" * 64,
        "simulated": True,
    }


def test_a_new_release() -> None:
    packed: Any = SimpleNamespace(
        manifest=SimpleNamespace(name="acme/tiny", version="1.0"),
        manifest_digest=b"\x02" * 32,
        files=SimpleNamespace(model_digest=b"\x03" * 32),
    )
    assert json.loads(json.dumps(pack_json(packed))) == {
        "name": "acme/tiny",
        "version": "1.0",
        "model_digest": "03" * 32,
        "manifest_digest": "02" * 32,
    }

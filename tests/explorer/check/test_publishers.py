"""A publisher's signature is judged in a browser as in Python: genuine bundles, faults, and bundles changed at random.

PROVENANCE_EXPLORER_MUTANTS sets the number of changed bundles. `make prove` sets many more than the default.
"""

from __future__ import annotations

import base64
import json
import os
from itertools import count, islice
from pathlib import Path
from random import Random

import pytest

from provenance_oracle.verifier.identity.certificates import parse_anchors
from tests.explorer.check import keyless_cases
from tests.explorer.check.engines import ChromiumEngine, FirefoxEngine, NodeEngine
from tests.explorer.check.judged import Judged, compare
from tests.explorer.check.odd_certificates import BEYOND, odd_certificates
from tests.explorer.check.signature_cases import EVIDENCE, changed_cases, good_cases, release_case
from tests.support.vector_folders import folder_of
from tests.verifier.identity.test_vectors import BUNDLE, FAULTS, MODELS, NVIDIA

_MUTANTS = int(os.environ.get("PROVENANCE_EXPLORER_MUTANTS", "400"))
pytestmark = pytest.mark.timeout(3600)


def _bundles_on_disk(vectors: Path) -> list[Judged]:
    """Return each bundle of the vectors as the signature of a release with that model, whose manifest names nobody."""
    folders = [folder_of(vectors, "oms-faults") / name for name in FAULTS]
    folders += [folder_of(vectors, "oms") / name for name in MODELS]
    cases = []
    for folder in folders:
        model = folder / "model"
        sizes = {str(path.relative_to(model)): path.stat().st_size for path in model.rglob("*") if path.is_file()}
        key = folder / "key.pub"
        lines = [""]
        if (folder / "ca.pem").is_file():
            lines.append(f"authority {parse_anchors((folder / 'ca.pem').read_bytes(), 'ca')[0].spki_digest.hex()}")
        bundle = (folder / BUNDLE).read_bytes()
        cases += [release_case(bundle, key.read_bytes() if key.is_file() else None, line, sizes) for line in lines]
    return cases


def _nvidia(vectors: Path) -> list[Judged]:
    """Return NVIDIA's own bundles, beside manifests that name their files, and NVIDIA or nobody."""
    cases = []
    for name, wanted in NVIDIA.items():
        bundle = (folder_of(vectors, "oms-nvidia") / f"{name}.sigstore.json").read_bytes()
        envelope = json.loads(bundle)["dsseEnvelope"]
        payload = json.loads(base64.b64decode(envelope["payload"]))
        sizes = {one["name"]: 1 for one in payload["predicate"]["resources"]}
        lines = ("", wanted[0] if wanted else "authority " + "00" * 32)
        cases += [release_case(bundle, None, line, sizes) for line in lines]
    return cases


def _changed() -> list[Judged]:
    return list(islice(changed_cases(Random(f"publisher {number}") for number in count()), _MUTANTS))


def test_genuine_bundles_and_faults_in_chromium(vectors: Path, chromium: ChromiumEngine) -> None:
    _judge_known(chromium, vectors)


def test_genuine_bundles_and_faults_in_firefox(vectors: Path, firefox: FirefoxEngine) -> None:
    _judge_known(firefox, vectors)


def test_genuine_bundles_and_faults_in_node(vectors: Path, node: NodeEngine) -> None:
    _judge_known(node, vectors)


def _judge_known(engine: NodeEngine | ChromiumEngine | FirefoxEngine, vectors: Path) -> None:
    counted = compare(engine, good_cases())
    assert counted == {"passed": 5, "refused": 1}
    counted = compare(engine, _bundles_on_disk(vectors), beyond=1)
    assert counted["passed"] >= 20, counted
    assert counted["malformed"] >= 10, counted
    counted = compare(engine, _nvidia(vectors))
    # they cover no manifest of ours, so that they count for nobody whom a manifest names
    assert counted == {"passed": 3, "refused": 2, "forged": 1}


def test_a_release_without_a_signature(node: NodeEngine) -> None:
    key = EVIDENCE["provenance/cvm-key.pem"]
    cases = [release_case(None), release_case(None, key), release_case(None, key, "authority " + "00" * 32)]
    assert compare(node, cases) == {"passed": 1, "malformed": 1, "incomplete": 1}


def test_certificates_that_libraries_read_differently(node: NodeEngine) -> None:
    counted = compare(node, odd_certificates(), beyond=BEYOND)
    assert counted == {"passed": 11, "malformed": 12, "not-checked": BEYOND}


def test_changed_bundles_in_chromium(chromium: ChromiumEngine) -> None:
    counted = compare(chromium, _changed(), beyond=_MUTANTS // 100, apart=_MUTANTS // 200)
    assert counted.total() == _MUTANTS
    assert counted.keys() >= {"passed", "malformed", "forged", "refused"}


def test_keyless_signatures_in_chromium(chromium: ChromiumEngine) -> None:
    counted = compare(chromium, keyless_cases.known_cases())
    assert counted.keys() >= {"passed", "forged", "refused", "malformed"}
    changed = keyless_cases.changed_cases(Random(f"keyless {number}") for number in range(_MUTANTS))
    assert compare(chromium, changed).keys() >= {"passed", "malformed", "forged"}


def test_keyless_signatures_in_firefox(firefox: FirefoxEngine) -> None:
    assert compare(firefox, keyless_cases.known_cases())["passed"] > 10

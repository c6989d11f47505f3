"""Whole releases in the explorer's judgement: files of the model, the record, simulated hardware, and its limits."""

from __future__ import annotations

import base64
import hashlib
import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.digest.tree.fsverity import fsverity_digest
from provenance_oracle.verifier.documents.record import entry_json
from provenance_oracle.verifier.judgement.judge import Judgement, judge
from provenance_oracle.verifier.judgement.release import REPORT_PATH, read_release
from provenance_oracle.verifier.policy import load_policy
from provenance_oracle.verifier.snp.products import SIMULATOR_ROOTS
from provenance_oracle.verifier.snp.report import HOST_VMPL
from tests.explorer.check.cases import Case, in_python, simulated_cases
from tests.explorer.check.engines import ChromiumEngine, NodeEngine
from tests.support.chain_fixtures import make_entry
from tests.support.whole_releases import AT, FILES, Deviation, lay_out
from tests.verifier.judgement.test_only_this_check_fails import CASES

_KINDS = {3: "malformed", 4: "forged"}
_ORDER = (
    *("endorsements-format", "report-format", "vek-chain", "vek-validity", "vek-revocation", "product-line"),
    *("vek-match", "report-signature", "guest-policy", "platform-info", "vmpl", "tcb-floor", "tcb-consistency"),
    *("mitigations", "measurement", "host-data", "id-key", "chip-allow-list", "key-binding", "manifest-signature"),
    *("manifest-format", "publisher-signature", "publisher-identity", "file-set", "file-digests", "lineage"),
    "registry-record",
)
_POLICY_DECIDES = set(_ORDER[_ORDER.index("guest-policy") : _ORDER.index("key-binding")])
_NOT_HERE = _POLICY_DECIDES | {"publisher-signature", "publisher-identity", "lineage"}
_FACTS = ("manifest_digest", "model_digest", "report_digest", "reported_tcb", "product_line", "name", "version")


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return lay_out(tmp_path_factory.mktemp("good") / "release")


@pytest.fixture(scope="module")
def judgement(good: Path) -> Judgement:
    return judge(read_release(good), load_policy("demo"), at=AT, roots=SIMULATOR_ROOTS)


@pytest.fixture(scope="module")
def record(judgement: Judgement) -> dict[str, Any]:
    """Return the record of the good release, as REST and the page have it."""
    return entry_json(make_entry(judgement.record))


def _ask(engine: NodeEngine | ChromiumEngine, folder: Path, **given: Any) -> dict[str, Any]:
    """Judge the release in a folder, with the files of the model unless `model` gives others."""
    files = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    evidence = {path: data for path, data in files.items() if path.startswith("provenance/")}
    model = {path: data for path, data in files.items() if path not in evidence}
    encoded = {path: base64.b64encode(data).decode() for path, data in given.pop("model", model).items()}
    (result,) = engine.call("recheck", [{**Case(evidence, AT).json(), "model": encoded, **given}])
    return dict(result)


def test_a_good_release_with_its_files_and_its_record(
    chromium: ChromiumEngine, good: Path, judgement: Judgement, record: dict[str, Any]
) -> None:
    result = _ask(chromium, good, record=record)
    assert (result["kind"], result["isSimulated"]) == ("accepted", True)
    assert result["model"] == judgement.record.model_digest.hex()
    expected = [f"{check} {'not-checked' if check in _NOT_HERE else 'passed'}" for check in _ORDER]
    assert [seen for seen in result["seen"] if seen in expected] == expected


@pytest.mark.parametrize(
    ("check", "code", "deviation"),
    # the files that a reader drops on the page are compared below
    [case for case in CASES if case[1] in _KINDS and case[2].roots == SIMULATOR_ROOTS and case[0] != Check.FILE_SET],
    ids=lambda value: str(value) if isinstance(value, str) else "",
)
def test_only_this_check_fails(node: NodeEngine, tmp_path: Path, check: str, code: int, deviation: Deviation) -> None:
    result = _ask(node, lay_out(tmp_path / "release", deviation))
    assert (result["kind"], result["check"]) == (_KINDS[code], check), result
    assert result["outcomes"][check] == "failed"


@pytest.mark.parametrize("field", _FACTS)
def test_a_record_of_another_release(node: NodeEngine, good: Path, record: dict[str, Any], field: str) -> None:
    result = _ask(node, good, record={**record, field: "Genoa" if field == "product_line" else "0" * 64})
    assert (result["kind"], result["check"]) == ("forged", "registry-record")
    assert field in result["why"]


def test_without_files_nothing_is_said_of_them(
    node: NodeEngine, good: Path, judgement: Judgement, record: dict[str, Any]
) -> None:
    result = _ask(node, good, model={}, record=record)
    outcomes = [result["outcomes"][check] for check in ("file-set", "file-digests", "registry-record")]
    assert outcomes == ["not-checked", "not-checked", "passed"]
    assert result["model"] == judgement.record.model_digest.hex()  # as the manifest states it


def test_some_files_are_not_all_files(node: NodeEngine, good: Path) -> None:
    result = _ask(node, good, model={"config.json": FILES["config.json"]})
    assert [result["outcomes"][check] for check in ("file-set", "file-digests")] == ["not-checked", "passed"]
    assert result["outcomes"]["registry-record"] == "not-checked"


@pytest.mark.parametrize(
    ("changed", "check"),
    [
        ({"config.json": b"{ }"}, "file-digests"),
        ({"config.json": b"{}"}, "file-set"),
        ({"config2.json": b"{}\n"}, "file-set"),
        ({"CONFIG.json": b"{}\n"}, "file-set"),
    ],
)
def test_other_files(node: NodeEngine, good: Path, changed: dict[str, bytes], check: str) -> None:
    result = _ask(node, good, model=FILES | changed)
    assert (result["kind"], result["check"]) == ("forged", check)


def test_a_report_that_the_host_asked_for_is_refused_by_every_policy(node: NodeEngine) -> None:
    one = next(iter(simulated_cases().values()))
    report = replace(one.guest, vmpl=HOST_VMPL).report(one.case.files[REPORT_PATH][0x50:0x90])
    other = replace(one, case=one.case.with_file(REPORT_PATH, report))
    case = other.signed(json.dumps(other.statement).encode())
    (result,) = node.call("recheck", [case.json()])
    assert (result["kind"], result["check"]) == ("refused", "vmpl")
    assert in_python(case).check == "vmpl"


def test_without_a_manifest_a_release_is_incomplete(node: NodeEngine, good: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(good, tmp_path / "release"))
    (folder / "provenance" / "manifest.dsse.json").unlink()
    result = _ask(node, folder)
    assert (result["kind"], result["outcomes"]["manifest-format"]) == ("incomplete", "not-checked")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("insecure", "this page has no WebCrypto: open it over https, or from 127.0.0.1"),
        ("outdated", "this browser cannot verify signatures by RSA-PSS"),
    ],
)
def test_a_browser_that_lacks_something_says_nothing_of_the_release(
    chromium: ChromiumEngine, name: str, said: str
) -> None:
    result = chromium.call(name, next(iter(simulated_cases().values())).case.json())
    assert said in result["kind"]


@pytest.mark.parametrize("size", [0, 9_000_000])
def test_a_worker_hashes_files(chromium: ChromiumEngine, size: int) -> None:
    data = (bytes(range(251)) * (size // 251 + 1))[:size]
    fsverity, sha256, read, why = chromium.call("inWorker", size)
    assert (fsverity, sha256, read) == (fsverity_digest(data).hex(), hashlib.sha256(data).hexdigest(), 2 * size)
    assert why.startswith("Error: ")

"""Releases that have only a signature are judged in a browser as in Python, by every byte of their files."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from random import Random
from typing import Any

import pytest

from provenance_oracle.verifier.documents.record import entry_json
from provenance_oracle.verifier.errors import ProvenanceError
from provenance_oracle.verifier.identity.bundle import parse_bundle
from provenance_oracle.verifier.identity.match import coverage_of, match_names, refuse_gaps
from provenance_oracle.verifier.identity.publisher import PublisherTrust, verify_signer
from provenance_oracle.verifier.identity.signer import match_signer
from provenance_oracle.verifier.identity.sigstore_root import parse_trusted_root
from provenance_oracle.verifier.judgement.judge_signed import SignedJudgement, judge_signed
from provenance_oracle.verifier.judgement.signed_release import SIGNED_BUNDLE_PATH, FoundName, read_signed_release
from provenance_oracle.verifier.policy import load_policy
from tests.explorer.check.engines import ChromiumEngine
from tests.explorer.check.judged import KINDS, Judged, compare
from tests.explorer.check.keyless_cases import WORLD
from tests.support.chain_fixtures import make_entry
from tests.support.fake_sigstore import NOW
from tests.support.model_signatures import FILES, resource, statement_of, statement_over
from tests.support.signed_releases import BY_CERTIFICATE, BY_KEY, lay_out_signed_only
from tests.support.whole_releases import AT
from tests.verifier.identity.test_mutations import change_text, change_value

_FOUND = FoundName("acme/model", "0f" * 20)
_NEITHER = ("registry-record not-checked", "registry-record passed")


def _judge(folder: Path) -> SignedJudgement:
    return judge_signed(read_signed_release(folder, _FOUND), load_policy("signed"), at=AT)


def _files(folder: Path) -> dict[str, str]:
    paths = [path for path in folder.rglob("*") if path.is_file()]
    return {str(path.relative_to(folder)): base64.b64encode(path.read_bytes()).decode() for path in paths}


def _ask(engine: ChromiumEngine, files: Mapping[str, str], record: Mapping[str, Any]) -> list[str]:
    (answer,) = engine.call("signed", [{"files": files, "at": int(AT.timestamp()), "record": record}])
    return list(answer)


def test_a_good_one_has_the_outcomes_of_python(chromium: ChromiumEngine, tmp_path: Path) -> None:
    judgement = _judge(lay_out_signed_only(tmp_path))
    record = entry_json(make_entry(judgement.record))
    theirs = "\n".join(f"{finding.check} {finding.outcome}" for finding in judgement.findings)
    assert _ask(chromium, _files(tmp_path), record) == ["passed", theirs.replace(*_NEITHER)]
    for field in ("manifest_digest", "model_digest", "report_digest", "publisher_identity"):
        other = record | {field: "01" * 32}
        assert _ask(chromium, _files(tmp_path), other) == ["forged", "registry-record"]


_TAMPERINGS: dict[str, Callable[[Path], object]] = {
    "a byte": lambda folder: (folder / "config.json").write_bytes(b"{]\n"),
    "a file more": lambda folder: (folder / "more.txt").write_text("more"),
    "a file less": lambda folder: (folder / "config.json").unlink(),
    "no bundle's bytes": lambda folder: (folder / SIGNED_BUNDLE_PATH).write_bytes(b"{}"),
}


@pytest.mark.parametrize("name", _TAMPERINGS)
def test_a_changed_one_is_refused_by_the_check_of_python(chromium: ChromiumEngine, tmp_path: Path, name: str) -> None:
    record = entry_json(make_entry(_judge(lay_out_signed_only(tmp_path)).record))
    _TAMPERINGS[name](tmp_path)
    with pytest.raises(ProvenanceError) as refused:
        _judge(tmp_path)
    assert _ask(chromium, _files(tmp_path), record) == [KINDS[type(refused.value)], str(refused.value.check)]


def test_what_a_browser_cannot_judge_is_said(chromium: ChromiumEngine, tmp_path: Path) -> None:
    """A key that is not in the bundle, shards, and files that tools added and Python knows by their contents."""
    good = lay_out_signed_only(tmp_path / "good")
    record = entry_json(make_entry(_judge(good).record))
    by_key = lay_out_signed_only(tmp_path / "key", BY_KEY)
    shard = statement_of([resource("a:0:1", b"a")], method="shards", shard_size=1)
    shards = tmp_path / "shards"
    shards.mkdir()
    (shards / "a").write_text("a")
    (shards / SIGNED_BUNDLE_PATH).write_bytes(json.dumps(BY_CERTIFICATE.bundle(shard)).encode())
    for folder in (by_key, shards):
        assert _ask(chromium, _files(folder), record)[0] == "not-checked"
    (good / ".gitattributes").write_text("* text=auto\n")
    assert _judge(good)
    assert _ask(chromium, _files(good), record) == ["forged", "file-set"]


def _keyless(bundle: bytes) -> Judged:
    sizes = {path: len(data) for path, data in FILES.items()}
    root = json.dumps(WORLD.root())

    def in_python() -> str:
        """As `judge_signed` begins."""
        trust = PublisherTrust(None, None, (), parse_trusted_root(root.encode(), "root"), NOW)
        signer, signed = verify_signer(parse_bundle(bundle, SIGNED_BUNDLE_PATH), trust)
        identity = match_signer(signer, None, SIGNED_BUNDLE_PATH)
        match_names(signed, sizes)
        coverage = coverage_of(signed, sizes)
        refuse_gaps(coverage, SIGNED_BUNDLE_PATH)
        return f"{identity.line} {len(coverage.covered)} {signed.root.hex()}"

    return Judged("signed", NOW, {SIGNED_BUNDLE_PATH: bundle}, in_python, sizes=sizes, root=root)


def test_keyless_ones(chromium: ChromiumEngine) -> None:
    good = WORLD.bundle(statement_over(FILES))
    fewer = WORLD.bundle(statement_over({"config.json": FILES["config.json"]}))
    assert compare(chromium, [_keyless(json.dumps(one).encode()) for one in (good, fewer)]) == {
        "passed": 1,
        "refused": 1,
    }
    changed = (change(Random(f"signed {n}"), good) for n in range(50) for change in (change_text, change_value))
    assert compare(chromium, map(_keyless, changed)).keys() >= {"malformed", "forged"}

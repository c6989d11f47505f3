"""Tests of the routes about what an oracle keeps: verdicts, evidence and proofs, by digest."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace

import pytest

from provenance_oracle.verifier.record.leaves import parse_leaves
from provenance_oracle.verifier.record.proof_file import parse_proof
from tests.oracle.web.api.conftest import Site, open_site

pytestmark = pytest.mark.chain
_IMMUTABLE = "public, max-age=31536000, immutable"


def test_a_verdict_is_served_byte_by_byte(site: Site) -> None:
    digest = site.stand.entries["first"]["verdict_digest"]
    answer = site.api(f"/verdicts/{digest}")
    assert hashlib.sha256(answer.body).hexdigest() == digest
    assert answer.headers["cache-control"] == _IMMUTABLE
    assert answer.headers["etag"] == f'"{digest}"'
    assert answer.json["predicate"]["verificationResult"] == "PASSED"


def test_the_kept_files_are_those_of_the_release(site: Site) -> None:
    entry = site.stand.entries["second"]
    by_manifest, by_verdict = (site.api(f"/evidence/{entry[way]}") for way in ("manifest_digest", "verdict_digest"))
    assert by_manifest.body == by_verdict.body
    assert by_verdict.headers["cache-control"] == _IMMUTABLE
    assert by_manifest.headers["cache-control"] == "public, max-age=5"  # a later judgement may have other evidence
    files = {one["path"]: one for one in by_manifest.json["files"]}
    folder = site.stand.release("second")
    there = {str(path.relative_to(folder)) for path in (folder / "provenance").rglob("*") if path.is_file()}
    assert set(files) == there | {"policy.yaml"}
    for path in sorted(there):
        answer = site.api(f"/evidence/{entry['manifest_digest']}/{path}")
        assert answer.body == (folder / path).read_bytes()
        assert (len(answer.body), hashlib.sha256(answer.body).hexdigest()) == (
            files[path]["size"],
            files[path]["sha256"],
        )
        assert answer.headers["content-type"] == "application/octet-stream"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["content-disposition"].startswith("attachment;")
        assert "sandbox" in answer.headers["content-security-policy"]


@pytest.mark.parametrize(
    "path", ["nothing", "../oracle.sqlite", "provenance", "provenance//snp/report.bin", "%00", "%2e%2e/x"]
)
def test_no_other_path_leads_anywhere(site: Site, path: str) -> None:
    assert site.get(f"/api/v1/evidence/{site.stand.entries['second']['manifest_digest']}/{path}").status == 404


def test_nothing_is_kept_of_a_failed_verdict_or_of_another_oracle(site: Site) -> None:
    for digest in (site.stand.entries["failed"]["verdict_digest"], "0" * 64):
        assert site.api(f"/verdicts/{digest}").status == 404
        assert site.api(f"/evidence/{digest}").status == 404


def test_a_batch_and_its_proofs_lead_to_the_root_on_chain(site: Site) -> None:
    root = site.stand.entries["one"]["batch"]["root"]
    leaves = parse_leaves(site.api(f"/batches/{root}").body, "answer")
    assert (leaves.root.hex(), len(leaves.leaves)) == (root, 2)
    for name in ("one", "two"):
        entry = site.stand.entries[name]
        answer = site.api(f"/batches/{root}/{entry['batch']['leaf']}")
        proven = parse_proof(answer.body, "answer")
        assert (proven.root.hex(), proven.written.manifest_digest.hex()) == (root, entry["manifest_digest"])
        assert answer.headers["cache-control"] == _IMMUTABLE
    assert site.api(f"/batches/{root}/2").status == 404
    assert site.api(f"/batches/{'0' * 64}").status == 404


def test_without_a_journal_nothing_is_kept_and_a_broken_one_shows_no_path(site: Site) -> None:
    digest = site.stand.entries["first"]["verdict_digest"]
    with open_site(site.stand, replace(site.shown, journal="")) as other:
        assert other.api(f"/verdicts/{digest}").status == 404
        assert other.api(f"/evidence/{digest}").status == 404
    broken = site.stand.root / "broken.sqlite"
    broken.write_bytes(b"no journal at all")
    with open_site(site.stand, replace(site.shown, journal=str(broken), evidence=site.stand.root / "none")) as other:
        answer = other.api(f"/verdicts/{digest}")
        assert (answer.status, answer.headers["retry-after"]) == (503, "1")
        assert "broken" not in json.dumps(answer.json)

"""Tests of the routes about records: they answer what `provenance show` prints of the same chain."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest

from tests.oracle.web.api.conftest import Site

pytestmark = pytest.mark.chain
_PLACE = {"block", "transaction", "gas_used"}
_WAYS = ("model_digest", "manifest_digest", "verdict_digest", "report_digest", "record_id", "release_id")


def without_place(entry: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in entry.items() if name not in _PLACE}


def without_proof(entry: dict[str, Any]) -> dict[str, Any]:
    """Return an entry of `show` as far as the registry tells it. The index does not read the contract for proofs."""
    return {name: value for name, value in entry.items() if name != "proven"}


@pytest.mark.parametrize("name", ["base", "first", "second", "revoked", "held", "failed", "signed", "tuned"])
def test_a_record_is_what_the_command_prints(site: Site, name: str) -> None:
    wanted = site.stand.entries[name]
    found = site.document(f"/records/{wanted['record_id']}")
    [entry] = found["entries"]
    assert without_place(entry) == without_proof(wanted)
    assert entry["gas_used"] > 0
    assert (found["total"], found["next_cursor"]) == (1, None)


def test_every_digest_of_a_record_leads_to_it(site: Site) -> None:
    wanted = site.stand.entries["second"]
    for way in _WAYS:
        found = site.document(f"/records/{wanted[way]}")["entries"]
        assert wanted["record_id"] in [one["record_id"] for one in found], way


def test_a_record_in_a_batch_is_found_with_its_place(site: Site) -> None:
    wanted = site.stand.entries["one"]
    [entry] = site.document(f"/records/{wanted['manifest_digest']}")["entries"]
    assert entry["batch"] == wanted["batch"]


def test_no_record_is_a_problem_that_says_what_was_compared(site: Site) -> None:
    answer = site.api(f"/records/{'0' * 64}")
    assert answer.status == 404
    assert "a digest of model, manifest, verdict or report" in answer.json["detail"]


def test_a_name_leads_to_its_releases_and_its_version_to_one(site: Site) -> None:
    found = site.document("/records?name=acme/tiny")["entries"]
    assert [one["version"] for one in found] == ["3.0", "2.0", "1.0"]
    [entry] = site.document("/records?name=acme/tiny@2.0")["entries"]
    assert without_place(entry) == without_proof(site.stand.entries["second"])
    assert site.document("/records?name=acme/nothing")["entries"] == []


def test_pages_hold_every_record_once(site: Site) -> None:
    whole = [one["record_id"] for one in site.document("/recent?limit=100")["entries"]]
    paged, path = [], "/recent?limit=7"
    while path:
        page = site.document(path)
        paged += [one["record_id"] for one in page["entries"]]
        path = f"/recent?limit=7&cursor={page['next_cursor']}" if page["next_cursor"] else ""
        if len(paged) >= len(whole):
            break
    assert paged[: len(whole)] == whole
    assert len(set(whole)) == len(whole) > 20


def test_a_cursor_belongs_to_its_question(site: Site) -> None:
    cursor = site.document("/recent?limit=1")["next_cursor"]
    assert site.api(f"/recent?limit=1&cursor={cursor}").status == 200
    for path in (f"/records?name=acme/tiny&cursor={cursor}", f"/search?q=acme&cursor={cursor}", "/recent?cursor=AAAA"):
        answer = site.api(path)
        assert (answer.status, "cursor" in answer.json["detail"]) == (400, True), path


@pytest.mark.parametrize("name", ["first", "revoked", "held", "one", "failed"])
def test_the_history_is_that_of_the_command(site: Site, name: str) -> None:
    from tests.support.publisher_desk import run

    entry = site.stand.entries[name]
    found = site.document(f"/records/{entry['record_id']}/history")
    if name == "one":  # in a batch: no event is its own
        assert found["events"] == []
        return
    chain = ("--rpc", site.stand.registry.chain.rpc_url, "--registry", site.stand.deployment)
    _code, shown = run("show", entry["record_id"], "--history", *chain)
    assert found["events"] == shown["events"]
    assert found["namespaces"] == shown["namespaces"]


def test_a_changed_publisher_is_in_the_history(site: Site) -> None:
    found = site.document(f"/records/{site.stand.entries['second']['record_id']}/history")
    first, second = (site.stand.entries[name]["publisher_identity"] for name in ("first", "second"))
    changes = [{one["from_publisher"], one["to_publisher"]} for one in found["publisher_changes"]]
    assert {first, second} in changes


def test_lineage_has_ancestors_edges_and_descendants(site: Site) -> None:
    entries = site.stand.entries
    second = site.document(f"/records/{entries['second']['record_id']}/lineage")
    [lineage] = second["lineage"]
    assert [(one["name"], one["depth"], one["attested"]) for one in lineage["ancestors"]] == [
        ("acme/tiny", 1, True),
        ("acme/base", 2, True),
    ]
    ids = {name: entries[name]["release_id"] for name in entries}
    assert {(one["child"], one["parent"], one["attested"]) for one in second["edges"]} == {
        (ids["second"], ids["first"], True),
        (ids["first"], ids["base"], True),
    }
    tuned = site.document(f"/records/{entries['tuned']['record_id']}/lineage")
    assert tuned["edges"] == [{"child": ids["tuned"], "parent": ids["base"], "attested": False}]
    base = site.document(f"/records/{entries['base']['record_id']}/lineage?limit=1")
    assert base["lineage"][0]["ancestors"] == []
    rest = site.document(f"/records/{entries['base']['record_id']}/lineage?cursor={base['next_cursor']}")
    assert {one["record_id"] for one in (*base["descendants"], *rest["descendants"])} == {
        entries["first"]["record_id"],
        entries["tuned"]["record_id"],
    }


@pytest.mark.parametrize("way", ["history", "lineage"])
def test_history_and_lineage_of_no_record_are_a_problem(site: Site, way: str) -> None:
    assert site.api(f"/records/{'0' * 64}/{way}").status == 404


@pytest.mark.parametrize(
    ("text", "kinds"),
    [("acme/tiny", {"record"}), ("tiny", {"record"}), ("acme", {"namespace", "record"}), ("no such thing", set())],
)
def test_a_search_says_with_what_it_compared(site: Site, text: str, kinds: set[str]) -> None:
    found = site.document(f"/search?q={quote(text)}")
    assert {one["kind"] for one in found["results"]} == kinds
    assert found["found_by"] == "text"
    assert found["compared"]


def test_a_search_by_a_digest_says_which_one_it_is(site: Site) -> None:
    entry = site.stand.entries["second"]
    for way in ("manifest_digest", "verdict_digest", "record_id"):
        for text in (entry[way], f"0x{entry[way].upper()}"):
            [result] = site.document(f"/search?q={text}")["results"]
            assert (result["record_id"], result["found_by"]) == (entry["record_id"], way)
    for member, kind in (("publisher_identity", "identity"), ("policy_digest", "policy")):
        assert {"kind": kind, "digest": entry[member]} in site.document(f"/search?q={entry[member]}")["results"]
    root = site.stand.entries["one"]["batch"]["root"]
    assert {"kind": "batch", "digest": root} in site.document(f"/search?q={root}")["results"]

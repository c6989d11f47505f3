"""An index that lies beside an honest node: what it tells is never shown as if the chain told it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from provenance_oracle.verifier.record.keccak import keccak256
from tests.explorer.browser import Browser, Page
from tests.explorer.site import NOT_KEPT, Site

pytestmark = pytest.mark.chain

_CONTRADICTS = "The index contradicts the chain."
_REFUSED = "console error: Failed to load resource"


def _entries(page: Page, *entries: dict[str, Any]) -> None:
    """Let the index answer every question for records by a digest with these."""
    document = {"entries": entries, "total": len(entries), "next_cursor": None}
    page.answer("**/api/v1/records/*", json.dumps(document).encode(), kind="application/json")


def _told(site: Site, name: str) -> dict[str, Any]:
    """Return a record as the index tells it."""
    entry = site.stand.entries[name]
    found: list[dict[str, Any]] = site.get(f"records/{entry['manifest_digest']}")["entries"]
    (record,) = (one for one in found if one["record_id"] == entry["record_id"])
    return record


def _invented(site: Site, name: str, **changed: object) -> dict[str, Any]:
    """Return a record of which the chain knows nothing, with the ids of its digests."""
    entry = _told(site, name) | {"model_digest": "ab" * 32} | changed
    own = keccak256(bytes.fromhex(entry["model_digest"] + entry["manifest_digest"])).hex()
    return entry | {"record_id": own, "release_id": own}


def _open(page: Page, site: Site, entry: dict[str, Any]) -> None:
    _entries(page, entry)
    page.open(site.route("r", entry["model_digest"], entry["manifest_digest"]))


@pytest.mark.parametrize(
    "changed",
    [
        {"product_line": "Simulated"},  # no line that the page knows, so no banner would say that it proves nothing
        {"version": "2.0-A"},
        {"weight": 3},
    ],
    ids=str,
)
def test_a_changed_fact_is_a_contradiction(browser: Browser, site: Site, changed: dict[str, object]) -> None:
    with browser.page(site.url, site.node, expected=NOT_KEPT) as page:
        _open(page, site, _told(site, "second") | changed)
        banner = page.text("[role=alert]")
        assert _CONTRADICTS in banner
        assert next(iter(changed)) in page.text("div:has(> [role=alert]) > ul")


def test_what_the_chain_tells_is_no_contradiction(browser: Browser, site: Site) -> None:
    for name in ("second", "one"):
        with browser.page(site.url, site.node, expected=NOT_KEPT) as page:
            _open(page, site, _told(site, name))
            assert page.count("[role=alert]") == 0


def test_a_record_that_the_chain_does_not_have(browser: Browser, site: Site) -> None:
    with browser.page(site.url, site.node, expected=[_REFUSED]) as page:
        _open(page, site, _invented(site, "second"))
        assert _CONTRADICTS in page.text("[role=alert]")
        page.check()
        assert page.texts(".result > .banner > strong") == ["Refused."]
        assert page.count("ol.trust > li.checked, ol.trust > li.pretended") == 0


@pytest.mark.parametrize("has_root", [True, False])
def test_a_record_that_is_in_no_batch(browser: Browser, site: Site, has_root: bool) -> None:
    """The index names a batch, since then the chain has no record of its own, and keeps the proof of another leaf."""
    batch = _told(site, "one")["batch"] if has_root else {"root": "cd" * 32, "leaf": 0}
    entry = _invented(site, "second", batch=batch)
    proof = json.dumps(site.get(f"batches/{_told(site, 'one')['batch']['root']}/0")).encode()
    with browser.page(site.url, site.node, expected=[_REFUSED]) as page:
        page.answer("**/api/v1/batches/**", proof, kind="application/json")
        _open(page, site, entry)
        assert _CONTRADICTS in page.text("[role=alert]")


def test_a_record_whose_proof_is_held_back_is_not_confirmed(browser: Browser, site: Site) -> None:
    entry = _told(site, "one")
    with browser.page(site.url, site.node, expected=[_REFUSED]) as page:
        page.answer("**/api/v1/batches/**", b"{}", status=404, kind="application/problem+json")
        _open(page, site, entry)
        assert page.count(".banner:has-text('Not compared.')") == 1
        page.check()
        page.click("summary:has-text('Every check')")
        row = page.text(".result tr:has(.check-id:text-is('registry-record'))")
        assert "not checked" in row and "no proof" in row
        assert page.count("ol.trust > li:has-text('Record'):is(.checked)") == 0


def test_an_id_leads_to_its_own_record_only(browser: Browser, site: Site) -> None:
    second, first = _told(site, "second"), _told(site, "first")
    address = site.route("id", second["record_id"])
    with browser.page(site.url, site.node) as page:
        _entries(page, first)
        page.open(address)
        assert page.text("h1") == "Nothing to show"
        assert "The oracles confirm" not in page.text()
    with browser.page(site.url, site.node) as page:
        _entries(page, first | {"record_id": second["record_id"]})  # no id of these digests: then the node is asked
        page.open(address)
        assert "Read from the chain." in page.text(".notices")
        assert page.text("h1").endswith("2.0")


def test_a_policy_page_is_of_its_own_policy(browser: Browser, site: Site) -> None:
    digest = site.stand.entries["second"]["policy_digest"]
    known = site.get(f"policies/{digest}")
    with browser.page(site.url, site.node) as page:
        page.answer("**/api/v1/policies/*", json.dumps(known).encode(), kind="application/json")
        page.open(site.route("policy", "ab" * 32))
        assert page.count(".banner:has-text('Its text.')") == 0
        assert "an answer about" in page.text()


def test_a_record_that_does_not_count_is_not_confirmed_here(browser: Browser, site: Site) -> None:
    for name, why in (("revoked", "the record was revoked"), ("held", "the record is held")):
        with browser.page(site.url, site.node, expected=NOT_KEPT) as page:
            page.open(site.record(name))
            page.choose("#folder", site.stand.release(name))
            page.wait(".result > .banner")
            assert page.texts(".result > .banner > strong") == ["Refused."]
            assert why in page.text(".result > .banner")
            assert page.attributes("ol.trust > li:last-child", "class") == ["failed"]


def test_some_of_the_files_are_not_all_of_them(browser: Browser, site: Site, tmp_path: Path) -> None:
    folder = shutil.copytree(site.stand.release("second"), tmp_path / "release")
    (folder / "tokenizer.json").unlink()
    with browser.page(site.url, site.node, expected=NOT_KEPT) as page:
        page.open(site.record("second"))
        page.choose("#folder", folder)
        page.wait(".result > .banner")
        assert page.count("ol.trust > li:has-text('Model files'):is(.checked, .pretended)") == 0


def test_strange_words_of_an_index_break_nothing(browser: Browser, site: Site) -> None:
    """Names that every object has, and a title that would be read backwards."""
    entry = _told(site, "second") | {"product_line": "constructor", "name": "acme/\u202etxt.exe", "closure": "toString"}
    with browser.page(site.url, site.node, expected=NOT_KEPT) as page:
        _open(page, site, entry)
        assert "This page has a fault." not in page.text()
        assert page.evaluate("document.title") == "acme/\\u202etxt.exe – provenance"


def test_the_owner_of_a_namespace_is_the_one_of_its_history(browser: Browser, site: Site) -> None:
    told = site.get("namespaces/acme")
    for owner, alarms in ((told["owner"], 0), ("0x" + "ab" * 20, 1)):
        with browser.page(site.url, site.node) as page:
            answer = json.dumps(told | {"owner": owner}).encode()
            page.answer("**/api/v1/namespaces/acme", answer, kind="application/json")
            page.open(site.route("n", "acme"))
            assert page.count(".banner:has-text('Another owner.')") == alarms
            assert page.count(".banner:has-text('Complete.')") == 1


def test_a_check_that_was_replaced_lights_nothing(browser: Browser, site: Site, tmp_path: Path) -> None:
    """The first one gets its evidence only once the second one has refused a changed folder."""
    folder = shutil.copytree(site.stand.release("second"), tmp_path / "release")
    (folder / "provenance" / "snp" / "report.bin").write_bytes(bytes(1184))
    with browser.page(site.url, site.node, expected=NOT_KEPT) as page:
        page.open(site.record("second"))
        page.evaluate(_HOLD_EVIDENCE)
        page.click('role=button[name="Check it in this browser"]')
        page.choose("#folder", folder)
        page.wait(".result > .banner.bad")
        page.evaluate("letGo().then(() => new Promise((done) => setTimeout(done, 1500)))")
        assert page.count("ol.trust > li:is(.checked, .pretended)") == 0
        assert page.texts(".result > .banner > strong") == ["Refused."]


_HOLD_EVIDENCE = """(() => {
  const [real, all] = [window.fetch, []];
  let letGo;
  const held = new Promise((resolve) => (letGo = resolve));
  window.fetch = (...given) => {
    if (!String(given[0]).endsWith("vek.der")) return real(...given);
    const answer = held.then(() => real(...given));
    all.push(answer);
    return answer;
  };
  window.letGo = () => (letGo(), Promise.all(all));
})()"""

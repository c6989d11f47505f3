"""The check with the evidence that the oracle kept, and what happens where somebody changed it on its way."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.explorer.browser import Browser
from tests.explorer.site import NOT_KEPT, Site
from tests.support.publisher_desk import failed

pytestmark = pytest.mark.chain

_FAILED = '.result tr:has(.tag:text-is("FAILED")) .check-id'
# Files of the evidence, and a byte of each that is changed; test_recheck.py has all of them.
_FILES = {"provenance/snp/report.bin": 0x2A0, "provenance/snp/vek.der": -1, "provenance/model.sig": -60}


def test_one_press_of_the_button_checks_a_record(browser: Browser, site: Site) -> None:
    with browser.page(site.url, site.node) as page:
        page.open(site.record("second"))
        page.check()
        assert page.texts(".result > .banner > strong") == ["Simulated."]
        assert "registry-record" in page.evaluate("document.querySelector('.result').textContent")
        assert page.axe() == []


@pytest.mark.parametrize("name", ["failed", "signed"])
def test_without_evidence_there_is_no_verdict(browser: Browser, site: Site, name: str) -> None:
    with browser.page(site.url, site.node, expected=NOT_KEPT) as page:
        page.open(site.record(name))
        if page.count('role=button[name="Check it in this browser"]'):
            page.check()
        assert page.count(_FAILED) == 0
        assert page.count(".banner.good:has-text('confirms it')") == 0


def test_evidence_that_was_changed_on_its_way_is_refused_as_by_python(
    browser: Browser, site: Site, tmp_path: Path
) -> None:
    release, manifest = site.stand.release("second"), site.stand.entries["second"]["manifest_digest"]
    for number, (path, at) in enumerate(_FILES.items()):
        copy = shutil.copytree(release, tmp_path / str(number))
        data = bytearray((copy / path).read_bytes())
        data[at] ^= 1
        (copy / path).write_bytes(data)
        with browser.page(site.url, site.node) as page:
            page.answer(f"**/evidence/{manifest}/{path}", bytes(data))
            page.open(site.record("second"))
            page.check()
            wanted = failed("check", copy, "--offline", "--policy", site.stand.policy)[1]
            assert (path, page.texts(".result > .banner > strong"), page.texts(_FAILED)) == (
                path,
                ["Refused."],
                [wanted],
            )


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"<!doctype html><p>Log in", 200),
        (b"{", 200),
        (b"[]", 200),
        (b"{}", 500),
        (b'"' + b"a" * 3_000_000 + b'"', 200),
    ],
    ids=["a page", "half", "another form", "an error", "three megabytes"],
)
def test_an_index_that_answers_nonsense_is_left_for_the_node(
    browser: Browser, site: Site, body: bytes, status: int
) -> None:
    with browser.page(site.url, site.node, expected=["console error: Failed to load resource"]) as page:
        page.answer("**/api/v1/**", body, status, "application/json")
        page.open(site.record("second"))
        assert page.text("h1").split() == ["acme/tiny2.0"]
        assert "Read from the chain." in page.text("body")


def test_an_index_that_lies_is_contradicted_by_the_chain(browser: Browser, site: Site) -> None:
    entry = site.stand.entries["revoked"]
    path = f"records/{entry['record_id']}"
    told = site.get(path)
    lie = [one | {"revoked_at": None, "model_revoked_at": None, "active": True} for one in told["entries"]]
    with browser.page(site.url, site.node) as page:
        page.answer("**/api/v1/records/*", json.dumps(told | {"entries": lie}).encode(), 200, "application/json")
        page.open(site.record("revoked"))
        assert "The index contradicts the chain." in page.text("role=alert >> nth=0")

"""A record's page: what it says and in which order, for a release of every kind."""

from __future__ import annotations

import re

import pytest

from tests.explorer.browser import Browser
from tests.explorer.site import NOT_KEPT, Site
from tests.explorer.stand import REASON

pytestmark = pytest.mark.chain

_ORDER = (
    "What was confirmed",
    "On which hardware",
    "Who signed it",
    "What it was made from",
    "What was checked",
    "What happened since",
    "Raw evidence",
)
_BANNERS = {
    "second": ["Simulated hardware."],
    "held": ["Held.", "Simulated hardware."],
    "revoked": ["Revoked.", "Simulated hardware."],
    "signed": ["Signed only."],
    "failed": ["FAILED."],
}


def test_it_says_what_whom_when_where_and_why_in_this_order(browser: Browser, site: Site) -> None:
    with browser.page(site.url, site.node) as page:
        page.open(site.record("second"))
        found = [title for title in page.texts("main h2") if title in _ORDER]
        assert found == list(_ORDER)
        first = site.stand.entries["second"]
        told = page.text()
        for field in (
            "model_digest",
            "manifest_digest",
            "verdict_digest",
            "report_digest",
            "policy_digest",
            "record_id",
        ):
            assert first[field] in told
        assert first["signers"][0]["address"] in told


@pytest.mark.parametrize("name", _BANNERS)
def test_what_is_not_as_it_seems_is_said_before_all_else(browser: Browser, site: Site, name: str) -> None:
    with browser.page(site.url, site.node, expected=NOT_KEPT) as page:
        page.open(site.record(name))
        banners = page.texts("h1 ~ .banner > strong")
        assert banners[: len(_BANNERS[name])] == _BANNERS[name]


@pytest.mark.parametrize("name", ["second", "revoked", "held", "failed", "signed", "one"])
def test_it_never_says_verified_or_safe(browser: Browser, site: Site, name: str) -> None:
    with browser.page(site.url, site.node, expected=NOT_KEPT) as page:
        page.open(site.record(name))
        assert re.findall(r"\b(?:un)?(?:verified|safe|trustworthy|secure)\b", page.text("body"), re.IGNORECASE) == []


def test_the_reason_of_a_revocation_is_shown_as_text(browser: Browser, site: Site) -> None:
    with browser.page(site.url, site.node) as page:
        page.open(site.record("revoked"))
        assert REASON in page.text()
        assert page.count("img") == 0


def test_the_drawing_of_its_ancestors_has_the_links_of_the_list(browser: Browser, site: Site) -> None:
    with browser.page(site.url, site.node) as page:
        for name, links in (("second", [True, True]), ("tuned", [False])):
            page.open(site.record(name))
            rows = page.texts("table:has(caption:text-is('The same as a list')) tbody tr")
            assert [" attested" in " ".join(row.split()) for row in rows] == links
            drawn = page.attributes("svg.lineage path", "class")
            assert sorted("stated" not in str(one) for one in drawn) == sorted(links)
            boxes = {" ".join(text.split()) for text in page.evaluate(_BOXES)}
            assert {" ".join(row.split()[:2]) for row in rows} <= boxes


_BOXES = """
[...document.querySelectorAll("svg.lineage g")].map(
  (box) => [...box.querySelectorAll("text")].map((one) => one.textContent).join(" "))
"""


def test_its_history_flags_each_change_of_the_signer(browser: Browser, site: Site) -> None:
    with browser.page(site.url, site.node) as page:
        page.open(site.record("second"))
        flags = page.texts(".banner:has-text('The publisher changed.')")
        assert len(flags) == 2
        assert "version 1.0" in flags[0]
        assert "2.0" in flags[0]

"""The keyboard alone leads everywhere, and the reader sees where it is."""

from __future__ import annotations

import pytest

from tests.explorer.browser import Browser, Page
from tests.explorer.site import Site

pytestmark = pytest.mark.chain

_TABS_MAX = 200
# What has the focus, and whether one sees that: its name, and the style of its outline.
_FOCUS = """
(() => {
  const one = document.activeElement, { outlineStyle, outlineWidth } = getComputedStyle(one);
  return [one.localName, one.innerText || one.getAttribute("aria-label") || "", `${outlineStyle} ${outlineWidth}`];
})()
"""
_REACHABLE = "a[href], button:not([disabled]), input:not([disabled]), summary, select, [tabindex='0']"


def _tab_to(page: Page, tag: str, words: str) -> None:
    for _ in range(_TABS_MAX):
        page.press("Tab")
        name, text, _outline = page.evaluate(_FOCUS)
        if name == tag and words in text:
            return
    raise AssertionError(f"no Tab leads to {tag} {words}")


def test_from_the_search_to_a_record(browser: Browser, site: Site) -> None:
    with browser.page(site.url, site.node) as page:
        page.open(site.route())
        _tab_to(page, "input", "Search")
        page.type("acme/tiny@2.0")
        page.press("Enter")
        page.wait("h1:has-text('acme/tiny@2.0')")
        page.settle()
        assert page.evaluate(_FOCUS)[0] == "h1"
        _tab_to(page, "a", "acme/tiny 2.0")
        page.press("Enter")
        page.wait("text=What was confirmed")
        page.settle()
        assert page.evaluate(_FOCUS)[:2] == ["h1", "acme/tiny2.0"]


def test_the_first_key_offers_to_skip_to_the_content(browser: Browser, site: Site) -> None:
    with browser.page(site.url, site.node) as page:
        page.open(site.record("second"))
        page.press("Tab")
        assert page.evaluate(_FOCUS)[:2] == ["a", "Skip to the content"]
        box = page.evaluate("document.activeElement.getBoundingClientRect().toJSON()")
        assert box["x"] >= 0 and box["y"] >= 0 and box["height"] >= 24
        address = page.evaluate("location.href")
        page.press("Enter")
        assert page.evaluate("document.activeElement.localName") == "main"
        assert page.evaluate("location.href") == address


def test_tab_reaches_all_there_is_and_shows_where_it_is(browser: Browser, site: Site) -> None:
    with browser.page(site.url, site.node) as page:
        page.open(site.record("tuned"))
        reachable = page.evaluate(
            f"[...document.querySelectorAll(`{_REACHABLE}`)].filter((one) => one.checkVisibility()).length"
        )
        page.evaluate("(window.reached = new Set(), 0)")
        unseen = []
        for _ in range(reachable):
            page.press("Tab")
            name, text, outline = page.evaluate(_FOCUS)
            page.evaluate("(window.reached.add(document.activeElement), 0)")
            if outline.startswith("none") or outline.endswith(" 0px"):
                unseen.append((name, text, outline))
        assert unseen == []
        assert page.evaluate("window.reached.size") == reachable > 10

"""Strings that would run, follow, hide or break something are shown as text, wherever they come from."""

from __future__ import annotations

import pytest

from provenance_oracle.verifier.characters import escape_unacceptable, unacceptable_in
from tests.explorer.browser import Browser, Page
from tests.explorer.nasty import REVOKED_EVERY, STRINGS, is_path
from tests.explorer.site import Site, StaticSite

pytestmark = pytest.mark.chain


def _missing(page: Page, texts: list[str]) -> list[str]:
    """Return the texts that the page does not show, whole and with their deceiving characters escaped."""
    shown = page.evaluate("document.body.textContent")
    return [text for text in texts if escape_unacceptable(text) not in shown]


def _assert_harmless(page: Page) -> None:
    assert page.aliens() == []
    assert page.evaluate("document.title") != "pwned"
    assert page.sideways() == 0


def test_names_and_reasons_on_chain_are_text(browser: Browser, static: StaticSite) -> None:
    """Of each of these records the namespace, the model, the version and the reason of its revocation are strings."""
    with browser.page(static.url, static.node, width=360) as page:
        for record in static.stand.nasty[::REVOKED_EVERY]:
            page.open(static.route("r", record.model_digest.hex(), record.manifest_digest.hex()))
            _assert_harmless(page)
            assert _missing(page, [record.name, record.version, record.name.partition("/")[0]]) == []


def test_records_under_one_digest_are_text(browser: Browser, static: StaticSite) -> None:
    """All of them are records of one model digest."""
    with browser.page(static.url, static.node, width=360) as page:
        page.open(static.route("find", static.stand.nasty[0].model_digest.hex()))
        while page.count("text=Show more"):
            page.click("text=Show more")
            page.settle()
        _assert_harmless(page)
        assert _missing(page, [record.name for record in static.stand.nasty[-40:]]) == []


def test_a_hostile_manifest_is_text(browser: Browser, site: Site) -> None:
    """Hundreds of files and sources have the strings as names, and addresses that would run."""
    entry = site.stand.entries["nasty"]
    printable = [text for text in STRINGS if text and not unacceptable_in(text)]
    with browser.page(site.url, site.node, width=360) as page:
        page.open(site.record("nasty"))
        _assert_harmless(page)
        assert _missing(page, printable) == []
        assert all(str(href).startswith("https://") for href in page.attributes("a.out", "href"))
        page.open(site.route("files", entry["model_digest"], entry["manifest_digest"]))
        _assert_harmless(page)
        paths = [f"{number}/{text}" for number, text in enumerate(STRINGS) if is_path(f"{number}/{text}")]
        assert len(paths) > 200
        assert _missing(page, paths) == []


def test_names_in_answers_of_the_index_are_text(browser: Browser, site: Site) -> None:
    """Search finds them by a word; the newest records are lists of them."""
    with browser.page(site.url, site.node, width=360) as page:
        for text in ("script", "evil", "title"):
            page.open(site.route("find", text))
            _assert_harmless(page)
            assert page.count("main a") > 0

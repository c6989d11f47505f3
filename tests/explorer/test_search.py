"""Search: every digest, id, name and word leads somewhere, and an empty answer says what was compared."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from tests.explorer.browser import Browser
from tests.explorer.site import Site

pytestmark = pytest.mark.chain


def test_every_digest_of_a_record_leads_to_it(browser: Browser, site: Site) -> None:
    entry = site.stand.entries["second"]
    digests = ("model", "manifest", "verdict", "report")
    asked = [*(entry[f"{name}_digest"] for name in digests), entry["record_id"], entry["release_id"]]
    with browser.page(site.url, site.node) as page:
        for text in [*asked, f"0x{entry['manifest_digest']}", entry["manifest_digest"].upper()]:
            page.open(site.route("find", text))
            assert (text, page.count("main a:has-text('acme/tiny 2.0')")) == (text, 1)


def test_names_and_words_lead_to_what_has_them(browser: Browser, site: Site) -> None:
    wanted = {
        "acme/tiny@2.0": ["acme/tiny 2.0"],
        "acme/tiny": ["acme/tiny 1.0", "acme/tiny 2.0"],
        "tuned": ["acme/tuned 1.0"],
        "withdrawn": ["acme/withdrawn 1.0"],
        "acme": ["acme"],
    }
    with browser.page(site.url, site.node) as page:
        for text, links in wanted.items():
            page.open(site.route("find", quote(text, safe="")))
            shown = page.text()
            assert (text, [link for link in links if link not in shown.replace("\n", " ")]) == (text, [])


def test_a_publisher_and_a_policy_are_found(browser: Browser, site: Site) -> None:
    entry = site.stand.entries["second"]
    with browser.page(site.url, site.node) as page:
        for route, digest in (("p", entry["publisher_identity"]), ("policy", entry["policy_digest"])):
            page.open(site.route("find", digest))
            assert f"#/{route}/{digest}" in page.attributes("main a", "href")


@pytest.mark.parametrize("text", ["nobody/nothing@9", "f" * 64, "zzzzzz", "<script>alert(1)</script>", "\u202e"])
def test_an_empty_answer_says_what_was_compared_and_that_it_is_no_judgement(
    browser: Browser, site: Site, text: str
) -> None:
    with browser.page(site.url, site.node) as page:
        page.open(site.route("find", quote(text, safe="")))
        told = page.text()
        assert "That is no judgement of a model" in told
        assert len(page.texts("main ul li")) > 0
        assert page.aliens() == []

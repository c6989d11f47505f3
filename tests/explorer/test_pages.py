"""The pages beside the record: a namespace, a publisher, a policy, files, changes and figures."""

from __future__ import annotations

import pytest

from tests.explorer.browser import Browser
from tests.explorer.site import Site, pages_of

pytestmark = pytest.mark.chain


def _rows(texts: list[str]) -> list[str]:
    return [" ".join(text.split()) for text in texts]


def test_a_namespace_tells_its_owner_its_records_and_its_whole_history(browser: Browser, site: Site) -> None:
    with browser.page(site.url, site.node) as page:
        page.open(pages_of(site)["namespace"])
        told = page.text()
        assert site.stand.registry.stranger.address.lower() in told.lower()
        for name in ("base", "first", "second", "held", "revoked", "tuned"):
            entry = site.stand.entries[name]
            assert f"{entry['name']} {entry['version']}" in told.replace("\n", " ")
        assert "Complete." in told


def test_a_publisher_has_its_releases(browser: Browser, site: Site) -> None:
    with browser.page(site.url, site.node) as page:
        page.open(pages_of(site)["publisher"])
        assert page.count("main a:has-text('acme/tiny 2.0')") == 1
        assert page.count("main a:has-text('acme/base 1.0')") == 0


def test_a_policy_has_its_number_and_its_records(browser: Browser, site: Site) -> None:
    with browser.page(site.url, site.node) as page:
        page.open(pages_of(site)["policy"])
        assert page.count("main a:has-text('acme/tiny 2.0')") == 1


def test_the_files_of_a_release_have_sizes_and_digests(browser: Browser, site: Site) -> None:
    with browser.page(site.url, site.node) as page:
        page.open(pages_of(site)["files"])
        rows = _rows(page.texts("main tbody tr"))
        assert [row.split()[0] for row in rows] == ["config.json", "model.safetensors", "tokenizer.json"]
        assert "52 bytes" in rows[0]


def test_two_releases_differ_in_what_was_changed(browser: Browser, site: Site) -> None:
    with browser.page(site.url, site.node) as page:
        page.open(pages_of(site)["compare"])
        assert "The publisher changed." in page.text()
        rows = {row.split()[0]: row.split()[-1] for row in _rows(page.texts("main tbody tr"))}
        files = ("README.md", "config.json", "model.safetensors", "tokenizer.json")
        assert [rows[name] for name in files] == ["removed", "changed", "bytes", "added"]
        assert {rows["Signed"], rows["Firmware"], rows["acme/base"], rows["acme/tiny"]} == {"changed"}
        assert {rows["Policy"], rows["Measurement"]} == {"same"}


def test_each_figure_has_a_table_that_says_the_same(browser: Browser, site: Site) -> None:
    with browser.page(site.url, site.node) as page:
        page.open(pages_of(site)["plots"])
        oracles = [oracle.address.lower() for oracle in site.stand.registry.oracles]
        told = page.text().lower().replace("\n", "")
        assert all(oracle in told for oracle in oracles)
        sections = page.count("main section:has(svg)")
        assert sections == page.count("main section:has(svg):has(table)") >= 3


def test_an_address_without_a_page_says_so(browser: Browser, site: Site) -> None:
    with browser.page(site.url, site.node) as page:
        page.open(pages_of(site)["no-page"])
        assert page.text("h1") == "No such page"

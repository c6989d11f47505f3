"""Every page in light and dark, from phone to wide screen: for people who see badly, or use a keyboard alone."""

from __future__ import annotations

from itertools import product

import pytest

from tests.explorer.browser import SCHEMES, WIDTHS, Browser
from tests.explorer.site import NOT_KEPT, Site, pages_of

pytestmark = pytest.mark.chain

# With each scheme and each of the widths once; the record's page has all six.
_LOOKS = (("light", 1280), ("dark", 360))
_PAGES = (
    *(
        "home",
        "found",
        "nothing-found",
        "namespace",
        "publisher",
        "policy",
        "files",
        "compare",
        "plots",
        "about",
        "no-page",
    ),
    *(f"record-{name}" for name in ("second", "tuned", "revoked", "held", "signed", "failed", "batch", "nasty")),
)


@pytest.mark.parametrize("name", _PAGES)
def test_a_page_has_no_barriers_and_never_scrolls_sideways(browser: Browser, site: Site, name: str) -> None:
    looks = tuple(product(SCHEMES, WIDTHS)) if name == "record-second" else _LOOKS
    with browser.page(site.url, site.node, expected=NOT_KEPT) as page:
        page.open(pages_of(site)[name])
        for scheme, width in looks:
            page.look(scheme, width)
            assert (scheme, width, page.axe()) == (scheme, width, [])
        for width in WIDTHS:
            page.look("light", width)
            assert (width, page.sideways()) == (width, 0)

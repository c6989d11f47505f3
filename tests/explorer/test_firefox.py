"""Firefox ESR shows a record and checks it. Its WebCrypto once took a key of one curve for one of another."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.explorer.site import Site
from tests.support.marionette import Marionette, firefox_program, running_firefox

pytestmark = pytest.mark.chain

# Waits for an element, and gives the text of all that match.
_TEXTS = """
const [selector, done] = arguments;
const look = () => {
  const found = [...document.querySelectorAll(selector)];
  const isBusy = document.querySelector("[aria-busy=true], main > .reading");
  if (found.length > 0 && !isBusy) done(found.map((one) => one.innerText));
  else setTimeout(look, 50);
};
look();
"""
_PRESS = "const [selector, done] = arguments; document.querySelector(selector).click(); done(null)"


@pytest.fixture(scope="module")
def firefox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Marionette]:
    """Run Firefox."""
    program = firefox_program()
    if program is None:
        pytest.skip("no Firefox; install Debian's firefox-esr")
    with running_firefox(program, tmp_path_factory.mktemp("firefox")) as marionette:
        yield marionette


def test_it_shows_the_newest_records(firefox: Marionette, site: Site) -> None:
    firefox.goto(site.route())
    assert any("acme/tiny" in text for text in firefox.run_async(_TEXTS, "main a"))


@pytest.mark.parametrize("name", ["first", "second"])
def test_it_checks_a_record(firefox: Marionette, site: Site, name: str) -> None:
    firefox.goto("about:blank")
    firefox.goto(site.record(name))
    assert firefox.run_async(_TEXTS, "h1")[0].startswith("acme/tiny")
    firefox.run_async(_PRESS, "button.primary")
    assert firefox.run_async(_TEXTS, ".result > .banner > strong") == ["Simulated."]

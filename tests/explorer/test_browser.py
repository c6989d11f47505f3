"""The tests' browser notices what no page may do: else the other tests here would pass for a page that does it."""

from __future__ import annotations

from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler

import pytest

from tests.explorer.browser import Browser
from tests.support.fake_nodes import QuietHandler, serving

_PAGE = "<!doctype html><html lang=en><title>t</title><link rel=icon href=data:,><main><h1>A page</h1></main>"
_FAULTS = {
    "console.error('it broke')": "console error: it broke",
    "console.warn('it nearly broke')": "console warning: it nearly broke",
    "throw new Error('it broke')": "exception: Error: it broke",
    "alert('hello')": "dialog: hello",
    "open('about:blank')": "window: about:blank",
    "fetch('http://127.0.0.1:9/').catch(() => 0)": "request: http://127.0.0.1:9/",
    "document.body.append(Object.assign(new Image(), {src: 'http://localhost:9/x'}))": "request: http://localhost:9/x",
}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Serve a page for each fault, and one without any."""
    folder = tmp_path_factory.mktemp("site")
    (folder / "good.html").write_text(_PAGE)
    (folder / "strict.html").write_text(
        f"<meta http-equiv=Content-Security-Policy content=\"default-src 'none'\">{_PAGE}<script>1</script>"
    )
    for number, script in enumerate(_FAULTS):
        (folder / f"{number}.html").write_text(f"{_PAGE}<script>{script}</script>")

    class Handler(QuietHandler, SimpleHTTPRequestHandler):
        def __init__(self, *given: object) -> None:
            super().__init__(*given, directory=str(folder))  # type: ignore[arg-type]

    with serving(Handler) as url:
        yield url


def _faults(browser: Browser, site: str, name: str) -> str:
    """Return what the test of a page with this name would fail with."""
    with pytest.raises(AssertionError) as caught, browser.page(site) as page:
        page.goto(f"{site}/{name}.html")
        page.evaluate("new Promise((done) => setTimeout(done, 100))")
    return str(caught.value)


def test_a_page_without_faults_passes(browser: Browser, site: str) -> None:
    with browser.page(site) as page:
        page.goto(f"{site}/good.html")
        assert (page.text("h1"), page.axe(), page.sideways()) == ("A page", [], 0)


@pytest.mark.parametrize("number", range(len(_FAULTS)), ids=_FAULTS.values())
def test_each_fault_fails_the_test(browser: Browser, site: str, number: int) -> None:
    assert list(_FAULTS.values())[number] in _faults(browser, site, str(number))


def test_what_the_content_security_policy_refuses_fails_the_test(browser: Browser, site: str) -> None:
    assert "CSP: script-src-elem refused inline" in _faults(browser, site, "strict")


def test_a_fault_that_the_test_provokes_is_let_through(browser: Browser, site: str) -> None:
    with browser.page(site, expected=["console error: it broke"]) as page:
        page.goto(f"{site}/0.html")


def test_axe_and_the_width_find_what_is_wrong(browser: Browser, site: str) -> None:
    with browser.page(site, width=360) as page:
        page.goto(f"{site}/good.html")
        page.evaluate("document.querySelector('h1').style.width = '500px'")
        page.evaluate("document.body.append(document.createElement('input'))")
        assert page.sideways() > 100
        assert any(found.startswith("label: ") for found in page.axe())


def test_a_failed_operation_fails_the_test_and_the_browser_goes_on(browser: Browser, site: str) -> None:
    with browser.page(site) as page:
        page.goto(f"{site}/good.html")
        with pytest.raises(AssertionError, match="nonsense is not defined"):
            page.evaluate("nonsense")
        assert page.text("h1") == "A page"


@pytest.mark.parametrize(
    "markup",
    [
        "<img src=x>",
        "<p onclick=alert()>",
        "<p style=color:red>",
        "<a href=javascript:alert()>",
        "<a href=//evil.example>",
        "<svg><use href=data:,x>",
        "<iframe>",
    ],
)
def test_what_a_string_could_become_is_found(browser: Browser, site: str, markup: str) -> None:
    with browser.page(site, expected=["console "]) as page:
        page.goto(f"{site}/good.html")
        assert [one for one in page.aliens() if not one.startswith("link href=data:,")] == []
        page.evaluate(f"document.body.append(new DOMParser().parseFromString('{markup}', 'text/html').body)")
        assert any(markup[1:2] in one for one in page.aliens())

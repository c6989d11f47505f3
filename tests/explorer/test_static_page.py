"""The page's files alone, on a host that only sends files: the browser reads the contract itself."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from tests.explorer.browser import Browser
from tests.explorer.site import StaticSite, copy_page, static_config
from tests.explorer.stand import Stand
from tests.support.fake_nodes import babbling, lying, telling_calls, telling_logs, with_word

pytestmark = pytest.mark.chain

_CONFIRMED = "The oracles confirm"
_JSON = {"Content-Type": "application/json"}


def test_it_shows_a_record_from_the_contract_alone(browser: Browser, static: StaticSite) -> None:
    with browser.page(static.url, static.node) as page:
        page.open(static.record("second"))
        assert page.text("h1").split() == ["acme/tiny2.0"]
        told = page.text()
        assert _CONFIRMED in told
        assert static.stand.entries["second"]["signers"][0]["address"] in told


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("acme/tiny@2.0", "acme/tiny 2.0"),
        ("nobody/nothing", "the history of the namespace nobody"),
        ("tiny", "Words and publishers need an index."),
    ],
)
def test_a_name_of_a_claimed_namespace_is_found_without_an_index(
    browser: Browser, static: StaticSite, query: str, wanted: str
) -> None:
    with browser.page(static.url, static.node) as page:
        page.open(static.route("find", quote(query, safe="")))
        assert wanted in page.text()


def _other_chain(stand: Stand) -> Any:
    return lying(stand.registry, lambda method, _params, _truth: "0x1" if method == "eth_chainId" else None)


def _changed_record(stand: Stand) -> Any:
    def changed(logs: list[Any]) -> list[Any]:
        return [log | {"data": _flipped(log["data"])} for log in logs]

    return lying(stand.registry, telling_logs("RecordPublished", changed))


def _flipped(data: str) -> str:
    middle = len(data) // 2
    return data[:middle] + ("0" if data[middle] != "0" else "1") + data[middle + 1 :]


_LIARS: dict[str, Callable[[Stand], AbstractContextManager[Any]]] = {
    "another chain": _other_chain,
    "a changed record": _changed_record,
    "three megabytes": lambda _stand: babbling(
        200, b'{"jsonrpc":"2.0","id":1,"result":"0x%s"}' % (b"00" * 1_500_000), **_JSON
    ),
    "a page": lambda _stand: babbling(200, b"<!doctype html><p>Please log in</p>", **{"Content-Type": "text/html"}),
    "no such method": lambda _stand: babbling(
        200, b'{"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"no"}}', **_JSON
    ),
    "an error of the server": lambda _stand: babbling(503, b"busy"),
    "half an answer": lambda _stand: babbling(200, b'{"jsonrpc":"2.0","id":1,"res', **_JSON),
}


@pytest.mark.parametrize("lie", _LIARS)
def test_what_a_lying_node_tells_is_never_shown_as_confirmed(browser: Browser, static: StaticSite, lie: str) -> None:
    with (
        _LIARS[lie](static.stand) as (node, _),
        browser.page(static.url, node, expected=["console error: Failed to load"]) as page,
    ):
        page.open(static.record("second", rpc=node))
        told = page.text()
        assert _CONFIRMED not in told
        assert "No verdict." in told


def test_two_nodes_that_agree_are_no_news(browser: Browser, static: StaticSite) -> None:
    with (
        lying(static.stand.registry, lambda *_: None) as (other, asked),
        browser.page(static.url, static.node, other) as page,
    ):
        page.open(static.record("second", rpc2=other))
        assert _CONFIRMED in page.text()
        assert page.count(".banner:has-text('The nodes disagree.')") == 0
        assert len(asked) > 3


@pytest.mark.parametrize("liar", ["rpc", "rpc2"])
def test_two_nodes_that_differ_are_a_banner(browser: Browser, static: StaticSite, liar: str) -> None:
    """Here the liar hides a revocation: alone, nobody would notice."""
    hidden = telling_calls("standingById", lambda data: with_word(data, 1, 0))
    with lying(static.stand.registry, hidden) as (node, _), browser.page(static.url, static.node, node) as page:
        page.open(static.record("revoked", **{liar: node, "rpc" if liar == "rpc2" else "rpc2": static.node}))
        assert "The nodes disagree." in page.text("role=alert")


def test_a_link_that_chooses_the_node_says_so(browser: Browser, static: StaticSite) -> None:
    with browser.page(static.url, static.node) as page:
        page.open(static.record("second", rpc=static.node))
        assert "The address of this page chose the node." in page.text("text=Chosen by the link. >> ..")


def test_it_works_from_a_file(browser: Browser, static: StaticSite, tmp_path: Path) -> None:
    """From `file://` a browser loads no module and no worker, and the page's origin is null."""
    index = copy_page(tmp_path / "page", static_config(static.stand)) / "index.html"
    with browser.page(static.node) as page:
        page.open(static.record("second").replace(f"{static.url}/?", index.as_uri()))
        assert _CONFIRMED in page.text()


def test_on_plain_http_from_another_machine_it_says_what_to_do(browser: Browser, static: StaticSite) -> None:
    """A browser has no cryptography there. The browser of the tests finds page.example on this machine."""
    url = static.url.replace("127.0.0.1", "page.example")
    with browser.page(url, static.node) as page:
        page.open(static.record("second").replace(static.url, url))
        assert not page.evaluate("isSecureContext")
        told = page.text(".banner:has-text('Not from this address.')")
        assert "over https, from 127.0.0.1 or from your disk" in told
        assert page.count("role=button[name='Check it in this browser']") == 0

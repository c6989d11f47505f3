"""Tests of the page as the server sends it: its policy, its block of data, and what those see who get an address."""

from __future__ import annotations

import gzip
import html
import json
import re
import struct
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any
from urllib.request import urlopen

import pytest
from starlette.applications import Starlette

from provenance_oracle.oracle.web.explorer.page_files import PageFiles, with_config
from provenance_oracle.oracle.web.explorer.read_side import origin_of
from provenance_oracle.oracle.web.server import serving
from provenance_oracle.verifier.errors import UsageError
from tests.oracle.web.api.conftest import Answer, Site, open_site

pytestmark = pytest.mark.chain
_BLOCK = re.compile(rb'<script type="application/json" id="config">(.*?)</script>', re.DOTALL)


def config_of(answer: Answer) -> Any:
    [block] = _BLOCK.findall(answer.body)
    return json.loads(block)


def tags_of(answer: Answer) -> dict[str, str]:
    found = re.findall(r'<meta (?:property|name)="((?:og|twitter):[a-z:]+)" content="([^"]*)">', answer.body.decode())
    return {name: html.unescape(text) for name, text in found}


def address_of(site: Site, name: str) -> str:
    entry = site.stand.entries[name]
    return f"/r/{entry['model_digest']}/{entry['manifest_digest']}"


def test_the_page_may_load_its_own_files_and_ask_this_server_and_the_node(site: Site) -> None:
    headers = site.get("/").headers
    assert headers["content-security-policy"] == (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        f"connect-src 'self' {site.shown.page_rpc[0]}; worker-src 'self'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types worker"
    )
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert "camera=()" in headers["permissions-policy"]
    assert "access-control-allow-origin" not in headers


def test_the_page_knows_where_to_ask(site: Site) -> None:
    assert config_of(site.get("/")) == {
        "rpcUrl": site.shown.page_rpc[0],
        "secondRpcUrl": None,
        "deployment": None,
        "evidence": "/api/v1/evidence",
        "api": "/api/v1",
    }


def test_no_text_of_the_configuration_ends_its_block() -> None:
    page = b'<script type="application/json" id="config">{}</script>'
    hostile = {"rpcUrl": "</script><script>alert(1)</script>\\1"}
    [block] = _BLOCK.findall(with_config(page, hostile))
    assert json.loads(block) == hostile


def test_every_file_that_the_page_names_is_served_with_its_type(site: Site) -> None:
    page = site.get("/").body.decode()
    named = re.findall(r'(?:src|href)="([a-z.]+)"', page)
    assert {"app.js", "style.css"} <= set(named)
    for path in ("/", address_of(site, "first").rpartition("/")[0] + "/"):
        for name in named:
            answer = site.get(path + name)
            assert answer.status == 200, path + name
            kind = "text/javascript" if name.endswith(".js") else "text/css"
            assert answer.headers["content-type"] == f"{kind}; charset=utf-8"
            packed = site.get(path + name, Accept_Encoding="gzip, br")
            assert packed.headers["content-encoding"] == "gzip"
            assert gzip.decompress(packed.body) == answer.body
            assert packed.headers["etag"] != answer.headers["etag"]


_OTHER = ["/nothing.js", "/../server.py", "/%2e%2e/server.py", "/r/a/b", "/r/app.js", "/index.html/"]


@pytest.mark.parametrize("path", _OTHER)
def test_nothing_else_is_served(site: Site, path: str) -> None:
    assert site.get(path).status == 404


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("base", "simulated"),
        ("revoked", "revoked"),
        ("held", "held"),
        ("signed", "signed only"),
    ],
)
def test_who_gets_the_address_of_a_release_sees_how_it_stands(site: Site, name: str, words: str) -> None:
    entry = site.stand.entries[name]
    answer = site.get(address_of(site, name))
    tags = tags_of(answer)
    assert tags["og:title"] == f"{entry['name']} {entry['version']}: {words}"
    assert entry["product_line"] in tags["og:description"]
    host = f"http://{site.address[0]}:{site.address[1]}"
    assert tags["og:image"] == f"{host}/api/v1/card/{entry['record_id']}.png"
    picture = site.get(tags["og:image"].removeprefix(host))
    assert picture.body.startswith(b"\x89PNG\r\n\x1a\n")
    assert struct.unpack(">II", picture.body[16:24]) == (1200, 630)
    assert tags["twitter:card"] == "summary_large_image"
    assert config_of(answer)["api"] == "/api/v1"
    badge = site.get(f"/api/v1/badge/{entry['manifest_digest']}.svg").body.decode()
    assert f"provenance: {words}</title>" in badge


def test_a_release_without_a_record_is_the_plain_page_and_its_badge_says_so(site: Site) -> None:
    answer = site.get(f"/r/{'0' * 64}/{'1' * 64}")
    assert (answer.status, tags_of(answer)) == (200, {})
    assert b"not recorded" in site.get(f"/api/v1/badge/{'0' * 64}.svg").body


def test_a_slow_database_delays_no_other_page() -> None:
    begun, go_on = threading.Event(), threading.Event()

    def share(_model: bytes, _manifest: bytes) -> None:
        begun.set()
        assert go_on.wait(30)

    app = Starlette(routes=PageFiles({}, (), share).routes())
    with serving(app, "127.0.0.1:0") as (host, port), ThreadPoolExecutor(1) as pool:
        asked = pool.submit(urlopen, f"http://{host}:{port}/r/{'a' * 64}/{'b' * 64}", timeout=30)
        assert begun.wait(30)
        try:
            assert urlopen(f"http://{host}:{port}/", timeout=10).status == 200
        finally:
            go_on.set()
        assert asked.result().status == 200


def test_a_strange_host_gets_into_no_address(site: Site) -> None:
    answer = site.get(address_of(site, "base"), Host='a"><script>alert(1)</script>')
    assert answer.status in (200, 400)
    assert b"<script>alert" not in answer.body


def test_names_of_strangers_are_text_in_tags_and_badges(site: Site) -> None:
    found = [
        entry
        for entry in site.get("/api/v1/recent?limit=100").json["entries"]
        if '"' in entry["name"] + entry["version"] or "<" in entry["name"] + entry["version"]
    ]
    assert found
    for entry in found:
        answer = site.get(f"/r/{entry['model_digest']}/{entry['manifest_digest']}")
        assert set(tags_of(answer)) >= {"og:title", "og:image", "twitter:card"}
        head = answer.body.partition(b"</head>")[0]
        assert head.count(b"<script") == 2  # the block of data and app.js
        assert site.get(f"/api/v1/card/{entry['record_id']}.png").status == 200


@pytest.mark.parametrize(
    "url",
    ["ftp://node", "https://", "https://user@node", "https://node;x", "https://node 'self'", "//node", "https://a:b"],
)
def test_the_url_of_a_node_that_would_change_the_policy_is_refused(site: Site, url: str) -> None:
    shown = replace(site.shown, page_rpc=(url,))
    with pytest.raises(UsageError, match="not the URL of a node"), open_site(site.stand, shown):
        pass


def test_a_second_node_is_named_and_may_be_asked_and_a_third_is_refused(site: Site) -> None:
    nodes = ("https://node.example/one", "https://other.example:8545")
    with open_site(site.stand, replace(site.shown, page_rpc=nodes)) as both:
        answer = both.get("/")
        config = config_of(answer)
        assert (config["rpcUrl"], config["secondRpcUrl"]) == nodes
        policy = answer.headers["content-security-policy"]
        assert "connect-src 'self' https://node.example https://other.example:8545; " in policy
    shown = replace(site.shown, page_rpc=(*nodes, nodes[0]))
    with pytest.raises(UsageError, match="too many nodes"), open_site(site.stand, shown):
        pass


def test_the_origin_of_a_node_has_no_path() -> None:
    assert origin_of("https://node.example:8545/key/1234?x=y") == "https://node.example:8545"
    assert origin_of("http://[::1]:8545") == "http://[::1]:8545"

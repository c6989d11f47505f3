"""Tests of redirects: to whom the authorization goes, and where no redirect leads."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Any

import pytest

from provenance_oracle.oracle.sources.web_client import WebClient
from provenance_oracle.verifier.errors import TemporaryError, UsageError
from provenance_oracle.verifier.strict.patient_socket import is_public
from tests.support.stand_in_hub import Asked, Reply, StandInHub, stand_in_hub

TOKEN = "Bearer hf_s3cret"


@pytest.fixture
def hub() -> Iterator[StandInHub]:
    with stand_in_hub() as found:
        yield found


def redirect(hub: StandInHub, *locations: str) -> None:
    """Answer the requests for /0, /1, ... with these redirects, and any other one with 200."""

    def before(asked: Asked) -> Reply:
        name = asked.path.strip("/")
        if name.isdigit() and int(name) < len(locations):
            return Reply(302, b"moved", {"Location": locations[int(name)]})
        return Reply(200, b"here")

    hub.before = before


def get(web: WebClient, path: str = "/0") -> bytes:
    with web.get(f"{web.url}{path}", {}) as answer:
        assert answer.status == 200
        return b"".join(iter(lambda: answer.read(1024), b""))


def authorized(hub: StandInHub) -> list[tuple[str, bool]]:
    return [(one.server, "authorization" in one.headers) for one in hub.asked]


def test_the_authorization_goes_to_the_site_and_not_to_others(hub: StandInHub) -> None:
    redirect(hub, "/1", f"{hub.store_url}/2", f"{hub.url}/x")
    assert get(WebClient(hub.url, lambda: TOKEN)) == b"here"
    assert authorized(hub) == [("hub", True), ("hub", True), ("store", False), ("hub", True)]


def test_another_port_or_host_is_another_place(hub: StandInHub) -> None:
    redirect(hub, hub.url.replace("127.0.0.1", "localhost") + "/x")
    assert get(WebClient(hub.url, lambda: TOKEN)) == b"here"
    assert authorized(hub) == [("hub", True), ("hub", False)]


def test_redirects_without_end_are_given_up(hub: StandInHub) -> None:
    redirect(hub, *["/0"] * 1)
    with pytest.raises(TemporaryError, match="redirects without end"):
        get(WebClient(hub.url))
    assert len(hub.asked) == 6


@pytest.mark.parametrize(
    ("location", "words"),
    [
        ("{store}/x", "not public"),
        ("http://example.org/x", "not public"),
        ("https://10.0.0.1/x", "not public"),
        ("https://[::1]/x", "not public"),
        ("https://[::ffff:10.0.0.1]/x", "not public"),
        ("https://169.254.169.254/latest/meta-data", "not public"),
        ("https://localhost/x", "not public"),
        ("ftp://example.org/x", "no address"),
        ("file:///etc/passwd", "no address"),
        ("https:///x", "no address"),
        ("https://example.org:99999/x", "no address"),
        ("https://example.org/" + "x" * 20_000, "no address"),
        ("https://example.org:0/x", "no address"),
    ],
)
def test_a_redirect_to_no_public_place_is_refused(hub: StandInHub, location: str, words: str) -> None:
    redirect(hub, location.format(store=hub.store_url))
    with pytest.raises(TemporaryError, match=words) as caught:
        get(WebClient(hub.url, lambda: TOKEN, private_redirects=False))
    assert [one.server for one in hub.asked] == ["hub"]
    assert "s3cret" not in str(caught.value)


def test_a_public_name_with_a_private_address_is_refused(hub: StandInHub, monkeypatch: pytest.MonkeyPatch) -> None:
    """The address that the name leads to is checked, and the connection goes to that address."""
    real = socket.getaddrinfo

    def look_up(host: str, port: int, *rest: Any, **more: Any) -> Any:
        return real("127.0.0.1" if host == "store.example" else host, port, *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    port = hub.store_url.rpartition(":")[2]
    redirect(hub, f"https://store.example:{port}/x")
    with pytest.raises(TemporaryError, match="the name leads into a private network"):
        get(WebClient(hub.url, lambda: TOKEN, private_redirects=False))
    assert [one.server for one in hub.asked] == ["hub"]


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("8.8.8.8", True),
        ("2606:4700::1111", True),
        ("127.0.0.1", False),
        ("10.1.2.3", False),
        ("172.16.0.1", False),
        ("192.168.0.1", False),
        ("100.64.0.1", False),
        ("169.254.169.254", False),
        ("0.0.0.0", False),
        ("224.0.0.1", False),
        ("255.255.255.255", False),
        ("::1", False),
        ("::", False),
        ("fe80::1%eth0", False),
        ("fd00::1", False),
        ("::ffff:127.0.0.1", False),
        ("2002:7f00:1::", False),
        ("ff02::1", False),
    ],
)
def test_public_addresses(address: str, expected: bool) -> None:
    assert is_public(address) is expected


def test_a_connection_is_used_again(hub: StandInHub) -> None:
    web = WebClient(hub.url)
    redirect(hub)
    for _ in range(3):
        assert get(web, "/x") == b"here"
    assert len(web._idle[web._site]) == 1


@pytest.mark.parametrize("site", ["", "hub", "ftp://hub", "http://hub/x", "http://u:p@hub", "http://hub?x", "https://"])
def test_a_site_that_is_none_is_refused(site: str) -> None:
    with pytest.raises(UsageError, match="not the URL of a site"):
        WebClient(site)

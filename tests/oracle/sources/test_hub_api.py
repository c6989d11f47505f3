"""Tests of the calls to the hub, against a stand-in that serves the API's shapes."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from provenance_oracle.oracle.sources import hub_api
from provenance_oracle.oracle.sources.hub_api import HubApi, HubPlace, NothingThereError
from provenance_oracle.oracle.sources.web_client import WebClient
from provenance_oracle.verifier.errors import ChangedError, TemporaryError
from provenance_oracle.verifier.strict.patient_socket import TooMuchError
from tests.support.stand_in_hub import Asked, Reply, StandInHub, stand_in_hub

LARGE = bytes(range(256)) * 8
FILES = {"config.json": b"{}", "weights.bin": LARGE, "sub/a b#?.xet": LARGE[::-1], "empty": b"", "provenance/x": b"x"}


@pytest.fixture
def hub() -> Iterator[StandInHub]:
    with stand_in_hub() as found:
        yield found


@pytest.fixture
def place(hub: StandInHub) -> HubPlace:
    return HubPlace("acme/model", hub.push("acme/model", FILES))


def api_of(hub: StandInHub, token: str = "", slept: list[float] | None = None) -> HubApi:
    web = WebClient(hub.url, lambda: f"Bearer {token}" if token else "")
    return HubApi(web, clock=lambda: 0.0, sleep=(slept if slept is not None else []).append)


def read(hub: StandInHub, place: HubPlace, path: str, offset: int = 0, size: int | None = None) -> bytes:
    size = len(FILES[path]) if size is None else size
    with api_of(hub).file(place, path, size=size, offset=offset) as pieces:
        return b"".join(pieces)


def test_the_models_of_an_owner_come_page_by_page(hub: StandInHub) -> None:
    hub.page_items = 2
    for name in ("acme/a", "acme/b", "other/x", "acme/c", "acme/d", "acme/e"):
        hub.push(name, FILES)
    found = list(api_of(hub).models_of("acme", pages_max=3))
    assert [item["id"] for item in found] == ["acme/a", "acme/b", "acme/c", "acme/d", "acme/e"]
    assert [item["sha"] for item in found] == [hub.heads[item["id"]] for item in found]
    assert len(hub.asked) == 3
    assert "author=acme" in hub.asked[0].path and "expand=sha" in hub.asked[0].path


def test_more_pages_than_allowed_are_not_asked_for(hub: StandInHub) -> None:
    hub.page_items = 1
    for name in ("acme/a", "acme/b", "acme/c"):
        hub.push(name, FILES)
    with pytest.raises(TooMuchError, match="too many pages"):
        list(api_of(hub).models_of("acme", pages_max=2))
    assert len(hub.asked) == 2


def test_a_tree_has_files_and_folders_of_a_commit(hub: StandInHub, place: HubPlace) -> None:
    hub.page_items = 2
    hub.push("acme/model", {"other": b""})  # the branch moves
    items = list(api_of(hub).tree(place, "", pages_max=9))
    assert {item["path"]: item["size"] for item in items if item["type"] == "file"} == {
        path: len(data) for path, data in FILES.items()
    }
    assert {item["path"] for item in items if item["type"] == "directory"} == {"sub", "provenance"}
    assert [item["path"] for item in api_of(hub).tree(place, "provenance", pages_max=1)] == ["provenance/x"]


def test_nothing_is_where_nothing_is(hub: StandInHub, place: HubPlace) -> None:
    api = api_of(hub)
    for ask in (
        lambda: list(api.tree(place, "none", pages_max=1)),
        lambda: list(api.tree(HubPlace("acme/model", "0" * 40), "", pages_max=1)),
        lambda: api.model("acme/none", "main"),
    ):
        with pytest.raises(NothingThereError, match="shows nothing here"):
            ask()


@pytest.mark.parametrize("path", sorted(FILES.keys() - {"empty"}))
@pytest.mark.parametrize("offset", [0, 1])
def test_a_file_is_read_from_an_offset_on(hub: StandInHub, place: HubPlace, path: str, offset: int) -> None:
    hub.push("acme/model", {"other": b""})
    if offset < len(FILES[path]):
        assert read(hub, place, path, offset) == FILES[path][offset:]


def test_the_token_reaches_the_hub_and_not_its_store(hub: StandInHub, place: HubPlace) -> None:
    hub.token = "hf_s3cret"
    hub.private.add("acme/model")
    api = api_of(hub, "hf_s3cret")
    assert api.model("acme/model", "main")["sha"] == place.commit
    with api.file(place, "weights.bin", size=len(LARGE), offset=0) as pieces:
        assert b"".join(pieces) == LARGE
    assert [(one.server, one.headers.get("authorization", "")) for one in hub.asked] == [
        ("hub", "Bearer hf_s3cret"),
        ("hub", "Bearer hf_s3cret"),
        ("store", ""),
    ]


def test_limits_are_kept_to(hub: StandInHub, place: HubPlace) -> None:
    slept: list[float] = []
    hub.limit = 52
    api = api_of(hub, slept=slept)
    api.model("acme/model", "main")
    api.model("acme/model", "main")
    with pytest.raises(TimeoutError):

        def stop(seconds: float) -> None:
            slept.append(seconds)
            raise TimeoutError

        api._budget._sleep = stop
        api.model("acme/model", "main")
    assert slept == [56]
    assert len(hub.asked) == 2


def test_a_refusal_by_limit_is_waited_out(hub: StandInHub, place: HubPlace) -> None:
    now = [0.0]
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        now[0] += seconds
        hub.limit = 100

    hub.limit = 0
    assert HubApi(WebClient(hub.url), lambda: now[0], sleep).model("acme/model", "main")["sha"] == place.commit
    assert slept == [7]
    assert len(hub.asked) == 2


def test_a_hub_that_always_refuses_is_an_error_after_three_tries(hub: StandInHub, place: HubPlace) -> None:
    now = [0.0]
    hub.before = lambda _asked: Reply(429, b"", {"Retry-After": "1"})

    def sleep(seconds: float) -> None:
        now[0] += seconds

    with pytest.raises(TemporaryError, match="status 429"):
        HubApi(WebClient(hub.url), lambda: now[0], sleep).model("acme/model", "main")
    assert len(hub.asked) == 3


@pytest.mark.parametrize("status", [400, 418, 500, 502, 503, 204])
def test_another_status_is_temporary(hub: StandInHub, place: HubPlace, status: int) -> None:
    hub.before = lambda _asked: Reply(status)
    with pytest.raises(TemporaryError, match=f"status {status}"):
        api_of(hub).model("acme/model", "main")
    with pytest.raises(TemporaryError, match=f"status {status}"):
        read(hub, place, "config.json")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[",
        b'{"a": 1}',
        b'["a"]',
        b"\xff",
        b"[" * 100 + b"]" * 100,
        b"[" + b"[]," * 100_000 + b"[]]",
        b"[" + b"9" * 5000 + b"]",
    ],
)
def test_a_malformed_list_is_refused(hub: StandInHub, body: bytes) -> None:
    hub.before = lambda _asked: Reply(200, body)
    with pytest.raises(TemporaryError, match="the hub's answer is malformed"):
        list(api_of(hub).models_of("acme", pages_max=1))


def test_an_answer_of_many_bytes_is_cut_off(hub: StandInHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub_api, "_JSON_MAX_BYTES", 1000)
    hub.before = lambda _asked: Reply(200, b" " * 600_000)
    with pytest.raises(TooMuchError, match="too large"):
        api_of(hub).model("acme/model", "main")


@pytest.mark.parametrize(
    "link", ["{hub}/api/models/x", "{store}/api/models", "https://example.org/api/models", "{hub}/api/models?cursor=1"]
)
def test_a_page_that_leads_elsewhere_or_in_circles_is_refused(hub: StandInHub, link: str) -> None:
    address = link.format(hub=hub.url, store=hub.store_url)
    hub.before = lambda _asked: Reply(200, b"[]", {"Link": f'<{address}>; rel="next"'})
    with pytest.raises(TemporaryError, match=r"malformed.*leads"):
        list(api_of(hub).models_of("acme", pages_max=100))
    assert len(hub.asked) <= 2


def test_pages_without_end_are_bounded(hub: StandInHub) -> None:
    def before(asked: Asked) -> Reply:
        return Reply(200, b"[{}]", {"Link": f'<{hub.url}/api/models?cursor={len(hub.asked)}>; rel="next"'})

    hub.before = before
    with pytest.raises(TooMuchError):
        list(api_of(hub).models_of("acme", pages_max=5))
    assert len(hub.asked) == 5


@pytest.mark.parametrize("size", [len(LARGE) - 1, len(LARGE) + 1])
@pytest.mark.parametrize("path", ["weights.bin", "config.json"])
def test_a_size_that_lies_is_a_change(hub: StandInHub, place: HubPlace, path: str, size: int) -> None:
    with pytest.raises(ChangedError):
        read(hub, place, path, size=size - len(LARGE) + len(FILES[path]))


def test_another_commit_is_a_change(hub: StandInHub, place: HubPlace) -> None:
    hub.before = lambda _asked: Reply(200, b"{}", {"X-Repo-Commit": "1" * 40})
    with pytest.raises(ChangedError, match="another commit"):
        read(hub, place, "config.json")


@pytest.mark.parametrize("status", [401, 403, 404, 410, 451])
def test_a_file_that_has_gone_is_a_change(hub: StandInHub, place: HubPlace, status: int) -> None:
    hub.before = lambda asked: Reply(status) if asked.server == "store" or status != 410 else None
    with pytest.raises(ChangedError, match="no longer gives the file"):
        read(hub, place, "weights.bin")


@pytest.mark.parametrize(
    ("offset", "reply"),
    [
        (1, Reply(200, LARGE)),
        (0, Reply(200, LARGE[1:])),
        (0, Reply(206, LARGE, {"Content-Range": f"bytes 1-{len(LARGE)}/{len(LARGE) + 1}"})),
        (0, Reply(206, LARGE)),
    ],
)
def test_other_bytes_than_asked_for_are_refused(hub: StandInHub, place: HubPlace, offset: int, reply: Reply) -> None:
    hub.before = lambda asked: reply if asked.server == "store" else None
    with pytest.raises(ChangedError, match="other bytes"):
        read(hub, place, "weights.bin", offset)


def test_encoded_bytes_are_refused(hub: StandInHub, place: HubPlace) -> None:
    """They would make an honest release look forged."""
    hub.before = lambda _asked: Reply(200, b"{}", {"Content-Encoding": "gzip"})
    with pytest.raises(TemporaryError, match="encoded bytes"):
        read(hub, place, "config.json")


def test_a_refusal_by_limit_of_the_store_is_waited_out(hub: StandInHub, place: HubPlace) -> None:
    now = [0.0]

    def sleep(seconds: float) -> None:
        now[0] += seconds

    hub.before = lambda asked: Reply(429, b"", {"Retry-After": "9"}) if asked.server == "store" and not now[0] else None
    with HubApi(WebClient(hub.url), lambda: now[0], sleep).file(
        place, "weights.bin", size=len(LARGE), offset=0
    ) as pieces:
        assert b"".join(pieces) == LARGE
    assert now == [9]


def test_no_secret_of_a_signed_address_is_in_an_error(hub: StandInHub, place: HubPlace) -> None:
    hub.before = lambda asked: Reply(500) if asked.server == "store" else None
    with pytest.raises(TemporaryError) as caught:
        read(hub, place, "weights.bin")
    assert "Signature" not in str(caught.value)


def test_a_description_is_an_object(hub: StandInHub) -> None:
    hub.before = lambda _asked: Reply(200, json.dumps([1]).encode())
    with pytest.raises(TemporaryError, match="malformed"):
        api_of(hub).model("acme/model", "main")

"""Tests of what all routes have in common: entity tags, limits, problems, and texts that strangers chose."""

from __future__ import annotations

import random
import socket
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from urllib.parse import quote

import pytest

from provenance_oracle.oracle.web import server
from provenance_oracle.oracle.web.api.rate import BURST_SECONDS
from tests.explorer.nasty import STRINGS
from tests.oracle.web.api.conftest import API, Site

pytestmark = pytest.mark.chain


def paths(site: Site) -> list[str]:
    """Return one address for each route, which answers."""
    entry, leaf = site.stand.entries["second"], site.stand.entries["one"]["batch"]
    record_id, manifest = entry["record_id"], entry["manifest_digest"]
    return [
        f"/records/{record_id}",
        "/records?name=acme/tiny",
        "/recent",
        "/search?q=acme",
        f"/records/{record_id}/history",
        f"/records/{record_id}/lineage",
        "/namespaces/acme",
        "/namespaces/acme/history",
        "/namespaces/acme/records",
        f"/identities/{entry['publisher_identity']}",
        f"/identities/{entry['publisher_identity']}/records",
        f"/policies/{entry['policy_digest']}",
        f"/policies/{entry['policy_digest']}/records",
        f"/verdicts/{entry['verdict_digest']}",
        f"/evidence/{manifest}",
        f"/evidence/{manifest}/provenance/snp/report.bin",
        f"/batches/{leaf['root']}",
        f"/batches/{leaf['root']}/{leaf['leaf']}",
        "/statistics",
        "/status",
        f"/badge/{manifest}.svg",
        f"/card/{record_id}.png",
        "/openapi.json",
    ]


def test_every_route_answers_by_its_schema_and_saves_bytes_for_those_who_have_them(site: Site) -> None:
    assert len(paths(site)) == len(site.openapi["paths"])
    for path in paths(site):
        first = site.api(path)
        assert first.status == 200, path
        assert first.headers["cache-control"].startswith("public, max-age=")
        etag = first.headers["etag"]
        for known in (etag, f'"other", {etag}', f"W/{etag}", "*"):
            again = site.api(path, If_None_Match=known)
            assert (again.status, again.body, again.headers["etag"]) == (304, b"", etag), path
        assert site.api(path, If_None_Match='"other"').status == 200
        head = site.get(API + path, "HEAD")
        assert (head.status, head.body) == (200, b"")
        assert head.headers["content-length"] == str(len(first.body))


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_nobody_can_write(site: Site, method: str) -> None:
    answer = site.get(f"{API}/status", method)
    assert (answer.status, answer.json["status"]) == (405, 405)
    assert set(answer.headers["allow"].split(", ")) == {"GET", "HEAD"}


def raw(site: Site, request: bytes) -> bytes:
    with socket.create_connection(site.address, timeout=20) as connection:
        connection.sendall(request)
        return connection.makefile("rb").read()


@pytest.mark.parametrize("header", [b"Content-Length: 1\r\n\r\na", b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"])
def test_a_body_is_refused(site: Site, header: bytes) -> None:
    answer = raw(site, b"GET /api/v1/status HTTP/1.1\r\nHost: a\r\nConnection: close\r\n" + header)
    assert answer.startswith(b"HTTP/1.1 413 ")


def test_a_long_address_is_refused(site: Site) -> None:
    room = 512 - len(f"{API}/search")
    assert site.get(f"{API}/search?{'a' * (room - 1)}").status == 400
    answer = site.get(f"{API}/search?{'a' * (room + 1)}")
    assert (answer.status, answer.json["status"]) == (414, 414)


@pytest.mark.parametrize(
    ("path", "word"),
    [
        ("/records", "name"),
        ("/records?name=", "name"),
        ("/records?name=a&name=b", "name"),
        ("/records?name=a&other=b", "other"),
        ("/recent?limit=0", "limit"),
        ("/recent?limit=101", "limit"),
        ("/recent?limit=1.0", "limit"),
        ("/recent?cursor=%F0%9F", "query"),
        ("/recent?cursor=a.b", "cursor"),
        ("/recent?a&b&c&d&e&f&g&h&i", "query"),
        ("/records/xyz", "digest"),
        (f"/records/{'A' * 64}", "digest"),
        (f"/records/{'a' * 64}%0A", "digest"),
        (f"/search?q={'a' * 201}", "q"),
        (f"/batches/{'a' * 64}/01", "index"),
    ],
)
def test_a_wrong_parameter_is_named(site: Site, path: str, word: str) -> None:
    answer = site.api(path)
    assert (answer.status, answer.json["detail"].partition(":")[0]) == (400, word)


def test_a_kept_answer_is_for_its_own_address_only(site: Site) -> None:
    """Decoded, both addresses are the same text."""
    assert site.api("/namespaces/a%3Fb/records").status == 200
    assert site.api("/namespaces/a?b/records?").status == 400


def test_one_client_that_asks_too_often_waits_and_no_other(limited_site: Site) -> None:
    answers = [limited_site.get(f"{API}/openapi.json") for _ in range(3 * BURST_SECONDS)]
    assert [one.status for one in answers[:BURST_SECONDS]] == [200] * BURST_SECONDS
    refused = answers[-1]
    assert (refused.status, refused.headers["retry-after"]) == (429, "1")
    assert refused.headers["content-type"] == "application/problem+json"
    with socket.create_connection(limited_site.address, 20, ("127.0.0.2", 0)) as other:
        other.sendall(b"GET /api/v1/status HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        assert other.makefile("rb").readline() == b"HTTP/1.1 200 OK\r\n"


@pytest.mark.parametrize("text", STRINGS[::9])
def test_a_strangers_text_is_a_question_like_any_other(site: Site, text: str) -> None:
    asked = quote(text[:20])
    for path in (f"/search?q={asked}", f"/records?name={asked}", f"/namespaces/{asked}"):
        answer = site.get(API + path)
        assert answer.status in (200, 400, 404), (path, answer)
        assert answer.headers["x-content-type-options"] == "nosniff"


def test_strange_names_are_recorded_and_shown_as_data(site: Site) -> None:
    seen, path = 0, "/recent?limit=100"
    while path:
        page = site.document(path)
        for entry in page["entries"]:
            if set("<>\"'&") & set(entry["name"] + entry["version"]):
                seen += 1
                badge = site.get(f"{API}/badge/{entry['record_id']}.svg")
                assert badge.status == 200
        path = f"/recent?limit=100&cursor={page['next_cursor']}" if page["next_cursor"] else ""
    assert seen > 20


def random_requests(count: int) -> Iterator[bytes]:
    random_ = random.Random(13)
    parts = ["records", "recent", "search", "namespaces", "badge", "verdicts", "evidence", "history", "lineage", "0"]
    parts += ["..", "%2e", "", "a" * 64, "0" * 64 + ".svg", "é", "?", "&", "=", "%00", "%ff", "name=x", "cursor=AAAA"]
    headers = ["", 'If-None-Match: "\r\n', "Accept-Encoding: gzip\r\n", "Range: bytes=0-\r\n", "X: \x01\r\n"]
    for _ in range(count):
        words = [random_.choice(parts) for _ in range(random_.randint(0, 5))]
        path = "/".join(words) if random_.random() < 0.7 else "?".join(words)
        method = random_.choice(["GET", "GET", "GET", "HEAD", "POST", "BREW"])
        start = random_.choice(["/api/v1/", "/api/v1/", "/", "/r/"])
        line = f"{method} {start}{path} HTTP/1.1\r\nHost: {random_.choice(['a', 'é', '[::1]:80', ''])}\r\n"
        header = random_.choice(headers)
        data = f"{line}{header}Connection: close\r\n\r\n".encode()
        if random_.random() < 0.2:
            at = random_.randrange(len(data))
            data = data[:at] + bytes([random_.randrange(256)]) + data[at + 1 :]
        yield data


def test_random_requests_never_break_the_server(site: Site) -> None:
    statuses = set()
    for request in random_requests(400):
        with socket.create_connection(site.address, timeout=20) as connection:
            connection.sendall(request)
            connection.shutdown(socket.SHUT_WR)
            line = connection.makefile("rb").readline()
        if line:  # a request without an end has no answer
            status = int(line.split()[1])
            statuses.add(status)
            assert status < 500, (request, line)
    assert statuses >= {200, 400, 404, 405}


_HALF = b"GET /api/v1/recent HTTP/1.1\r\n"


@pytest.mark.parametrize("sent", [b"", _HALF, _HALF + b"Host: a\r\n\r\n"])
def test_half_requests_and_slow_readers_starve_nobody(site: Site, sent: bytes) -> None:
    """The last are whole requests whose answers nobody reads."""
    with ExitStack() as stack:
        for number in range(60):
            held = stack.enter_context(socket.create_connection(site.address, 20, (f"127.0.0.{2 + number % 2}", 0)))
            held.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
            held.sendall(sent)
        for path in ("/recent?limit=100", "/status"):
            assert site.api(path).status == 200


def test_one_address_holds_so_many_connections_and_no_more(site: Site) -> None:
    with ExitStack() as stack:
        most = server.CONNECTIONS_OF_ONE_MAX
        held = [stack.enter_context(socket.create_connection(site.address, 20)) for _ in range(most + 1)]
        with suppress(ConnectionResetError):
            assert held[0].recv(1) == b""  # it made room for the last one
        held[-1].sendall(b"GET /api/v1/status HTTP/1.1\r\nHost: a\r\n\r\n")
        assert held[-1].recv(15) == b"HTTP/1.1 200 OK"

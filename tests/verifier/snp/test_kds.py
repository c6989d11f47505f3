"""Tests of the exact addresses at AMD, and of the HTTPS fetcher against a misbehaving server on the loopback."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, HTTPServer
from itertools import count

import pytest

from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.errors import FormatError, ProvenanceError, TemporaryError, UsageError
from provenance_oracle.verifier.snp import kds
from provenance_oracle.verifier.snp.products import ProductLine
from provenance_oracle.verifier.snp.report import SigningKey
from provenance_oracle.verifier.snp.tcb import Tcb
from provenance_oracle.verifier.strict import exchange, patient_socket
from provenance_oracle.verifier.strict.exchange import Server
from tests.support.slow_servers import ENDLESS, HUGE, stubborn

_CHIP_ID = bytes(range(64))
_TURIN_CHIP_ID = bytes.fromhex("59790fb1c39f35c1") + bytes(56)
_URL = "https://kdsintf.amd.com/vcek/v1/Milan/crl"


class _Recorder:
    """A fetcher that records the addresses and returns fixed bytes or raises an error."""

    def __init__(self, answer: bytes | ProvenanceError = b"answer") -> None:
        self.answer = answer
        self.urls: list[str] = []

    def fetch(self, url: str) -> bytes:
        self.urls.append(url)
        if isinstance(self.answer, ProvenanceError):
            raise self.answer
        return self.answer


@pytest.mark.parametrize("line", [ProductLine.MILAN, ProductLine.GENOA])
def test_the_address_of_a_vcek(line: ProductLine) -> None:
    fetcher = _Recorder()
    tcb = Tcb(bootloader=4, tee=0, snp=24, microcode=219)
    assert kds.fetch_vcek(fetcher, line, _CHIP_ID, tcb) == b"answer"
    query = "blSPL=04&teeSPL=00&snpSPL=24&ucodeSPL=219"
    assert fetcher.urls == [f"https://kdsintf.amd.com/vcek/v1/{line.value}/{_CHIP_ID.hex()}?{query}"]


def test_the_address_of_a_vcek_of_turin_has_8_bytes_of_chip_id_and_fmc_first() -> None:
    tcb = Tcb(fmc=1, bootloader=1, tee=1, snp=4, microcode=81)
    assert kds.vcek_url(ProductLine.TURIN, _TURIN_CHIP_ID, tcb) == (
        "https://kdsintf.amd.com/vcek/v1/Turin/59790fb1c39f35c1?fmcSPL=01&blSPL=01&teeSPL=01&snpSPL=04&ucodeSPL=81"
    )


@pytest.mark.parametrize("line", ProductLine)
@pytest.mark.parametrize("kind", SigningKey)
def test_the_addresses_of_chain_and_list(line: ProductLine, kind: SigningKey) -> None:
    fetcher = _Recorder()
    kds.fetch_chain(fetcher, line, kind)
    kds.fetch_crl(fetcher, line, kind)
    folder = f"https://kdsintf.amd.com/{'vcek' if kind is SigningKey.VCEK else 'vlek'}/v1/{line.value}"
    assert fetcher.urls == [f"{folder}/cert_chain", f"{folder}/crl"]


def test_a_masked_chip_id_is_not_asked_for() -> None:
    fetcher = _Recorder()
    with pytest.raises(FormatError, match="masks the chip id"):
        kds.fetch_vcek(fetcher, ProductLine.GENOA, bytes(64), Tcb(bootloader=1, tee=0, snp=1, microcode=1))
    assert fetcher.urls == []


def test_a_chip_unknown_to_amd_is_final_but_a_missing_list_is_not() -> None:
    unknown = _Recorder(kds.UnknownToAmdError("no such thing", got="status 404"))
    with pytest.raises(FormatError, match="no certificate for this chip") as caught:
        kds.fetch_vcek(unknown, ProductLine.GENOA, _CHIP_ID, Tcb(bootloader=1, tee=0, snp=1, microcode=1))
    assert caught.value.check is Check.ENDORSEMENTS_FORMAT
    assert not caught.value.retry
    with pytest.raises(TemporaryError) as caught_crl:
        kds.fetch_crl(unknown, ProductLine.GENOA, SigningKey.VCEK)
    assert caught_crl.value.retry


def test_the_fetcher_asks_for_the_path_and_returns_the_body() -> None:
    with _server(lambda request: _answer(request, 200, b"crl")) as (fetcher, paths):
        assert fetcher.fetch(_URL + "?a=1") == b"crl"
    assert paths == ["/vcek/v1/Milan/crl?a=1"]


def test_a_body_in_chunks_is_put_together() -> None:
    def chunks(request: BaseHTTPRequestHandler) -> None:
        request.protocol_version = "HTTP/1.1"
        request.send_response(200)
        request.send_header("Transfer-Encoding", "chunked")
        request.end_headers()
        request.wfile.write(b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n")

    with _server(chunks) as (fetcher, _):
        assert fetcher.fetch(_URL) == b"abcde"


@pytest.mark.parametrize(
    ("status", "error", "problem"),
    [
        (429, TemporaryError, "one request in ten seconds.*status 429"),
        (500, TemporaryError, "status 500"),
        (503, TemporaryError, "status 503"),
        (301, TemporaryError, "status 301"),
        (302, TemporaryError, "status 302"),
        (204, TemporaryError, "status 204"),
        (400, kds.UnknownToAmdError, "status 400"),
        (404, kds.UnknownToAmdError, "status 404"),
    ],
)
def test_every_other_status_is_a_failure_and_no_redirect_is_followed(
    status: int, error: type[TemporaryError], problem: str
) -> None:
    redirect = _server(lambda request: _answer(request, status, b"", location="/elsewhere"))
    with redirect as (fetcher, paths), pytest.raises(error, match=problem) as caught:
        fetcher.fetch(_URL)
    assert type(caught.value) is error
    assert caught.value.where == _URL
    assert len(paths) == 1


def test_an_answer_without_end_is_cut_off() -> None:
    def endless(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.end_headers()
        with suppress(OSError):  # the fetcher hangs up, as it should
            for _ in range(4096):
                request.wfile.write(bytes(4096))

    with _server(endless) as (fetcher, _), pytest.raises(TemporaryError, match="too large"):
        fetcher.fetch(_URL)


def test_a_slow_answer_is_given_up() -> None:
    seconds = iter(range(0, 1000, 40))
    slow = _server(lambda request: _answer(request, 200, b"x" * 200_000), lambda: float(next(seconds)))
    with slow as (fetcher, _), pytest.raises(TemporaryError, match="takes too long"):
        fetcher.fetch(_URL)


def test_an_answer_cut_short_is_no_answer() -> None:
    def short(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.send_header("Content-Length", "100")
        request.end_headers()
        request.wfile.write(b"only this")

    with _server(short) as (fetcher, _), pytest.raises(TemporaryError, match=r"cut short|cannot be reached"):
        fetcher.fetch(_URL)


@pytest.mark.parametrize("raw", [b"", b"\x00\x01\x02\r\n\r\n", b"HTTP/1.1 abc\r\n\r\n"])
def test_what_is_not_http_is_no_answer(raw: bytes) -> None:
    strange = _server(lambda request: _raw(request, raw))
    with strange as (fetcher, _), pytest.raises(TemporaryError, match="cannot be reached"):
        fetcher.fetch(_URL)


def test_an_unreachable_host_is_temporary() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        fetcher = kds.HttpsFetcher(_at(port))
        with pytest.raises(TemporaryError, match="cannot be reached: got ConnectionRefusedError"):
            fetcher.fetch(_URL)


@pytest.mark.parametrize(
    "url",
    [
        "http://kdsintf.amd.com/vcek/v1/Milan/crl",
        "https://kdsintf.amd.com.example.org/vcek/v1/Milan/crl",
        "https://kdsintf.amd.com@example.org/vcek/v1/Milan/crl",
        "https://kdsintf.amd.com:8443/vcek/v1/Milan/crl",
        "https://KDSINTF.amd.com/vcek/v1/Milan/crl",
        "https://kdsintf.amd.com",
        "https://kdsintf.amd.com/a\r\nHost: example.org",
        "https://kdsintf.amd.com/ä",
        "https://[",
        "file:///etc/passwd",
    ],
)
def test_only_amds_address_is_ever_asked(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def connect(*_: object) -> None:
        raise AssertionError("a connection was made")

    monkeypatch.setattr(exchange, "open_connection", connect)
    with pytest.raises(UsageError, match="not an address of AMD's key distribution service"):
        kds.HttpsFetcher().fetch(url)


def test_the_proxy_of_the_environment_is_asked_for_amd(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("https_proxy", "http://proxy.example.org:3128")
    assert kds.HttpsFetcher()._server.proxy == "http://proxy.example.org:3128"
    monkeypatch.setenv("https_proxy", "socks5://proxy.example.org:1080")
    with pytest.raises(UsageError, match="kind of proxy is not supported"):
        kds.HttpsFetcher()


def test_by_default_the_connection_is_https_to_amd_with_certificates_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    server = kds.HttpsFetcher()._server
    assert (server.scheme, server.host, server.port, server.proxy) == ("https", "kdsintf.amd.com", 443, "")
    assert server.context is None  # so that it is Python's own, see `test_exchange`
    assert ssl.create_default_context().check_hostname


@pytest.mark.parametrize("name", ENDLESS)
def test_an_answer_without_end_is_given_up(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patient_socket, "STEP_SECONDS", 0.01)
    serve, doing = ENDLESS[name]
    seconds = count()
    with stubborn(serve) as (port, _), pytest.raises(TemporaryError, match=f"takes too long.*{doing}") as caught:
        kds.HttpsFetcher(_at(port), clock=lambda: float(next(seconds))).fetch(_URL)
    assert caught.value.where == _URL
    assert next(seconds) <= 62


@pytest.mark.parametrize("name", HUGE)
def test_an_answer_that_is_too_large_is_cut_off(name: str) -> None:
    serve, words = HUGE[name]
    with stubborn(serve) as (port, _), pytest.raises(TemporaryError, match=words):
        kds.HttpsFetcher(_at(port)).fetch(_URL)


def test_a_fetch_can_be_interrupted() -> None:
    calls = count()

    def stop() -> None:
        if next(calls) == 5:
            raise KeyboardInterrupt

    with stubborn(ENDLESS["says 100 Continue"][0]) as (port, _), pytest.raises(KeyboardInterrupt):
        kds.HttpsFetcher(_at(port), stop).fetch(_URL)


def _at(port: int) -> Server:
    return Server("http", "127.0.0.1", port, "x", 60)


@contextmanager
def _server(
    handle: Callable[[BaseHTTPRequestHandler], None], clock: Callable[[], float] = lambda: 0.0
) -> Iterator[tuple[kds.HttpsFetcher, list[str]]]:
    """Run a server on the loopback, one request at a time; yield a fetcher for it and the list of requested paths."""
    paths: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            paths.append(self.path)
            handle(self)

        def log_message(self, *args: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            port = server.server_address[1]
            yield kds.HttpsFetcher(_at(port), clock=clock), paths
        finally:
            server.shutdown()
            thread.join()


def _answer(request: BaseHTTPRequestHandler, status: int, body: bytes, location: str = "") -> None:
    request.send_response(status)
    if location:
        request.send_header("Location", location)
    request.send_header("Content-Length", str(len(body)))
    request.end_headers()
    request.wfile.write(body)


def _raw(request: BaseHTTPRequestHandler, data: bytes) -> None:
    request.wfile.write(data)

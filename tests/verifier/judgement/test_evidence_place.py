"""Tests of the places from which kept evidence is read: an oracle's folder and server, and hostile ones."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from provenance_oracle.oracle.journal.kept_evidence import find_verdict
from provenance_oracle.oracle.web.app import Views, make_app
from provenance_oracle.oracle.web.server import serving
from provenance_oracle.oracle.web.verdicts import verdict_route
from provenance_oracle.verifier.errors import FormatError, ProvenanceError, RecordError, TemporaryError, UsageError
from provenance_oracle.verifier.judgement import evidence_place
from provenance_oracle.verifier.judgement.evidence_place import open_place, read_kept
from tests.support.fake_nodes import QuietHandler
from tests.support.fake_nodes import serving as answering
from tests.support.kept_verdicts import Kept, keep


def server(status: int, body: bytes = b"") -> type[QuietHandler]:
    """Return the handler of a server that gives the same answer to every request."""

    class Handler(QuietHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Location", "http://127.0.0.1:1/")
            self.end_headers()
            self.wfile.write(body)

    return Handler


@pytest.fixture
def oracle(tmp_path: Path) -> Kept:
    kept = keep(tmp_path / "release")
    kept.write(tmp_path / "verdicts")
    return kept


def file_of(oracle: Kept, folder: Path, suffix: str) -> Path:
    return folder / oracle.digest.hex()[:2] / f"{oracle.digest.hex()}{suffix}"


def failure(place: str, digest: bytes) -> ProvenanceError:
    with pytest.raises(ProvenanceError) as caught:
        read_kept(open_place(place), digest)
    return caught.value


def test_the_folder_of_an_oracle_has_all(oracle: Kept, tmp_path: Path) -> None:
    place = str(tmp_path / "verdicts")
    assert read_kept(open_place(place), oracle.digest) == replace(oracle.kept(), where=place)
    (tmp_path / "latest").symlink_to(tmp_path / "verdicts")
    assert read_kept(open_place(str(tmp_path / "latest")), oracle.digest).statement == oracle.statement


def test_its_server_has_the_same(oracle: Kept, tmp_path: Path) -> None:
    def find(digest: bytes) -> object:
        return find_verdict(digest, str(tmp_path / "no journal"), tmp_path / "verdicts")

    views = Views(blocking=tuple, metrics=bytes, status=dict)
    with serving(make_app(views, routes=[verdict_route(find)]), "127.0.0.1:0") as (host, port):  # type: ignore[arg-type]
        place = f"http://{host}:{port}/verdicts"
        assert read_kept(open_place(f"{place}/"), oracle.digest) == replace(oracle.kept(), where=place)
        assert type(failure(place, bytes(32))) is RecordError


def test_a_verdict_need_not_be_signed(oracle: Kept, tmp_path: Path) -> None:
    file_of(oracle, tmp_path / "verdicts", ".dsse.json").unlink()
    assert read_kept(open_place(str(tmp_path / "verdicts")), oracle.digest).envelope is None


@pytest.mark.parametrize("suffix", [".json", ".evidence.tar"])
def test_what_is_missing_has_exit_code_6(oracle: Kept, tmp_path: Path, suffix: str) -> None:
    file_of(oracle, tmp_path / "verdicts", suffix).unlink()
    found = failure(str(tmp_path / "verdicts"), oracle.digest)
    assert (type(found), suffix in found.got) == (RecordError, True)


def test_a_folder_that_is_none_is_a_usage_error(oracle: Kept, tmp_path: Path) -> None:
    assert type(failure(str(tmp_path / "nowhere"), oracle.digest)) is UsageError
    (tmp_path / "file").write_bytes(b"")
    assert type(failure(str(tmp_path / "file"), oracle.digest)) is UsageError


def _large(path: Path) -> None:
    with path.open("r+b") as file:
        file.truncate(1 << 40)  # a sparse file of one terabyte


def _link(path: Path) -> None:
    path.rename(path.with_suffix(".away"))
    path.symlink_to(path.with_suffix(".away"))


def _fifo(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def _folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize("suffix", [".json", ".dsse.json", ".evidence.tar"])
@pytest.mark.parametrize("spoil", [_large, _link, _fifo, _folder])
def test_what_is_no_small_file_is_refused(
    oracle: Kept, tmp_path: Path, suffix: str, spoil: Callable[[Path], None]
) -> None:
    spoil(file_of(oracle, tmp_path / "verdicts", suffix))
    assert type(failure(str(tmp_path / "verdicts"), oracle.digest)) is FormatError


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "ftp://example.com/verdicts",
        "http:///verdicts",
        "https://user:password@example.com/",
        "https://example.com/?a=b",
        "https://example.com/#a",
        "https://example.com:99999/",
        "https://example.com:port/",
        "https://[::1/",
        "https://example.com/\r\nHost: other",
        "https://example.com/a b",
        "https://exämple.com/",
        "gopher://example.com:70/",
    ],
)
def test_a_hostile_url_is_a_usage_error(url: str) -> None:
    with pytest.raises(UsageError):
        open_place(url)


@pytest.mark.parametrize("status", [302, 401, 500, 503, 204])
def test_a_server_that_answers_otherwise_is_tried_again_later(oracle: Kept, status: int) -> None:
    with answering(server(status)) as url:
        found = failure(url, oracle.digest)
    assert (type(found), found.got) == (TemporaryError, f"status {status}")


def test_a_server_that_is_not_there_is_tried_again_later(oracle: Kept) -> None:
    assert type(failure("http://127.0.0.1:1/", oracle.digest)) is TemporaryError


def test_a_server_that_sends_too_much_is_refused(oracle: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evidence_place, "VERDICT_MAX_BYTES", 1000)
    with answering(server(200, b"x" * 1001)) as url:
        assert type(failure(url, oracle.digest)) is FormatError
    with answering(server(200, b"x" * 1000)) as url:
        assert read_kept(open_place(url), oracle.digest).statement == b"x" * 1000

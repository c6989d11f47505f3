"""`make vectors`: the list agrees with the data, and the tool takes no other bytes. A local server stands in."""

from __future__ import annotations

import base64
import hashlib
import http.server
import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.support.real_sets import CRLS, NAMES, crl_path, real_certificates, real_folder
from tests.support.slow_servers import ENDLESS, stubborn

ROOT = Path(__file__).parent.parent
TOOL, LIST = ROOT / "tools" / "vectors.py", ROOT / "tools" / "vectors.json"
DATA = hashlib.sha512(b"test data").digest() * 20
_COMMIT = "0123456789abcdef0123456789abcdef01234567"


def _numbers(data: bytes) -> bytes:
    return b", ".join(str(byte).encode() for byte in data)


def _go(data: bytes) -> bytes:
    return b",\n\t".join(f"0x{byte:02x}".encode() for byte in data)


_BASE64 = base64.b64encode(DATA)
# Sources as the repositories have them, the steps into each, and the offset of the data after the last step.
_SOURCES: dict[str, tuple[bytes, list[tuple[str, int]], int]] = {
    "raw.bin": (b"head" + DATA + b"tail", [], 4),
    "one-line.json": (b'{"report":"' + _BASE64 + b'"}', [("base64", 11)], 0),
    "lines.pem": (b"-----BEGIN X-----\n" + base64.encodebytes(DATA) + b"-----END X-----\n", [("base64", 17)], 0),
    "escaped.json": (b'"BEGIN\\n' + base64.encodebytes(DATA).replace(b"\n", b"\\n") + b'"', [("base64", 6)], 0),
    "url.txt": (b"v=" + base64.urlsafe_b64encode(b"\xff\xfe\xff" + DATA).rstrip(b"="), [("base64url", 2)], 3),
    "text.go": (b"h := `" + DATA.hex().encode() + b"`", [("hex", 6)], 0),
    "numbers.json": (b"[" + _numbers(b"\x01" * 32 + DATA) + b"]", [("bytes", 1)], 32),
    "array.go": (b"{\n\t" + _go(DATA) + b",\n}", [("bytes", 3)], 0),
    "nested.bin": (base64.b64encode(b"PEM " + _BASE64), [("base64", 0), ("base64", 4)], 0),
}


@dataclass
class StandIn:
    """A server with files by path, and the paths that were asked for."""

    files: dict[str, bytes]
    url: str = ""
    asked: list[str] = field(default_factory=list)


@pytest.fixture
def stand_in() -> Iterator[StandIn]:
    state = StandIn({f"/o/r/{_COMMIT}/{name}": source for name, (source, _, _) in _SOURCES.items()})

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            state.asked.append(self.path)
            body = state.files.get(self.path)
            if body == b"elsewhere":
                self.send_response(302)
                self.send_header("Location", f"{state.url}/o/r/{_COMMIT}/raw.bin")
            else:
                self.send_response(404 if body is None else 200)
            self.send_header("Content-Length", str(len(body or b"")))
            self.end_headers()
            self.wfile.write(body or b"")

        def log_message(self, *_: Any) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    state.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield state
    server.shutdown()
    thread.join()
    server.server_close()


def _write_list(path: Path, **changes: Any) -> Path:
    digest = hashlib.sha256(DATA).hexdigest()
    pieces = [
        [f"snp/{name}", number, steps, offset, len(DATA), changes.get("sha256", digest)]
        for number, (name, (_, steps, offset)) in enumerate(_SOURCES.items())
    ]
    sources = [["o/r", _COMMIT, name] for name in _SOURCES]
    path.write_text(json.dumps({"sources": sources, "pieces": pieces, "manifests": {"snp/set": {"product": "Milan"}}}))
    return path


def _run(
    tmp_path: Path, stand_in: StandIn, *options: str, listed: Path | None = None
) -> subprocess.CompletedProcess[str]:
    listed = listed or _write_list(tmp_path / "list.json")
    command = [sys.executable, str(TOOL), "--into", str(tmp_path / "v"), "--source", stand_in.url]
    command += ["--list", str(listed), *options]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


def test_every_encoding_is_undone_and_nothing_is_fetched_twice(tmp_path: Path, stand_in: StandIn) -> None:
    result = _run(tmp_path, stand_in)
    assert result.returncode == 0, result.stderr
    assert {path.name for path in (tmp_path / "v" / "snp").iterdir()} == {*_SOURCES, "set"}
    assert all((tmp_path / "v" / "snp" / name).read_bytes() == DATA for name in _SOURCES)
    assert json.loads((tmp_path / "v" / "snp" / "set" / "MANIFEST.json").read_text()) == {"product": "Milan"}
    assert len(stand_in.asked) == len(_SOURCES)
    (tmp_path / "v" / "snp" / "raw.bin").write_bytes(b"damaged")
    assert _run(tmp_path, stand_in).returncode == 0
    assert stand_in.asked[len(_SOURCES) :] == [f"/o/r/{_COMMIT}/raw.bin"]
    assert (tmp_path / "v" / "snp" / "raw.bin").read_bytes() == DATA


@pytest.mark.parametrize("name", _SOURCES)
def test_other_bytes_are_refused(tmp_path: Path, stand_in: StandIn, name: str) -> None:
    source = bytearray(stand_in.files[f"/o/r/{_COMMIT}/{name}"])
    at = len(source) // 2
    source[at] = ord("1") if source[at] != ord("1") else ord("2")
    stand_in.files[f"/o/r/{_COMMIT}/{name}"] = bytes(source)
    result = _run(tmp_path, stand_in)
    assert result.returncode == 1
    assert f"refused: snp/{name}: SHA-256" in result.stderr or f"{name}: no " in result.stderr
    assert not (tmp_path / "v" / "snp" / name).exists()
    assert len(list((tmp_path / "v" / "snp").iterdir())) == len(_SOURCES)  # the others, and the set


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (None, "status 404"),
        (b"elsewhere", "status 302"),
        (b"", "SHA-256"),
        (bytes((8 << 20) + 1), "more than 8388608 bytes"),
    ],
    ids=["gone", "moved", "empty", "too large"],
)
def test_another_answer_is_refused(tmp_path: Path, stand_in: StandIn, body: bytes | None, said: str) -> None:
    path = f"/o/r/{_COMMIT}/raw.bin"
    stand_in.files.pop(path)
    if body is not None:
        stand_in.files[path] = body
    result = _run(tmp_path, stand_in)
    assert result.returncode == 1
    assert said in result.stderr
    assert "raw.bin" in result.stderr
    assert "1 files are missing; run it again" in result.stderr


def test_a_server_that_is_not_there_is_named(tmp_path: Path, stand_in: StandIn) -> None:
    gone = StandIn({}, url="http://127.0.0.1:9")
    result = _run(tmp_path, gone)
    assert result.returncode == 1
    assert "cannot be reached" in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize("behaviour", ENDLESS)
def test_a_server_without_end_is_left(tmp_path: Path, behaviour: str) -> None:
    with stubborn(ENDLESS[behaviour][0]) as (port, _requests):
        result = _run(tmp_path, StandIn({}, url=f"http://127.0.0.1:{port}"), "--seconds", "0.2")
    assert result.returncode == 1
    assert "not complete after 0.2 s" in result.stderr or "too many headers" in result.stderr
    assert "Traceback" not in result.stderr


def test_no_file_of_a_list_is_written_elsewhere(tmp_path: Path, stand_in: StandIn) -> None:
    listed = _write_list(tmp_path / "list.json")
    for name in ("../outside", "/etc/outside", "snp/../../outside"):
        content = json.loads(listed.read_text())
        content["pieces"][0][0] = name
        listed.write_text(json.dumps(content))
        result = _run(tmp_path, stand_in, listed=listed)
        assert (result.returncode, "is not a path inside the folder" in result.stderr) == (1, True)
    assert stand_in.asked == []


def test_the_list_names_public_repositories_at_a_commit() -> None:
    content = json.loads(LIST.read_text())
    for repository, commit, path in content["sources"]:
        assert re.fullmatch(r"[A-Za-z0-9-]+/[A-Za-z0-9_.-]+", repository)
        assert re.fullmatch("[0-9a-f]{40}", commit)
        assert path
        assert not path.startswith("/")
    for _, source, steps, _, _, sha256 in content["pieces"]:
        assert source < len(content["sources"])
        assert all(encoding in ("base64", "base64url", "hex", "bytes") for encoding, _ in steps)
        assert re.fullmatch("[0-9a-f]{64}", sha256)


def test_the_list_has_every_file_that_tests_use(vectors: Path) -> None:
    content = json.loads(LIST.read_text())
    listed = {piece[0]: piece for piece in content["pieces"]}
    used = [*real_certificates(vectors), *(real_folder(vectors, name) / "report.bin" for name in NAMES)]
    used += [crl_path(vectors, name) for name in CRLS]
    assert {str(path.relative_to(vectors)) for path in used} <= listed.keys()
    for file, (_, _, _, _, size, sha256) in listed.items():
        data = (vectors / file).read_bytes()
        assert (len(data), hashlib.sha256(data).hexdigest()) == (size, sha256)
    for folder, manifest in content["manifests"].items():
        assert _is_part(manifest, json.loads((vectors / folder / "MANIFEST.json").read_text()))


def _is_part(part: object, whole: object) -> bool:
    """Return whether every member of `part` is in `whole`; lists have the same length."""
    if isinstance(part, dict) and isinstance(whole, dict):
        return all(name in whole and _is_part(value, whole[name]) for name, value in part.items())
    if isinstance(part, list) and isinstance(whole, list):
        return len(part) == len(whole) and all(map(_is_part, part, whole))
    return part == whole


def test_a_run_without_vectors_says_in_its_last_line_what_was_not_run(tmp_path: Path) -> None:
    tests = ["tests/verifier/snp/test_chain.py::test_every_real_chain_says_its_line"]
    tests += ["tests/verifier/snp/test_chain.py::test_a_vek_has_no_rsa_key", "-p", "no:cacheprovider"]
    environment = os.environ | {"PROVENANCE_VECTORS": str(tmp_path / "none"), "PROVENANCE_REQUIRE_ALL": ""}
    result = subprocess.run(
        [sys.executable, "-m", "pytest", *tests], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120
    )
    assert result.returncode == 0, result.stdout
    last = result.stdout.splitlines()[-1]
    assert last.startswith("not run: 2 tests (no test vectors at ")
    assert "`make vectors` gets them" in last

"""Get the test data from the public repositories that publish it: SEV-SNP evidence, Wycheproof's cases, and
OpenSSF model signatures.

    python tools/vectors.py [--into FOLDER] [--source URL] [--seconds N]

`tools/vectors.json` lists every file: the repository, commit and path of its source, the steps that lead to it inside
the source, its size and its SHA-256. Bytes with another digest are refused, so neither the network nor a repository
needs to be trusted. A file that is there already is not fetched again. The MANIFEST.json files, with the field values
that other tools read, are written from the list too.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import http.client
import json
import re
import signal
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
LIST = ROOT / "tools" / "vectors.json"
FOLDER = ROOT / ".make" / "vectors"
SOURCE = "https://raw.githubusercontent.com"

_SOURCE_MAX_BYTES = 8 << 20
_OPERATION_SECONDS = 20.0
_DEADLINE_SECONDS = 120.0  # of one source: connection, head and body
_CHUNK_BYTES = 1 << 16
_SAFE_PATH = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.\-]*(/[A-Za-z0-9_][A-Za-z0-9_.\-]*)*")


class RefusedError(Exception):
    """A source or its contents cannot be used. The text says which, what was found and what was wanted."""


@dataclass(frozen=True)
class Piece:
    """One file of the list. `steps` are pairs of an encoding and the place where its text begins, outermost first."""

    file: str
    repository: str
    commit: str
    path: str
    steps: tuple[tuple[str, int], ...]
    offset: int
    size: int
    sha256: str

    @property
    def source(self) -> str:
        """The path of the source below the host: repository, commit, path."""
        return f"{self.repository}/{self.commit}/{self.path}"


# --- inside a source -----------------------------------------------------------------------------------------

# The text of each encoding, as long as it goes on. JSON writes the line ends of a PEM block as two characters.
_BASE64 = re.compile(rb"(?:[A-Za-z0-9+/]|\s|\\[nr])+")
_BASE64URL = re.compile(rb"(?:[A-Za-z0-9_\-]|\s|\\[nr])+")
_HEX = re.compile(rb"[0-9A-Fa-f]+")
_NUMBERS = re.compile(rb"(?:(?:0x[0-9A-Fa-f]{1,2}|[0-9]{1,3})\s*,?\s*)+")


def _base64(text: bytes) -> bytes:
    """Decode base64 of either alphabet, without its padding. A letter left over at the end belongs to no byte."""
    letters = re.sub(rb"\s|\\[nr]", b"", text).translate(bytes.maketrans(b"-_", b"+/"))
    letters = letters[: len(letters) - (len(letters) % 4 == 1)]
    return base64.b64decode(letters + b"=" * (-len(letters) % 4))


def _hex(text: bytes) -> bytes:
    return bytes.fromhex(text[: len(text) // 2 * 2].decode())


def _numbers(text: bytes) -> bytes:
    return bytes(int(number, 0) for number in re.findall(rb"0x[0-9A-Fa-f]+|[0-9]+", text))


_DECODERS: dict[str, tuple[re.Pattern[bytes], Callable[[bytes], bytes]]] = {
    "base64": (_BASE64, _base64),
    "base64url": (_BASE64URL, _base64),
    "hex": (_HEX, _hex),
    "bytes": (_NUMBERS, _numbers),
}


def extract(source: bytes, piece: Piece) -> bytes:
    """Return the bytes of a piece, taken out of its source.

    Raises:
        RefusedError: the source does not hold them.
    """
    data = source
    for encoding, start in piece.steps:
        pattern, decode = _DECODERS[encoding]
        text = pattern.match(data, start)
        try:
            data = decode(text[0]) if text else b""
        except ValueError as error:
            raise RefusedError(f"{piece.source}: no {encoding} at byte {start}: {error}") from error
    data = data[piece.offset : piece.offset + piece.size]
    digest = hashlib.sha256(data).hexdigest()
    if digest != piece.sha256:
        raise RefusedError(
            f"{piece.file}: SHA-256 {digest}, wanted {piece.sha256}; the bytes of {piece.source} are refused"
        )
    return data


# --- the list, the network, the disk -------------------------------------------------------------------------


def read_list(path: Path = LIST) -> tuple[list[Piece], dict[str, Any]]:
    """Return the pieces of the list, and the contents of the MANIFEST.json files by folder."""
    content = json.loads(path.read_text())
    pieces = [
        Piece(file, *content["sources"][source], tuple((name, at) for name, at in steps), offset, size, sha256)  # type: ignore[misc]
        for file, source, steps, offset, size, sha256 in content["pieces"]
    ]
    for name in [piece.file for piece in pieces] + list(content["manifests"]):
        if not _SAFE_PATH.fullmatch(name):
            raise RefusedError(f"{path}: {name!r} is not a path inside the folder")
    return pieces, content["manifests"]


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *args: Any) -> None:
        return None


def fetch(url: str, seconds: float) -> bytes:
    """Return the body at `url`. Follow no redirect; limit the size and the time of the whole exchange.

    Raises:
        RefusedError: there is no answer, or not such a one.
    """
    body = bytearray()
    try:
        with (
            _deadline(url, seconds),
            urllib.request.build_opener(_NoRedirect).open(url, timeout=_OPERATION_SECONDS) as answer,
        ):
            while piece := answer.read1(_CHUNK_BYTES):
                body += piece
                if len(body) > _SOURCE_MAX_BYTES:
                    raise RefusedError(f"{url}: more than {_SOURCE_MAX_BYTES} bytes")
    except urllib.error.HTTPError as error:
        raise RefusedError(f"{url}: status {error.code}, wanted 200") from error
    except (OSError, http.client.HTTPException) as error:
        raise RefusedError(f"{url}: cannot be reached: {getattr(error, 'reason', error)}") from error
    return bytes(body)


@contextmanager
def _deadline(url: str, seconds: float) -> Iterator[None]:
    """Interrupt the block after `seconds`, whatever it waits for: a server may send one byte of a header at a time."""

    def interrupt(_number: int, _frame: object) -> None:
        raise RefusedError(f"{url}: not complete after {seconds:g} s")

    before = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def get(pieces: list[Piece], manifests: dict[str, Any], into: Path, source_url: str, seconds: float) -> Iterator[str]:
    """Write what is missing below `into`, one source after the other; yield a line for every file that was refused."""
    missing: dict[str, list[Piece]] = {}
    for piece in pieces:
        file = into / piece.file
        if not file.is_file() or hashlib.sha256(file.read_bytes()).hexdigest() != piece.sha256:
            missing.setdefault(piece.source, []).append(piece)
    for number, (source, wanted) in enumerate(missing.items(), 1):
        print(f"[{number}/{len(missing)}] {source}", flush=True)
        try:
            data = fetch(f"{source_url}/{source}", seconds)
        except RefusedError as refusal:
            yield str(refusal)
            continue
        for piece in wanted:
            try:
                _write(into / piece.file, extract(data, piece))
            except RefusedError as refusal:
                yield str(refusal)
    for folder, manifest in manifests.items():
        _write(into / folder / "MANIFEST.json", (json.dumps(manifest, indent=1) + "\n").encode())


def _write(file: Path, data: bytes) -> None:
    """Write a file whole or not at all."""
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_name(f"{file.name}.part")
    part.write_bytes(data)
    part.replace(file)


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description="Get the test data from public repositories.")
    parser.add_argument("--into", type=Path, default=FOLDER, help="the folder to write (default: .make/vectors)")
    parser.add_argument("--source", default=SOURCE, help=f"the host of the repositories' files (default: {SOURCE})")
    parser.add_argument("--list", type=Path, default=LIST, help="the list (default: tools/vectors.json)")
    parser.add_argument(
        "--seconds", type=float, default=_DEADLINE_SECONDS, help="the time for one source (default: %(default)g)"
    )
    options = parser.parse_args(arguments)
    try:
        pieces, manifests = read_list(options.list)
    except (RefusedError, OSError, ValueError, KeyError, TypeError, IndexError) as error:
        print(f"{options.list}: not usable as a list: {error}", file=sys.stderr)
        return 1
    refusals = list(get(pieces, manifests, options.into, options.source, options.seconds))
    for line in refusals:
        print(f"refused: {line}", file=sys.stderr)
    if refusals:
        print(f"{len(refusals)} files are missing; run it again, or report a source that is gone", file=sys.stderr)
        return 1
    print(f"{len(pieces)} files in {options.into}, each with the SHA-256 of the list")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

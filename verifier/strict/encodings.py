"""Recognise data in another form than the one wanted, to say in a message what it is and how to convert it.

Nothing here makes data acceptable: the strict parsers decide that. These functions are called after one of them refused
its input. The work is linear in the size of the data, and nothing is decompressed.
"""

from __future__ import annotations

import base64
import re

_BOM = b"\xef\xbb\xbf"
_BEGIN = re.compile(rb"-----BEGIN ([A-Z0-9 ]{1,40})-----")
_TEXT_MIN_BYTES = 32  # a shorter text may be hex or base64 by chance
_LOOKED_AT_MAX_BYTES = 2 << 20
_UNWRAPPED_MAX = 3
_PEM_LINE = 64  # RFC 7468, section 3


def encoding_of(data: bytes) -> str:
    """Return the form of data in a word: gzip, PEM, JSON, HTML, hex, base64, base64url, or an empty text."""
    head = data[:64].removeprefix(_BOM).lstrip()
    if head.startswith(b"\x1f\x8b"):
        return "gzip"
    if head.startswith(b"-----BEGIN "):
        return "PEM"
    if head.startswith((b"{", b"[")):
        return "JSON"
    if head.startswith(b"<"):
        return "HTML"
    return next((word for word, pattern in _TEXTS if _is_text(data, pattern)), "")


def unwrapped(data: bytes) -> tuple[list[str], bytes]:
    """Undo up to three encodings of data, such as base64 of hex; return their names from the outside, and the inside.

    gzip is named and not undone; the inside is then empty.
    """
    encodings: list[str] = []
    while len(encodings) < _UNWRAPPED_MAX and (encoding := encoding_of(data)) in DECODERS:
        encodings.append(encoding)
        data = _decoded(data, encoding)
    return encodings, data


def _decoded(data: bytes, encoding: str) -> bytes:
    """Return the bytes that text stands for; nothing for gzip or a wrong length."""
    if encoding == "PEM":
        data = b"\n".join(line for line in data.splitlines() if b"-----" not in line)
    text = b"".join(data.split()).removeprefix(b"0x")
    try:
        if encoding == "hex":
            return bytes.fromhex(text.decode())
        if encoding != "gzip":
            padded = text.rstrip(b"=")
            altchars = b"-_" if encoding == "base64url" else None
            return base64.b64decode(padded + b"=" * (-len(padded) % 4), altchars=altchars)
    except ValueError:
        pass
    return b""


# The shell command that reverses each encoding, from standard input to standard output.
DECODERS = {
    "gzip": "gunzip",
    "hex": "xxd -r -p",
    "base64": "base64 -d",
    "base64url": (
        "python3 -c 'import base64, sys; "
        'sys.stdout.buffer.write(base64.urlsafe_b64decode(sys.stdin.read().strip() + "=="))\''
    ),
    "PEM": "grep -v -e ----- | base64 -d",
}


def conversion(steps: list[str], name: str) -> str:
    """Return the shell command that runs `steps` on a FILE and writes the file `name`."""
    return f"`cat FILE | {' | '.join(steps)} > {name}`"


def certificate_hint(data: bytes) -> str:
    """Return a note on data that is neither PEM nor DER, to append to a problem; empty if nothing is recognised."""
    if _BEGIN.search(data, 0, _LOOKED_AT_MAX_BYTES):
        return f": {_text_before(data, 0)}"
    encoding = encoding_of(data)
    if encoding in ("JSON", "HTML"):
        return f": this is {encoding}, not PEM or DER"
    return f": this is {encoding}; convert it with {conversion([DECODERS[encoding]], 'NEW')}" if encoding else ""


def pem_hint(data: bytes, label: bytes) -> str:
    """Return a note on a file that is not one PEM block of `label`; empty if nothing is recognised."""
    if not data.startswith(b"-----BEGIN "):
        return certificate_hint(data)
    fault = pem_fault(data, 0, label)
    return f": {fault}" if fault else ""


def pem_fault(data: bytes, position: int, label: bytes) -> str:
    """Return the first fault of the PEM block at `position`, in words; empty if none is recognised.

    The contents of a block are not shown, because it may be a private key.

    Args:
        label: the label that the block should have, such as `CERTIFICATE`.
    """
    wanted = label.decode()
    begin = _BEGIN.match(data, position)
    if begin is None:
        return _text_before(data, position)
    if begin[1] != label:
        return f"a block of {begin[1].decode()} where {wanted} is wanted"
    end = data.find(b"-----END ", begin.end())
    if end < 0:
        return f"a block of {wanted} without an END line; the file was cut short"
    if not data.startswith(b"-----END " + label + b"-----", end):
        return f"a block of {wanted} with another END line"
    return _line_fault(data[begin.end() : end], data.count(b"\n", 0, begin.end()) + 1)


def _text_before(data: bytes, position: int) -> str:
    """Return where the text that belongs to no block is."""
    begin = _BEGIN.search(data, position)
    if begin is None:
        return "text after the last END line; remove it"
    if data.startswith(_BOM, position) and begin.start() == position + len(_BOM):
        return "a byte order mark before the BEGIN line; save the file without it"
    if position:
        return "text between two blocks; remove it"
    return "text before the BEGIN line; remove it, or take one certificate with `openssl x509 -in FILE -out NEW`"


def _line_fault(body: bytes, first: int) -> str:
    """Return the fault of the lines of a block, of which the first, after BEGIN, has the number `first`."""
    lines = body.replace(b"\r\n", b"\n").split(b"\n")
    if lines[0] or lines[-1]:
        return "a BEGIN or END line with something else on it"
    lines = lines[1:-1]
    for number, line in enumerate(lines, first + 1):
        if b":" in line:
            return f"a header in line {number}, as in an encrypted file; export the certificate without it"
        if line != line.strip():
            return f"white space around line {number}; remove it"
        if len(line) != _PEM_LINE and (number - first < len(lines) or not 0 < len(line) < _PEM_LINE):
            lengths = f"line {number} has {len(line)} characters, and every line but the last must have {_PEM_LINE}"
            return f"lines of other lengths ({lengths}); rewrite it with `openssl x509 -in FILE -out NEW`"
    return ""


# The quantifiers `++` give nothing back, so that a long run of white space costs linear work.
_TEXTS = (
    ("hex", re.compile(rb"(?:0x)?[0-9A-Fa-f\s]++")),
    ("base64", re.compile(rb"[A-Za-z0-9+/\s]++={0,2}\s*")),
    ("base64url", re.compile(rb"[A-Za-z0-9_\-\s]++={0,2}\s*")),
)


def _is_text(data: bytes, pattern: re.Pattern[bytes]) -> bool:
    return _TEXT_MIN_BYTES <= len(data) <= _LOOKED_AT_MAX_BYTES and pattern.fullmatch(data) is not None

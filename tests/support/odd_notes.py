"""Signed notes (C2SP) whose lines of signatures have other forms than the only one. Nothing signs these lines."""

from __future__ import annotations

import base64
from collections.abc import Callable

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

from tests.support.fake_sigstore import LOG_KEY

_OTHER = "\u2014 witness.example AAAAAAAA\n"


def _lines(change: Callable[[str, str], str]) -> Callable[[str], str]:
    """Return a function that changes the log's own line, which it gets as its beginning and its base64."""

    def changed(note: str) -> str:
        text, _, line = note.partition("\n\n")
        begin, _, signature = line.removesuffix("\n").rpartition(" ")
        return f"{text}\n\n{change(begin, signature)}"

    return changed


def _with_size(size: str) -> Callable[[str], str]:
    """Return a function that writes the tree's size otherwise, and signs as the first log of FakeSigstore does."""

    def changed(note: str) -> str:
        text, _, line = note.partition("\n\n")
        text = text.replace("\n3\n", f"\n{size}\n")
        begin, _, signature = line.removesuffix("\n").rpartition(" ")
        signed = base64.b64decode(signature)[:4] + LOG_KEY.sign(f"{text}\n".encode(), ec.ECDSA(SHA256()))
        return f"{text}\n\n{begin} {base64.b64encode(signed).decode()}\n"

    return changed


GOOD_NOTES: dict[str, Callable[[str], str]] = {
    "the line of another log": _lines(lambda begin, signature: f"{_OTHER}{begin} {signature}\n"),
    "the line of another log after": _lines(lambda begin, signature: f"{begin} {signature}\n{_OTHER}"),
    "the size signed again": _with_size("3"),
}
ODD_NOTES: dict[str, Callable[[str], str]] = {
    "text before": _lines(lambda begin, signature: f"hello\n{begin} {signature}\n"),
    "text after": _lines(lambda begin, signature: f"{begin} {signature}\nhello\n"),
    "text on the line": _lines(lambda begin, signature: f"x{begin} {signature}\n"),
    "a form feed": _lines(lambda begin, signature: f"x\f{begin} {signature}\n"),
    "an empty line": _lines(lambda begin, signature: f"\n{begin} {signature}\n"),
    "no line feed": _lines(lambda begin, signature: f"{begin} {signature}"),
    "an empty signature": _lines(lambda begin, signature: f"\u2014 x \n{begin} {signature}\n"),
    "a signature of 4 bytes": _lines(lambda begin, signature: f"\u2014 x AAAAAA==\n{begin} {signature}\n"),
    "a signature of no base64": _lines(lambda begin, signature: f"\u2014 x A\n{begin} {signature}\n"),
    "a signature with stray bits": _lines(lambda begin, signature: f"\u2014 x AAAAAAB=\n{begin} {signature}\n"),
    "padding too much": _lines(lambda begin, signature: f"{begin} {signature}====\n"),
    "a name with plus": _lines(lambda _, signature: f"\u2014 log+key {signature}\n"),
    "a name beyond ASCII": _lines(lambda _, signature: f"\u2014 lög {signature}\n"),
    "a size with a sign": _with_size("+3"),
    "a size with a space": _with_size(" 3"),
    "a size with a mark": _with_size("0_3"),
    "a size in other digits": _with_size("\u0663"),
}

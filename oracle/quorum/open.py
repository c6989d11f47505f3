"""Open the places where oracles exchange proposals, each by the kind that its text tells."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from provenance_oracle.oracle.quorum.exchange import RECORDS, DocumentKind, Exchange
from provenance_oracle.oracle.quorum.folder_exchange import FolderExchange
from provenance_oracle.oracle.quorum.http_exchange import Peer
from provenance_oracle.verifier.errors import UsageError
from provenance_oracle.verifier.strict.exchange import HttpClient, Server, default_port
from provenance_oracle.verifier.text import printable

_SECONDS_MAX = 10.0  # for one page of a peer's proposals: a peer that hangs must not hold up the records for long


def open_exchange(
    text: str, own: str, seconds: float, on_wait: Callable[[], object], kind: DocumentKind = RECORDS
) -> Exchange:
    """Return the place that a text of the setting `peers` names: the URL of another oracle, or a shared folder.

    Args:
        own: the address of the key that signs our records, in checksum form.
        seconds: the most time for one exchange with a server.
        on_wait: called at least twice a second while an exchange waits. What it raises ends the exchange.

    Raises:
        UsageError: the text names neither, or a URL with more than scheme, host and port.
    """
    if "://" not in text:
        return FolderExchange(Path(text), own, kind)
    try:
        parts = urlsplit(text)
        port = parts.port or default_port(parts.scheme)
    except (ValueError, KeyError):
        raise _unknown(text) from None
    if not parts.hostname or parts.path not in ("", "/") or parts.query or parts.fragment or parts.username:
        raise _unknown(text)
    where = f"peer {parts.scheme}://{parts.hostname}:{port}"
    server = Server(parts.scheme, parts.hostname, port, where, min(seconds, _SECONDS_MAX))
    return Peer(HttpClient(server, on_wait), where, kind)


def _unknown(text: str) -> UsageError:
    wanted = "http://HOST:PORT, https://HOST:PORT or the path of a shared folder"
    return UsageError("there is no such peer", where="peers", got=printable(text), wanted=wanted)

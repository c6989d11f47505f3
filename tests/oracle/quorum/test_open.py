"""Tests of the places that the setting `peers` names."""

from __future__ import annotations

import pytest

from provenance_oracle.oracle.quorum.folder_exchange import FolderExchange
from provenance_oracle.oracle.quorum.http_exchange import Peer
from provenance_oracle.oracle.quorum.open import open_exchange
from provenance_oracle.verifier.errors import UsageError


def test_each_text_opens_its_kind() -> None:
    assert isinstance(open_exchange("shared/folder", "0x1", 5, lambda: None), FolderExchange)
    peer = open_exchange("https://oracle.example", "0x1", 5, lambda: None)
    assert isinstance(peer, Peer)
    assert peer.where == "peer https://oracle.example:443"


@pytest.mark.parametrize(
    "text",
    [
        "ftp://host",
        "http://",
        "http://host:port",
        "http://host:99999",
        "http://host/path",
        "http://host?query=1",
        "https://user:secret@host",
    ],
)
def test_a_url_with_anything_else_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="there is no such peer"):
        open_exchange(text, "0x1", 5, lambda: None)

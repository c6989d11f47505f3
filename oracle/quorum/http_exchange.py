"""Exchange proposals over HTTP: each oracle serves its own ones, and asks the peers that its operator listed.

    GET /quorum/v1/proposals?after=<record id>  ->  {"schema": "provenance-oracle/proposals/v1",
                                                     "proposals": [{"recordId": "...", "proposal": "..."}, ...]}
    GET /quorum/v1/batches?after=<digest>       ->  {"schema": "provenance-oracle/batch-proposals/v1",
                                                     "batches": [{"digest": "...", "batch": "..."}, ...]}

A page has up to `DocumentKind.page_max` documents, as text, sorted by their keys. The next page begins after the last
key.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from provenance_oracle.oracle.quorum.exchange import RECORDS, DocumentKind
from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.errors import FormatError, TemporaryError
from provenance_oracle.verifier.strict.exchange import HttpClient
from provenance_oracle.verifier.strict.parse_json import Fields, parse_json


class OwnProposals:
    """Our documents of one kind, as the web server serves them. Safe for several threads."""

    def __init__(self, kind: DocumentKind = RECORDS) -> None:
        self.kind = kind
        self._offered: Mapping[bytes, bytes] = {}

    @property
    def where(self) -> str:
        """See `Exchange`."""
        return "our own server"

    def read(self) -> Iterator[bytes]:
        """Yield nothing: our own proposals are known."""
        yield from ()

    def offer(self, proposals: Mapping[bytes, bytes]) -> None:
        """Serve these from now on; see `Exchange`."""
        self._offered = dict(sorted(proposals.items()))

    def page(self, after: bytes) -> bytes:
        """Return the JSON of the page that begins after a key (32 bytes, or none for the first page)."""
        kind = self.kind
        found = [(key, data) for key, data in self._offered.items() if key > after][: kind.page_max]
        listed = [{kind.key: key.hex(), kind.document: data.decode()} for key, data in found]
        return json.dumps({"schema": kind.schema, kind.listed: listed}).encode()


class Peer:
    """One kind of documents on another oracle's server.

    Args:
        client: speaks to it, within the time of one exchange for each page.
        where: its name in messages.
    """

    def __init__(self, client: HttpClient, where: str, kind: DocumentKind = RECORDS) -> None:
        self._client = client
        self._kind = kind
        self.where = where

    def offer(self, proposals: Mapping[bytes, bytes]) -> None:
        """Do nothing: the peer asks for ours."""

    def read(self) -> Iterator[bytes]:
        """See `Exchange`."""
        after, kind = "", self._kind
        for _ in range(kind.most // kind.page_max):
            target, most = f"{kind.path}?after={after}", kind.page_max_bytes
            answer = self._client.exchange("GET", target, {}, body_max_bytes=most)
            if answer.status != 200:
                raise TemporaryError("the peer does not answer", where=self.where, got=f"status {answer.status}")
            page = self._parse(answer.body)
            yield from (data for _, data in page)
            if len(page) < kind.page_max or page[-1][0] <= after:
                return
            after = page[-1][0]

    def _parse(self, body: bytes) -> list[tuple[str, bytes]]:
        kind = self._kind
        try:
            value = parse_json(body, where=self.where, check=Check.REGISTRY_RECORD, max_bytes=kind.page_max_bytes)
            fields = Fields(value, where=self.where, check=Check.REGISTRY_RECORD)
            fields.constant("schema", kind.schema)
            return [
                (one.hex_bytes(kind.key, 32).hex(), one.text(kind.document, max_chars=kind.document_max_bytes).encode())
                for one in fields.fields_list(kind.listed, maximum=kind.page_max)
            ]
        except FormatError as error:
            raise TemporaryError("the peer's answer makes no sense", where=self.where, got=str(error)) from error

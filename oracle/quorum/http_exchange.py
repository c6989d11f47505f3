"""Exchange proposals over HTTP: each oracle serves its own ones, and asks the peers that its operator listed.

    GET /quorum/v1/proposals?after=<record id>   ->   {"schema": "provenance-oracle/proposals/v1", "proposals": ["..."]}

A page has up to PAGE_MAX proposals, as text, sorted by the record's id. The next page begins after the last id.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from provenance_oracle.oracle.quorum.exchange import OFFERED_MAX
from provenance_oracle.oracle.quorum.proposal import PROPOSAL_MAX_BYTES
from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.errors import FormatError, TemporaryError
from provenance_oracle.verifier.strict.exchange import HttpClient
from provenance_oracle.verifier.strict.parse_json import Fields, parse_json

PROPOSALS = "provenance-oracle/proposals/v1"
PROPOSALS_PATH = "/quorum/v1/proposals"
PAGE_MAX = 100
_PAGE_MAX_BYTES = PAGE_MAX * (PROPOSAL_MAX_BYTES + 64) + 1024


class OwnProposals:
    """Our proposals, as the web server serves them. Safe for several threads."""

    def __init__(self) -> None:
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
        """Return the JSON of the page that begins after a record's id (32 bytes, or none for the first page)."""
        found = [(key, data) for key, data in self._offered.items() if key > after][:PAGE_MAX]
        listed = [{"recordId": key.hex(), "proposal": data.decode()} for key, data in found]
        return json.dumps({"schema": PROPOSALS, "proposals": listed}).encode()


class Peer:
    """Another oracle's server.

    Args:
        client: speaks to it, within the time of one exchange for each page.
        where: its name in messages.
    """

    def __init__(self, client: HttpClient, where: str) -> None:
        self._client = client
        self.where = where

    def offer(self, proposals: Mapping[bytes, bytes]) -> None:
        """Do nothing: the peer asks for ours."""

    def read(self) -> Iterator[bytes]:
        """See `Exchange`."""
        after = ""
        for _ in range(OFFERED_MAX // PAGE_MAX):
            answer = self._client.exchange("GET", f"{PROPOSALS_PATH}?after={after}", {}, body_max_bytes=_PAGE_MAX_BYTES)
            if answer.status != 200:
                raise TemporaryError("the peer does not answer", where=self.where, got=f"status {answer.status}")
            page = self._parse(answer.body)
            yield from (data for _, data in page)
            if len(page) < PAGE_MAX or page[-1][0] <= after:
                return
            after = page[-1][0]

    def _parse(self, body: bytes) -> list[tuple[str, bytes]]:
        try:
            value = parse_json(body, where=self.where, check=Check.REGISTRY_RECORD, max_bytes=_PAGE_MAX_BYTES)
            fields = Fields(value, where=self.where, check=Check.REGISTRY_RECORD)
            fields.constant("schema", PROPOSALS)
            return [
                (one.hex_bytes("recordId", 32).hex(), one.text("proposal", max_chars=PROPOSAL_MAX_BYTES).encode())
                for one in fields.fields_list("proposals", maximum=PAGE_MAX)
            ]
        except FormatError as error:
            raise TemporaryError("the peer's answer makes no sense", where=self.where, got=str(error)) from error

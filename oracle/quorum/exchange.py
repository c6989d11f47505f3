"""Ways by which oracles exchange documents: proposals of single records, and those of batches.

Each oracle offers its own ones, and reads those of the others.

Nobody pushes: an oracle reads from the places that its operator listed, as often and as much as it wants. A place that
fails or lies costs a bounded time and delays no other place.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

from provenance_oracle.oracle.quorum.batch_proposal import BATCH_PROPOSAL_MAX_BYTES
from provenance_oracle.oracle.quorum.proposal import PROPOSAL_MAX_BYTES

# A place may have this many proposals that are not in the registry yet; the rest waits.
OFFERED_MAX = 2000
# Of batches, those that gather signatures, and older ones for which an oracle asks that was away.
BATCHES_OFFERED_MAX = 32


@dataclass(frozen=True)
class DocumentKind:
    """One kind of documents.

    Attributes:
        document_max_bytes: of one document. most: documents in one place at most. page_max: in one page of a server.
        suffix: the end of file names in a shared folder.
        path: the page of a server. schema: that of the page. listed, key, document: names of the page's members: the
            list, and in each of its objects the document's key (32 bytes) and the document.
    """

    document_max_bytes: int
    most: int
    page_max: int
    suffix: str
    path: str
    schema: str
    listed: str
    key: str
    document: str

    @property
    def page_max_bytes(self) -> int:
        """The most bytes of a page. A quotation mark in a document takes two."""
        return self.page_max * (2 * self.document_max_bytes + 256) + 1024


RECORDS = DocumentKind(
    document_max_bytes=PROPOSAL_MAX_BYTES,
    most=OFFERED_MAX,
    page_max=100,
    suffix=".json",
    path="/quorum/v1/proposals",
    schema="provenance-oracle/proposals/v1",
    listed="proposals",
    key="recordId",
    document="proposal",
)
BATCHES = DocumentKind(
    document_max_bytes=BATCH_PROPOSAL_MAX_BYTES,
    most=BATCHES_OFFERED_MAX,
    page_max=4,
    suffix=".batch",
    path="/quorum/v1/batches",
    schema="provenance-oracle/batch-proposals/v1",
    listed="batches",
    key="digest",
    document="batch",
)


class Exchange(Protocol):
    """One place from which the documents of one kind are read."""

    @property
    def where(self) -> str:
        """The name of the place, for messages."""

    def read(self) -> Iterator[bytes]:
        """Yield every document there, `DocumentKind.most` at most. Nothing in them is verified.

        Raises:
            TemporaryError: the place cannot be reached, or its answer makes no sense.
        """

    def offer(self, proposals: Mapping[bytes, bytes]) -> None:
        """Make our own documents available there, if it is a place to which we write.

        Args:
            proposals: each document by its key (32 bytes): a record's id, or the digest of a batch that oracles sign.
                Earlier ones that are missing are withdrawn.

        Raises:
            TemporaryError: the place cannot be written.
        """

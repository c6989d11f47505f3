"""Read the records in batches from the documents that the batches' oracles serve.

The registry has the root of a batch only. A document counts if its records lead to that root, so whoever serves it can
withhold records, and make none up.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from urllib.parse import urlsplit

from provenance_oracle.oracle.index.index_store import IndexDatabase
from provenance_oracle.oracle.index.index_writer import IndexWriter
from provenance_oracle.verifier.errors import FormatError, TemporaryError, VerificationError
from provenance_oracle.verifier.record.leaves import Leaves, parse_leaves
from provenance_oracle.verifier.text import printable

_log = logging.getLogger(__name__)
_DOCUMENTS_MAX = 200  # looked at in one pass
_PAUSE_SECONDS = 60
_PASS_SECONDS = 20.0


class DocumentReader:
    """Reads documents that the index lacks. It is not for use by several threads at once.

    Args:
        fetch: returns the document at an address. It raises TemporaryError if the document cannot be had.
        clock: returns the time now, in seconds since 1970.
    """

    def __init__(self, database: IndexDatabase, fetch: Callable[[str], bytes], *, clock: Callable[[], float]) -> None:
        self._database = database
        self._fetch = fetch
        self._clock = clock

    def read(self) -> int:
        """Read documents for some seconds at most, and return how many were read.

        A document that cannot be had is left alone for a minute, and its server for the rest of the pass.

        Raises:
            TemporaryError: the database fails.
        """
        began, failed, count = self._clock(), set[str](), 0
        with self._database.writing() as session:
            writer = IndexWriter(session, self._database.where)
            waiting = writer.unread_documents(int(began) - _PAUSE_SECONDS, _DOCUMENTS_MAX)
        for place, root, uri in waiting:
            host = _host(uri)
            if host in failed or self._clock() - began > _PASS_SECONDS:
                continue
            leaves = self._document(root, uri)
            with self._database.writing() as session:
                writer = IndexWriter(session, self._database.where)
                if leaves is None:
                    failed.add(host)
                    writer.tried_document(place, int(self._clock()))
                else:
                    writer.keep_leaves(place, leaves)
                    count += 1
        return count

    def _document(self, root: bytes, uri: str) -> Leaves | None:
        where = printable(uri)
        try:
            leaves = parse_leaves(self._fetch(uri), where)
            if leaves.root != root:
                got, wanted = leaves.root.hex(), root.hex()
                raise VerificationError("the records of another batch", where=where, got=got, wanted=wanted)
        except (TemporaryError, FormatError, VerificationError) as error:
            _log.warning("batch %s: its records cannot be read: %s", root.hex(), error)
            return None
        return leaves


def _host(uri: str) -> str:
    try:
        return urlsplit(uri).netloc
    except ValueError:
        return uri

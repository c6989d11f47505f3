"""Keep an index up to date beside a server that answers from it: one more thread, which follows the chain."""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import datetime

from provenance_oracle.oracle.bell import Bell, Stopped
from provenance_oracle.oracle.chain.index_source import fetching_documents, open_index_source
from provenance_oracle.oracle.conditions import Condition, Conditions, Trouble
from provenance_oracle.oracle.index.chain_source import ChainSource
from provenance_oracle.oracle.index.database import open_index_database
from provenance_oracle.oracle.index.index_service import IndexService
from provenance_oracle.oracle.journal.kept_batches import find_leaves
from provenance_oracle.verifier.errors import TemporaryError, UsageError
from provenance_oracle.verifier.record.leaves import leaves_json
from provenance_oracle.verifier.registry.deployment import Deployment

_log = logging.getLogger(__name__)
_JOIN_SECONDS = 3.0
_ROOT = re.compile(r"([0-9a-f]{64})\.json\Z")


class IndexThread:
    """Follows one registry into one database. Other threads may ask `blocking`.

    Args:
        database: path or URL of the index, which is made if it is new.
        registry: its address, or its deployment.
        journal: path or URL of an oracle's journal, whose batches need not be fetched; "" for none.
        clock: returns the time now, with a time zone.
    """

    def __init__(
        self,
        database: str,
        rpc_url: str,
        registry: str | Deployment,
        journal: str,
        clock: Callable[[], datetime],
    ) -> None:
        self._bell = Bell()
        self._database = open_index_database(database)
        self._place = (rpc_url, registry)
        self._journal = journal
        self._conditions = Conditions(clock)
        self._service = IndexService(self._database, self._open_source, self._fetch, clock=lambda: clock().timestamp())
        self._chain_id = 0
        self._thread = threading.Thread(target=self._work, name="index", daemon=True)

    @contextmanager
    def running(self) -> Iterator[None]:
        """Follow the chain until the block ends."""
        with closing(self._database):
            self._thread.start()
            try:
                yield
            finally:
                self._bell.stop()
                self._thread.join(_JOIN_SECONDS)

    def blocking(self) -> Sequence[Condition]:
        """Return the trouble that keeps the index from following."""
        if self._service.failures:
            self._conditions.begin(Trouble.NODE, "the index does not follow the chain; the log has the reason")
        elif self._thread.is_alive():
            self._conditions.end(Trouble.NODE)
        return [one for one in self._conditions.standing() if one.kind is not Trouble.START]

    def _work(self) -> None:
        try:
            self._service.run(self._bell)
        except Stopped:
            pass
        except UsageError as error:
            _log.error("the index follows no chain any more: %s", error)
            self._conditions.begin(Trouble.NODE, error)

    def _open_source(self) -> ChainSource:
        source = open_index_source(*self._place, on_wait=self._bell.check)
        self._chain_id = source.chain_id
        return source

    def _fetch(self, address: str) -> bytes:
        """Return the document of a batch: from the journal if our oracle recorded it, else from its server."""
        named = _ROOT.search(address)
        if self._journal and named:
            try:
                records, names = find_leaves(self._journal, root=bytes.fromhex(named[1]))
            except (TemporaryError, UsageError) as error:
                _log.warning("the journal has no records for the index: %s", error)
            else:
                if records:
                    return leaves_json(records, names)
        return fetching_documents(self._chain_id, self._bell.check)(address)

"""Answers about records: by digest, by name, the newest ones, their history and their lineage."""

from __future__ import annotations

import re

from provenance_oracle.oracle.index.record_reader import RecordIndex
from provenance_oracle.oracle.index.rows import IndexedRecord, RecordPage
from provenance_oracle.oracle.web.api.asking import cursor_of, number_of_cursor, place_of_cursor, reading_index
from provenance_oracle.oracle.web.api.documents import edge_json, facts_json, record_json, result_json
from provenance_oracle.oracle.web.api.schemas import API_HISTORY, API_LINEAGE, API_RECORDS, API_SEARCH
from provenance_oracle.oracle.web.api.table import Body, json_body
from provenance_oracle.verifier.documents.registry import history_json, lineage_json
from provenance_oracle.verifier.errors import RecordError
from provenance_oracle.verifier.record.publisher_changes import publisher_changes

_COMPARED = "a digest of model, manifest, verdict or report, or the id of a record or release"
_HEX32 = re.compile("(?:0x)?[0-9a-fA-F]{64}")


class RecordAnswers:
    """Answers from an index.

    Args:
        index: for point reads, which the server's own thread does.
        slow_index: the same, for what takes longer: a thread that uses it delays no point read.
    """

    def __init__(self, index: RecordIndex, slow_index: RecordIndex) -> None:
        self._index = index
        self._slow_index = slow_index

    def by_digest(self, digest: bytes, cursor: str | None, limit: int) -> Body:
        """Return the records to which a digest leads. Raises RecordError if there is none."""
        question = f"digest {digest.hex()}"
        after = number_of_cursor(question, cursor)
        with reading_index():
            page = self._index.by_digest(digest, after=after, limit=limit)
        if after is None and not page.records:
            raise RecordError("no record has this digest", where=digest.hex(), got="nothing", wanted=_COMPARED)
        return records_body(question, page, is_first=after is None)

    def by_name(self, name: str, cursor: str | None, limit: int) -> Body:
        """Return the records of `namespace/model` or `namespace/model@version`, newest first."""
        question = f"name {name}"
        after = number_of_cursor(question, cursor)
        with reading_index():
            page = self._slow_index.by_name(name, after=after, limit=limit)
        return records_body(question, page, is_first=after is None)

    def recent(self, cursor: str | None, limit: int) -> Body:
        """Return the newest records."""
        after = number_of_cursor("recent", cursor)
        with reading_index():
            page = self._slow_index.recent(after=after, limit=limit)
        return records_body("recent", page, is_first=after is None)

    def search(self, q: str, cursor: str | None, limit: int) -> Body:
        """Return what a text leads to, and with what it was compared."""
        question = f"search {q}"
        text = q.strip()
        digest = bytes.fromhex(text.lower().removeprefix("0x")) if _HEX32.fullmatch(text) else None
        with reading_index():
            page = self._slow_index.search(text, cursor=place_of_cursor(question, cursor), limit=limit)
        return json_body(
            {
                "schema": API_SEARCH,
                "found_by": "text" if digest is None else "digest",
                "results": [result_json(one, digest) for one in page.results],
                "next_cursor": cursor_of(question, page.next_cursor) if page.next_cursor else None,
                "compared": list(page.compared),
            }
        )

    def history(self, record_id: bytes) -> Body:
        """Return the events of a record, its namespace, and the changes of the publisher between releases of its model.

        Raises:
            RecordError: there is no such record.
        """
        with reading_index():
            found = self._found(record_id)
            events = self._slow_index.history(found)
            namespace = self._slow_index.namespace(found.entry.name.partition("/")[0])
            releases = self._slow_index.by_name(found.entry.name).records
        changes = publisher_changes(one.entry for one in reversed(releases))
        shown = history_json(events, [namespace.namespace] if namespace else [], changes)
        return json_body({"schema": API_HISTORY, **shown})

    def lineage(self, record_id: bytes, cursor: str | None, limit: int) -> Body:
        """Return the ancestors of a record's release, every edge among them, and the releases made from it.

        Raises:
            RecordError: there is no such record, or it has more ancestors than the contract follows.
        """
        question = f"lineage {record_id.hex()}"
        with reading_index():
            found = self._found(record_id)
            ancestors = self._slow_index.lineage(found)
            edges = self._slow_index.edges(found)
            after = number_of_cursor(question, cursor)
            page = self._slow_index.descendants(found, after=after, limit=limit)
        pairs = [(ancestor, known.entry if known else None) for ancestor, known in ancestors]
        return json_body(
            {
                "schema": API_LINEAGE,
                **lineage_json([(found.entry, pairs)]),
                "edges": [edge_json(one) for one in edges],
                "descendants": [facts_json(one) for one in page.records],
                "next_cursor": next_cursor(question, page),
            }
        )

    def _found(self, record_id: bytes) -> IndexedRecord:
        found = self._slow_index.record(record_id)
        if found is None:
            wanted = "the id of a record or release"
            raise RecordError("no record has this id", where=record_id.hex(), got="nothing", wanted=wanted)
        return found


def records_body(question: str, page: RecordPage, *, is_first: bool) -> Body:
    """Return a page of records. `total` is known only if the first page is the last one too."""
    following = next_cursor(question, page)
    return json_body(
        {
            "schema": API_RECORDS,
            "entries": [record_json(one) for one in page.records],
            "total": len(page.records) if is_first and following is None else None,
            "next_cursor": following,
        }
    )


def next_cursor(question: str, page: RecordPage) -> str | None:
    """Return the cursor of the page after this one; None for the last page."""
    return None if page.next_after is None else cursor_of(question, page.next_after)

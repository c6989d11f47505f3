"""Search: what a digest, an id, a name, or the beginnings of words of a name lead to."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Sequence

from provenance_oracle.oracle.index.entries import EntryMaker
from provenance_oracle.oracle.index.event_kinds import RECORD_ROLES, KeyRole, name_key
from provenance_oracle.oracle.index.places import PLACE_MAX
from provenance_oracle.oracle.index.rows import IndexedRecord, ResultKind, SearchPage, SearchResult
from provenance_oracle.oracle.index.shelf import Key, Shelf
from provenance_oracle.verifier.errors import UsageError
from provenance_oracle.verifier.record.codec import namespace_id

WORDS_MAX = 16  # of one name
WORD_MAX_CHARS = 32
_ASKED_MAX = 8
_SCAN_ROWS = 100
_SCANS_MAX = 20
_LAST = "\U0010ffff"
_WORD = re.compile(r"[^\W_]+")
_DIGEST_WORDS = ("model, manifest, verdict and report digests", "ids of records and releases")
_OTHER_WORDS = ("publishers' identities", "digests of policies", "roots of batches")
_NAME_WORDS = ("names of models and of their versions", "namespaces", "beginnings of the words of names")


def words_of(text: str) -> tuple[str, ...]:
    """Return the words of a name for search: letters and digits, lower case, each once, at most WORDS_MAX."""
    found = (word.group()[:WORD_MAX_CHARS] for word in _WORD.finditer(text.casefold()))
    return tuple(dict.fromkeys(found))[:WORDS_MAX]


def search_page(
    maker: EntryMaker, shelf: Shelf, text: str, digest: bytes | None, cursor: str | None, limit: int
) -> SearchPage:
    """Return one page of what a text leads to.

    Args:
        digest: the 32 bytes if the text is a digest or an id.
        cursor: `next_cursor` of the page before.

    Raises:
        UsageError: the cursor is not one that a page ended with.
    """
    after, last = _parse_cursor(cursor)
    if digest is not None:
        keys = [(digest, role) for role in RECORD_ROLES]
        others = _others(shelf, digest) if after is None else []
        return _records(maker, shelf, keys, after, limit, others, (*_DIGEST_WORDS, *_OTHER_WORDS))
    exact = [(name_key(text), KeyRole.NAME), (name_key(text), KeyRole.VERSION)]
    if last is None and any(shelf.has(*key) for key in exact):
        return _records(maker, shelf, exact, after, limit, [], _NAME_WORDS[:1])
    spaces = []
    if (last is None and shelf.has(namespace_id(text), KeyRole.NAMESPACE)) or shelf.has(
        namespace_id(text), KeyRole.CLAIMED
    ):
        spaces = [SearchResult(ResultKind.NAMESPACE, text, namespace_id(text))] if last is None else []
    names, next_last = _names_with(shelf, words_of(text)[:_ASKED_MAX], last, limit - len(spaces))
    found = [_newest(maker, shelf, name) for name in names]
    results = [*spaces, *(_result(one) for one in found if one)]
    return SearchPage(tuple(results), _NAME_WORDS, _word_cursor(*next_last) if next_last else None)


def _records(
    maker: EntryMaker,
    shelf: Shelf,
    keys: Sequence[Key],
    after: int | None,
    limit: int,
    others: list[SearchResult],
    compared: tuple[str, ...],
) -> SearchPage:
    places = shelf.places(keys, after=after, limit=limit + 1)
    records = maker.records(places[:limit])
    following = f"p{places[limit - 1]}" if len(places) > limit else None
    return SearchPage((*others, *(_result(one) for one in records)), compared, following)


def _others(shelf: Shelf, digest: bytes) -> list[SearchResult]:
    """Return what a digest is besides that of a record."""
    roles = {
        ResultKind.IDENTITY: (KeyRole.IDENTITY, KeyRole.NAMESPACE_SUBJECT),
        ResultKind.POLICY: (KeyRole.POLICY_NUMBERED, KeyRole.POLICY),
        ResultKind.BATCH: (KeyRole.BATCH,),
    }
    is_record = shelf.has(digest, KeyRole.CONTENT)
    return [
        SearchResult(kind, "", digest)
        for kind, ways in roles.items()
        if not is_record and any(shelf.has(digest, role) for role in ways)
    ]


def _names_with(
    shelf: Shelf, words: Sequence[str], last: tuple[str, bytes] | None, limit: int
) -> tuple[list[bytes], tuple[str, bytes] | None]:
    """Return the keys of names with words that begin so, and the place after which the next page goes on.

    At most _SCANS_MAX times _SCAN_ROWS rows are read, so a page may be short although others follow.
    """
    if not words or limit < 1:
        return [], last
    longest = max(words, key=len)
    others = [word for word in words if word != longest]
    tests = " AND ".join(
        ["EXISTS (SELECT 1 FROM words o WHERE o.name = d.name AND o.word >= ? AND o.word < ?)"] * len(others)
    )
    sql = (
        f"SELECT d.word, d.name, {f'CASE WHEN {tests} THEN 1 ELSE 0 END' if others else '1'} AS fits FROM ("  # noqa: S608
        "SELECT word, name FROM words WHERE word >= ? AND word < ? AND (word > ? OR (word = ? AND name > ?))"
        " ORDER BY word, name LIMIT ?) d ORDER BY d.word, d.name"
    )
    tested = [bound for word in others for bound in (word, word + _LAST)]
    at, found = last or (longest, b""), dict[bytes, None]()
    for _ in range(_SCANS_MAX):
        start = max(longest, at[0])
        rows = shelf.ask(sql, (*tested, start, longest + _LAST, at[0], at[0], at[1], _SCAN_ROWS))
        for row in rows:
            at = (str(row["word"]), bytes(row["name"]))
            if row["fits"]:
                found[at[1]] = None
            if len(found) == limit:
                return list(found), at
        if len(rows) < _SCAN_ROWS:
            return list(found), None
    return list(found), at


def _newest(maker: EntryMaker, shelf: Shelf, name: bytes) -> IndexedRecord | None:
    places = shelf.places([(name, KeyRole.NAME)], after=None, limit=1)
    return maker.record(places[0]) if places else None


def _result(found: IndexedRecord) -> SearchResult:
    return SearchResult(ResultKind.RECORD, found.entry.name, found.entry.record_id, found)


def _word_cursor(word: str, name: bytes) -> str:
    return "w" + base64.urlsafe_b64encode(name + word.encode()).decode()


def _parse_cursor(cursor: str | None) -> tuple[int | None, tuple[str, bytes] | None]:
    """Return the place, or the word and name's key, after which a page goes on."""
    if cursor is None:
        return None, None
    digits = cursor[1:]
    try:
        if cursor.startswith("p") and digits.isascii() and digits.isdecimal() and 0 < int(digits[:20]) <= PLACE_MAX:
            return int(digits[:20]), None
        if cursor.startswith("w"):
            data = base64.b64decode(digits, altchars=b"-_", validate=True)
            word = data[32:].decode()
            if len(data) > 32 and len(word) <= WORD_MAX_CHARS and "\0" not in word:
                return None, (word, data[:32])
    except (ValueError, binascii.Error):
        pass
    wanted = "the cursor with which the page before ended"
    raise UsageError("not a cursor", where="cursor", got="another text", wanted=wanted)

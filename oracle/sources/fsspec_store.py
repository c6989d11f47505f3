"""Any store that fsspec reaches and that states a version, an ETag or a time for each object.

Few of them can read one version. So each object is looked at before its first byte and after its last one, and a
release is listed again at its end. fsspec lists a whole prefix at once: only S3 is listed page by page.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from provenance_oracle.oracle.sources.object_store import StoredObject
from provenance_oracle.verifier.errors import ProvenanceError, TemporaryError, UsageError
from provenance_oracle.verifier.strict.files import changed
from provenance_oracle.verifier.text import printable

_PIECE_BYTES = 1024 * 1024
_BLOCK_BYTES = 16 * 1024 * 1024  # of one range
_US_PER_SECOND = 10**6
_VERSIONS = ("generation", "version_id", "VersionId", "etag", "ETag", "md5Hash")
_TIMES = ("updated", "mtime", "LastModified", "last_modified", "created")


class FsspecStore:
    """A `Store` below a URL of fsspec, such as `gs://bucket/prefix`.

    Raises:
        UsageError: the package for this kind of store is not installed.
    """

    def __init__(self, url: str) -> None:
        try:
            from fsspec.core import url_to_fs

            self._system, self._root = url_to_fs(url, use_listings_cache=False, skip_instance_cache=True)
        except ImportError as error:
            got = printable(f"no {error.name or 'package for it'}")
            problem, wanted = "this kind of source needs another package", "the package that fsspec names for it"
            raise UsageError(problem, where="sources", got=got, wanted=wanted) from None
        self._root = self._root.rstrip("/") + "/"
        self.where = url.rstrip("/")

    def tops(self) -> Iterator[str]:
        for found in sorted(self._asked(self._system.ls, self._root, detail=True), key=lambda found: found["name"]):
            if found["type"] == "directory":
                yield found["name"].rstrip("/").removeprefix(self._root)

    def objects(self, below: str) -> Iterator[StoredObject]:
        folder = below.rpartition("/")[0]
        found = self._asked(self._system.find, f"{self._root}{folder}", detail=True)
        for name, info in sorted(found.items()):
            key = name.removeprefix(self._root)
            if key.startswith(below):
                yield StoredObject(key, info["size"], _version_of(info), _written(info))

    @contextmanager
    def stream(self, key: str, version: str, size: int, offset: int) -> Iterator[Iterator[bytes]]:
        self._match(key, version)
        options = {"block_size": _BLOCK_BYTES, "cache_type": "readahead"}
        file = self._asked(self._system.open, self._root + key, "rb", **options)
        try:
            yield self._pieces(file, offset)
        finally:
            file.close()
        self._match(key, version)

    def _pieces(self, file: Any, offset: int) -> Iterator[bytes]:
        self._asked(file.seek, offset)
        while piece := self._asked(file.read, _PIECE_BYTES):
            yield piece

    def _match(self, key: str, version: str) -> None:
        """Raise ChangedError unless an object has this version now, as far as listing and look state the same facts."""
        listed = dict(fact.split("=", 1) for fact in version.split(" "))
        found = _facts_of(self._asked(self._system.info, self._root + key))
        both = listed.keys() & found.keys()
        if len(both) < 2 or any(listed[name] != found[name] for name in both):
            raise changed(key)

    def _asked(self, function: Any, *arguments: Any, **options: Any) -> Any:
        """Call a function of the store. Each package has errors of its own, and their texts may hold credentials."""
        try:
            return function(*arguments, **options)
        except ProvenanceError:
            raise
        except FileNotFoundError:
            raise changed(printable(str(arguments[0]))) from None
        except Exception as error:
            got, wanted = type(error).__name__, "an answer; the next scan asks again"
            raise TemporaryError("the object store does not answer", where=self.where, got=got, wanted=wanted) from None


def _facts_of(info: dict[str, Any]) -> dict[str, str]:
    """Return all that a store says of an object's version: the size, and at least one other fact in most stores."""
    facts = {name: _plain(info[name]) for name in (*_VERSIONS, *_TIMES) if info.get(name) is not None}
    return {**facts, "size": str(info["size"])}


def _version_of(info: dict[str, Any]) -> str:
    return " ".join(f"{name}={value}" for name, value in _facts_of(info).items())


def _plain(value: object) -> str:
    """Return a fact in one form, without spaces: times in whole microseconds, since a store gives them in two forms."""
    if isinstance(value, datetime):
        return str(round(value.timestamp() * _US_PER_SECOND))
    return str(round(value * _US_PER_SECOND)) if isinstance(value, float) else str(value).replace(" ", "_")


def _written(info: dict[str, Any]) -> int:
    """Return when an object was written, as a Unix time in nanoseconds; 0 if the store does not state it as a time."""
    for name in _TIMES:
        if isinstance(info.get(name), datetime | float):
            return int(_plain(info[name])) * 1000
    return 0

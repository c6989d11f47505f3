"""Releases as prefixes of an object store, such as an S3 bucket. A prefix with a signed manifest is a release.

The publisher uploads `provenance/manifest.dsse.json` last. Without it a release is incomplete, and the source skips it.
No prefix inside a release is a release. A scan lists the keys of each top prefix by itself, up to a bound, so no owner
of one can make a scan slow for the others, and takes turns between them as a scan of folders does.

Each store is a `Store`: `s3.py` for S3, `fsspec_store.py` for others.
"""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Protocol

from provenance_oracle.oracle.sources.base import Handle
from provenance_oracle.oracle.sources.look import start_of
from provenance_oracle.oracle.sources.notices import Notices
from provenance_oracle.oracle.sources.scan_order import ScanOrder
from provenance_oracle.verifier.errors import UsageError
from provenance_oracle.verifier.judgement.release import KEY_PATH
from provenance_oracle.verifier.manifest.dsse import MANIFEST_PATH
from provenance_oracle.verifier.manifest.key import MAX_KEY_BYTES
from provenance_oracle.verifier.manifest.names import PROVENANCE_FOLDER
from provenance_oracle.verifier.strict.remote_files import RemoteFile, RemoteFiles
from provenance_oracle.verifier.text import printable

_DEPTH_MAX = 4  # prefixes above a release
_TOPS_MAX = 10_000  # top prefixes of a source
_SHARE_MAX = 100_000  # keys of one top prefix at which a scan looks
_NS_PER_SECOND = 10**9
_URL = re.compile(r"(?P<scheme>[a-z0-9]+)://(?P<bucket>[A-Za-z0-9][A-Za-z0-9._-]{0,254})/?(?P<prefix>[^?#@:\s]*?)/*")


@dataclass(frozen=True)
class StoredObject:
    """An object as a store lists it.

    Attributes:
        key: the name, from the source's own prefix on.
        version: changes whenever the object is replaced, such as a version id, or ETag, size and time.
        written_ns: when it was written, as a Unix time in nanoseconds.
    """

    key: str
    size: int
    version: str
    written_ns: int


def parse_url(text: str) -> tuple[str, str, str]:
    """Return scheme, bucket and prefix of a source such as `s3://BUCKET/PREFIX`; the prefix may be empty.

    Raises:
        UsageError: it has another form, or holds credentials. The text is not repeated then.
    """
    found = _URL.fullmatch(text)
    names = found["prefix"].split("/") if found and found["prefix"] else []
    if found is None or any(name in ("", ".", "..") for name in names):
        got, wanted = "another form", "s3://BUCKET/PREFIX; credentials belong in the environment or profile"
        raise UsageError("the address of a bucket has another form", where="sources", got=got, wanted=wanted)
    return found["scheme"], found["bucket"], found["prefix"]


class Store(Protocol):
    """The part of an object store below a prefix. Several threads may use it at once."""

    @property
    def where(self) -> str:
        """The address for messages, without secrets."""

    def tops(self) -> Iterator[str]:
        """Yield the first segments of all keys that have more than one, each once, page by page.

        Raises:
            TemporaryError: the store does not answer, or refuses the credentials.
        """

    def objects(self, below: str) -> Iterator[StoredObject]:
        """Yield the objects whose keys begin with `below`, page by page. Raises as `tops`."""

    def stream(self, key: str, version: str, size: int, offset: int) -> AbstractContextManager[Iterator[bytes]]:
        """Yield the bytes of one version of an object; see `remote_files.Remote.stream`."""


class ObjectStoreSource:
    """The releases in the prefixes up to four levels below that of a store.

    Args:
        name: the name in the journal.
        releases_max: the number of releases that a scan yields at most.
        on_step: called for every key at which a scan looks. What it raises ends the scan.
    """

    def __init__(
        self, name: str, store: Store, *, releases_max: int, on_step: Callable[[], object] = lambda: None
    ) -> None:
        self.name = name
        self._store = store
        self._order = ScanOrder(releases_max)
        self._notices = Notices(name)
        self._on_step = on_step

    def releases(self) -> Iterator[Handle]:
        """Yield every complete release, `releases_max` at most. Top prefixes take turns; the oldest release is first.

        Raises:
            TemporaryError: the store does not answer, or refuses the credentials.
        """
        found = [release for top in self._tops() for release in self._releases_of(top)]
        if not found:
            self._say(logging.INFO, f"{self.name}: no complete release yet")
        if len(found) > self._order.releases_max:
            text = f"{self.name}: more than {self._order.releases_max} releases"
            self._say(logging.WARNING, f"{text}; the next scan takes those left out first")
        for release in self._order.choose(found):
            self._order.took(release.path)
            written_at = (release.written_ns or 0) / _NS_PER_SECOND
            yield Handle(release.path, release.digest.hexdigest(), written_at, release.total_bytes)

    def shares(self, handle: Handle) -> tuple[str, ...]:
        """Return the release's top prefix, and the key in it. A copy of another publisher's key is never older."""
        key = hashlib.sha256(start_of(self._files(handle), KEY_PATH, MAX_KEY_BYTES)).hexdigest()
        return f"{self.name} {handle.id.partition('/')[0]}", f"key {key}"

    def open(self, handle: Handle) -> AbstractContextManager[RemoteFiles]:
        """Yield the files of a release. The release may have gone since the scan."""
        return nullcontext(self._files(handle))

    def _files(self, handle: Handle) -> RemoteFiles:
        return RemoteFiles(_Prefix(self._store, f"{handle.id}/", self._on_step))

    def _tops(self) -> Iterator[str]:
        for number, top in enumerate(self._store.tops()):
            self._on_step()
            if number == _TOPS_MAX:
                self._say(logging.WARNING, f"{self.name}: more than {_TOPS_MAX} top prefixes; the rest is left out")
                return
            if top == PROVENANCE_FOLDER:
                self._pass_over(top, "the watched prefix is itself a release; watch the prefix that holds it")
            elif not top or top.startswith("."):
                self._pass_over(top or "/", "a hidden or empty prefix is not entered")
            elif printable(top, len(top) + 1) != top:
                self._pass_over(top, "its name cannot be shown; rename it")
            else:
                yield top

    def _releases_of(self, top: str) -> list[_Found]:
        """Return the complete releases below a top prefix."""
        listed: list[StoredObject] = []
        for stored in self._store.objects(f"{top}/"):
            self._on_step()
            if len(listed) == _SHARE_MAX:
                self._pass_over(top, f"it has more than {_SHARE_MAX} objects; the rest is left out")
                break
            listed.append(stored)
        releases = self._found(top, listed)
        for stored in listed:
            release = _holder(stored.key, releases)
            if release is not None:
                release.add(stored)
        for release in releases.values():
            if release.written_ns is None:
                self._say(logging.INFO, f"{self.name}:{release.path}: incomplete, no signed manifest yet", top)
        return [release for release in releases.values() if release.written_ns is not None]

    def _found(self, top: str, listed: list[StoredObject]) -> dict[str, _Found]:
        """Return the releases, complete or not, by path: prefixes with `provenance/`, none of them inside another."""
        paths = {stored.key.partition(f"/{PROVENANCE_FOLDER}/")[0] for stored in listed if _is_evidence(stored.key)}
        found: dict[str, _Found] = {}
        for path in sorted(paths, key=lambda path: path.count("/")):
            if _holder(f"{path}/", found) is not None:
                continue
            if printable(path, len(path) + 1) != path or any(name in ("", ".", "..") for name in path.split("/")):
                self._pass_over(path, "its name cannot be shown; rename it", top)
            elif any(name.startswith(".") for name in path.split("/")):
                self._pass_over(path, "a hidden prefix is not entered", top)
            elif path.count("/") >= _DEPTH_MAX:
                self._pass_over(path, f"it lies more than {_DEPTH_MAX} levels down; move it up", top)
            else:
                found[path] = _Found(path, top)
        return found

    def _pass_over(self, path: str, reason: str, top: str = "") -> None:
        self._say(logging.WARNING, f"{self.name}:{printable(path)}: passed over: {reason}", top or path)

    def _say(self, level: int, text: str, top: str = "") -> None:
        self._notices.say(level, text, top)


def _is_evidence(key: str) -> bool:
    return f"/{PROVENANCE_FOLDER}/" in key


def _holder(key: str, releases: dict[str, _Found]) -> _Found | None:
    """Return the release in which a key lies."""
    position = key.find("/")
    while position >= 0:
        if (release := releases.get(key[:position])) is not None:
            return release
        position = key.find("/", position + 1)
    return None


@dataclass
class _Found:
    """A release that a scan found. `digest` is over the names and versions of its objects, in order."""

    path: str
    top: str
    written_ns: int | None = None
    total_bytes: int = 0
    digest: hashlib._Hash = field(default_factory=hashlib.sha256)

    def add(self, stored: StoredObject) -> None:
        name = stored.key.removeprefix(f"{self.path}/")
        self.total_bytes += stored.size
        self.digest.update(f"{len(name)} {name}\0{stored.size} {stored.version}\n".encode("utf-8", "surrogatepass"))
        if name == MANIFEST_PATH:
            self.written_ns = stored.written_ns


@dataclass(frozen=True)
class _Prefix:
    """One release: a `Remote` of `strict.remote_files`."""

    store: Store
    prefix: str
    on_step: Callable[[], object]

    @property
    def where(self) -> str:
        return f"{self.store.where}/{printable(self.prefix.removesuffix('/'))}"

    def files(self, below: str) -> Iterator[RemoteFile]:
        for stored in self.store.objects(f"{self.prefix}{below}"):
            self.on_step()
            yield RemoteFile(stored.key.removeprefix(self.prefix), stored.size, stored.version)

    def stream(self, file: RemoteFile, offset: int) -> AbstractContextManager[Iterator[bytes]]:
        return self.store.stream(f"{self.prefix}{file.path}", file.version, file.size, offset)

"""A store of releases in memory, which lists and streams as remote stores do, and misbehaves as a test tells it to."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from provenance_oracle.verifier.errors import ChangedError, TemporaryError
from provenance_oracle.verifier.strict.remote_files import RemoteFile, RemoteFiles


@dataclass
class Stored:
    """A file of the store. `version` changes when it is replaced."""

    data: bytes
    version: str = "1"
    size: int | None = None  # as the listing states it; None: the true one


@dataclass
class MemoryStore:
    """One release in memory: a `Remote` of `verifier.strict.remote_files`.

    Attributes:
        listed: files in the order of the listing; two may have one name.
        piece_bytes: the largest piece of a stream.
        breaks_after: a connection breaks after so many bytes of each stream; None: never.
        on_stream: called with the path of each file that is opened.
        log: every listing and every stream: ("files", prefix) and ("stream", path, offset).
    """

    listed: list[tuple[str, Stored]]
    piece_bytes: int = 100_000
    breaks_after: int | None = None
    on_stream: Callable[[str], object] = lambda _path: None
    log: list[tuple[object, ...]] = field(default_factory=list)
    where: str = "memory://release"

    def files(self, below: str) -> Iterator[RemoteFile]:
        self.log.append(("files", below))
        for path, stored in list(self.listed):
            if path.startswith(below):
                size = len(stored.data) if stored.size is None else stored.size
                yield RemoteFile(path, size, stored.version)

    @contextmanager
    def stream(self, file: RemoteFile, offset: int) -> Iterator[Iterator[bytes]]:
        self.log.append(("stream", file.path, offset))
        self.on_stream(file.path)
        stored = dict(self.listed).get(file.path)
        if stored is None or stored.version != file.version:
            raise ChangedError("changed while it was read", where=file.path)
        yield self._pieces(stored.data, offset)

    def _pieces(self, data: bytes, offset: int) -> Iterator[bytes]:
        sent = 0
        while offset < len(data):
            if self.breaks_after is not None and sent >= self.breaks_after:
                raise TemporaryError("the connection broke", where=self.where)
            piece = data[offset : offset + self.piece_bytes]
            yield piece
            offset, sent = offset + len(piece), sent + len(piece)

    def replace(self, path: str, data: bytes) -> None:
        """Replace a file, as an upload does."""
        at = next(at for at, (name, _) in enumerate(self.listed) if name == path)
        self.listed[at] = (path, Stored(data, str(int(self.listed[at][1].version) + 1)))

    def release(self) -> RemoteFiles:
        return RemoteFiles(self)


def store_of(folder: Path) -> MemoryStore:
    """Return a store with every file of a folder, in the order in which they were found."""
    paths = [path for path in folder.rglob("*") if path.is_file()]
    return MemoryStore([(path.relative_to(folder).as_posix(), Stored(path.read_bytes())) for path in paths])

"""A release in a store that knows only names, sizes and bytes, such as a hub, a bucket or a registry.

A source implements `Remote`: list, and stream. All else is done here, the same for every store: names become folders,
every listing is bounded, every stream has exactly the bytes that the listing states, and a stream that breaks off goes
on where it ended. Nothing is written to disk.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Protocol

from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.errors import ChangedError, FormatError, TemporaryError
from provenance_oracle.verifier.strict.files import changed, not_allowed, pieces_of_file
from provenance_oracle.verifier.strict.release_files import ReleaseEntry
from provenance_oracle.verifier.strict.release_folder import STRICT, FoundFile, Reading, RemoteIdentity
from provenance_oracle.verifier.text import printable

_EVIDENCE_MAX = 64  # names that a whole listing may have beside those that are counted, such as those of the evidence
_SEGMENTS_MAX = 64  # a name with more of them is one bad name, not a folder in a folder
_NAME_MAX_CHARS = 4096
_RESUMES_MAX = 16  # of one file
_NOT_NAMES = ("", ".", "..")


@dataclass(frozen=True)
class RemoteFile:
    """A file as a store lists it.

    Attributes:
        path: the path in the release, with `/`. It may be any text: the reader of the release refuses bad names.
        size: in bytes.
        version: changes whenever the file's bytes may have changed, such as a version id, an ETag or a digest.
    """

    path: str
    size: int
    version: str


class Remote(Protocol):
    """One release in a store. Several threads may call `stream` at once."""

    @property
    def where(self) -> str:
        """The address of the release for messages, with its revision, and without secrets."""

    def files(self, below: str) -> Iterator[RemoteFile]:
        """Yield the files whose paths begin with `below`: "" for all, or a folder such as `provenance/`.

        They come in any order, page by page: the caller stops when there are too many. Each call asks the store again,
        unless the revision cannot change.

        Raises:
            UsageError: there is no such release. TemporaryError: the store does not answer.
        """

    def stream(self, file: RemoteFile, offset: int) -> AbstractContextManager[Iterator[bytes]]:
        """Open a file that was listed, and yield its bytes from `offset` on, in pieces.

        The bytes are those of `file.version`, or the call or the block raises. An empty piece ends the stream.

        Raises (call, block and iterator):
            ChangedError: the file has gone or has another version, or its bytes are not those that a digest names.
            TemporaryError: the store does not answer, or the connection broke.
        """


@dataclass(frozen=True)
class RemoteFiles:
    """The `ReleaseFiles` of a release in a store."""

    remote: Remote

    @property
    def where(self) -> str:
        return self.remote.where

    @property
    def reading(self) -> Reading:
        """Strict: a store has no links, and nobody leaves files out."""
        return STRICT

    @contextmanager
    def session(self) -> Iterator[OpenRemote]:
        yield OpenRemote(self.remote)


class OpenRemote:
    """The `OpenRelease` of a release in a store."""

    def __init__(self, remote: Remote) -> None:
        self._remote = remote

    def visit_all(self, visit: Callable[[ReleaseEntry], bool], *, most: int, below: str = "") -> None:
        root = _Folder()
        prefix = f"{below}/" if below else ""
        for file in self._listed(prefix, most + _EVIDENCE_MAX):
            root.add(file, prefix, most)
        root.visit(prefix, visit, 0)

    def holds(self, path: str) -> bool:
        folder, _, _ = path.rpartition("/")
        names = (file.path for file in self._listed(f"{folder or path}/", _EVIDENCE_MAX))
        return any(name == path or name.startswith(f"{path}/") for name in names)

    def find(self, path: str) -> FoundFile | None:
        listed = self._listed(path, _EVIDENCE_MAX)
        return next((_found(file) for file in listed if file.path == path), None)

    @contextmanager
    def open(self, path: str, found: FoundFile) -> Iterator[RemoteStream]:
        identity = found.identity
        assert isinstance(identity, RemoteIdentity)
        with ExitStack() as stack:
            stream = RemoteStream(self._remote, RemoteFile(path, identity.size, identity.version), stack)
            yield stream
            stream.end()

    def read_start(self, path: str, most: int) -> bytes:
        found = self.find(path)
        if found is None:
            raise changed(path)
        with self.open(path, found) as file:
            return b"".join(pieces_of_file(file, most))

    def _listed(self, prefix: str, most: int) -> Iterator[RemoteFile]:
        """Yield the files whose paths begin with `prefix`, each with a possible size and a name of bounded length.

        Raises:
            FormatError: there are more than `most`, or a file is none that a release may hold (check `file-set`).
        """
        for number, file in enumerate(self._remote.files(prefix)):
            where = prefix or "release"
            if number == most:
                raise _too_many(where.removesuffix("/"), most)
            if not file.path.startswith(prefix):
                problem, wanted = "the store lists files that were not asked for", f"names below {where}"
                raise TemporaryError(problem, where=self._remote.where, got=printable(file.path), wanted=wanted)
            if len(file.path) > _NAME_MAX_CHARS:
                got, wanted = printable(file.path, 100), f"at most {_NAME_MAX_CHARS} characters"
                raise FormatError("a file name is too long", check=Check.FILE_SET, where=where, got=got, wanted=wanted)
            if not 0 <= file.size < 2**63:
                problem, got = "a file has no possible size", f"{file.size} bytes"
                raise FormatError(problem, check=Check.FILE_SET, where=where, got=got, wanted="a size in bytes")
            yield file


class _RemoteEntry:
    """An `ReleaseEntry` of a listing."""

    __slots__ = ("_file", "depth", "is_folder", "path")

    def __init__(self, path: str, depth: int, file: RemoteFile | None) -> None:
        self.path, self.depth, self.is_folder = path, depth, file is None
        self._file = file

    @property
    def kind(self) -> str:
        return "a folder" if self.is_folder else "a file"

    def identify(self) -> FoundFile:
        if self._file is None:
            raise not_allowed(self.path, self.kind)
        return _found(self._file)


@dataclass
class _Folder:
    """The folders that the names of a listing make. Two files may have one name: the reader refuses them."""

    files: list[tuple[str, RemoteFile]] = field(default_factory=list)
    folders: dict[str, _Folder] = field(default_factory=dict)

    def add(self, file: RemoteFile, prefix: str, most: int) -> None:
        """Add a file at its place. A name that no folder can have is kept whole, so that the reader refuses it."""
        name = file.path.removeprefix(prefix)
        is_marker = name.endswith("/") and file.size == 0  # as the consoles of object stores make for an empty folder
        segments = name.removesuffix("/").split("/") if is_marker else name.split("/")
        if len(segments) > _SEGMENTS_MAX or any(segment in _NOT_NAMES for segment in segments):
            segments = [name]
        folder, path = self, prefix
        for segment in segments if is_marker else segments[:-1]:
            path += f"{segment}/"
            folder = folder._inner(segment, path, most)
        if not is_marker or segments == [name]:
            folder.files.append((segments[-1], file))
            folder._count(path, most)

    def _inner(self, name: str, path: str, most: int) -> _Folder:
        if name not in self.folders:
            self.folders[name] = _Folder()
            self._count(path, most)
        return self.folders[name]

    def _count(self, path: str, most: int) -> None:
        if len(self.files) + len(self.folders) > most:
            raise _too_many(path.removesuffix("/") or "release", most)

    def visit(self, prefix: str, visit: Callable[[ReleaseEntry], bool], depth: int) -> None:
        """Visit every entry in the order of a walk through folders."""
        named: list[tuple[str, RemoteFile | _Folder]] = [*self.files, *self.folders.items()]
        for name, found in sorted(named, key=lambda item: item[0].encode("utf-8", "surrogatepass")):
            path = f"{prefix}{name}"
            if isinstance(found, RemoteFile):
                visit(_RemoteEntry(path, depth, found))
            elif visit(_RemoteEntry(path, depth, None)):
                found.visit(f"{path}/", visit, depth + 1)


class RemoteStream:
    """The `OpenBytes` of a file in a store: exactly as many bytes as the listing states, each received once.

    Args:
        stack: closes the stream.
    """

    def __init__(self, remote: Remote, file: RemoteFile, stack: ExitStack) -> None:
        self.path, self.size = file.path, file.size
        self._remote = remote
        self._file = file
        self._stack = stack
        self._received = 0
        self._rest = memoryview(b"")
        self._resumes = 0
        self._pieces = self._open()

    def read(self, most: int) -> bytes:
        if not self._rest and self._received < self.size:
            self._rest = memoryview(self._next())
        piece, self._rest = self._rest[:most], self._rest[most:]
        return bytes(piece)

    def end(self) -> None:
        """Refuse a stream that goes on after the last byte. A reader that left earlier has no digest to protect."""
        if self._received == self.size and next(self._pieces, b""):
            raise changed(self.path)

    def _open(self) -> Iterator[bytes]:
        self._opened_at = self._received
        return self._stack.enter_context(self._remote.stream(self._file, self._received))

    def _next(self) -> bytes:
        """Return the next piece, not empty. A connection that broke after some bytes is opened again from there."""
        while True:
            try:
                piece = next(self._pieces, b"")
                break
            except ChangedError:
                raise
            except TemporaryError:
                if self._received == self._opened_at or self._resumes == _RESUMES_MAX:
                    raise
            self._resumes += 1
            self._stack.close()
            self._pieces = self._open()
        self._received += len(piece)
        if not piece or self._received > self.size:
            raise changed(self.path)
        return piece


def _found(file: RemoteFile) -> FoundFile:
    return FoundFile(RemoteIdentity(file.size, file.version), allocated_bytes=file.size)


def _too_many(where: str, most: int) -> FormatError:
    got, wanted = f"more than {most}", f"at most {most}"
    return FormatError("too many files", check=Check.FILE_SET, where=where, got=got, wanted=wanted)

"""Exchange proposals through a folder that all oracles share: `<folder>/<address>/<record id>.json`, `<digest>.batch`.

Each oracle writes below its own address only. Whatever the others put there is read bounded, without following links.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from provenance_oracle.oracle.quorum.exchange import RECORDS, DocumentKind
from provenance_oracle.verifier.errors import ProvenanceError, TemporaryError
from provenance_oracle.verifier.strict.files import open_folder, open_root, read_start, scan
from provenance_oracle.verifier.strict.walk import FolderEntry, walk
from provenance_oracle.verifier.strict.write_file import remove_file, write_file
from provenance_oracle.verifier.text import printable

_ENTRIES_MAX = 100_000


class FolderExchange:
    """One kind of documents in a shared folder.

    Args:
        own: the address of the key that signs our records, in checksum form.
    """

    def __init__(self, folder: Path, own: str, kind: DocumentKind = RECORDS) -> None:
        self._folder = folder
        self._kind = kind
        self._own = own
        self._offered: dict[str, bytes] | None = None  # by file name; None: files of an earlier process may be there

    @property
    def where(self) -> str:
        """See `Exchange`."""
        return printable(str(self._folder))

    def read(self) -> Iterator[bytes]:
        """See `Exchange`. A file that cannot be read is left out."""
        found: list[bytes] = []

        def visit(entry: FolderEntry) -> bool:
            if entry.is_folder:
                return entry.depth == 0 and entry.name != self._own
            if entry.depth == 1 and entry.name.endswith(self._kind.suffix) and len(found) < self._kind.most:
                found.append(read_start(entry.folder, entry.name, self._kind.document_max_bytes + 1))
            return False

        try:
            with open_root(self._folder) as root:
                walk(root, visit, most=_ENTRIES_MAX, where=self.where, unreadable=lambda _path, _error: None)
        except ProvenanceError as error:
            raise TemporaryError(
                "proposals cannot be read", where=self.where, got=error.got or error.problem
            ) from error
        yield from found

    def offer(self, proposals: Mapping[bytes, bytes]) -> None:
        """See `Exchange`. A proposal is written under another name and renamed, so that no reader sees half of it."""
        try:
            with open_root(self._folder) as root:
                with suppress(FileExistsError):
                    os.mkdir(self._own, dir_fd=root)
                with open_folder(root, self._own) as folder:
                    self._write(folder, {f"{key.hex()}{self._kind.suffix}": data for key, data in proposals.items()})
        except OSError as error:
            problem = f"our proposals cannot be written: {error.strerror}"
            raise TemporaryError(problem, where=self.where) from error
        except ProvenanceError as error:
            problem = "our proposals cannot be written"
            raise TemporaryError(problem, where=self.where, got=error.got or error.problem) from error

    def _write(self, folder: int, wanted: dict[str, bytes]) -> None:
        if self._offered is None:
            names = (name for name, _ in scan(folder, self._own, _ENTRIES_MAX))
            self._offered = dict.fromkeys((name for name in names if name.endswith(self._kind.suffix)), b"")
        for name in self._offered.keys() - wanted.keys():
            remove_file(folder, name)
        for name, data in wanted.items():
            if self._offered.get(name) != data:
                write_file(folder, name, data)
        self._offered = wanted

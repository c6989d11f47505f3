"""Refuse a release that claims far more bytes than its files have on disk.

A file of a few kilobytes can claim terabytes of zeros, as holes. To hash them costs the reader hours, and the publisher
nothing. The number of allocated blocks alone shows no hole: a file system that compresses, and some mounts, report few
blocks for full files. So the holes are counted that the file system itself names (lseek(2), SEEK_HOLE).
"""

from __future__ import annotations

import errno
import os

from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.digest.files import Listing
from provenance_oracle.verifier.errors import FormatError
from provenance_oracle.verifier.strict.files import OpenFile
from provenance_oracle.verifier.strict.release_files import ReleasePlace, files_of

SMALL_BYTES = 64 * 1024 * 1024  # hashed within a second, whatever they are
_SEEKS_MAX = 200_000  # in one release


def refuse_sparse(root: ReleasePlace, listing: Listing) -> None:
    """Refuse a listed release if more than half of its bytes lie in holes, unless `listing.reading.sparse`.

    Nothing is read. A release below 64 MiB, or with more than half of its bytes allocated, is not even opened.

    Args:
        root: the release that was listed. Only files on disk have holes.

    Raises:
        FormatError: most of the release is holes (check `file-set`).
        ChangedError: a file changed since the listing was taken. TemporaryError: a file cannot be opened.
    """
    total = listing.total_bytes
    if listing.reading.sparse or total <= SMALL_BYTES:
        return
    if 2 * sum(min(file.size, file.found.allocated_bytes) for file in listing.files) >= total:
        return
    holes = _Holes()
    with files_of(root, listing.reading).session() as release:
        for listed in listing.files:
            if listed.found.allocated_bytes < listed.size:
                with release.open(listed.path, listed.found) as file:
                    assert isinstance(file, OpenFile)
                    holes.add(file, listed.found.allocated_bytes)
    if 2 * holes.total_bytes > total:
        raise FormatError(
            "most of the release is holes, which cost nothing to store and much to hash",
            check=Check.FILE_SET,
            where=holes.largest,
            got=f"a sparse file, in a release of {total} bytes of which more than half are not on disk",
            wanted="files with all their bytes on disk: write them anew, as `cp --sparse=never` does",
        )


class _Holes:
    """Counts the bytes in holes of files, and remembers the file with the most."""

    def __init__(self) -> None:
        self.total_bytes = 0
        self.largest = ""
        self._largest_bytes = -1
        self._seeks = 0

    def add(self, file: OpenFile, allocated_bytes: int) -> None:
        holes = self._bytes_in(file, allocated_bytes)
        self.total_bytes += holes
        if holes > self._largest_bytes:
            self.largest, self._largest_bytes = file.path, holes

    def _bytes_in(self, file: OpenFile, allocated_bytes: int) -> int:
        holes = position = 0
        while position < file.size:
            if self._seeks >= _SEEKS_MAX:  # a file in very many pieces: what is not allocated is holes
                return max(holes, file.size - allocated_bytes)
            self._seeks += 1
            try:
                data = min(os.lseek(file.descriptor, position, os.SEEK_DATA), file.size)
                holes += data - position
                position = os.lseek(file.descriptor, data, os.SEEK_HOLE) if data < file.size else data
            except OSError as error:
                if error.errno == errno.ENXIO:  # no data follows
                    return holes + file.size - position
                if error.errno in (errno.EINVAL, errno.EOPNOTSUPP):
                    return 0  # the file system names no holes
                raise
        return holes

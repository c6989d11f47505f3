"""Tar archives of a few small files, in one form: sorted names, no folders, times, owners or links (POSIX ustar).

The reader accepts only the bytes that `tar_of` writes for the files that it finds, so nobody can hide anything in an
archive, and each set of files has one archive.
"""

from __future__ import annotations

import io
from collections.abc import Mapping

from provenance_oracle.verifier.errors import FormatError

ARCHIVED_MAX = 32
_BLOCK_BYTES = 512
_NAME, _SIZE = slice(0, 100), slice(124, 135)  # of a header (POSIX.1-1988, "ustar Interchange Format")


def tar_of(files: Mapping[str, bytes]) -> bytes:
    """Return the archive of files by name. Names have at most 100 bytes."""
    import tarfile

    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name in sorted(files):
            entry = tarfile.TarInfo(name)
            entry.size = len(files[name])
            tar.addfile(entry, io.BytesIO(files[name]))
    return stream.getvalue()


def files_of_tar(archived: bytes, where: str = "archive of evidence") -> dict[str, bytes]:
    """Return the files of an archive that `tar_of` made, by name. The caller bounds the size of the archive.

    Raises:
        FormatError: it is no such archive, or it has more than ARCHIVED_MAX files.
    """
    files: dict[str, bytes] = {}
    offset = 0
    try:
        while any(header := archived[offset : offset + _BLOCK_BYTES]):
            if len(files) == ARCHIVED_MAX:
                raise FormatError("too many files", where=where, got="more", wanted=f"at most {ARCHIVED_MAX}")
            name, size = header[_NAME].rstrip(b"\0").decode("utf-8"), int(header[_SIZE], 8)
            first = offset + _BLOCK_BYTES
            files[name] = archived[first : first + max(size, 0)]
            offset = first + -(-max(size, 0) // _BLOCK_BYTES) * _BLOCK_BYTES
        is_ours = tar_of(files) == archived
    except ValueError:  # also of a name that no header can hold
        is_ours = False
    if not is_ours:
        got, wanted = f"{len(archived)} other bytes", "a tar archive as the oracle writes it"
        raise FormatError("the archive cannot be read", where=where, got=got, wanted=wanted)
    return files

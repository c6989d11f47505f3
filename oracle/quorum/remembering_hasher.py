"""Remember the digests of files that were just read, so that a second judgement of a release reads none of them again.

An oracle of a quorum judges a release again if another one judged it at an earlier moment. Its files on disk are the
same ones: same device, inode, size and times of change, which their owner cannot set back. Bytes that changed have
another identity and are read. So is every file that is not on disk.
"""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import replace

from provenance_oracle.verifier.digest.files import FileHasher
from provenance_oracle.verifier.digest.tree.blocks import Take
from provenance_oracle.verifier.digest.tree.fsverity import FileDigest
from provenance_oracle.verifier.strict.files import Identity, OpenBytes, OpenFile, identity_of

_KEPT_MAX = 100_000


class RememberedDigests:
    """The digests of the files that were hashed last, shared by all judges. Safe for several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[Identity, bool], FileDigest] = OrderedDict()

    def get(self, identity: Identity, *, sha256: bool) -> FileDigest | None:
        """Return the digest of a file; None if it was not hashed, or with other digests, or long ago."""
        with self._lock:
            return self._kept.get((identity, sha256))

    def put(self, identity: Identity, digest: FileDigest, *, sha256: bool) -> None:
        """Remember the digest of a file."""
        with self._lock:
            self._kept[identity, sha256] = digest
            if len(self._kept) > _KEPT_MAX:
                self._kept.popitem(last=False)


class RememberingHasher:
    """A `FileHasher` that reads no file again whose digest is remembered."""

    def __init__(self, hasher: FileHasher, remembered: RememberedDigests) -> None:
        self._hasher = hasher
        self._remembered = remembered

    @property
    def files_at_once(self) -> int:
        """See `FileHasher`."""
        return self._hasher.files_at_once

    def __call__(
        self, file: OpenBytes, *, sha256: bool, advance: Callable[[int], None], also: Sequence[Take] = ()
    ) -> FileDigest:
        """See `FileHasher`."""
        if also or not isinstance(file, OpenFile):  # those who take the bytes too have not seen them
            return self._hasher(file, sha256=sha256, advance=advance, also=also)
        identity = identity_of(os.fstat(file.descriptor))
        known = self._remembered.get(identity, sha256=sha256)
        if known is not None:
            advance(file.size)
            return replace(known, path=file.path)
        found = self._hasher(file, sha256=sha256, advance=advance)
        self._remembered.put(identity, found, sha256=sha256)
        return found

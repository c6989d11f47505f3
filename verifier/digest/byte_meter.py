"""The bytes that are done while files are hashed, added up for whoever shows them."""

from __future__ import annotations

from threading import Lock

from provenance_oracle.verifier.strict.files import OnBytes


class ByteMeter:
    """Adds up the bytes that several threads have hashed, and tells `progress` (bytes done, bytes in all)."""

    def __init__(self, total_bytes: int, progress: OnBytes | None) -> None:
        self._total_bytes = total_bytes
        self._progress = progress
        self._done_bytes = 0
        self._lock = Lock()

    def advance(self, size: int) -> None:
        """Note that so many more bytes are done. What `progress` raises passes."""
        with self._lock:
            self._done_bytes += size
            if self._progress:
                self._progress(self._done_bytes, self._total_bytes)

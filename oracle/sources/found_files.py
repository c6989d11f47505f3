"""The files of a place where a release may have only a signature, and the name under which it was found there."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass

from provenance_oracle.verifier.judgement.signed_release import FoundName
from provenance_oracle.verifier.strict.release_files import OpenRelease, ReleaseFiles
from provenance_oracle.verifier.strict.release_folder import Reading


@dataclass(frozen=True)
class FoundFiles:
    """`ReleaseFiles` with the name of their place, under which a release that has only a signature is recorded."""

    files: ReleaseFiles
    found: FoundName | str  # as `read_signed_release` takes it

    @property
    def where(self) -> str:
        """See `ReleaseFiles`."""
        return self.files.where

    @property
    def reading(self) -> Reading:
        """See `ReleaseFiles`."""
        return self.files.reading

    def session(self) -> AbstractContextManager[OpenRelease]:
        """See `ReleaseFiles`."""
        return self.files.session()

"""The files of one commit of a repository on the Hugging Face Hub, listed and streamed from there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from provenance_oracle.oracle.sources.hub_api import HubApi, HubPlace, NothingThereError, NotShownError
from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.errors import FormatError, TemporaryError, UsageError
from provenance_oracle.verifier.strict.files import not_allowed
from provenance_oracle.verifier.strict.patient_socket import TooMuchError
from provenance_oracle.verifier.strict.remote_files import RemoteFile
from provenance_oracle.verifier.text import printable

_PAGES_MAX = 128  # of 1,000 files and folders; a release may have 100,000


class HubCommit:
    """A `Remote` of `verifier.strict.remote_files`. A commit never changes, so each listing is asked for once.

    Args:
        place: the commit. Its name and number were checked.
    """

    def __init__(self, api: HubApi, place: HubPlace) -> None:
        self._api = api
        self._place = place
        self._listings: dict[str, tuple[RemoteFile, ...]] = {}

    @property
    def where(self) -> str:
        return str(self._place)

    def files(self, below: str) -> Iterator[RemoteFile]:
        """Yield the files whose paths begin with `below`.

        Raises:
            UsageError: there is no such commit, or it cannot be read. FormatError: it has too many files.
            TemporaryError: the hub does not answer.
        """
        folder = below.rpartition("/")[0]
        if folder in self._listings:
            yield from (file for file in self._listings[folder] if file.path.startswith(below))
            return
        listed: list[RemoteFile] = []
        for file in self._listed(folder):
            listed.append(file)
            if file.path.startswith(below):
                yield file
        self._listings[folder] = tuple(listed)

    @contextmanager
    def stream(self, file: RemoteFile, offset: int) -> Iterator[Iterator[bytes]]:
        """Open a file that was listed, and yield its bytes from `offset` on. Raises as `HubApi.file` does."""
        if any(segment in ("", ".", "..") for segment in file.path.split("/")):
            raise not_allowed(file.path, "no path of a file")
        if offset >= file.size:
            yield iter(())
            return
        with self._api.file(self._place, file.path, size=file.size, offset=offset) as pieces:
            yield pieces

    def _listed(self, folder: str) -> Iterator[RemoteFile]:
        try:
            for item in self._api.tree(self._place, folder, pages_max=_PAGES_MAX):
                if item.get("type") != "directory":
                    yield self._file(item)
        except NothingThereError as error:
            if not folder or isinstance(error, NotShownError):
                wanted = "a repository and commit that the token may read"
                raise UsageError("no such release", where=self.where, got=error.got, wanted=wanted) from error
        except TooMuchError as error:
            got, wanted = error.got, error.wanted
            raise FormatError(
                "too many files", check=Check.FILE_SET, where=self.where, got=got, wanted=wanted
            ) from error

    def _file(self, item: Mapping[str, Any]) -> RemoteFile:
        """Parse an item of a listing: {"type": "file", "path", "size", "oid", "lfs": {"oid", "size", ...}}."""
        path, size, lfs = item.get("path"), item.get("size"), item.get("lfs")
        version = (lfs if isinstance(lfs, dict) else item).get("oid")
        is_number = isinstance(size, int) and not isinstance(size, bool)
        if not (isinstance(path, str) and is_number and isinstance(version, str)):
            wanted = "type, path, size and oid"
            raise TemporaryError(
                "the hub's listing is malformed", where=self.where, got=printable(str(item), 200), wanted=wanted
            )
        if item.get("type") != "file":
            raise not_allowed(path, printable(str(item.get("type")), 40))
        return RemoteFile(path, size, version)  # type: ignore[arg-type]

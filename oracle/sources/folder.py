"""Releases as folders below one root. Any folder that holds `provenance/` is a release; no folder inside it is one.
If the operator named a namespace for releases that have only a signature, so is any folder that holds `model.sig`.

The publisher writes the signed manifest last, by rename. Without it a release is incomplete, and the source skips it.
The source follows no symbolic link below the root and enters no hidden folder. The log names every folder that a scan
passes over. A folder that cannot be read is one of them, and stops the scan of no other.

A scan takes turns: one release of each top folder, the oldest first. If there are more than a scan takes, the ones that
have waited for the most scans come first, so a flood of new releases keeps no other one out. The work for each top
folder is bounded, so no owner of one can make a scan slow for the others.
"""

from __future__ import annotations

import hashlib
import logging
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from stat import S_ISREG

from provenance_oracle.oracle.sources.base import Handle
from provenance_oracle.oracle.sources.found_files import FoundFiles
from provenance_oracle.oracle.sources.look import start_of
from provenance_oracle.oracle.sources.notices import Notices
from provenance_oracle.oracle.sources.scan_order import ScanOrder
from provenance_oracle.verifier.errors import ChangedError, ProvenanceError, TemporaryError
from provenance_oracle.verifier.judgement.release import KEY_PATH
from provenance_oracle.verifier.judgement.signed_release import SIGNED_BUNDLE_PATH
from provenance_oracle.verifier.manifest.dsse import MANIFEST_PATH
from provenance_oracle.verifier.manifest.key import MAX_KEY_BYTES
from provenance_oracle.verifier.manifest.names import PROVENANCE_FOLDER
from provenance_oracle.verifier.strict.files import is_directory, look, open_folder, open_root
from provenance_oracle.verifier.strict.release_files import FolderFiles, ReleaseFiles
from provenance_oracle.verifier.strict.release_folder import Reading, followed, open_release_folder
from provenance_oracle.verifier.strict.walk import FolderEntry, walk
from provenance_oracle.verifier.text import printable

_DEPTH_MAX = 4
_FOLDER_MAX = 200_000  # entries of one folder; the rest is left out
# The fingerprint of a larger release covers this many entries only. The judgement of a release has limits of its own.
_ENTRIES_MAX = 100_000
_TREE_DEPTH_MAX = 40
_SHARE_MAX = 100_000  # entries of one top folder at which a scan looks for releases, and those of its fingerprints
_NS_PER_SECOND = 10**9


class FolderSource:
    """The releases in the folders up to four levels below `root`.

    Args:
        root: an existing folder.
        releases_max: the number of releases that a scan yields at most. It bounds the work after a flood of folders.
        on_step: called for every entry at which a scan looks. What it raises ends the scan.
        name: the name in the journal.
        signed_namespace: the namespace of releases that have only a signature; empty: these are no releases.
    """

    def __init__(
        self,
        root: Path,
        *,
        releases_max: int,
        on_step: Callable[[], object] = lambda: None,
        name: str = "folder",
        signed_namespace: str = "",
    ) -> None:
        self.name = name
        self.root = root
        self.reading = Reading(below=root)
        self._signed_namespace = signed_namespace
        self._order = ScanOrder(releases_max)
        self._notices = Notices(name)
        self._say = self._notices.say
        self._on_step = on_step

    def releases(self) -> Iterator[Handle]:
        """Yield every complete release, `releases_max` at most. Top folders take turns; the oldest release is first.

        The log has a line for each folder that is left out, and for a scan that finds more releases.

        Raises:
            TemporaryError: the root cannot be read.
        """
        found = self._complete()
        if not found:
            self._say(logging.INFO, f"{self.name}: no complete release below {self.root} yet")
        if len(found) > self._order.releases_max:
            text = f"more than {self._order.releases_max} releases below {self.root}"
            self._say(logging.WARNING, f"{text}; the next scan takes those left out first")
        looked: Counter[str] = Counter()
        for release in self._order.choose(found):
            if looked[release.top] >= _SHARE_MAX:
                text = f"more than {_SHARE_MAX} files in its releases; the next scans look at those left out first"
                self._say(logging.WARNING, f"{self.name}:{release.top}: {text}", release.top)
                continue
            tree = self._fingerprint(release.path)
            looked[release.top] += tree.entries
            self._order.took(release.path)
            written_at = (release.written_ns or 0) / _NS_PER_SECOND
            yield Handle(release.path, tree.digest.hexdigest(), written_at, tree.total_bytes)

    def shares(self, handle: Handle) -> tuple[str, ...]:
        """Return the release's top folder, and the key in it. A copy of another publisher's key is never older."""
        key = hashlib.sha256(start_of(self._files(handle), KEY_PATH, MAX_KEY_BYTES)).hexdigest()
        return f"folder {_top_of(handle.id)}", f"key {key}"

    def open(self, handle: Handle) -> AbstractContextManager[ReleaseFiles]:
        """Yield the files of a release's folder. The release may have gone since the scan."""
        files = self._files(handle)
        return nullcontext(self._named(files, handle) if self._signed_namespace else files)

    def _named(self, files: FolderFiles, handle: Handle) -> ReleaseFiles:
        """Return the files of a release that has only a signature with its name; other files as they are.

        The name is that of the folder in the namespace of the settings.
        """
        with suppress(ProvenanceError), files.session() as release:
            if not release.holds(PROVENANCE_FOLDER):
                return FoundFiles(files, f"{self._signed_namespace}/{handle.id.rpartition('/')[2]}")
        return files

    def _files(self, handle: Handle) -> FolderFiles:
        return FolderFiles(self.root / handle.id, self.reading)

    def _complete(self) -> list[_Found]:
        """Return the complete releases."""
        found = self._found()
        for release in found:
            if release.written_ns is None:
                self._say(logging.INFO, f"{self.name}:{release.path}: incomplete, no signed manifest yet", release.top)
        return [release for release in found if release.written_ns is not None]

    def _found(self) -> list[_Found]:
        """Return the releases below the root, complete or not.

        Raises:
            TemporaryError: the root cannot be read.
        """
        found: list[_Found] = []
        looked: Counter[str] = Counter()
        try:
            with open_root(followed(self.root)) as root:
                if is_directory(look(root, PROVENANCE_FOLDER)):
                    reason = "the watched folder is itself a release; watch the folder that holds it"
                    self._pass_over(".", reason)
                walk(
                    root,
                    lambda entry: self._may_look(entry, looked) and self._visit(entry, found),
                    most=_FOLDER_MAX,
                    where=str(self.root),
                    unreadable=self._cannot_read,
                )
        except ProvenanceError as error:
            got = error.got or error.problem
            raise TemporaryError(f"the folder cannot be read: {got}", where=printable(str(self.root))) from error
        return found

    def _may_look(self, entry: FolderEntry, looked: Counter[str]) -> bool:
        """Count an entry. Return False if the scan has looked at too many of its top folder."""
        self._on_step()
        top = _top_of(entry.path)
        looked[top] += 1
        if looked[top] == _SHARE_MAX + 1:
            self._pass_over(top, f"it has more than {_SHARE_MAX} entries outside releases; the rest is left out")
        return looked[top] <= _SHARE_MAX

    def _visit(self, entry: FolderEntry, found: list[_Found]) -> bool:
        """Take an entry if it is a release. Return whether to look for releases inside it."""
        path = entry.path
        if not entry.is_folder and not entry.is_link:
            return False
        if printable(entry.name, len(entry.name) + 1) != entry.name:
            self._pass_over(path, "its name cannot be shown; rename it")
        elif entry.is_link:
            self._pass_over(path, "a symbolic link is not followed; put the folder itself here")
        elif entry.name.startswith("."):
            self._pass_over(path, "a hidden folder is not entered", logging.INFO)
        elif entry.depth >= _DEPTH_MAX:
            self._pass_over(path, f"it lies more than {_DEPTH_MAX} levels down; move it up")
        else:
            try:
                release = _release_at(entry, takes_signed=bool(self._signed_namespace))
            except ProvenanceError as error:
                self._cannot_read(path, error)
                return False
            if release is None:
                return True
            found.append(release)
        return False

    def _cannot_read(self, path: str, error: ProvenanceError) -> None:
        if not isinstance(error, ChangedError):  # which means that it has gone
            self._pass_over(path or ".", f"{error.problem}: {error.got}")

    def _fingerprint(self, name: str) -> _Fingerprint:
        """Return SHA-256 over path, mode, inode, size and times of a release's entries."""
        tree = _Fingerprint(self._on_step)
        try:
            with open_release_folder(self.root / name, self.reading) as folder:
                walk(folder.descriptor, tree.visit, most=_ENTRIES_MAX, unreadable=lambda _path, _error: None)
        except ProvenanceError:
            pass  # it has gone, and its judgement says so
        return tree

    def _pass_over(self, path: str, reason: str, level: int = logging.WARNING) -> None:
        self._say(level, f"{self.name}:{printable(path)}: passed over: {printable(reason)}", _top_of(path))


@dataclass(frozen=True)
class _Found:
    """The path of a release below the root, and when its manifest last changed.

    The time is the manifest's ctime, which its owner cannot set back, in nanoseconds; None if there is no manifest.
    """

    path: str
    written_ns: int | None

    @property
    def top(self) -> str:
        """The top folder."""
        return _top_of(self.path)


def _top_of(path: str) -> str:
    return path.partition("/")[0]


def _release_at(entry: FolderEntry, *, takes_signed: bool) -> _Found | None:
    """Return the release in a folder; None if `provenance` in it is no folder, and it does not have only a signature.

    Raises: as `open_folder`.
    """
    with open_folder(entry.folder, entry.path) as folder:
        evidence = look(folder, PROVENANCE_FOLDER)
        if takes_signed and evidence is None:
            bundle = look(folder, SIGNED_BUNDLE_PATH)
            return _Found(entry.path, bundle.st_ctime_ns) if bundle and S_ISREG(bundle.st_mode) else None
        if not is_directory(evidence):
            return None
        with open_folder(folder, PROVENANCE_FOLDER) as provenance:
            manifest = look(provenance, MANIFEST_PATH)
    return _Found(entry.path, manifest.st_ctime_ns if manifest else None)


class _Fingerprint:
    """A digest over the entries that a walk visits, their number, and the size of the files among them."""

    def __init__(self, on_step: Callable[[], object]) -> None:
        self.digest = hashlib.sha256()
        self.entries = 0
        self.total_bytes = 0
        self._on_step = on_step

    def visit(self, entry: FolderEntry) -> bool:
        """Add an entry, and return whether to enter it."""
        self._on_step()
        if self.entries == _ENTRIES_MAX:
            return False
        self.entries += 1
        found = entry.found
        self.total_bytes += 0 if entry.is_folder else found.st_size
        numbers = (found.st_mode, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)
        self.digest.update(b"/" + entry.path_bytes + b"\0%d %d %d %d %d\n" % numbers)
        return entry.depth < _TREE_DEPTH_MAX

"""Releases on the Hugging Face Hub: repositories, or all of an owner, at the commit of a branch.

A release is a commit with a signed manifest or, if the policy takes such releases, with only a signature. The commit
alone says nothing: a large upload arrives as several. A scan asks for the heads of the repositories, and once for each
new commit whether `provenance/` holds a manifest. Files are read at the commit, so a branch that moves meanwhile
changes nothing.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from provenance_oracle.oracle.sources.base import Handle
from provenance_oracle.oracle.sources.found_files import FoundFiles
from provenance_oracle.oracle.sources.hub_api import HubApi, HubPlace, NothingThereError
from provenance_oracle.oracle.sources.hub_files import HubCommit
from provenance_oracle.verifier.errors import ChangedError, FormatError, TemporaryError, UsageError
from provenance_oracle.verifier.judgement.release import KEY_PATH
from provenance_oracle.verifier.judgement.signed_release import SIGNED_BUNDLE_PATH, FoundName
from provenance_oracle.verifier.manifest.dsse import MANIFEST_PATH
from provenance_oracle.verifier.manifest.names import PROVENANCE_FOLDER
from provenance_oracle.verifier.strict.release_files import ReleaseFiles
from provenance_oracle.verifier.strict.remote_files import RemoteFiles
from provenance_oracle.verifier.text import printable

SCHEME = "hf://"
_PARTS_MAX = 64
_LOOKS_MAX = 200  # new commits at which one scan looks
_AGAIN_SCANS = 100  # between looks at a commit that the hub does not show
_FAILURES_MAX = 3  # after so many in a row, the hub seems to be down
_LINES_MAX = 1000
_PAGE_ITEMS_LEAST = 100  # the hub may give fewer than are asked for
_NAME = "[A-Za-z0-9](?:[A-Za-z0-9._-]{0,94}[A-Za-z0-9])?"
_PART = re.compile(f"({_NAME})(?:/({_NAME})(?:@([A-Za-z0-9][A-Za-z0-9._/-]{{0,199}}))?)?")
_REPOSITORY = re.compile(f"({_NAME})/({_NAME})")
_COMMIT = re.compile("[0-9a-f]{40}")

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class HubPart:
    """An owner with all repositories (`name` is ""), or one repository at the head of a branch, tag or commit."""

    owner: str
    name: str = ""
    revision: str = "main"


@dataclass(frozen=True)
class _Head:
    repository: str
    commit: str
    changed_at: float
    total_bytes: int


@dataclass(frozen=True)
class _Found:
    """The result of a look at a commit. `key` names the key file's bytes; None: the commit is no release.

    `again_at` is the number of the scan that looks again, if the hub did not show the commit.
    """

    commit: str
    key: str | None
    again_at: int | None = None


@dataclass
class _Looks:
    """The looks of one scan. `failures` counts those that failed one after the other."""

    made: int = 0
    succeeded: int = 0
    failures: int = 0
    left_out: int = 0
    error: TemporaryError | None = None


def parse_hub_source(text: str) -> tuple[HubPart, ...]:
    """Parse `hf://` and names with commas between: OWNER, OWNER/NAME or OWNER/NAME@REVISION.

    Raises:
        UsageError: the text is something else.
    """
    names = text.removeprefix(SCHEME).split(",")
    found = [_PART.fullmatch(name) for name in names]
    if not text.startswith(SCHEME) or len(names) > _PARTS_MAX or not all(found) or ".." in text:
        wanted = f"hf://OWNER, hf://OWNER/NAME or hf://OWNER/NAME@REVISION; up to {_PARTS_MAX} with commas between"
        raise UsageError("not a source on the hub", where="sources", got=printable(text), wanted=wanted)
    return tuple(HubPart(part[1], part[2] or "", part[3] or "main") for part in found if part)


class HubSource:
    """The releases in repositories of a hub.

    Args:
        name: the name in the journal.
        parts: the owners and repositories.
        releases_max: the number of repositories at which a scan looks at most.
        takes_signed: whether a commit may have only a signature. Its name is that of the repository, its version the
            commit.
        on_step: called for each repository. What it raises ends the scan.
    """

    def __init__(
        self,
        name: str,
        parts: tuple[HubPart, ...],
        api: HubApi,
        *,
        releases_max: int,
        takes_signed: bool = False,
        on_step: Callable[[], object] = lambda: None,
    ) -> None:
        self.name = name
        self._takes_signed = takes_signed
        self._parts = parts
        self._api = api
        self._releases_max = releases_max
        self._on_step = on_step
        self._known: dict[str, _Found] = {}
        self._scan = 0
        self._failed: set[str] = set()  # looked at last, so that they keep no other one out
        self._said: set[str] = set()

    def releases(self) -> Iterator[Handle]:
        """Yield every complete release at the heads, the last changed of each owner first.

        A scan looks at 200 new commits at most; the next scan goes on with the others. A repository that cannot be read
        comes last in the next scan. After three of them in a row, the scan looks at no more.

        Raises:
            TemporaryError: the hub does not answer, or every look failed and no commit is known from an earlier one.
        """
        self._scan += 1
        heads: dict[str, _Head] = {}
        for part in self._parts:
            for head in self._heads(part):
                if len(heads) == self._releases_max:
                    self._say(f"more than {self._releases_max} repositories; those changed last are watched")
                    break
                heads.setdefault(head.repository, head)
        self._known = {name: found for name, found in self._known.items() if name in heads}
        self._failed &= heads.keys()
        looks = _Looks()
        for head in sorted(heads.values(), key=lambda head: head.repository in self._failed):
            self._on_step()
            found = self._found(head, looks)
            if found is not None and found.key is not None:
                yield Handle(
                    head.repository, head.commit, head.changed_at, total_bytes=head.total_bytes, revision=head.commit
                )
        if looks.left_out:
            _log.info("%s: %d new commits wait for the next scan", printable(self.name), looks.left_out)
        if looks.error is not None and not looks.succeeded and not self._known:
            raise looks.error

    def shares(self, handle: Handle) -> tuple[str, ...]:
        """Return the release's owner, and the key in it. A copy of another publisher's key is never older."""
        owner = f"owner {handle.id.partition('/')[0].lower()}"
        found = self._known.get(handle.id)
        return (owner, f"key {found.key}") if found and found.key else (owner,)

    def open(self, handle: Handle) -> AbstractContextManager[ReleaseFiles]:
        """Yield the files of a release at its commit."""
        commit = handle.revision or handle.fingerprint
        files = RemoteFiles(HubCommit(self._api, HubPlace(handle.id, commit)))
        return nullcontext(FoundFiles(files, FoundName(handle.id, commit)) if self._takes_signed else files)

    def _heads(self, part: HubPart) -> Iterator[_Head]:
        if part.name:
            repository = f"{part.owner}/{part.name}"
            try:
                items = iter([self._api.model(repository, part.revision)])
            except NothingThereError as error:
                return self._say(f"{repository} at {part.revision} cannot be read: {error}")
        else:
            items = self._api.models_of(part.owner, pages_max=1 + self._releases_max // _PAGE_ITEMS_LEAST)
        for item in items:
            head = _parsed_head(item)
            if head is None or head.repository.partition("/")[0].lower() != part.owner.lower():
                self._say(f"the hub lists something else than a repository of {part.owner}")
            else:
                yield head

    def _found(self, head: _Head, looks: _Looks) -> _Found | None:
        """Return the result of a look at a head, which is made once for each commit; None if there is none yet."""
        found = self._known.get(head.repository)
        if found is not None and found.commit == head.commit and self._scan != found.again_at:
            return found
        if looks.made == _LOOKS_MAX or looks.failures == _FAILURES_MAX:
            looks.left_out += 1
            return None
        looks.made += 1
        try:
            found = self._look(head)
        except TemporaryError as error:
            looks.failures, looks.error = looks.failures + 1, error
            self._failed.add(head.repository)
            self._say(f"{head.repository} cannot be read now: {error}")
            return None
        looks.succeeded, looks.failures = looks.succeeded + 1, 0
        self._failed.discard(head.repository)
        self._known[head.repository] = found
        return found

    def _look(self, head: _Head) -> _Found:
        """Look whether a commit holds a signed manifest, or a signature and no evidence.

        Raises:
            TemporaryError: the hub does not answer.
        """
        commit = HubCommit(self._api, HubPlace(head.repository, head.commit))
        try:
            files = {file.path: file for file in commit.files(f"{PROVENANCE_FOLDER}/")}
            marker, key = MANIFEST_PATH, KEY_PATH
            if self._takes_signed and not files:
                files = {file.path: file for file in commit.files(SIGNED_BUNDLE_PATH)}
                marker = key = SIGNED_BUNDLE_PATH
            if marker not in files:
                return _Found(head.commit, None)
            with commit.stream(files[marker], 0):  # the hub lists files of gated repositories, and gives none
                pass
        except (ChangedError, FormatError, UsageError) as error:
            self._say(f"{head.repository} is left out: {error}")
            again_at = None if isinstance(error, FormatError) else self._scan + _AGAIN_SCANS
            return _Found(head.commit, None, again_at)
        return _Found(head.commit, files[key].version if key in files else "none")

    def _say(self, line: str) -> None:
        """Log a line once."""
        if line not in self._said and len(self._said) < _LINES_MAX:
            self._said.add(line)
            _log.warning("%s: %s", printable(self.name), printable(line))


def _parsed_head(item: Mapping[str, Any]) -> _Head | None:
    """Parse {"id": "OWNER/NAME", "sha": 40 hex digits, "lastModified": RFC 3339, "usedStorage": bytes}."""
    repository, commit, used = item.get("id"), item.get("sha"), item.get("usedStorage")
    if not (isinstance(repository, str) and _REPOSITORY.fullmatch(repository) and ".." not in repository):
        return None
    if not (isinstance(commit, str) and _COMMIT.fullmatch(commit)):
        return None
    is_size = isinstance(used, int) and not isinstance(used, bool) and used >= 0
    return _Head(repository, commit, _unix(item.get("lastModified")), used if is_size else 0)  # type: ignore[arg-type]


def _unix(text: object) -> float:
    """Return a moment as a Unix time in seconds; 0 for a text that is none."""
    try:
        return datetime.fromisoformat(str(text)).timestamp()
    except (ValueError, OverflowError, OSError):
        return 0.0

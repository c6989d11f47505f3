"""Releases as CNCF ModelPack artifacts in one repository of an OCI registry: `oci://HOST/NAME`.

A tag whose artifact holds `provenance/manifest.dsse.json` is a release. Its revision is the digest of the artifact's
own manifest, by which it is read, so a tag that moves meanwhile changes nothing. Each layer is one file: its media type
ends in `.raw`, and its annotation `org.cncf.model.filepath` is the path. A layer that is an archive is refused: the
names and sizes of its files are known only after a stranger's archive was unpacked, and no bound holds before that.
Source: github.com/modelpack/model-spec, docs/spec.md and docs/annotations.md.
"""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

from provenance_oracle.oracle.sources.base import Handle
from provenance_oracle.oracle.sources.look import start_of
from provenance_oracle.oracle.sources.notices import Notices
from provenance_oracle.oracle.sources.oci_api import DIGEST, GoneError, OciRepository, match_blob
from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.errors import FormatError, ProvenanceError, UsageError
from provenance_oracle.verifier.judgement.release import KEY_PATH
from provenance_oracle.verifier.manifest.dsse import MANIFEST_PATH
from provenance_oracle.verifier.manifest.key import MAX_KEY_BYTES
from provenance_oracle.verifier.strict.remote_files import RemoteFile, RemoteFiles
from provenance_oracle.verifier.text import printable

ARTIFACT_TYPE = "application/vnd.cncf.model.manifest.v1+json"
FILEPATH = "org.cncf.model.filepath"
_CONFIG_TYPE = "application/vnd.cncf.model.config.v1+json"
_RAW = re.compile(r"application/vnd\.cncf\.model\.[a-z]+(\.[a-z]+)?\.v1\.raw")
_PAGES_MAX = 20  # of a thousand tags
_NAME = "[a-z0-9]+(?:(?:[.]|_|__|-+)[a-z0-9]+)*"
_URL = re.compile(rf"oci://(?P<host>[A-Za-z0-9.-]{{1,253}}(?::[0-9]{{1,5}})?)/(?P<name>{_NAME}(?:/{_NAME})*)")
_LOOPBACK = re.compile(r"(localhost|127\.0\.0\.1)(:[0-9]+)?")
_HUB_NAMES = {"docker.io": "registry-1.docker.io"}


def parse_oci_url(text: str) -> tuple[str, str, str]:
    """Return host, site and repository of a source `oci://HOST/NAME`. Only the loopback is asked without encryption.

    Raises:
        UsageError: it has another form, or holds credentials. The text is not repeated then.
    """
    found = _URL.fullmatch(text)
    if found is None or len(text) > 512:
        got, wanted = "another form", "oci://HOST/REPOSITORY in lower case; credentials belong in docker's file"
        raise UsageError("the address of a repository has another form", where="sources", got=got, wanted=wanted)
    host = found["host"]
    scheme = "http" if _LOOPBACK.fullmatch(host) else "https"
    return host, f"{scheme}://{_HUB_NAMES.get(host, host)}", found["name"]


class OciSource:
    """The releases among the tags of one repository.

    Args:
        name: the name in the journal.
        releases_max: the number of tags at which a scan looks at most; the next scan goes on with the others.
        on_step: called for every tag and layer. What it raises ends the scan.
    """

    def __init__(
        self, name: str, repository: OciRepository, *, releases_max: int, on_step: Callable[[], object] = lambda: None
    ) -> None:
        self.name = name
        self._repository = repository
        self._releases_max = releases_max
        self._on_step = on_step
        self._notices = Notices(name)
        self._scan = 0
        self._looked: dict[str, int] = {}  # the scan that last looked at a tag

    def releases(self) -> Iterator[Handle]:
        """Yield the release of every tag, one for each artifact.

        Raises:
            TemporaryError: the registry does not answer, or not in its format.
        """
        self._scan += 1
        tags = sorted(set(self._repository.tags(pages_max=_PAGES_MAX)))
        self._looked = {tag: self._looked.get(tag, 0) for tag in tags}
        if len(tags) > self._releases_max:
            text = f"{self.name}: more than {self._releases_max} tags; the next scan looks at those left out first"
            self._notices.say(logging.WARNING, text)
        seen: set[str] = set()
        for tag in sorted(tags, key=lambda tag: (self._looked[tag], tag))[: self._releases_max]:
            self._on_step()
            self._looked[tag] = self._scan
            handle = self._handle_of(tag)
            if handle is not None and handle.revision not in seen:
                seen.add(handle.revision)
                yield handle

    def shares(self, handle: Handle) -> tuple[str, ...]:
        """Return the repository, and the publisher's key in the release."""
        key = hashlib.sha256(start_of(self._files(handle), KEY_PATH, MAX_KEY_BYTES)).hexdigest()
        return self.name, f"key {key}"

    def open(self, handle: Handle) -> AbstractContextManager[RemoteFiles]:
        """Yield the files of an artifact by its digest, whatever the tag says now."""
        return nullcontext(self._files(handle))

    def _files(self, handle: Handle) -> RemoteFiles:
        return RemoteFiles(OciArtifact(self._repository, handle.revision or handle.fingerprint, self._on_step))

    def _handle_of(self, tag: str) -> Handle | None:
        """Return the release that a tag names; None if it names none."""
        try:
            digest, manifest = self._repository.manifest(tag)
        except GoneError:
            return None  # the tag went away since the listing
        if not _is_model(manifest):
            self._pass_over(tag, "no CNCF ModelPack artifact")
            return None
        try:
            layers = list(_files_in(manifest, tag))
        except ProvenanceError:
            layers = [RemoteFile(MANIFEST_PATH, 0, "")]  # its judgement tells what is wrong with it
        if MANIFEST_PATH not in {file.path for file in layers}:
            self._pass_over(tag, "incomplete, no signed manifest")
            return None
        return Handle(tag, digest, 0.0, sum(file.size for file in layers), digest)

    def _pass_over(self, tag: str, reason: str) -> None:
        self._notices.say(logging.INFO, f"{self.name}:{printable(tag)}: passed over: {reason}", tag)


class OciArtifact:
    """A `Remote` of `verifier.strict.remote_files`: one artifact by its digest. Its bytes never change.

    The bytes of a blob are compared with its digest while they are streamed.
    """

    def __init__(self, repository: OciRepository, digest: str, on_step: Callable[[], object]) -> None:
        self._repository = repository
        self._digest = digest
        self._on_step = on_step
        self._manifest: Mapping[str, Any] | None = None
        self._begun: dict[str, _Begun] = {}

    @property
    def where(self) -> str:
        return f"{self._repository.where}@{self._digest}"

    def files(self, below: str) -> Iterator[RemoteFile]:
        """Yield the files whose paths begin with `below`.

        Raises:
            FormatError: a layer is no file, or has no path (check `file-set`). Other errors: `OciRepository.manifest`.
        """
        if self._manifest is None:
            try:
                self._manifest = self._repository.manifest(self._digest)[1]
            except GoneError as error:
                raise UsageError("no such release", where=self.where, got="no such artifact") from error
        for file in _files_in(self._manifest, self.where):
            self._on_step()
            if file.path.startswith(below):
                yield file

    @contextmanager
    def stream(self, file: RemoteFile, offset: int) -> Iterator[Iterator[bytes]]:
        """Open a layer and yield its bytes from `offset` on.

        Raises (call, block and iterator):
            ChangedError: the bytes are not those of the digest. The registry is at fault, not the publisher.
            ChangedError, TemporaryError: as `OciRepository.blob`.
        """
        begun = self._begun.pop(file.path, None)
        if begun is None or begun.read_bytes != offset or offset == 0:
            begun = _Begun()
        # A stream that goes on without its begin is read from the start, and the first bytes are dropped.
        with self._repository.blob(file.version, begun.read_bytes) as pieces:
            yield self._compared(file, offset, begun, pieces)

    def _compared(self, file: RemoteFile, offset: int, begun: _Begun, pieces: Iterator[bytes]) -> Iterator[bytes]:
        for piece in pieces:
            drop = max(0, min(len(piece), offset - begun.read_bytes))
            begun.add(piece)
            self._begun[file.path] = begun
            if begun.read_bytes > file.size:
                break
            if drop < len(piece):
                yield piece[drop:]
        self._begun.pop(file.path, None)
        match_blob(f"{self.where}: {printable(file.path)}", begun.digest, file.version)


class _Begun:
    """A blob that was read so far."""

    def __init__(self) -> None:
        self.read_bytes = 0
        self._hash = hashlib.sha256()

    def add(self, piece: bytes) -> None:
        self.read_bytes += len(piece)
        self._hash.update(piece)

    @property
    def digest(self) -> str:
        return f"sha256:{self._hash.hexdigest()}"


def _is_model(manifest: Mapping[str, Any]) -> bool:
    config = manifest.get("config")
    kind = manifest.get("artifactType") or (config.get("mediaType") if isinstance(config, dict) else "")
    return kind in (ARTIFACT_TYPE, _CONFIG_TYPE)


def _files_in(manifest: Mapping[str, Any], where: str) -> Iterator[RemoteFile]:
    """Yield the files that the layers of an artifact are.

    Raises:
        FormatError: a layer is no file, or lacks its path, size or digest (check `file-set`).
    """
    layers = manifest.get("layers")
    if not isinstance(layers, list):
        raise _no_file(where, "no list of layers")
    for number, layer in enumerate(layers):
        at = f"{where}: layers[{number}]"
        if not isinstance(layer, dict):
            raise _no_file(at, "no object")
        kind, size, digest = layer.get("mediaType"), layer.get("size"), layer.get("digest")
        if not isinstance(kind, str) or not _RAW.fullmatch(kind):
            raise _no_file(at, printable(str(kind), 100))
        annotations = layer.get("annotations")
        path = annotations.get(FILEPATH) if isinstance(annotations, dict) else None
        if not isinstance(path, str):
            raise _no_file(at, f"no annotation {FILEPATH}")
        if not isinstance(size, int) or isinstance(size, bool):
            raise _no_file(at, "no size")
        if not isinstance(digest, str) or not DIGEST.fullmatch(digest):
            raise _no_file(at, "no SHA-256 digest")
        yield RemoteFile(path, size, digest)


def _no_file(where: str, got: str) -> FormatError:
    return FormatError(
        "a layer of the artifact is no single file",
        check=Check.FILE_SET,
        where=where,
        got=got,
        wanted="layers of the media types application/vnd.cncf.model.*.v1.raw, each with its path, size and digest",
    )

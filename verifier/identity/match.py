"""Compare the files that a signer vouches for with the files that are there, and find those that nobody vouches for.

No name from a bundle is opened: a name is only looked up in the listing of the folder. Every file that a signature
covers is read once.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.digest.byte_meter import ByteMeter
from provenance_oracle.verifier.digest.files import Listing, refuse_changes
from provenance_oracle.verifier.digest.tree.blocks import Buffer
from provenance_oracle.verifier.errors import AppraisalError, VerificationError, naming_extras
from provenance_oracle.verifier.identity.statement import ONE_FILE, SignedFiles, SignedPart
from provenance_oracle.verifier.manifest.names import may_hold_code
from provenance_oracle.verifier.strict.files import OnBytes, OpenBytes, open_any_file, pieces_of_file
from provenance_oracle.verifier.strict.release_files import ReleasePlace, files_of
from provenance_oracle.verifier.text import first_of

# Files of a release that its publisher does not sign: the signature itself, and evidence with signatures of its own,
# part of which is renewed later.
UNSIGNED_PATHS = (
    "provenance/cvm-key.pem",
    "provenance/model.sig",
    "provenance/publisher-key.pem",
    "provenance/snp/report.bin",
    "provenance/snp/vek.pem",
    "provenance/snp/vek.der",
    "provenance/snp/chain.pem",
    "provenance/snp/ark.crl",
)
# Files of git at the top of a model. The reference verifier never looks at them, and reports a signed one as missing.
GIT_FILES = (".gitattributes", ".gitignore")
_NAMED_MAX = 10


@dataclass(frozen=True)
class Coverage:
    """The files that are there, by whether the signature covers them.

    Attributes:
        covered: the paths that the signature covers.
        allowed: paths that it does not cover and need not: the signature itself, the evidence of a release, files of
            git and of the hub, and empty files beside shards.
        gaps: all other paths.
    """

    covered: tuple[str, ...]
    allowed: tuple[str, ...]
    gaps: tuple[str, ...]

    @property
    def files(self) -> int:
        """The number of files that are there."""
        return len(self.covered) + len(self.allowed) + len(self.gaps)


def coverage_of(
    signed: SignedFiles, present: Mapping[str, int], aside: Iterable[str] = (), signature_path: str = ""
) -> Coverage:
    """Sort files by whether the signature covers them.

    Args:
        present: the size in bytes of each file, by path.
        aside: the paths of further files, which tools added.
        signature_path: the path of the bundle, if it lies among the files.
    """
    paths = set(signed.paths)
    covered, allowed, gaps = [], list(aside), []
    for path, size in present.items():
        if path in paths:
            covered.append(path)
        elif path in (signature_path, *UNSIGNED_PATHS, *GIT_FILES) or _is_omitted(signed, path, size):
            allowed.append(path)
        else:
            gaps.append(path)
    return Coverage(tuple(covered), tuple(sorted(allowed)), tuple(gaps))


def _is_omitted(signed: SignedFiles, path: str, size: int) -> bool:
    """Return whether a signer of shards omits the file: it is empty. Empty files of code still have an effect."""
    return signed.shard_size is not None and size == 0 and not may_hold_code(path)


def refuse_gaps(coverage: Coverage, where: str) -> None:
    """Raise AppraisalError if a file that is there should be covered and is not (check `publisher-signature`)."""
    if coverage.gaps:
        gaps = first_of(coverage.gaps, _NAMED_MAX)
        raise AppraisalError(
            "the signature is genuine, and does not cover every file; ask the publisher to sign the whole folder",
            check=Check.PUBLISHER_SIGNATURE,
            where=where,
            got=f"{len(coverage.covered)} of {coverage.files} files; not covered: {gaps}",
            wanted="every file of the model",
        )


def match_signed_files(
    model: ReleasePlace, listing: Listing, signed: SignedFiles, *, progress: OnBytes | None = None
) -> None:
    """Read every file that the signature covers once, and compare it with the signed digests.

    Args:
        listing: the result of `list_files(model)`.
        progress: is called with the bytes done and the bytes in all.

    Raises:
        VerificationError: a file is missing or differs (check `publisher-signature`).
        UsageError: the digests need a package that is not installed.
        ChangedError: a file or the folder changed meanwhile. TemporaryError: a file cannot be read.
    """
    parts_of = parts_by_path(signed)
    present = {file.path: file.size for file in listing.files}
    match_names(signed, present)
    new_digest = digest_maker(signed.algorithm)
    meter = ByteMeter(sum(present[path] for path in parts_of), progress)
    wrong = []
    with files_of(model, listing.reading).session() as release:
        for listed in listing.files:
            if listed.path in parts_of:
                with release.open(listed.path, listed.found) as file:
                    if not _is_as_signed(file, parts_of[listed.path], new_digest, meter):
                        wrong.append(listed.path)
    refuse_changes(model, listing)
    refuse_wrong(wrong)


def match_one_file(path: Path, signed: SignedFiles, *, progress: OnBytes | None = None) -> None:
    """Compare a model of one file with its signature. Raises as `match_signed_files`, and UsageError: no such file."""
    names = signed.paths
    if names not in ((ONE_FILE,), (path.name,)):
        raise _differs("the signature covers other files", first_of(names, _NAMED_MAX), f"only {path.name}")
    new_digest = digest_maker(signed.algorithm)
    with open_any_file(path) as file:
        match_names(signed, {names[0]: file.size})
        is_right = _is_as_signed(file, signed.parts, new_digest, ByteMeter(file.size, progress))
    refuse_wrong([] if is_right else [path.name])


def match_names(signed: SignedFiles, present: Mapping[str, int]) -> None:
    """Compare the signed names, and the sizes that shards state, with the files that are there and their sizes.

    Raises:
        VerificationError: a file is missing or of another size (check `publisher-signature`).
    """
    missing = [path for path in signed.paths if path not in present]
    if missing:
        got = f"missing: {first_of(missing, _NAMED_MAX)}"
        raise _differs("a signed file is missing", got, f"the {len(signed.paths)} files that the signature covers")
    ends: dict[str, int] = {}
    for part in signed.parts:
        if part.end is not None:
            ends[part.path] = max(ends.get(part.path, 0), part.end)
    for path, end in ends.items():
        if present[path] != end:
            raise _differs("a signed file has another size", f"{path}: {present[path]} bytes", f"{end} bytes")


class PartHasher:
    """Hashes the signed parts of one file from the pieces of one read, which come in the file's order."""

    def __init__(self, parts: Sequence[SignedPart], new_digest: Callable[[], RunningDigest]) -> None:
        self._parts = sorted(parts, key=lambda part: part.start)
        self._new_digest = new_digest
        self._digest = new_digest()
        self._position = 0
        self._done = 0
        self._is_right = True

    def update(self, piece: Buffer) -> None:
        """Take the next bytes of the file."""
        left = memoryview(piece)
        while left and self._done < len(self._parts):
            end = self._parts[self._done].end
            size = len(left) if end is None else min(len(left), end - self._position)
            self._digest.update(left[:size])
            self._position += size
            left = left[size:]
            if self._position == end:
                self._finish_part()

    def is_as_signed(self) -> bool:
        """Return whether every part has the signed digest. Call this after the last piece."""
        if self._done < len(self._parts) and self._parts[self._done].end is None:
            self._finish_part()
        return self._is_right and self._done == len(self._parts)

    def _finish_part(self) -> None:
        self._is_right &= self._digest.digest() == self._parts[self._done].digest
        self._digest = self._new_digest()
        self._done += 1


class RunningDigest(Protocol):
    """A hash that takes bytes piece by piece."""

    def update(self, data: memoryview, /) -> object: ...

    def digest(self) -> bytes: ...


def parts_by_path(signed: SignedFiles) -> Mapping[str, list[SignedPart]]:
    """Return the signed parts of each file."""
    parts_of: dict[str, list[SignedPart]] = defaultdict(list)
    for part in signed.parts:
        parts_of[part.path].append(part)
    return parts_of


def digest_maker(algorithm: str) -> Callable[[], RunningDigest]:
    """Return the function that makes a hash of `algorithm`, one of PART_DIGESTS.

    Raises:
        UsageError: the hash needs a package that is not installed.
    """
    if algorithm == "blake3":
        with naming_extras():
            from blake3 import blake3
        return blake3
    return hashlib.blake2b if algorithm == "blake2b" else hashlib.sha256


def _is_as_signed(
    file: OpenBytes, parts: Sequence[SignedPart], new_digest: Callable[[], RunningDigest], meter: ByteMeter
) -> bool:
    hasher = PartHasher(parts, new_digest)
    for piece in pieces_of_file(file):
        hasher.update(piece)
        meter.advance(len(piece))
    return hasher.is_as_signed()


def refuse_wrong(paths: Collection[str]) -> None:
    """Raise VerificationError if there is any file that is not as signed (check `publisher-signature`)."""
    if paths:
        got = f"different: {first_of(sorted(paths), _NAMED_MAX)}"
        raise _differs("files are not those that were signed", got, "files with the digests in the signature")


def _differs(problem: str, got: str, wanted: str) -> VerificationError:
    return VerificationError(problem, check=Check.PUBLISHER_SIGNATURE, where="model", got=got, wanted=wanted)

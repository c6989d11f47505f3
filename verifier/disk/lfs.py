"""Git LFS: find the files that it keeps, and write the pointer text that replaces a file that was not fetched.

Formats: git-lfs, docs/spec.md, section "The Pointer"; gitattributes(5).
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator
from dataclasses import replace

from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.disk.globs import gitattributes
from provenance_oracle.verifier.disk.image import open_source
from provenance_oracle.verifier.disk.tree import FileKind, Node, nodes_below, path_text
from provenance_oracle.verifier.errors import FormatError, UsageError

_FIRST_LINE = b"version https://git-lfs.github.com/spec/v1\n"
_POINTER = re.compile(_FIRST_LINE + rb"(?:ext-.*\n)*oid sha256:[0-9a-f]{64}\nsize [0-9]+\n")
_MAX_POINTER_BYTES = 1024
_ATTRIBUTES = ".gitattributes"
_MAX_ATTRIBUTES_BYTES = 1 << 20
# Each rule is compiled, and compared with each excluded file. A repository on a hub has about 40.
_MAX_RULES = 1000
_READ_BYTES = 1 << 20


class LfsFiles:
    """Finds the files that are in Git LFS, by the .gitattributes files of a tree, and replaces them by pointers.

    Attributes:
        replaced: paths of the files that `pointer_for` replaced.

    Raises:
        FormatError: a .gitattributes file is larger than 1 MiB or has a pattern that is not supported, or the tree has
            more than 1,000 rules (check `file-set`).
        ChangedError: a .gitattributes file changed while it was read.
        TemporaryError: a .gitattributes file cannot be read.
    """

    def __init__(self, root: Node) -> None:
        self._rules: dict[str, list[tuple[re.Pattern[str], bool]]] = {}  # by folder, in the order of the file
        rules = (rule for path, node in nodes_below(root) for rule in _rules(path, node))
        for count, (folder, pattern, sets_lfs) in enumerate(rules, 1):
            if count > _MAX_RULES:
                got, wanted = f"more than {_MAX_RULES}", f"at most {_MAX_RULES}"
                raise FormatError("too many rules", check=Check.FILE_SET, where=_ATTRIBUTES, got=got, wanted=wanted)
            self._rules.setdefault(folder, []).append((pattern, sets_lfs))
        self.replaced: list[str] = []

    def pointer_for(self, path: bytes, file: Node) -> Node:
        """Return the pointer that replaces a file that Git LFS did not fetch.

        A file that is empty, not in Git LFS or already a pointer is returned unchanged. Otherwise the whole file is
        read for its SHA-256.

        Raises:
            ChangedError: the file changed while it was read.
            TemporaryError: the file cannot be read.
            UsageError: only the size of the file is known.
        """
        if file.size == 0 or not self._in_lfs(path) or (file.size <= _MAX_POINTER_BYTES and _is_pointer(file)):
            return file
        self.replaced.append(path_text(path))
        pointer = _FIRST_LINE + b"oid sha256:%s\nsize %d\n" % (_sha256_of(file).encode(), file.size)
        return replace(file, size=len(pointer), content=pointer, source=None)

    def _in_lfs(self, path: bytes) -> bool:
        """Return what the last rule of the nearest folder says, among the rules that match the path."""
        text = path_text(path)
        folder = text.rpartition("/")[0]
        while True:
            prefix = f"{folder}/" if folder else ""
            for pattern, sets_lfs in reversed(self._rules.get(prefix, ())):
                if pattern.fullmatch(text[len(prefix) :]):
                    return sets_lfs
            if not folder:
                return False
            folder = folder.rpartition("/")[0]


def pointer_bytes(size: int) -> int:
    """Return the size in bytes of the pointer text for a file of `size` bytes."""
    return len(_FIRST_LINE) + len("oid sha256:\n") + 64 + len(f"size {size}\n")


def _rules(path: bytes, node: Node) -> Iterator[tuple[str, re.Pattern[str], bool]]:
    """Yield folder, pattern and whether it puts files into LFS, for each rule of a .gitattributes file.

    Later rules win, and rules of a folder win over those of its parent.
    """
    if path_text(node.name) != _ATTRIBUTES or node.kind is not FileKind.FILE:
        return
    folder = path_text(path.removesuffix(node.name))
    for line in _content(node, _MAX_ATTRIBUTES_BYTES).decode("utf-8", "surrogateescape").splitlines():
        pattern, *attributes = line.split() or ["#"]
        filters = [attribute for attribute in attributes if attribute.lstrip("-!").partition("=")[0] == "filter"]
        if pattern.startswith("#") or not filters:
            continue
        try:
            yield folder, gitattributes(pattern), filters[-1] == "filter=lfs"
        except UsageError as error:  # also raised for macros, quotes and escapes
            raise FormatError(
                error.problem, check=Check.FILE_SET, where=path_text(path), got=error.got, wanted=error.wanted
            ) from error


def _is_pointer(file: Node) -> bool:
    return _POINTER.fullmatch(_content(file, _MAX_POINTER_BYTES)) is not None


def _content(file: Node, max_bytes: int) -> bytes:
    if file.content is not None:
        return file.content
    if file.size > max_bytes:
        where = path_text(file.name)
        raise FormatError("too large", check=Check.FILE_SET, where=where, got=str(file.size), wanted=str(max_bytes))
    return b"".join(_read(file))


def _sha256_of(file: Node) -> str:
    state = hashlib.sha256()
    for part in [file.content] if file.content is not None else _read(file):
        state.update(part)
    return state.hexdigest()


def _read(file: Node) -> Iterator[bytes]:
    if file.source is None:
        raise UsageError("only the size of this file is known, not its bytes", where=path_text(file.name))
    with open_source(file.source) as opened:
        while part := os.read(opened.descriptor, _READ_BYTES):
            yield part

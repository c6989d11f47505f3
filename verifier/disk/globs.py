"""Path patterns in the dialects that the publishers' tools use: shell globs and gitignore.

Sources: bash manual, "Pattern Matching", for globs; gitignore(5) and gitattributes(5) for the others, as git-lfs reads
them. Constructs on which the tools disagree are refused.
"""

from __future__ import annotations

import re

from provenance_oracle.verifier.errors import UsageError

_MAX_CHARS = 512
_MAX_DOUBLE_STARS = 4
_CLASS = re.compile(r"\[[!^]?[A-Za-z0-9_.-]+\]")
_ONE = re.compile(rf"{_CLASS.pattern}|.", re.DOTALL)
_STARS = re.compile(r"\*+")


def shell_glob(word: str) -> re.Pattern[str]:
    """Compile a bash glob for paths relative to a folder.

    `*` does not match `/`, and a wildcard does not match a leading dot. A trailing slash restricts the pattern to
    directories, so pass the paths of directories with a trailing slash.

    Raises:
        UsageError: the pattern uses a construct that this module refuses.
    """
    _refuse_unusual(word)
    if word.startswith("-"):  # rm would read it as an option
        raise _unreadable_pattern(word)
    is_folder = word.endswith("/")
    parts = (_component(part, hides_dots=True) for part in word.removesuffix("/").split("/"))
    return _compiled("/".join(parts) + ("/" if is_folder else "/?"), word)


def gitignore(pattern: str) -> re.Pattern[str]:
    """Compile a gitignore pattern as git-lfs reads it. A pattern that matches a folder matches everything below it.

    A pattern without a slash, except at its end, matches at any depth; any other pattern matches from the root.

    Raises:
        UsageError: the pattern uses a construct that this module refuses.
    """
    return _anywhere(pattern.removesuffix("/"), below="(?:/.*)?")


def gitattributes(pattern: str) -> re.Pattern[str]:
    """Compile a pattern of a .gitattributes file: as in gitignore, but a folder's pattern does not match its files.

    Raises:
        UsageError: the pattern uses a construct that this module refuses.
    """
    if pattern.startswith("[attr]"):  # the definition of a macro
        raise _unreadable_pattern(pattern)
    return _anywhere(pattern, below="")


def _anywhere(pattern: str, below: str) -> re.Pattern[str]:
    _refuse_unusual(pattern.removeprefix("/"))
    if pattern.startswith(("!", '"')):
        raise _unreadable_pattern(pattern)
    if "/" not in pattern:
        return _compiled(f"(?:.*/)?{_component(pattern)}{below}", pattern)
    *folders, last = pattern.removeprefix("/").split("/")
    head = "".join("(?:.*/)?" if part == "**" else _component(part) + "/" for part in folders)
    return _compiled(head + (".+" if last == "**" else _component(last)) + below, pattern)


def _component(text: str, *, hides_dots: bool = False) -> str:
    """Translate one path component into a regular expression that matches within one component.

    Each star but the last matches as little as possible and never backtracks, as in `fnmatch`, so matching is fast.
    """
    first, *rest = (_fixed(part) for part in _STARS.split(text))
    regex = (
        "(?=[^/.])" if hides_dots and text[:1] in ("*", "?", "[") else "(?=[^/])"
    ) + first  # a component is never empty
    if rest:
        regex += "".join(f"(?>[^/]*?{part})" for part in rest[:-1]) + "[^/]*" + rest[-1]
    return regex


def _fixed(text: str) -> str:
    """Translate the part between two stars."""
    return "".join(_one(found) for found in _ONE.findall(text))


def _one(text: str) -> str:
    """Translate the part of a pattern that matches one character."""
    if text == "?":
        return "[^/]"
    if text[0] == "[":
        return "[" + ("^/" if text[1] in "!^" else text[1]) + text[2:]
    return re.escape(text)


def _compiled(regex: str, pattern: str) -> re.Pattern[str]:
    try:
        return re.compile(regex, re.DOTALL)
    except re.error as error:
        raise _unreadable_pattern(pattern) from error


def _refuse_unusual(pattern: str) -> None:
    parts = pattern.removesuffix("/").split("/")
    brackets = _CLASS.sub("", pattern)
    if any(part in ("", ".", "..") for part in parts) or any(char in brackets for char in "[]\\"):
        raise _unreadable_pattern(pattern)
    if len(pattern) > _MAX_CHARS or pattern.count("**") > _MAX_DOUBLE_STARS:
        raise _unreadable_pattern(pattern)


def _unreadable_pattern(pattern: str) -> UsageError:
    wanted = "names below the root with *, ? and character classes such as [0-9]"
    return UsageError("cannot read this pattern", where="excluded files", got=pattern, wanted=wanted)

"""The Solidity tests cover every line and every branch of contracts/.

forge counts an `if` without `else` as one branch, the one that is taken. It counts an exit that has no code of its own
(`return;`, `return name;`, `continue;`, `break;`) as reached whenever its condition is reached. It counts an `if` whose
condition is a bare name only when the branch is taken. So these tests compare the counts of lines: if a branch was not
taken, the next line was reached, and a bare name was evaluated as often as the line before it was reached. The tests do
not see the arms of `?:`, `&&` and `||`, nor whether a bare exit at the end of a block is taken.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path

ROOT = Path(__file__).parents[2]
_COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.DOTALL)
_HAS_CODE = re.compile(r"function [^;{}]*\{")
_IF = re.compile(r"\bif\b")
_BARE_EXIT = re.compile(r"[){]\s*(?:return|continue|break|return (?!true|false)\w+);")
_ELSE_NAME = re.compile(r"\s*else if \(!?[\w.]+\)")
_MERE_NAME = re.compile(r"\bif \(!?[\w.]+\)")


def test_every_line_and_branch_is_covered(npm_run: Callable[..., str], tmp_path: Path) -> None:
    report = tmp_path / "lcov.info"
    npm_run("forge", "--", "coverage", "--report", "lcov", "--report-file", str(report), FOUNDRY_PROFILE="coverage")
    records = _parse(report.read_text())
    sources = {path.relative_to(ROOT).as_posix(): path.read_text() for path in (ROOT / "contracts").rglob("*.sol")}
    unseen = {name for name, text in sources.items() if _HAS_CODE.search(_COMMENT.sub("", text))} - records.keys()
    assert unseen == set(), "forge saw no code in these"
    gaps = [f"{name}: {gap}" for name in sorted(sources) for gap in _gaps(records.get(name, ""), sources[name])]
    assert gaps == [], "not covered:\n" + "\n".join(gaps)


IF = "if (a == 0) b();\nc();\n"
ELSE_NAME = "if (a == 0) b();\nelse if (c) d();\n"
IF_ELSE = "if (a == 0) b();\nelse c();\n"
LONG_IF = "if (\n    a\n) {\n    b();\n}\n"
EXIT = "if (a == 0) return;\nc();\n"
LONG_EXIT = "if (a == 0) {\n    break;\n}\nc();\n"
LAST_EXIT = "{\n    if (a == 0) return;\n}\nc();\n"
NAMED_EXIT = "a();\nif (b == 0) return d;\nc();\n"
NAME_LAST = "for (a) {\n    b();\n}\nif (!a.b) revert c();\n"
NAME_AFTER_IF = "if (a == 0) revert b();\nif (c) revert d();\n"


def test_gaps_are_found() -> None:
    never, always = "line 1, branch 0 is never taken", "line 1, branch 0 is always taken"
    assert _gaps("DA:1,5 DA:2,5 BRDA:1,0,0,3", IF) == []
    assert _gaps("DA:1,5 DA:2,0 BRDA:1,0,0,3", IF) == ["line 2 is never reached"]
    assert _gaps("DA:1,5 DA:2,5 BRDA:1,0,0,0", IF) == [never]
    assert _gaps("DA:1,5 DA:2,5 BRDA:1,0,0,5", IF) == [always]
    assert _gaps("DA:1,0 DA:2,5 BRDA:1,0,0,-", IF) == ["line 1 is never reached", never]
    assert _gaps("DA:1,5 DA:2,4 BRDA:1,0,0,1 BRDA:1,0,1,4", IF_ELSE) == []
    assert _gaps("DA:1,5 DA:2,4 BRDA:1,0,0,1 BRDA:1,0,1,0", IF_ELSE) == ["line 1, branch 1 is never taken"]
    assert _gaps("DA:2,5 DA:3,3 DA:4,3 BRDA:3,0,0,3", LONG_IF) == []
    assert _gaps("DA:2,5 DA:3,5 DA:4,5 BRDA:3,0,0,5", LONG_IF) == ["line 3, branch 0 is always taken"]
    for source, hits, after in ((EXIT, "DA:1,5", 2), (LONG_EXIT, "DA:1,5 DA:2,5", 4)):
        assert _gaps(f"{hits} DA:{after},2 BRDA:1,0,0,5", source) == []
        assert _gaps(f"{hits} DA:{after},5 BRDA:1,0,0,5", source) == [never]
        assert _gaps(f"{hits} DA:{after},0 BRDA:1,0,0,5", source) == [f"line {after} is never reached", always]
    assert _gaps("DA:2,5 DA:4,9 BRDA:2,0,0,5", LAST_EXIT) == []
    assert _gaps("DA:1,5 DA:2,5 DA:3,2 BRDA:2,0,0,5", NAMED_EXIT) == []
    assert _gaps("DA:1,5 DA:2,5 DA:3,5 BRDA:2,0,0,5", NAMED_EXIT) == ["line 2, branch 0 is never taken"]
    assert _gaps("DA:1,5 DA:2,9 DA:4,3 BRDA:4,0,0,3", NAME_LAST) == []
    assert _gaps("DA:1,5 DA:2,9 DA:4,5 BRDA:4,0,0,5", NAME_LAST) == ["line 4, branch 0 is always taken"]
    for taken, gaps in ((2, []), (3, ["line 2, branch 0 is always taken"])):
        assert _gaps(f"DA:1,5 DA:2,{taken} BRDA:1,0,0,2 BRDA:1,0,1,3 BRDA:2,1,0,{taken}", ELSE_NAME) == gaps
    assert _gaps("DA:1,5 DA:2,3 BRDA:1,0,0,2 BRDA:2,1,0,3", NAME_AFTER_IF) == ["line 2, branch 0 is always taken"]


def test_records_are_told_apart() -> None:
    lcov = "TN:\nSF:a.sol\nDA:1,5\nend_of_record\nTN:\nSF:b.sol\nDA:9,0\nend_of_record\n"
    assert _parse(lcov) == {"a.sol": "DA:1,5\n", "b.sol": "DA:9,0\n"}


def _parse(lcov: str) -> dict[str, str]:
    """Return the entries of an lcov report, by source file."""
    return dict(re.findall(r"^SF:(.*)\n((?:(?!end_of_record).*\n)*)", lcov, re.MULTILINE))


def _gaps(record: str, source: str) -> list[str]:
    """Return the gaps in coverage that one file's record shows."""
    lines = source.splitlines()
    reached = {int(line): int(hits) for line, hits in re.findall(r"\bDA:(\d+),(\d+)", record)}
    branches: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for line, block, taken in re.findall(r"\bBRDA:(\d+),(\d+),\d+,(\d+|-)", record):
        branches[block].append((int(line), 0 if taken == "-" else int(taken)))

    gaps = [f"line {line} is never reached" for line, hits in reached.items() if hits == 0]
    for arms in branches.values():
        if len(arms) == 1:
            arms[0], missed = _single(arms[0], reached, lines)
            if _ELSE_NAME.match(lines[arms[0][0] - 1]):
                missed = _reached_else(arms[0][0], reached, branches.values()) - arms[0][1]
            gaps += [f"line {line}, branch 0 is always taken" for line, taken in arms if taken and not missed]
        gaps += [f"line {line}, branch {arm} is never taken" for arm, (line, taken) in enumerate(arms) if taken == 0]
    return gaps


def _single(arm: tuple[int, int], reached: dict[int, int], lines: list[str]) -> tuple[tuple[int, int], int]:
    """Return the one branch of an `if` without `else`, with its true count, and how often it was not taken."""
    line, taken = arm
    # forge gives the line where the branch begins; its condition may begin some lines earlier
    start = max(number for number in range(1, line + 1) if _IF.search(lines[number - 1]))
    times = max(reached.get(number, 0) for number in range(start, line + 1))
    if _MERE_NAME.search(lines[start - 1]):
        times = max(times, _reached_before(start, reached, lines))
    body = line + 1 if lines[line - 1].endswith("{") else line
    if not _BARE_EXIT.search(" ".join(lines[line - 1 : body])):
        return arm, times - taken
    after = next((number for number in sorted(reached) if number > body), None)
    if after is None or _indent(lines[after - 1]) != _indent(lines[start - 1]):
        return arm, 1  # the end of its block: there is no line to compare with
    return (line, times - reached[after]), reached[after]


def _reached_else(line: int, reached: dict[int, int], branches: Iterable[list[tuple[int, int]]]) -> int:
    """Return how often the `else` on a line was reached: as often as the `if` before it was, and was not taken."""
    taken = next((arms[0][1] for arms in branches if arms[0][0] == line - 1), 0)
    return reached.get(line - 1, 0) - taken


def _reached_before(start: int, reached: dict[int, int], lines: list[str]) -> int:
    """Return how often the statement before a line, or the head of its function, was reached.

    Returns 0 if that statement may have left the function.
    """
    indent = _indent(lines[start - 1])
    before = next(
        number for number in sorted(reached, reverse=True) if number < start and _indent(lines[number - 1]) <= indent
    )
    return 0 if _IF.search(lines[before - 1]) else reached[before]


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())

"""The form of the output: a summary first, failures next, the rest on demand, in the width of the terminal."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from provenance_oracle.oracle.cli.main import main
from provenance_oracle.verifier.checks import OPTIONAL_CHECKS, Check
from provenance_oracle.verifier.cli.layout import fitted
from tests.support.check_command import check, document
from tests.support.terminals import on_terminal
from tests.support.whole_releases import AT, lay_out

DEMO = ("--offline", "--policy", "demo", "--at", AT.isoformat())
_STYLE = re.compile(r"\x1b\[[0-9;]*m")
_CONTROL = re.compile(r"\x1b\[[?0-9;]*[a-zA-Z]")
_DIGEST = re.compile("[0-9a-f]{64,}")


@pytest.fixture
def release(tmp_path: Path) -> Path:
    return lay_out(tmp_path / "release")


def _damage(release: Path) -> None:
    (release / "config.json").write_bytes(b"[]\n")


def test_the_summary_comes_first_and_the_checks_on_demand(release: Path) -> None:
    brief, whole = check(release).stdout.splitlines(), check(release, "-v").stdout.splitlines()
    assert brief[0] == whole[0] == f"accepted: org/model 1.0 in {release}"
    assert "SIMULATED" in brief[1]
    assert brief[-1] == "checks           18 passed, 9 not checked (-v lists them)"
    assert [line for line in brief if line.startswith("  ")] == []
    listed = [line.split()[1] for line in whole if line.startswith("  ")]
    assert listed == [check for check in Check if check not in OPTIONAL_CHECKS]
    assert whole[-1] == "checks           18 passed, 9 not checked"


def test_a_refusal_lists_the_failures_and_the_rest_on_demand(release: Path) -> None:
    _damage(release)
    brief, whole = check(release), check(release, "--verbose")
    assert brief.output.splitlines()[0].startswith("not accepted (exit 4): ")  # before what follows on stdout
    listed = [line.split()[:2] for line in brief.stdout.splitlines() if line.startswith("  ")]
    assert listed == [["FAIL", "file-digests"]]
    error = document(check(release, "--json"))["findings"]
    digests = next(one for one in error if one["check"] == "file-digests")
    assert digests["got"] in brief.stdout
    assert digests["wanted"] in brief.stdout
    assert "1 failed" in brief.stdout.splitlines()[-1]
    assert sum(line.startswith("  ok") for line in whole.stdout.splitlines()) > 15


def test_quiet_leaves_the_exit_code_and_the_errors(release: Path) -> None:
    accepted = check(release, "-q")
    assert (accepted.exit_code, accepted.output) == (0, "")
    assert document(check(release, "--quiet", "--json")) == document(check(release, "--json"))
    _damage(release)
    refused = check(release, "-q")
    assert (refused.exit_code, refused.stdout) == (4, "")
    assert len(refused.stderr.splitlines()) == 1


@pytest.mark.parametrize("name", [name for name in main.commands if name != "demo"])
def test_every_command_that_has_json_can_be_quiet(name: str) -> None:
    options = {option for parameter in main.commands[name].params for option in parameter.opts}
    assert ("--json" in options) == ("--quiet" in options)


@pytest.mark.parametrize("columns", [50, 80])
@pytest.mark.parametrize("damaged", [False, True])
def test_lines_fit_the_terminal_and_digests_stay_whole(release: Path, columns: int, damaged: bool) -> None:
    if damaged:
        _damage(release)
    for words in (("check", release, *DEMO, "-v"), ("hash", release, "--sha256")):
        whole = CliRunner().invoke(main, [*map(str, words)])
        shown = on_terminal(*words, columns=columns)
        assert shown.exit_code == whole.exit_code
        lines = [line.rpartition("\r")[2] for line in _CONTROL.sub("", shown.text).splitlines()]
        too_long = [line for line in lines if len(line) > columns]
        assert [line for line in too_long if len(line.split()) > 1] == []  # only one word that cannot be broken
        digests = {word for line in lines for word in _DIGEST.findall(line)}
        assert digests >= set(_DIGEST.findall(whole.output))
        if words[0] == "check" and not damaged:
            alone = {line.strip() for line in lines}
            found = document(check(release, "--json"))
            assert {found["model_digest"], found["manifest_digest"], found["publisher"]} <= alone


def test_a_pipe_gets_every_line_whole(release: Path) -> None:
    found = document(check(release, "--json"))
    assert f"model digest     {found['model_digest']}" in check(release).stdout.splitlines()


LINE = "model digest     " + "ab" * 32
FITTED = {
    (LINE, None): [LINE],
    (LINE, 81): [LINE],
    (LINE, 80): ["model digest", "  " + "ab" * 32],
    ("a b  c d e f", 9): ["a b  c d", "     e f"],
    ("  one two three", 10): ["  one two", "    three"],
    ("label  " + "x" * 20 + " rest of it", 20): ["label", "  " + "x" * 20, "       rest of it"],
    ("x" * 20 + " y", 12): ["  " + "x" * 20, "  y"],
    ("", 5): [""],
}


@pytest.mark.parametrize(("line", "columns"), FITTED)
def test_a_word_is_never_broken(line: str, columns: int | None) -> None:
    assert list(fitted(line, columns)) == FITTED[line, columns]


def test_colors_only_on_terminals_that_want_them(release: Path) -> None:
    words = ("check", release, *DEMO)
    assert _STYLE.search(on_terminal(*words, columns=80).text)
    assert not _STYLE.search(on_terminal(*words, columns=80, environment={"NO_COLOR": "1"}).text)
    assert _STYLE.search(on_terminal(*words, columns=80, environment={"NO_COLOR": ""}).text)  # as no-color.org has it
    assert "\x1b" not in on_terminal(*words, columns=80, environment={"TERM": "dumb"}).text
    assert "\x1b" not in check(release).output

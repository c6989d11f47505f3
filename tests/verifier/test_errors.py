"""The failure tree in the docstring equals the tree in the code."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path

import pytest

from provenance_oracle.verifier import errors
from provenance_oracle.verifier.checks import Check, passed_bits
from provenance_oracle.verifier.checks import failed as failed_finding
from provenance_oracle.verifier.checks import passed as passed_finding
from provenance_oracle.verifier.errors import FormatError, ProvenanceError, TemporaryError

_ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def classes() -> set[type[ProvenanceError]]:
    """Return all classes, those too that only a module far from the core adds."""
    paths = [path for room in ("verifier", "publisher", "oracle") for path in (_ROOT / room).rglob("*.py")]
    adding = [path for path in paths if re.search(r"^class \w+\(\w*Error\):", path.read_text("utf-8"), re.MULTILINE)]
    for path in adding:
        import_module(".".join(["provenance_oracle", *path.relative_to(_ROOT).with_suffix("").parts]))
    return _all_classes(ProvenanceError)


def _all_classes(root: type[ProvenanceError]) -> set[type[ProvenanceError]]:
    return {root}.union(*(_all_classes(child) for child in root.__subclasses__()))


def test_every_class_is_drawn_with_its_exit_code(classes: set[type[ProvenanceError]]) -> None:
    drawn = dict(re.findall(r"^ +[x+] (\w+Error) .*?(?:exit (\d))?$", errors.__doc__ or "", re.MULTILINE))
    for kind in classes - {ProvenanceError}:
        name = kind.__name__
        is_detail = any(parent.__name__ in drawn for parent in kind.__mro__[1:])
        assert name in drawn or is_detail, f"{name} is not in the tree"
        if drawn.get(name):
            assert int(drawn[name]) == kind.exit_code


def test_only_what_is_temporary_is_retried(classes: set[type[ProvenanceError]]) -> None:
    for kind in classes:
        assert kind.retry == issubclass(kind, TemporaryError), kind


def test_a_message_names_file_check_got_and_wanted() -> None:
    error = FormatError("size", check=Check.REPORT_FORMAT, where="report.bin", got="1 byte", wanted="1184 bytes")
    assert str(error) == "report.bin: report-format: size: got 1 byte, wanted 1184 bytes"


@pytest.mark.parametrize("text", ["\x1b[31mred", "a\nb", "\u202eabc", "\ud800", "\x07", "\u2028"])
def test_untrusted_text_is_escaped_in_messages(text: str) -> None:
    shown = str(FormatError("name", where=text, got=text, wanted="a name"))
    assert shown.isprintable()


def test_bits_are_those_of_checks_that_passed_and_never_failed() -> None:
    findings = (
        passed_finding(Check.VMPL, "", ""),
        passed_finding(Check.KEY_BINDING, "", ""),
        failed_finding(Check.KEY_BINDING, "", ""),
    )
    assert passed_bits(findings) == 1 << Check.VMPL.bit
    # bit numbers are on chain: append only
    assert [check.bit for check in Check] == list(range(28))
    assert (Check.REPORT_FORMAT.bit, Check.KEY_BINDING.bit, Check.REGISTRY_RECORD.bit) == (0, 18, 26)

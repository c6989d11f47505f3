"""Tests of the ids of documents, and of the members that all documents have."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path

import pytest

from provenance_oracle.oracle import documents as operators
from provenance_oracle.oracle.cli.main import main
from provenance_oracle.publisher import documents as publishers
from provenance_oracle.verifier.checks import Check, failed, not_checked
from provenance_oracle.verifier.documents import schemas
from provenance_oracle.verifier.documents.errors import error_json, internal_error_json
from provenance_oracle.verifier.errors import AppraisalError, TemporaryError

ROOT = Path(__file__).parents[3]
CLI = [ROOT / package / "cli" for package in ("verifier", "publisher", "oracle")]
COMMANDS = sorted(path for folder in CLI for path in folder.glob("*.py"))
ROOMS = (schemas, publishers, operators)
IDS = [
    (name, value) for room in ROOMS for name, value in vars(room).items() if name.isupper() and isinstance(value, str)
]


def test_every_command_has_one_id_with_its_name_and_a_version() -> None:
    for name, schema in IDS:
        found = re.fullmatch(r"provenance-oracle/([a-z]+)/v[1-9]", schema)
        assert found and found[1] == name.lower()
    assert sorted(name.lower() for name, _ in IDS) == sorted([*main.commands, "error"])


def test_an_envelope_holds_the_id_and_the_answer_before_the_body() -> None:
    found = schemas.envelope(schemas.HASH, accepted=True, body={"files": []})
    assert list(found.items()) == [("schema", "provenance-oracle/hash/v1"), ("accepted", True), ("files", [])]


def test_a_failure_is_told_with_its_class_and_all_findings() -> None:
    findings = (failed(Check.VMPL, "1", "0"), not_checked(Check.LINEAGE, "not reached"))
    error = AppraisalError("refused", check=Check.VMPL, where="report", got="1", wanted="0", findings=findings)
    assert json.loads(json.dumps(error_json(error))) == {
        "error": {
            "class": "AppraisalError",
            "exit_code": 5,
            "retry": False,
            "check": "vmpl",
            "where": "report",
            "message": "report: vmpl: refused: got 1, wanted 0",
            "got": "1",
            "wanted": "0",
        },
        "findings": [
            {"check": "vmpl", "outcome": "failed", "got": "1", "wanted": "0"},
            {"check": "lineage", "outcome": "not-checked", "got": "not reached", "wanted": ""},
        ],
    }
    temporary = error_json(TemporaryError("down"))
    assert isinstance(temporary["error"], dict)
    assert (temporary["error"]["retry"], temporary["error"]["check"], temporary["findings"]) == (True, None, [])


def test_a_bug_has_the_members_of_a_failure() -> None:
    assert internal_error_json("ValueError: x") == {
        "error": {"class": "InternalError", "exit_code": 1, "message": "ValueError: x"},
        "findings": [],
    }


@pytest.mark.parametrize("path", COMMANDS, ids=lambda path: path.stem)
def test_no_command_makes_its_document_itself(path: Path) -> None:
    """A command calls a function that makes the document, so that a REST API and a page can call it too."""
    for node in ast.walk(ast.parse(path.read_text())):
        is_printed = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
        if is_printed and node.func.attr in ("document", "answer"):
            assert not any(isinstance(argument, ast.Dict) for argument in node.args), f"line {node.lineno}"

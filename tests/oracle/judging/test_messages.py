"""Tests of what passes between the oracle and a judge process, and that no bytes of a process harm the oracle."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provenance_oracle.oracle.journal.stored_record import to_json
from provenance_oracle.oracle.judging.answers import Heard, JudgeBugError, answer_message, parse_judge_answer
from provenance_oracle.oracle.judging.errors_as_data import error_from_json, error_to_json
from provenance_oracle.oracle.judging.judges import Judged
from provenance_oracle.oracle.judging.messages import Message, pack_message, pack_order, read_message, read_order
from provenance_oracle.oracle.sources.look import Look
from provenance_oracle.verifier.checks import Check, failed, passed
from provenance_oracle.verifier.errors import AppraisalError, ProvenanceError
from tests.support.chain_fixtures import make_record

ROOT = Path(__file__).parents[3]
HEARD = Heard({"look": 0.25, "hash": 1.5}, 4096, [(30, "provenance_oracle.oracle", "a line")])
LOOK = Look(b"{}", bytes(32), None, None)


def reading(data: bytes) -> Callable[[int], bytes]:
    """Return a function that reads from `data`, and raises EOFError at its end."""
    left = bytearray(data)

    def read(size: int) -> bytes:
        if size > len(left):
            raise EOFError
        piece = bytes(left[:size])
        del left[:size]
        return piece

    return read


def all_errors() -> list[type[ProvenanceError]]:
    """Return every class of failure of the verifier that takes the common arguments only."""
    for path in sorted((ROOT / "verifier").rglob("*.py")):
        if re.search(r"^class \w+\(\w*Error\):", path.read_text("utf-8"), re.MULTILINE):
            import_module(".".join(["provenance_oracle", *path.relative_to(ROOT).with_suffix("").parts]))
    found: list[type[ProvenanceError]] = [ProvenanceError]
    for kind in found:
        found += [one for one in kind.__subclasses__() if one.__module__.startswith("provenance_oracle.verifier")]
    return found


@pytest.mark.parametrize("kind", all_errors(), ids=lambda kind: kind.__name__)
def test_a_failure_keeps_what_decides_its_outcome(kind: type[ProvenanceError]) -> None:
    error = kind("problem", check=Check.FILE_SET, where="w\ud800", got="g", wanted="x")
    again = error_from_json(read_message(reading(pack_message(Message({"e": error_to_json(error)})))).header["e"])
    assert (again.exit_code, again.retry, again.http_status) == (kind.exit_code, kind.retry, kind.http_status)
    assert (str(again), again.check, again.where) == (str(error), error.check, error.where)


def test_a_refusal_keeps_its_class_and_findings() -> None:
    findings = (passed(Check.VMPL, "0", "0"), failed(Check.TCB_FLOOR, "1", "2"))
    error = AppraisalError("refused", check=Check.TCB_FLOOR, findings=findings)
    again = error_from_json(error_to_json(error))
    assert type(again) is AppraisalError
    assert again.findings == findings


def test_an_accepted_release_arrives_as_it_was_sent() -> None:
    record = make_record()
    judged = Judged(b"statement", record, to_json(record), b"evidence")
    look = Look(b"{}", record.manifest_digest, None, None)
    answer = parse_judge_answer(read_message(reading(pack_message(answer_message(look, judged, HEARD)))))
    assert answer.outcome == judged
    assert (answer.content, answer.heard) == (record.manifest_digest, HEARD)


def test_a_record_of_another_manifest_is_refused() -> None:
    record = make_record()
    judged = Judged(b"statement", record, to_json(record), b"evidence")
    with pytest.raises(ValueError, match="another manifest"):
        parse_judge_answer(answer_message(LOOK, judged, HEARD))


def test_a_bug_is_told_with_its_class() -> None:
    answer = parse_judge_answer(answer_message(LOOK, KeyError("x"), HEARD))
    assert isinstance(answer.outcome, JudgeBugError)
    assert str(answer.outcome) == "KeyError: 'x'"


def test_a_release_that_has_gone_has_no_outcome() -> None:
    assert parse_judge_answer(answer_message(None, None, Heard())).outcome is None


def test_the_oracle_is_understood() -> None:
    assert read_order(reading(pack_order({"body": b"list"}))) == {"body": b"list"}


@pytest.mark.parametrize(
    "data",
    [
        b"\xff" * 12,
        bytes(4) + (2**40).to_bytes(8, "big"),
        (2).to_bytes(4, "big") + bytes(8) + b"[]",
        (12).to_bytes(4, "big") + bytes(8) + b'{"sizes":[1]',
        (13).to_bytes(4, "big") + bytes(8) + b'{"sizes":[1]}',
        (14).to_bytes(4, "big") + bytes(8) + b'{"sizes":[-1]}',
        (15).to_bytes(4, "big") + bytes(8) + b'{"sizes":"none"',
    ],
    ids=["size", "body", "list", "cut", "sum", "negative", "text"],
)
def test_a_malformed_message_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError):
        read_message(reading(data))


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
KEYS = ("outcome", "content", "whole", "took", "hashed", "lines", "error", "problem")


@given(
    header=st.fixed_dictionaries({}, optional=dict.fromkeys(KEYS, values)),
    outcome=st.sampled_from(["accepted", "refused", "gone", "bug", "other"]),
    parts=st.lists(st.binary(max_size=20), max_size=4),
)
def test_whatever_a_process_answers_it_is_an_answer_or_refused(
    header: dict[str, object], outcome: str, parts: list[bytes]
) -> None:
    with suppress(ValueError, TypeError, KeyError, AttributeError):
        parse_judge_answer(Message({**header, "outcome": outcome}, parts))


@given(st.binary(max_size=200))
def test_whatever_bytes_a_process_sends_they_are_a_message_or_refused(data: bytes) -> None:
    with suppress(ValueError, EOFError):
        read_message(reading(data))

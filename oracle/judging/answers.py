"""The answer of a judge process to a question: what came of one release, with figures and log lines.

The process writes it by `answer_message`. The oracle reads it by `parse_judge_answer`, without trust.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from provenance_oracle.oracle.journal.stored_record import from_json
from provenance_oracle.oracle.judging.errors_as_data import error_from_json, error_to_json
from provenance_oracle.oracle.judging.judges import Judged
from provenance_oracle.oracle.judging.messages import Message
from provenance_oracle.oracle.metrics import STEPS
from provenance_oracle.oracle.sources.look import Look
from provenance_oracle.verifier.errors import ProvenanceError
from provenance_oracle.verifier.judgement.release import PROVENANCE_PATHS, release_of
from provenance_oracle.verifier.strict.release_files import ReleaseFiles
from provenance_oracle.verifier.strict.tar import files_of_tar, tar_of

LINES_MAX = 100
LINE_MAX_CHARS = 4000
_US_PER_SECOND = 10**6
_DIGEST_BYTES = 32


class JudgeBugError(Exception):
    """A judge process met a bug of ours: an exception that is no `ProvenanceError`."""


@dataclass(frozen=True)
class Heard:
    """What a process noted while it judged.

    Attributes:
        took: seconds by step of `metrics.STEPS`.
        hashed_bytes: the bytes of files that were hashed.
        lines: level, logger and text of each line for the log.
    """

    took: Mapping[str, float] = field(default_factory=dict)
    hashed_bytes: int = 0
    lines: Sequence[tuple[int, str, str]] = ()


@dataclass(frozen=True)
class JudgeAnswer:
    """What came of a release. `outcome` is None if it has gone, is incomplete or cannot be read now.

    Attributes:
        content: see `sources.look.Look`; empty if a bug kept the process from reading the release.
        seen: the release's `provenance/` as a tar archive if it could be read whole, else the manifest file's bytes.
        is_whole: whether `seen` is an archive.
    """

    outcome: Judged | ProvenanceError | JudgeBugError | None
    heard: Heard
    content: bytes = b""
    seen: bytes = b""
    is_whole: bool = False

    def look(self, files: ReleaseFiles) -> Look:
        """Return the release as the process read it. Raises FormatError if the process did not tell the truth."""
        problem = self.outcome if isinstance(self.outcome, ProvenanceError) else None
        if not self.is_whole:
            return Look(self.seen, self.content, None, problem)
        kept = {name: data for name, data in files_of_tar(self.seen).items() if name in PROVENANCE_PATHS}
        release = release_of(files, kept)
        return Look(release.envelope, self.content, release, None)


def answer_message(look: Look | None, outcome: Judged | Exception | None, heard: Heard) -> Message:
    """Return the message that tells what came of a release. Arguments: as the attributes of `JudgeAnswer`."""
    took = {step: int(seconds * _US_PER_SECOND) for step, seconds in heard.took.items()}
    header: dict[str, Any] = {"is": "answer", "took": took, "hashed": heard.hashed_bytes, "lines": list(heard.lines)}
    if outcome is None:
        return Message(header | {"outcome": "gone"})
    header |= {"content": look.content.hex() if look else "", "whole": look is not None and look.release is not None}
    if isinstance(outcome, Judged):
        parts = (outcome.statement, outcome.stored_record, outcome.evidence)
        return Message(header | {"outcome": "accepted"}, parts)
    seen = b""
    if look is not None:
        seen = tar_of(look.release.provenance) if look.release else look.envelope
    if isinstance(outcome, ProvenanceError):
        return Message(header | {"outcome": "refused", "error": error_to_json(outcome)}, (seen,))
    return Message(header | {"outcome": "bug", "problem": f"{type(outcome).__name__}: {outcome}"}, (seen,))


def parse_judge_answer(message: Message) -> JudgeAnswer:
    """Return the answer in a message of a process.

    Raises:
        ValueError, TypeError, KeyError, AttributeError: the message is no answer.
    """
    header, parts = message.header, message.parts
    heard = _heard(header)
    kind = header["outcome"]
    if kind == "gone":
        return JudgeAnswer(None, heard)
    content, is_whole = bytes.fromhex(header["content"]), header["whole"] is True
    if len(content) != _DIGEST_BYTES and (content or kind == "accepted"):
        raise ValueError("the content digest does not have 32 bytes")
    if kind == "accepted":
        statement, stored_record, evidence = parts
        record = from_json(stored_record)
        if record.manifest_digest != content:
            raise ValueError("the record is of another manifest")
        return JudgeAnswer(Judged(statement, record, stored_record, evidence), heard, content, evidence, True)
    (seen,) = parts
    if kind == "refused":
        return JudgeAnswer(error_from_json(header["error"]), heard, content, seen, is_whole)
    if kind != "bug":
        raise ValueError("no such outcome")
    return JudgeAnswer(JudgeBugError(str(header["problem"])[:LINE_MAX_CHARS]), heard, content, seen, is_whole)


def _heard(header: Mapping[str, Any]) -> Heard:
    took = {step: int(header["took"][step]) / _US_PER_SECOND for step in STEPS if step in header["took"]}
    lines = [(int(level), str(name), str(text)[:LINE_MAX_CHARS]) for level, name, text in header["lines"][:LINES_MAX]]
    return Heard(took, int(header["hashed"]), lines)

"""Read a verdict that an oracle recorded. Its bytes are as untrusted as the oracle, whatever digest they have."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from provenance_oracle.verifier.checks import Check, Finding, Outcome
from provenance_oracle.verifier.errors import FormatError, UsageError, VerificationError
from provenance_oracle.verifier.judgement.verdict import EXTENSION
from provenance_oracle.verifier.manifest.statement import SHA256
from provenance_oracle.verifier.registry.signed_verdict import VERDICT_MAX_BYTES
from provenance_oracle.verifier.strict.parse_json import Fields, parse_json
from provenance_oracle.verifier.strict.timestamps import parse_time
from provenance_oracle.verifier.text import printable

_CHECK = Check.REGISTRY_RECORD
_FINDINGS_MAX = 1000
_INPUTS_MAX = 64
# Members that may differ between two versions of this package, or that only the model's own files decide.
_VERSION_BOUND = ("verifier", "verifiedLevels", "slsaVersion")
_LOCAL = ("findings", "uncovered")


@dataclass(frozen=True)
class RecordedVerdict:
    """A PASSED verdict.

    Attributes:
        digest: SHA-256 of its bytes, 32 bytes.
        at: the moment for which the oracle judged, an aware datetime.
        policy_digest: SHA-256 of the policy's page, 32 bytes.
        version: the version of the package that judged.
        findings: the outcome of every check.
        inputs: SHA-256 of each file of the evidence, by name.
        levels: what the verdict says was reached: the grade, and each check that passed.
        facts: its other members as JSON, by their paths.
    """

    digest: bytes
    at: datetime
    policy_digest: bytes
    version: str
    findings: tuple[Finding, ...]
    inputs: Mapping[str, bytes]
    levels: frozenset[str]
    facts: Mapping[str, str]


def parse_verdict(statement: bytes, where: str) -> RecordedVerdict:
    """Parse a PASSED verdict of at most 4 MiB. `where` names it in messages.

    Raises:
        FormatError: the bytes are no verdict that an oracle writes, or a FAILED one.
    """
    value = parse_json(statement, where=where, check=_CHECK, max_bytes=VERDICT_MAX_BYTES)
    predicate = Fields(value, where=where, check=_CHECK).fields("predicate")
    predicate.constant("verificationResult", "PASSED")
    try:
        return RecordedVerdict(
            digest=hashlib.sha256(statement).digest(),
            at=parse_time(predicate.text("timeVerified")),
            policy_digest=predicate.fields("policy").fields("digest").hex_bytes(SHA256, 32),
            version=predicate.fields("verifier").fields("version").text("provenance-oracle"),
            findings=parse_findings(predicate.fields(EXTENSION)),
            inputs=_inputs(predicate),
            levels=frozenset(_levels(predicate)),
            facts=_facts(value),
        )
    except (ValueError, UsageError) as error:
        problem, wanted = "the verdict is not one that an oracle writes", "a PASSED verdict of this format"
        raise FormatError(problem, check=_CHECK, where=where, got=printable(str(error)), wanted=wanted) from None


def parse_findings(details: Fields) -> tuple[Finding, ...]:
    """Take the findings out of the extension of a verdict.

    Raises:
        FormatError: a member is missing or of another type. ValueError: there is no such check or outcome.
    """
    return tuple(map(_finding, details.fields_list("findings", maximum=_FINDINGS_MAX)))


def match_inputs(verdict: RecordedVerdict, files: Mapping[str, bytes], where: str) -> None:
    """Compare the kept evidence with the files that the verdict names: exactly these, each with its digest.

    Raises:
        VerificationError: a file is missing, altered or not named.
    """
    found = {name: hashlib.sha256(data).digest() for name, data in files.items()}
    for name in sorted(found.keys() | verdict.inputs.keys()):
        got, wanted = found.get(name), verdict.inputs.get(name)
        if got != wanted:
            raise VerificationError(
                "the evidence is not that of the verdict",
                check=_CHECK,
                where=f"{where}, {printable(name)}",
                got=got.hex() if got else "no such file",
                wanted=wanted.hex() if wanted else "no such file",
            )


def _finding(entry: Fields) -> Finding:
    got, wanted = (entry.text(key, max_chars=VERDICT_MAX_BYTES) for key in ("got", "wanted"))
    return Finding(Check(entry.text("check")), Outcome(entry.text("outcome")), got, wanted)


def _inputs(predicate: Fields) -> dict[str, bytes]:
    entries = predicate.fields_list("inputAttestations", minimum=1, maximum=_INPUTS_MAX)
    inputs = {entry.text("uri"): entry.fields("digest").hex_bytes(SHA256, 32) for entry in entries}
    if len(inputs) != len(entries):
        raise predicate.error("inputAttestations", "a name occurs twice", got=f"{len(entries)}", wanted="each once")
    return inputs


def _levels(predicate: Fields) -> list[str]:
    levels = predicate.value("verifiedLevels")
    if not isinstance(levels, list) or not all(isinstance(level, str) for level in levels):
        raise predicate.error("verifiedLevels", "wrong type", got="something else", wanted="a list of strings")
    return levels


def _facts(statement: Any) -> dict[str, str]:
    """Return the members by which two verdicts on the same evidence, policy and moment must agree."""
    predicate = statement["predicate"]
    facts = {name: value for name, value in statement.items() if name != "predicate"}
    facts |= {name: value for name, value in predicate.items() if name not in (*_VERSION_BOUND, EXTENSION)}
    facts |= {name: value for name, value in predicate[EXTENSION].items() if name not in _LOCAL}
    return {name: json.dumps(value, sort_keys=True) for name, value in facts.items()}

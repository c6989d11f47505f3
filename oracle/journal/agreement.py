"""Compare a row's record with its verdict, before the oracle signs the record.

The journal says what the oracle signs, so each row must be one that a judgement wrote. A verdict states every field of
its record except the parents, so an altered field, verdict or policy shows. A row that somebody made up whole, with a
verdict to match, does not: the file's mode and owner keep others from writing one.
"""

from __future__ import annotations

import hashlib
from dataclasses import fields

from provenance_oracle.oracle.journal.rows import Row, policy_key
from provenance_oracle.oracle.journal.stored_record import from_json, parent_text
from provenance_oracle.verifier.checks import Check, Finding, passed_bits
from provenance_oracle.verifier.errors import FormatError, TemporaryError, UsageError, VerificationError
from provenance_oracle.verifier.judgement.recorded_verdict import parse_findings
from provenance_oracle.verifier.judgement.verdict import EXTENSION
from provenance_oracle.verifier.manifest.statement import MODEL_DIGEST, SHA256, Manifest
from provenance_oracle.verifier.policy import Policy
from provenance_oracle.verifier.record.fields import Record, named_parents, product_line_from_code, workload_identity
from provenance_oracle.verifier.record.standing import SIMULATED_CODE, UNBACKED_CODES
from provenance_oracle.verifier.registry.signed_verdict import VERDICT_MAX_BYTES
from provenance_oracle.verifier.strict.parse_json import Fields, parse_json
from provenance_oracle.verifier.strict.timestamps import parse_time
from provenance_oracle.verifier.text import printable


def match_row(row: Row, statement: bytes | None, policy: Policy) -> Record:
    """Return the record that a row publishes, after comparing it with the row, its verdict and the oracle's policy.

    Args:
        statement: the bytes of the verdict that the row names; None if the journal has none.

    Raises:
        FormatError: the record or the verdict is not one that the oracle writes.
        VerificationError: the record differs from the row or the verdict, or has a grade that the policy cannot give.
        TemporaryError: the release was judged by another policy than the oracle's, so it must be judged again.
    """
    where = f"journal row {row.id}"
    record = _record(row, where)
    kept = hashlib.sha256(statement or b"").digest()
    _same("verdict", kept, row.verdict_digest, where)
    stated = _stated_record(statement or b"", record, where)
    for field in fields(Record):
        _same(field.name, getattr(record, field.name), getattr(stated, field.name), where)
    _same("manifest digest of the row", row.key.content, record.manifest_digest, where)
    _same("report digest of the row", row.report_digest, record.snp_report_digest, where)
    if record.policy_digest != policy.digest:
        got, wanted = record.policy_digest.hex(), policy.digest.hex()
        raise TemporaryError("the release was judged by another policy", where=where, got=got, wanted=wanted)
    if record.grade and (record.product_line in UNBACKED_CODES or not policy.graded):
        raise _altered("grade", str(record.grade), "0 without real hardware or a graded policy", where)
    return record


def match_parents(row: Row, record: Record, manifest: Manifest) -> None:
    """Compare a record's parents with the manifest of its release. Raise VerificationError if they differ."""
    named = named_parents(manifest)
    if record.named_parents != named:
        got, wanted = (", ".join(map(parent_text, parents)) or "none" for parents in (record.named_parents, named))
        raise _altered("named_parents", got, wanted, f"journal row {row.id}")


def match_policy_row(row: Row, policy: Policy) -> None:
    """Raise UsageError unless a row without a record asks for a number for the oracle's own policy."""
    if row.key != policy_key(policy.digest):
        raise UsageError(
            "the row asks for a number for another policy than the oracle's; nothing is sent",
            check=Check.REGISTRY_RECORD,
            where=f"journal row {row.id}",
            got=row.key.content.hex(),
            wanted=policy.digest.hex(),
        )


def _record(row: Row, where: str) -> Record:
    try:
        return from_json(row.record or b"")
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise _malformed(where, f"{type(error).__name__}: {error}") from None


def _stated_record(statement: bytes, record: Record, where: str) -> Record:
    """Return the record that a PASSED verdict states. `record` gives the parents, which no verdict names."""
    try:
        value = parse_json(statement, where=where, check=Check.REGISTRY_RECORD, max_bytes=VERDICT_MAX_BYTES)
        verdict = Fields(value, where=where, check=Check.REGISTRY_RECORD)
        (subject,) = verdict.fields_list("subject", minimum=1, maximum=1)
        predicate = verdict.fields("predicate")
        predicate.constant("verificationResult", "PASSED")
        details = predicate.fields(EXTENSION)
        findings = parse_findings(details)
        line = details.text("productLine")
        is_simulated = line == product_line_from_code(SIMULATED_CODE)
        return Record(
            manifest_digest=details.hex_bytes("manifestDigest", 32),
            model_digest=subject.fields("digest").hex_bytes(MODEL_DIGEST, 32),
            verdict_digest=hashlib.sha256(statement).digest(),
            snp_report_digest=details.hex_bytes("reportDigest", 32),
            policy_digest=predicate.fields("policy").fields("digest").hex_bytes(SHA256, 32),
            publisher_identity=_named_publisher(details)
            or workload_identity(_measurement(findings), simulated=is_simulated),
            judged_at=parse_time(predicate.text("timeVerified")),
            reported_tcb=details.hex_bytes("reportedTcb", 8),
            checks=passed_bits(findings),
            grade=details.integer("grade"),
            product_line=record.product_line if product_line_from_code(record.product_line) == line else 0,
            passed=True,
            revision=0,
            name=subject.text("name"),
            version=subject.fields("annotations").text("version"),
            named_parents=record.named_parents,
        )
    except (ValueError, UsageError) as error:
        raise _malformed(where, str(error)) from None


def findings_of(statement: bytes) -> tuple[Finding, ...]:
    """Return the findings in a verdict that `match_row` has matched."""
    value = parse_json(statement, where="verdict", check=Check.REGISTRY_RECORD, max_bytes=VERDICT_MAX_BYTES)
    verdict = Fields(value, where="verdict", check=Check.REGISTRY_RECORD)
    return parse_findings(verdict.fields("predicate").fields(EXTENSION))


def _named_publisher(details: Fields) -> bytes | None:
    """Return the identity (32 bytes) of the publisher whom the manifest names and who signed; None if it names none."""
    publisher = details.optional_fields("publisher")
    if publisher is None or publisher.value("named") is not True:
        return None
    return publisher.hex_bytes("digest", 32)


def _measurement(findings: tuple[Finding, ...]) -> bytes:
    """Return the launch measurement (48 bytes), with which the finding of its check begins."""
    (words,) = (finding.got for finding in findings if finding.check is Check.MEASUREMENT)
    return bytes.fromhex(words.removeprefix("measurement ")[:96])


def _same(name: str, got: object, wanted: object, where: str) -> None:
    if got != wanted:
        raise _altered(name, _shown(got), _shown(wanted), where)


def _shown(value: object) -> str:
    return value.hex() if isinstance(value, bytes) else printable(str(value))


def _altered(name: str, got: str, wanted: str, where: str) -> VerificationError:
    problem = f"the row was altered or another program wrote it ({name} differs); nothing is signed"
    return VerificationError(problem, check=Check.REGISTRY_RECORD, where=where, got=got, wanted=wanted)


def _malformed(where: str, got: str) -> FormatError:
    problem = "the row's record or verdict is not one that the oracle writes; nothing is signed"
    return FormatError(problem, check=Check.REGISTRY_RECORD, where=where, got=printable(got), wanted="its own rows")

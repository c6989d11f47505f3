"""The exact fields that go on chain and what they mean. `contracts/IProvenanceRegistry.sol` says the same in Solidity.

A `Record` is what an oracle says about one release; an `Entry` is a record as the registry keeps it, with who wrote
it and when. Digests are 32 bytes; times are aware and whole seconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from verifier.checks import Check, Finding, passed_bits
from verifier.errors import FormatError, UsageError, VerificationError
from verifier.snp.products import ProductLine, RootKind

if TYPE_CHECKING:
    # Reading a chain does not need the verifier.
    from verifier.appraisal import AttestationResult
    from verifier.digest.files import FileSet

# One byte on chain: append only. 0 is refused by the contract, 255 is hardware that was simulated.
PRODUCT_LINE_CODES = {ProductLine.MILAN: 1, ProductLine.GENOA: 2, ProductLine.TURIN: 3}
SIMULATED_CODE = 255
SIMULATED_NAME = "simulated"

GRADE_MAX = 2
# How long before its block a record may have been judged (a chain was down, fees were too high), and how long after
# it: the contract lets an oracle's clock be that much ahead.
JUDGED_BEFORE_MAX = timedelta(days=7)
JUDGED_AFTER_MAX = timedelta(minutes=5)


@dataclass(frozen=True)
class Record:
    """What an oracle says about one release: the arguments of the contract's `publish`.

    Fields:
        manifest_digest: SHA-256 of the signed manifest's payload. Identifies the record.
        model_digest: provenance-model-v1 digest of the model's files.
        verdict_digest: SHA-256 of the verdict statement.
        report_digest: SHA-256 of the report's signed bytes.
        policy_digest: SHA-256 of the policy's bytes.
        judged_at: the moment the certificates were checked for.
        reported_tcb: REPORTED_TCB, eight bytes as the report stores them. On chain they are one integer, read
            little-endian, as AMD defines TCB_VERSION; so 04 00 00 00 00 00 18 db is 0xdb18000000000004.
        checks: bit n is set if the check with `Check.bit` n passed.
        grade: 0, 1 or 2.
        product_line: a code of PRODUCT_LINE_CODES, or SIMULATED_CODE.
        name, version: 1 to 256 bytes of UTF-8 each. The registry keeps only a digest of both; the event has them.
    """

    manifest_digest: bytes
    model_digest: bytes
    verdict_digest: bytes
    report_digest: bytes
    policy_digest: bytes
    judged_at: datetime
    reported_tcb: bytes
    checks: int
    grade: int
    product_line: int
    name: str
    version: str

    def publish_arguments(self) -> tuple[bytes, RecordTuple, str, str]:
        """The arguments of `publish`, in the contract's order."""
        fields = (
            self.model_digest,
            self.verdict_digest,
            self.report_digest,
            self.policy_digest,
            int(self.judged_at.timestamp()),
            int.from_bytes(self.reported_tcb, "little"),
            self.checks,
            self.grade,
            self.product_line,
        )
        return self.manifest_digest, fields, self.name, self.version


# Solidity's struct Record: model, verdict, report and policy digest, judgedAt, reportedTcb, checks, grade, productLine.
RecordTuple = tuple[bytes, bytes, bytes, bytes, int, int, int, int, int]
# Solidity's struct Entry: record, releaseDigest, oracle (0x and 40 hex digits), recordedAt, revokedAt.
EntryTuple = tuple[RecordTuple, bytes, str, int, int]


@dataclass(frozen=True)
class Entry:
    """A record as the registry keeps it, revoked or not. Fields of the same name mean what they mean in `Record`.

    Fields:
        release_digest: keccak256 of the ABI encoding of (name, version).
        oracle: address that published the record, 20 bytes.
        recorded_at: time of the block that holds the record.
        revoked_at: time of the block that revoked it, None while it is active.
    """

    manifest_digest: bytes
    model_digest: bytes
    verdict_digest: bytes
    report_digest: bytes
    policy_digest: bytes
    judged_at: datetime
    reported_tcb: bytes
    checks: int
    grade: int
    product_line: int
    release_digest: bytes
    oracle: bytes
    recorded_at: datetime
    revoked_at: datetime | None

    @property
    def judged_as_of(self) -> datetime:
        """The moment to judge this release for again: `judged_at` where its block bears it out, else the block's time.

        The oracle chooses `judged_at`. One that reached far back would revive certificates that had expired, or were
        revoked, when the record was written.
        """
        age = self.recorded_at - self.judged_at
        return self.judged_at if -JUDGED_AFTER_MAX <= age <= JUDGED_BEFORE_MAX else self.recorded_at

    @property
    def passed_checks(self) -> tuple[Check, ...]:
        """The checks that passed, of those this version knows."""
        return tuple(check for check in Check if self.checks >> check.bit & 1)


def record_of(
    result: AttestationResult, files: FileSet, findings: tuple[Finding, ...], verdict_digest: bytes
) -> Record:
    """The record that an accepted release earns.

    Raises:
        UsageError: the evidence was judged under an unsafe root; that is never recorded.
    """
    claims, manifest = result.claims, result.manifest
    return Record(
        manifest_digest=manifest.digest,
        model_digest=files.model_digest,
        verdict_digest=verdict_digest,
        report_digest=claims.report.digest,
        policy_digest=result.policy.digest,
        judged_at=result.at.replace(microsecond=0),
        reported_tcb=claims.report.reported_tcb,
        checks=passed_bits(findings),
        grade=result.grade,
        product_line=product_line_code(claims.line, claims.root_kind),
        name=manifest.name,
        version=manifest.version,
    )


def product_line_code(line: ProductLine, root_kind: RootKind) -> int:
    """The byte that stands for a product line on chain.

    Raises:
        UsageError: the root was accepted by an unsafe option.
    """
    if root_kind is RootKind.UNSAFE:
        raise UsageError("evidence under an unsafe root is never recorded", got=root_kind, wanted=RootKind.AMD)
    return SIMULATED_CODE if root_kind is RootKind.SIMULATOR else PRODUCT_LINE_CODES[line]


def product_line_name(line: ProductLine, root_kind: RootKind) -> str:
    """The name of a product line in verdicts; what does not end at AMD's root is not hardware and says so."""
    names = {RootKind.AMD: str(line), RootKind.SIMULATOR: SIMULATED_NAME, RootKind.UNSAFE: "unsafe-root"}
    return names[root_kind]


def name_of_product_line(code: int) -> str:
    """The name of a product line as a record holds it; a line newer than this version is shown by its number."""
    names = {number: str(line) for line, number in PRODUCT_LINE_CODES.items()} | {SIMULATED_CODE: SIMULATED_NAME}
    return names.get(code, f"line {code}")


def parse_entry(manifest_digest: bytes, values: EntryTuple, where: str) -> Entry:
    """Turn what the contract's `entryOf` returned into an `Entry`.

    Raises:
        FormatError: values that the contract cannot hold (check `registry-record`).
    """
    fields, release_digest, oracle, recorded_at, revoked_at = values
    model, verdict, report, policy, judged_at, reported_tcb, checks, grade, product_line = fields
    if recorded_at == 0 or grade > GRADE_MAX:
        raise FormatError(
            "not an entry of the registry",
            check=Check.REGISTRY_RECORD,
            where=where,
            got=f"recordedAt {recorded_at}, grade {grade}",
            wanted=f"a time, grade 0 to {GRADE_MAX}",
        )
    return Entry(
        manifest_digest=manifest_digest,
        model_digest=model,
        verdict_digest=verdict,
        report_digest=report,
        policy_digest=policy,
        judged_at=_parse_time(judged_at, where),
        reported_tcb=reported_tcb.to_bytes(8, "little"),
        checks=checks,
        grade=grade,
        product_line=product_line,
        release_digest=release_digest,
        oracle=bytes.fromhex(oracle.removeprefix("0x")),
        recorded_at=_parse_time(recorded_at, where),
        revoked_at=_parse_time(revoked_at, where) if revoked_at else None,
    )


def _parse_time(seconds: int, where: str) -> datetime:
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        raise FormatError(
            "a time beyond the calendar",
            check=Check.REGISTRY_RECORD,
            where=where,
            got=str(seconds),
            wanted="seconds since 1970, before the year 10000",
        ) from None


# What follows from the release alone. Verdict, policy, time, grade and checks depend on who judged, when and how.
_RELEASE_FIELDS = ("manifest_digest", "model_digest", "report_digest", "reported_tcb", "product_line")


def match_entry(record: Record, entry: Entry) -> None:
    """Compare a reader's own judgement of a release with the entry on chain, in every field that cannot differ.

    Raises:
        VerificationError: a field differs (check `registry-record`).
    """
    for field in _RELEASE_FIELDS:
        own, kept = getattr(record, field), getattr(entry, field)
        if own != kept:
            raise VerificationError(
                f"the record on chain is of another release ({field})",
                check=Check.REGISTRY_RECORD,
                where="registry",
                got=_shown(kept),
                wanted=_shown(own),
            )


def _shown(value: bytes | int) -> str:
    return value.hex() if isinstance(value, bytes) else str(value)

"""The exact fields that go on chain and what they mean. `contracts/Types.sol` says the same in Solidity.

A `Record` is what an oracle says about one release, a `WrittenRecord` what the oracles signed (see
`verifier.record.codec`), an `Entry` that record as the registry keeps it. Digests are 32 bytes; times are aware and
whole seconds.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.errors import UsageError, VerificationError
from provenance_oracle.verifier.manifest.statement import MODEL_DIGEST, Manifest
from provenance_oracle.verifier.record.closure import Closure
from provenance_oracle.verifier.record.standing import SIMULATED_CODE, Standing
from provenance_oracle.verifier.snp.products import ProductLine, RootKind

# One byte on chain: append only. 0 is refused by the contract, 255 is hardware that was simulated.
PRODUCT_LINE_CODES = {ProductLine.MILAN: 1, ProductLine.GENOA: 2, ProductLine.TURIN: 3}
SIMULATED_NAME = "simulated"

# How long before its block a record may have been judged (a chain was down, fees were too high), and how long after
# it: the contract lets an oracle's clock be that much ahead.
JUDGED_BEFORE_MAX = timedelta(days=7)
JUDGED_AFTER_MAX = timedelta(minutes=5)


@dataclass(frozen=True)
class RecordFields:
    """What every form of a record says.

    Fields:
        manifest_digest: SHA-256 of the signed manifest's payload.
        model_digest: provenance-model-v1 digest of the model's files. Both digests together identify the release.
        verdict_digest: SHA-256 of the verdict statement.
        report_digest: SHA-256 of the report's signed bytes.
        policy_digest: SHA-256 of the policy's bytes.
        publisher_identity: who published it, see `workload_identity`; 32 zero bytes if nobody knows.
        judged_at: the moment the certificates were checked for.
        reported_tcb: REPORTED_TCB, eight bytes as the report stores them. On chain they are one integer, read
            little-endian, as AMD defines TCB_VERSION; so 04 00 00 00 00 00 18 db is 0xdb18000000000004.
        checks: bit n is set if the check with `Check.bit` n passed.
        grade: 0, 1 or 2.
        product_line: a code of PRODUCT_LINE_CODES, or SIMULATED_CODE.
        passed: False for a FAILED verdict, which is kept and opens no gate.
        revision: 0 for the first judgement of a release, n + 1 for the one that supersedes judgement n.
        name: `namespace/model`.
        version: with the model's part of the name at most 254 bytes of UTF-8.
    """

    manifest_digest: bytes
    model_digest: bytes
    verdict_digest: bytes
    report_digest: bytes
    policy_digest: bytes
    publisher_identity: bytes
    judged_at: datetime
    reported_tcb: bytes
    checks: int
    grade: int
    product_line: int
    passed: bool
    revision: int
    name: str
    version: str

    @property
    def namespace(self) -> str:
        """The part of the name before the slash."""
        return self.name.partition("/")[0]

    @property
    def passed_checks(self) -> tuple[Check, ...]:
        """The checks that passed, of those this version knows."""
        return tuple(check for check in Check if self.checks >> check.bit & 1)


@dataclass(frozen=True)
class Record(RecordFields):
    """What an oracle says about one release.

    Fields:
        parent_models: model digests of what it was made from, as the manifest names them. On chain a parent is the id
            of a recorded release, so the writer looks them up.
    """

    parent_models: tuple[bytes, ...]


@dataclass(frozen=True)
class WrittenRecord(RecordFields):
    """What the oracles signed, read back from its bytes.

    Fields:
        policy_id: the registry's number for the policy.
        parents: ids of the releases it was made from.
    """

    policy_id: int
    parents: tuple[bytes, ...]


@dataclass(frozen=True)
class Signer:
    """An oracle that signed a record.

    Fields:
        index: its number in the epoch's oracle set.
        address: its key's address, 20 bytes; None if a ROFL app bound another key since, which did not sign.
        weight: how much its signature counts.
        counts: False if the key was revoked for the time at which the record was written.
    """

    index: int
    address: bytes | None
    weight: int
    counts: bool


@dataclass(frozen=True)
class Entry(WrittenRecord):
    """A record as the registry keeps it, open or not.

    Fields:
        record_id: where it is kept; that of the release unless this is a later judgement or a FAILED verdict.
        standing: how it stands.
        threshold: the weight that its epoch asks for.
        signers: who signed, lowest number first.
    """

    record_id: bytes
    standing: Standing
    threshold: int
    signers: tuple[Signer, ...]

    @property
    def recorded_at(self) -> datetime:
        """Time of the block that holds the record, or the batch that it was in."""
        return self.standing.recorded_at

    @property
    def revoked_at(self) -> datetime | None:
        """From when on the release is revoked, which may lie in the future; None if it is not."""
        return self.standing.revoked_at

    @property
    def weight(self) -> int:
        """What the signers weigh whose keys still count."""
        return sum(signer.weight for signer in self.signers if signer.counts)

    @property
    def is_doubtful(self) -> bool:
        """Whether revoked keys leave too few signatures, whether or not somebody had them recounted on chain."""
        return self.standing.doubtful or self.weight < self.threshold

    @property
    def is_superseded(self) -> bool:
        """Whether a later judgement stands in this one's place."""
        return self.passed and self.standing.revisions > self.revision

    @property
    def closure(self) -> Closure | None:
        """Why this record does not speak for its release; None if it is active."""
        if not self.passed:
            return Closure.FAILED
        if self.revoked_at is not None:
            return Closure.REVOKED
        if self.standing.held:
            return Closure.HELD
        if self.is_doubtful:
            return Closure.DOUBTFUL
        return Closure.SUPERSEDED if self.is_superseded else None

    @property
    def judged_as_of(self) -> datetime:
        """The moment to judge this release for again: `judged_at` where its block bears it out, else the block's time.

        The oracles choose `judged_at`. One that reached far back would revive certificates that had expired, or were
        revoked, when the record was written.
        """
        age = self.recorded_at - self.judged_at
        return self.judged_at if -JUDGED_AFTER_MAX <= age <= JUDGED_BEFORE_MAX else self.recorded_at


def workload_identity(measurement: bytes, *, simulated: bool = False) -> bytes:
    """The identity of a publisher who is known by the launch measurement of the VM that made the release.

    It proves that this very image was launched on a genuine chip, so that its code decided what was signed. It does not
    prove who launched it: anyone can launch the same image. A simulated measurement is anybody's word, so it gives
    another identity: whoever trusts an image trusts no simulation of it.

    Args:
        measurement: the report's MEASUREMENT, 48 bytes.
    """
    kind = "simulated-snp-measurement" if simulated else "snp-measurement"
    return hashlib.sha256(f"provenance-identity-v1\n{kind} {measurement.hex()}\n".encode()).digest()


def parent_models(manifest: Manifest) -> tuple[bytes, ...]:
    """Model digests among a manifest's dependencies, each once, in its order: what may be recorded itself."""
    named = (value for entry in manifest.dependencies for name, value in entry.digests if name == MODEL_DIGEST)
    return tuple(dict.fromkeys(named))


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


# What follows from the release alone. Verdict, policy, time, grade and checks depend on who judged, when and how.
_RELEASE_FIELDS = (
    "manifest_digest",
    "model_digest",
    "report_digest",
    "reported_tcb",
    "product_line",
    "name",
    "version",
)


def match_entry(record: Record, entry: RecordFields) -> None:
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


def _shown(value: bytes | int | str) -> str:
    return value.hex() if isinstance(value, bytes) else str(value)

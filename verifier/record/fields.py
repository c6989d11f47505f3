"""The fields that go on chain and their meaning. `contracts/Types.sol` has the same in Solidity.

A `Record` is one oracle's statement about a release. A `WrittenRecord` is the statement that the oracles signed (see
`verifier.record.codec`). An `Entry` is that record as the registry keeps it. Digests are 32 bytes; times are aware
datetimes in whole seconds.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

from provenance_oracle.verifier.checks import Check
from provenance_oracle.verifier.errors import UsageError, VerificationError
from provenance_oracle.verifier.manifest.statement import MANIFEST_DIGEST, MODEL_DIGEST, Manifest
from provenance_oracle.verifier.record.closure import Closure
from provenance_oracle.verifier.record.standing import SIGNED_CODE, SIMULATED_CODE, Standing
from provenance_oracle.verifier.snp.products import ProductLine, RootKind

# One byte on chain: append only. The contract refuses 0; 254 means a release that has only a signature, 255 simulated
# hardware.
PRODUCT_LINE_CODES = {ProductLine.MILAN: 1, ProductLine.GENOA: 2, ProductLine.TURIN: 3}
SIMULATED_NAME = "simulated"
SIGNED_NAME = "no confidential hardware"

# What a release that has only a signature has in place of a report's digest and of REPORTED_TCB.
NO_REPORT = bytes(32)
NO_TCB = bytes(8)

# A record may have been judged this long before its block, since the chain may be down or fees too high, and this long
# after it, since the contract allows an oracle's clock to be that much ahead.
JUDGED_BEFORE_MAX = timedelta(days=7)
JUDGED_AFTER_MAX = timedelta(minutes=5)


@dataclass(frozen=True)
class RecordFields:
    """The fields that every form of a record has.

    Attributes:
        manifest_digest: SHA-256 of the signed manifest's payload.
        model_digest: provenance-model-v1 digest of the model's files. Both digests together identify the release.
        verdict_digest: SHA-256 of the verdict statement.
        snp_report_digest: SHA-256 of the report's signed bytes; NO_REPORT for a signed release.
        policy_digest: SHA-256 of the policy's bytes.
        publisher_identity: the publisher's identity, see `workload_identity`; 32 zero bytes if it is unknown.
        judged_at: the moment of judgement, for which the certificates were checked.
        reported_tcb: REPORTED_TCB, eight bytes as the report stores them. On chain they are one integer, read
            little-endian, as AMD defines TCB_VERSION; so 04 00 00 00 00 00 18 db is 0xdb18000000000004.
        checks: bit n is set if the check with `Check.bit` n passed.
        grade: 0, 1 or 2.
        product_line: a code of PRODUCT_LINE_CODES, SIMULATED_CODE, or SIGNED_CODE: no confidential hardware, because
            the release has only its publisher's signature (a signed release, see `signed_record`).
        passed: False for a FAILED verdict, which the registry keeps and which opens no gate.
        revision: 0 for the first judgement of a release, n + 1 for the judgement that supersedes judgement n.
        name: `namespace/model`.
        version: together with the model's part of the name at most 254 bytes of UTF-8.
    """

    manifest_digest: bytes
    model_digest: bytes
    verdict_digest: bytes
    snp_report_digest: bytes
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
    def is_signed_only(self) -> bool:
        """Whether the release has only its publisher's signature, and no evidence of where it was made."""
        return self.product_line == SIGNED_CODE

    @property
    def passed_checks(self) -> tuple[Check, ...]:
        """The checks that passed, as far as this version of the package knows them."""
        return _checks_in(self.checks)


@lru_cache(maxsize=256)  # of few different values, and asked for with every record that is shown
def _checks_in(bits: int) -> tuple[Check, ...]:
    return tuple(check for check in Check if bits >> check.bit & 1)


@dataclass(frozen=True)
class NamedParent:
    """A base model, adapter or other dependency that may have a record, as the manifest names it.

    Both digests (32 bytes) together name one release. Without the manifest digest, it may be any release of the model.
    """

    model_digest: bytes
    manifest_digest: bytes | None = None


@dataclass(frozen=True)
class Record(RecordFields):
    """One oracle's statement about a release.

    Attributes:
        named_parents: its parents as the manifest names them. On chain a parent is the id of a recorded release; the
            writer looks up these ids.
    """

    named_parents: tuple[NamedParent, ...]


@dataclass(frozen=True)
class WrittenRecord(RecordFields):
    """The record that the oracles signed, parsed from its bytes.

    Attributes:
        policy_id: the registry's number for the policy.
        parents: ids of the releases that it was made from, 32 bytes each.
    """

    policy_id: int
    parents: tuple[bytes, ...]


@dataclass(frozen=True)
class RecordSigner:
    """An oracle that signed a record.

    Attributes:
        index: its number in the epoch's oracle set.
        address: the address of its key, 20 bytes; None if a ROFL app has since bound another key, which did not sign.
        weight: the weight of its signature.
        counts: False if the key was revoked for the time at which the record was written.
    """

    index: int
    address: bytes | None
    weight: int
    counts: bool


@dataclass(frozen=True)
class BatchPlace:
    """The place of a record in a batch: the root (32 bytes), and the number of the leaf."""

    root: bytes
    leaf: int


@dataclass(frozen=True)
class Entry(WrittenRecord):
    """A record as the registry keeps it, active or not.

    Attributes:
        record_id: its id; that of the release unless this is a later judgement or a FAILED verdict.
        standing: its state in the registry.
        threshold: the weight of signatures that its epoch requires.
        signers: the oracles that signed, lowest number first.
        model_revoked_at: the moment from which every release of its model is revoked; None if the model is not revoked.
        batch: the place of a record that only a proof shows; None for a record of its own.
    """

    record_id: bytes
    standing: Standing
    threshold: int
    signers: tuple[RecordSigner, ...]
    model_revoked_at: datetime | None = None
    batch: BatchPlace | None = None

    @property
    def recorded_at(self) -> datetime:
        """The time of the block that holds the record or its batch."""
        return self.standing.recorded_at

    @property
    def revoked_at(self) -> datetime | None:
        """The moment from which the release is revoked, possibly in the future; None if it is not revoked.

        The release counts as revoked with its model, even if nobody has applied that revocation to its record yet.
        """
        moments = (self.standing.revoked_at, self.model_revoked_at)
        return min((moment for moment in moments if moment is not None), default=None)

    @property
    def awaits_revocation(self) -> bool:
        """Whether its model is revoked and nobody has applied that to this record, so that the plain gate is open."""
        return self.passed and self.revoked_at != self.standing.revoked_at

    @property
    def weight(self) -> int:
        """The total weight of the signers whose keys still count."""
        return sum(signer.weight for signer in self.signers if signer.counts)

    @property
    def is_doubtful(self) -> bool:
        """Whether revoked keys leave too few signatures, even if nobody has had them recounted on chain."""
        return self.standing.doubtful or self.weight < self.threshold

    @property
    def is_superseded(self) -> bool:
        """Whether a later judgement supersedes this one."""
        return self.passed and self.standing.revisions > self.revision

    @property
    def closure(self) -> Closure | None:
        """The reason why this record is not active; None if it is active."""
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
        """The moment for which to judge this release again: `judged_at` if close to `recorded_at`, else `recorded_at`.

        "Close" is at most JUDGED_BEFORE_MAX before that time and JUDGED_AFTER_MAX after it. The oracles choose
        `judged_at`; a moment far in the past would revive certificates that had expired, or were revoked, when the
        record was written.
        """
        age = self.recorded_at - self.judged_at
        return self.judged_at if -JUDGED_AFTER_MAX <= age <= JUDGED_BEFORE_MAX else self.recorded_at


def workload_identity(measurement: bytes, *, simulated: bool = False) -> bytes:
    """Return the identity (32 bytes) of a publisher known by the launch measurement of the VM that made the release.

    SHA-256 of the lines `provenance-identity-v1` and `snp-measurement HEX`. The identity proves that this image was
    launched on a genuine chip, so its code decided what to sign. It does not prove who launched it, since anyone can
    launch the same image. Anyone can make up a simulated measurement, so it gives a different identity (the second line
    is `simulated-snp-measurement HEX`): trust in an image must not extend to a simulation of it.

    Args:
        measurement: the report's MEASUREMENT, 48 bytes.
    """
    kind = "simulated-snp-measurement" if simulated else "snp-measurement"
    return hashlib.sha256(f"provenance-identity-v1\n{kind} {measurement.hex()}\n".encode()).digest()


def signed_record(
    *,
    manifest_digest: bytes,
    model_digest: bytes,
    verdict_digest: bytes,
    policy_digest: bytes,
    publisher_identity: bytes,
    judged_at: datetime,
    checks: int,
    name: str,
    version: str,
) -> Record:
    """Return the record of a release that has only its publisher's signature. The arguments are those of `Record`.

    Args:
        manifest_digest: SHA-256 of the signature's payload, the statement that names the files.
        name, version: where the oracle found the release, since such a signature binds no name.
    """
    return Record(
        manifest_digest=manifest_digest,
        model_digest=model_digest,
        verdict_digest=verdict_digest,
        snp_report_digest=NO_REPORT,
        policy_digest=policy_digest,
        publisher_identity=publisher_identity,
        judged_at=judged_at,
        reported_tcb=NO_TCB,
        checks=checks,
        grade=0,
        product_line=SIGNED_CODE,
        passed=True,
        revision=0,
        name=name,
        version=version,
        named_parents=(),
    )


def named_parents(manifest: Manifest) -> tuple[NamedParent, ...]:
    """Return the dependencies that may have records, each once, in their order."""
    digests = (dict(entry.digests) for entry in manifest.dependencies)
    named = (NamedParent(found[MODEL_DIGEST], found.get(MANIFEST_DIGEST)) for found in digests if MODEL_DIGEST in found)
    return tuple(dict.fromkeys(named))


def product_line_code(line: ProductLine, root_kind: RootKind) -> int:
    """Return the code (one byte) of a product line on chain.

    Raises:
        UsageError: the root was accepted only by an unsafe option.
    """
    if root_kind is RootKind.UNSAFE:
        raise UsageError("evidence under an unsafe root is never recorded", got=root_kind, wanted=RootKind.AMD)
    return SIMULATED_CODE if root_kind is RootKind.SIMULATOR else PRODUCT_LINE_CODES[line]


def product_line_label(line: ProductLine, root_kind: RootKind) -> str:
    """Return the name of a product line in verdicts. Under a root that is not AMD's the name says so instead."""
    names = {RootKind.AMD: str(line), RootKind.SIMULATOR: SIMULATED_NAME, RootKind.UNSAFE: "unsafe-root"}
    return names[root_kind]


def product_line_from_code(code: int) -> str:
    """Return the name for a product line's code on chain. A code newer than this version is shown as its number."""
    names = {number: str(line) for line, number in PRODUCT_LINE_CODES.items()}
    names |= {SIMULATED_CODE: SIMULATED_NAME, SIGNED_CODE: SIGNED_NAME}
    return names.get(code, f"line {code}")


# The fields that follow from the release alone. Verdict, policy, time, grade and checks depend on the judgement.
_RELEASE_FIELDS = (
    "manifest_digest",
    "model_digest",
    "snp_report_digest",
    "reported_tcb",
    "product_line",
    "name",
    "version",
)


def match_entry(record: Record, entry: RecordFields) -> None:
    """Compare the record that your own judgement made with the entry on chain, in every field that must be equal.

    Raises:
        VerificationError: a field differs (check `registry-record`).
    """
    for field in _RELEASE_FIELDS:
        own, kept = getattr(record, field), getattr(entry, field)
        if own != kept:
            raise VerificationError(
                f"the record on chain belongs to another release ({field} differs)",
                check=Check.REGISTRY_RECORD,
                where="registry",
                got=_shown(kept),
                wanted=_shown(own),
            )


def _shown(value: bytes | int | str) -> str:
    return value.hex() if isinstance(value, bytes) else str(value)

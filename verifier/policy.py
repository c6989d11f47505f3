"""Appraisal policies: one YAML page that says what evidence must show, as a frozen value.

The dataclasses below are the schema of the page. A rule left out is an error, never a pass; what is deliberately
not checked is written `any`. `docs/policy.md` says what each rule is for. Names of fields are AMD's, in lower case
(SEV-SNP Firmware ABI, document 56860: guest policy, PLATFORM_INFO, TCB_VERSION).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import cache
from importlib import resources
from itertools import combinations
from pathlib import Path
from typing import Annotated, Literal

from provenance_oracle.verifier.errors import UsageError
from provenance_oracle.verifier.snp.products import Cpuid, ProductLine, RootKind, line_of_cpuid
from provenance_oracle.verifier.snp.tcb import LAYOUTS, Tcb
from provenance_oracle.verifier.strict.parse_yaml import MAX_BYTES, Place, parse_yaml
from provenance_oracle.verifier.strict.schema import Between, HexOf, Like, RuleError, build
from provenance_oracle.verifier.text import printable

SHIPPED_POLICIES = ("unsafe-any", "demo", "baseline", "strict")
# The grade that a shipped policy stands for; every other policy, and unmet evidence, is grade 0.
GRADES = {"baseline": 1, "strict": 2}


class Word(StrEnum):
    """The words that rules are made of."""

    ANY = "any"
    REQUIRED = "required"
    FORBIDDEN = "forbidden"
    ACCEPTED = "accepted"
    REFUSED = "refused"


Unchecked = Literal[Word.ANY]
BitRule = Literal[Word.REQUIRED, Word.FORBIDDEN, Word.ANY]
Demand = Literal[Word.REQUIRED, Word.ANY]

Byte = Annotated[int, Between(0, 0xFF)]
Hex16 = tuple[Annotated[bytes, HexOf((16,))], ...] | Unchecked
Hex32 = tuple[Annotated[bytes, HexOf((32,))], ...] | Unchecked
Hex48 = tuple[Annotated[bytes, HexOf((48,))], ...] | Unchecked
Hex64 = tuple[Annotated[bytes, HexOf((64,))], ...] | Unchecked
# Turin's chips are known by 8 bytes, which a report pads with zeros to 64.
ChipIds = tuple[Annotated[bytes, HexOf((8, 64))], ...] | Unchecked
SourceDate = Annotated[str, Like("20[0-9]{2}-[01][0-9](-[0-3][0-9])?", "YYYY-MM or YYYY-MM-DD in quotes")]


@dataclass(frozen=True, order=True)
class Abi:
    """A version of AMD's SEV-SNP firmware interface, such as 1.55."""

    major: Byte
    minor: Byte

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}"


@dataclass(frozen=True, order=True)
class Firmware:
    """A version of AMD's SEV-SNP firmware with its build, such as 1.55.38."""

    major: Byte
    minor: Byte
    build: Byte

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}.{self.build}"


@dataclass(frozen=True)
class GuestPolicyRules:
    """What the guest's owner fixed at launch. A bit rule says whether that bit must be one, zero, or either."""

    debug: BitRule
    migrate_ma: BitRule
    cxl_allow: BitRule
    smt: BitRule
    single_socket: BitRule
    mem_aes_256_xts: BitRule
    rapl_dis: BitRule
    ciphertext_hiding: BitRule
    page_swap_disable: BitRule
    minimum_abi: Abi | Unchecked
    migration_agent: Literal[Word.FORBIDDEN, Word.ANY]


@dataclass(frozen=True)
class PlatformInfoRules:
    """What the host has switched on, bit by bit, and what to make of bits that are not known here."""

    smt: BitRule
    tsme: BitRule
    ecc: BitRule
    rapl_dis: BitRule
    ciphertext_hiding: BitRule
    alias_check_complete: BitRule
    iommu_write_safe: BitRule
    tio: BitRule
    unknown_bits: Literal[Word.REFUSED, Word.ANY]


class TcbKind(StrEnum):
    """The four TCB versions in a report."""

    CURRENT = "current"
    COMMITTED = "committed"
    REPORTED = "reported"
    LAUNCH = "launch"


@dataclass(frozen=True)
class Models:
    """CPUID models from first to last, both included."""

    first: Byte
    last: Byte


@dataclass(frozen=True)
class Floor(Tcb):
    """The least version of every part of the firmware; on Turin fmc too."""

    bootloader: Byte
    tee: Byte
    snp: Byte
    microcode: Byte
    fmc: Byte | None = None


@dataclass(frozen=True)
class FloorRow:
    """The least firmware for one kind of processor, or the refusal of that kind; `basis` and `date` name the source."""

    part: str
    line: ProductLine
    family: Byte
    models: Models
    steppings: tuple[Annotated[int, Between(0, 15)], ...] | Unchecked
    floor: Floor | Literal[Word.REFUSED]
    firmware: Firmware | Unchecked
    basis: str
    date: SourceDate

    def __post_init__(self) -> None:
        ends = [line_of_cpuid(Cpuid(self.family, model, 0)) for model in (self.models.first, self.models.last)]
        if self.models.first > self.models.last or ends != [self.line, self.line]:
            shown = f"family {self.family:#04x} models {self.models.first:#04x} to {self.models.last:#04x}"
            raise RuleError("models are not of the line", shown, f"a range of {self.line}")
        if isinstance(self.floor, Floor) and (self.floor.fmc is None) == ("fmc" in LAYOUTS[self.line]):
            raise RuleError("floor is not in the line's layout", self.floor, ", ".join(LAYOUTS[self.line]))

    def covers(self, cpuid: Cpuid) -> bool:
        """Return whether this row is the one for a processor."""
        in_range = cpuid.family == self.family and self.models.first <= cpuid.model <= self.models.last
        return in_range and (self.steppings is Word.ANY or cpuid.stepping in self.steppings)

    def overlaps(self, other: FloorRow) -> bool:
        """Return whether some processor would have two rows."""
        first, last = max(self.models.first, other.models.first), min(self.models.last, other.models.last)
        if self.family != other.family or first > last:
            return False
        if self.steppings is Word.ANY or other.steppings is Word.ANY:
            return True
        return bool(set(self.steppings) & set(other.steppings))


@dataclass(frozen=True)
class TcbFloors:
    """Floors per processor kind, and which of the report's TCB versions must meet them."""

    compared: tuple[TcbKind, ...]
    rows: tuple[FloorRow, ...]

    def __post_init__(self) -> None:
        for one, two in combinations(self.rows, 2):
            if one.overlaps(two):
                raise RuleError("two rows for one processor", f"{one.part} and {two.part}", "one row each")


@dataclass(frozen=True)
class TcbConsistency:
    """How the TCB versions of one report must relate; the last rule shuts out provisional firmware."""

    reported_at_most_current: Demand
    committed_at_most_current: Demand
    committed_equals_current: Demand


@dataclass(frozen=True)
class MitigationRow:
    """Bits that a line's mitigation vectors must hold (report version 5)."""

    line: ProductLine
    launch: tuple[Annotated[int, Between(0, 63)], ...] | Unchecked
    current: tuple[Annotated[int, Between(0, 63)], ...] | Unchecked
    basis: str
    date: SourceDate


@dataclass(frozen=True)
class Pins:
    """Values that must be one of a list."""

    measurement: Hex48
    host_data: Hex32
    report_data: Hex64
    id_key_digest: Hex48
    author_key_digest: Hex48
    family_id: Hex16
    image_id: Hex16
    minimum_guest_svn: Annotated[int, Between(0, 0xFFFFFFFF)] | Unchecked
    chip_ids: ChipIds


@dataclass(frozen=True)
class Policy:
    """A policy as read. `digest` is SHA-256 of the YAML bytes (32 bytes); `source` is where they came from.

    `graded` says whether evidence that this policy accepts may be given a grade above 0 (see `grade_of`).
    """

    schema: Literal["tag:provenance-oracle,2026:policy/v1"]
    name: Annotated[str, Like("[a-z0-9][a-z0-9-]{0,63}", "lower-case letters, digits and hyphens, at most 64")]
    version: Annotated[int, Between(1, 0xFFFFFFFF)]
    date: date
    description: str
    graded: bool
    roots: frozenset[Literal[RootKind.AMD, RootKind.SIMULATOR]]
    revocation: Demand
    key_bindings: tuple[Literal["sha256-spki", "sha384-spki", "sha512-spki"], ...]
    report_reuse: Literal[Word.REFUSED, Word.ANY]
    report_versions: tuple[Literal[2, 3, 5], ...]
    vek_kinds: tuple[Literal["vcek", "vlek"], ...]
    masked_chip_id: Literal[Word.ACCEPTED, Word.REFUSED]
    csp_ids: tuple[str, ...] | Unchecked
    vmpl: tuple[Annotated[int, Between(0, 3)], ...] | Unchecked
    guest_policy: GuestPolicyRules
    platform_info: PlatformInfoRules
    tcb_floors: TcbFloors | Unchecked
    tcb_consistency: TcbConsistency
    mitigations: tuple[MitigationRow, ...] | Unchecked
    pins: Pins
    digest: bytes
    source: str

    def __post_init__(self) -> None:
        lines = [row.line for row in self.mitigations] if self.mitigations is not Word.ANY else []
        if len(set(lines)) != len(lines):
            raise RuleError("two mitigation rows for one line", ", ".join(lines), "one row each")
        if self.graded and "vlek" in self.vek_kinds and self.csp_ids is Word.ANY:
            raise RuleError("a VLEK proves only its provider", "csp_ids: any", "csp_ids with the providers trusted")
        if self.graded and self.report_reuse is Word.ANY:
            raise RuleError("a grade stands for a report of its own", "report_reuse: any", "report_reuse: refused")

    @property
    def revocation_required(self) -> bool:
        return self.revocation is Word.REQUIRED


def parse_policy(data: bytes, where: str) -> Policy:
    """Turn the bytes of a YAML policy into a Policy; `where` names them in messages and becomes `source`.

    Raises:
        UsageError: not strict YAML, a rule left out, an unknown key, or a value of the wrong kind.
    """
    outside = {"digest": hashlib.sha256(data).digest(), "source": where}
    return build(Policy, parse_yaml(data, where), Place(where), outside)


def load_policy(name_or_path: str | Path) -> Policy:
    """Load a shipped policy by its name, or one from a file. A `Path` is always a file.

    Raises:
        UsageError: no such policy, a file that cannot be read, anything wrong in it, or a file that calls itself
            by a shipped policy's name and differs from it.
    """
    if isinstance(name_or_path, str) and name_or_path in SHIPPED_POLICIES:
        return shipped_policy(name_or_path)
    policy = parse_policy(_read(Path(name_or_path)), str(name_or_path))
    if policy.name in SHIPPED_POLICIES and policy.digest != shipped_policy(policy.name).digest:
        Place(policy.source, "name").refuse(
            "this is the name of a policy that ships with the project, and the file differs from it",
            policy.name,
            "another name",
        )
    return policy


@cache
def shipped_policy(name: str) -> Policy:
    """Return one of SHIPPED_POLICIES; read from the package once, then kept, as the value is frozen."""
    data = resources.files("provenance_oracle.verifier").joinpath("policies", f"{name}.yaml").read_bytes()
    return parse_policy(data, f"policy {name}")


def _read(path: Path) -> bytes:
    where, wanted = printable(str(path)), f"a readable YAML file, or one of {', '.join(SHIPPED_POLICIES)}"
    try:
        if not path.is_file():
            raise UsageError("no such policy", where=where, got="no file", wanted=wanted)
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except OSError as problem:
        raise UsageError("cannot read the policy", where=where, got=problem.strerror or "", wanted=wanted) from problem

"""Appraisal policies: one YAML page with the requirements on evidence, parsed into a frozen value.

The dataclasses below are the schema of the page. A missing rule is an error, never a pass; a rule that you leave
unchecked on purpose has the value `any`. `docs/policy.md` explains the purpose of each rule. Field names are AMD's, in
lower case (SEV-SNP Firmware ABI, document 56860: guest policy, PLATFORM_INFO, TCB_VERSION).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Annotated, Literal

from provenance_oracle.verifier.errors import TemporaryError, UsageError
from provenance_oracle.verifier.snp.products import Cpuid, ProductLine, RootKind, line_of_cpuid
from provenance_oracle.verifier.snp.tcb import TCB_LAYOUTS, Tcb
from provenance_oracle.verifier.strict.files import open_any_file, pieces_of_file
from provenance_oracle.verifier.strict.parse_yaml import YAML_MAX_BYTES, KeyPath, parse_yaml
from provenance_oracle.verifier.strict.schema import Between, HexOf, Like, RuleError, build
from provenance_oracle.verifier.text import printable

SHIPPED_POLICIES = ("signed", "unsafe-any", "demo", "baseline", "strict")
# The grade that evidence earns by meeting a shipped policy. Evidence that meets neither policy has grade 0.
GRADES = {"baseline": 1, "strict": 2}
_STEPPINGS = 16  # a CPUID stepping has four bits


class Word(StrEnum):
    """The values that a rule can have in the YAML page."""

    ANY = "any"
    REQUIRED = "required"
    FORBIDDEN = "forbidden"
    ACCEPTED = "accepted"
    REFUSED = "refused"


Unchecked = Literal[Word.ANY]
BitRule = Literal[Word.REQUIRED, Word.FORBIDDEN, Word.ANY]
Demand = Literal[Word.REQUIRED, Word.ANY]

# `required`, or identities of which the publisher must have one; `verifier.identity.names` has the forms of lines.
IdentityLine = Annotated[
    str,
    Like(
        "(key|certificate|authority|sigstore|workflow) [^ ].{0,1000}",
        "the line of an identity, see `provenance identity`",
    ),
]
PublisherRule = tuple[IdentityLine, ...] | Literal[Word.ANY, Word.REQUIRED]

Byte = Annotated[int, Between(0, 0xFF)]
Hex16 = tuple[Annotated[bytes, HexOf((16,))], ...] | Unchecked
Hex32 = tuple[Annotated[bytes, HexOf((32,))], ...] | Unchecked
Hex48 = tuple[Annotated[bytes, HexOf((48,))], ...] | Unchecked
Hex64 = tuple[Annotated[bytes, HexOf((64,))], ...] | Unchecked
# The chip id of a Turin processor has 8 bytes; the report pads it with zeros to 64.
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
    """Rules for the report's POLICY field, which the guest's owner fixes at launch (AMD 56860, guest policy).

    A bit rule is `required` (the bit must be one), `forbidden` (zero) or `any`. `minimum_abi` is the lowest ABI version
    accepted.
    """

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
    """Rules for the bits of the report's PLATFORM_INFO field, which describes the host (AMD 56860, PLATFORM_INFO).

    `unknown_bits` says whether a report is refused that sets a bit without a field here.
    """

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
    """The lowest accepted version of each TCB component. `fmc` exists on Turin only, and must be given there."""

    bootloader: Byte
    tee: Byte
    snp: Byte
    microcode: Byte
    fmc: Byte | None = None


@dataclass(frozen=True)
class FloorRow:
    """The lowest accepted firmware for one kind of processor, or the refusal of that kind.

    `basis` and `date` name the source of the numbers, such as a bulletin of AMD. `steppings` are CPUID steppings.
    """

    part: str
    line: ProductLine
    family: Byte
    models: Models
    steppings: tuple[Annotated[int, Between(0, _STEPPINGS - 1)], ...] | Unchecked
    floor: Floor | Literal[Word.REFUSED]
    firmware: Firmware | Unchecked
    basis: str
    date: SourceDate

    def __post_init__(self) -> None:
        ends = [line_of_cpuid(Cpuid(self.family, model, 0)) for model in (self.models.first, self.models.last)]
        if self.models.first > self.models.last or ends != [self.line, self.line]:
            shown = f"family {self.family:#04x} models {self.models.first:#04x} to {self.models.last:#04x}"
            raise RuleError("the models are not a range of the product line", shown, f"a range of {self.line}")
        if isinstance(self.floor, Floor) and (self.floor.fmc is None) == ("fmc" in TCB_LAYOUTS[self.line]):
            problem = "the floor does not have the TCB components of the product line"
            raise RuleError(problem, self.floor, ", ".join(TCB_LAYOUTS[self.line]))

    def covers(self, cpuid: Cpuid) -> bool:
        """Return whether this row applies to the processor with this CPUID."""
        in_range = cpuid.family == self.family and self.models.first <= cpuid.model <= self.models.last
        return in_range and (self.steppings is Word.ANY or cpuid.stepping in self.steppings)

    def processors(self) -> Iterator[tuple[int, int, int]]:
        """Yield family, model and stepping of every processor that this row applies to."""
        for model in range(self.models.first, self.models.last + 1):
            for stepping in range(_STEPPINGS) if self.steppings is Word.ANY else self.steppings:
                yield self.family, model, stepping


@dataclass(frozen=True)
class TcbFloors:
    """Floors per kind of processor. `compared` lists the TCB versions of the report that must meet them."""

    compared: tuple[TcbKind, ...]
    rows: tuple[FloorRow, ...]

    def __post_init__(self) -> None:
        row_of: dict[tuple[int, int, int], FloorRow] = {}
        for row in self.rows:
            for processor in row.processors():
                first = row_of.setdefault(processor, row)
                if first is not row:
                    raise RuleError("two rows apply to one processor", f"{first.part} and {row.part}", "one row each")


@dataclass(frozen=True)
class TcbConsistency:
    """Required relations between the TCB versions of one report. The last rule refuses provisional firmware."""

    reported_at_most_current: Demand
    committed_at_most_current: Demand
    committed_equals_current: Demand


@dataclass(frozen=True)
class MitigationRow:
    """Bit numbers that the mitigation vectors of a product line must have set. Only version 5 reports have vectors."""

    line: ProductLine
    launch: tuple[Annotated[int, Between(0, 63)], ...] | Unchecked
    current: tuple[Annotated[int, Between(0, 63)], ...] | Unchecked
    basis: str
    date: SourceDate


@dataclass(frozen=True)
class Pins:
    """Allow lists: a report's value must be in the list. `minimum_guest_svn` is the lowest GUEST_SVN accepted."""

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
    """A parsed policy. `page` holds the YAML bytes, and `digest` their SHA-256 (32 bytes); `source` names their origin.

    `graded` says whether evidence that this policy accepts can get a grade above 0 (see `grade_of`).
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
    report_versions: tuple[Literal[2, 3, 4, 5], ...]
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
    page: bytes = field(repr=False, compare=False)  # `digest` stands for it
    # Optional, so that the bytes and digests of older policies stay.
    publisher: PublisherRule = Word.ANY
    signed_releases: Literal[Word.ACCEPTED, Word.REFUSED] = Word.REFUSED

    def __post_init__(self) -> None:
        lines = [row.line for row in self.mitigations] if self.mitigations is not Word.ANY else []
        if len(set(lines)) != len(lines):
            raise RuleError("two mitigation rows for one product line", ", ".join(lines), "one row each")
        if self.graded and "vlek" in self.vek_kinds and self.csp_ids is Word.ANY:
            problem = "a VLEK proves the cloud provider, not the chip, so a graded policy must list the providers"
            raise RuleError(problem, "csp_ids: any", "csp_ids with the providers trusted")
        if self.graded and self.report_reuse is Word.ANY:
            problem = "a graded policy must refuse a report that another release has used"
            raise RuleError(problem, "report_reuse: any", "report_reuse: refused")

    @property
    def revocation_required(self) -> bool:
        """Whether the policy requires a revocation status from a current list."""
        return self.revocation is Word.REQUIRED


def parse_policy(data: bytes, where: str) -> Policy:
    """Parse the bytes of a YAML policy. `where` names them in messages and becomes `source`.

    Raises:
        UsageError: the bytes are not strict YAML, a rule is missing, a key is unknown, a value has the wrong kind, or
            two rules contradict each other.
    """
    outside = {"digest": hashlib.sha256(data).digest(), "source": where, "page": data}
    return build(Policy, parse_yaml(data, where), KeyPath(where), outside)


def load_policy(name_or_path: str | Path) -> Policy:
    """Load a shipped policy by name, or a policy from a file. A `Path` always means a file.

    Raises:
        UsageError: no policy has this name and no such file exists, the file cannot be read or parsed, or the file has
            the name of a shipped policy and differs from it.
    """
    if isinstance(name_or_path, str) and name_or_path in SHIPPED_POLICIES:
        return shipped_policy(name_or_path)
    policy = parse_policy(_read(Path(name_or_path)), str(name_or_path))
    if policy.name in SHIPPED_POLICIES and policy.digest != shipped_policy(policy.name).digest:
        KeyPath(policy.source).key("name").refuse(
            "a policy of this name ships with the project, and the file differs from it",
            policy.name,
            "another name",
        )
    return policy


@cache
def shipped_policy(name: str) -> Policy:
    """Return one of SHIPPED_POLICIES. It is read from the package once and cached, which is safe for a frozen value."""
    return parse_policy(_shipped_page(name), f"policy {name}")


def policy_page(name_or_path: str) -> str:
    """Return the YAML text of a policy that `load_policy` accepts under the same name or path.

    Raises:
        UsageError: the file cannot be read.
    """
    shipped = name_or_path in SHIPPED_POLICIES
    return (_shipped_page(name_or_path) if shipped else _read(Path(name_or_path))).decode("utf-8")


def _shipped_page(name: str) -> bytes:
    return resources.files("provenance_oracle.verifier").joinpath("policies", f"{name}.yaml").read_bytes()


def _read(path: Path) -> bytes:
    where, wanted = printable(str(path)), f"a readable YAML file, or one of {', '.join(SHIPPED_POLICIES)}"
    try:
        with open_any_file(path) as file:
            return b"".join(pieces_of_file(file, YAML_MAX_BYTES + 1))
    except UsageError as error:
        raise UsageError("no such policy", where=where, got=error.got, wanted=wanted) from error
    except TemporaryError as error:
        raise UsageError("cannot read the policy", where=where, got=error.got, wanted=wanted) from error

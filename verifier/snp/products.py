"""Product lines: CPUID ranges, the form of each line's VEK certificates, and pinned roots.

Sources: virtee/sev `snp.rs` for the CPUID ranges; AMD 57230 (VCEK Certificate and KDS Interface Specification) for the
form of VEKs, compared with real certificates. A root is pinned by the SHA-256 of the ARK's DER certificate, as AMD's
key distribution service (KDS) publishes it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


class ProductLine(StrEnum):
    """A line of processors with its own root, TCB layout and certificate form. Bergamo and Siena belong to Genoa."""

    MILAN = "Milan"
    GENOA = "Genoa"
    TURIN = "Turin"


class RootKind(StrEnum):
    """The owner of the root that a chain ends at: AMD, the project's simulator, or a root that the user supplied."""

    AMD = "amd"
    SIMULATOR = "simulator"
    UNSAFE = "unsafe"


@dataclass(frozen=True)
class TrustedRoot:
    """One acceptable ARK: its product line, the SHA-256 of its DER certificate (32 bytes), and its owner."""

    line: ProductLine
    ark_sha256: bytes
    kind: RootKind


AMD_ROOTS = tuple(
    TrustedRoot(line, bytes.fromhex(digest), RootKind.AMD)
    for line, digest in (
        (ProductLine.MILAN, "69d063b45344d26a2e94e1f4210de49ef555308287d4c174445c95639a540bcd"),
        (ProductLine.GENOA, "4c6598d19c18719c5dfd4a7d335f674e5bfe1d8f800cea2cf270c10d103db2f1"),
        (ProductLine.TURIN, "1f084161a44bb6d93778a904877d4819cafa5d05ef4193b2ded9dd9c73dd3f6a"),
    )
)

# The simulator's private keys are public, so anybody can forge its evidence. Among the shipped policies, only `demo`
# accepts these roots, and a record made from them is marked `simulated`.
SIMULATOR_ROOTS = tuple(
    TrustedRoot(line, bytes.fromhex(digest), RootKind.SIMULATOR)
    for line, digest in (
        (ProductLine.MILAN, "152386dec633d422a7104fcb81de7baec2b1300ebaa4444106c7d542f3c40bcf"),
        (ProductLine.GENOA, "7f3fe4ef2c92d5cd40579cfe6d86c9b13a6a43e7216e9e39629f7cb04bd960f1"),
        (ProductLine.TURIN, "f10e606a8fa25a01ef021521bbc8549cef213dabe778d1bf6574d2c109d1e3fa"),
    )
)


@dataclass(frozen=True)
class Cpuid:
    """CPUID family, model and stepping of the processor, as reports of version 3 and later state them."""

    family: int
    model: int
    stepping: int

    def __str__(self) -> str:
        return f"{self.family:02x}h/{self.model:02x}h/{self.stepping}"


_CPUID_LINES = (
    (0x19, 0x00, 0x0F, ProductLine.MILAN),
    (0x19, 0x10, 0x1F, ProductLine.GENOA),
    (0x19, 0xA0, 0xAF, ProductLine.GENOA),
    (0x1A, 0x00, 0x11, ProductLine.TURIN),
)
# Only used to name the line in an error: Venice is not supported, because its TCB layout is not settled in public.
_VENICE = ((0x1A, 0x50, 0x57), (0x1A, 0x90, 0x9F), (0x1A, 0xA0, 0xAF), (0x1A, 0xC0, 0xC7))


def line_of_cpuid(cpuid: Cpuid) -> ProductLine | None:
    """Return the product line of a processor, or None if the line is not supported (Venice, for example)."""
    for family, first, last, line in _CPUID_LINES:
        if cpuid.family == family and first <= cpuid.model <= last:
            return line
    return None


def describe_cpuid(cpuid: Cpuid) -> str:
    """Return a processor's numbers and product line in words for a message. Unsupported lines are named as well."""
    line: str | None = line_of_cpuid(cpuid)
    if line is None and any(cpuid.family == family and first <= cpuid.model <= last for family, first, last in _VENICE):
        line = "Venice, which is not supported"
    return f"{cpuid} ({line or 'no known line'})"


@dataclass(frozen=True)
class VekForm:
    """The form of a product line's VEK certificates: the values that AMD's extensions must have.

    `hwid_bytes` is the size of a VCEK's hwID. `has_spl4` states whether the reserved extension
    1.3.6.1.4.1.3704.1.3.4 is present.
    """

    product_names: frozenset[str]
    struct_version: int
    hwid_bytes: int
    has_spl4: bool


# VCEKs of later steppings also say "Milan-B0"; a VLEK says "Milan".
VEK_FORMS: Mapping[ProductLine, VekForm] = MappingProxyType(
    {
        ProductLine.MILAN: VekForm(frozenset({"Milan", "Milan-B0", "Milan-B1"}), 0, 64, has_spl4=True),
        ProductLine.GENOA: VekForm(frozenset({"Genoa"}), 0, 64, has_spl4=True),
        ProductLine.TURIN: VekForm(frozenset({"Turin"}), 1, 8, has_spl4=False),
    }
)
